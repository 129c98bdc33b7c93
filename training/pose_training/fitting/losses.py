# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""The loss of the bottom-up networks."""
from typing import List, Sequence

from torch import Tensor

from pose_training.models.network import StageMaps


def stage_losses(stages: Sequence[StageMaps], target: Tensor, weights: Tensor,
                 emphasis: float) -> List[Tensor]:
    """Return the weighted squared error per map cell of each stage.

    `target` and `weights` (N, C, h, w) hold the heat maps and then the fields; a stage that
    predicts only one of them is compared with that. A cell whose target has magnitude m counts
    1 + emphasis m, because nearly all cells are background. The sum over channels is divided by
    the number of cells. ValueError for maps that do not fit the target.
    """
    weights = weights * (1 + emphasis * target.abs())
    final = stages[-1]
    heatmaps = 0 if final.heatmaps is None else final.heatmaps.shape[1]
    places = slice(0, heatmaps), slice(heatmaps, None)
    _check(final, target)
    return [sum(_squares(part.float(), target[:, place], weights[:, place])
                for part, place in zip(maps, places) if part is not None) for maps in stages]


def _squares(predicted, target, weights):
    return ((predicted - target) ** 2 * weights).sum(1).mean()


def _check(final, target):
    found = [part.shape for part in final if part is not None]
    channels = sum(shape[1] for shape in found)
    if any((shape[0], channels, *shape[2:]) != tuple(target.shape) for shape in found):
        raise ValueError('maps of {} do not fit targets of {}'.format(
            ' and '.join(str(tuple(shape)) for shape in found), tuple(target.shape)))


def total_loss(losses: Sequence[Tensor], stage_weight: float) -> Tensor:
    """Add the losses of the stages; each before the last counts `stage_weight`."""
    return losses[-1] + stage_weight * sum(losses[:-1], losses[-1].new_zeros(()))
