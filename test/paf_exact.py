# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""The post-processing of tf-pose-estimation, step by step.

Tests compare the fast decoder with it. Its peculiarities are kept: ties on plateaus, peak 0 never
counts as a member, coordinates without the half-cell shift. Source of the constants:
tf_pose/pafprocess/pafprocess.{h,cpp} and tf_pose/tensblur/smoother.py of
https://github.com/ildoonet/tf-pose-estimation at 9aaf347.
"""
import math

import cv2
import numpy as np

from pose_ros.core.decoders.paf import parse_outputs
from pose_ros.core.people import make_people

UPSAMPLING = 4
_KERNEL_SIZE, _KERNEL_SIGMAS = 25, 3.0
_PEAK_THRESHOLD, _VECTOR_THRESHOLD = 0.05, 0.05
_STEPS, _NEEDED_STEPS = 10, 6
_MIN_KEYPOINTS, _MIN_SCORE = 4, 0.3
_SCORE, _COUNT = -2, -1  # the two columns after the keypoints in a row of the people table


class ExactPafDecoder:
    """Decodes maps as the original does; slow, for tests only."""

    def __init__(self, card):
        """Take the channel layout of a `paf` card."""
        self._topology, self._spec = card.topology, parse_outputs(card)
        drawn = {frozenset(limb) for limb in card.topology.limbs}
        self._starts_people = [frozenset(limb[:2]) in drawn for limb in self._spec.limbs]

    def decode(self, outputs):
        """Return People in network-input px, placed as in the original (no half-cell shift)."""
        heatmaps = outputs[self._spec.heat_tensor][list(self._spec.heat_channels)]
        heatmaps = heatmaps.astype(np.float32)
        pafs = outputs[self._spec.paf_tensor].astype(np.float32)
        large = heatmaps.repeat(UPSAMPLING, axis=1).repeat(UPSAMPLING, axis=2)
        peaks = find_peaks(large)
        rows = self._join(peaks, pafs, large.shape[1])
        stride = self._spec.stride / float(UPSAMPLING)
        keypoints = np.zeros((len(rows), self._topology.size, 3), np.float32)
        for person, row in enumerate(rows):
            for keypoint, peak in enumerate(row[:self._topology.size]):
                if peak >= 0:
                    _, x, y, score = peaks[int(peak)]
                    keypoints[person, keypoint] = (x * stride, y * stride, score)
        return make_people(keypoints, [row[_SCORE] / row[_COUNT] for row in rows])

    def _join(self, peaks, pafs, height):
        rows = []
        by_keypoint = [[] for _ in range(self._topology.size)]
        for number, peak in enumerate(peaks):
            by_keypoint[peak[0]].append((number,) + peak[1:])
        for limb, starts_people in zip(self._spec.limbs, self._starts_people):
            for connection in _connect(by_keypoint[limb[0]], by_keypoint[limb[1]],
                                       pafs[limb[2]:limb[2] + 2], height):
                _add(rows, limb, connection, peaks, self._topology.size, starts_people)
        return [row for row in rows if row[_COUNT] >= _MIN_KEYPOINTS
                and row[_SCORE] / row[_COUNT] >= _MIN_SCORE]


def find_peaks(large):
    """Return (keypoint, x, y, score) of enlarged heatmaps (K, H, W), in row-major order."""
    kernel = _kernel()
    peaks = []
    for keypoint, heatmap in enumerate(large):
        smooth = cv2.sepFilter2D(heatmap, cv2.CV_32F, kernel, kernel,
                                 borderType=cv2.BORDER_CONSTANT)
        highest = cv2.dilate(smooth, np.ones((3, 3), np.uint8))
        for y, x in np.argwhere((smooth == highest) & (smooth > _PEAK_THRESHOLD)):
            peaks.append((keypoint, int(x), int(y), float(heatmap[y, x])))
    return peaks


def _kernel():
    """The square root of a binned normal distribution over +-3 sigma: separable, wider than it."""
    interval = (2 * _KERNEL_SIGMAS + 1) / _KERNEL_SIZE
    edges = np.linspace(-_KERNEL_SIGMAS - interval / 2, _KERNEL_SIGMAS + interval / 2,
                        _KERNEL_SIZE + 1)
    mass = np.diff([0.5 * (1 + math.erf(edge / math.sqrt(2))) for edge in edges])
    root = np.sqrt(mass)
    return root / root.sum()


def _connect(starts, ends, paf, height):
    """Pair peaks (number, x, y, score) greedily by score; yields (start, end, score)."""
    candidates = []
    for i, (_, ax, ay, _) in enumerate(starts):
        for j, (_, bx, by, _) in enumerate(ends):
            score = _limb_score(ax, ay, bx, by, paf, height)
            if score is not None:
                candidates.append((score, i, j))
    used_starts, used_ends = set(), set()
    for score, i, j in sorted(candidates, key=lambda candidate: -candidate[0]):
        if i not in used_starts and j not in used_ends:
            used_starts.add(i)
            used_ends.add(j)
            yield starts[i][0], ends[j][0], score


def _limb_score(ax, ay, bx, by, paf, height):
    dx, dy = bx - ax, by - ay
    length = math.hypot(dx, dy)
    if length < 1e-12:
        return None
    columns = [int(ax + i * dx / float(_STEPS) + 0.5) // UPSAMPLING for i in range(_STEPS)]
    rows = [int(ay + i * dy / float(_STEPS) + 0.5) // UPSAMPLING for i in range(_STEPS)]
    along = (dx * paf[0, rows, columns] + dy * paf[1, rows, columns]) / length
    score = float(along.mean()) + min(0.0, 0.5 * height / length - 1.0)
    supported = int((along > _VECTOR_THRESHOLD).sum()) > _NEEDED_STEPS
    return score if supported and score > 0 else None


def _add(rows, limb, connection, peaks, keypoint_count, starts_people):
    (first_keypoint, second_keypoint), (start, end, score) = limb[:2], connection
    found = [row for row in rows if row[first_keypoint] == start or row[second_keypoint] == end]
    if len(found) == 1 and found[0][second_keypoint] != end:
        _set_end(found[0], second_keypoint, end, peaks, score)
    elif len(found) == 2:
        first, second = found
        if any(a > 0 and b > 0 for a, b in zip(first[:_SCORE], second[:_SCORE])):
            _set_end(first, second_keypoint, end, peaks, score)
        else:
            for keypoint in range(len(first) - 2):
                first[keypoint] += second[keypoint] + 1
            first[_COUNT] += second[_COUNT]
            first[_SCORE] += second[_SCORE] + score
            rows[:] = [row for row in rows if row is not second]
    elif not found and starts_people:
        row = [-1] * keypoint_count + [0.0, 0]
        row[first_keypoint], row[second_keypoint] = start, end
        row[_SCORE], row[_COUNT] = peaks[start][3] + peaks[end][3] + score, 2
        rows.append(row)


def _set_end(row, keypoint, end, peaks, score):
    row[keypoint] = end
    row[_COUNT] += 1
    row[_SCORE] += peaks[end][3] + score
