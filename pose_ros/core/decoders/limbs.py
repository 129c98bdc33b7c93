# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Limbs between peaks: scored by the part affinity fields (PAFs), and joined into people."""
from typing import Any, Dict, List, NamedTuple, Tuple

import cv2
import numpy as np

from pose_ros.core.decoders.peaks import Peaks
from pose_ros.core.topology import Topology

MOST_ROWS = 32766  # of an image of OpenCV's remap; all PAFs are stacked into one image
_MOST_LIMBS = 16384  # per call, for the same reason


class LimbTable(NamedTuple):
    """L limbs in joining order: the keypoints that they join, and their PAF channels.

    A limb that the topology does not draw is auxiliary (such as shoulder to ear): it may complete
    a person but never start one.
    """

    parents: np.ndarray
    children: np.ndarray
    x_channels: np.ndarray
    y_channels: np.ndarray
    auxiliary: Tuple[bool, ...]

    @classmethod
    def make(cls, limbs, axis_order: str, topology: Topology) -> 'LimbTable':
        """Build from (parent, child, first channel) triples."""
        parents, children, first = (np.array(column, np.intp) for column in zip(*limbs))
        swapped = int(axis_order == 'yx')
        drawn = {frozenset(limb) for limb in topology.limbs}
        return cls(parents, children, first + swapped, first + 1 - swapped,
                   tuple(frozenset(limb[:2]) not in drawn for limb in limbs))


class ScoredLimbs(NamedTuple):
    """Accepted candidates: limb number, peak numbers, score; by limb, best first."""

    limb: np.ndarray
    parent: np.ndarray
    child: np.ndarray
    scores: np.ndarray


class LimbScorer:
    """Scores all pairs of peaks that a limb may join, all limbs at once."""

    def __init__(self, table: LimbTable):
        """Take the limbs to score."""
        self._table = table

    def score(self, peaks: Peaks, pafs: np.ndarray, settings: Dict[str, Any]) -> ScoredLimbs:
        """Score candidates with `pafs` (C, h, w) float32; return those with enough support.

        The score is the mean component of the PAF along the limb, less a penalty on limbs longer
        than `limb_length` map heights: min(0, limb_length * h / length - 1).
        """
        limb, parent, child = self._pairs(peaks.starts)
        dx, dy = peaks.x[child] - peaks.x[parent], peaks.y[child] - peaks.y[parent]
        length = np.sqrt(dx * dx + dy * dy)
        apart = length > 1e-3
        if not apart.all():
            limb, parent, child, dx, dy, length = (
                array[apart] for array in (limb, parent, child, dx, dy, length))
        along = self._along(pafs, limb, peaks.x[parent], peaks.y[parent], dx, dy, length,
                            settings['limb_samples'])
        score = along.mean(0) + np.minimum(
            0, settings['limb_length'] * pafs.shape[1] / length - 1)
        support = np.count_nonzero(along > settings['limb_threshold'], axis=0)
        # The small tolerance is for 0.7 * 10 > 7 in floating point.
        good = np.flatnonzero((score > 0) & (
            support >= settings['limb_support'] * settings['limb_samples'] - 1e-6))
        good = good[np.lexsort((-score[good], limb[good]))]
        return ScoredLimbs(limb[good], parent[good], child[good], score[good])

    def _pairs(self, starts):
        """Return limb, parent peak and child peak of all pairs, without a loop."""
        table, counts = self._table, np.diff(starts)
        wide = counts[table.children]
        pairs = counts[table.parents] * wide
        limb = np.repeat(np.arange(len(pairs)), pairs)
        within = np.arange(len(limb)) - np.repeat(np.cumsum(pairs) - pairs, pairs)
        row, column = np.divmod(within, wide[limb]) if len(limb) else (within, within)
        return limb, starts[table.parents[limb]] + row, starts[table.children[limb]] + column

    def _along(self, pafs, limb, x, y, dx, dy, length, samples):
        """Return the component of the PAF along each limb at sample points, (samples, N)."""
        steps = ((np.arange(samples, dtype=np.float32) + 0.5) / samples)[:, None]
        last_row, last_column = pafs.shape[1] - 1, pafs.shape[2] - 1
        column = np.clip(x + steps * dx, 0, last_column)
        row = np.clip(y + steps * dy, 0, last_row)
        # All channels stacked into one tall image: a row of channel c starts at c * height.
        stacked = pafs.reshape(-1, pafs.shape[2])
        top_x = (self._table.x_channels[limb] * pafs.shape[1]).astype(np.float32)
        top_y = (self._table.y_channels[limb] * pafs.shape[1]).astype(np.float32)
        return (_sample(stacked, column, row + top_x) * dx
                + _sample(stacked, column, row + top_y) * dy) / length


