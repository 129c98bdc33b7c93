# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Local maxima of heatmaps, with sub-cell precision."""
from typing import NamedTuple, Tuple

import cv2
import numpy as np

_TINY = 1e-6
# Per keypoint, best first: a constant map has a maximum in every cell, and all pairs of peaks are
# scored.
_MOST_PEAKS = 128


class Peaks(NamedTuple):
    """N peaks: `starts[k]:starts[k + 1]` are those of keypoint k, best first.

    `x`, `y` (N,) in cells (the center of the first cell is 0), `scores` (N,) the heatmap there.
    """

    x: np.ndarray
    y: np.ndarray
    scores: np.ndarray
    starts: np.ndarray


class PeakFinder:
    """Finds peaks in K maps of one size, in buffers allocated once."""

    def __init__(self, shape: Tuple[int, int, int]):
        """Allocate for maps of shape (K, h, w)."""
        count, height, width = shape
        self.shape = tuple(shape)
        # The maps are stacked into one tall image for a single call. A row of -inf separates them.
        self._smooth = np.full((count, height + 1, width), -np.inf, np.float32)
        self._highest = np.empty((count * (height + 1), width), np.float32)

    def find(self, heatmaps: np.ndarray, sigma: float, threshold: float, radius: float) -> Peaks:
        """Find the maxima of `heatmaps` (K, h, w) float32.

        Each map is blurred with a Gaussian of `sigma` cells (0: no blur). Cells above `threshold`
        that no neighbor exceeds are refined. Within `radius` cells only the best one is kept.
        """
        smooth = self._smooth
        height, width = self.shape[1:]
        kernel = cv2.getGaussianKernel(2 * int(np.ceil(3 * sigma)) + 1, sigma, cv2.CV_32F)
        for source, target in zip(heatmaps, smooth[:, :height]):
            if sigma > 0:
                cv2.sepFilter2D(source, cv2.CV_32F, kernel, kernel, dst=target,
                                borderType=cv2.BORDER_REPLICATE)
            else:
                target[:] = source
        stacked = smooth.reshape(self._highest.shape)
        cv2.dilate(stacked, _NEIGHBORS, dst=self._highest)
        cell = np.flatnonzero((stacked >= self._highest) & (stacked > threshold))
        row, column = np.divmod(cell, width)
        keypoint, row = np.divmod(row, height + 1)
        scores = heatmaps[keypoint, row, column]
        order = np.lexsort((-scores, keypoint))
        order = order[_rank(keypoint[order]) < _MOST_PEAKS]
        keypoint, scores = keypoint[order], scores[order]
        x, y = self._refine(cell[order], np.stack((column[order], row[order])))
        keep = _best_within(radius, keypoint, x, y)
        return Peaks(x[keep], y[keep], scores[keep],
                     np.searchsorted(keypoint[keep], np.arange(self.shape[0] + 1)))

    def _refine(self, cell, position):
        """Return (2, N) x and y: vertex of a parabola through the logarithm along each axis.

        This is exact for a Gaussian. `cell` (N,) is the index of the stacked cell, `position`
        (2, N) its column and row. Cells at the border are not refined: they lack a neighbor.
        """
        height, width = self.shape[1:]
        steps = np.array((0, -1, -width, 1, width))[:, None]
        logs = np.log(np.maximum(self._smooth.take(cell + steps, mode='clip'), _TINY))
        offset = _vertex(logs[1:3], logs[0], logs[3:5])
        inside = (position > 0) & (position < ((width - 1,), (height - 1,)))
        return (position + np.where(inside, offset, 0)).astype(np.float32)


_NEIGHBORS = np.ones((3, 3), np.uint8)


def _vertex(before, center, after):
    """Return the vertex of a parabola through values at -1, 0 and 1; 0 where it is flat."""
    curvature = before - 2 * center + after
    flat = curvature > -_TINY
    return np.where(flat, 0, 0.5 * (before - after) / np.where(flat, 1, curvature))


def _rank(keypoint):
    """Return the rank of each peak among those of its keypoint; keypoints ascend."""
    return np.arange(len(keypoint)) - np.searchsorted(keypoint, keypoint)


def _best_within(radius, keypoint, x, y):
    """Return a mask of the peaks without a better (earlier) one within the radius."""
    if radius <= 0 or not len(keypoint):
        return np.ones(len(keypoint), bool)
    across, along = np.subtract.outer(x, x), np.subtract.outer(y, y)
    near = across * across + along * along < radius * radius
    near &= np.equal.outer(keypoint, keypoint)
    return near.argmax(0) == np.arange(len(keypoint))  # the first near peak is the peak itself
