# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Random crops around single people: those of a detector's boxes, and larger variations.

Boxes are left, top, right, bottom [px], counted from the outer edge of pixel 0; keypoints have
pixel centers at integers. All functions take a batch.
"""
from typing import Annotated, NamedTuple, Tuple

import numpy as np

from pose_training.errors import ConfigError

_SEEN = .2       # trust from which a keypoint counts for the box of half a body
_HALF_MARGIN = .15  # of the longer side of half a body
_FEWEST = 8      # keypoints of a person that may be cut to one half
_FEWEST_UPPER, _FEWEST_LOWER = 5, 4


class PersonRange(NamedTuple):
    """Ranges that the geometry of crops of single people is drawn from."""

    padding: Annotated[float, 'size of a crop relative to the box of its person'] = 1.25
    scale: Annotated[float, 'standard deviation of the logarithm of the size of crops; at most '
                     'twice as far'] = .18
    aspect: Annotated[float, 'standard deviation of the logarithm of the sides of boxes'] = .1
    shift: Annotated[float, 'standard deviation of the center, as a share of the box'] = .06
    upright: Annotated[float, 'probability of a crop that is not rotated'] = .26
    rotation: Annotated[float, 'standard deviation of small rotations [degrees]'] = 25.
    turned: Annotated[float, 'probability of a large rotation'] = .14
    turned_rotation: Annotated[float, 'standard deviation of large ones [degrees]'] = 50.
    any_angle: Annotated[float, 'probability of any rotation, a share of `turned`'] = .04
    flip: Annotated[float, 'probability of a mirrored crop'] = .5
    half_body: Annotated[float, 'probability of a crop of the upper or the lower half'] = .3
    upper: Annotated[float, 'share of upper halves among them'] = .65
    patches: Annotated[float, 'probability of each of two occluding patches'] = .35
    patch_extent: Annotated[Tuple[float, float], 'range of their sides, as a share of the height '
                            'of the crop'] = (.08, .3)
    backgrounds: Annotated[Tuple[str, ...], 'folders of images without people, put behind the '
                           'people of datasets with `masks`'] = ()
    replaced: Annotated[float, 'probability of another background'] = .5
    least: Annotated[float, 'lowest height of a person that is trained on [px]'] = 24.
    max_side: Annotated[int, 'larger images are reduced when they are read [px]'] = 768


def check_person_range(ranges: PersonRange) -> None:
    """Raise ConfigError for ranges that no crop can be drawn from."""
    for key in ('upright', 'turned', 'any_angle', 'flip', 'half_body', 'upper', 'patches',
                'replaced'):
        if not 0 <= getattr(ranges, key) <= 1:
            raise ConfigError('person, {}: {} is not a probability'.format(
                key, getattr(ranges, key)))
    for key in ('scale', 'aspect', 'shift', 'rotation', 'turned_rotation', 'least'):
        if not getattr(ranges, key) >= 0:
            raise ConfigError('person, {}: {} is below 0'.format(key, getattr(ranges, key)))
    if not .1 <= ranges.padding <= 10 or ranges.max_side < 16:
        raise ConfigError('person: a padding from 0.1 to 10 and a max_side of at least 16 px, not '
                          '{} and {}'.format(ranges.padding, ranges.max_side))
    if ranges.upright + ranges.turned > 1 or ranges.any_angle > ranges.turned:
        raise ConfigError('person: upright + turned must be at most 1, any_angle at most turned')
    low, high = ranges.patch_extent
    if not 0 <= low <= high <= 1:
        raise ConfigError('person, patch_extent: {} is not a range of shares'.format(
            list(ranges.patch_extent)))


def person_shares(boxes: np.ndarray, trust: np.ndarray, least: float) -> np.ndarray:
    """Return the relative frequencies of people, (P,): higher for large ones with many keypoints.

    boxes (P, 4) left, top, width, height; trust (P, K) of the keypoints. 0: never.
    """
    width, height = boxes[:, 2], boxes[:, 3]
    share = np.clip(np.maximum(width, height) / 100, .25, 1) \
        * (.5 + .5 * np.minimum(1, trust.sum(1) / 10))
    usable = (np.minimum(width, height) >= least / 3) & (height >= least) & (trust > 0).any(1)
    return np.where(usable, share, 0.)


def half_bodies(boxes: np.ndarray, keypoints: np.ndarray, upper: np.ndarray, ranges: PersonRange,
                random: np.random.Generator) -> np.ndarray:
    """Return boxes (P, 4), some replaced by those around one half of the body.

    keypoints (P, K, 3) with trust; `upper` (K,) bool: keypoints of the upper half.
    """
    count = len(boxes)
    above = random.random(count) < ranges.upper
    seen = keypoints[..., 2] > _SEEN
    chosen = seen & np.where(above[:, None], upper, ~upper)
    points = keypoints[..., :2] + .5
    low = np.where(chosen[..., None], points, np.inf).min(1)
    high = np.where(chosen[..., None], points, -np.inf).max(1)
    enough = (chosen.sum(1) >= np.where(above, _FEWEST_UPPER, _FEWEST_LOWER)) \
        & (seen.sum(1) >= _FEWEST)
    used = enough & (random.random(count) < ranges.half_body)
    with np.errstate(invalid='ignore'):
        margin = _HALF_MARGIN * (high - low).max(1, keepdims=True)
        part = np.concatenate([low - margin, high + margin], 1)
    return np.where(used[:, None], part, boxes)


def person_matrices(boxes: np.ndarray, stretch: np.ndarray, size: Tuple[int, int],
                    ranges: PersonRange, random: np.random.Generator) -> np.ndarray:
    """Return maps (P, 2, 3) from image pixels to pixels of crops of `size` (width, height).

    `stretch` (P,): up to this logarithm the image may be stretched anisotropically. A negative
    determinant mirrors.
    """
    count, (width, height) = len(boxes), size
    sides = np.maximum(boxes[:, 2:] - boxes[:, :2], 2)
    sides *= np.exp(_normal(random, (count, 2), (ranges.aspect, .8 * ranges.aspect), 2.5))
    center = (boxes[:, :2] + boxes[:, 2:]) / 2 \
        + _normal(random, (count, 2), ranges.shift, 2.5) * sides
    aspect = np.exp(random.uniform(-1, 1, count) * stretch)
    extent = np.maximum(sides[:, 1], sides[:, 0] * height / (width * aspect))
    extent *= ranges.padding * np.exp(_normal(random, count, ranges.scale, 2))
    zoom = height / extent
    side = np.where(random.random(count) < ranges.flip, -1, 1)
    scale = np.stack([side * zoom / aspect, zoom], 1)
    return matrices(center, np.array(size) / 2, _angles(count, ranges, random), scale)


def matrices(center: np.ndarray, target: np.ndarray, angle: np.ndarray,
             scale: np.ndarray) -> np.ndarray:
    """Return maps (N, 2, 3) that scale (x, y), turn [rad], and move `center` to `target`.

    center, scale (N, 2), target (2,) or (N, 2), both distances from the outer edge of pixel 0.
    """
    cos, sin = np.cos(angle), np.sin(angle)
    turn = np.stack([np.stack([cos, -sin], 1), np.stack([sin, cos], 1)], 1)
    linear = turn * scale[:, None, :]
    moved = target - .5 - np.einsum('nij,nj->ni', linear, center - .5)
    return np.concatenate([linear, moved[:, :, None]], 2)


def moved(points: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    """Map points (N, K, 2) by matrices (N, 2, 3)."""
    return points @ matrix[:, :, :2].transpose(0, 2, 1) + matrix[:, None, :, 2]


def mirrored(matrix: np.ndarray) -> np.ndarray:
    """Return (N,) bool: which of the maps (N, 2, 3) exchange left and right."""
    return matrix[:, 0, 0] * matrix[:, 1, 1] < matrix[:, 0, 1] * matrix[:, 1, 0]


def _normal(random, shape, deviation, most):
    """Draw normal numbers that are at most `most` deviations from 0."""
    return random.standard_normal(shape).clip(-most, most) * deviation


def _angles(count, ranges, random):
    dice = random.random(count)
    small = _normal(random, count, ranges.rotation, 1.8)
    large = _normal(random, count, ranges.turned_rotation, 2.2)
    anywhere = random.uniform(-180, 180, count)
    ends = (1 - ranges.upright - ranges.turned, 1 - ranges.turned, 1 - ranges.any_angle)
    place = np.searchsorted(ends, dice, side='right')
    return np.radians(np.choose(place, [small, np.zeros(count), large, anywhere]))
