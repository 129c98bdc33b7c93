# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Losses that several families share."""
from typing import Dict, List, Sequence

from torch import Tensor


def squared_errors(stages: Sequence[Dict[str, Tensor]], target: Tensor, weights: Tensor,
                   foreground_weight: float, names: Sequence[str]) -> List[Tensor]:
    """Return the weighted squared error per map cell of each stage.

    `target` and `weights` (N, C, h, w) hold the outputs of the last stage in the order of `names`;
    a stage that predicts only some of them is compared with those. The weight of a cell with a
    target of magnitude m is 1 + foreground_weight m, because nearly all cells are background. The
    sum over channels is divided by the number of cells. ValueError for maps of other shapes than
    the target.
    """
    weights = weights * (1 + foreground_weight * target.abs())
    final = stages[-1]
    _check(final, target)
    places, first = {}, 0
    for name in names:
        if name in final:
            places[name] = slice(first, first + final[name].shape[1])
            first = places[name].stop
    return [sum(_squares(maps.float(), target[:, places[name]], weights[:, places[name]])
                for name, maps in stage.items()) for stage in stages]


def _squares(predicted, target, weights):
    return ((predicted - target) ** 2 * weights).sum(1).mean()


def _check(final, target):
    found = [maps.shape for maps in final.values()]
    channels = sum(shape[1] for shape in found)
    if any((shape[0], channels, *shape[2:]) != tuple(target.shape) for shape in found):
        raise ValueError('maps of {} do not fit targets of {}'.format(
            ' and '.join(str(tuple(shape)) for shape in found), tuple(target.shape)))


def total_loss(losses: Sequence[Tensor], stage_weight: float) -> Tensor:
    """Add the losses of the stages; the weight of each before the last is `stage_weight`."""
    return losses[-1] + stage_weight * sum(losses[:-1], losses[-1].new_zeros(()))
