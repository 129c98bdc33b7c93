# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Progress of a build that takes seconds to many minutes: shown, and stopped where possible."""
import threading
import time
from typing import Callable


class BuildProgress:
    """Reports a running build every `period` seconds to `report(text)`, from a thread of its own.

    `cancel` stops the build where TensorRT can be stopped (10.0 and newer).
    """

    def __init__(self, report: Callable[[str], None], period: float = 10.0):
        """Take where reports go; nothing runs yet."""
        self._report, self._period = report, period
        self._phase, self._start = '', time.monotonic()
        self._ended, self._monitor = threading.Event(), None
        self.cancelled = False

    def __enter__(self):
        """Start reporting."""
        self._start = time.monotonic()
        self._ended.clear()
        threading.Thread(target=self._tick, name='pose_build_progress', daemon=True).start()
        return self

    def __exit__(self, kind, error, trace):
        """Stop reporting."""
        self._ended.set()

    def __str__(self):
        """Say how long the build has been running, and its phase where that is known."""
        return '{:.0f} s{}'.format(
            time.monotonic() - self._start, self._phase and ', ' + self._phase)

    def cancel(self) -> None:
        """Ask the build to stop."""
        self.cancelled = True

    def watch(self, module, config) -> None:
        """Let TensorRT tell its phases and ask whether to go on, where it can."""
        # IProgressMonitor came with 10.0 [include/NvInfer.h of v10.0.1].
        if hasattr(module, 'IProgressMonitor'):
            self._monitor = _make_monitor(module, self)  # TensorRT may not keep it alive
            config.progress_monitor = self._monitor

    def show(self, phase: str) -> None:
        """Remember the phase for the next report."""
        self._phase = phase

    def _tick(self):
        while not self._ended.wait(self._period):
            self._report(str(self))


def _make_monitor(module, progress):
    class Monitor(module.IProgressMonitor):
        """TensorRT calls these, from its own threads; step_complete says whether to go on."""

        def __init__(self):
            module.IProgressMonitor.__init__(self)  # pybind11 wants it called by name
            self._steps = {}

        def phase_start(self, phase_name, parent_phase, num_steps):
            self._steps[phase_name] = num_steps
            progress.show(phase_name)

        def step_complete(self, phase_name, step):
            progress.show('{}: step {} of {}'.format(
                phase_name, step + 1, self._steps.get(phase_name, '?')))
            return not progress.cancelled

        def phase_finish(self, phase_name):
            self._steps.pop(phase_name, None)
    return Monitor()
