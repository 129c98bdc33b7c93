# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""`pose-ros batch`: results per input, for any number of workers, after failures and kills."""
import json
import multiprocessing
import os
from pathlib import Path
import shutil
import signal
import subprocess
import sys
import time

import pytest

from pose_ros.cli import batch_processes
from pose_ros.cli.batch_inputs import Input
from pose_ros.cli.batch_worker import Outcome

ROOT = Path(__file__).resolve().parents[2]
TIMEOUT = 60.0  # s; generous, because test machines are shared


@pytest.fixture
def archive(tmp_path, images, video):
    """Folder with two images, two equal videos in a folder below, and a file of another kind."""
    folder = tmp_path / 'archive'
    (folder / 'below').mkdir(parents=True)
    for path in images.iterdir():
        shutil.copy(str(path), str(folder))
    for name in ('one.avi', 'two.avi'):
        shutil.copy(video, str(folder / 'below' / name))
    (folder / 'notes.txt').write_text('nothing to see')
    return folder


def network(model):
    return ['--model', model, '--backend', 'onnxruntime']


def results(folder):
    """Return {path below the folder: bytes} of all results."""
    return {str(path.relative_to(folder)): path.read_bytes()
            for path in sorted(folder.rglob('*.json')) if path.name != 'batch.json'}


def frames(data):
    return json.loads(data.decode())['frames']


def test_each_input_has_the_result_that_the_other_commands_give(
        pose_ros, archive, tiny_model, tmp_path):
    answer = pose_ros('batch', archive, '-o', tmp_path / 'out', *network(tiny_model),
                      '--workers', '2')
    assert answer.code == 0 and answer.err == ''
    assert answer.out.startswith('4 inputs done; 26 frames, 22 people found; ')
    found = results(tmp_path / 'out')
    assert sorted(found) == ['a.png.json', 'b.png.json', 'below/one.avi.json',
                             'below/two.avi.json']
    pose_ros('video', archive / 'below' / 'one.avi', *network(tiny_model),
             '--json', tmp_path / 'video.json')
    assert found['below/one.avi.json'] == (tmp_path / 'video.json').read_bytes()
    assert frames(found['below/two.avi.json'])[1]['people'][0]['track_id'] == 1
    pose_ros('image', archive / 'a.png', *network(tiny_model), '--json', tmp_path / 'image.json')
    assert found['a.png.json'] == (tmp_path / 'image.json').read_bytes()


def test_results_do_not_depend_on_the_number_of_workers(pose_ros, archive, tiny_model, tmp_path):
    """Nor on what a worker labeled before: one worker sees both videos, whose ids are equal."""
    found = []
    for workers in (1, 3):
        out = tmp_path / 'out{}'.format(workers)
        assert pose_ros('batch', archive, '-o', out, *network(tiny_model), '--workers', workers,
                        '--smoothing', 'one_euro').code == 0
        found.append(results(out))
    assert found[0] == found[1] and len(found[0]) == 4
    one, two = (frames(found[0]['below/{}.avi.json'.format(name)]) for name in ('one', 'two'))
    assert [frame['people'] for frame in one] == [frame['people'] for frame in two]


def test_an_input_that_fails_does_not_stop_the_others(pose_ros, archive, tiny_model, tmp_path):
    (archive / 'cut.jpg').write_bytes(b'\xff\xd8\xff\xe0 cut')
    (archive / 'empty.mp4').write_bytes(b'')
    arguments = ('batch', archive, '-o', tmp_path / 'out', *network(tiny_model), '--workers', '2')
    answer = pose_ros(*arguments)
    assert answer.code == 1 and '4 inputs done, 2 failed; ' in answer.out
    lines = sorted(answer.err.splitlines())
    assert len(lines) == 2 and all(line.startswith('pose-ros: error: ') for line in lines)
    assert 'cut.jpg' in lines[0] + lines[1] and 'empty.mp4' in lines[0] + lines[1]
    assert len(results(tmp_path / 'out')) == 4
    shutil.copy(str(archive / 'a.png'), str(archive / 'cut.jpg'))
    (archive / 'empty.mp4').unlink()
    answer = pose_ros(*arguments)
    assert answer.code == 0 and answer.out.startswith('1 input done, 4 were already; 1 frame, ')


