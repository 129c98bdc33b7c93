# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""People as messages of msg/, for whatever library has their classes: ROS 2, or one of bags."""
import math
from typing import Any, NamedTuple

import numpy as np

from pose_ros.core.body import body_positions
from pose_ros.core.people import People
from pose_ros.core.topology import Topology

PARTS = ('left_hand', 'right_hand', 'face')  # fields of Skeleton, and names in People.parts


class MessageKinds(NamedTuple):
    """The classes of the messages; each takes its fields as keyword arguments."""

    Point: Any
    BoundingBox2D: Any
    Keypoint: Any
    Skeleton: Any
    SkeletonArray: Any
    SkeletonTopology: Any


def skeleton_array(kinds: MessageKinds, header, people: People, topology: Topology, width: int,
                   height: int):
    """Return the SkeletonArray of one image of width x height px; the header is used as it is."""
    unknown = kinds.Point(x=math.nan, y=math.nan, z=math.nan)  # shared: messages only read it
    positions = body_positions(people.positions, topology)
    skeletons = []
    for person in range(people.count):
        left, top, across, down = people.boxes[person].tolist()
        position, = _points(kinds, positions[person:person + 1], unknown)
        parts = {name: [] for name in PARTS}
        for name, points in people.parts.items():
            if (points[person, :, 2] > 0).any():
                places = people.part_positions.get(name)
                parts[name] = _keypoints(
                    kinds, points[person], [unknown] * points.shape[1] if places is None
                    else _points(kinds, places[person], unknown))
        skeletons.append(kinds.Skeleton(
            track_id=int(people.track_ids[person]), format=topology.format_id,
            confidence=float(people.scores[person]),
            keypoints=_keypoints(kinds, people.keypoints[person],
                                 _points(kinds, people.positions[person], unknown)),
            bbox=kinds.BoundingBox2D(x=left, y=top, width=across, height=down), position=position,
            **parts))
    return kinds.SkeletonArray(
        header=header, image_width=width, image_height=height, skeletons=skeletons)


def _keypoints(kinds, points, positions):
    return [kinds.Keypoint(id=index, x=x, y=y, confidence=confidence, position=position)
            for index, ((x, y, confidence), position)
            in enumerate(zip(points.tolist(), positions))]


def _points(kinds, positions, unknown):
    """Return a Point per position (N, 3) [m], `unknown` for NaN."""
    if np.isnan(positions[:, 0]).all():
        return [unknown] * len(positions)
    return [unknown if math.isnan(x) else kinds.Point(x=x, y=y, z=z)
            for x, y, z in positions.tolist()]


def skeleton_topology(kinds: MessageKinds, topology: Topology):
    """Return the SkeletonTopology of a skeleton format, for the latched topic."""
    return kinds.SkeletonTopology(
        format=topology.format_id, name=topology.name,
        keypoint_names=list(topology.keypoint_names),
        limbs=[keypoint for limb in topology.limbs for keypoint in limb],
        mirror=list(topology.mirror))
