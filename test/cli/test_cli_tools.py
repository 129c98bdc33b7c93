# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""`pose-ros bench`, `info` and `doctor`."""
import hashlib
import json
import os
import re
import signal
import stat

from pose_ros.cli import checks, doctor, hardware, probe
from pose_ros.cli.checks import ABSENT, Check, FAILED, OK
from pose_ros.core.engines import BACKENDS
import pytest

STAGES = ['pose.preprocess', 'pose.network', 'pose.decode', 'bottom_up', 'selection',
          'end_to_end']


def test_bench_times_every_stage(pose_ros, tiny_model, tmp_path):
    """A table, and the same figures as JSON together with machine, engine and model."""
    answer = pose_ros('bench', '--model', tiny_model, '--repeat', 7, '--frame-size', '200x100',
                      '--json', tmp_path / 'b.json')
    report = json.loads((tmp_path / 'b.json').read_text())
    assert answer.code == 0 and list(report['stages_ms']) == STAGES
    assert report['frames'] == 7 and report['source'] == 'synthetic image 200x100'
    assert list(report['networks']) == ['pose']
    network = report['networks']['pose']
    assert (network['model'], network['input']) == ('tiny', [160, 128])
    assert network['engine']['device'] == 'cpu'
    assert report['machine']['cpus'] == os.cpu_count()
    medians = [report['stages_ms'][stage]['median'] for stage in STAGES]
    assert all(0 < report['stages_ms'][stage]['median'] <= report['stages_ms'][stage]['p95']
               for stage in STAGES)
    assert max(medians[:-1]) < medians[-1]
    assert report['frames_per_s'] == pytest.approx(1000 / medians[-1], rel=0.01)
    for stage in STAGES:
        row = '{:<20} {median:>9.2f} {p95:>9.2f}'.format(stage, **report['stages_ms'][stage])
        assert row in answer.out.splitlines()


def test_bench_counts_the_people_of_a_video(pose_ros, tiny_model, video, tmp_path):
    """A video that is too short starts again: 12 frames, 5 of them with two people."""
    answer = pose_ros('bench', video, '--model', tiny_model, '--repeat', 24, '--quiet',
                      '--json', tmp_path / 'b.json')
    report = json.loads((tmp_path / 'b.json').read_text())
    assert answer == (0, '', '') and report['frames'] == 24
    assert report['people_per_frame'] == pytest.approx(2 * 5 / 12.0, abs=0.01)


def test_bench_of_nothing(pose_ros, tiny_model):
    """An input that is not there."""
    assert pose_ros('bench', 'absent.jpg', '--model', tiny_model).code == 1


def test_info_as_json(pose_ros, tiny_model):
    """Card, tensors with their real shapes, engine, settings and hash."""
    answer = pose_ros('info', tiny_model, '--json', '--set', 'max_people=3')
    facts = json.loads(answer.out)
    with open(tiny_model, 'rb') as stream:
        assert facts['sha256'] == hashlib.sha256(stream.read()).hexdigest()
    assert answer.code == 0
    assert facts['card']['name'] == 'tiny' and facts['card']['input']['width'] == 160
    assert facts['network'] == {'input': [1, 3, 128, 160], 'batch': 1,
                                'outputs': {'output': [57, 16, 20]}}
    assert facts['topology']['name'] == 'coco_18'
    assert len(facts['topology']['keypoint_names']) == 18
    assert facts['settings']['selection.max_people'] == 3
    assert facts['engine']['backend'] in BACKENDS


def test_info_as_text(pose_ros, tiny_model):
    """The same, line by line."""
    lines = [' '.join(line.split()) for line in pose_ros('info', tiny_model).out.splitlines()]
    assert lines[0] == 'model tiny 1.0, license Apache-2.0'
    assert 'network 1x3x128x160 -> output 57x16x20 per image' in lines
    assert 'topology coco_18, 18 keypoints, 17 limbs' in lines
    assert any(line.startswith('selection.min_score=0.2 ') for line in lines)
    assert lines[-1] == 'provenance source: drawn by the tests'


