# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Single-person networks: their interface, and the crop of a person that they get."""
import abc

import cv2
import numpy as np

from pose_ros.core.topology import Topology

_MARGIN = 1.3   # side of the crop over the longer side of the box


class SinglePersonTeacher(abc.ABC):
    """A network that finds the keypoints of one person in a crop of that person.

    `topology` lists its keypoints; `identity` is a hash of its weights.
    """

    topology: Topology
    identity: str

    @abc.abstractmethod
    def keypoints(self, crop: np.ndarray) -> np.ndarray:
        """Return (K, 3) x, y [px], confidence (0 to 1) for an (H, W, 3) uint8 BGR image."""


def person_crop(image: np.ndarray, box: np.ndarray):
    """Return a square crop around a box (left, top, width, height) [px], and its corner (x, y).

    Pixels outside the image are gray.
    """
    side = max(8, int(round(_MARGIN * max(box[2:]))))
    left, top = (int(round(start + length / 2 - side / 2)) for start, length in
                 zip(box[:2], box[2:]))
    height, width = image.shape[:2]
    inside = image[max(top, 0):max(top + side, 0), max(left, 0):max(left + side, 0)]
    above, before = min(max(-top, 0), side), min(max(-left, 0), side)
    crop = cv2.copyMakeBorder(inside, above, side - above - inside.shape[0], before,
                              side - before - inside.shape[1], cv2.BORDER_CONSTANT,
                              value=(128, 128, 128)) if inside.size else \
        np.full((side, side, 3), 128, np.uint8)
    return crop, np.array([left, top], np.float32)
