# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Steadier keypoints of tracked people, each filtered over time."""
from typing import Any, Dict, NamedTuple, Tuple

import numpy as np

from pose_ros.core.filters import FILTERS
from pose_ros.core.parameters import Parameter
from pose_ros.core.people import UNTRACKED, People
from pose_ros.core.stages.selection import inside
from pose_ros.core.stages.source_clock import SourceClock
from pose_ros.core.stages.stage import Stage

OFF = 'off'
SMOOTHING_METHODS = (OFF,) + tuple(FILTERS)
_FORGOTTEN = 0.5   # s after which a person or a keypoint begins anew
_HEIGHT_TIME = 0.5  # s in which the height of a person follows that of its box
_BRIDGE = Parameter(
    'bridge', 0.2, 'A keypoint that is not found any more is filled in for this long, with a '
    'confidence that falls to 0', 0.0, _FORGOTTEN, unit='s', dynamic=True)

SMOOTHING_PARAMETERS = {
    method: kind.PARAMETERS + (_BRIDGE,) for method, kind in FILTERS.items()}


class _Bodies(NamedTuple):
    """P smoothed people of N keypoints, with those of their parts."""

    ids: np.ndarray      # (P,)
    heights: np.ndarray  # (P, 1) px, or m
    scores: np.ndarray   # (P, N) when last found
    ages: np.ndarray     # (P, N) s since then
    states: Tuple[np.ndarray, ...]  # of the filter, each (P, N, ...)

    def select(self, index):
        return _Bodies(*[array[index] for array in self[:-1]],
                       states=tuple(array[index] for array in self.states))

    def plus(self, other):
        return _Bodies(*map(np.concatenate, zip(self[:-1], other[:-1])),
                       states=tuple(map(np.concatenate, zip(self.states, other.states))))


