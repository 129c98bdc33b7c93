# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Drawings only while somebody subscribes; markers follow the calibration."""
import types

import numpy as np
import pytest
from sensor_msgs.msg import Image
from std_msgs.msg import Header
from visualization_msgs.msg import Marker, MarkerArray

from pose_ros.core.camera import Pinhole
from pose_ros.core.frame import Frame
from pose_ros.core.people import make_people
from pose_ros.core.topology import get_topology
from pose_ros.msg import SkeletonArray
from pose_ros.nodes.interface import camera_topics
from pose_ros.nodes.markers import plane_markers, space_markers
from pose_ros.nodes.output import PeopleOutput, to_skeleton_array, to_topology

TOPOLOGY = get_topology('coco_18')


class _Publisher:
    def __init__(self):
        self.listeners, self.messages = 0, []

    def get_subscription_count(self):
        return self.listeners

    def publish(self, message):
        self.messages.append(message)


@pytest.fixture
def output(monkeypatch):
    """Return a PeopleOutput, and its publishers by message type."""
    publishers = {}
    monkeypatch.setattr('pose_ros.nodes.output.create_publisher', lambda node, kind, name, qos:
                        publishers.setdefault(kind, _Publisher()))
    now = types.SimpleNamespace(to_msg=lambda: Header().stamp)
    node = types.SimpleNamespace(get_clock=lambda: types.SimpleNamespace(now=lambda: now))
    return PeopleOutput(node, camera_topics(''), TOPOLOGY), publishers


def _person(x=100.0, y=50.0):
    keypoints = np.full((1, 18, 3), np.nan)
    keypoints[..., 2] = 0
    keypoints[0, 1], keypoints[0, 2] = (x, y, 0.9), (x - 20, y, 0.8)
    return make_people(keypoints, [0.7])


def test_drawings_only_while_there_is_a_subscriber(output):
    output, publishers = output
    image = np.zeros((120, 160, 3), np.uint8)
    image.setflags(write=False)  # it may be a view of the message
    output.publish(Header(), Frame(image), _person(), None, True, 2.0)
    assert len(publishers[SkeletonArray].messages) == 1
    assert not publishers[Image].messages and not publishers[MarkerArray].messages
    assert not output.has_subscribers
    publishers[Image].listeners = publishers[MarkerArray].listeners = 1
    assert output.has_subscribers
    output.publish(Header(), Frame(image), _person(), None, True, 2.0)
    overlay = publishers[Image].messages[0]
    assert np.frombuffer(overlay.data, np.uint8).any() and not image.any()
    assert len(publishers[MarkerArray].messages[0].markers) == 4


def test_markers_without_calibration_use_a_guessed_camera(output):
    output, publishers = output
    publishers[MarkerArray].listeners = 1
    frame = Frame(np.zeros((480, 640, 3), np.uint8))
    for camera, x in ((None, 1.0), (Pinhole(640, 480, 320.0, 320.0, 319.5, 239.5), 2.0)):
        output.publish(Header(), frame, _person(639.5, 239.5), camera, True, 2.0)
        keypoints = publishers[MarkerArray].messages[-1].markers[1]
        assert keypoints.points[0].x == pytest.approx(x)


def test_topology_and_the_empty_message(output):
    output, publishers = output
    assert to_topology(TOPOLOGY).name == 'coco_18'
    output.clear()
    assert len(publishers[SkeletonArray].messages[-1].skeletons) == 0
    assert publishers[MarkerArray].messages[-1].markers[0].action == Marker.DELETEALL


def _keypoint_markers(camera, distance=2.0):
    markers = plane_markers(Header(frame_id='optical'), _person(519.5, 39.5), TOPOLOGY, camera,
                         distance).markers
    return {marker.type: marker for marker in markers[1:]}


def test_markers_follow_the_calibration():
    markers = _keypoint_markers(Pinhole(640, 480, 400.0, 400.0, 319.5, 239.5))
    keypoints = markers[Marker.SPHERE_LIST]
    assert keypoints.header.frame_id == 'optical' and keypoints.pose.orientation.w == 1
    assert (keypoints.points[0].x, keypoints.points[0].y, keypoints.points[0].z) == (1, -1, 2)
    limbs = markers[Marker.LINE_LIST]
    assert len(limbs.points) == len(limbs.colors) == 2
    label = markers[Marker.TEXT_VIEW_FACING]
    assert label.text == '0.70' and label.pose.position.y < -1.0


