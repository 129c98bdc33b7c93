# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Cells of target maps in which unlabelled people or keypoints may be."""
from typing import Optional, Tuple

import cv2
import numpy as np

from pose_training.families.gaussians import cell_centers


def sure_cells(people: np.ndarray, known: np.ndarray, regions: Optional[np.ndarray], stride: int,
               reach: float) -> np.ndarray:
    """Return (K, h, w) bool: the cells where a keypoint without a label is none.

    `people` (P, K, 3), `known` (H, W) and `regions` (P, 4, 2) are those of a Crop; `reach` is the
    width of what is drawn at a keypoint [px].
    """
    size = known.shape[0] // stride, known.shape[1] // stride
    return _known_cells(known, stride, reach) & ~_unlabelled(people, regions, size, stride)


def _known_cells(known, stride, reach):
    """Return the known cells: all pixels within `reach` are known.

    What is drawn at a keypoint in an unknown area reaches into the cells beside it.
    """
    size = known.shape[1] // stride, known.shape[0] // stride
    # The mean of a cell is 255 only if all its pixels are 255 (for strides up to 15).
    cells = cv2.resize(known[:size[1] * stride, :size[0] * stride] * np.uint8(255), size,
                       interpolation=cv2.INTER_AREA)
    side = 2 * int(np.ceil(reach / stride)) + 1
    return cv2.erode(cells, np.ones((side, side), np.uint8)) == 255


def _unlabelled(people, regions, size: Tuple[int, int], stride):
    """Return (K, h, w) bool: the cells in which unlabelled keypoints of a person may be."""
    found = np.zeros((people.shape[1],) + size, bool)
    for keypoints, region in zip(people[..., 2], () if regions is None else regions):
        missing = keypoints <= 0
        if missing.any():
            found[missing] |= _within(region, size, stride)
    return found


def _within(corners, size, stride):
    """Return the cells with centers in a convex polygon: on the same side of all its edges."""
    x, y = corners[:, 0, None, None], corners[:, 1, None, None]
    along_x, along_y = np.roll(x, -1, 0) - x, np.roll(y, -1, 0) - y
    side = (along_x * (cell_centers(size[0], stride)[:, None] - y)
            - along_y * (cell_centers(size[1], stride) - x))
    return (side >= 0).all(0) | (side <= 0).all(0)
