# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""People, the one word for people from decoder to message, and how to choose among them."""
from typing import NamedTuple, Optional

import numpy as np

from pose_ros.core.parameters import Parameter
from pose_ros.core.topology import Topology

UNTRACKED = -1

PEOPLE_PARAMETERS = (
    Parameter('min_keypoints', 4, 'People with fewer detected keypoints are dropped',
              1, 255, dynamic=True),
    Parameter('min_score', 0.2, 'People with a lower score are dropped', 0.0, 1.0, dynamic=True),
    Parameter('max_people', 0, 'Keep only this many people, best scores first; 0 keeps all',
              0, 1000, dynamic=True),
    Parameter('duplicate_oks', 0.9,
              'Of two people more alike than this (object keypoint similarity) the lower score is '
              'dropped; 1 keeps all', 0.0, 1.0, dynamic=True),
)


class People(NamedTuple):
    """P people of K keypoints each.

    `keypoints` (P, K, 3) float32: x px, y px, score in [0, 1]; a missing joint is (NaN, NaN, 0).
    `scores` (P,) float32 in [0, 1].
    `track_ids` (P,) int32, UNTRACKED (-1) unless a tracker gave one.
    """

    keypoints: np.ndarray
    scores: np.ndarray
    track_ids: np.ndarray

    @property
    def count(self) -> int:
        """Number of people."""
        return len(self.scores)

    def select(self, index) -> 'People':
        """Return the people that a NumPy index or mask picks, in its order."""
        return People(*(array[index] for array in self))

    def detected(self) -> np.ndarray:
        """Mask (P, K) of the joints that were found."""
        return self.keypoints[..., 2] > 0

    def with_points(self, points: np.ndarray) -> 'People':
        """Return the same people with other coordinates, `points` (P, K, 2)."""
        keypoints = np.concatenate([points, self.keypoints[..., 2:]], axis=-1)
        return self._replace(keypoints=keypoints.astype(np.float32))


def make_people(keypoints, scores, track_ids: Optional[np.ndarray] = None) -> People:
    """Build People: clips scores to [0, 1] and marks joints without a score as missing."""
    keypoints = np.array(keypoints, np.float32)
    np.clip(keypoints[..., 2], 0, 1, out=keypoints[..., 2])
    missing = ~((keypoints[..., 2] > 0) & np.isfinite(keypoints[..., :2]).all(-1))
    keypoints[missing] = (np.nan, np.nan, 0)
    scores = np.clip(np.asarray(scores, np.float32), 0, 1)
    if track_ids is None:
        track_ids = np.full(len(scores), UNTRACKED, np.int32)
    return People(keypoints, scores, np.asarray(track_ids, np.int32))


def no_people(topology: Topology) -> People:
    """Return the empty answer: nobody seen."""
    return make_people(np.zeros((0, topology.size, 3)), np.zeros(0))


def bounding_boxes(skeletons: People) -> np.ndarray:
    """Boxes (P, 4) float32 of the detected joints: left, top, width, height [px]."""
    points = skeletons.keypoints[..., :2]
    if not skeletons.count:
        return np.zeros((0, 4), np.float32)
    found = skeletons.detected()[..., None]
    low = np.where(found, points, np.inf).min(1)
    high = np.where(found, points, -np.inf).max(1)
    boxes = np.concatenate([low, high - low], 1)
    boxes[~np.isfinite(boxes).all(1)] = np.nan
    return boxes.astype(np.float32)


def oks_matrix(skeletons: People, topology: Topology) -> np.ndarray:
    """Object keypoint similarity (P, P) over joints that both people have; 0 if they share none.

    exp(-d^2 / (2 s^2 (2 sigma)^2)) averaged over joints, with s^2 the area of the larger person's
    box (COCO keypoint evaluation, https://cocodataset.org/#keypoints-eval).
    """
    points = skeletons.keypoints[..., :2].astype(np.float64)
    boxes = bounding_boxes(skeletons).astype(np.float64)
    area = np.maximum(boxes[:, 2] * boxes[:, 3], 1.0)
    larger = np.maximum(area[:, None], area[None])[..., None]
    scale = 2 * larger * (2 * np.array(topology.sigmas)) ** 2
    found = skeletons.detected()
    shared = found[:, None] & found[None]
    squared = np.where(shared, ((points[:, None] - points[None]) ** 2).sum(-1), 0)
    similarity = np.where(shared, np.exp(-squared / scale), 0)
    return similarity.sum(-1) / np.maximum(shared.sum(-1), 1)


def choose_people(skeletons: People, topology: Topology, min_keypoints: int, min_score: float,
                  max_people: int, duplicate_oks: float) -> People:
    """Filter people by PEOPLE_PARAMETERS; the answer is sorted by descending score."""
    keep = (skeletons.detected().sum(1) >= min_keypoints) & (skeletons.scores >= min_score)
    people = skeletons.select(keep)
    people = people.select(np.argsort(-people.scores, kind='stable'))
    if duplicate_oks < 1 and people.count > 1:
        people = people.select(_distinct(oks_matrix(people, topology), duplicate_oks))
    return people.select(slice(max_people)) if max_people else people


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
