# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Carry people from one skeleton format to another, joint by joint, by name."""
import numpy as np

from pose_ros.core.errors import PoseRosError
from pose_ros.core.people import People, make_people
from pose_ros.core.topology import Topology

# Joints that formats leave out because they lie halfway between two others.
_MIDPOINTS = {
    'neck': ('left_shoulder', 'right_shoulder'),
    'mid_hip': ('left_hip', 'right_hip'),
    'pelvis': ('left_hip', 'right_hip'),
}


def convert_people(people: People, source: Topology, target: Topology) -> People:
    """Return the same people, scores and track ids with `target`'s joints, (P, target.size, 3).

    A joint is taken by name. Where the source format lacks it, neck, mid_hip and pelvis are the
    midpoint of the shoulders or hips, with the lower of the two scores; anything else is missing.
    PoseRosError if the formats share no joint.
    """
    if source == target:
        return people
    parents = [_parents(name, source) for name in target.keypoint_names]
    if not any(parents):
        raise PoseRosError('{} people cannot be turned into {}: the two formats share no '
                           'joint'.format(source.name, target.name))
    first, second = np.array([pair or (0, 0) for pair in parents]).T
    one, other = people.keypoints[:, first], people.keypoints[:, second]
    keypoints = np.minimum(one, other)
    keypoints[..., :2] = (one[..., :2] + other[..., :2]) / 2
    keypoints[:, [pair is None for pair in parents]] = 0
    return make_people(keypoints, people.scores, people.track_ids, people.boxes,
                       parts=people.parts)


def _parents(name, source):
    """Return the two source joints to average (the joint itself twice if it is there), or None."""
    names = (name, name) if name in source.keypoint_names else _MIDPOINTS.get(name, ())
    pair = tuple(source.index(parent) for parent in names)
    return pair if pair and None not in pair else None
