# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Map the outputs of a flipped image back."""
from typing import List, NamedTuple

import numpy as np


class Swap(NamedTuple):
    """Channels of one tensor that change places when the image is flipped.

    Channel `target` becomes `source` times `sign` (n, 1, 1); the flipped image has no values for
    `unknown` channels.
    """

    target: List[int]
    source: List[int]
    sign: np.ndarray
    unknown: List[int]


def unmirror(maps: np.ndarray, swaps: List[Swap]) -> np.ndarray:
    """Exchange left and right channels in maps (C, h, w) that are flipped back already."""
    fixed = maps.copy()
    for swap in swaps:
        fixed[swap.target] = maps[swap.source] * swap.sign
    return fixed


def known(maps: np.ndarray, swaps: List[Swap]) -> np.ndarray:
    """Return (C, 1, 1) float32: 0 for the channels that a flipped image has no values for."""
    share = np.ones((len(maps), 1, 1), np.float32)
    for swap in swaps:
        share[swap.unknown] = 0
    return share
