# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""The network of a run, of one of its epochs, or of a checkpoint, as a file for the robot."""
import contextlib
import glob
import os
import tempfile
from typing import Iterator, Optional, Tuple

from pose_training.checkpoint import load_checkpoint
from pose_training.errors import ConfigError
from pose_training.exporters.cards import make_card
from pose_training.exporters.export import export, ExportOptions
from pose_training.fitting.config import load_config

CHECKPOINTS = ('.pt', '.ckpt')
_SNAPSHOTS, _NETWORK, _CONFIG = 'snapshots', 'network.pt', 'config.yaml'


@contextlib.contextmanager
def robot_file(model: str, epoch: Optional[int] = None,
               size: Optional[Tuple[int, int]] = None) -> Iterator[str]:
    """Yield the path of a file for the robot.

    model: such a file, a checkpoint (.pt, .ckpt), or the folder of a run: of that the network
    after `epoch`, None for the final one. A checkpoint is exported to a temporary file, with the
    input size (width, height) that is given, else that of the crops of the run, else its own.
    ConfigError if the run has no such snapshot.
    """
    path = run_checkpoint(model, epoch)
    if not path.lower().endswith(CHECKPOINTS):
        yield path
        return
    network, provenance = load_checkpoint(path)
    with tempfile.TemporaryDirectory(prefix='evaluate') as folder:
        name = os.path.join(folder, 'network.onnx')
        export(network, name, ExportOptions(size=size or _size(model, network)), provenance)
        yield name


def run_checkpoint(model: str, epoch: Optional[int] = None) -> str:
    """Return the checkpoint of a run; another file as it is. ConfigError if it is not there."""
    if not os.path.isdir(model):
        if epoch is not None:
            raise ConfigError('--epoch is of the folder of a run, and {} is none'.format(model))
        return model
    if epoch is None:
        path = os.path.join(model, _NETWORK)
    else:
        path = os.path.join(model, _SNAPSHOTS, 'epoch_{:04d}.ckpt'.format(epoch))
    if os.path.isfile(path):
        return path
    kept = sorted(os.path.basename(name) for name in glob.glob(
        os.path.join(glob.escape(model), _SNAPSHOTS, 'epoch_*.ckpt')))
    raise ConfigError('there is no {}; the snapshots of this run are: {}. A run keeps those of '
                      'the last epochs: max_to_keep=0 keeps all'.format(
                          path, ', '.join(kept[-8:]) or 'none'))


def _size(model, network):
    """Return the size of a run's crops for a network of crops, None for another one."""
    path = os.path.join(model, _CONFIG)
    if not os.path.isfile(path) or make_card(network, ExportOptions(), {}).input.fit != 'crop':
        return None
    return load_config(path).data.size
