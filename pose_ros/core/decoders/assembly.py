# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Join scored limbs into people, greedily in joining order."""
from typing import Dict, List, Tuple

import numpy as np

from pose_ros.core.decoders.limbs import LimbTable, ScoredLimbs


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
