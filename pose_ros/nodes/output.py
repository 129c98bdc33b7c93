# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""What is published for one camera: skeletons always, drawings only while somebody looks."""
import numpy as np
from sensor_msgs.msg import Image
from std_msgs.msg import Header
from visualization_msgs.msg import MarkerArray

from pose_ros.core.camera import guessed_pinhole, pinhole_from_camera_info
from pose_ros.core.draw import draw_people
from pose_ros.core.people import People, no_people
from pose_ros.core.topology import Topology
from pose_ros.msg import SkeletonArray, SkeletonTopology
from pose_ros.nodes.conversions import to_skeleton_array, to_topology
from pose_ros.nodes.image_codec import encode_bgr8
from pose_ros.nodes.interface import MARKERS_TOPIC, OVERLAY_TOPIC, SKELETONS_TOPIC, TOPOLOGY_TOPIC
from pose_ros.nodes.markers import delete_all, to_markers
from pose_ros.nodes.qos import DRAWING_QOS, LATCHED_QOS, SKELETONS_QOS


class PeopleOutput:
    """The lifecycle publishers of one camera."""

    def __init__(self, node, topology: Topology):
        """Create the publishers; they are silent until the node is active."""
        self._node, self._topology = node, topology
        create = node.create_lifecycle_publisher
        self._skeletons = create(SkeletonArray, SKELETONS_TOPIC, SKELETONS_QOS)
        self._markers = create(MarkerArray, MARKERS_TOPIC, DRAWING_QOS)
        self._overlay = create(Image, OVERLAY_TOPIC, DRAWING_QOS)
        self._latched = create(SkeletonTopology, TOPOLOGY_TOPIC, LATCHED_QOS)
        self._drawn = Image()  # its buffer serves one overlay after the other

    def publish_topology(self) -> None:
        """Latch the names and limbs of the keypoints."""
        self._latched.publish(to_topology(self._topology))

    def publish(self, header: Header, image: np.ndarray, people: People, camera_info,
                labels: bool, marker_distance: float) -> None:
        """Publish one image's people; `image` (H, W, 3) BGR is copied before it is drawn on."""
        height, width = image.shape[:2]
        self._skeletons.publish(to_skeleton_array(header, people, self._topology, width, height))
        if self._markers.get_subscription_count():
            camera = guessed_pinhole(width, height) if camera_info is None else \
                pinhole_from_camera_info(camera_info).scaled(width, height)
            self._markers.publish(
                to_markers(header, people, self._topology, camera, marker_distance))
        if self._overlay.get_subscription_count():
            drawn = draw_people(image.copy(), people, self._topology, labels)
            self._overlay.publish(encode_bgr8(drawn, header, self._drawn))

    def clear(self) -> None:
        """Publish that nobody is seen, so that consumers and RViz do not keep the last people."""
        header = Header(stamp=self._node.get_clock().now().to_msg())
        self._skeletons.publish(
            to_skeleton_array(header, no_people(self._topology), self._topology, 0, 0))
        self._markers.publish(delete_all(header))

    def destroy(self) -> None:
        """Destroy the publishers."""
        for publisher in (self._skeletons, self._markers, self._overlay, self._latched):
            self._node.destroy_lifecycle_publisher(publisher)
