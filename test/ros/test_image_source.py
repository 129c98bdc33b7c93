# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""The node `image_source` in a process of its own, heard over DDS."""
import os
import signal
import time

import cv2
from graph import BEST_EFFORT
import numpy as np
import pytest
from rcl_interfaces.srv import DescribeParameters
from rclpy.time import Time
from sensor_msgs.msg import CameraInfo, CompressedImage, Image
from test_camera_info import calibration, write
from vfr import TIMES, write_vfr

from pose_ros.core.image_messages import decode_compressed, decode_image


def seconds(message):
    return Time.from_msg(message.header.stamp).nanoseconds * 1e-9


@pytest.fixture
def image():
    """A smooth color image of 64 x 48, which survives JPEG."""
    noise = np.random.RandomState(5).randint(0, 256, (48, 64, 3)).astype(np.uint8)
    return cv2.GaussianBlur(noise, (0, 0), 5)


@pytest.fixture
def path(tmp_path, image):
    """The image as a file."""
    name = str(tmp_path / 'people.png')
    assert cv2.imwrite(name, image)
    return name


@pytest.fixture
def folder(tmp_path):
    """A folder of six flat images of levels 10, 20, ... 60."""
    for number in range(1, 7):
        image = np.full((12, 16, 3), 10 * number, np.uint8)
        assert cv2.imwrite(str(tmp_path / '{}.png'.format(number)), image)
    return str(tmp_path)


def test_an_image_is_published_over_and_over(graph, path, image):
    images = graph.collect(Image, 'image')
    infos = graph.collect(CameraInfo, 'camera_info')
    process = graph.start('image_source', source=path, rate=20.0)
    graph.wait(lambda: len(images) >= 5, 'five images', process)
    for message in images:
        np.testing.assert_array_equal(decode_image(message), image)
        assert (message.encoding, message.step, message.is_bigendian) == ('bgr8', 192, 0)
        assert message.header.frame_id == 'camera_optical_frame'
    stamps = [seconds(message) for message in images]
    assert stamps == sorted(set(stamps)) and abs(stamps[-1] - time.time()) < 10
    assert not infos and process.log().count('camera_info is not published') == 1
    assert graph.node.count_publishers('camera_info') == 0
    assert graph.node.count_publishers('image/compressed') == 0


def test_a_calibration_is_published_with_each_image_and_fits_its_size(graph, tmp_path, path):
    images = graph.collect(Image, 'image')
    infos = graph.collect(CameraInfo, 'camera_info')
    process = graph.start('image_source', source=path, rate=10.0, width=320, frame_id='head',
                          camera_info_file=write(tmp_path, calibration()))
    graph.wait(lambda: len({seconds(message) for message in images}
                           & {seconds(message) for message in infos}) >= 2,
               'images and their calibrations', process)
    assert (images[0].width, images[0].height) == (320, 240)
    assert (infos[0].width, infos[0].height) == (320, 240)
    assert list(infos[0].k) == pytest.approx([250, 0, 159.5, 0, 255, 119.5, 0, 0, 1])
    assert infos[0].header.frame_id == images[0].header.frame_id == 'head'


def test_compressed_images_follow_a_remapping(graph, path, image):
    raw = graph.collect(Image, 'head/color')
    compressed = graph.collect(CompressedImage, 'head/color/compressed')
    process = graph.start('image_source', source=path, remaps=['image:=head/color'],
                          image_transport='both', jpeg_quality=95)
    graph.wait(lambda: raw and compressed, 'both transports', process)
    decoded = decode_compressed(compressed[0])
    assert decoded.shape == image.shape and abs(decoded.astype(int) - image).mean() < 2
    assert compressed[0].format == 'bgr8; jpeg compressed bgr8'


def test_compressed_alone_publishes_no_raw_image(graph, path):
    compressed = graph.collect(CompressedImage, 'image/compressed')
    process = graph.start('image_source', source=path, image_transport='compressed')
    graph.wait(lambda: compressed, 'a compressed image', process)
    assert graph.node.count_publishers('image') == 0


def test_reliability_is_a_parameter(graph, path):
    images = graph.collect(Image, 'image', BEST_EFFORT)
    process = graph.start('image_source', source=path, image_qos='sensor_data')
    graph.wait(lambda: images, 'an image', process)
    profiles = [info.qos_profile for info in graph.node.get_publishers_info_by_topic(
        graph.namespace + '/image')]
    assert [profile.reliability for profile in profiles] == [BEST_EFFORT.reliability]


def test_a_folder_is_published_once_and_whole_and_the_process_ends(graph, folder):
    process = graph.start('image_source', source=folder, rate=5.0, loop=False, exit_at_end=True,
                          wait_for_subscriber=True)
    graph.wait(lambda: 'publishing folder' in process.log(), 'the node starts', process)
    graph.spin(0.5)  # without a subscriber it keeps the images
    assert process.alive
    images = graph.collect(Image, 'image')
    graph.wait(lambda: not process.alive, 'the process ends')
    graph.wait(lambda: len(images) >= 6, 'six images')
    assert [message.data[0] for message in images] == [10, 20, 30, 40, 50, 60]
    assert process.wait() == 0
    assert 'the source has ended after 6 images' in process.log()


def test_without_exit_at_end_the_node_stays(graph, folder):
    process = graph.start('image_source', source=folder, rate=50.0, loop=False)
    graph.wait(lambda: 'has ended' in process.log(), 'the end of the folder', process)
    graph.spin(0.5)  # time to do what it should not
    assert process.alive
    assert process.stop() == 0


