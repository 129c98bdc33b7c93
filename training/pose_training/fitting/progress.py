# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Show the progress of a training: a bar on a terminal, otherwise a line per epoch."""
import sys
import time
from datetime import timedelta

from lightning.pytorch.callbacks import Callback, TQDMProgressBar


class Speed(Callback):
    """Logs images per second of all processes, over the steps since the last log."""

    def __init__(self, every: int = 20):
        self._every, self._since, self._count = every, 0., 0

    def on_train_start(self, trainer, pl_module) -> None:
        """Begin to count, perhaps in the middle of an epoch."""
        self.on_train_epoch_start(trainer, pl_module)

    def on_train_epoch_start(self, trainer, pl_module) -> None:
        """Begin to count."""
        self._since, self._count = time.perf_counter(), 0

    def on_train_batch_end(self, trainer, pl_module, outputs, batch, batch_idx) -> None:
        """Count, and log every few steps."""
        self._count += len(batch[0]) * trainer.world_size
        if (batch_idx + 1) % self._every == 0 or batch_idx + 1 == trainer.num_training_batches:
            now = time.perf_counter()
            pl_module.log('images_per_s', self._count / max(1e-9, now - self._since),
                          prog_bar=True)
            self._since, self._count = now, 0


class EpochLines(Callback):
    """Prints a line per epoch, for logs."""

    def __init__(self):
        self._begin, self._first, self._epoch_begin = 0., 0, 0.
        self._losses = []

    def on_train_start(self, trainer, pl_module) -> None:
        """Begin to measure, perhaps in the middle of an epoch."""
        self._begin, self._first = time.perf_counter(), trainer.global_step
        self.on_train_epoch_start(trainer, pl_module)

    def on_train_epoch_start(self, trainer, pl_module) -> None:
        """Begin to measure the epoch."""
        self._epoch_begin, self._losses = time.perf_counter(), []

    def on_train_batch_end(self, trainer, pl_module, outputs, batch, batch_idx) -> None:
        """Store the loss on its device."""
        self._losses.append(pl_module.step_loss)

    def on_train_epoch_end(self, trainer, pl_module) -> None:
        """Print the last figures of the epoch, and the expected time to the end."""
        if not trainer.is_global_zero:
            return
        now, figures = time.perf_counter(), trainer.callback_metrics
        done = trainer.global_step - self._first
        left = trainer.max_epochs * trainer.num_training_batches - trainer.global_step
        ahead = timedelta(seconds=max(0, round((now - self._begin) / max(1, done) * left)))
        words = ['{} {:.4g}'.format(label, float(figures[name])) for name, label in (
            ('loss/validation', 'validation'), ('lr', 'lr'), ('images_per_s', 'images/s'))
            if name in figures]
        loss = float(sum(self._losses)) / max(1, len(self._losses))
        words = ['loss {:.4g}'.format(loss), *words, '{:.1f} s'.format(now - self._epoch_begin)]
        print('epoch {}/{}: {}, {} to go'.format(
            trainer.current_epoch + 1, trainer.max_epochs, ', '.join(words), ahead),
            file=sys.stderr, flush=True)


def make_progress() -> Callback:
    """Return the progress callback for a terminal or a log."""
    return TQDMProgressBar() if sys.stdout.isatty() else EpochLines()
