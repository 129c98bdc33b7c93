# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Crops for part detectors."""
import numpy as np

from pose_training.data.dataset import PoseDataset
from pose_training.data.geometry import draw_crop, scaled
from pose_training.data.part_ranges import check_part_range


class PartDataset(PoseDataset):
    """Crops of images with all people in them, as PoseDataset."""

    def _check(self, spec) -> None:
        super()._check(spec)
        check_part_range(spec.parts)

    def draw_people(self, index: int, variant: int) -> np.ndarray:
        """Return the people (P, K, 3) of a crop without its targets."""
        random = np.random.default_rng([self._seed, self.samples[index].identity, variant])
        index = self._images.find(index, random)
        image = self._images.read(index)
        sample = scaled(self.samples[index], image.shape[1::-1])
        return draw_crop(image, None, sample, self.spec.size, self.spec.geometry, self._mirror,
                         random).people
