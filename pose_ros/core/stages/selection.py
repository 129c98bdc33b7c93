# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Which people are passed on: the only stage that drops or sorts people."""
from typing import Tuple

import numpy as np

from pose_ros.core.parameters import Parameter
from pose_ros.core.people import People, keypoint_bounds, oks_matrix
from pose_ros.core.stages.stage import Stage
from pose_ros.core.topology import Topology

_MARGIN = 0.02  # of the longer side of the image: keypoints this far outside are clipped to it

SELECTION_PARAMETERS: Tuple[Parameter, ...] = (
    Parameter('min_keypoints', 4, 'People with fewer detected keypoints are dropped',
              1, 255, dynamic=True),
    Parameter('min_score', 0.2, 'People with a lower score are dropped', 0.0, 1.0, dynamic=True),
    Parameter('max_people', 0, 'Keep only this many people, best scores first; 0 keeps all',
              0, 1000, dynamic=True),
    Parameter('duplicate_oks', 0.9,
              'Of two people with a higher object keypoint similarity the lower score is '
              'dropped; 1 keeps all', 0.0, 1.0, dynamic=True),
)


class Selection(Stage):
    """Drops keypoints outside the image, weak people and duplicates; best scores come first."""

    name = 'selection'
    PARAMETERS = SELECTION_PARAMETERS

    def __init__(self, topology: Topology, **settings):
        """Take the skeleton format, and settings that differ from the defaults."""
        self._topology = topology
        # No person has more keypoints than the skeleton.
        self.PARAMETERS = tuple(
            item._replace(maximum=topology.size, default=min(item.default, topology.size))
            if item.name == 'min_keypoints' else item for item in SELECTION_PARAMETERS)
        super(Selection, self).__init__(**settings)

    def __call__(self, frames, people):
        """See Stage.__call__."""
        return [select_people(inside(persons, *frame.size), self._topology, **self._settings)
                for frame, persons in zip(frames, people)]


def inside(people: People, width: int, height: int) -> People:
    """Clip keypoints just outside the image to it, and drop those further out.

    Boxes that are unknown become the bounds of the remaining keypoints.
    """
    limit = np.array((width, height), np.float32) - 1
    keypoints = people.keypoints
    points = keypoints[..., :2]
    if ((points < 0) | (points > limit)).any():
        keypoints = _clipped(keypoints, limit, max(0.5, _MARGIN * max(width, height)))
    boxes, unknown = people.boxes, np.isnan(people.boxes).any(1)
    if unknown.any():
        boxes = np.where(unknown[:, None], keypoint_bounds(keypoints), boxes)
    return people._replace(keypoints=keypoints, boxes=boxes)


def _clipped(keypoints, limit, margin):
    """Return a copy without keypoints further outside than `margin` [px], the others clipped."""
    keypoints = keypoints.copy()
    points = keypoints[..., :2]
    # The outermost pixels reach half a pixel beyond their centers.
    keypoints[(np.maximum(-points, points - limit) > margin).any(-1)] = (np.nan, np.nan, 0)
    np.clip(points, 0, limit, out=points)
    return keypoints


def select_people(people: People, topology: Topology, min_keypoints: int, min_score: float,
                  max_people: int, duplicate_oks: float) -> People:
    """Filter people by SELECTION_PARAMETERS; the answer is sorted by descending score."""
    kept = np.flatnonzero((people.detected().sum(1) >= min_keypoints)
                          & (people.scores >= min_score))
    kept = kept[np.argsort(-people.scores[kept], kind='stable')]
    if duplicate_oks < 1 and len(kept) > 1:
        kept = kept[_distinct(oks_matrix(people.keypoints[kept], topology), duplicate_oks)]
    return people.select(kept[:max_people] if max_people else kept)


def _distinct(similarity, limit):
    """Return the rows, best first, that resemble no kept row before them more than the limit."""
    alike = np.triu(similarity > limit, 1)
    if not alike.any():
        return np.arange(len(similarity))
    kept = []
    for row in range(len(similarity)):
        if not alike[kept, row].any():
            kept.append(row)
    return kept
