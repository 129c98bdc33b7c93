# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Videos have real-time speed: a frame is repeated until the next one."""
import os

import cv2
from disk import full_disk
import numpy as np
import pytest

from pose_ros.core.errors import OutputError, PoseRosError
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
    """At 10 Hz: a frame lasts until the next one, and 0.01 s later is still the same frame."""
    path = tmp_path / 'b.avi'
    times = ((0, 5.0), (100, 5.1), (100, 5.11), (200, 5.4))
    assert _recorded(path, [(_make_image(shade), time_s) for shade, time_s in times]) == 5
    assert np.abs(np.subtract(_shades(path), (0, 100, 100, 100, 200))).max() <= 2


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


@pytest.mark.parametrize('ending', ['.avi', '.mp4'])
@pytest.mark.parametrize('rate', [9.99999, 29.97003, 66.6671, 196.2618, 211.2345, 999.87])
def test_any_rate_is_rounded_to_what_the_format_holds(tmp_path, ending, rate):
    path = tmp_path / ('v' + ending)
    _recorded(path, [(_make_image(shade), None) for shade in (0, 100, 200)], rate)
    capture = cv2.VideoCapture(str(path))
    assert capture.get(cv2.CAP_PROP_FPS) == pytest.approx(rate, rel=2e-3)
    assert capture.get(cv2.CAP_PROP_FRAME_COUNT) == 3


@pytest.mark.parametrize('ending', ['.avi', '.mp4'])
def test_a_full_disk_is_an_error_and_leaves_the_earlier_file(tmp_path, ending):
    path = tmp_path / ('v' + ending)
    path.write_text('earlier')
    noise = np.random.RandomState(0).randint(0, 256, (20, 240, 320, 3)).astype(np.uint8)
    with full_disk(200000):
        recorder = VideoRecorder(str(path), 10.0)
        for image in noise:
            recorder.write(image)
        with pytest.raises(OutputError, match='cannot write .*incomplete after 20 frames'):
            recorder.close()
    assert path.read_text() == 'earlier' and os.listdir(str(tmp_path)) == [path.name]


def test_a_disk_without_space_ends_the_video_at_once(tmp_path, monkeypatch):
    recorder = VideoRecorder(str(tmp_path / 'v.avi'), 10.0)
    recorder.write(_make_image(0))
    disk = list(os.statvfs(str(tmp_path)))
    disk[3] = disk[4] = 0  # free blocks, and those for users
    monkeypatch.setattr(os, 'statvfs', lambda path: os.statvfs_result(disk))
    with pytest.raises(OutputError, match='cannot write .*v.avi: the disk is full'):
        recorder.write(_make_image(9))
    recorder.close()
    assert os.listdir(str(tmp_path)) == []


def test_an_unfinished_video_has_no_name_yet(tmp_path):
    recorder = VideoRecorder(str(tmp_path / 'v.avi'), 10.0)
    recorder.write(_make_image(0))
    assert not (tmp_path / 'v.avi').exists()
    recorder.discard()
    assert os.listdir(str(tmp_path)) == []


def test_a_read_only_target_is_named_so(tmp_path):
    path = tmp_path / 'v.mp4'
    path.write_text('earlier')
    path.chmod(0o444)
    with pytest.raises(OutputError, match='cannot write .*v.mp4: the file is read-only'):
        VideoRecorder(str(path), 30.0)
    assert path.read_text() == 'earlier'