def test_a_changed_input_is_processed_again(pose_ros, archive, tiny_model, tmp_path):
    arguments = ('batch', archive, '-o', tmp_path / 'out', *network(tiny_model), '--workers', '1')
    pose_ros(*arguments)
    later = time.time() + 10
    os.utime(str(archive / 'a.png'), (later, later))
    assert pose_ros(*arguments).out.startswith('1 input done, 3 were already; ')


def test_other_options_need_another_folder(pose_ros, archive, tiny_model, tmp_path):
    arguments = ('batch', archive, '-o', tmp_path / 'out', *network(tiny_model), '--workers', '1')
    pose_ros(*arguments)
    before = results(tmp_path / 'out')
    other = arguments + ('--set', 'selection.min_score=1.0')
    answer = pose_ros(*other)
    assert answer.code == 2 and 'names other models or options' in answer.err
    assert results(tmp_path / 'out') == before
    answer = pose_ros(*other + ('--restart',))
    assert answer.code == 0 and answer.out.startswith('4 inputs done; 26 frames, 0 people found')
    assert pose_ros(*other).out.startswith('0 inputs done, 4 were already')


def test_a_list_of_inputs(pose_ros, archive, tiny_model, tmp_path):
    (tmp_path / 'list.txt').write_text(
        '# comment\narchive/below/one.avi\n\n{}\narchive/absent.png\narchive/a.png\n'
        '/dev/null\n'.format(archive / 'a.png'))
    answer = pose_ros('batch', tmp_path / 'list.txt', '-o', tmp_path / 'out',
                      *network(tiny_model), '--workers', '1')
    assert answer.code == 1 and '2 inputs done, 2 failed' in answer.out
    assert 'there is no file {}'.format(archive / 'absent.png') in answer.err
    root = tmp_path / 'out' / archive.relative_to('/')
    assert sorted(results(root)) == ['a.png.json', 'below/one.avi.json']


@pytest.mark.parametrize('content, text', [
    (b'', 'lists no images, videos or bags'),
    (b'\xff\xfe\x00', 'neither a folder nor a text file')])
def test_a_list_without_inputs(pose_ros, tmp_path, tiny_model, content, text):
    (tmp_path / 'list').write_bytes(content)
    answer = pose_ros('batch', tmp_path / 'list', '-o', tmp_path / 'out', *network(tiny_model))
    assert answer.code == 1 and text in answer.err and not (tmp_path / 'out').exists()


def test_a_result_is_never_an_input(pose_ros, archive, tiny_model, tmp_path):
    shutil.copy(str(archive / 'a.png'), str(archive / 'a.png.json'))
    (tmp_path / 'list').write_text('archive/a.png\narchive/a.png.json\n')
    before = (archive / 'a.png.json').read_bytes()
    answer = pose_ros('batch', tmp_path / 'list', '-o', archive, *network(tiny_model))
    assert answer.code == 2 and 'would overwrite an input' in answer.err
    assert (archive / 'a.png.json').read_bytes() == before


def test_an_invalid_model_is_one_error(pose_ros, archive, tmp_path):
    answer = pose_ros('batch', archive, '-o', tmp_path / 'out', '--model', '/no/such.onnx')
    assert answer.code == 1 and answer.err.count('\n') == 1 and '/no/such.onnx' in answer.err


def label(item, args):
    """Stands in for the worker: `die` kills it, `die once` does so the first time."""
    marker = Path(item.result)
    if item.path == 'die' or item.path == 'die once' and not marker.exists():
        marker.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return Outcome(1, 0)


