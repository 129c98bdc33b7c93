# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Progress of a build, which takes seconds to many minutes: reported, and stopped if possible."""
import threading
import time
from typing import Callable


class BuildProgress:
    """Reports a running build every `period` seconds to `report(text)`, from a thread of its own.

    `cancel` stops the build with TensorRT 10.0 and newer.
    """

    def __init__(self, report: Callable[[str], None], period: float = 10.0):
        """Take the callback of the reports; nothing runs yet."""
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
        """Return the time since the start, and the phase if it is known."""
        return '{:.0f} s{}'.format(
            time.monotonic() - self._start, self._phase and ', ' + self._phase)

    def cancel(self) -> None:
        """Stop the build if that is possible."""
        self.cancelled = True

    def watch(self, module, config) -> None:
        """Receive phases from TensorRT, if this version has progress monitors."""
        # IProgressMonitor: since 10.0 [include/NvInfer.h of v10.0.1].
        if hasattr(module, 'IProgressMonitor'):
            self._monitor = _make_monitor(module, self)  # TensorRT may not keep it alive
            config.progress_monitor = self._monitor

    def show(self, phase: str) -> None:
        """Store the phase for the next report."""
        self._phase = phase

    def _tick(self):
        while not self._ended.wait(self._period):
            self._report(str(self))


def _make_monitor(module, progress):
    class Monitor(module.IProgressMonitor):
        """TensorRT calls these from its threads; step_complete returns whether to continue."""

        def __init__(self):
            module.IProgressMonitor.__init__(self)  # pybind11 requires the explicit call
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
