# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""`pose-ros video` and `pose-ros camera`: frames that follow each other, and how they end."""
import json
import os
from pathlib import Path
import re
import signal
import subprocess
import sys
import time

import cv2
import numpy as np
from pose_ros.cli import camera
from pose_ros.core.errors import ImageError
from pose_ros.core.sources import FrameSource
import pytest

ROOT = Path(__file__).resolve().parents[2]


def load(path):
    """Read a JSON file."""
    with open(str(path)) as stream:
        return json.load(stream)


class FakeCamera(FrameSource):
    """A camera at 10 Hz that is lost after some frames."""

    live, frame_rate = True, 10.0

    def __init__(self, frames):
        """Send so many frames."""
        super(FakeCamera, self).__init__()
        self.left, self.closed = frames, False

    def describe(self):
        """See FrameSource.describe."""
        return 'fake camera'

    def close(self):
        """See FrameSource.close."""
        self.closed = True

    def _read(self):
        if not self.left:
            raise ImageError('camera 0 stopped sending images')
        self.left -= 1
        return np.full((128, 160, 3), (255, 0, 0), np.uint8), 'camera_{:06d}'.format(self._index)

    def _time(self):
        return self._index * 0.2  # half as fast as it promised


@pytest.fixture
def fake_camera(monkeypatch):
    """Replace camera 0 by one that sends eight frames."""
    fake = FakeCamera(8)
    monkeypatch.setattr(camera, 'open_source', lambda spec, size, max_pixels: fake)
    return fake


def test_every_frame_of_a_video(pose_ros, tiny_model, video, tmp_path):
    """Indices, times and names of the frames; people in the first five."""
    answer = pose_ros('video', video, '--model', tiny_model, '--json', tmp_path / 'r.json')
    frames = load(tmp_path / 'r.json')['frames']
    assert answer.code == 0 and answer.out.startswith('12 frames, 10 people found; median ms')
    assert [len(frame['people']) for frame in frames] == [2] * 5 + [0] * 7
    assert [(frame['index'], frame['time_s']) for frame in frames] == [
        (number, pytest.approx(number / 10)) for number in range(12)]
    assert frames[7]['name'] == 'clip_000007'


@pytest.mark.parametrize('options, expected', [
    ((), [[-1, -1]] + [[1, 2]] * 4), (('--no-tracking',), [[-1, -1]] * 5),
    (('--set', 'tracking.min_frames=1', '--smoothing', 'one_euro'), [[1, 2]] * 5)])
def test_people_of_a_video_have_ids(pose_ros, tiny_model, video, tmp_path, options, expected):
    """The second frame gives them, unless told otherwise."""
    target = tmp_path / 'r.json'
    answer = pose_ros('video', video, '--model', tiny_model, '--json', target, *options)
    assert answer.code == 0
    assert [sorted(person['track_id'] for person in frame['people'])
            for frame in load(target)['frames'][:5]] == expected
    assert ('tracking 0.' in answer.out) == ('--no-tracking' not in options)
    assert ('smoothing 0.' in answer.out) == ('--smoothing' in options)


def test_smoothing_needs_tracking(pose_ros, tiny_model, video):
    """The error names both."""
    answer = pose_ros('video', video, '--model', tiny_model, '--no-tracking',
                      '--smoothing', 'kalman')
    assert answer.code == 1 and 'smoothing kalman needs tracking' in answer.err


def test_coco_ids_of_a_video_are_its_frames(pose_ros, tiny_model, video, tmp_path):
    """Two people in each of the first five frames."""
    target = tmp_path / 'r.json'
    pose_ros('video', video, '--model', tiny_model, '--coco', target)
    assert [record['image_id'] for record in load(target)] == [0, 0, 1, 1, 2, 2, 3, 3, 4, 4]


@pytest.mark.parametrize('name, codecs', [
    ('drawn.avi', ['MJPG']), ('drawn.mp4', ['FMP4', 'mp4v'])])  # OpenCV 5 and 4 differ here
def test_the_drawn_video_is_as_long(pose_ros, tiny_model, video, tmp_path, name, codecs):
    """Same rate and size as the original; people are drawn where there are any."""
    answer = pose_ros('video', video, '--model', tiny_model, '--output', tmp_path / name)
    capture = cv2.VideoCapture(str(tmp_path / name))
    fourcc = int(capture.get(cv2.CAP_PROP_FOURCC))
    frames = []
    while True:
        done, image = capture.read()
        if not done:
            break
        frames.append(image)
    assert answer.code == 0 and len(frames) == 12 and frames[0].shape == (128, 160, 3)
    assert capture.get(cv2.CAP_PROP_FPS) == pytest.approx(10)
    assert ''.join(chr(fourcc >> shift & 255) for shift in (0, 8, 16, 24)) in codecs
    red = [(image[..., 2] > 128).sum() for image in frames]
    assert min(red[:5]) > 50 and max(red[6:]) < 5


def test_max_frames_of_a_video(pose_ros, tiny_model, video, tmp_path):
    """Exactly so many."""
    answer = pose_ros('video', video, '--model', tiny_model, '--max-frames', 3)
    assert answer.code == 0 and answer.out.startswith('3 frames, 6 people')


@pytest.mark.parametrize('output, reason', [('drawn.gif', 'must end in'), ('drawn', 'must end in'),
                                            ('absent/drawn.avi', 'no folder'),
                                            ('clip.avi', 'would overwrite')])
def test_invalid_outputs(pose_ros, tiny_model, video, tmp_path, output, reason):
    """A wrong command line: exit code 2, and the original survives."""
    before = Path(video).read_bytes()
    answer = pose_ros('video', video, '--model', tiny_model, '--output', tmp_path / output)
    assert answer.code == 2 and reason in answer.err
    assert Path(video).read_bytes() == before and os.listdir(str(tmp_path)) == ['clip.avi']


