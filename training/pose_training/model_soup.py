# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Average networks that were trained from the same initial weights."""
from typing import Any, Dict, Sequence, Tuple

import torch

from pose_training.checkpoint import load_checkpoint
from pose_training.errors import NetworkError
from pose_training.models.network import PoseNetwork


@torch.no_grad()
def mean_network(paths: Sequence[str],
                 shares: Sequence[float] = ()) -> Tuple[PoseNetwork, Dict[str, Any]]:
    """Return a network with the mean of the weights of checkpoints, and its provenance.

    A soup (Wortsman et al., arXiv:2203.05482), uniform without `shares`, positive numbers. The
    statistics of batch norms are averaged like the weights, which works for networks with similar
    weights; counters are those of the first. Raises NetworkError for fewer than two checkpoints,
    of different networks, or for other shares.
    """
    if len(paths) < 2:
        raise NetworkError('a mean needs two checkpoints or more')
    parts = _parts(shares, len(paths))
    network, provenance = load_checkpoint(paths[0])
    sources, state = {paths[0]: provenance}, network.state_dict()
    moving = [name for name, value in state.items() if value.is_floating_point()]
    total = {name: parts[0] * state[name].double() for name in moving}
    for path, part in zip(paths[1:], parts[1:]):
        other, sources[path] = load_checkpoint(path)
        if other.recipe != network.recipe:
            raise NetworkError('{} is {} and {} is {}: only networks of one kind have a '
                               'mean'.format(paths[0], _words(network), path, _words(other)))
        found = other.state_dict()
        for name in moving:
            total[name] += part * found[name].double()
    for name in moving:
        state[name].copy_(total[name])
    provenance = {'mean_of': sources}
    return network, dict(provenance, shares=list(shares)) if shares else provenance


def _parts(shares, count):
    """Return what each of `count` checkpoints counts; the sum is 1."""
    if not shares:
        return [1 / count] * count
    if len(shares) != count or not all(0 < share < float('inf') for share in shares):
        raise NetworkError('a mean of {} checkpoints needs {} positive shares, not {}'.format(
            count, count, list(shares)))
    return [share / sum(shares) for share in shares]


def _words(network):
    recipe = network.recipe
    return '{} for {} {}'.format(recipe.name, recipe.topology, dict(recipe.options))