@pytest.fixture
def video(tmp_path):
    """A video of 2 s at 50 Hz; the level of a frame is twice its index, plus 20."""
    name = str(tmp_path / 'walk.avi')
    writer = cv2.VideoWriter(name, cv2.VideoWriter_fourcc(*'MJPG'), 50, (64, 48))
    assert writer.isOpened()
    for index in range(100):
        writer.write(np.full((48, 64, 3), 20 + 2 * index, np.uint8))
    writer.release()
    return name


@pytest.mark.parametrize('rate', [10.0, 200.0])
def test_a_video_keeps_real_time_at_any_rate(graph, video, rate):
    images = graph.collect(Image, 'image')
    process = graph.start('image_source', source=video, rate=rate, loop=False, exit_at_end=True,
                          wait_for_subscriber=True)
    graph.wait(lambda: not process.alive, 'the process ends')
    assert process.wait() == 0

    def seen():
        return np.array([(decode_image(message)[24, 32, 0] - 20.0) / 2 for message in images])
    graph.wait(lambda: seen()[-1] > 90, 'the last frames')
    indices = seen()
    times = np.array([seconds(message) for message in images])
    assert (np.diff(indices) > 0.5).all()  # no frame twice, none out of order
    assert len(images) <= (25 if rate == 10.0 else 100)
    # Frames lie where the clock says, 50 per second; the scatter is that of a busy machine.
    deviations = (indices - indices[0]) - 50 * (times - times[0])
    assert abs(np.median(deviations)) < 5
    assert indices[-1] - indices[0] > 80


def test_a_video_of_variable_rate_keeps_its_times(graph, tmp_path):
    images = graph.collect(Image, 'image')
    process = graph.start('image_source', source=write_vfr(tmp_path / 'uneven.mp4'), loop=False,
                          exit_at_end=True, wait_for_subscriber=True)
    graph.wait(lambda: not process.alive, 'the process ends')
    assert process.wait() == 0 and '(20 frames, 30' in process.log()

    def seen():
        return [int(round((decode_image(message)[24, 32].mean() - 7) / 10)) for message in images]
    graph.wait(lambda: 19 in seen(), 'the last frame')
    indices = seen()
    times = np.array([seconds(message) for message in images])
    # Frames that were late on a busy machine are left out; the scatter is that of the timer.
    assert indices == sorted(set(indices)) and {0, 19} <= set(indices) and len(indices) > 10
    deviations = times - times[0] - np.array(TIMES)[indices]
    assert abs(np.median(deviations)) < .25


def test_frames_of_a_folder_are_in_natural_order(graph, tmp_path):
    for number in range(1, 13):
        image = np.full((12, 16, 3), 10 * number, np.uint8)
        assert cv2.imwrite(str(tmp_path / 'frame_{}.png'.format(number)), image)
    images = graph.collect(Image, 'image')
    process = graph.start('image_source', source=str(tmp_path), rate=20.0, loop=False,
                          exit_at_end=True, wait_for_subscriber=True)
    graph.wait(lambda: not process.alive, 'the process ends')
    graph.wait(lambda: len(images) >= 12, 'twelve images')
    assert [message.data[0] for message in images] == list(range(10, 121, 10))


def test_a_camera_that_is_absent_ends_the_node_with_the_reason(graph):
    process = graph.start('image_source', source='97')
    assert process.wait() == 1
    assert '[FATAL]' in process.log() and 'tried /dev/video97' in process.log()
    assert 'Traceback' not in process.log()


@pytest.mark.parametrize('parameters, words', [
    ({'source': '/nowhere.avi'}, 'no file or folder'),
    ({'rate': -1.0}, 'rate must be within'),
    ({'image_transport': 'theora'}, "image_transport must be one of 'raw', 'compressed', 'both'"),
    ({'camera_info_file': '/nowhere.yaml'}, 'cannot read the camera calibration')])
def test_invalid_settings_end_the_node_with_the_reason(graph, path, parameters, words):
    process = graph.start('image_source', **dict({'source': path}, **parameters))
    assert process.wait() == 1
    assert '[FATAL]' in process.log() and words in process.log()
    assert 'Traceback' not in process.log()


def test_a_calibration_of_another_aspect_ends_the_node_with_the_reason(graph, tmp_path, path):
    graph.collect(Image, 'image')
    process = graph.start('image_source', source=path, width=100, height=10,
                          camera_info_file=write(tmp_path, calibration()))
    assert process.wait() == 1
    assert 'images of 640 x 480, these have 100 x 10' in process.log()


def test_skipped_images_are_reported_in_the_log(graph, folder, tmp_path):
    (tmp_path / '3.png').write_bytes(b'damaged')
    process = graph.start('image_source', source=folder, rate=50.0, loop=False, exit_at_end=True)
    assert process.wait() == 0
    assert '[WARN]' in process.log() and '3.png' in process.log()


@pytest.mark.parametrize('number', [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_node_cleanly(graph, path, number):
    images = graph.collect(Image, 'image')
    process = graph.start('image_source', source=path, rate=200.0)
    graph.wait(lambda: images, 'an image', process)
    os.kill(process.pid, number)
    assert process.wait() == 0
    assert 'Traceback' not in process.log()


def test_parameters_explain_themselves_and_stay_fixed(graph, path):
    process = graph.start('image_source', source=path)
    request = DescribeParameters.Request(names=['rate', 'image_qos'])
    rate, qos = graph.call(
        DescribeParameters, 'image_source/describe_parameters', request).descriptors
    assert '[Hz]' in rate.description and rate.read_only
    bounds, = rate.floating_point_range
    assert (bounds.from_value, bounds.to_value) == (0, 1000)
    assert qos.additional_constraints == "one of: 'reliable', 'sensor_data'"
    assert not graph.set_parameter('rate', 5.0, node='image_source').successful
    assert process.alive
