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

    `x`, `y` (N,) in cells (centre of the first cell is 0), `scores` (N,) the heat there.
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
        that no neighbour exceeds are refined, and within `radius` cells only the best one stays.
        """
        smooth = self._smooth
        height = self.shape[1]
        for part, source in enumerate(heat):
            if sigma > 0:
                cv2.GaussianBlur(source, _kernel_size(sigma), sigma, dst=smooth[part, :height],
                                 borderType=cv2.BORDER_REPLICATE)
            else:
                smooth[part, :height] = source
        stacked = smooth.reshape(self._highest.shape)
        cv2.dilate(stacked, _NEIGHBOURS, dst=self._highest)
        found = np.flatnonzero((stacked >= self._highest) & (stacked > threshold))
        part, cell = np.divmod(found, (height + 1) * self.shape[2])
        row, column = np.divmod(cell, self.shape[2])
        scores = heat[part, row, column]
        order = np.lexsort((-scores, part))
        order = order[_rank(part[order]) < _MOST_PEAKS]
        part, row, column, scores = part[order], row[order], column[order], scores[order]
        x, y = self._refine(part, row, column)
        keep = _best_within(radius, part, x, y)
        return Peaks(x[keep], y[keep], scores[keep],
                     np.searchsorted(part[keep], np.arange(self.shape[0] + 1)))

    def _refine(self, part, row, column):
        """Fit a parabola through the logarithm (exact for a Gaussian) along each axis."""
        height, width = self.shape[1:]
        centre = self._smooth[part, row, column]
        left = self._smooth[part, row, np.maximum(column - 1, 0)]
        right = self._smooth[part, row, np.minimum(column + 1, width - 1)]
        above = self._smooth[part, np.maximum(row - 1, 0), column]
        below = self._smooth[part, np.minimum(row + 1, height - 1), column]
        inside_x = (column > 0) & (column < width - 1)
        inside_y = (row > 0) & (row < height - 1)
        x = column + np.where(inside_x, _vertex(left, centre, right), 0)
        y = row + np.where(inside_y, _vertex(above, centre, below), 0)
        return x.astype(np.float32), y.astype(np.float32)


_NEIGHBOURS = np.ones((3, 3), np.uint8)


def _kernel_size(sigma):
    size = 2 * int(np.ceil(3 * sigma)) + 1
    return (size, size)


def _vertex(before, centre, after):
    before, centre, after = np.log(np.maximum((before, centre, after), _TINY))
    curvature = before - 2 * centre + after
    flat = curvature > -_TINY
    return np.where(flat, 0, 0.5 * (before - after) / np.where(flat, 1, curvature))


def _rank(part):
    """Place of each peak among those of its part, for parts in ascending order."""
    return np.arange(len(part)) - np.searchsorted(part, part)


def _best_within(radius, part, x, y):
    """Mask of the peaks that have no better (an earlier) peak of their part within the radius."""
    keep = np.ones(len(part), bool)
    if radius > 0 and len(part):
        near = ((x[:, None] - x) ** 2 + (y[:, None] - y) ** 2 < radius * radius) \
            & (part[:, None] == part)
        keep = ~np.triu(near, 1).any(0)
    return keep
