# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Write snapshots with the full state of a training, to resume it exactly."""
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
from pose_training.torch_file import save_torch_file
from pose_ros.core.files import atomic_file

FOLDER = 'snapshots'
LAST = 'last.ckpt'
_RANDOM = 'random_states'


class WholeFiles(TorchCheckpointIO):
    """Writes snapshots; an incomplete file is never left."""

    def save_checkpoint(self, checkpoint, path, storage_options=None) -> None:
        """Write a snapshot; FitError if it cannot be written."""
        try:
            os.makedirs(os.path.dirname(path), exist_ok=True)
            save_torch_file(path, checkpoint, follow_links=False)
        except OSError as error:
            raise FitError('cannot write the snapshot {}: {}; the one before it is unchanged: '
                           'free disk space, and continue from it with --resume'.format(
                               path, error)) from error

    def load_checkpoint(self, path, map_location=None, weights_only=None):
        """Read a snapshot; FitError if it is damaged."""
        try:
            return super().load_checkpoint(path, map_location, weights_only)
        except (OSError, EOFError, RuntimeError, pickle.UnpicklingError) as error:
            raise FitError('cannot read the snapshot {}: {}; replace it by a copy of an older '
                           'epoch_*.ckpt of the same folder'.format(
                               path, ' '.join(str(error).split())[:200])) from error


class Snapshots(Callback):
    """Writes OUTPUT/snapshots: `last.ckpt`, and `epoch_0012.ckpt` of the newest `max_to_keep`.

    Not a ModelCheckpoint: that removes only files of its own list, which is lost when a run is
    moved or resumed, and it writes no snapshot of the step in which a signal came.

    A snapshot has the state that Lightning saves, the states of the random number generators of
    every process, and the averaged network as a checkpoint of this package: `pose-train export`
    and `info` read snapshots.
    """

    def __init__(self, folder: str, max_to_keep: int, every: int, provenance: Dict[str, Any],
                 average):
        self._folder = os.path.join(folder, FOLDER)
        self._most, self._every = max_to_keep, every
        self._provenance, self._average = provenance, average
        self._random, self._saved = None, -1

    def on_train_epoch_end(self, trainer, pl_module) -> None:
        """Write a snapshot, and remove the oldest ones."""
        epoch = trainer.current_epoch + 1
        if epoch % self._every and epoch < trainer.max_epochs:
            return
        path = self.save(trainer)
        if trainer.is_global_zero:
            kept = os.path.join(self._folder, 'epoch_{:04d}.ckpt'.format(epoch))
            try:
                _name_too(path, kept)
            except OSError as error:
                raise FitError('cannot write the snapshot {}: {}; {} is whole'.format(
                    kept, error.strerror or error, path)) from error
            for old in self._superfluous():
                os.remove(old)

    def save(self, trainer) -> str:
        """Write `last.ckpt` and return its path; FitError if it cannot be written."""
        path = os.path.join(self._folder, LAST)
        if trainer.global_step != self._saved:  # the end of an epoch may have written it already
            trainer.save_checkpoint(path, weights_only=False)
            self._saved = trainer.global_step
        return path

    def _superfluous(self) -> List[str]:
        found = glob.glob(os.path.join(glob.escape(self._folder), 'epoch_*.ckpt'))
        found.sort(key=lambda path: (len(path), path))
        return found[:-self._most] if self._most else []

    def on_save_checkpoint(self, trainer, pl_module, checkpoint) -> None:
        """Add the entries that Lightning does not save."""
        checkpoint[_RANDOM] = _gathered(_random_state())
        network = pl_module.network
        data = checkpoint_data(network, self._provenance)
        data['state_dict'] = {name: value.detach().cpu() for name, value
                              in self._average.averaged().items()}
        checkpoint[FORMAT] = data

    def on_load_checkpoint(self, trainer, pl_module, checkpoint) -> None:
        """Store the random states until the training begins."""
        self._random = checkpoint.get(_RANDOM)

    def on_train_start(self, trainer, pl_module) -> None:
        """Set the random states."""
        if self._random and trainer.global_rank < len(self._random):
            _set_random_state(self._random[trainer.global_rank])
        self._random = None


def last_snapshot(output: str) -> str:
    """Return the snapshot from which a run in a folder can continue, '' if there is none."""
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
    """Give a file a second name; the next `last.ckpt` is a new file and does not change it."""
    with atomic_file(target, follow_links=False) as temporary:
        os.remove(temporary)
        try:
            os.link(source, temporary)
        except OSError:  # a file system without hard links
            shutil.copyfile(source, temporary)
