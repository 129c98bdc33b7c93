# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Stop a training on Ctrl-C, SIGTERM or a closed terminal after a step, with a snapshot."""
import signal
import threading
import time
from typing import Any, Dict

from lightning.pytorch.callbacks import Callback

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_PATIENCE = 3.  # seconds in which launchers may repeat a signal


class Interrupted(BaseException):
    """A training stopped on a signal.

    A BaseException, so that `except Exception` does not catch it.

    `snapshot` is the one to continue from, '' for the last one that exists.
    """

    def __init__(self, message: str, snapshot: str = ''):
        super().__init__(message)
        self.snapshot = snapshot


class StopOnSignal(Callback):
    """Raises Interrupted after the step in which a signal came, once a snapshot is written.

    All processes stop after the same step if one of them gets a signal. A second signal more than
    three seconds later ends the process at once. `snapshots` writes the snapshot: an object with
    `save(trainer) -> path`.
    """

    def __init__(self, snapshots):
        self._snapshots, self._asked = snapshots, 0.
        self._before: Dict[int, Any] = {}

    def on_train_start(self, trainer, pl_module) -> None:
        """Install the handlers, also instead of that of Lightning for SIGTERM."""
        if threading.current_thread() is threading.main_thread():
            for number in _SIGNALS:
                if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN:  # nohup
                    self._before[number] = signal.signal(number, self._notice)

    def _notice(self, number, _):
        if not self._asked:
            self._asked = time.monotonic()
        elif time.monotonic() - self._asked > _PATIENCE:
            self._restore()
            raise Interrupted('stopped at once, in the middle of a step')

    def on_train_batch_end(self, trainer, pl_module, outputs, batch, batch_idx) -> None:
        """Stop here, unless the epoch ends with this step and writes its own snapshot."""
        if self._told(trainer) and not trainer.fit_loop.epoch_loop.batch_progress.is_last_batch:
            self._stop(trainer)

    def on_train_epoch_end(self, trainer, pl_module) -> None:
        """Stop here if a signal came with the last step or during the validation."""
        if self._told(trainer) and trainer.current_epoch + 1 < trainer.max_epochs:
            self._stop(trainer)

    def on_exception(self, trainer, pl_module, exception) -> None:
        """Restore the earlier handlers."""
        self._restore()

    def on_train_end(self, trainer, pl_module) -> None:
        """Restore the earlier handlers."""
        self._restore()

    def _told(self, trainer):
        if trainer.world_size == 1:
            return bool(self._asked)
        return trainer.strategy.reduce_boolean_decision(bool(self._asked), all=False)

    def _stop(self, trainer):
        path = self._snapshots.save(trainer)
        raise Interrupted('stopped in epoch {} after step {}'.format(
            trainer.current_epoch + 1, trainer.global_step), path)

    def _restore(self):
        for number, handler in self._before.items():
            signal.signal(number, handler or signal.SIG_DFL)
        self._before = {}


def ignore_signals() -> None:
    """Ignore Ctrl-C, which all processes of a group get, in a loader process."""
    for number in _SIGNALS:
        signal.signal(number, signal.SIG_IGN)