@pytest.mark.parametrize('model, distortion', [
    ('plumb_bob', (-0.2, 0.05, 0.001, -0.002, 0.0)), ('equidistant', (0.1, -0.02, 0.0, 0.0))])
def test_markers_undo_the_distortion(model, distortion):
    camera = Pinhole(640, 480, 400.0, 400.0, 319.5, 239.5, distortion, model)
    points = _keypoint_markers(camera)[Marker.SPHERE_LIST].points
    # By OpenCV's projection, the markers fall on the pixels of the keypoints again.
    pixels = camera.project(np.array([(point.x, point.y, point.z) for point in points]))
    assert np.allclose(pixels, [(519.5, 39.5), (499.5, 39.5)], atol=0.01)
    assert abs(points[0].x - 1.0) > 0.01  # without distortion it would be 1


def test_a_person_without_keypoints_has_no_markers():
    people = _person()
    people.keypoints[:] = (np.nan, np.nan, 0)
    camera = Pinhole(640, 480, 400.0, 400.0, 319.5, 239.5)
    assert len(plane_markers(Header(), people, TOPOLOGY, camera, 2.0).markers) == 1


def _in_space():
    """Two people, one of them with positions."""
    one, two = _person(), _person(10)
    people = make_people(np.concatenate([one.keypoints, two.keypoints]), [.7, .6],
                         track_ids=[4, 5])
    people.positions[0, 1], people.positions[0, 2] = (1, 2, 3), (1.5, 2.5, 3.5)
    return people


def test_markers_in_space_are_where_people_are():
    removed, *markers = space_markers(Header(frame_id='optical'), _in_space(), TOPOLOGY).markers
    assert removed.action == Marker.DELETEALL
    assert {marker.ns for marker in markers} == {'skeleton/4'}
    keypoints, limbs, label = markers
    assert [(point.x, point.y, point.z) for point in keypoints.points] == [
        (1, 2, 3), (1.5, 2.5, 3.5)]
    assert keypoints.scale.x == pytest.approx(0.05) and len(limbs.points) == 2
    assert label.text == '#4 0.70' and label.pose.position.y < 2 and label.pose.position.z == 3


def test_hands_in_space():
    people = _in_space()
    hand = np.full((2, 21, 3), 0.5, np.float32)
    people = people._replace(parts={'left_hand': hand}, part_positions={'left_hand': 4 * hand})
    people.part_positions['left_hand'][:, 1:] = np.nan
    first, _ = to_skeleton_array(Header(), people, TOPOLOGY, 160, 120).skeletons
    assert (first.left_hand[0].position.x, first.left_hand[0].position.z) == (2, 2)
    assert np.isnan(first.left_hand[1].position.x) and first.left_hand[1].x == 0.5
    spheres = [marker for marker in space_markers(Header(), people, TOPOLOGY).markers
               if marker.type == Marker.SPHERE_LIST]
    assert [len(marker.points) for marker in spheres] == [2, 1]
    assert spheres[1].scale.x < spheres[0].scale.x and spheres[1].points[0].z == 2


def test_with_depth_markers_are_never_on_the_plane(output):
    output, publishers = output
    publishers[MarkerArray].listeners = 1
    camera = Pinhole(160, 120, 100.0, 100.0, 79.5, 59.5)
    frame = Frame(np.zeros((120, 160, 3), np.uint8), camera=camera,
                  depth=np.full((120, 160), np.nan, np.float32))
    for people, count in ((_in_space(), 4), (_person(), 1)):
        output.publish(Header(), frame, people, camera, True, 2.0)
        assert len(publishers[MarkerArray].messages[-1].markers) == count


def test_positions_in_messages():
    with_position, without = to_skeleton_array(
        Header(), _in_space(), TOPOLOGY, 160, 120).skeletons
    points = [keypoint.position for keypoint in with_position.keypoints]
    assert (points[1].x, points[1].y, points[1].z) == (1, 2, 3) and np.isnan(points[3].x)
    # The mean of neck and shoulder: the hips are not known.
    position = with_position.position
    assert (position.x, position.y, position.z) == pytest.approx((1.25, 2.25, 3.25))
    assert np.isnan([without.position.x, without.keypoints[1].position.z]).all()
