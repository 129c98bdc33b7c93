# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Target maps: a Gaussian per keypoint, unit vectors along each limb.

After Cao et al., arXiv:1812.08008.

A cell g of a map is the pixel (g + 0.5) stride - 0.5, like a peak at g of the decoder. The maps of
a crop are the crop of the maps: Gaussians and limbs of keypoints outside it may reach into it.
"""
from typing import Optional, Tuple

import numpy as np

from pose_training.families.certainty import sure_cells
from pose_training.families.family import Targets
from pose_training.families.gaussians import cell_centers, draw_heatmaps, near
from pose_ros.core.paf_layouts import MapLayout

_CERTAIN = .5  # value of the Gaussian above which a labelled keypoint is known in any case


def make_targets(people: np.ndarray, labelled: np.ndarray, known: np.ndarray, layout: MapLayout,
                 stride: int, sigma: float = 7., limb_width: float = 8.,
                 regions: Optional[np.ndarray] = None) -> Targets:
    """Draw the maps of (P, K, 3) people [px]; keypoints with a third value of 0 have no label.

    `labelled` (K,) are the keypoints that the dataset labels at all: other channels have no
    weight. `known` is (H, W), 0 where people are unlabelled. `regions` (P, 4, 2) are the corners
    [px] of regions in which unlabelled keypoints of a person may be; None if unlabelled keypoints
    are invisible. Unknown cells have no weight, except at labelled keypoints and limbs. `sigma`
    and `limb_width` are in pixels.
    """
    size = known.shape[0] // stride, known.shape[1] // stride
    heatmaps = draw_heatmaps(people, size, stride, sigma)
    pafs = draw_pafs(people, layout, size, stride, limb_width)
    sure = sure_cells(people, known, regions, stride, sigma)
    heatmaps_known = (sure | (heatmaps >= _CERTAIN)) & labelled[:, None, None]
    parent, child = np.array(layout.limbs, int).reshape(-1, 2).T
    drawn = pafs.reshape(-1, 2, *size).any(1)
    fields_known = (sure[parent] & sure[child] | drawn) \
        & (labelled[parent] & labelled[child])[:, None, None]
    background = layout.background
    return Targets(
        np.concatenate([heatmaps] + [1 - heatmaps.max(0, keepdims=True)] * background + [pafs]),
        np.concatenate([heatmaps_known] + [heatmaps_known.all(0, keepdims=True)] * background
                       + [fields_known.repeat(2, 0)]).astype(np.float32))


def draw_pafs(people, layout: MapLayout, size: Tuple[int, int], stride: int,
              limb_width: float) -> np.ndarray:
    """Return (2 L, h, w): within `limb_width` px of a limb the unit vector from parent to child.

    Where limbs of several people overlap, the PAF is their mean.
    """
    height, width = size
    pafs = np.zeros((len(layout.limbs), 2, height, width), np.float32)
    count = np.zeros((len(layout.limbs), 1, height, width), np.float32)
    limbs = _limbs(near(people, size, stride, limb_width + stride), layout)
    # The limb indices of one person are unique, so that all of them are added in one step.
    for limb, start, unit, length in limbs:
        x = (cell_centers(width, stride) - start[:, :1])[:, None, :]
        y = (cell_centers(height, stride) - start[:, 1:])[:, :, None]
        across, down = unit[:, 0, None, None], unit[:, 1, None, None]
        half = length[:, None, None] / 2
        inside = np.abs(across * y - down * x) <= limb_width
        inside &= np.abs(across * x + down * y - half) <= half + np.float32(limb_width)
        pafs[limb] += inside[:, None] * unit[..., None, None]
        count[limb] += inside[:, None]
    if len(limbs) > 1:
        pafs /= np.maximum(count, 1)
    if layout.axis_order == 'yx':
        pafs = pafs[:, ::-1]
    return pafs.reshape(-1, height, width)


def _limbs(people, layout):
    """Return for each person the limbs with both ends: limb, start (2,), unit vector, length."""
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
