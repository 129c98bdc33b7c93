# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Random views of whole images for a detector, and the boxes in them.

Boxes are left, top, right, bottom [px], counted from the outer edge of pixel 0. A label is 1 for a
person, 0 for a region to ignore, -1 for no box. All functions take a batch.
"""
from typing import Annotated, NamedTuple, Tuple

import numpy as np

from pose_training.data.person_geometry import matrices, moved
from pose_training.errors import ConfigError

PERSON, IGNORED, NOTHING = 1., 0., -1.


class SceneRange(NamedTuple):
    """Ranges that the geometry of whole images is drawn from."""

    zoom: Annotated[Tuple[float, float], 'range of the size of the image relative to one that '
                    'fits into the input'] = (.7, 1.7)
    aspect: Annotated[float, 'largest logarithm of a change of the aspect'] = .06
    rotated: Annotated[float, 'probability of a rotation'] = .3
    rotation: Annotated[float, 'standard deviation of it [degrees]'] = 5.
    flip: Annotated[float, 'probability of a mirrored image'] = .5
    mosaic: Annotated[float, 'probability of four images in one'] = .4
    mosaic_zoom: Annotated[Tuple[float, float], 'zoom of the images of a mosaic'] = (.7, 1.9)
    gray: Annotated[float, 'probability of the gray 114 around the image, else any color'] = .7
    boxes: Annotated[int, 'most boxes of one input'] = 80
    max_side: Annotated[int, 'larger images are reduced when they are read [px]'] = 640


def check_scene_range(ranges: SceneRange) -> None:
    """Raise ConfigError for ranges that no view can be drawn from."""
    for key in ('zoom', 'mosaic_zoom'):
        low, high = getattr(ranges, key)
        if not 0 < low <= high:
            raise ConfigError('scene, {}: {} is not a range above 0'.format(key, [low, high]))
    for key in ('rotated', 'flip', 'mosaic', 'gray'):
        if not 0 <= getattr(ranges, key) <= 1:
            raise ConfigError('scene, {}: {} is not a probability'.format(
                key, getattr(ranges, key)))
    if min(ranges.aspect, ranges.rotation) < 0 or ranges.boxes < 1 or ranges.max_side < 16:
        raise ConfigError('scene: aspect and rotation from 0, boxes from 1, max_side from 16')


def scene_matrices(sizes: np.ndarray, stretch: np.ndarray, size: Tuple[int, int],
                   ranges: SceneRange, random: np.random.Generator,
                   mosaic: bool = False) -> np.ndarray:
    """Return maps (N, 2, 3) from image pixels to pixels of an input of `size` (width, height).

    sizes (N, 2): width, height of the images; stretch (N,): see person_matrices. `mosaic`: with
    the zoom of the images of a mosaic.
    """
    count, sizes = len(sizes), np.asarray(sizes, np.float64)
    aspect = np.exp(random.uniform(-1, 1, count) * (stretch + ranges.aspect))
    fit = np.minimum(size[1] / sizes[:, 1], size[0] / (sizes[:, 0] * aspect))
    low, high = np.log(ranges.mosaic_zoom if mosaic else ranges.zoom)
    zoom = np.exp(random.uniform(low, high, count)) * fit
    scale = np.stack([zoom * aspect, zoom], 1)
    # A smaller image lies anywhere inside, a larger one covers the input.
    corner = (np.array(size) - sizes * scale) * random.random((count, 2))
    target = corner + sizes * scale / 2
    angle = np.radians(random.standard_normal(count).clip(-2, 2) * ranges.rotation) \
        * (random.random(count) < ranges.rotated)
    scale[:, 0] *= np.where(random.random(count) < ranges.flip, -1, 1)
    return matrices(sizes / 2, target, angle, scale)


def boxes_in_view(boxes: np.ndarray, labels: np.ndarray, matrix: np.ndarray,
                  size: Tuple[int, int]) -> Tuple[np.ndarray, np.ndarray]:
    """Return boxes (N, M, 4) in views of `size` (width, height), clipped, and their labels (N, M).

    People with only a small part in view become regions to ignore.
    """
    corners = moved(boxes[..., [0, 1, 2, 1, 0, 3, 2, 3]].reshape(len(boxes), -1, 2) - .5, matrix)
    corners = corners.reshape(boxes.shape[:2] + (4, 2)) + .5
    low, high = corners.min(2), corners.max(2)
    whole = (high - low).prod(-1)
    low, high = np.clip(low, 0, size), np.clip(high, 0, size)
    sides = high - low
    seen = sides.prod(-1)
    kept = ((seen > .3 * whole) | (seen > .15 * size[0] * size[1])) \
        & (sides.min(-1) >= 3) & (sides.max(-1) >= 6)
    labels = np.where((labels == PERSON) & ~kept, IGNORED, labels)
    labels = np.where(seen > 1, labels, NOTHING)
    return np.concatenate([low, high], -1), labels


def most_important(boxes: np.ndarray, labels: np.ndarray,
                   most: int) -> Tuple[np.ndarray, np.ndarray]:
    """Return `most` rows of boxes (N, M, 4) and labels (N, M): large people first, then regions.

    Rows with the label -1 fill the rest.
    """
    missing = most - labels.shape[1]
    if missing > 0:
        boxes = np.pad(boxes, ((0, 0), (0, missing), (0, 0)))
        labels = np.pad(labels, ((0, 0), (0, missing)), constant_values=NOTHING)
    area = (boxes[..., 2] - boxes[..., 0]) * (boxes[..., 3] - boxes[..., 1])
    rank = np.where(labels == PERSON, area + 1e9, np.where(labels == IGNORED, area, -1))
    order = np.argsort(-rank, axis=1, kind='stable')[:, :most]
    return (np.take_along_axis(boxes, order[..., None], 1),
            np.take_along_axis(labels, order, 1))
