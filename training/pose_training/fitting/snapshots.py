# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""All that a training needs to go on exactly, on disk after every few epochs."""
import glob
import os
import pickle
import shutil
from typing import Any, Dict, List

import torch
from lightning.pytorch.callbacks import Callback
from lightning.pytorch.plugins.io import TorchCheckpointIO
from torch import distributed

from pose_training.checkpoint import FORMAT, checkpoint_data
from pose_training.errors import FitError
from pose_ros.core.files import atomic_write

FOLDER = 'snapshots'
LAST = 'last.ckpt'
_RANDOM = 'random_states'


class WholeFiles(TorchCheckpointIO):
    """Writes snapshots so that a file is whole, or is not there."""

    def save_checkpoint(self, checkpoint, path, storage_options=None) -> None:
        """Write a snapshot; FitError if the disk does not take it."""
        try:
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with atomic_write(path) as stream:
                torch.save(checkpoint, stream)
        except (OSError, RuntimeError) as error:  # torch's writer turns the one into the other
            raise FitError('cannot write the snapshot {}: {}; the one before it is untouched: '
                           'make room, and go on from there with --resume'.format(
                               path, error)) from error

    def load_checkpoint(self, path, map_location=None, weights_only=None):
        """Read a snapshot; FitError if it is damaged."""
        try:
            return super().load_checkpoint(path, map_location, weights_only)
        except (OSError, EOFError, RuntimeError, pickle.UnpicklingError) as error:
            raise FitError('cannot read the snapshot {}: {}; an older epoch_*.ckpt beside it, '
                           'copied in its place, serves as well'.format(
                               path, ' '.join(str(error).split())[:200])) from error


class Snapshots(Callback):
    """Writes OUTPUT/snapshots: `last.ckpt`, and `epoch_0012.ckpt` of the newest `max_to_keep`.

    Not a ModelCheckpoint: that removes only files of its own list, which a run that was moved or
    resumed does not have, and has no snapshot of the step in which a signal came.

    Besides what Lightning saves there are the states of the random number generators of every
    process, and the averaged network as a checkpoint of this package: `pose-train export` and
    `info` read snapshots.
    """

    def __init__(self, folder: str, max_to_keep: int, every: int, provenance: Dict[str, Any],
                 average):
        self._folder = os.path.join(folder, FOLDER)
        self._most, self._every = max_to_keep, every
        self._provenance, self._average = provenance, average
        self._random, self._saved = None, -1

    def on_train_epoch_end(self, trainer, pl_module) -> None:
        """Write, and remove what is too old."""
        epoch = trainer.current_epoch + 1
        if epoch % self._every and epoch < trainer.max_epochs:
            return
        path = self.save(trainer)
        if trainer.is_global_zero:
            kept = os.path.join(self._folder, 'epoch_{:04d}.ckpt'.format(epoch))
            _name_too(path, kept)
            for old in self._superfluous():
                os.remove(old)

    def save(self, trainer) -> str:
        """Write `last.ckpt` and return its path; FitError if the disk does not take it."""
        path = os.path.join(self._folder, LAST)
        if trainer.global_step != self._saved:  # an epoch's end may be a moment to stop, too
            trainer.save_checkpoint(path, weights_only=False)
            self._saved = trainer.global_step
        return path

    def _superfluous(self) -> List[str]:
        found = glob.glob(os.path.join(glob.escape(self._folder), 'epoch_*.ckpt'))
        found.sort(key=lambda path: (len(path), path))
        return found[:-self._most] if self._most else []

    def on_save_checkpoint(self, trainer, pl_module, checkpoint) -> None:
        """Add what Lightning leaves out."""
        checkpoint[_RANDOM] = _gathered(_random_state())
        network = pl_module.network
        data = checkpoint_data(network, self._provenance)
        data['state_dict'] = {name: value.detach().cpu() for name, value
                              in self._average.averaged().items()}
        checkpoint[FORMAT] = data

    def on_load_checkpoint(self, trainer, pl_module, checkpoint) -> None:
        """Remember the random states for the moment when the training begins."""
        self._random = checkpoint.get(_RANDOM)

    def on_train_start(self, trainer, pl_module) -> None:
        """Set the random states."""
        if self._random and trainer.global_rank < len(self._random):
            _set_random_state(self._random[trainer.global_rank])
        self._random = None


def last_snapshot(output: str) -> str:
    """Return the snapshot from which a run in a folder can go on, '' if there is none."""
    path = os.path.join(output, FOLDER, LAST)
    return path if os.path.exists(path) else ''


def _random_state():
    state = {'cpu': torch.get_rng_state()}
    if torch.cuda.is_initialized():
        state['cuda'] = torch.cuda.get_rng_state()
    return state


def _set_random_state(state):
    torch.set_rng_state(state['cpu'])
    if 'cuda' in state and torch.cuda.is_initialized():
        torch.cuda.set_rng_state(state['cuda'])


def _gathered(state) -> List[Any]:
    if not (distributed.is_available() and distributed.is_initialized()):
        return [state]
    states: List[Any] = [None] * distributed.get_world_size()
    distributed.all_gather_object(states, state)
    return states


def _name_too(source, target):
    """Give a file a second name: the next `last.ckpt` is another file and leaves it alone."""
    if os.path.exists(target):
        os.remove(target)
    try:
        os.link(source, target)
    except OSError:  # a file system without hard links
        shutil.copyfile(source, target)
