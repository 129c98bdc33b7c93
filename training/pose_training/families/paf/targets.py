# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Target maps: a Gaussian per keypoint, a unit vector field per limb (Cao et al., arXiv:1812.08008).

A cell g of a map is the pixel (g + 0.5) stride - 0.5, where the decoder puts a peak at g. Keypoints
and limbs that lie outside a crop still show in it as far as they reach into it: the maps of a
crop are the crop of the maps.
"""
from typing import Optional, Tuple

import cv2
import numpy as np

from pose_training.families.family import Targets
from pose_training.families.gaussians import cell_centers, draw_heatmaps, near
from pose_training.families.paf.layouts import MapLayout

_CERTAIN = .5  # a labelled keypoint is certain where its Gaussian is this high, whoever else is near


def make_targets(people: np.ndarray, labelled: np.ndarray, known: np.ndarray, layout: MapLayout,
                 stride: int, sigma: float = 7., limb_width: float = 8.,
                 regions: Optional[np.ndarray] = None) -> Targets:
    """Draw the maps of (P, K, 3) people [px]; keypoints with a third value of 0 are not there.

    `labelled` (K,) tells the keypoints that the dataset labels at all: the others' channels have no
    weight. `known` is (H, W), 0 where people are unlabelled. `regions` (P, 4, 2) are corners [px]
    of where a person's keypoints without a label may be, though the dataset labels them; None if
    they are nowhere to be seen. What is unknown has no weight, except at labelled keypoints and
    limbs. `sigma` and `limb_width` in pixels.
    """
    size = known.shape[0] // stride, known.shape[1] // stride
    heatmaps = draw_heatmaps(people, size, stride, sigma)
    fields = draw_pafs(people, layout, size, stride, limb_width)
    sure = _known_cells(known, stride, sigma) & ~_unlabelled(people, regions, size, stride)
    heatmaps_known = (sure | (heatmaps >= _CERTAIN)) & labelled[:, None, None]
    parent, child = np.array(layout.limbs, int).reshape(-1, 2).T
    drawn = fields.reshape(-1, 2, *size).any(1)
    fields_known = (sure[parent] & sure[child] | drawn) \
        & (labelled[parent] & labelled[child])[:, None, None]
    background = layout.background
    return Targets(
        np.concatenate([heatmaps] + [1 - heatmaps.max(0, keepdims=True)] * background + [fields]),
        np.concatenate([heatmaps_known] + [heatmaps_known.all(0, keepdims=True)] * background
                       + [fields_known.repeat(2, 0)]).astype(np.float32))


def _known_cells(known, stride, sigma):
    """Find the cells all of whose pixels are known, and so far from others as a Gaussian is wide.

    A keypoint just within the unknown would show in the cells beside it.
    """
    size = known.shape[1] // stride, known.shape[0] // stride
    # The mean of a cell is 255 only if all of it is: one pixel of a stride up to 15 shows.
    cells = cv2.resize(known[:size[1] * stride, :size[0] * stride] * np.uint8(255), size,
                       interpolation=cv2.INTER_AREA)
    reach = 2 * int(np.ceil(sigma / stride)) + 1
    return cv2.erode(cells, np.ones((reach, reach), np.uint8)) == 255


def _unlabelled(people, regions, size, stride):
    """Find (K, h, w) where keypoints may be that a person has and nobody labelled."""
    found = np.zeros((people.shape[1],) + size, bool)
    for keypoints, region in zip(people[..., 2], () if regions is None else regions):
        missing = keypoints <= 0
        if missing.any():
            found[missing] |= _within(region, size, stride)
    return found


def _within(corners, size, stride):
    """Find the cells whose centers lie in a convex polygon, on the same side of all its edges."""
    x, y = corners[:, 0, None, None], corners[:, 1, None, None]
    along_x, along_y = np.roll(x, -1, 0) - x, np.roll(y, -1, 0) - y
    side = (along_x * (cell_centers(size[0], stride)[:, None] - y)
            - along_y * (cell_centers(size[1], stride) - x))
    return (side >= 0).all(0) | (side <= 0).all(0)


def draw_pafs(people, layout: MapLayout, size: Tuple[int, int], stride: int,
              limb_width: float) -> np.ndarray:
    """Return (2 L, h, w): within `limb_width` px of a limb the unit vector from parent to child.

    Where limbs of several people overlap, the field is their mean.
    """
    height, width = size
    fields = np.zeros((len(layout.limbs), 2, height, width), np.float32)
    count = np.zeros((len(layout.limbs), 1, height, width), np.float32)
    limbs = _limbs(near(people, size, stride, limb_width + stride), layout)
    # As whole people share no limbs, each is added at once.
    for limb, start, unit, length in limbs:
        x = (cell_centers(width, stride) - start[:, :1])[:, None, :]
        y = (cell_centers(height, stride) - start[:, 1:])[:, :, None]
        across, down = unit[:, 0, None, None], unit[:, 1, None, None]
        half = length[:, None, None] / 2
        inside = np.abs(across * y - down * x) <= limb_width
        inside &= np.abs(across * x + down * y - half) <= half + np.float32(limb_width)
        fields[limb] += inside[:, None] * unit[..., None, None]
        count[limb] += inside[:, None]
    if len(limbs) > 1:
        fields /= np.maximum(count, 1)
    if layout.axis_order == 'yx':
        fields = fields[:, ::-1]
    return fields.reshape(-1, height, width)


def _limbs(people, layout):
    """List for each person the limbs with both ends: limb, start (2,), unit vector, length."""
    parent, child = np.array(layout.limbs, int).reshape(-1, 2).T
    along = people[:, child, :2] - people[:, parent, :2]
    length = np.sqrt((along ** 2).sum(-1))
    there = (people[:, parent, 2] > 0) & (people[:, child, 2] > 0) & (length > 1e-3)
    found = []
    for person in np.flatnonzero(there.any(1)):
        limb = np.flatnonzero(there[person])
        size = length[person, limb]
        found.append((limb, people[person, parent[limb], :2],
                      along[person, limb] / size[:, None], size))
    return found
