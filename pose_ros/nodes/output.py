# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""What is published for one camera: skeletons always, drawings only with a subscriber."""
import math
from typing import Optional, Sequence

from geometry_msgs.msg import Point
import numpy as np
from sensor_msgs.msg import Image
from std_msgs.msg import Header
from visualization_msgs.msg import MarkerArray

from pose_ros.core.body import body_positions
from pose_ros.core.camera import Pinhole, guessed_pinhole
from pose_ros.core.draw import draw_people
from pose_ros.core.frame import Frame
from pose_ros.core.people import People, no_people
from pose_ros.core.topology import Topology
from pose_ros.msg import BoundingBox2D, Keypoint, Skeleton, SkeletonArray, SkeletonTopology
from pose_ros.nodes.image_codec import encode_bgr8
from pose_ros.nodes.interface import CameraTopics
from pose_ros.nodes.markers import delete_all, plane_markers, space_markers
from pose_ros.nodes.optional_output import OptionalOutput
from pose_ros.nodes.qos import DRAWING_QOS, SKELETONS_QOS, create_publisher


class PeopleOutput:
    """The lifecycle publishers of one camera; they are silent until the node is active."""

    def __init__(self, node, topics: CameraTopics, topology: Topology, panels: bool = True,
                 others: Sequence[OptionalOutput] = ()):
        """Create the publishers; PoseRosError if a qos_override is invalid.

        panels: whether there are drawings of what the network sees. others: they belong to it.
        """
        self._node, self._topology = node, topology
        self._publishers, self._others = [], list(others)
        # Their buffers serve one drawing after the other.
        self._drawn, self._paneled = Image(), Image()
        try:
            self._skeletons = self._create(SkeletonArray, topics.skeletons, SKELETONS_QOS)
            self._markers = self._create(MarkerArray, topics.markers, DRAWING_QOS)
            self._overlay = self._create(Image, topics.overlay, DRAWING_QOS)
            self._panels = self._create(Image, topics.panels, DRAWING_QOS) if panels else None
        except Exception:
            self.destroy()
            raise

    @property
    def has_subscribers(self) -> bool:
        """Return whether one of the topics has a subscriber."""
        return any(publisher.get_subscription_count() for publisher in self._publishers) \
            or any(other.has_subscribers for other in self._others)

    @property
    def topic(self) -> str:
        """The resolved name of the skeletons' topic."""
        return self._skeletons.topic_name

    def publish(self, header: Header, frame: Frame, people: People, camera: Optional[Pinhole],
                labels: bool, marker_distance: float) -> None:
        """Publish one frame's people; the image is copied before it is drawn on.

        camera None: the markers use a guessed one. With depth they are in space.
        """
        width, height = frame.size
        self._skeletons.publish(to_skeleton_array(header, people, self._topology, width, height))
        for other in self._others:
            other.publish(header, people, width, height)
        if self._markers.get_subscription_count():
            self._markers.publish(
                space_markers(header, people, self._topology)
                if frame.depth is not None and frame.camera is not None
                else plane_markers(header, people, self._topology,
                                   camera or guessed_pinhole(width, height), marker_distance))
        if self._overlay.get_subscription_count():
            drawn = draw_people(frame.image.copy(), people, self._topology, labels)
            self._overlay.publish(encode_bgr8(drawn, header, self._drawn))

    @property
    def shows_panels(self) -> bool:
        """Return whether the drawings of what the network sees have a subscriber."""
        return self._panels is not None and self._panels.get_subscription_count() > 0

    def publish_panels(self, header: Header, drawing: np.ndarray) -> None:
        """Publish such a drawing (H, W, 3) uint8 BGR."""
        self._panels.publish(encode_bgr8(drawing, header, self._paneled))

    def clear(self) -> None:
        """Publish an empty SkeletonArray of image size 0: consumers drop the last people."""
        header = Header(stamp=self._node.get_clock().now().to_msg())
        self._skeletons.publish(
            to_skeleton_array(header, no_people(self._topology), self._topology, 0, 0))
        self._markers.publish(delete_all(header))
        for other in self._others:
            other.clear(header)

    def destroy(self) -> None:
        """Destroy the publishers."""
        for publisher in self._publishers:
            self._node.destroy_lifecycle_publisher(publisher)
        for other in self._others:
            other.destroy()
        self._publishers, self._others = [], []

    def _create(self, kind, topic, qos):
        self._publishers.append(create_publisher(self._node, kind, topic, qos))
        return self._publishers[-1]


def to_skeleton_array(header: Header, people: People, topology: Topology, width: int,
                      height: int) -> SkeletonArray:
    """Build the message for one image of width x height px; the header is used as it is."""
    unknown = Point(x=math.nan, y=math.nan, z=math.nan)  # shared: messages only read it
    positions = body_positions(people.positions, topology)
    skeletons = []
    for person in range(people.count):
        left, top, across, down = people.boxes[person].tolist()
        position, = _points(positions[person:person + 1], unknown)
        skeleton = Skeleton(
            track_id=int(people.track_ids[person]), format=topology.format_id,
            confidence=float(people.scores[person]),
            keypoints=_keypoints(people.keypoints[person],
                                 _points(people.positions[person], unknown)),
            bbox=BoundingBox2D(x=left, y=top, width=across, height=down), position=position)
        for name, points in people.parts.items():
            if (points[person, :, 2] > 0).any():
                places = people.part_positions.get(name)
                setattr(skeleton, name, _keypoints(
                    points[person], [unknown] * points.shape[1] if places is None
                    else _points(places[person], unknown)))
        skeletons.append(skeleton)
    return SkeletonArray(
        header=header, image_width=width, image_height=height, skeletons=skeletons)


def _keypoints(points, positions):
    return [Keypoint(id=index, x=x, y=y, confidence=confidence, position=position)
            for index, ((x, y, confidence), position)
            in enumerate(zip(points.tolist(), positions))]


def _points(positions, unknown):
    """Return a Point per position (N, 3) [m], `unknown` for NaN."""
    if np.isnan(positions[:, 0]).all():
        return [unknown] * len(positions)
    return [unknown if math.isnan(x) else Point(x=x, y=y, z=z)
            for x, y, z in positions.tolist()]


def to_topology(topology: Topology) -> SkeletonTopology:
    """Describe a skeleton format for the latched topic."""
    return SkeletonTopology(
        format=topology.format_id, name=topology.name,
        keypoint_names=list(topology.keypoint_names),
        limbs=[keypoint for limb in topology.limbs for keypoint in limb],
        mirror=list(topology.mirror))
