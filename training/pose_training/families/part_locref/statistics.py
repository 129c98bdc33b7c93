# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Mean and deviation of the vectors between the keypoints of people."""
from typing import Tuple

import numpy as np

_LEAST = 1.  # px: a deviation of a few equal vectors


class Statistics:
    """Adds up the vectors from keypoint a to b of people, for all ordered pairs a != b."""

    def __init__(self, keypoints: int):
        self._other = ~np.eye(keypoints, dtype=bool)
        self._count = np.zeros((keypoints, keypoints))
        self._sum = np.zeros((keypoints, keypoints, 2))
        self._squares = np.zeros((keypoints, keypoints, 2))

    def add(self, people: np.ndarray) -> None:
        """Add people (P, K, 3); a third value of 0 is a keypoint without a label."""
        vectors = people[:, None, :, :2].astype(float) - people[:, :, None, :2]
        there = (people[:, None, :, 2] > 0) & (people[:, :, None, 2] > 0)
        self._count += there.sum(0)
        vectors[~there] = 0
        self._sum += vectors.sum(0)
        self._squares += (vectors ** 2).sum(0)

    def result(self) -> Tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return mean and deviation (K (K - 1), 2) [px] and the number of vectors (K (K - 1),).

        The order is that of the decoder part_pairwise. A pair that never occurs has the mean 0.
        """
        count = np.maximum(self._count, 1)[..., None]
        mean = self._sum / count
        variance = np.maximum(self._squares / count - mean ** 2, _LEAST ** 2)
        return mean[self._other], np.sqrt(variance)[self._other], self._count[self._other]
