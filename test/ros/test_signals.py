# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Signals that end a process, also several and during its start: whole files, exit code 0."""
import os
from pathlib import Path
import signal
import subprocess
import sys
import time

import cv2
from graph import blue, image_message, RELIABLE, ROOT, TIMEOUT
import pytest
from sensor_msgs.msg import Image

INT, TERM, HUP = signal.SIGINT, signal.SIGTERM, signal.SIGHUP


def handles(pid, number):
    """Return whether a process has a handler for a signal; from then on it must end in order."""
    status = Path('/proc/{}/status'.format(pid)).read_text()
    mask = [line.split()[1] for line in status.splitlines() if line.startswith('SigCgt')][0]
    return bool(int(mask, 16) >> (number - 1) & 1)


def children(pid):
    """Return the processes that a process has started."""
    found = []
    for path in Path('/proc').glob('[0-9]*/stat'):
        try:
            parent = path.read_text().rsplit(')', 1)[1].split()[1]
        except OSError:  # it has ended
            continue
        if int(parent) == pid:
            found.append(int(path.parent.name))
    return found


def alive(pid):
    try:
        return Path('/proc/{}/stat'.format(pid)).read_text().rsplit(')', 1)[1].split()[0] != 'Z'
    except OSError:
        return False


@pytest.fixture
def picture(tmp_path):
    path = str(tmp_path / 'blue.png')
    cv2.imwrite(path, blue(320, 240))
    return path


@pytest.mark.parametrize('node, numbers, pause', [
    ('image_source', (INT, TERM), 0.0), ('image_source', (TERM, TERM, INT), 0.05),
    ('estimator', (INT, INT), 0.1), ('monitor', (HUP, TERM), 0.02)])
def test_signals_during_the_start_end_a_node_in_order(graph, tiny_model, picture, node, numbers,
                                                      pause):
    values = {'estimator': {'model': tiny_model}, 'image_source': {'source': picture}}
    process = graph.start(node, **values.get(node, {}))
    graph.wait(lambda: handles(process.pid, TERM), 'the handlers', process)
    for number in numbers:
        if process.alive:
            os.kill(process.pid, number)
        time.sleep(pause)
    assert process.wait() == 0, process.log()
    assert 'Traceback' not in process.log()


@pytest.mark.parametrize('node', ['image_source', 'estimator'])
def test_more_signals_while_a_node_closes(graph, tiny_model, picture, node):
    if node == 'image_source':
        images = graph.collect(Image, 'image')
        process = graph.start(node, source=picture, rate=100.0)
        graph.wait(lambda: images, 'an image', process)
    else:
        process = graph.start_estimator(tiny_model)
    end = time.monotonic() + TIMEOUT
    while process.alive and time.monotonic() < end:
        os.kill(process.pid, TERM if time.monotonic() % 0.1 < 0.05 else INT)
        time.sleep(0.01)
    assert process.wait() == 0, process.log()
    assert 'Traceback' not in process.log()


@pytest.mark.parametrize('numbers', [(HUP, INT), (TERM, TERM)])
def test_a_recording_is_whole_after_any_signal(graph, tmp_path, numbers):
    output = tmp_path / 'seen.avi'
    process = graph.start('monitor', output=str(output), period=30.0)
    publisher = graph.node.create_publisher(Image, 'overlay', RELIABLE)
    graph.wait(lambda: publisher.get_subscription_count(), 'a match', process)
    for index in range(20):
        publisher.publish(image_message(blue(64, 48), (10, index * 50000000)))
        graph.spin(0.02)
    graph.wait(lambda: list(tmp_path.glob('*')), 'the file', process)
    for number in numbers:
        if process.alive:
            os.kill(process.pid, number)
        time.sleep(0.05)
    assert process.wait() == 0 and 'annotated video' in process.log(), process.log()
    capture = cv2.VideoCapture(str(output))
    assert capture.get(cv2.CAP_PROP_FRAME_COUNT) >= 1 and capture.read()[0]


def test_the_demo_ends_its_parts_whatever_signals_come(tiny_model, picture, tmp_path):
    domain = int(os.environ.get('ROS_DOMAIN_ID', 0)) % 101 + 1  # the demo's namespace is fixed
    demo = subprocess.Popen(
        [sys.executable, '-m', 'pose_ros.nodes.run_demo', '--model', tiny_model, '--input',
         picture, '--output', str(tmp_path / 'demo.avi'), '--duration', '60'],
        cwd=str(ROOT), env=dict(os.environ, ROS_DOMAIN_ID=str(domain)), stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, universal_newlines=True)
    parts, end = [], time.monotonic() + TIMEOUT
    while len(parts) < 3 or not all(handles(pid, TERM) for pid in parts):
        assert demo.poll() is None and time.monotonic() < end
        time.sleep(0.05)
        parts = children(demo.pid)
    for number in (TERM, INT, TERM):
        demo.send_signal(number)
        time.sleep(0.05)
    text = demo.communicate(timeout=TIMEOUT)[0]
    assert demo.returncode == 0, text
    assert not [pid for pid in parts if alive(pid)]
