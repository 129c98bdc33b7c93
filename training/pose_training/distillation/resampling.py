# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Resample maps of one network to the grid of another."""
from typing import Tuple

import numpy as np

from pose_ros.core.card import InputSpec
from pose_ros.core.regions import fit_region, whole


class Resampler:
    """Linear interpolation from a teacher's grid to a student's; an average where that is coarser.

    `size` (width, height) is that of the crop [px], of which a cell of the student covers `stride`
    pixels; `spec` is the teacher's input, of which a cell of its maps covers `source_stride`
    pixels. Cells are sampled at their centers: cell g is the pixel (g + 0.5) stride - 0.5. The
    teacher's cells lie `shift` of its cells before that, the student's `own_shift` of its own.
    """

    def __init__(self, size: Tuple[int, int], stride: int, spec: InputSpec, source_stride: int,
                 shift: float = 0., own_shift: float = 0.):
        fitted = fit_region(whole(0, *size), spec).fitted
        self._axes = []
        for side, start, length in zip(size, fitted[:2], fitted[2:]):
            step = stride * (length / side) / source_stride
            self._axes.append((side // stride, step,
                               start / source_stride + shift - own_shift * step))
        self._identity = all(step == 1 and start == 0 for _, step, start in self._axes)
        self._matrices = {}

    def __call__(self, maps: np.ndarray) -> np.ndarray:
        """Map (C, h, w) of the teacher to (C, height, width) float32 of the student."""
        matrices = self.matrices(maps.shape[1:])
        return matrices[0] @ maps @ matrices[1].T if matrices else maps

    def matrices(self, shape: Tuple[int, int]) -> Tuple[np.ndarray, ...]:
        """Return weights (height, h) and (width, w) for maps of (h, w); None for equal grids."""
        (width, _, _), (height, _, _) = self._axes
        if self._identity and tuple(shape) == (height, width):
            return ()
        return self._matrix(1, shape[0]), self._matrix(0, shape[1])

    def _matrix(self, axis, source):
        if (axis, source) not in self._matrices:
            count, step, start = self._axes[axis]
            self._matrices[axis, source] = interpolation(count, source, step, start)
        return self._matrices[axis, source]


def interpolation(count: int, source: int, step: float, start: float) -> np.ndarray:
    """Return (count, source) weights that read a row of `source` cells at `count` places.

    Place g lies at (g + 0.5) step + start - 0.5 cells; beyond the ends the outermost cell counts.
    Steps above 1 average over a triangle as wide as the step, so that nothing is skipped.
    """
    places = (np.arange(count) + .5) * step + start - .5
    reach = max(1., step)
    margin = int(np.ceil(reach))
    cells = np.arange(-margin, source + margin)
    places = places.clip(0, source - 1)
    weights = np.maximum(0, 1 - np.abs(places[:, None] - cells) / reach)
    weights /= weights.sum(1, keepdims=True)
    matrix = np.zeros((count, source))
    for column, cell in enumerate(cells.clip(0, source - 1)):
        matrix[:, cell] += weights[:, column]
    return matrix.astype(np.float32)
