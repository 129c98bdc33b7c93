# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Samples of 16 bits to 8: sensors of 10, 12 or 14 bits leave the upper ones empty."""
import numpy as np

_DEPTHS = (8, 10, 12, 14, 16)  # bits that the samples of a camera or file hold


class SampleDepth:
    """How many bits of its 16 a camera uses: 8, 10, 12, 14 or 16, by its brightest sample so far.

    It never falls again: a scale that followed each image would make a video flicker.
    """

    def __init__(self):
        """Start with the least."""
        self.bits = _DEPTHS[0]

    def to_8_bits(self, samples: np.ndarray) -> np.ndarray:
        """Return (H, W, C) uint16 samples as uint8; a fourth channel, alpha, does not count."""
        if samples.size:
            needed = int(samples[..., :3].max()).bit_length()
            self.bits = max(self.bits, min(bits for bits in _DEPTHS if bits >= needed))
        return (samples >> (self.bits - 8)).astype(np.uint8)
