# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""People: what the pipeline finds, from decoder to message, and how to measure their likeness."""
from typing import Dict, NamedTuple, Optional

import numpy as np

from pose_ros.core.topology import Topology

UNTRACKED = -1


class People(NamedTuple):
    """P people of K keypoints each, in the pixels of one image.

    `keypoints` (P, K, 3) float32: x px, y px, score in [0, 1]; a missing keypoint is
    (NaN, NaN, 0). `scores` (P,) float32 in [0, 1]. `track_ids` (P,) int32, UNTRACKED (-1)
    without a tracker. `boxes` (P, 4) float32: left, top, width, height px, from the outer
    edge of pixel 0; NaN where unknown.
    `positions` (P, K, 3) float32: meters in the optical frame of the camera; NaN where unknown.
    `parts`: further keypoints (P, k, 3) float32 by name, such as left_hand. `part_positions`: as
    `positions`, by the same names; empty without depth.
    """

    keypoints: np.ndarray
    scores: np.ndarray
    track_ids: np.ndarray
    boxes: np.ndarray
    positions: np.ndarray
    parts: Dict[str, np.ndarray]
    part_positions: Dict[str, np.ndarray] = {}

    @property
    def count(self) -> int:
        """Number of people."""
        return len(self.scores)

    def select(self, index) -> 'People':
        """Return the people that a NumPy index or mask picks, in its order."""
        parts, positions = ({name: array[index] for name, array in each.items()}
                            for each in (self.parts, self.part_positions))
        return People(*([array[index] for array in self[:-2]] + [parts, positions]))

    def detected(self) -> np.ndarray:
        """Return a mask (P, K) of the keypoints that were found."""
        return self.keypoints[..., 2] > 0


def make_people(keypoints, scores, track_ids=None, boxes=None, positions=None,
                parts=None) -> People:
    """Build People: clips scores to [0, 1] and marks keypoints without a score as missing.

    Shapes and units as in People. Without `boxes` they are the bounds of the keypoints.
    """
    keypoints = np.array(keypoints, np.float32)
    keypoints[..., 2] = np.minimum(np.maximum(keypoints[..., 2], 0), 1)  # np.clip is slower
    missing = ~((keypoints[..., 2] > 0) & np.isfinite(keypoints[..., :2]).all(-1))
    keypoints[missing] = (np.nan, np.nan, 0)
    scores = np.minimum(np.maximum(np.asarray(scores, np.float32), 0), 1)
    if track_ids is None:
        track_ids = np.full(len(scores), UNTRACKED)
    if boxes is None:
        boxes = keypoint_bounds(keypoints)
    if positions is None:
        positions = np.full(keypoints.shape, np.nan)
    return People(keypoints, scores, np.asarray(track_ids, np.int32),
                  np.asarray(boxes, np.float32), np.asarray(positions, np.float32),
                  dict(parts or {}))


def no_people(topology: Topology) -> People:
    """Return People without a person."""
    return make_people(np.zeros((0, topology.size, 3)), np.zeros(0))


def people_in_boxes(boxes, topology: Topology, scores=None) -> People:
    """Return people with boxes (P, 4) and no keypoints yet; scores (P,) default to 1."""
    boxes = np.asarray(boxes, np.float32).reshape(-1, 4)
    scores = np.ones(len(boxes)) if scores is None else scores
    return make_people(np.zeros((len(boxes), topology.size, 3)), scores, boxes=boxes)


def keypoint_bounds(keypoints: np.ndarray) -> np.ndarray:
    """Return boxes (P, 4) float32 [px] round the found keypoints (P, K, 3); NaN without any."""
    if not len(keypoints):
        return np.zeros((0, 4), np.float32)
    points, found = keypoints[..., :2], keypoints[..., 2:] > 0
    low = np.where(found, points, np.inf).min(1)
    high = np.where(found, points, -np.inf).max(1)
    boxes = np.concatenate([low, high - low], 1)
    boxes[~np.isfinite(boxes).all(1)] = np.nan
    return boxes.astype(np.float32)


def oks_matrix(keypoints: np.ndarray, topology: Topology, others: Optional[np.ndarray] = None,
               slack=0.0) -> np.ndarray:
    """Object keypoint similarity (P, Q) of keypoints (P, K, 3) and others (Q, K, 3).

    Over the keypoints that both people have, 0 without any; without `others` they are the same
    people.

    exp(-d^2 / (2 (s^2 (2 sigma)^2 + slack))) averaged over keypoints, with s^2 the area of the
    larger person's keypoint bounds (COCO keypoint evaluation,
    https://cocodataset.org/#keypoints-eval). slack: variance (P,) [px^2] of the positions of a
    person; COCO has none.
    """
    first, second = keypoints, keypoints if others is None else others
    larger = np.maximum(_areas(first)[:, None], _areas(second))[..., None]
    scale = 2 * (larger * (2 * np.array(topology.sigmas)) ** 2
                 + np.asarray(slack, np.float64).reshape(-1, 1, 1))
    shared = (first[..., 2] > 0)[:, None] & (second[..., 2] > 0)
    away = first[:, None, :, :2].astype(np.float64) - second[..., :2]
    squared = np.where(shared, (away ** 2).sum(-1), 0)
    similarity = np.where(shared, np.exp(-squared / scale), 0)
    return similarity.sum(-1) / np.maximum(shared.sum(-1), 1)


def _areas(keypoints):
    bounds = keypoint_bounds(keypoints).astype(np.float64)
    return np.maximum(bounds[:, 2] * bounds[:, 3], 1.0)


def iou_matrix(boxes: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Intersection over union (P, Q) of boxes (P, 4) and others (Q, 4); 0 with a box of NaN."""
    first, second = boxes[:, None].astype(np.float64), others[None].astype(np.float64)
    low = np.maximum(first[..., :2], second[..., :2])
    high = np.minimum(first[..., :2] + first[..., 2:], second[..., :2] + second[..., 2:])
    common = np.maximum(high - low, 0).prod(-1)
    union = first[..., 2:].prod(-1) + second[..., 2:].prod(-1) - common
    return np.where(union > 0, common / np.maximum(union, 1e-9), 0)