def test_info_reports_a_card_that_contradicts_the_network(pose_ros, make_model):
    """The network is run, not believed."""
    answer = pose_ros('info', make_model(input_channels=4))
    assert answer.code == 1 and answer.out == '' and '4x128x160' in answer.err


def test_info_finds_the_card_of_published_weights_by_hash(pose_ros, real_model):
    """They carry no card."""
    facts = json.loads(pose_ros('info', real_model, '--json').out)
    assert facts['card']['provenance']['model_sha256'] == facts['sha256']
    assert facts['network']['outputs'] == {'output': [57, 46, 54]}


def test_doctor_runs_the_model_on_every_engine(pose_ros, tiny_model):
    """Each present engine in a process of its own, with its time."""
    pytest.importorskip('onnxruntime')
    answer = pose_ros('doctor', '--model', tiny_model, '--json')
    report = json.loads(answer.out)
    found = {check['name']: check for check in report['checks']}
    assert answer.code == 0 and report['usable'] is True
    assert found['onnxruntime']['status'] == OK and 'ms per image' in found['onnxruntime']['found']
    assert {'python', 'numpy', 'opencv', 'model', 'openvino', 'nvidia', 'rclpy',
            'pose_ros.msg'} <= set(found)
    for check in report['checks']:
        assert check['status'] in (OK, ABSENT, FAILED) and check['found']


@pytest.mark.parametrize('name, files', [
    ('', ['pose_crop.onnx', 'person_detector.onnx']),
    ('person_detector', ['person_detector.onnx']), ('bottom_up', ['bottom_up.onnx'])])
def test_doctor_takes_names_of_bundled_models(pose_ros, monkeypatch, name, files):
    """A detector and a network of crops are run alone, too."""
    pytest.importorskip('onnxruntime')
    monkeypatch.setattr(checks, 'ENGINES', {'onnxruntime': ''})
    model, engine = checks.check_engines(name)
    assert [os.path.basename(path) for path in model.found.split(' and ')] == files
    assert engine.status == OK and 'ms per image' in engine.found


def test_doctor_of_a_missing_model(pose_ros, tmp_path):
    """Nothing can be run then."""
    answer = pose_ros('doctor', '--model', tmp_path / 'absent.onnx')
    assert answer.code == 1 and 'FAIL  model' in answer.out and 'No model can be run' in answer.out


def test_doctor_of_a_broken_model(pose_ros, make_model):
    """The engines work, and the model fails on each: the report has the reason."""
    pytest.importorskip('onnxruntime')
    answer = pose_ros('doctor', '--model', make_model(card=None))
    assert answer.code == 1 and 'has no model card' in answer.out


def test_doctor_checks_every_backend():
    """tensorrt and tensorrt_rtx are checked together with the GPU."""
    assert set(BACKENDS) - {'tensorrt', 'tensorrt_rtx'} == set(checks.ENGINES)


@pytest.mark.parametrize('engine, numpy, model, usable', [
    (OK, OK, OK, True), (OK, OK, ABSENT, True), (ABSENT, OK, OK, False), (FAILED, OK, OK, False),
    (OK, ABSENT, OK, False), (OK, OK, FAILED, False)])
def test_conditions_to_run_a_model(engine, numpy, model, usable):
    """NumPy, OpenCV, one engine and the model of the option; neither GPU nor ROS."""
    found = [Check('python', 'numpy', numpy, ''), Check('python', 'opencv', OK, ''),
             Check('engines', 'model', model, ''), Check('engines', 'openvino', ABSENT, ''),
             Check('engines', 'onnxruntime', engine, ''), Check('gpu', 'nvidia', ABSENT, ''),
             Check('ros', 'rclpy', FAILED, '')]
    assert doctor.can_run(found) is usable


