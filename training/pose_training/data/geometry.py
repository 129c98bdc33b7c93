# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Crops for training: one affine map for the image, its keypoints and its masks."""
from typing import Annotated, Callable, NamedTuple, Optional, Sequence, Tuple

import cv2
import numpy as np

from pose_training.data.annotations import Sample
from pose_training.data.masks import fill_box
from pose_training.errors import ConfigError

_MARGIN = .2  # of the longer side of a box: keypoints of its person may be that far outside


class CropRange(NamedTuple):
    """Ranges that the geometry of crops is drawn from."""

    height: Annotated[Tuple[float, float], 'height of the chosen person over that of the crop'] = (
        .25, 1.1)
    scale: Annotated[Tuple[float, float], 'size of the crop over that of the same part of the '
                     'image, in place of `height`; 0, 0: by `height`'] = (0., 0.)
    rotation: Annotated[float, '+- degrees'] = 40.
    shift: Annotated[float, 'of the person from the center, +- share of the crop'] = .25
    stretch: Annotated[float, 'of the width against the height, +- factor'] = .1
    flip: Annotated[float, 'probability of a mirrored crop'] = .5
    free: Annotated[float, 'share of crops at random places, not at a person'] = .1
    background: Annotated[float, 'probability that the area outside the image shows an image '
                          'without people (else its reflection), not gray'] = .5
    mosaic: Annotated[float, 'probability that a crop is made of four'] = .1
    max_side: Annotated[int, 'larger images are reduced when they are read [px]'] = 768


class Crop(NamedTuple):
    """A crop of one image.

    `image` (h, w, 3) uint8 BGR; `people` (P, K, 3) as in Sample, some keypoints outside the crop;
    `scales` (P,): the size of each person [px]; `known` (h, w) uint8: 0 where people may be
    unlabelled; `labelled` (K,) as in Sample; `regions` (P, 4, 2): corners [px] of the region in
    which unlabelled keypoints of a person may be, or None if unlabelled keypoints are invisible
    (NaN for a person in a mosaic); `complete`: whether all people are labelled or masked;
    `confidences` (P, K) of the labels, None if they are not used; `boxes` (M, 5) left, top, right,
    bottom [px] and a label of scene_geometry, None if they are not used.
    """

    image: np.ndarray
    people: np.ndarray
    scales: np.ndarray
    known: np.ndarray
    labelled: np.ndarray
    regions: Optional[np.ndarray]
    complete: bool = True
    confidences: Optional[np.ndarray] = None
    boxes: Optional[np.ndarray] = None


def check_ranges(ranges: CropRange) -> None:
    """Raise ConfigError for ranges that no crop can be drawn from."""
    low, high = ranges.height
    if not 0 < low <= high:
        raise ConfigError('crop, height: {} is not a range of fractions above 0'.format(
            list(ranges.height)))
    if not (0 < ranges.scale[0] <= ranges.scale[1] or tuple(ranges.scale) == (0., 0.)):
        raise ConfigError('crop, scale: {} is not a range of factors above 0, and not 0, 0'.format(
            list(ranges.scale)))
    for key in ('flip', 'free', 'background', 'mosaic'):
        if not 0 <= getattr(ranges, key) <= 1:
            raise ConfigError('crop, {}: {} is not a probability'.format(
                key, getattr(ranges, key)))
    for key in ('rotation', 'shift', 'stretch'):
        if getattr(ranges, key) < 0:
            raise ConfigError('crop, {}: {} is below 0'.format(key, getattr(ranges, key)))
    if ranges.max_side < 16:
        raise ConfigError('crop, max_side: {} px is less than 16'.format(ranges.max_side))


