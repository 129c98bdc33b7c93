# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Mix the maps of labels and of a teacher into targets."""
from typing import Tuple

import torch
from torch import Tensor

from pose_ros.core.paf_layouts import MapLayout

_PERSON = .15  # a teacher's map value that no background has


def mix(maps: Tensor, weights: Tensor, soft: Tensor, known: Tensor, share: float,
        complete: Tensor, layout: MapLayout) -> Tuple[Tensor, Tensor]:
    """Return targets and weights: (N, C, h, w) float32 each.

    `maps` and `weights` are those of the labels, `soft` those of the teacher, all (N, C, h, w);
    `known` (C,) bool are the channels that the teacher has. Where both have a value, the target is
    (1 - share) label + share teacher; where one has a value, it is the target. In crops that are
    not `complete` (N,) bool, the maps of people without labels are those of the teacher.
    """
    known = known.view(-1, 1, 1)
    part = torch.where(known, torch.where(weights > 0, share, 1.), 0.)
    alone = _only_teacher(maps, soft, layout) & known & ~complete.view(-1, 1, 1, 1)
    part = torch.where(alone, 1., part)
    return torch.lerp(maps, soft, part), torch.maximum(weights, known.to(weights.dtype))


def _only_teacher(hard, soft, layout):
    """Return the cells of people that the teacher finds and the labels do not have."""
    keypoints = layout.heatmaps - layout.background
    found = (soft[:, :keypoints] > _PERSON) & (hard[:, :keypoints] < .01)
    background = [found.any(1, keepdim=True)] * layout.background
    strength, labelled = (torch.hypot(maps[:, layout.heatmaps::2], maps[:, layout.heatmaps + 1::2])
                          for maps in (soft, hard))
    pafs = (strength > _PERSON) & (labelled < .01)
    return torch.cat([found, *background, pafs.repeat_interleave(2, 1)], 1)
