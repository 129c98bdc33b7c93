# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Batches of whole images, and of four images in one, with boxes as targets, on the device."""
from typing import Tuple

import numpy as np
import torch
from torch import Tensor

from pose_training.data.scene_geometry import (boxes_in_view, most_important, NOTHING,
                                               scene_matrices)
from pose_training.device.photometric import covered, noisy, recolored, softened
from pose_training.device.pool import ImagePool
from pose_training.fitting.settings import DataConfig

_GRAY = 114.
_MOST = 64                 # boxes that are kept of one image
_TILES = ((0, 0), (1, 0), (0, 1), (1, 1))
_LATE, _LATE_SHARE = .8, .25  # after this progress, only this share of the mosaics
_SOFT, _COLOR, _NOISE = .1, .8, .15
_LEAST_PATCH = .05


class SceneBatches:
    """Draws views of images with their boxes."""

    def __init__(self, pool: ImagePool, data: DataConfig):
        self._pool, self._data = pool, data
        weight = pool.index['weight'].astype(np.float64)
        self._chance = weight / weight.sum()
        self._boxes = np.zeros((len(pool), _MOST, 4))
        self._labels = np.full((len(pool), _MOST), NOTHING)
        filled = np.zeros(len(pool), int)
        for number, box, label in zip(*(pool.index.get(name, ())
                                        for name in ('box_image', 'box', 'box_label'))):
            if filled[number] < _MOST:
                self._boxes[number, filled[number]] = box
                self._labels[number, filled[number]] = label
                filled[number] += 1

    @torch.no_grad()
    def __call__(self, count: int, progress: float,
                 random: np.random.Generator) -> Tuple[Tensor, Tensor, Tensor]:
        """Return images (N, 3, H, W) BGR, boxes (N, M, 4) and labels (N, M)."""
        scene, size = self._data.scene, self._data.size
        share = scene.mosaic * (1 if progress < _LATE else _LATE_SHARE)
        four = int(count * share)
        parts = [self._views(count - four, size, random)] if count > four else []
        if four:
            parts.append(self._mosaics(four, size, random))
        images = torch.cat([part[0] for part in parts])
        boxes, labels = zip(*(most_important(part[1], part[2], scene.boxes) for part in parts))
        boxes, labels = (torch.from_numpy(np.concatenate(each).astype(np.float32)).to(
            self._pool.device) for each in (boxes, labels))
        ranges = self._data.photometric
        images = noisy(recolored(softened(images, _SOFT), _COLOR), _NOISE).clamp(0, 255)
        extent = _LEAST_PATCH, max(_LEAST_PATCH, ranges.erase_extent)
        return covered(images, ranges.erase, 1, extent), boxes, labels

    def _views(self, count, size, random, mosaic=False):
        pool, scene = self._pool, self._data.scene
        chosen = random.choice(len(self._chance), count, p=self._chance)
        matrices = scene_matrices(pool.sizes[chosen], pool.index['stretch'][chosen], size, scene,
                                  random, mosaic)
        boxes, labels = boxes_in_view(self._boxes[chosen], self._labels[chosen], matrices, size)
        gray = random.random((count, 1, 1, 1)) < scene.gray
        fill = np.where(gray, _GRAY, random.uniform(0, 255, (count, 3, 1, 1)))
        fill = torch.from_numpy(fill.astype(np.float32)).to(pool.device)
        return pool.sample(chosen, matrices, size, fill), boxes, labels

    def _mosaics(self, count, size, random):
        half = size[0] // 2, size[1] // 2
        images, boxes, labels = self._views(4 * count, half, random, True)
        first, second, third, fourth = images.chunk(4)
        images = torch.cat([torch.cat([first, second], 3), torch.cat([third, fourth], 3)], 2)
        offset = np.array([(half[0] * x, half[1] * y) * 2 for x, y in _TILES], np.float64)
        boxes = boxes.reshape(4, count, -1, 4) + offset[:, None, None]
        labels = labels.reshape(4, count, -1)
        return (images, boxes.transpose(1, 0, 2, 3).reshape(count, -1, 4),
                labels.transpose(1, 0, 2).reshape(count, -1))
