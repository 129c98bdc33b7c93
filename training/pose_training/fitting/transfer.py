# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Take over the weights of a network for another skeleton."""
from typing import Dict

import torch

from pose_ros.core.topology import make_topology, Topology
from pose_training.errors import ConfigError
from pose_training.models import create_model, PoseNetwork


def with_topology(network: PoseNetwork, topology: Topology) -> PoseNetwork:
    """Return the network for other keypoints, or itself if they are its own.

    A keypoint with the name of an old one gets its weights, any other one random weights; all
    other layers are the same. In a convolutional pose machine all layers that yield or read
    heatmaps have random weights. ConfigError for a network whose outputs are not one channel per
    keypoint.
    """
    old, recipe = network.family.topology, network.recipe
    if topology == old:
        return network
    matched = network.family.channels == {'heatmaps': old.size}
    if not matched and network.family.name != 'cpm':
        raise ConfigError('model.topology: the checkpoint is of {} for {}, whose outputs cannot '
                          'be changed to {}; leave model.topology out, or begin without a '
                          'checkpoint'.format(recipe.name, old.name, topology.name))
    changed = create_model(recipe.name, topology, **recipe.options)
    state, axes = changed.state_dict(), _keypoint_axes(network)
    places = [(new, old.index(name)) for new, name in enumerate(topology.keypoint_names)
              if matched and old.index(name) is not None]
    for name, value in network.state_dict().items():
        if name not in axes:
            state[name] = value
            continue
        for new, before in places:
            state[name].select(axes[name], new).copy_(value.select(axes[name], before))
    changed.load_state_dict(state)
    return changed


def _keypoint_axes(network) -> Dict[str, int]:
    """Return the axis of keypoints of each weight that has one, from a network with one more."""
    recipe, old = network.recipe, network.family.topology
    larger = make_topology('larger', [str(number) for number in range(old.size + 1)], ())
    with torch.device('meta'):
        shapes = {name: value.shape for name, value in create_model(
            recipe.name, larger, **recipe.options).state_dict().items()}
    return {name: next(axis for axis, side in enumerate(value.shape)
                       if shapes[name][axis] != side)
            for name, value in network.state_dict().items() if shapes[name] != value.shape}
