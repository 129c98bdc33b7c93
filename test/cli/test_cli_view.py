# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""`pose-ros view`: a real process, its page over HTTP."""
import os
from pathlib import Path
import re
import signal
import subprocess
import sys

import pytest

pytest.importorskip('aiohttp')

from viewer_client import Stream, state, wait

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def view(tmp_path):
    """Start the command: view(source, *options) returns (process, url, path of its stderr)."""
    processes = []

    def start(*arguments):
        errors = tmp_path / 'stderr'
        with open(str(errors), 'w') as stream:
            processes.append(subprocess.Popen(
                [sys.executable, '-m', 'pose_ros.cli', 'view', '--port', '0'] +
                [str(argument) for argument in arguments], cwd=str(ROOT), stderr=stream,
                stdout=subprocess.PIPE, universal_newlines=True,
                # A job in the background of a shell would ignore Ctrl-C.
                preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler)))
        line = processes[-1].stdout.readline()
        assert ' is shown on http://127.0.0.1:' in line, errors.read_text()
        return processes[-1], re.search(r'http://\S+', line).group(), errors
    yield start
    for process in processes:
        process.kill()
        process.wait()
        process.stdout.close()


def processor_seconds(process):
    fields = Path('/proc/{}/stat'.format(process.pid)).read_text().rpartition(')')[2].split()
    return (int(fields[11]) + int(fields[12])) / float(os.sysconf('SC_CLK_TCK'))


def test_a_video_is_shown_again_and_again(view, tiny_model, video):
    process, url, errors = view(video, '--model', tiny_model, '--rate', '60')
    assert state(url)['title'] == 'video {} (12 frames, 10 Hz)'.format(video)
    with Stream(url) as stream:
        blue = [stream.next_image()[..., 0].mean() > 100 for _ in range(14)]
        # Five blue images, seven black ones, and again, but for those that came late.
        assert blue[0] and False in blue and True in blue[blue.index(False):]
        wait(lambda: [person['id'] for person in state(url)['people']] == [1, 2] or
             len(state(url)['people']) == 2, 'people')
        sample = wait(lambda: state(url)['samples'], 'a sample')[-1]
        assert 3 < sample[1] < 12 and sample[2] > 0
        assert state(url)['source'].startswith('tiny by ') and state(url)['level'] == 'ok'
    wait(lambda: state(url)['viewers'] == 0, 'the end of the viewer')
    process.send_signal(signal.SIGINT)
    assert process.wait(20) == 0 and 'error' not in errors.read_text()


@pytest.mark.skipif(not os.path.isdir('/proc/self'), reason='processor time is read from /proc')
def test_nothing_is_done_while_no_browser_looks(view, tiny_model, images):
    process, url, _ = view(images, '--model', tiny_model)
    with Stream(url) as stream:
        stream.next_image()
    wait(lambda: state(url)['viewers'] == 0, 'the end of the viewer')
    wait(lambda: not [name for name in os.listdir('/proc/{}/fd'.format(process.pid))
                      if 'images' in os.path.realpath('/proc/{}/fd/{}'.format(process.pid, name))],
         'the end of the source')
    samples, used = state(url)['samples'], processor_seconds(process)
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(1.0)
    assert processor_seconds(process) - used <= 0.05
    assert len(state(url)['samples']) == len(samples)


def test_a_lost_source_is_named_and_opened_again(view, tiny_model, images):
    process, url, errors = view(images, '--model', tiny_model)
    moved = images.with_name('moved')
    images.rename(moved)
    with Stream(url) as stream:
        wait(lambda: state(url)['level'] == 'error', 'an error')
        assert str(images) in state(url)['problems'][0]
        assert errors.read_text().count('pose-ros: error: ') >= 1
        moved.rename(images)
        assert stream.next_image().shape == (128, 160, 3)
        assert state(url)['level'] == 'ok' and state(url)['problems'] == []


def test_what_cannot_be_opened_ends_the_command(pose_ros, tiny_model):
    answer = pose_ros('view', '/no/such.mp4', '--model', tiny_model, '--port', '0')
    assert answer.code == 1 and 'there is no file or folder' in answer.err


def test_without_aiohttp(pose_ros, tiny_model, images, monkeypatch):
    monkeypatch.setitem(sys.modules, 'aiohttp', None)
    monkeypatch.delitem(sys.modules, 'pose_ros.core.viewer.site', raising=False)
    answer = pose_ros('view', images, '--model', tiny_model)
    assert answer.code == 1 and 'pip install aiohttp' in answer.err