def test_a_wheel_for_another_cpu_is_explained():
    """The subprocess crashes with an illegal instruction; the command reports it."""
    answer = probe.run_python('import os, signal; os.kill(os.getpid(), signal.SIGILL)')
    assert answer.output == '' and 'illegal instruction' in answer.error
    answer = probe.run_python('print("begun", flush=True); import os; os.abort()')
    assert answer == ('begun', 'it crashes with SIGABRT')


def test_other_failures_of_a_trial():
    """The last line of a traceback, an exit code, a missing program, a timeout."""
    assert probe.run_python('raise ValueError("why")').error == 'ValueError: why'
    assert probe.run_python('raise SystemExit(3)').error == 'exit code 3'
    assert probe.run_python('print(6 * 7)') == ('42', '')
    assert probe.run_program(['no-such-program']).error.startswith(
        'no-such-program: No such file or directory')


def test_a_hanging_trial_is_killed(monkeypatch):
    """Within the time that is granted."""
    monkeypatch.setattr(probe, '_TIMEOUT', 0.2)
    assert probe.run_python('import time; time.sleep(60)').error == 'no result within 0.2 s'


def test_the_log_of_a_long_trial_is_printed_and_returned(capsys):
    """Its log is shown, and returned; so is what it printed before it died."""
    answer, log = probe.run_python_streaming(
        60, 'import sys; print(sys.argv[1]); sys.stderr.buffer.write(b"one\\ntwo \\xff\\n")', 'x')
    assert answer == ('x', '') and log == 'one\ntwo \\xff\n' == capsys.readouterr().err
    answer, log = probe.run_python_streaming(
        60, 'print("begun", flush=True); import os; os.abort()')
    assert answer == ('begun', 'it crashes with SIGABRT')
    answer, _ = probe.run_python_streaming(60, 'raise ValueError("why")')
    assert answer.error == 'ValueError: why'
    answer, log = probe.run_python_streaming(
        1.5, 'import sys, time; print("x", file=sys.stderr, flush=True); time.sleep(60)')
    assert answer == ('', 'no result within 1.5 s') and log == 'x\n'


def test_the_hardware_test_without_tensorrt_or_gpu(pose_ros, tiny_model, monkeypatch, tmp_path):
    """A report all the same: why, in one line, and the times of what works."""
    pytest.importorskip('onnxruntime')
    for name in ('tensorrt', 'pycuda', 'cuda'):
        (tmp_path / (name + '.py')).write_text('raise ImportError("no {} here")'.format(name))
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(hardware, 'CPU_BACKENDS', ('onnxruntime', 'abacus'))
    answer = pose_ros('doctor', '--hardware', '--model', tiny_model)
    lines = answer.out.splitlines()
    assert answer.code == 1 and lines[0].endswith('TensorRT does not work')
    assert lines[2].startswith(
        tiny_model + ': tensorrt cannot be imported (no tensorrt here); on a Jetson: ')
    assert '| GPU | none that can be used, see below |' in lines
    assert '| TensorRT | ImportError: no tensorrt here |' in lines
    assert [lines[lines.index('### {} failed'.format(name)) + 2].split('(')[0] for name in (
        'the GPU', 'tensorrt ' + tiny_model)] == [
            '    no NVIDIA GPU can be used: pycuda cannot be imported ',
            '    tensorrt cannot be imported ']
    assert '### abacus {} failed'.format(tiny_model) in lines
    assert '### onnxruntime {} failed'.format(tiny_model) not in lines
    row = [line for line in lines if '| onnxruntime ' in line][0]
    assert re.search(r'\| fp32 \| 1 \|  \|  \|  \|  \|( \d+\.\d\d \|){4}$', row)


def test_the_hardware_test_of_a_missing_model(pose_ros, monkeypatch, tmp_path):
    """Every trial reports it, and nothing else happens."""
    monkeypatch.setattr(hardware, 'MODULES', (('PyCUDA', 'no_such_pycuda'),))
    answer = pose_ros('doctor', '--hardware', '--json', '--model', tmp_path / 'absent.onnx')
    report = json.loads(answer.out)
    assert answer.code == 1 and report['works'] is False
    assert report['versions']['PyCUDA'] == 'not installed'
    for trial in report['trials'][1:]:
        assert trial['error'].startswith("no model file at '")


