# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""camera_info belongs to the image of its stamp; a constant one also serves the next."""
import threading

from builtin_interfaces.msg import Time
from graph import blue, image_message, InputNode, RELIABLE
import numpy as np
import pytest
from sensor_msgs.msg import CameraInfo, Image, RegionOfInterest
from visualization_msgs.msg import Marker, MarkerArray

from pose_ros.core.camera import is_rectified
from pose_ros.core.frame import Frame
from pose_ros.msg import SkeletonArray
from pose_ros.nodes import calibration
from pose_ros.nodes.calibration import Calibration
from pose_ros.nodes.qos import CAMERA_INFO_QOS


@pytest.fixture
def make(monkeypatch):
    monkeypatch.setattr(calibration, 'subscription_qos', lambda node, topic, qos: CAMERA_INFO_QOS)

    def make(rectified=False):
        node = InputNode('/pose/front/camera_info', publishers=0)
        return Calibration(node, 'front/camera_info', rectified), node.warnings
    return make


def info(stamp, width=640, height=480, focal_length=400.0, **fields):
    message = CameraInfo(width=width, height=height, distortion_model='plumb_bob', **fields)
    message.header.stamp = Time(sec=stamp[0], nanosec=stamp[1])
    message.k = [focal_length, 0.0, width / 2.0, 0.0, focal_length, height / 2.0, 0.0, 0.0, 1.0]
    message.p = [300.0, 0.0, 310.0, 0.0, 0.0, 300.0, 230.0, 0.0, 0.0, 0.0, 1.0, 0.0]
    return message


def stamp(sec, nanosec=0):
    return Time(sec=sec, nanosec=nanosec)


def frame(camera=None, width=640, height=480):
    return Frame(np.zeros((height, width, 3), np.uint8), camera=camera)


def test_the_exact_stamp_matches_whatever_else_is_known(make):
    found, warnings = make()
    found.add(info((7, 100), focal_length=400.0))
    found.add(info((7, 101), focal_length=500.0))
    assert found.find(stamp(7, 100), 640, 480).fx == 400.0
    assert found.find(stamp(7, 101), 640, 480).fx == 500.0
    assert found.find(stamp(7, 102), 640, 480) is None  # it varies
    assert found.find(stamp(7, 99), 640, 480) is None
    assert not warnings


def test_a_constant_calibration_serves_an_image_before_its_own_message(make):
    found, _ = make()
    assert found.find(stamp(2), 640, 480) is None
    found.add(info((1, 0)))
    assert found.find(stamp(2), 640, 480).fx == 400.0  # the only one so far
    assert found.find(stamp(0, 5), 640, 480) is None  # it is not before the image
    found.add(info((2, 0)))
    assert found.find(stamp(3), 640, 480).fx == 400.0
    assert found.find(stamp(3), 320, 240) is None  # images of another size
    late = frame(found.find(stamp(3), 640, 480))
    found.add(info((3, 0), focal_length=500.0))  # a zoom: the image's own message counts
    assert found.settle(stamp(3), late).fx == 500.0
    assert found.find(stamp(4), 640, 480) is None


def test_an_image_waits_for_its_own_message_within_a_bound(make, monkeypatch):
    monkeypatch.setattr(calibration, '_LONGEST_WAIT', 20.0)
    found, _ = make()
    found._subscription = found._node.publishers = 1
    adding = threading.Timer(0.2, found.add, (info((1, 0)),))
    adding.start()
    assert found.find(stamp(1), 640, 480).fx == 400.0
    adding.join()
    monkeypatch.setattr(calibration, '_LONGEST_WAIT', 0.001)
    found.add(info((2, 0), focal_length=500.0))
    waits = []
    monkeypatch.setattr(found._arrival, 'wait_for', lambda *arguments: waits.append(1))
    for second in range(100, 150):
        assert found.find(stamp(second), 640, 480) is None
    assert len(waits) == 20  # then it gives up
    found._node.publishers = found._vain = 0
    assert found.find(stamp(200), 640, 480) is None and len(waits) == 20


def test_a_message_that_follows_its_image_is_used_after_inference(make):
    found, _ = make()
    assert found.find(stamp(1), 640, 480) is None
    early = frame()
    found.add(info((1, 0)))
    assert found.settle(stamp(1), early).fx == 400.0
    assert (found.matched, found.unmatched) == (1, 0)


def test_a_frame_keeps_the_camera_that_it_had(make):
    found, _ = make()
    found.add(info((1, 0)))
    camera = found.find(stamp(2), 640, 480)
    found.add(info((1, 500), focal_length=999.0))
    assert found.settle(stamp(2), frame(camera)) is camera


def test_old_messages_are_forgotten(make):
    found, _ = make()
    for second in range(1, 102):
        found.add(info((second, 0)))
    assert found.find(stamp(1), 640, 480) is None
    assert found.find(stamp(2), 640, 480) is not None
    assert found.received == 101


