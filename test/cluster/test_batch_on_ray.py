# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""`pose-ros batch --ray` on a real Ray of two workers on this computer; skipped without Ray."""
import importlib.util
import os
from pathlib import Path
import signal
import subprocess
import sys
import time

import cv2
import numpy as np
import pytest

from pose_ros.cli.main import main

ROOT = Path(__file__).resolve().parents[2]
TIMEOUT = 200.0  # s; generous, because test machines are shared
VIDEOS = 20
pytestmark = pytest.mark.skipif(
    importlib.util.find_spec('ray') is None,
    reason='Ray is not installed (pip install -r requirements/ray.txt)')


@pytest.fixture
def archive(tmp_path):
    """Folder of videos of 12 frames: two people in the first five, then none."""
    folder = tmp_path / 'archive'
    folder.mkdir()
    for number in range(VIDEOS):
        writer = cv2.VideoWriter(str(folder / '{}.avi'.format(number)),
                                 cv2.VideoWriter_fourcc(*'MJPG'), 10.0, (160, 128))
        for frame in range(12):
            writer.write(np.full((128, 160, 3), (255 if frame < 5 else 0, 0, 0), np.uint8))
        writer.release()
    return folder


def results(folder):
    return {path.name: path.read_bytes() for path in folder.glob('*.avi.json')}


def working_processes():
    """Return the ids of Ray's processes that label an input now (Linux)."""
    found = set()
    for path in Path('/proc').glob('[0-9]*/cmdline'):
        try:
            if path.read_bytes().startswith(b'ray::label'):
                found.add(int(path.parent.name))
        except OSError:
            pass  # it has ended
    return found


def test_a_worker_is_killed_in_the_middle(archive, tiny_model, tmp_path):
    """No input is lost, and the results are those of one process."""
    out, others = tmp_path / 'out', working_processes()
    options = ['batch', str(archive), '--model', tiny_model, '--backend', 'onnxruntime']
    process = subprocess.Popen(
        [sys.executable, '-m', 'pose_ros.cli'] + options + [
            '-o', str(out), '--ray', 'local', '--workers', '2'],
        cwd=str(ROOT), stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    end, found = time.monotonic() + TIMEOUT, set()
    while not (found and results(out)):
        assert time.monotonic() < end and process.poll() is None
        time.sleep(0.002)
        found = working_processes() - others
    os.kill(min(found), signal.SIGKILL)
    done = len(results(out))
    printed, errors = process.communicate(timeout=TIMEOUT)
    assert process.returncode == 0, errors.decode()
    assert 0 < done < VIDEOS - 5
    assert '{} inputs done; {} frames, {} people found'.format(
        VIDEOS, 12 * VIDEOS, 10 * VIDEOS) in printed.decode()
    assert main(options + ['-o', str(tmp_path / 'alone'), '--workers', '1']) == 0
    assert len(results(out)) == VIDEOS and results(out) == results(tmp_path / 'alone')
