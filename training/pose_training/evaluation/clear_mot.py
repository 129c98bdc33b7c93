# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""MOTA and MOTP: how well tracks follow labels (Bernardin, Stiefelhagen, EURASIP 2008)."""
from typing import Dict, NamedTuple, Sequence

import numpy as np
from scipy.optimize import linear_sum_assignment

_NEVER = 1e6  # the distance of a pair that must not be matched


class MotFigures(NamedTuple):
    """MOTA, MOTP (1 - mean distance), precision and recall, 0 to 1; NaN without labels."""

    mota: float
    motp: float
    precision: float
    recall: float


class ClearMot:
    """Counts misses, false positives and switches over frames in order.

    `restart` begins another sequence: the counts stay, earlier matches are forgotten.
    """

    def __init__(self):
        self.labels = self.misses = self.false = self.switches = self.matches = 0
        self.distance = 0.
        self._last: Dict[int, int] = {}

    def restart(self) -> None:
        """Forget which track followed which label."""
        self._last = {}

    def update(self, labels: Sequence[int], tracks: Sequence[int], distances) -> None:
        """Count one frame: ids of G labels and P tracks, and their distances (G, P).

        A distance that is not finite is no match. A pair of the last frames stays, if it can;
        the others are paired with the smallest sum of distances. A label that another track
        followed before is a switch.
        """
        distances = np.array(distances, float).reshape(len(labels), len(tracks))
        pairs = self._kept(labels, tracks, distances)
        free = [np.setdiff1d(np.arange(count), [pair[side] for pair in pairs])
                for side, count in enumerate(distances.shape)]
        costs = distances[np.ix_(*free)]
        costs = np.where(np.isfinite(costs), costs, _NEVER)
        for row, column in zip(*linear_sum_assignment(costs)):
            if costs[row, column] < _NEVER:
                pair = int(free[0][row]), int(free[1][column])
                self.switches += self._last.get(labels[pair[0]],
                                                tracks[pair[1]]) != tracks[pair[1]]
                pairs.append(pair)
        for row, column in pairs:
            self._last[labels[row]] = tracks[column]
            self.distance += float(distances[row, column])
        self.labels += len(labels)
        self.matches += len(pairs)
        self.misses += len(labels) - len(pairs)
        self.false += len(tracks) - len(pairs)

    def _kept(self, labels, tracks, distances):
        column = {track: place for place, track in enumerate(tracks)}
        pairs, taken = [], set()
        for row, label in enumerate(labels):
            place = column.get(self._last.get(label))
            if place is not None and place not in taken and np.isfinite(distances[row, place]):
                pairs.append((row, place))
                taken.add(place)
        return pairs

    def figures(self) -> MotFigures:
        """Return the figures of all frames so far."""
        if not self.labels:
            return MotFigures(*[float('nan')] * 4)
        found = self.matches + self.false
        return MotFigures(
            1 - (self.misses + self.switches + self.false) / self.labels,
            1 - self.distance / self.matches if self.matches else 0.,
            self.matches / found if found else float('nan'), self.matches / self.labels)
