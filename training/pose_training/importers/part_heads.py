# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""What the importers of part detectors share: heads in the units of this package, options."""
from typing import Any, Dict, Mapping

import numpy as np
import torch

from pose_ros.core.topology import Topology
from pose_training.errors import WeightsError
from pose_training.families.part_locref.targets import UNIT
from pose_training.families.topologies import as_data
from pose_training.models.registry import create_model, NetworkSpec

_STEM = 64  # channels of the first layer at width 1
_SEED = 0   # of heads that a classifier does not have
_FIRST, _SCORES = 'trunk.root.conv1.weight', 'scores.weight'


def keypoints_in(state: Mapping[str, np.ndarray], path: str) -> int:
    """Return the number of keypoints of the score maps; 0 without any."""
    if _FIRST not in state:
        raise WeightsError('{} has no first layer of a ResNet: it is not a part detector on a '
                           'ResNet, or of another form'.format(path))
    return state[_SCORES].shape[1] if _SCORES in state and state[_SCORES].ndim == 4 else 0


def in_units(state: Dict[str, np.ndarray], deviation: float) -> None:
    """Turn refinements in units of `deviation` px to those of UNIT px; none become zeros."""
    for part in ('weight', 'bias'):
        name, scores = 'offsets.' + part, state.get('scores.' + part)
        if scores is None:
            continue  # which is reported as missing
        if name not in state:
            shape = (scores.shape[0], 2 * scores.shape[1], *scores.shape[2:]) \
                if part == 'weight' else (2 * len(scores),)
            state[name] = np.zeros(shape, np.float32)
        else:
            state[name] = np.float32(deviation / UNIT) * state[name]


def options_of(state: Mapping[str, np.ndarray], topology: Topology, **more) -> Dict[str, Any]:
    """Return the options of `create_model` for a state; those of width 1 are left out."""
    width = len(state[_FIRST]) / _STEM
    return {'topology': as_data(topology), **more, **({} if width == 1 else {'width': width})}


def with_new_heads(state: Mapping[str, np.ndarray], spec: NetworkSpec,
                   **options) -> Dict[str, np.ndarray]:
    """Return the state of a network that begins with the backbone of a classifier."""
    with torch.random.fork_rng(devices=()):
        torch.manual_seed(_SEED)
        own = create_model(spec.name, **options).state_dict()
    return {**{name: value.numpy() for name, value in own.items()
               if not name.endswith('num_batches_tracked')},
            **{name: array for name, array in state.items() if name.startswith('trunk.')}}
