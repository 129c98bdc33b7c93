# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Labels and a teacher's maps, mixed into what the student should say."""
from typing import Tuple

import torch
from torch import Tensor

from pose_training.families.paf.layouts import MapLayout

_PERSON = .15  # a teacher's map value that no background has


def mix(maps: Tensor, weights: Tensor, soft: Tensor, known: Tensor, share: float,
        complete: Tensor, layout: MapLayout) -> Tuple[Tensor, Tensor]:
    """Return what the student should say, and where that is known: (N, C, h, w) float32 each.

    `maps` and `weights` are the labels', `soft` the teacher's, all (N, C, h, w); `known` (C,) bool
    are the channels that the teacher has. Where labels and teacher both know, the target is
    (1 - share) label + share teacher; where one knows, it alone. In crops that are not `complete`
    (N,) bool, people whom only the teacher sees are taken from it.
    """
    known = known.view(-1, 1, 1)
    part = torch.where(known, torch.where(weights > 0, share, 1.), 0.)
    alone = _only_teacher(maps, soft, layout) & known & ~complete.view(-1, 1, 1, 1)
    part = torch.where(alone, 1., part)
    return torch.lerp(maps, soft, part), torch.maximum(weights, known.to(weights.dtype))


def _only_teacher(hard, soft, layout):
    """Find the cells where the teacher sees somebody whom the labels do not have."""
    keypoints = layout.heatmaps - layout.background
    found = (soft[:, :keypoints] > _PERSON) & (hard[:, :keypoints] < .01)
    background = [found.any(1, keepdim=True)] * layout.background
    strength, labelled = (torch.hypot(maps[:, layout.heatmaps::2], maps[:, layout.heatmaps + 1::2])
                          for maps in (soft, hard))
    fields = (strength > _PERSON) & (labelled < .01)
    return torch.cat([found, *background, fields.repeat_interleave(2, 1)], 1)
