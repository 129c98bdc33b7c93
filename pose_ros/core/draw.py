# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Draw people on an image: limbs, keypoints, ids and scores."""
import cv2
import numpy as np

from pose_ros.core.people import UNTRACKED, People
from pose_ros.core.topology import part_topology, Topology

_SHIFT = 3  # OpenCV draws at 1/8 px
_PART_SIZE = 0.4  # of the lines of the body
_REFERENCE_SIZE = 640.0  # px; line widths and text scale with the image size


def draw_people(image: np.ndarray, people: People, topology: Topology,
                labels: bool = True) -> np.ndarray:
    """Draw on `image` (H, W, 3) uint8 BGR in place and return it; `labels` adds ids and scores."""
    size = max(0.6, max(image.shape[:2]) / _REFERENCE_SIZE)
    for person in range(people.count):
        _draw_skeleton(image, people.keypoints[person], topology, size)
        for name, points in people.parts.items():
            _draw_skeleton(image, points[person], part_topology(name), _PART_SIZE * size)
        if labels and np.isfinite(people.boxes[person]).all():
            _draw_label(image, _label(people, person), people.boxes[person], size)
    return image


def _draw_skeleton(image, keypoints, topology, size):
    points = _fixed_point(keypoints)
    for color, (a, b) in zip(topology.limb_colors(), topology.limbs):
        if points[a] and points[b]:
            cv2.line(image, points[a], points[b], color, max(1, int(round(2.5 * size))),
                     cv2.LINE_AA, _SHIFT)
    for color, point in zip(topology.keypoint_colors(), points):
        if point:
            cv2.circle(image, point, int(3 * size * 2 ** _SHIFT), color, cv2.FILLED,
                       cv2.LINE_AA, _SHIFT)


def _fixed_point(keypoints):
    """Return keypoints as OpenCV's fixed-point coordinates, None where missing."""
    return [(int(round(x * 2 ** _SHIFT)), int(round(y * 2 ** _SHIFT))) if score > 0 else None
            for x, y, score in keypoints.tolist()]


def _label(people, person):
    score = '{:.2f}'.format(people.scores[person])
    track_id = int(people.track_ids[person])
    return score if track_id == UNTRACKED else '#{} {}'.format(track_id, score)


def _draw_label(image, text, box, size):
    """Write white on black, above the box but inside the image."""
    font, scale, width = cv2.FONT_HERSHEY_SIMPLEX, 0.5 * size, max(1, int(round(size)))
    (text_width, text_height), below = cv2.getTextSize(text, font, scale, width)
    x = int(min(max(box[0], 0), max(0, image.shape[1] - text_width)))
    y = int(min(max(box[1] - 6 * size, text_height + 1), image.shape[0] - 1))
    cv2.rectangle(image, (x, y - text_height - 1), (x + text_width, y + below), (0, 0, 0),
                  cv2.FILLED)
    cv2.putText(image, text, (x, y), font, scale, (255, 255, 255), width, cv2.LINE_AA)