class Smoothing(Stage):
    """Filters keypoints (also of parts) and positions of people with an id; others pass unchanged.

    Lengths are in heights of the person (the longer side of its box), so that the settings suit
    people near and far.
    """

    name = 'smoothing'
    over_time = True

    def __init__(self, method: str):
        """Take the name of a filter."""
        self._filter = FILTERS[method]
        self.PARAMETERS = SMOOTHING_PARAMETERS[method]
        super(Smoothing, self).__init__()
        self._clocks: Dict[str, SourceClock] = {}
        self._bodies: Dict[Any, _Bodies] = {}

    def __call__(self, frames, people):
        """See Stage.__call__."""
        return [self._smooth(frame, persons) for frame, persons in zip(frames, people)]

    def forget(self, source):
        """See Stage.forget."""
        self._clocks.pop(source, None)
        self._bodies.pop(source, None)

    def _smooth(self, frame, people: People) -> People:
        passed = self._clocks.setdefault(frame.source, SourceClock()).step(frame.time_s)
        tracked = np.flatnonzero(people.track_ids != UNTRACKED)
        people = self._in_space(frame, people, tracked, passed)
        arrays = [people.keypoints] + list(people.parts.values())
        points = np.concatenate(arrays, 1)
        heights = np.fmax(people.boxes[tracked, 2:].max(1), 1.0).astype(np.float64)
        smoothed = self._followed(frame.source, people.track_ids[tracked], heights,
                                  points[tracked], passed)
        if not len(tracked):
            return people
        points[tracked] = smoothed
        keypoints, *parts = np.split(points, _ends(arrays), 1)
        return inside(people._replace(keypoints=keypoints, parts=dict(zip(people.parts, parts))),
                      *frame.size)

    def _in_space(self, frame, people, tracked, passed):
        """Filter the positions [m]; those of hidden keypoints are filled in, too."""
        key = frame.source, 'space'
        measured = [people.positions] + list(people.part_positions.values())
        if key not in self._bodies \
                and not any(np.isfinite(array[tracked]).any() for array in measured):
            return people
        if people.parts and not people.part_positions:  # a frame without depth
            people = people._replace(part_positions={
                name: np.full(points.shape, np.nan, np.float32)
                for name, points in people.parts.items()})
        arrays = [people.positions] + list(people.part_positions.values())
        positions = np.concatenate(arrays, 1)
        known = np.isfinite(positions).all(-1)
        heights = np.full(len(tracked), np.nan)
        for row, person in enumerate(tracked):
            if known[person].any():
                depth = np.median(positions[person, known[person], 2])
                heights[row] = people.boxes[person, 2:].max() * depth / frame.camera.fy
        scores = np.concatenate([people.keypoints] + list(people.parts.values()), 1)[..., 2]
        points = np.concatenate([positions, np.where(known, scores, 0)[..., None]], -1)
        positions[tracked] = self._followed(
            key, people.track_ids[tracked], heights, points[tracked], passed)[..., :-1]
        positions, *parts = np.split(positions, _ends(arrays), 1)
        return people._replace(positions=positions,
                               part_positions=dict(zip(people.part_positions, parts)))

    def _followed(self, key, ids, heights, points, passed):
        """Return points (P, N, D + 1), coordinates and score, after the filter.

        key: whose memory it is. heights (P,): NaN if unknown.
        """
        bodies = self._recalled(key, ids, heights[:, None], points, passed)
        seen = np.zeros((len(bodies.ids),) + points.shape[1:])
        seen[:len(ids)] = points
        self._bodies[key] = bodies = self._filtered(bodies, seen, passed)
        return self._points(bodies)[:len(ids)]

    def _recalled(self, key, ids, heights, points, passed):
        """Return the bodies of the tracked people, then those that may come back."""
        new = self._begun(ids, np.where(np.isnan(heights), 1.0, heights), points)
        old = self._bodies.get(key)
        if old is None or old.ages.shape[1:] != new.ages.shape[1:]:
            return new
        old = old._replace(ages=old.ages + passed)
        same = ids[:, None] == old.ids
        known, rows = same.any(1), same.argmax(1) if len(old.ids) else ids
        both = old.plus(new)
        now = both.select(np.where(known, rows, len(old.ids) + np.arange(len(ids))))
        follow = min(passed / _HEIGHT_TIME, 1.0)
        change = np.where(np.isnan(heights), 0, heights - now.heights)
        now = now._replace(heights=now.heights + follow * change)
        waiting = ~same.any(0) & (old.ages.min(1) <= _FORGOTTEN)
        return now.plus(old.select(waiting))

    def _begun(self, ids, heights, points):
        never = np.full(points.shape[:2], np.inf)
        return _Bodies(ids, heights, np.zeros(points.shape[:2]), never,
                       self._filter.begin(points[..., :-1].astype(np.float64), heights))

    def _filtered(self, bodies, points, passed):
        """Bring the bodies to the measured points, whose score is 0 where absent."""
        settings = self.settings
        bridge = settings.pop('bridge')
        points, scores, ages = points[..., :-1], points[..., -1], bodies.ages
        found = scores > 0
        # A keypoint that was absent for long begins where it is found.
        begins = found & (((ages > passed) & (ages > bridge)) | (ages > _FORGOTTEN))
        stepped = self._filter.step(bodies.states, points, scores, ages, passed, bodies.heights,
                                    **settings)
        begun = self._filter.begin(points, bodies.heights)
        states = tuple(
            np.where(begins.reshape(begins.shape + (1,) * (new.ndim - 2)), first, new)
            for first, new in zip(begun, stepped))
        return bodies._replace(scores=np.where(found, scores, bodies.scores),
                               ages=np.where(found, 0, ages), states=states)

    def _points(self, bodies):
        """Return the points to show; absent keypoints lose confidence until they end."""
        bridge = self._settings['bridge']
        scores = bodies.scores * np.maximum(1 - bodies.ages / max(bridge, 1e-9), 0)
        points = np.concatenate([bodies.states[0], scores[..., None]], -1).astype(np.float32)
        points[~(points[..., -1] > 0)] = (np.nan,) * (points.shape[-1] - 1) + (0,)
        return points


def _ends(arrays):
    """Return where arrays (P, N, ...) end that are joined along N, but for the last."""
    return np.cumsum([array.shape[1] for array in arrays])[:-1]