@pytest.mark.parametrize('content', [None, b'', b'not a video'])
def test_an_unreadable_video(pose_ros, tiny_model, tmp_path, content):
    """One line, exit code 1, no results."""
    path = tmp_path / 'clip.avi'
    if content is not None:
        path.write_bytes(content)
    answer = pose_ros('video', path, '--model', tiny_model, '--json', tmp_path / 'r.json')
    assert answer.code == 1 and not (tmp_path / 'r.json').exists()
    assert re.match(r'pose-ros: error: .*clip\.avi', answer.err.splitlines()[-1])


def test_a_network_that_fails_ends_the_video(pose_ros, make_model, tmp_path):
    """What was found until then is kept."""
    folder, target = tmp_path / 'frames', tmp_path / 'r.json'  # JPEG would blur the colors
    folder.mkdir()
    for number in range(6):
        cv2.imwrite(str(folder / '{}.png'.format(number)),
                    np.full((128, 160, 3), (255, 255 if number == 4 else 0, 0), np.uint8))
    answer = pose_ros('video', folder, '--model', make_model(nan=True), '--json', target)
    assert answer.code == 1 and 'NaN' in answer.err
    assert answer.out.startswith('4 frames, 8 people found, 1 failed')
    assert [frame['name'] for frame in load(target)['frames']] == [
        '0.png', '1.png', '2.png', '3.png']


def test_a_lost_camera_keeps_its_results(pose_ros, tiny_model, fake_camera, tmp_path):
    """Results are complete JSON, the message names the cause, the camera is closed."""
    answer = pose_ros('camera', 0, '--model', tiny_model, '--json', tmp_path / 'r.json')
    assert answer.code == 1 and 'pose-ros: error: camera 0 stopped' in answer.err
    assert answer.out.startswith('8 frames, 16 people found, 1 failed')
    assert len(load(tmp_path / 'r.json')['frames']) == 8 and fake_camera.closed


def test_a_camera_video_keeps_real_time(pose_ros, tiny_model, fake_camera, tmp_path):
    """Frames that come half as fast as the video plays are shown twice."""
    answer = pose_ros('camera', '/dev/video0', '--model', tiny_model, '--max-frames', 4,
                      '--output', tmp_path / 'drawn.avi')
    capture = cv2.VideoCapture(str(tmp_path / 'drawn.avi'))
    assert answer.code == 0 and answer.out.startswith('4 frames, 8 people')
    assert capture.get(cv2.CAP_PROP_FRAME_COUNT) == 7


def test_ctrl_c_is_the_normal_end_of_a_camera(pose_ros, tiny_model, fake_camera, monkeypatch,
                                              tmp_path):
    """Exit code 0; the frame under way is finished, and the handlers are put back."""
    read = fake_camera._read

    def press_at_the_third():
        if fake_camera.left == 6:
            os.kill(os.getpid(), signal.SIGINT)
        return read()
    monkeypatch.setattr(fake_camera, '_read', press_at_the_third)
    before = signal.getsignal(signal.SIGINT)
    answer = pose_ros('camera', 0, '--model', tiny_model, '--json', tmp_path / 'r.json')
    assert answer.code == 0 and answer.out.startswith('3 frames, 6 people')
    assert answer.out.rstrip().endswith('(interrupted)')
    assert len(load(tmp_path / 'r.json')['frames']) == 3
    assert signal.getsignal(signal.SIGINT) is before


def test_an_absent_camera(pose_ros, tiny_model):
    """No such device on any machine."""
    answer = pose_ros('camera', 97, '--model', tiny_model)
    assert answer.code == 1 and 'cannot open camera 97' in answer.err


def test_a_file_is_not_a_camera(pose_ros, video):
    """The message names the command that reads it."""
    answer = pose_ros('camera', video)
    assert answer.code == 2 and 'pose-ros video reads files' in answer.err


@pytest.mark.parametrize('number', [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_a_video_with_its_files_finished(tiny_model, tmp_path, number):
    """Ctrl-C, SIGTERM or a closed terminal: exit code 130, whole files, "(interrupted)"."""
    path = str(tmp_path / 'long.avi')
    writer = cv2.VideoWriter(path, cv2.VideoWriter_fourcc(*'MJPG'), 10.0, (160, 128))
    for _ in range(4000):
        writer.write(np.full((128, 160, 3), (255, 0, 0), np.uint8))
    writer.release()
    process = subprocess.Popen(
        [sys.executable, '-m', 'pose_ros.cli', 'video', path, '--model', tiny_model,
         '--json', 'r.json', '--output', 'drawn.avi'],
        cwd=str(tmp_path), env=dict(os.environ, PYTHONPATH=str(ROOT)), stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, universal_newlines=True)
    deadline = time.monotonic() + 60
    while not any(path.stat().st_size for path in tmp_path.glob('.pose_ros_*.tmp')) \
            and time.monotonic() < deadline:
        time.sleep(0.02)
    process.send_signal(number)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    assert out.rstrip().endswith('(interrupted)')
    frames = load(tmp_path / 'r.json')['frames']
    assert out.startswith('{} frames, {} people'.format(len(frames), 2 * len(frames)))
    assert sorted(path.name for path in tmp_path.iterdir()) == ['drawn.avi', 'long.avi', 'r.json']
    drawn = cv2.VideoCapture(str(tmp_path / 'drawn.avi'))
    assert drawn.get(cv2.CAP_PROP_FRAME_COUNT) == len(frames)
