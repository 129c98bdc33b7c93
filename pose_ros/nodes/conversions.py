# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Core data to messages."""
import math

from geometry_msgs.msg import Point
from std_msgs.msg import Header

from pose_ros.core.people import People
from pose_ros.core.topology import Topology
from pose_ros.msg import BoundingBox2D, Keypoint, Skeleton, SkeletonArray, SkeletonTopology


def to_skeleton_array(header: Header, people: People, topology: Topology, width: int,
                      height: int) -> SkeletonArray:
    """Build the message for one image of width x height px; the header is used as it is."""
    unknown = Point(x=math.nan, y=math.nan, z=math.nan)  # shared: messages only read it
    skeletons = []
    for joints, score, track_id, box in zip(people.keypoints.tolist(), people.scores.tolist(),
                                            people.track_ids.tolist(), people.boxes.tolist()):
        keypoints = [Keypoint(id=index, x=x, y=y, confidence=confidence, position=unknown)
                     for index, (x, y, confidence) in enumerate(joints)]
        skeletons.append(Skeleton(
            track_id=track_id, format=topology.format_id, confidence=score, keypoints=keypoints,
            bbox=BoundingBox2D(x=box[0], y=box[1], width=box[2], height=box[3]), position=unknown))
    return SkeletonArray(
        header=header, image_width=width, image_height=height, skeletons=skeletons)


def to_topology(topology: Topology) -> SkeletonTopology:
    """Describe a format for the latched topic."""
    return SkeletonTopology(
        format=topology.format_id, name=topology.name,
        keypoint_names=list(topology.keypoint_names),
        limbs=[joint for limb in topology.limbs for joint in limb], mirror=list(topology.mirror))