def test_the_hardware_test_builds_its_engine_itself(pose_ros):
    """An engine file is refused before anything is tried."""
    answer = pose_ros('doctor', '--hardware', '--model', 'robot.engine')
    assert answer.code == 2 and answer.out == ''
    assert 'give --model the ONNX file, not robot.engine' in answer.err


def test_a_missing_engine_has_an_install_command(monkeypatch, tmp_path):
    """An import error of the module itself means absent, any other error failed."""
    (tmp_path / 'openvino.py').write_text('raise OSError("libtbb.so.12: cannot open")')
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setitem(checks.ENGINES, 'no_such_engine', 'pip install it')
    found = {check.name: check for check in checks.check_engines('')}
    assert found['no_such_engine'][2:] == (ABSENT, 'not installed', 'pip install it')
    assert found['openvino'].status == FAILED and 'libtbb.so.12' in found['openvino'].found
    assert 'pip install "openvino' in found['openvino'].advice


def test_a_gpu_without_its_libraries(monkeypatch, tmp_path):
    """nvidia-smi works: the report has commands that install the libraries."""
    program = tmp_path / 'nvidia-smi'
    program.write_text('#!/bin/sh\necho "NVIDIA RTX A1000, 550.54"\n')
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv('PATH', str(tmp_path), prepend=os.pathsep)
    monkeypatch.setattr(checks, '_TEGRA', str(tmp_path / 'absent'))
    (tmp_path / 'tensorrt.py').write_text('__version__ = "10.3.0"')
    (tmp_path / 'tensorrt_rtx.py').write_text('__version__ = "1.7.1.116"')
    monkeypatch.syspath_prepend(str(tmp_path))
    found = {check.name: check for check in checks.check_gpu()}
    assert found['nvidia'][2:4] == (OK, 'NVIDIA RTX A1000, 550.54')
    assert found['tensorrt'][2:4] == (OK, '10.3.0')
    assert found['tensorrt_rtx'][2:4] == (OK, '1.7.1.116')
    assert found['cuda'].status == ABSENT and 'cuda-bindings' in found['cuda'].advice
    monkeypatch.setattr(checks, '_TEGRA', str(tmp_path / 'release'))
    (tmp_path / 'release').write_text('# R36 (release), REVISION: 4.3\nmore\n')
    (tmp_path / 'tensorrt.py').write_text('import absent_library')
    found = {check.name: check for check in checks.check_gpu()}
    assert 'tensorrt_rtx' not in found  # there is none for Jetson boards
    assert found['nvidia'].found == '# R36 (release), REVISION: 4.3'
    assert found['tensorrt'][2:] == (
        FAILED, "ModuleNotFoundError: No module named 'absent_library'",
        'sudo apt install nvidia-jetpack')


def test_an_installed_ros_that_is_not_sourced(monkeypatch, tmp_path):
    """The report has the command to source it."""
    (tmp_path / 'humble').mkdir()
    monkeypatch.setattr(checks, '_ROS', str(tmp_path))
    absent = probe.ProbeResult('', "No module named 'rclpy'")
    monkeypatch.setattr(checks, 'run_python', lambda *_: absent)
    rclpy, messages = checks.check_ros()
    assert rclpy.status == ABSENT
    assert rclpy.advice == 'source {}/humble/setup.bash'.format(tmp_path)
    assert 'colcon build' in messages.advice


def test_the_names_of_signals():
    """Every signal has one; a number that is none stays a number."""
    assert probe._killed_by(signal.SIGSEGV) == 'it crashes with SIGSEGV'
    assert 'memory ran out' in probe._killed_by(signal.SIGKILL)
    assert probe._killed_by(64 + 40) == 'it crashes with signal 104'
