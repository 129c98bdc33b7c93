# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Train from a program: `pose_training.train('repvgg_fpn.yaml')`."""
from typing import Optional, Sequence, Union

from pose_training.fitting.config import load_config
from pose_training.fitting.fit import fit
from pose_training.fitting.gpus import AUTO


_CONFIGURED = -1


def train(cfg_filename: str, max_to_keep: Optional[int] = _CONFIGURED,
          memfrac: Optional[float] = None, disable_autotune: Optional[bool] = None,
          choose_gpu: Union[None, int, str, Sequence[int]] = None,
          resume: Optional[bool] = True, changes: Sequence[str] = ()) -> str:
    """Train with a configuration file, and return the path of the network (a checkpoint).

    The file may also be a pose_cfg.yaml of PoseTF, DeeperCut or DeepLabCut 2, in any folder. The
    first arguments are those of PoseTF.training.train.

    max_to_keep: snapshots to keep besides the last; None or 0: all (default: the configuration's).
    memfrac: the share of the memory of each GPU that a process may take (default: the
    configuration's).
    disable_autotune: True for the usual algorithms of the GPU (default: the configuration's).
    choose_gpu: the number of the GPU to use, or several, or 'auto' for the one with the least
    memory in use (default: the configuration's).
    resume: True continues an existing run, False moves it aside, None raises ConfigError.
    changes: settings such as 'optimizer.lr=3e-4', as on the command line.

    With several GPUs the calling program is started again for each further GPU: put its code
    under `if __name__ == '__main__':`. Raises ConfigError, DataError or FitError.
    """
    config = load_config(cfg_filename, changes)
    if max_to_keep != _CONFIGURED:
        config = config._replace(max_to_keep=max_to_keep or 0)
    if memfrac is not None:
        config = config._replace(memory_fraction=float(memfrac))
    if disable_autotune is not None:
        config = config._replace(autotune=not disable_autotune)
    if choose_gpu == AUTO:
        config = config._replace(emptiest_gpus=True)
    elif choose_gpu is not None:
        gpus = (choose_gpu,) if isinstance(choose_gpu, int) else tuple(choose_gpu)
        config = config._replace(gpus=gpus, devices=len(gpus))
    return fit(config, resume)
