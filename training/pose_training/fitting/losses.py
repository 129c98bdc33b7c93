# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""The loss of the bottom-up networks."""
from typing import List, Sequence

import torch
from torch import Tensor

from pose_training.models.network import StageMaps


def stage_losses(stages: Sequence[StageMaps], target: Tensor, weights: Tensor,
                 emphasis: float) -> List[Tensor]:
    """Return the weighted squared error per map cell of each stage.

    `target` and `weights` (N, C, h, w) hold the heat maps and then the fields. A cell whose target
    has magnitude m counts 1 + emphasis m, because nearly all cells are background. The sum over
    channels is divided by the number of cells. ValueError for maps that do not fit the target.
    """
    weights = weights * (1 + emphasis * target.abs())
    losses = []
    for maps in stages:
        predicted = torch.cat([part for part in maps if part is not None], 1).float()
        if predicted.shape != target.shape:
            raise ValueError('maps of {} do not fit targets of {}'.format(
                tuple(predicted.shape), tuple(target.shape)))
        losses.append(((predicted - target) ** 2 * weights).sum(1).mean())
    return losses


def total_loss(losses: Sequence[Tensor], stage_weight: float) -> Tensor:
    """Add the losses of the stages; each before the last counts `stage_weight`."""
    return losses[-1] + stage_weight * sum(losses[:-1], losses[-1].new_zeros(()))
