# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""The demo as `make demo` runs it: three processes, a video, an exit code."""
import os
import signal
import subprocess
import sys

import cv2
from graph import blue, ROOT
import pytest


@pytest.fixture
def video(tmp_path):
    """Two seconds in which the tiny network sees two people."""
    path = str(tmp_path / 'blue.avi')
    writer = cv2.VideoWriter(path, cv2.VideoWriter_fourcc(*'MJPG'), 20.0, (320, 240))
    for _ in range(40):
        writer.write(blue(320, 240))
    writer.release()
    return path


def _demo(*arguments, until=None, times=1):
    """Run the demo to its end, or stop it when a text has come so many times."""
    # Another domain than this process's: the demo's namespace is always the same.
    domain = int(os.environ.get('ROS_DOMAIN_ID', 0)) % 101 + 1
    environment = dict(os.environ, ROS_DOMAIN_ID=str(domain))
    process = subprocess.Popen(
        [sys.executable, '-m', 'pose_ros.nodes.run_demo'] + [str(item) for item in arguments],
        cwd=str(ROOT), env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        universal_newlines=True)
    lines = []
    for line in process.stdout:
        lines.append(line)
        if until and sum(until in each for each in lines) == times:
            process.send_signal(signal.SIGINT)
            until = None
    return process.wait(120), ''.join(lines)


def test_a_video_to_its_end(tiny_model, video, tmp_path):
    output = tmp_path / 'new_folder' / 'annotated.avi'
    code, text = _demo('--model', tiny_model, '--input', video, '--output', output)
    assert code == 0, text
    assert 'people  2 (ids ' in text and 'Hz | latency' in text and 'dropped' in text
    assert 'annotated video: {}'.format(output) in text
    capture = cv2.VideoCapture(str(output))
    done, image = capture.read()
    assert done and image.shape == (240, 320, 3)
    assert capture.get(cv2.CAP_PROP_FRAME_COUNT) > 20
    assert (abs(image.astype(int) - (255, 0, 0)).max(2) > 100).sum() > 100  # people are drawn


def test_the_bundled_model_finds_the_people_of_the_demo(tmp_path):
    pytest.importorskip('skimage')
    output = tmp_path / 'demo.avi'
    code, text = _demo('--duration', 90, '--output', output, until='people  1', times=2)
    assert code == 0 and text.count('people  1') >= 2 and 'ERROR' not in text, text
    assert cv2.VideoCapture(str(output)).get(cv2.CAP_PROP_FRAME_COUNT) > 5


def test_an_endless_input_for_a_while(tiny_model, tmp_path):
    path = str(tmp_path / 'blue.png')
    cv2.imwrite(path, blue(320, 240))
    arguments = '--model', tiny_model, '--input', path, '--output', tmp_path / 'still.avi'
    code, text = _demo(*arguments, '--duration', 90, until='people  2')
    assert code == 0 and 'annotated video: ' in text, text
    code, text = _demo(*arguments, '--duration', 1)
    assert code == 0, text  # it ended by itself


def test_invalid_arguments_end_with_a_reason(tiny_model, make_model, tmp_path):
    output = ('--output', tmp_path / 'none.avi')
    code, text = _demo('--model', tmp_path / 'absent.onnx', *output)
    assert code == 2 and 'there is no model file' in text
    code, text = _demo('--model', make_model(input_channels=5), *output)
    assert code == 1 and 'the network takes images of' in text
    code, text = _demo('--model', tiny_model, '--input', tmp_path / 'absent.avi', *output)
    assert code == 1 and 'absent.avi' in text


def test_the_video_is_not_the_input(tiny_model, video):
    with open(video, 'rb') as stream:
        before = stream.read()
    code, text = _demo('--model', tiny_model, '--input', video, '--output', video)
    assert code == 2 and 'would overwrite the input' in text
    with open(video, 'rb') as stream:
        assert stream.read() == before
