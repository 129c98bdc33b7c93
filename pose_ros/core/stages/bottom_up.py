# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""One network finds all people of a frame at once."""
import numpy as np

from pose_ros.core.network import Network
from pose_ros.core.people import make_people
from pose_ros.core.regions import whole
from pose_ros.core.stages.stage import Stage


class BottomUp(Stage):
    """Runs a network on whole frames; the people of the stages before are replaced."""

    name = 'bottom_up'

    def __init__(self, network: Network):
        """Take a network whose decoder finds all people of a region."""
        super(BottomUp, self).__init__()
        self.networks = (network,)

    def __call__(self, frames, people):
        """See Stage.__call__."""
        regions = [whole(index, *frame.size) for index, frame in enumerate(frames)]
        return [to_people(found, transform)
                for found, transform in self.networks[0].find(frames, regions)]


def to_people(found, transform):
    """Carry what was Found in a region to People in the pixels of the image."""
    keypoints = found.keypoints.astype(np.float64)
    keypoints[..., :2] = transform.to_image(keypoints[..., :2])
    boxes = found.boxes if np.isnan(found.boxes).all() else transform.boxes_to_image(found.boxes)
    return make_people(keypoints, found.scores, boxes=boxes)
