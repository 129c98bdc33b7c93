# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""A single person, hand or animal is followed by its own keypoints, without a detector."""
from typing import Dict, NamedTuple, Tuple

import numpy as np

from pose_ros.core.people import keypoint_bounds, People

FOUND, LOST = 0.35, 0.25  # scores at which following begins and ends
_GROWTH = 1.2  # of the bounds of keypoints to a box
_SMOOTHING = 0.5  # weight of a new size; positions are not smoothed
_SMALLEST = 16.0  # px


class _Followed(NamedTuple):
    """The box of the last frame, and the size of that frame [px]."""

    box: np.ndarray
    frame_size: Tuple[int, int]


class Follower:
    """The box of the next frame is around the keypoints of this one; per `Frame.source`.

    Following begins above the score FOUND and ends below LOST; without it the box is the whole
    frame, as it is after a change of the size of frames.
    """

    def __init__(self):
        """Begin without a person to follow."""
        self._followed: Dict[str, _Followed] = {}

    def place(self, frame, people: People) -> People:
        """Put the box of the followed person in place of the whole frame."""
        followed = self._followed.get(frame.source)
        whole = people.boxes.tolist() == [[0, 0, *frame.size]]
        if followed is None or followed.frame_size != frame.size or not whole:
            return people
        return people._replace(boxes=followed.box[None])

    def forget(self, source: str) -> None:
        """Drop the state of a source."""
        self._followed.pop(source, None)

    def update(self, frame, people: People, scores: np.ndarray) -> None:
        """Take the keypoints that were found in the box, and their scores (P,)."""
        before = self._followed.pop(frame.source, None)
        if before is not None and before.frame_size != frame.size:
            before = None
        needed = FOUND if before is None else LOST
        if people.count != 1 or scores[0] < needed or people.detected()[0].sum() < 2:
            return
        left, top, width, height = keypoint_bounds(people.keypoints)[0].astype(np.float64)
        middle = np.array((left + width / 2, top + height / 2))
        size = np.maximum(_GROWTH * np.array((width, height)), _SMALLEST)
        if before is not None:
            size = _SMOOTHING * size + (1 - _SMOOTHING) * before.box[2:]
        box = np.concatenate([middle - size / 2, size]).astype(np.float32)
        self._followed[frame.source] = _Followed(box, frame.size)