def test_stamps_that_never_match_are_reported_once(make):
    found, warnings = make()
    found.add(info((0, 0), focal_length=300.0))
    for second in range(1, 61):
        found.add(info((second, 0), focal_length=400.0 + second))
        assert found.settle(stamp(second, 5), frame()) is None
    assert len(warnings) == 1 and 'never with the stamp of an image' in warnings[0]
    assert warnings[0].startswith('/pose/front/camera_info: ')
    assert found.problem == warnings[0] and found.unmatched == 60


def test_a_camera_without_camera_info_is_no_problem(make):
    found, warnings = make()
    for second in range(60):
        assert found.settle(stamp(second), frame()) is None
    assert not warnings and not found.problem


@pytest.mark.parametrize('change, text', [
    ({'focal_length': 0.0}, 'not calibrated'), ({'width': 0}, 'image size 0 x 480'),
    ({'d': [0.1, 0.2, 0.3]}, '3 distortion coefficients')])
def test_an_invalid_message_is_counted_and_logged_once(make, change, text):
    found, warnings = make()
    for second in range(3):
        found.add(info((second, 0), **change))
        assert found.settle(stamp(second), frame()) is None
    assert found.invalid == 3 and found.matched == found.unmatched == 0
    assert len(warnings) == 1 and text in warnings[0]


def test_another_size_is_scaled_and_another_aspect_refused(make):
    found, warnings = make()
    found.add(info((1, 0), width=320, height=240))
    camera = found.find(stamp(1), 640, 480)
    assert (camera.width, camera.fx, camera.cx) == (640, 800.0, 320.5)
    assert not warnings
    assert found.find(stamp(1), 640, 360) is None
    assert 'describes images of 320 x 240, but this one has 640 x 360' in warnings[0]


def test_rectified_images_use_p(make):
    found, _ = make(rectified=True)
    found.add(info((1, 0), d=[0.1, 0.0, 0.0, 0.0, 0.0]))
    camera = found.find(stamp(1), 640, 480)
    assert (camera.fx, camera.cx, camera.cy, camera.distortion) == (300, 310, 230, ())
    found, _ = make(rectified=False)
    found.add(info((1, 0), d=[0.1, 0.0, 0.0, 0.0, 0.0]))
    assert found.find(stamp(1), 640, 480).distortion[0] == 0.1


@pytest.mark.parametrize('topic, rectified', [
    ('/camera/image_rect', True), ('/camera/image_rect_color', True), ('/rect', True),
    ('/camera/color/image_rect_raw', True), ('image_rect', True),
    ('/camera/image_raw', False), ('/rect/image', False), ('/camera/direct', False),
    ('/image_rectangle', False)])
def test_rectified_topics(topic, rectified):
    assert is_rectified('auto', topic) is rectified
    assert is_rectified('always', topic) is True and is_rectified('never', topic) is False


def test_markers_follow_the_region_of_interest_of_late_messages(graph, tiny_model):
    """Half the width of a sensor, at its right side; each camera_info comes after its image."""
    process = graph.start_estimator(tiny_model)
    seen = graph.collect(MarkerArray, 'markers')
    arrays = graph.collect(SkeletonArray, 'skeletons')
    images = graph.node.create_publisher(Image, 'image', RELIABLE)
    infos = graph.node.create_publisher(CameraInfo, 'camera_info', RELIABLE)
    graph.wait(lambda: infos.get_subscription_count(), 'a match', process)
    roi = RegionOfInterest(x_offset=320, width=320, height=480)

    def spheres(second):
        return [marker for message in seen for marker in message.markers
                if marker.type == Marker.SPHERE_LIST and marker.header.stamp.sec == second]

    def received():
        return int(graph.values().get('camera_info received', 0))
    for second in range(100, 104):
        graph.send_while(images, image_message(blue(320, 480), (second, 0)),
                         lambda second=second: spheres(second), 'markers', process)
        known = received()
        graph.send_while(infos, info((second, 0), roi=roi),
                         lambda known=known: received() > known, 'the camera_info', process)
    points = [(point.x, point.y, point.z) for point in spheres(103)[0].points]
    # In the sensor's 640 columns the right half looks to the right.
    pixels = [(400.0 * x / z + 320.0 - 320.0, 400.0 * y / z + 240.0) for x, y, z in points]
    assert all(x > 0 for x, _, _ in points)
    keypoints = np.array([(keypoint.x, keypoint.y) for skeleton in arrays[-1].skeletons
                          for keypoint in skeleton.keypoints if keypoint.confidence > 0])
    for pixel in pixels:
        assert np.abs(keypoints - pixel).max(1).min() < 0.1

    def counted():
        values = graph.values(camera='')
        return 3 <= int(values['frames with camera_info']) < int(values['frames processed'])
    graph.wait(counted, 'the counts', process)