def test_a_worker_that_dies(monkeypatch, tmp_path):
    """What kills its worker again and again has failed; all others are done."""
    monkeypatch.setattr(batch_processes, 'label', label)
    fork = multiprocessing.get_context('fork')
    monkeypatch.setattr(multiprocessing, 'get_context', lambda name: fork)
    names = ['a', 'b', 'die', 'c', 'die once', 'd', 'die', 'e']
    inputs = [Input(name, 'image', str(tmp_path / 'marker{}'.format(number)))
              for number, name in enumerate(names)]
    ended = list(batch_processes.run_in_processes(inputs, None, 2))
    assert sorted(item.path for item, _ in ended) == sorted(names)
    assert {item.path for item, outcome in ended if outcome.error} == {'die'}


def test_a_killed_run_continues(archive, tiny_model, tmp_path):
    """After SIGKILL there are only whole results, no worker is left, and those are not redone."""
    for number in range(12):
        shutil.copy(str(archive / 'below' / 'one.avi'),
                    str(archive / 'more{}.avi'.format(number)))
    out = tmp_path / 'out'
    command = [sys.executable, '-m', 'pose_ros.cli', 'batch', str(archive), '-o', str(out),
               *network(tiny_model), '--workers', '2']
    process = subprocess.Popen(command, cwd=str(ROOT), stdout=subprocess.DEVNULL)
    end = time.monotonic() + TIMEOUT
    while len(results(out)) < 3:
        assert time.monotonic() < end and process.poll() is None
        time.sleep(0.005)
    workers = children(process.pid)
    process.kill()
    process.wait()
    wait_for_end(workers)
    first = {name: (out / name).stat().st_mtime_ns for name in results(out)}
    assert 3 <= len(first) < 16
    assert all(len(frames(data)) in (1, 12) for data in results(out).values())
    done = subprocess.run(command, cwd=str(ROOT), stdout=subprocess.PIPE, timeout=TIMEOUT)
    assert done.returncode == 0
    assert '{} inputs done, {} were already'.format(
        16 - len(first), len(first)) in done.stdout.decode()
    assert len(results(out)) == 16
    assert {name: (out / name).stat().st_mtime_ns for name in first} == first


def children(pid):
    """Return the processes that a process has started (Linux)."""
    found = []
    for task in Path('/proc/{}/task'.format(pid)).iterdir():
        found += [int(child) for child in (task / 'children').read_text().split()]
    return found


def wait_for_end(pids):
    end = time.monotonic() + TIMEOUT
    while any(os.path.exists('/proc/{}'.format(pid)) for pid in pids):
        assert time.monotonic() < end, 'workers outlive the command'
        time.sleep(0.05)


def test_ctrl_c_ends_the_run_and_its_workers(archive, tiny_model, tmp_path):
    for number in range(40):
        shutil.copy(str(archive / 'below' / 'one.avi'),
                    str(archive / 'more{}.avi'.format(number)))
    out = tmp_path / 'out'
    process = subprocess.Popen(
        [sys.executable, '-m', 'pose_ros.cli', 'batch', str(archive), '-o', str(out),
         *network(tiny_model), '--workers', '2'],
        cwd=str(ROOT), stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler))
    end = time.monotonic() + TIMEOUT
    while not results(out):
        assert time.monotonic() < end and process.poll() is None
        time.sleep(0.005)
    workers = children(process.pid)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=TIMEOUT)
    assert process.returncode == 130 and errors == b'pose-ros: error: interrupted\n'
    wait_for_end(workers)
    assert not list(out.rglob('.pose_ros_*'))


def test_without_ray(pose_ros, tiny_model, images, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, 'ray', None)
    answer = pose_ros('batch', images, '-o', tmp_path / 'out', '--model', tiny_model,
                      '--ray', 'local')
    assert answer.code == 1 and 'pip install ray' in answer.err
