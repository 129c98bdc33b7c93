# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Videos have real-time speed: a frame is repeated until the next one."""
import cv2
import numpy as np
import pytest

from pose_ros.core.errors import PoseRosError
from pose_ros.core.video import VideoRecorder


def _make_image(shade, width=64, height=48):
    return np.full((height, width, 3), shade, np.uint8)


def _shades(path):
    capture, shades = cv2.VideoCapture(str(path)), []
    while True:
        done, image = capture.read()
        if not done:
            return shades
        assert image.shape == (48, 64, 3)
        shades.append(int(image.mean() + 0.5))


def _recorded(path, frames, rate=10.0):
    recorder = VideoRecorder(str(path), rate)
    for image, time_s in frames:
        recorder.write(image, time_s)
    recorder.close()
    return recorder.frames


def test_frames_without_times_follow_each_other(tmp_path):
    path = tmp_path / 'a.avi'
    assert _recorded(path, [(_make_image(shade), None) for shade in (0, 100, 200)]) == 3
    assert np.abs(np.subtract(_shades(path), (0, 100, 200))).max() <= 2


def test_gaps_are_filled_and_early_frames_left_out(tmp_path):
    """At 10 Hz: a gap of 0.3 s is three frames long, 0.01 s later is still the same frame."""
    path = tmp_path / 'b.avi'
    times = ((0, 5.0), (100, 5.1), (100, 5.11), (200, 5.4))
    assert _recorded(path, [(_make_image(shade), time_s) for shade, time_s in times]) == 5
    assert np.abs(np.subtract(_shades(path), (0, 100, 200, 200, 200))).max() <= 2


@pytest.mark.parametrize('jump', [-100.0, 100.0])
def test_a_jump_in_time_is_one_frame(tmp_path, jump):
    frames = [(_make_image(0), 50.0), (_make_image(9), 50.0 + jump), (_make_image(9), 50.1 + jump)]
    assert _recorded(tmp_path / 'c.avi', frames) == 3


def test_other_sizes_are_fitted(tmp_path):
    path = tmp_path / 'd.avi'
    _recorded(path, [(_make_image(0), None), (_make_image(80, 128, 96), None)])
    assert np.abs(np.subtract(_shades(path), (0, 80))).max() <= 2


def test_invalid_paths(tmp_path):
    with pytest.raises(PoseRosError, match='must end in .avi or .mp4'):
        VideoRecorder(str(tmp_path / 'video.mov'), 30.0)
    with pytest.raises(PoseRosError, match='there is no folder'):
        VideoRecorder(str(tmp_path / 'absent' / 'video.avi'), 30.0)
