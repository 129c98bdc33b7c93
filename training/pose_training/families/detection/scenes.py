# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Whole images with the boxes of the people in them."""
from typing import Tuple

import numpy as np

from pose_training.data.annotations import Sample
from pose_training.data.dataset import PoseDataset
from pose_training.data.geometry import Crop, scaled, warp
from pose_training.data.scene_geometry import (boxes_in_view, check_scene_range, IGNORED,
                                               most_important, PERSON, scene_matrices)
from pose_training.families.family import Targets

_GRAY = 114
_TILES = ((0, 0), (1, 0), (0, 1), (1, 1))


def labelled_boxes(sample: Sample) -> Tuple[np.ndarray, np.ndarray]:
    """Return boxes (M, 4) left, top, right, bottom [px] of the file's size, and labels (M,).

    People without keypoints count as people, crowds and uncertain boxes as regions to ignore.
    Where not all people have labels, the whole image is such a region, too.
    """
    boxes = [list(box) for box in sample.boxes]
    labels = [PERSON] * len(boxes)
    for annotation in sample.ignored:
        if annotation.get('bbox'):
            boxes.append(annotation['bbox'])
            labels.append(IGNORED if annotation.get('iscrowd') else PERSON)
    if not sample.all_people_annotated:
        boxes.append((-1e5, -1e5, 2e5, 2e5))
        labels.append(IGNORED)
    found = np.array(boxes, np.float64).reshape(-1, 4)
    found[:, 2:] += found[:, :2]
    return found, np.array(labels, np.float64)


class SceneDataset(PoseDataset):
    """Views of whole images, or of four, with boxes."""

    def _check(self, spec) -> None:
        check_scene_range(spec.scene)

    @staticmethod
    def max_side(spec) -> int:
        """See PoseDataset."""
        return spec.scene.max_side

    def draw(self, index: int, variant: int) -> Tuple[Crop, Targets]:
        """See PoseDataset."""
        random = np.random.default_rng([self._seed, self.samples[index].identity, variant])
        spec = self.spec
        if random.random() < spec.scene.mosaic:
            indices = [index] + random.integers(len(self.samples), size=3).tolist()
            random.shuffle(indices)
            crop = self._mosaic(indices, random)
        else:
            crop = self._view(index, spec.size, random)
        boxes, labels = most_important(crop.boxes[None, :, :4], crop.boxes[None, :, 4],
                                       spec.scene.boxes)
        crop = crop._replace(boxes=np.concatenate([boxes[0], labels[0][:, None]], 1))
        return crop, spec.family.targets(crop, spec)

    def _mosaic(self, indices, random) -> Crop:
        size = self.spec.size
        half = size[0] // 2, size[1] // 2
        views = [self._view(index, half, random, True) for index in indices]
        boxes = [view.boxes + np.array([half[0] * x, half[1] * y] * 2 + [0])
                 for view, (x, y) in zip(views, _TILES)]
        rows = [np.concatenate([view.image for view in views[first:first + 2]], 1)
                for first in (0, 2)]
        return views[0]._replace(image=np.concatenate(rows), boxes=np.concatenate(boxes),
                                 known=np.ones(size[::-1], np.uint8))

    def _view(self, index, size, random, mosaic=False) -> Crop:
        index = self._images.find(index, random)
        image, sample = self._images.read(index), self.samples[index]
        boxes, labels = labelled_boxes(sample)
        own = image.shape[1::-1]
        factor = np.ones(2) if sample.size is None else np.divide(own, sample.size)
        matrix = scene_matrices(np.array([own]), np.array([sample.stretch]), size,
                                self.spec.scene, random, mosaic)
        boxes, labels = boxes_in_view((boxes * np.tile(factor, 2))[None], labels[None], matrix,
                                      size)
        border = _GRAY if random.random() < self.spec.scene.gray else int(random.integers(256))
        crop = warp(image, None, scaled(sample, own), matrix[0], size, self._mirror, border)
        return crop._replace(boxes=np.concatenate([boxes[0], labels[0][:, None]], 1))
