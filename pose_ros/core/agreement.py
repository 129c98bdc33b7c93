# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Compare an engine's outputs with ONNX Runtime's.

In some networks and TensorRT versions half precision overflows without an error, and the outputs
hold NaN or no peaks (NVIDIA/TensorRT issue 1787).
"""
from typing import Dict, List, NamedTuple

import numpy as np

# Largest difference, and largest loss at a peak, relative to the output's largest value. TF32 and
# half have 10 bits of mantissa, int8 has 8 bits in all; errors add up over some 100 layers.
TOLERANCES = {'fp32': 0.02, 'fp16': 0.05, 'int8': 0.2}
_PEAK = 0.2  # a channel has a peak if its maximum exceeds this part of the output's largest value


class Difference(NamedTuple):
    """How far one output is from ONNX Runtime's.

    `largest`: the largest difference, relative to the reference's largest value (NaN if the output
    holds NaN). `lost_peaks`: channels whose peak moved to a clearly weaker cell, summed over the
    batch. `channels`: all channels, summed over the batch.
    """

    output: str
    largest: float
    lost_peaks: int
    channels: int


def differences(expected: Dict[str, np.ndarray], found: Dict[str, np.ndarray],
                precision: str) -> List[Difference]:
    """Measure maps (N, C, h, w) by name; both must have the same names and shapes."""
    return [_difference(name, reference, found[name], TOLERANCES[precision])
            for name, reference in expected.items()]


def disagreement(expected: Dict[str, np.ndarray], found: Dict[str, np.ndarray],
                 precision: str) -> str:
    """Compare maps (N, C, h, w) by name; return '' if they agree, else the difference as text."""
    tolerance = TOLERANCES[precision]
    if set(expected) != set(found):
        return 'the outputs are {}, not {}'.format(sorted(found), sorted(expected))
    for name, reference in expected.items():
        array = found[name]
        if array.shape != reference.shape:
            return 'output {} is {}, not {}'.format(name, array.shape, reference.shape)
        if not np.isfinite(array).all():
            return 'output {} holds NaN or infinite values'.format(name)
        measured = _difference(name, reference, array, tolerance)
        if measured.largest > tolerance:
            return 'output {} is off by {:.1%} of its largest value ({:.0%} allowed)'.format(
                name, measured.largest, tolerance)
        if measured.lost_peaks:
            return 'output {} has its peak elsewhere in {} of {} channels'.format(
                name, measured.lost_peaks, measured.channels)
    return ''


def _difference(name, reference, array, tolerance):
    reference, array = np.float32(reference), np.float32(array)  # of whole numbers, too
    largest = max(float(np.abs(reference).max()), 1e-6)
    return Difference(name, float(np.abs(array - reference).max()) / largest,
                      _lost_peaks(reference, array, _PEAK * largest, tolerance),
                      reference.shape[0] * reference.shape[1])


def _lost_peaks(reference, array, threshold, tolerance):
    """Count the channels whose strongest cell is a clearly weaker one in the reference."""
    reference = reference.reshape(reference.shape[0] * reference.shape[1], -1)
    array = array.reshape(reference.shape)
    highest = reference.max(1)
    chosen = reference[np.arange(len(reference)), array.argmax(1)]
    return int(((highest >= threshold) & (chosen < (1 - tolerance) * highest)).sum())