def draw_crop(image: np.ndarray, mask, sample: Sample, size: Tuple[int, int], ranges: CropRange,
              mirror: Sequence[int], random: np.random.Generator,
              backdrop: Optional[Callable] = None) -> Crop:
    """Cut a random crop of `size` (width, height) [px] about one of the people.

    `mask` is (H, W) uint8, 1 where people are unlabelled, or None. The area outside the image is a
    random gray or, with the probability in `ranges`, the result of `backdrop(size, random)`: an
    image, or None for a reflection.
    """
    matrix = _draw_matrix(image.shape, sample.boxes, size, ranges, random)
    border = int(random.integers(256))
    if random.random() < ranges.background and not _covers(image.shape, matrix, size):
        border = backdrop(size, random) if backdrop else None
    return warp(image, mask, sample, matrix, size, mirror, border)


def warp(image, mask, sample: Sample, matrix: np.ndarray, size, mirror=None, border=0) -> Crop:
    """Apply a (2, 3) map from image pixels to crop pixels (pixel centers are integers).

    A map that mirrors exchanges left and right keypoints: `mirror[k]` is the twin of keypoint k.
    `border` fills the area outside the image: a gray, an image of `size`, None for a reflection.
    """
    people, labelled, sure = sample.people.copy(), sample.labelled, sample.confidences
    people[..., :2] = _moved(people[..., :2], matrix)
    if _determinant(matrix) < 0:
        twins = list(mirror)
        people, labelled = people[:, twins], labelled[twins]
        sure = None if sure is None else sure[:, twins]
    zoom = np.sqrt(abs(_determinant(matrix)))
    scales = np.maximum(sample.boxes[:, 2], sample.boxes[:, 3]) * zoom
    if border is None:
        unknown = _reflected(image.shape, mask, sample, matrix, size)
    else:
        unknown = _warp_mask(mask, matrix, size)
    regions = None if sample.all_visible_keypoints_annotated else _moved(_corners(sample.boxes),
                                                                         matrix)
    return Crop(_warp_image(image, matrix, size, border), people, scales, 1 - unknown, labelled,
                regions, sample.all_people_annotated, sure)


def _determinant(matrix):
    return matrix[0, 0] * matrix[1, 1] - matrix[0, 1] * matrix[1, 0]


def _moved(points, matrix):
    return points @ matrix[:, :2].T + matrix[:, 2]


def _warp_image(image, matrix, size, border):
    image, inner = _shrunk(image, matrix)
    if isinstance(border, np.ndarray):
        return cv2.warpAffine(image, inner, size, dst=border.copy(), flags=cv2.INTER_LINEAR,
                              borderMode=cv2.BORDER_TRANSPARENT)
    mode = cv2.BORDER_REFLECT if border is None else cv2.BORDER_CONSTANT
    return cv2.warpAffine(image, inner, size, flags=cv2.INTER_LINEAR, borderMode=mode,
                          borderValue=(border or 0,) * 3)


def _warp_mask(mask, matrix, size, mode=cv2.BORDER_CONSTANT):
    if mask is None:
        return np.zeros(size[::-1], np.uint8)
    return cv2.warpAffine(mask, matrix, size, flags=cv2.INTER_NEAREST, borderMode=mode)


def _reflected(shape, mask, sample, matrix, size):
    """Return the mask of a crop with reflected borders; reflections of people are unknown, too."""
    people = np.zeros(shape[:2], np.uint8) if mask is None else mask.copy()
    if not sample.all_people_annotated:
        people[:] = 1
    for x, y, w, h in sample.boxes:
        margin = _MARGIN * max(w, h)
        fill_box(people, (x - margin, y - margin, w + 2 * margin, h + 2 * margin))
    inside = _warp_mask(np.ones(shape[:2], np.uint8), matrix, size)
    reflected = _warp_mask(people, matrix, size, cv2.BORDER_REFLECT)
    return np.where(inside, _warp_mask(mask, matrix, size), reflected)


def _corners(boxes):
    """Return (P, 4, 2), pixel centers at integers, of boxes grown by the margin."""
    more = _MARGIN * boxes[:, 2:].max(1, initial=0)[:, None]
    low, high = boxes[:, :2] - more - .5, boxes[:, :2] + boxes[:, 2:] + more - .5
    x, y = np.stack([low, high], -1).transpose(1, 0, 2)
    return np.stack([x[:, [0, 1, 1, 0]], y[:, [0, 0, 1, 1]]], -1)


