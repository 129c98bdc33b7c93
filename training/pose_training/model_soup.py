# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Average networks that were trained from the same initial weights."""
from typing import Any, Dict, Sequence, Tuple

import torch

from pose_training.checkpoint import load_checkpoint
from pose_training.errors import NetworkError
from pose_training.models.network import PoseNetwork


@torch.no_grad()
def mean_network(paths: Sequence[str]) -> Tuple[PoseNetwork, Dict[str, Any]]:
    """Return a network with the mean of the weights of checkpoints, and its provenance.

    A uniform soup (Wortsman et al., arXiv:2203.05482). The statistics of batch norms are averaged
    like the weights, which works for networks with similar weights; counters are those of the
    first. Raises NetworkError for fewer than two checkpoints, or of different networks.
    """
    if len(paths) < 2:
        raise NetworkError('a mean needs two checkpoints or more')
    network, provenance = load_checkpoint(paths[0])
    sources, state = {paths[0]: provenance}, network.state_dict()
    moving = [name for name, value in state.items() if value.is_floating_point()]
    total = {name: state[name].double() for name in moving}
    for path in paths[1:]:
        other, sources[path] = load_checkpoint(path)
        if other.recipe != network.recipe:
            raise NetworkError('{} is {} and {} is {}: only networks of one kind have a '
                               'mean'.format(paths[0], _words(network), path, _words(other)))
        found = other.state_dict()
        for name in moving:
            total[name] += found[name].double()
    for name in moving:
        state[name].copy_(total[name] / len(paths))
    return network, {'mean_of': sources}


def _words(network):
    recipe = network.recipe
    return '{} for {} {}'.format(recipe.name, recipe.topology, dict(recipe.options))
