# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Cameras, with a stand-in for OpenCV's VideoCapture."""
import time

import cv2
import numpy as np
import pytest

from pose_ros.core.errors import ImageError
from pose_ros.core.sources import open_source
from pose_ros.core.sources.capture import Camera


class Capture:
    """A stand-in for cv2.VideoCapture: frame n is filled with n, one every 20 ms."""

    opened = []
    length = 10 ** 6

    def __init__(self, device):
        self.device, self.settings, self.count, self.released = device, {}, 0, False
        self.opened.append(self)

    def isOpened(self):
        return True

    def get(self, setting):
        return self.settings.get(setting, 0.0)

    def set(self, setting, value):
        self.settings[setting] = value
        return True

    def read(self):
        assert not self.released
        if self.count >= self.length:
            return False, None
        time.sleep(0.02)
        self.count += 1
        return True, np.full((48, 64, 3), self.count, np.uint8)

    def release(self):
        self.released = True


@pytest.fixture
def captures(monkeypatch):
    """The stand-ins that were opened."""
    monkeypatch.setattr(cv2, 'VideoCapture', Capture)
    monkeypatch.setattr(Capture, 'opened', [])
    return Capture.opened


@pytest.mark.parametrize('spec, device', [
    (0, 0), ('2', 2), ('/dev/video3', 3), ('rtsp://camera/stream', 'rtsp://camera/stream')])
def test_a_camera_is_opened_by_number_or_address(captures, spec, device):
    with open_source(spec) as source:
        frame = source.read()
    assert captures[0].device == device and captures[0].released
    assert source.live and source.frame_count is None
    assert (frame.index, frame.time_s, frame.name) == (0, 0.0, 'camera_000000')
    assert source.describe() == 'camera {}'.format(spec)


def test_size_and_rate_are_requested_and_other_sizes_resized(captures):
    with open_source('0', size=(32, 24), rate=15.0) as source:
        assert source.read().image.shape == (24, 32, 3)
        assert source.frame_rate == 15.0
    assert captures[0].settings == {
        cv2.CAP_PROP_FRAME_WIDTH: 32, cv2.CAP_PROP_FRAME_HEIGHT: 24, cv2.CAP_PROP_FPS: 15.0}


def test_a_slow_reader_gets_the_newest_frame_of_a_camera(captures):
    with open_source('0') as source:
        first = source.read()
        while captures[0].count < 10:
            time.sleep(0.01)
        second = source.read()
    assert first.image[0, 0, 0] == 1 and second.image[0, 0, 0] >= 9
    assert second.index == 1 and second.time_s >= 0.15


def test_a_fast_reader_waits_for_the_next_frame_of_a_camera(captures):
    with open_source('0') as source:
        numbers = [int(source.read().image[0, 0, 0]) for _ in range(5)]
    assert numbers == sorted(set(numbers))


def test_a_camera_that_is_lost_is_an_error(captures, monkeypatch):
    monkeypatch.setattr(Capture, 'length', 2)
    with open_source('0') as source:
        with pytest.raises(ImageError, match='camera 0 stopped sending images'):
            for _ in range(3):
                source.read()


def test_an_absent_camera_is_an_error_that_names_the_device():
    with pytest.raises(ImageError, match='camera 97: tried /dev/video97; devices here'):
        open_source('97')


def test_links_to_cameras_are_followed(tmp_path):
    link = tmp_path / 'by-id'
    link.symlink_to('/dev/video5')
    assert Camera._device(str(link)) == 5


def test_a_video_without_frames_is_an_error(tmp_path, captures, monkeypatch):
    monkeypatch.setattr(Capture, 'length', 0)
    (tmp_path / 'empty.avi').write_bytes(b'')
    with pytest.raises(ImageError, match='empty.avi has no (frame|size in its header) that'):
        open_source(str(tmp_path / 'empty.avi'), loop=True).read()
