# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Target maps of part detectors: discs, and vectors from their cells to keypoints.

After Insafutdinov et al., arXiv:1605.03170. A cell g is the pixel stride g + stride / 2.
"""
from typing import Optional, Tuple

import numpy as np

from pose_training.data.part_ranges import PartRange
from pose_training.families.certainty import sure_cells
from pose_training.families.family import Targets

UNIT = 7.2801  # px of a refinement of 1: its standard deviation in a disc of 17 px


def make_targets(people: np.ndarray, labelled: np.ndarray, known: np.ndarray,
                 regions: Optional[np.ndarray], stride: int, ranges: PartRange,
                 pairwise: bool = False) -> Targets:
    """Draw the maps (K + 2 K [+ 2 K (K - 1)], h, w) of people (P, K, 3) [px]; see Crop.

    Score maps are 1 within the radius of a keypoint. In these cells the refinement is the vector
    to the nearest person's keypoint over UNIT, and a pairwise term (`pairwise`) the vector [px]
    to another keypoint of that person. The weights of vectors are their weights in the loss.
    """
    size = known.shape[0] // stride, known.shape[1] // stride
    scores, owner = _discs(people, size, stride, ranges.radius)
    drawn = scores > 0
    sure = sure_cells(people, known, regions, stride, ranges.radius)
    weights = [(sure | drawn) & labelled[:, None, None]]
    maps = [scores]
    vectors, there = _vectors(people, owner, size, stride)  # (K, K, 2, h, w), (K, K, h, w)
    own = np.arange(people.shape[1])
    maps.append(vectors[own, own].reshape(-1, *size) * drawn.repeat(2, 0) / UNIT)
    weights.append(drawn.repeat(2, 0) * ranges.offset_weight)
    if pairwise:
        other = ~np.eye(len(own), dtype=bool)
        known_pairs = (there & drawn[:, None])[other].repeat(2, 0)
        maps.append(vectors[other].reshape(-1, *size) * known_pairs)
        weights.append(known_pairs * ranges.pairwise_weight)
    return Targets(np.concatenate(maps).astype(np.float32),
                   np.concatenate(weights).astype(np.float32))


def cell_points(size: Tuple[int, int], stride: int) -> np.ndarray:
    """Return the pixels (2, h, w), x and y, of the cells of maps (h, w)."""
    y, x = np.mgrid[:size[0], :size[1]].astype(np.float32) * stride + stride / 2
    return np.stack([x, y])


def _discs(people, size, stride, radius):
    """Return score maps (K, h, w), and for each cell the index of the nearest person."""
    count = people.shape[1]
    if not len(people):
        return np.zeros((count,) + size, np.float32), np.zeros((count,) + size, int)
    x, y = cell_points(size, stride)
    apart = (people[..., 0, None, None] - x) ** 2 + (people[..., 1, None, None] - y) ** 2
    apart = np.where(people[..., 2, None, None] > 0, apart, np.inf)
    owner = apart.argmin(0)
    nearest = np.take_along_axis(apart, owner[None], 0)[0]
    return (nearest <= radius ** 2).astype(np.float32), owner


def _vectors(people, owner, size, stride):
    """Return vectors from cells of keypoint a to keypoint b of its owner, and if b is labelled."""
    count = people.shape[1]
    if not len(people):
        return (np.zeros((count, count, 2) + size, np.float32),
                np.zeros((count, count) + size, bool))
    of_owner = people[owner].astype(np.float32).transpose(0, 3, 4, 1, 2)  # (K, K, 3, h, w)
    return of_owner[:, :, :2] - cell_points(size, stride), of_owner[:, :, 2] > 0
