# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Made-up people of known boxes and scores."""
import numpy as np

from pose_ros.core.people import make_people


def person(x=0.0, y=0.0, size=100.0, score=0.8, found=17):
    """One made-up person within a square, with the first `found` keypoints."""
    random = np.random.RandomState(3)
    keypoints = np.zeros((17, 3))
    keypoints[:, :2] = random.uniform(0, size, (17, 2)) + (x, y)
    keypoints[0, :2], keypoints[1, :2] = (x, y), (x + size, y + size)  # so that the box is known
    keypoints[:, 2] = score
    keypoints[found:] = 0
    return keypoints


def crowd(*people):
    scores = [keypoints[:, 2].max() for keypoints in people]
    return make_people(np.array(people), np.array(scores))
