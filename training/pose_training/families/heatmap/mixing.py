# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Mix heatmaps of a teacher and Gaussians of labels into targets."""
from typing import Tuple

import torch
from torch import Tensor

_AGREES = .35       # of the teacher's peak: least value at a label with which it agrees
_CONTRADICTED = .05  # weight of a teacher that contradicts a trusted label
_TRUSTED = .2       # trust from which a label outweighs a teacher that contradicts it
_WEAKEST, _SURE = .3, .5  # weight of a teacher without a peak, and its peak for weight 1
_INSIDE = .3        # the highest value of a Gaussian whose center lies in the crop


def mix(maps: Tensor, trust: Tensor, soft: Tensor, known: Tensor,
        share: float) -> Tuple[Tensor, Tensor]:
    """Return targets (N, K, h, w) and weights (N, K, 1, 1).

    `maps` (N, K, h, w) Gaussians of the labels, `trust` (N, K) in the labels, `soft` (N, K, h, w)
    of the teacher, `known` (K,) bool: the keypoints that it has. A label of full trust has the
    weight 1 - share, the teacher the rest, or nearly 0 where it contradicts the label; without a
    label the weight of the teacher depends on the height of its peak.
    """
    peak, place = soft.flatten(2).max(2)[0], maps.flatten(2).max(2)
    at_label = soft.flatten(2).gather(2, place[1][..., None])[..., 0] * (place[0] > _INSIDE)
    label = trust * (1 - share)
    agrees = torch.where(at_label > _AGREES * peak, 1., _CONTRADICTED)
    sure = _WEAKEST + (1 - _WEAKEST) * (peak / _SURE).clamp(0, 1)
    teacher = (1 - label) * torch.where(trust > _TRUSTED, agrees, sure) * known.view(1, -1)
    total = label + teacher
    target = (label[..., None, None] * maps + teacher[..., None, None] * soft) \
        / total.clamp(min=1e-3)[..., None, None]
    return target, total[..., None, None]
