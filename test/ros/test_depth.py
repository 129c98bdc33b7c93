# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Positions in meters over DDS, from depth that belongs to the image, and from no other."""
import cv2
from graph import blue, image_message, RELIABLE
import numpy as np
import pytest
from sensor_msgs.msg import CameraInfo, CompressedImage, Image
from visualization_msgs.msg import Marker, MarkerArray

from pose_ros.msg import SkeletonArray
from pose_ros.nodes.depth_codec import encode_depth

FOCAL_LENGTH, LEFT, RIGHT = 400.0, 2.0, 2.4  # px, m: of the two people of the tiny network


def scene(width=640, height=480):
    """Depth of two flat people, one in each half of the image."""
    depth = np.full((height, width), LEFT, np.float32)
    depth[:, width // 2:] = RIGHT
    return depth


def camera_info(stamp, focal_length=FOCAL_LENGTH, frame_id='camera_optical_frame'):
    message = CameraInfo(width=640, height=480, distortion_model='plumb_bob')
    message.header = image_message(blue(2, 2), stamp, frame_id).header
    message.k = [focal_length, 0., 319.5, 0., focal_length, 239.5, 0., 0., 1.]
    return message


def raw(stamp, depth=None, frame_id='camera_optical_frame'):
    header = image_message(blue(2, 2), stamp, frame_id).header
    return encode_depth(scene() if depth is None else depth, header, Image())


def meters(stamp):
    """The same as 32FC1."""
    message = raw(stamp)
    message.encoding, message.step = '32FC1', 4 * 640
    message.data = scene().tobytes()
    return message


def compressed(stamp):
    done, data = cv2.imencode('.png', np.uint16(scene() * 1000))
    assert done
    message = CompressedImage(header=raw(stamp).header, format='16UC1; compressedDepth png')
    message.data = bytes(12) + data.tobytes()
    return message


class Sender:
    """Publishes images with depth and calibration, a second apart, until a condition holds."""

    def __init__(self, graph, depth_type=Image, prefix=''):
        self._graph, self._second = graph, 100
        suffix = '/compressedDepth' if depth_type is CompressedImage else ''
        self._image, self._depth, self._info = (
            graph.node.create_publisher(kind, prefix + topic, RELIABLE) for kind, topic in (
                (Image, 'image'), (depth_type, 'depth' + suffix), (CameraInfo, 'camera_info')))

    def until(self, condition, process, depth=raw, info=camera_info):
        last = [0.0]

        def holds():
            if not condition():
                self._second += 1
                stamp = self._second, 500000000
                if info:
                    self._info.publish(info(stamp))
                if depth:
                    self._depth.publish(depth(stamp))
                self._image.publish(image_message(blue(), stamp))
                self._graph.spin(0.15)
                last[0] = self._second
            return condition()
        self._graph.wait(holds, 'the answer', process)


def positions(message):
    return np.array([[(keypoint.position.x, keypoint.position.y, keypoint.position.z)
                      for keypoint in skeleton.keypoints] for skeleton in message.skeletons])


def lifted(message):
    """Whether all keypoints of two people have positions."""
    found = positions(message)
    return len(found) == 2 and np.isfinite(found).all()


@pytest.mark.parametrize('depth, options', [
    (raw, {}), (meters, {'smoothing': 'one_euro', 'depth_slop': 0.0}),
    (compressed, {'depth_transport': 'compressed'})])
def test_positions_are_where_the_camera_sees_the_keypoints(graph, tiny_model, depth, options):
    process = graph.start_estimator(tiny_model, **options)
    arrays = graph.collect(SkeletonArray, 'skeletons')
    markers = graph.collect(MarkerArray, 'markers')
    sender = Sender(graph, CompressedImage if depth is compressed else Image)
    sender.until(lambda: arrays and lifted(arrays[-1]) and arrays[-1].skeletons[0].track_id > 0,
                 process, depth)
    message = arrays[-1]
    for skeleton, found in zip(message.skeletons, positions(message)):
        pixels = np.array([(keypoint.x, keypoint.y) for keypoint in skeleton.keypoints])
        z = LEFT if pixels[:, 0].mean() < 320 else RIGHT
        np.testing.assert_allclose(found[:, 2], z, atol=2e-3)
        np.testing.assert_allclose(found[:, :2], (pixels - (319.5, 239.5)) / FOCAL_LENGTH * z,
                                   atol=1e-2)
        hips = found[[8, 11]].mean(0)
        assert (skeleton.position.x, skeleton.position.y, skeleton.position.z) \
            == pytest.approx(hips.tolist(), abs=1e-5)
    graph.wait(lambda: markers and len(markers[-1].markers) == 7, 'markers', process)
    depths = sorted(marker.points[0].z for marker in markers[-1].markers
                    if marker.type == Marker.SPHERE_LIST)
    assert depths == pytest.approx([LEFT, RIGHT], abs=2e-3)
    graph.wait(lambda: int(graph.values().get('frames with depth', 0)) > 0, 'counts', process)
    assert graph.values()['depth refused'] == '0' and 'lifting [ms]' in graph.values()


def test_depth_of_something_else_is_refused_and_2d_continues(graph, tiny_model):
    process = graph.start_estimator(tiny_model)
    arrays = graph.collect(SkeletonArray, 'skeletons')
    sender = Sender(graph)

    def refused(text, **changes):
        arrays.clear()
        sender.until(lambda: text in graph.status.message and len(arrays) > 2, process, **changes)
        assert np.isnan(positions(arrays[-1])).all()
        assert len(arrays[-1].skeletons) == 2
        assert graph.status.level == b'\x01' and process.log().count(text) == 1
    sender.until(lambda: arrays and lifted(arrays[-1]), process)
    refused("640 x 480 px in the frame 'depth_optical', the image 640 x 480 in "
            "'camera_optical_frame'", depth=lambda stamp: raw(stamp, frame_id='depth_optical'))
    refused('320 x 240 px', depth=lambda stamp: raw(stamp, scene(320, 240)))
    refused('no depth image within depth_slop (0.02 s) of the image: publish both',
            depth=lambda stamp: raw((stamp[0], stamp[1] - 30000000)))
    refused('there is no valid camera_info', info=lambda stamp: camera_info(stamp, 0.0))
    values = graph.values()
    assert int(values['depth refused']) > 4 and int(values['frames without depth']) > 4
    assert 'K holds the focal lengths 0' in values['camera_info problem']
    sender.until(lambda: arrays and lifted(arrays[-1]), process)
    graph.set_parameter('depth_slop', 0.05)
    arrays.clear()
    sender.until(lambda: arrays and lifted(arrays[-1]), process,
                 lambda stamp: raw((stamp[0], stamp[1] - 30000000)))
    unknown = np.full((480, 640), np.nan, np.float32)
    arrays.clear()
    sender.until(lambda: len(arrays) > 3, process, lambda stamp: raw(stamp, unknown))
    assert np.isnan(positions(arrays[-1])).all()
    assert process.alive and graph.failed() == 0


def test_each_camera_has_its_own_depth(graph, tiny_model):
    process = graph.start_estimator(tiny_model, cameras=['front', 'rear'])
    front = graph.collect(SkeletonArray, 'front/skeletons')
    rear = graph.collect(SkeletonArray, 'rear/skeletons')
    senders = Sender(graph, prefix='front/'), Sender(graph, prefix='rear/')
    senders[0].until(lambda: front and lifted(front[-1]), process)
    senders[1].until(lambda: len(rear) > 2, process, depth=None)
    assert np.isnan(positions(rear[-1])).all() and len(rear[-1].skeletons) == 2
    graph.wait(lambda: 'frames with depth' in graph.values('front'), 'counts', process)
    assert graph.values('rear').get('frames with depth', '0') == '0'


def test_without_depth_transport_nothing_is_subscribed(graph, tiny_model):
    process = graph.start_estimator(tiny_model, depth_transport='off')
    assert graph.node.count_subscribers('depth') == 0 and process.alive
