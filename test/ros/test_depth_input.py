# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Which depth message belongs to an image."""
import threading
import time

from graph import image_message, InputNode
import numpy as np
import pytest
from sensor_msgs.msg import Image

from pose_ros.nodes import depth_input
from pose_ros.nodes.depth_codec import encode_depth
from pose_ros.nodes.depth_input import DepthInput

IMAGE = np.zeros((3, 4, 3), np.uint8)


class _Qos:
    def __init__(self, *arguments):
        pass


@pytest.fixture
def depths(monkeypatch):
    monkeypatch.setattr(depth_input, 'ImageQos', _Qos)
    monkeypatch.setattr(depth_input, '_LONGEST_WAIT', 0.1)
    values = {'depth_transport': 'raw', 'depth_slop': 0.02, 'image_qos': 'auto',
              'max_pixels': 1000}
    return DepthInput(InputNode('/pose/depth', publishers=1), 'depth', values)


def header(stamp, frame_id='optical'):
    return image_message(IMAGE, stamp, frame_id).header


def add(depths, stamp, value=2.0, **changes):
    message = encode_depth(np.full(IMAGE.shape[:2], value, np.float32), header(stamp), Image())
    for name, changed in changes.items():
        setattr(message, name, changed)
    depths.add(message)


def found(depths, stamp, frame_id='optical', calibrated=True):
    """The depth of the first pixel, None without any."""
    depth = depths.find(header(stamp, frame_id), IMAGE, calibrated)
    return None if depth is None else pytest.approx(float(depth[0, 0]), abs=1e-6)


def test_the_exact_stamp_then_the_nearest(depths):
    for number in range(5):
        add(depths, (7, number * 33000000), 1.0 + number)
    assert found(depths, (7, 66000000)) == 3
    assert found(depths, (7, 50000000)) == 3  # 16 ms later, and 17 ms after the one before
    assert found(depths, (7, 49000000)) == 2
    assert found(depths, (7, 140000000)) == 5
    assert (depths.matched, depths.missing, depths.received) == (4, 0, 5)


def test_too_old_and_too_new(depths):
    add(depths, (7, 0))
    assert found(depths, (7, 20000001)) is None
    assert found(depths, (6, 979999999)) is None
    assert found(depths, (7, 20000000)) == 2 and found(depths, (6, 980000000)) == 2
    assert depths.missing == 2


def test_an_image_waits_for_its_depth(depths):
    add(depths, (7, 0), 1.0)
    late = threading.Timer(0.03, add, (depths, (7, 20000000), 3.0))
    late.start()
    assert found(depths, (7, 20000000)) == 3
    late.join()


def test_it_waits_in_vain_only_for_a_while(depths):
    add(depths, (7, 0))
    times = []
    for number in range(60):
        start = time.monotonic()
        assert found(depths, (8 + number, 0)) is None
        times.append(time.monotonic() - start > 0.09)
    assert all(times[:20]) and sum(times[20:]) <= 1  # and now and then
    assert depths.missing == 60
    assert depths._node.warnings == [
        '/pose/depth: no depth image within depth_slop (0.02 s) of the image: publish both with '
        'the same stamp']
    add(depths, (100, 0), 4.0)
    assert found(depths, (100, 0)) == 4 and depths._vain == 0


def test_without_publishers_there_is_no_wait_and_no_word(depths):
    depths._node.publishers = 0
    start = time.monotonic()
    for number in range(50):
        assert found(depths, (8 + number, 0)) is None
    assert time.monotonic() - start < 1 and not depths._node.warnings
    assert (depths.missing, depths.recent_problem()) == (0, '')


def test_images_without_a_stamp_have_no_depth(depths):
    add(depths, (0, 0))
    for _ in range(5):
        assert found(depths, (0, 0)) is None
    assert 'the image has no stamp' in depths.problem


def test_time_that_jumps_back_drops_what_came_before(depths):
    add(depths, (7, 0), 1.0)
    add(depths, (7, 33000000), 2.0)
    add(depths, (2, 0), 3.0)
    assert found(depths, (2, 0)) == 3
    assert found(depths, (7, 33000000)) is None


def test_old_messages_are_forgotten(depths):
    for number in range(100):
        add(depths, (7 + number, 0))
    assert len(depths._messages) == len(depths._stamps) == 8
    depths.stop()
    assert not depths._messages


@pytest.mark.parametrize('changes, image, text', [
    ({}, dict(frame_id='color'), "4 x 3 px in the frame 'optical', the image 4 x 3 in 'color'"),
    ({'width': 3, 'step': 6}, {}, "3 x 3 px in the frame 'optical', the image 4 x 3"),
    ({'encoding': 'bgr8'}, {}, 'no depth image'), ({'data': []}, {}, '0 bytes of data'),
    ({}, dict(calibrated=False), 'no valid camera_info')])
def test_what_does_not_fit_is_refused_counted_and_said_once(depths, changes, image, text):
    for number in range(1, 4):
        add(depths, (number, 0), **changes)
        assert found(depths, (number, 0), **image) is None
    assert (depths.refused, depths.matched, depths.missing) == (3, 0, 0)
    warning, = depths._node.warnings
    assert warning.startswith('/pose/depth: ') and text in warning
    assert depths.recent_problem() == warning
