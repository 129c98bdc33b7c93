# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Convert people from one skeleton format to another, by the names of keypoints."""
import numpy as np

from pose_ros.core.errors import PoseRosError
from pose_ros.core.people import People, make_people
from pose_ros.core.topology import Topology

# Keypoints halfway between two others, which some formats leave out.
_MIDPOINTS = {
    'neck': ('left_shoulder', 'right_shoulder'),
    'mid_hip': ('left_hip', 'right_hip'),
    'pelvis': ('left_hip', 'right_hip'),
}


def convert_people(people: People, source: Topology, target: Topology) -> People:
    """Return the same people, scores and track ids with keypoints (P, target.size, 3).

    Keypoints are matched by name. If the source format lacks neck, mid_hip or pelvis, it is the
    midpoint of the shoulders or hips, with the lower of the two scores; other keypoints that it
    lacks are missing. So are positions. PoseRosError if the formats share no keypoint.
    """
    if source == target:
        return people
    parents = [_parents(name, source) for name in target.keypoint_names]
    if not any(parents):
        raise PoseRosError('people of the format {} cannot be converted to {}: the formats '
                           'share no keypoint'.format(source.name, target.name))
    first, second = np.array([pair or (0, 0) for pair in parents]).T
    one, other = people.keypoints[:, first], people.keypoints[:, second]
    keypoints = np.minimum(one, other)
    keypoints[..., :2] = (one[..., :2] + other[..., :2]) / 2
    positions = (people.positions[:, first] + people.positions[:, second]) / 2
    lacking = [pair is None for pair in parents]
    keypoints[:, lacking], positions[:, lacking] = 0, np.nan
    converted = make_people(keypoints, people.scores, people.track_ids, people.boxes, positions,
                            people.parts)
    return converted._replace(part_positions=people.part_positions)


def _parents(name, source):
    """Return the two source keypoints to average (the same one twice if it exists), or None."""
    names = (name, name) if name in source.keypoint_names else _MIDPOINTS.get(name, ())
    pair = tuple(source.index(parent) for parent in names)
    return pair if pair and None not in pair else None