def _sample(image, column, row):
    """Return bilinear samples of an image at (samples, N) float32 coordinates."""
    if column.shape[1] == 0:
        return np.zeros_like(column)
    parts = [cv2.remap(image, np.ascontiguousarray(column[:, k:k + _MOST_LIMBS]),
                       np.ascontiguousarray(row[:, k:k + _MOST_LIMBS]), cv2.INTER_LINEAR)
             for k in range(0, column.shape[1], _MOST_LIMBS)]
    return parts[0] if len(parts) == 1 else np.concatenate(parts, 1)


class _Person:
    """An incomplete person: the peak of each keypoint, and the sum of its limb scores."""

    __slots__ = ('peaks', 'limb_count', 'limb_score')

    def __init__(self):
        self.peaks: Dict[int, int] = {}  # by keypoint
        self.limb_count, self.limb_score = 0, 0.0

    def absorb(self, other):
        self.peaks.update(other.peaks)
        self.limb_count += other.limb_count
        self.limb_score += other.limb_score


def assemble(limbs: ScoredLimbs, peak_scores: np.ndarray, table: LimbTable,
             keypoint_count: int) -> Tuple[np.ndarray, np.ndarray]:
    """Return peak numbers (P, K), -1 where a keypoint is missing, and scores (P,).

    Within one limb each peak is used once, best score first. The score of a person is the mean of
    the scores of its peaks and its limbs.
    """
    people = _join(limbs, table)
    members = np.full((len(people), keypoint_count), -1, np.intp)
    scores = np.zeros(len(people))
    peak_scores = peak_scores.tolist()
    for row, person in enumerate(people):
        members[row, list(person.peaks)] = list(person.peaks.values())
        total = sum(peak_scores[peak] for peak in person.peaks.values()) + person.limb_score
        scores[row] = total / (len(person.peaks) + person.limb_count)
    return members, scores


def _join(limbs, table) -> List[_Person]:
    owners: Dict[int, _Person] = {}
    parents, children = table.parents.tolist(), table.children.tolist()
    current, taken = -1, set()
    for limb, parent, child, score in zip(limbs.limb.tolist(), limbs.parent.tolist(),
                                          limbs.child.tolist(), limbs.scores.tolist()):
        if limb != current:
            current, taken = limb, set()
        if parent in taken or child in taken:
            continue
        taken.update((parent, child))
        person = _person_for(owners, (parents[limb], parent), (children[limb], child),
                             table.auxiliary[limb])
        if person is not None:
            person.limb_count += 1
            person.limb_score += score
    return list({id(person): person for person in owners.values()}.values())


def _person_for(owners, parent, child, auxiliary):
    """Return the person of a limb between two (keypoint, peak); None if it fits no person."""
    first, second = owners.get(parent[1]), owners.get(child[1])
    if first is None and second is None:
        if auxiliary:
            return None
        first = _Person()
        for keypoint, peak in (parent, child):
            first.peaks[keypoint] = peak
            owners[peak] = first
    elif first is None or second is None:
        person, (keypoint, peak) = (second, parent) if first is None else (first, child)
        if keypoint in person.peaks:
            return None
        person.peaks[keypoint] = peak
        owners[peak] = first = person
    elif first is not second:
        if set(first.peaks) & set(second.peaks):
            return None
        first.absorb(second)
        owners.update((peak, first) for peak in second.peaks.values())
    return first