def scaled(sample: Sample, size: Tuple[int, int]) -> Sample:
    """Return the labels, without `ignored`, of an image resized to (width, height)."""
    if sample.size is None or tuple(size) == sample.size:
        return sample
    factor = np.divide(size, sample.size)
    people = sample.people.copy()
    people[..., :2] = (people[..., :2] + .5) * factor - .5
    return sample._replace(people=people, boxes=sample.boxes * np.tile(factor, 2))


def _draw_matrix(shape, boxes, size, ranges, random):
    width, height = size
    if len(boxes) and random.random() >= ranges.free:
        x, y, w, h = boxes[random.integers(len(boxes))]
        center, extent = (x + w / 2, y + h / 2), max(w, h)
    else:
        center = random.uniform((0, 0), (shape[1], shape[0]))
        extent = random.uniform(.3, 1.) * max(shape[:2])
    fixed = ranges.scale[0] > 0
    low, high = np.log(ranges.scale if fixed else ranges.height)
    scale = np.exp(random.uniform(low, high)) * (1. if fixed else height / max(extent, 16.))
    scale = np.clip(scale, .05, 6.)
    stretch = np.exp(random.uniform(-ranges.stretch, ranges.stretch) / 2)
    angle = np.radians(np.clip(random.normal(0, ranges.rotation / 2),
                               -ranges.rotation, ranges.rotation))
    side = -1 if random.random() < ranges.flip else 1
    target = np.array([width, height]) * (.5 + random.uniform(-ranges.shift, ranges.shift, 2))
    return place(center, target, angle, (side * scale * stretch, scale / stretch))


def place(center, target, angle: float, scale) -> np.ndarray:
    """Return the (2, 3) map that scales (x, y), turns [rad], and moves `center` to `target`.

    Both points are distances from the left and upper edge [px], so that the center of an image is
    half its size.
    """
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    linear = turn @ np.diag(scale)
    return np.column_stack([linear, np.array(target) - .5 - linear @ (np.array(center) - .5)])


def cover(image: np.ndarray, size: Tuple[int, int], random: np.random.Generator) -> np.ndarray:
    """Cut a random upright part of an image, mirrored or not, that fills `size`."""
    height, width = image.shape[:2]
    scale = max(size[0] / width, size[1] / height) * np.exp(random.uniform(0, .7))
    reach = np.array(size) / scale / 2  # from the center of the part to its edges
    center = random.uniform(reach, np.maximum((width, height) - reach, reach))
    side = -1 if random.random() < .5 else 1
    matrix = place(center, np.array(size) / 2, 0, (side * scale, scale))
    return _warp_image(image, matrix, size, None)


def _covers(shape, matrix, size):
    """Return whether all pixels of the crop are inside the image."""
    (width, height), inverse = size, cv2.invertAffineTransform(matrix)
    corners = np.array([[0, 0], [width - 1, 0], [0, height - 1], [width - 1, height - 1]])
    points = _moved(corners, inverse)
    return bool((points >= 0).all() and (points <= (shape[1] - 1, shape[0] - 1)).all())


def _shrunk(image, matrix):
    """Blur the image if linear interpolation would skip pixels."""
    zoom = np.sqrt(abs(_determinant(matrix)))
    factor = int(.75 / zoom)
    if factor < 2 or min(image.shape[:2]) < 2 * factor:
        return image, matrix
    height, width = (length // factor for length in image.shape[:2])
    small = cv2.resize(image[:height * factor, :width * factor], (width, height),
                       interpolation=cv2.INTER_AREA)
    inner = matrix.copy()
    inner[:, :2] *= factor
    inner[:, 2] += matrix[:, :2] @ np.full(2, (factor - 1) / 2.)
    return small, inner
