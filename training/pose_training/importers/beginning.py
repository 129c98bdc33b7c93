# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""The state of a network that begins with some layers of another one."""
from typing import Dict, Mapping

import numpy as np
import torch

from pose_training.models.registry import create_model, NetworkSpec

_SEED = 0  # of the layers that the other network does not have


def begun(spec: NetworkSpec, state: Mapping[str, np.ndarray]) -> Dict[str, np.ndarray]:
    """Return a whole state: of `state` what fits, else random weights of a fixed seed."""
    with torch.random.fork_rng(devices=()):
        torch.manual_seed(_SEED)
        own = create_model(spec.name).state_dict()
    return {name: state[name] if name in state and state[name].shape == tuple(value.shape)
            else value.numpy() for name, value in own.items()
            if not name.endswith('num_batches_tracked')}
