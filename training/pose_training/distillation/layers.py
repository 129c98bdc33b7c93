# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Layers of networks, by name."""
import difflib
from typing import Dict, List, Sequence

import torch

from pose_training.errors import DataError
from pose_training.models.network import PoseNetwork


def module_channels(network: PoseNetwork, layers: Sequence[str], where: str) -> List[int]:
    """Return the numbers of channels of a network's modules; DataError for an invalid module."""
    modules = dict(network.named_modules())
    found: Dict[str, int] = {}
    handles = []
    for name in layers:
        if name not in modules:
            raise unknown_layer(name, where, list(modules))

        def hook(module, inputs, output, name=name):
            found[name] = output.shape[1] if getattr(output, 'ndim', 0) == 4 else 0
        handles.append(modules[name].register_forward_hook(hook))
    training, side = network.training, 2 * network.size_multiple
    with torch.no_grad():
        network.eval()(torch.zeros(1, 3, side, side))
    network.train(training)
    for handle in handles:
        handle.remove()
    for name in layers:
        if not found.get(name):
            raise DataError('{}: the layer {!r} yields no maps'.format(where, name))
    return [found[name] for name in layers]


def unknown_layer(name: str, where: str, names: List[str]) -> DataError:
    """Return an error that suggests layers of similar names."""
    near = difflib.get_close_matches(name, names, 3, .3) or [part for part in names if part][-3:]
    return DataError('{} has no layer {!r}; there is {}'.format(where, name, ', '.join(near)))
