# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""`pose-ros batch --ray` on a real Ray of two workers on this computer; skipped without Ray."""
import json
import os
from pathlib import Path
import shutil
import signal
import subprocess
import sys
import time

import pytest

ROOT = Path(__file__).resolve().parents[2]
TIMEOUT = 120.0  # s; generous, because test machines are shared


def results(folder):
    return {path.name: path.read_bytes() for path in folder.glob('*.avi.json')}


def working_processes():
    """Return the ids of Ray's processes that label an input now (Linux)."""
    found = []
    for path in Path('/proc').glob('[0-9]*/cmdline'):
        try:
            if path.read_bytes().startswith(b'ray::label'):
                found.append(int(path.parent.name))
        except OSError:
            pass  # it has ended
    return found


def test_a_worker_is_killed_in_the_middle(pose_ros, tiny_model, video, tmp_path):
    """The results are those of one process, and no input is lost."""
    pytest.importorskip('ray')
    folder = tmp_path / 'archive'
    folder.mkdir()
    for number in range(40):
        shutil.copy(video, str(folder / '{}.avi'.format(number)))
    options = ['batch', str(folder), '--model', tiny_model, '--backend', 'onnxruntime',
               '--workers']
    out, before = tmp_path / 'out', working_processes()
    process = subprocess.Popen(
        [sys.executable, '-m', 'pose_ros.cli'] + options + ['2', '--ray', 'local', '-o', str(out)],
        cwd=str(ROOT), stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    end, killed = time.monotonic() + TIMEOUT, []
    while not killed:
        assert time.monotonic() < end and process.poll() is None
        found = [pid for pid in working_processes() if pid not in before]
        if found and len(results(out)) > 1:
            os.kill(found[0], signal.SIGKILL)
            killed, left = found, 40 - len(results(out))
        time.sleep(0.002)
    printed, errors = process.communicate(timeout=TIMEOUT)
    assert process.returncode == 0, errors
    assert left > 5 and printed.startswith(b'40 inputs done; 480 frames, 400 people found')
    assert pose_ros(*options + ['1', '-o', str(tmp_path / 'alone')]).code == 0
    assert results(out) == results(tmp_path / 'alone')
    assert len(json.loads(results(out)['7.avi.json'].decode())['frames']) == 12


def test_without_ray(pose_ros, tiny_model, images, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, 'ray', None)
    answer = pose_ros('batch', images, '-o', tmp_path / 'out', '--model', tiny_model,
                      '--ray', 'local')
    assert answer.code == 1 and 'pip install ray' in answer.err

