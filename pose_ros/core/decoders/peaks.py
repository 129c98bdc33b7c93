# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Local maxima of heat maps, at sub-cell precision."""
from typing import NamedTuple, Tuple

import cv2
import numpy as np

_TINY = 1e-6
# Per part, best first: a saturated or constant map has a maximum in every cell, and all pairs
# of peaks are looked at.
_MOST_PEAKS = 128


class Peaks(NamedTuple):
    """N peaks ordered by part: `starts[k]:starts[k + 1]` are those of part k, best first.

    `x`, `y` (N,) in cells (center of the first cell is 0), `scores` (N,) the heat there.
    """

    x: np.ndarray
    y: np.ndarray
    scores: np.ndarray
    starts: np.ndarray


class PeakFinder:
    """Finds peaks in K maps of one size, in buffers allocated once."""

    def __init__(self, shape: Tuple[int, int, int]):
        """Allocate for maps of shape (K, h, w)."""
        parts, height, width = shape
        self.shape = tuple(shape)
        # The maps lie stacked in one tall image, so one call looks at all of them; the row between
        # two maps is lower than any heat and so keeps them apart.
        self._smooth = np.full((parts, height + 1, width), -np.inf, np.float32)
        self._highest = np.empty((parts * (height + 1), width), np.float32)

    def find(self, heat: np.ndarray, sigma: float, threshold: float, radius: float) -> Peaks:
        """Find the maxima of `heat` (K, h, w) float32.

        Each map is blurred by a Gaussian of `sigma` cells (0: not at all), cells above `threshold`
        that no neighbor exceeds are refined, and within `radius` cells only the best one stays.
        """
        smooth = self._smooth
        height, width = self.shape[1:]
        kernel = cv2.getGaussianKernel(2 * int(np.ceil(3 * sigma)) + 1, sigma, cv2.CV_32F)
        for source, target in zip(heat, smooth[:, :height]):
            if sigma > 0:
                cv2.sepFilter2D(source, cv2.CV_32F, kernel, kernel, dst=target,
                                borderType=cv2.BORDER_REPLICATE)
            else:
                target[:] = source
        stacked = smooth.reshape(self._highest.shape)
        cv2.dilate(stacked, _NEIGHBOURS, dst=self._highest)
        cell = np.flatnonzero((stacked >= self._highest) & (stacked > threshold))
        row, column = np.divmod(cell, width)
        part, row = np.divmod(row, height + 1)
        scores = heat[part, row, column]
        order = np.lexsort((-scores, part))
        order = order[_rank(part[order]) < _MOST_PEAKS]
        part, scores = part[order], scores[order]
        x, y = self._refine(cell[order], np.stack((column[order], row[order])))
        keep = _best_within(radius, part, x, y)
        return Peaks(x[keep], y[keep], scores[keep],
                     np.searchsorted(part[keep], np.arange(self.shape[0] + 1)))

    def _refine(self, cell, position):
        """Return (2, N) x and y: a parabola through the logarithm along each axis.

        That is exact for a Gaussian. `cell` (N,) numbers the stacked cells, `position` (2, N) is
        column and row. In the outermost columns and rows a neighbor is missing: they stay.
        """
        height, width = self.shape[1:]
        steps = np.array((0, -1, -width, 1, width))[:, None]
        logs = np.log(np.maximum(self._smooth.take(cell + steps, mode='clip'), _TINY))
        offset = _vertex(logs[1:3], logs[0], logs[3:5])
        inside = (position > 0) & (position < ((width - 1,), (height - 1,)))
        return (position + np.where(inside, offset, 0)).astype(np.float32)


_NEIGHBOURS = np.ones((3, 3), np.uint8)


def _vertex(before, center, after):
    """Place of the maximum of a parabola through values at -1, 0 and 1; 0 where it is flat."""
    curvature = before - 2 * center + after
    flat = curvature > -_TINY
    return np.where(flat, 0, 0.5 * (before - after) / np.where(flat, 1, curvature))


def _rank(part):
    """Place of each peak among those of its part, for parts in ascending order."""
    return np.arange(len(part)) - np.searchsorted(part, part)


def _best_within(radius, part, x, y):
    """Mask of the peaks that have no better (an earlier) peak of their part within the radius."""
    if radius <= 0 or not len(part):
        return np.ones(len(part), bool)
    across, along = np.subtract.outer(x, x), np.subtract.outer(y, y)
    near = across * across + along * along < radius * radius
    near &= np.equal.outer(part, part)
    return near.argmax(0) == np.arange(len(part))  # the first one near each is itself
