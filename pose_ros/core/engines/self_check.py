# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Whether an engine gives the answers of ONNX Runtime.

Half precision overflows in some networks and some TensorRT versions without any error: maps of
NaN, or maps without people (NVIDIA/TensorRT issue 1787).
"""
from typing import Dict, List, NamedTuple

import numpy as np

# Largest difference, and largest loss at a peak, in parts of the largest value of the output. TF32
# and half have 10 bits of mantissa, int8 has 8 bits in all; errors add up over some 100 layers.
TOLERANCES = {'fp32': 0.02, 'fp16': 0.05, 'int8': 0.2}
_PEAK = 0.2  # a channel has a peak if its maximum is this part of the output's largest value


def check_picture(height: int = 480, width: int = 640) -> np.ndarray:
    """Return the fixed picture (H, W, 3) uint8 BGR of the check: a figure in front of shades."""
    rows, columns = np.mgrid[:height, :width].astype(np.float32)
    y, x = rows / height, columns / width - 0.5
    picture = np.stack([80 + 120 * y, 90 + 60 * (x + 0.5), 70 + 50 * np.sin(20 * x) * y], -1)
    body = (np.abs(x) < 0.08) & (y > 0.3) & (y < 0.62)
    legs = (np.abs(np.abs(x) - 0.045) < 0.022) & (y >= 0.62) & (y < 0.95)
    arms = (np.abs(np.abs(x) - 0.11 - 0.15 * (y - 0.3)) < 0.02) & (y > 0.3) & (y < 0.6)
    head = x ** 2 + (0.75 * (y - 0.21)) ** 2 < 0.05 ** 2
    for part, color in ((body, (150, 60, 40)), (legs, (60, 50, 45)),
                        (arms | head, (130, 160, 210))):
        picture[part] = color
    return picture.astype(np.uint8)


class Difference(NamedTuple):
    """How far one output is from ONNX Runtime's.

    `largest` difference in parts of the reference's largest value (NaN if the answer holds NaN),
    channels that have lost their peak, channels in all.
    """

    output: str
    largest: float
    lost_peaks: int
    channels: int


def differences(expected: Dict[str, np.ndarray], found: Dict[str, np.ndarray],
                precision: str) -> List[Difference]:
    """Measure outputs (1, C, h, w) by name, which must have the same names and shapes."""
    return [_difference(name, reference, found[name], TOLERANCES[precision])
            for name, reference in expected.items()]


def disagreement(expected: Dict[str, np.ndarray], found: Dict[str, np.ndarray],
                 precision: str) -> str:
    """Compare outputs (1, C, h, w) by name; '' if they agree, else what differs and how much."""
    tolerance = TOLERANCES[precision]
    if set(expected) != set(found):
        return 'the outputs are {}, not {}'.format(sorted(found), sorted(expected))
    for name, reference in expected.items():
        answer = found[name]
        if answer.shape != reference.shape:
            return 'output {} is {}, not {}'.format(name, answer.shape, reference.shape)
        if not np.isfinite(answer).all():
            return 'output {} holds NaN or infinite values'.format(name)
        measured = _difference(name, reference, answer, tolerance)
        if measured.largest > tolerance:
            return 'output {} is off by {:.1%} of its largest value ({:.0%} allowed)'.format(
                name, measured.largest, tolerance)
        if measured.lost_peaks:
            return 'output {} has its peak elsewhere in {} of {} channels'.format(
                name, measured.lost_peaks, measured.channels)
    return ''


def _difference(name, reference, answer, tolerance):
    largest = max(float(np.abs(reference).max()), 1e-6)
    return Difference(name, float(np.abs(answer - reference).max()) / largest,
                      _lost_peaks(reference, answer, _PEAK * largest, tolerance),
                      reference.shape[1])


def _lost_peaks(reference, answer, threshold, tolerance):
    """Count channels whose strongest cell is, by the reference, a clearly weaker one."""
    reference = reference.reshape(reference.shape[0] * reference.shape[1], -1)
    answer = answer.reshape(reference.shape)
    highest = reference.max(1)
    chosen = reference[np.arange(len(reference)), answer.argmax(1)]
    return int(((highest >= threshold) & (chosen < (1 - tolerance) * highest)).sum())
