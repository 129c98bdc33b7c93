# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Batches of crops of single people, with heatmaps as targets, on the device."""
from typing import Optional, Tuple

import numpy as np
import torch
from torch import Tensor

from pose_training.data.person_geometry import (half_bodies, mirrored, moved, person_matrices)
from pose_training.device.photometric import covered, noisy, recolored, softened
from pose_training.device.pool import ImagePool
from pose_training.device.teacher import CropTeacher
from pose_training.errors import DataError
from pose_training.families.family import Family
from pose_training.families.heatmap.channels import grid_shift
from pose_training.families.heatmap.crops import upper_body
from pose_training.families.heatmap.mixing import mix
from pose_training.fitting.settings import DataConfig

_PATCHES = 2


class PersonBatches:
    """Draws crops; the share of a teacher is `share` for labels of full trust."""

    def __init__(self, pool: ImagePool, data: DataConfig, family: Family, stride: int,
                 teacher: Optional[CropTeacher], share: float):
        if not len(pool.index.get('person_image', ())):
            raise DataError('there are no people with keypoints in the packed images')
        packed = pool.topology.keypoint_names
        if packed != family.topology.keypoint_names:
            raise DataError('the packed people have {} keypoints, the network {} ({}); pack again '
                            'with this configuration'.format(
                                len(packed), family.topology.size, family.topology.name))
        self._pool, self._data, self._stride = pool, data, stride
        self._shift = grid_shift(family.grid, stride) * stride  # type: ignore[attr-defined]
        self._teacher, self._share = teacher, share
        self._mirror, self._upper = list(family.topology.mirror), upper_body(family.topology)
        weight = pool.index['person_weight'].astype(np.float64)
        self._chance = weight / weight.sum()

    @torch.no_grad()
    def __call__(self, count: int, progress: float,
                 random: np.random.Generator) -> Tuple[Tensor, Tensor, Tensor]:
        """Return images (N, 3, H, W) BGR, targets (N, K, h, w) and weights (N, K, 1, 1)."""
        data, index, pool = self._data, self._pool.index, self._pool
        chosen = random.choice(len(self._chance), count, p=self._chance)
        images, points = index['person_image'][chosen], index['person_keypoints'][chosen].copy()
        boxes = half_bodies(index['person_box'][chosen].astype(np.float64), points, self._upper,
                            data.person, random)
        matrices = person_matrices(boxes, index['stretch'][images], data.size, data.person,
                                   random)
        points[..., :2] = moved(points[..., :2], matrices)
        turned = mirrored(matrices)
        points[turned] = points[turned][:, self._mirror]
        points = torch.from_numpy(points).to(pool.device)
        maps = gaussians(points[..., :2] + self._shift, data.size, self._stride, data.sigma)
        sure = points[..., 2]
        if self._teacher is None:
            target, weights = maps, sure[..., None, None]
        else:
            soft = self._teacher(pool, images, matrices, data.size)
            target, weights = mix(maps, sure, soft, self._teacher.known, self._share)
        crops = noisy(recolored(softened(pool.sample(images, matrices, data.size))))
        return covered(crops.clamp(0, 255), data.person.patches, _PATCHES,
                       data.person.patch_extent), target, weights


def gaussians(points: Tensor, size: Tuple[int, int], stride: int, sigma: float) -> Tensor:
    """Return (N, K, h, w): exp(-d^2 / 2 sigma^2) about points (N, K, 2) [px].

    Cell g is the pixel (g + 0.5) stride - 0.5, as in families/gaussians.py.
    """
    rows = [torch.exp(((torch.arange(side // stride, device=points.device) + .5) * stride - .5
                       - points[..., axis, None]) ** 2 * (-.5 / sigma ** 2))
            for axis, side in enumerate(size)]
    return rows[1][..., :, None] * rows[0][..., None, :]
