# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Gaussians of keypoints on a grid of cells: cell g is the pixel (g + 0.5) stride - 0.5."""
from typing import Tuple

import numpy as np

LEAST = .01   # lower values are 0, as in the published training code (exponent ln 100)


def cell_centers(count: int, stride: int) -> np.ndarray:
    """Return the positions [px] of `count` cells, float32."""
    return (np.arange(count, dtype=np.float32) + .5) * stride - .5


def draw_heatmaps(people, size: Tuple[int, int], stride: int, sigma: float) -> np.ndarray:
    """Return (K, h, w): per keypoint the maximum over people of exp(-d^2 / 2 sigma^2)."""
    height, width = size
    heatmaps = np.zeros((people.shape[1], height, width), np.float32)
    people = near(people, size, stride, 4 * sigma)
    # A Gaussian in two dimensions is the product of two in one dimension.
    across = _gaussian(cell_centers(width, stride) - people[..., :1], sigma)
    down = _gaussian(cell_centers(height, stride) - people[..., 1:2], sigma)
    down *= people[..., 2:] > 0
    for of_x, of_y in zip(across, down):
        np.maximum(heatmaps, of_y[:, :, None] * of_x[:, None, :], out=heatmaps)
    heatmaps[heatmaps < LEAST] = 0
    return heatmaps


def near(people, size, stride, reach):
    """Return the people, float32, that are visible in a crop of (h, w) cells."""
    people = people.astype(np.float32)
    there, points = people[..., 2:] > 0, people[..., :2]
    low = np.where(there, points, np.inf).min(1) - reach
    high = np.where(there, points, -np.inf).max(1) + reach
    limit = (size[1] * stride, size[0] * stride)
    return people[(low < limit).all(1) & (high > 0).all(1)]


def _gaussian(distance, sigma):
    return np.exp(distance ** 2 * np.float32(-.5 / sigma ** 2))
