# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Drawings cost nothing while nobody looks; markers show what they should."""
import types

import numpy as np
from sensor_msgs.msg import CameraInfo, Image
from std_msgs.msg import Header
from visualization_msgs.msg import Marker, MarkerArray

from pose_ros.core.people import make_people
from pose_ros.core.topology import get_topology
from pose_ros.msg import SkeletonArray, SkeletonTopology
from pose_ros.nodes.markers import Pinhole, to_markers
from pose_ros.nodes.output import PeopleOutput

TOPOLOGY = get_topology('coco_18')


class _Publisher:
    def __init__(self):
        self.listeners, self.messages = 0, []

    def get_subscription_count(self):
        return self.listeners

    def publish(self, message):
        self.messages.append(message)


def _output():
    publishers = {}

    def create(kind, name, qos):
        return publishers.setdefault(kind, _Publisher())
    node = types.SimpleNamespace(create_lifecycle_publisher=create)
    return PeopleOutput(node, TOPOLOGY), publishers


def _person(x=100.0, y=50.0):
    keypoints = np.full((1, 18, 3), np.nan)
    keypoints[..., 2] = 0
    keypoints[0, 1], keypoints[0, 2] = (x, y, 0.9), (x - 20, y, 0.8)
    return make_people(keypoints, [0.7])


def test_drawings_only_while_somebody_listens():
    output, publishers = _output()
    image = np.zeros((120, 160, 3), np.uint8)
    image.setflags(write=False)  # it may be a view of the message
    output.publish(Header(), image, _person(), None, True, 2.0)
    assert len(publishers[SkeletonArray].messages) == 1
    assert not publishers[Image].messages and not publishers[MarkerArray].messages
    publishers[Image].listeners = publishers[MarkerArray].listeners = 1
    output.publish(Header(), image, _person(), None, True, 2.0)
    overlay = publishers[Image].messages[0]
    assert np.frombuffer(overlay.data, np.uint8).any() and not image.any()
    assert len(publishers[MarkerArray].messages[0].markers) == 4


def test_topology_and_last_word():
    output, publishers = _output()
    output.publish_topology()
    assert publishers[SkeletonTopology].messages[0].name == 'coco_18'
    now = types.SimpleNamespace(to_msg=lambda: Header().stamp)
    output._node.get_clock = lambda: types.SimpleNamespace(now=lambda: now)
    output.clear()
    assert len(publishers[SkeletonArray].messages[-1].skeletons) == 0
    assert publishers[MarkerArray].messages[-1].markers[0].action == Marker.DELETEALL


def test_markers_follow_the_calibration():
    info = CameraInfo(width=320, height=240)
    info.k = [200.0, 0.0, 159.5, 0.0, 200.0, 119.5, 0.0, 0.0, 1.0]
    camera = Pinhole.from_camera_info(info, 640, 480)  # an image twice the calibrated size
    assert (camera.fx, camera.cx, camera.cy) == (400.0, 319.5, 239.5)
    header = Header(frame_id='optical')
    markers = to_markers(header, _person(519.5, 39.5), TOPOLOGY, camera, 2.0).markers
    joints = next(marker for marker in markers if marker.type == Marker.SPHERE_LIST)
    assert joints.header.frame_id == 'optical' and joints.pose.orientation.w == 1
    assert (joints.points[0].x, joints.points[0].y, joints.points[0].z) == (1.0, -1.0, 2.0)
    bones = next(marker for marker in markers if marker.type == Marker.LINE_LIST)
    assert len(bones.points) == len(bones.colors) == 2
    label = next(marker for marker in markers if marker.type == Marker.TEXT_VIEW_FACING)
    assert label.text == '0.70' and label.pose.position.y < -1.0


def test_a_guessed_camera_without_calibration():
    for info in (None, CameraInfo(width=640, height=480)):
        camera = Pinhole.from_camera_info(info, 640, 480)
        assert (camera.fx, camera.cx, camera.cy) == (640, 319.5, 239.5)
