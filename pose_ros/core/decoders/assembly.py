# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Join scored limbs into people, greedily in joining order."""
from typing import Dict, List, Tuple

import numpy as np

from pose_ros.core.decoders.limbs import LimbTable, ScoredLimbs


class _Person:
    """A person in the making: which peak fills which part, and the limbs that say so."""

    __slots__ = ('parts', 'limb_count', 'limb_score')

    def __init__(self):
        self.parts: Dict[int, int] = {}
        self.limb_count, self.limb_score = 0, 0.0

    def absorb(self, other):
        self.parts.update(other.parts)
        self.limb_count += other.limb_count
        self.limb_score += other.limb_score


def assemble(limbs: ScoredLimbs, peak_scores: np.ndarray, table: LimbTable,
             keypoint_count: int) -> Tuple[np.ndarray, np.ndarray]:
    """Return peak numbers (P, K), -1 where a part is missing, and scores (P,).

    Within one limb each peak is used once, best score first. A person's score is the mean of its
    parts' heat and its limbs' field score.
    """
    people = _join(limbs, table)
    members = np.full((len(people), keypoint_count), -1, np.intp)
    scores = np.zeros(len(people))
    heat = peak_scores.tolist()
    for row, person in enumerate(people):
        members[row, list(person.parts)] = list(person.parts.values())
        total = sum(heat[peak] for peak in person.parts.values()) + person.limb_score
        scores[row] = total / (len(person.parts) + person.limb_count)
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
                             table.helper[limb])
        if person is not None:
            person.limb_count += 1
            person.limb_score += score
    return list({id(person): person for person in owners.values()}.values())


def _person_for(owners, parent, child, helper):
    """Return the person that the limb (part, peak)-(part, peak) belongs to, None if refused."""
    first, second = owners.get(parent[1]), owners.get(child[1])
    if first is None and second is None:
        if helper:
            return None
        first = _Person()
        for part, peak in (parent, child):
            first.parts[part] = peak
            owners[peak] = first
    elif first is None or second is None:
        person, (part, peak) = (second, parent) if first is None else (first, child)
        if part in person.parts:
            return None
        person.parts[part] = peak
        owners[peak] = first = person
    elif first is not second:
        if set(first.parts) & set(second.parts):
            return None
        first.absorb(second)
        owners.update((peak, first) for peak in second.parts.values())
    return first
