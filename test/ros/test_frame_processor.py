# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""A batch of images of several cameras: one run, and no error reaches another camera's frames."""
import types

from graph import blue, image_message
import numpy as np
import pytest
from rclpy.clock import Clock

from pose_ros.core.errors import EngineError
from pose_ros.core.people import no_people
from pose_ros.core.topology import get_topology
from pose_ros.nodes.frame_processor import FrameProcessor
from pose_ros.core.image_messages import decode_image
from pose_ros.nodes.statistics import Statistics

TOPOLOGY = get_topology('coco_18')
VALUES = {'labels': True, 'marker_distance': 2.0}


class _Estimator:
    """Finds nobody; keeps the frames of each run."""

    def __init__(self):
        self.batches, self.error = [], None
        self.timings = {'pose.network': 0.25, 'selection': 0.001}

    def run(self, frames):
        self.batches.append(list(frames))
        if self.error:
            raise self.error
        return [no_people(TOPOLOGY)] * len(frames)


class _Camera:
    def __init__(self, name):
        self.name, self.statistics, self.published = name, Statistics(), []
        self.depth = None
        self.input = types.SimpleNamespace(decode=decode_image)
        self.calibration = types.SimpleNamespace(
            find=lambda stamp, width, height: None, settle=lambda stamp, frame: 'late')
        self.output = types.SimpleNamespace(publish=self._publish, shows_panels=False)

    def _publish(self, header, frame, people, camera, labels, distance):
        self.published.append((header, frame, camera))


@pytest.fixture
def parts():
    errors = []
    node = types.SimpleNamespace(get_logger=lambda: types.SimpleNamespace(error=errors.append),
                                 get_clock=Clock, context=types.SimpleNamespace(ok=lambda: True))
    estimator = _Estimator()
    return FrameProcessor(node, estimator, VALUES), estimator, errors


def item(camera, **changes):
    message = image_message(blue(32, 24), (5, 250000000), camera.name)
    for name, value in changes.items():
        setattr(message, name, value)
    return camera, (message, 0.0)


def test_frames_of_all_cameras_go_through_one_run(parts):
    process, estimator, errors = parts
    cameras = [_Camera(name) for name in ('front', 'rear', '')]
    batch = [item(camera) for camera in cameras]
    process(batch)
    [frames] = estimator.batches
    assert [frame.source for frame in frames] == ['front', 'rear', '']
    assert [frame.time_s for frame in frames] == [5.25] * 3
    for camera, (_, (message, _)) in zip(cameras, batch):
        [(header, frame, calibration)] = camera.published
        assert header is message.header and frame.size == (32, 24) and calibration == 'late'
        assert camera.statistics.processed == 1 and camera.statistics.failed == 0
    assert (process.runs, process.frames) == (1, 3) and not errors
    assert process.timings.timings() == {
        'pose.network': '250.00 (p95 250.00)', 'selection': '1.00 (p95 1.00)'}


def test_depth_comes_with_its_image(parts):
    process, estimator, errors = parts
    camera, asked = _Camera('front'), []

    def find(header, image, calibrated):
        asked.append((header, image.shape, calibrated))
        return np.ones(image.shape[:2], np.float32)
    camera.depth = types.SimpleNamespace(find=find)
    _, (message, _) = item(camera)
    process([(camera, (message, 0.0))])
    assert asked == [(message.header, (24, 32, 3), False)]
    assert estimator.batches[0][0].depth.shape == (24, 32) and not errors


def test_an_invalid_image_fails_alone(parts):
    process, estimator, errors = parts
    front, rear, left = cameras = [_Camera(name) for name in ('front', 'rear', 'left')]
    process([item(front), item(rear, encoding='16UC1'), item(left)])
    assert [frame.source for frame in estimator.batches[0]] == ['front', 'left']
    assert [camera.statistics.failed for camera in cameras] == [0, 1, 0]
    assert [len(camera.published) for camera in cameras] == [1, 0, 1]
    assert 'subscribe to the color image' in rear.statistics.last_error
    assert len(errors) == 1 and errors[0].startswith('frame skipped (rear): ')


def test_a_batch_of_invalid_images_runs_nothing(parts):
    process, estimator, _ = parts
    process([item(_Camera('front'), data=[])])
    assert not estimator.batches


@pytest.mark.parametrize('error', [EngineError('NaN in heatmaps'), ZeroDivisionError('defect')])
def test_an_error_of_the_network_counts_for_all_frames(parts, error):
    process, estimator, errors = parts
    cameras = [_Camera(name) for name in ('front', 'rear')]
    estimator.error = error
    for _ in range(2):
        process([item(camera) for camera in cameras])
    for camera in cameras:
        assert camera.statistics.failed == 2 and str(error) in camera.statistics.last_error
        assert not camera.published
    assert len(errors) == 1 and 'front, rear' in errors[0]  # at most one every few seconds
    assert ('Traceback' in errors[0]) == isinstance(error, ZeroDivisionError)
    estimator.error = None
    process([item(camera) for camera in cameras])
    assert [camera.statistics.processed for camera in cameras] == [1, 1]


def test_an_error_while_publishing_stays_with_its_camera(parts):
    process, _, errors = parts
    front, rear = _Camera('front'), _Camera('rear')

    def fail(*_):
        raise OSError('no space')
    front.output.publish = fail
    process([item(front), item(rear)])
    assert front.statistics.failed == 1 and rear.statistics.failed == 0
    assert len(rear.published) == 1 and 'unexpected OSError: no space' in errors[0]


def test_after_shutdown_errors_are_silent(parts):
    process, estimator, errors = parts
    process._node.context.ok = lambda: False
    estimator.error = RuntimeError('the context is gone')
    process([item(_Camera('front'))])
    assert not errors


def test_errors_of_two_cameras_are_both_logged(parts):
    process, _, errors = parts
    for _ in range(3):
        process([item(_Camera(name), encoding='nothing') for name in ('front', 'rear')])
    assert [error.split(':')[0] for error in errors] == [
        'frame skipped (front)', 'frame skipped (rear)']


def test_a_stamp_of_zero_is_no_time(parts):
    process, estimator, _ = parts
    camera = _Camera('')
    message = image_message(blue(32, 24), (0, 0))
    process([(camera, (message, 0.0))])
    assert np.isnan(estimator.batches[0][0].time_s)
    assert 'latency' not in camera.statistics.timings()
