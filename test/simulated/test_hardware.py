# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""`pose-ros doctor --hardware` on simulated GPUs, its trials in processes of their own."""
import json
from pathlib import Path

import pytest
from test_precision import rewritten

from pose_ros.cli import hardware, hardware_trial
from pose_ros.cli.hardware_report import markdown
from pose_ros.cli.main import main
from pose_ros.core.bundled import BUNDLED
from pose_ros.core.errors import ModelError

HERE = Path(__file__).resolve().parent
# `import tensorrt` in a new process finds this, which puts the simulation in its own place.
TENSORRT = """
import atexit, os, pathlib, sys
sys.path.insert(0, {folder!r})
import fake_cuda, fake_tensorrt, surface
class Patch:
    setattr = staticmethod(setattr)
    setitem = staticmethod(lambda mapping, name, value: mapping.__setitem__(name, value))
machine = fake_cuda.Machine()
fake_cuda.install(Patch, machine)
trt = fake_tensorrt.make_tensorrt(
    surface.Surface(pathlib.Path({surfaces!r}), {version!r}), machine)
vars(trt._settings).update({settings!r})
{code}
atexit.register(lambda: open({leftovers!r}, 'a').write(''.join(
    problem + chr(10) for problem in machine.leftovers())))
sys.modules['tensorrt'] = trt
"""


@pytest.fixture
def simulate(tensorrt_api, monkeypatch, tmp_path):
    """Put a TensorRT on the path of new processes; whatever they leave on the GPU is an error."""
    pytest.importorskip('onnxruntime')
    folder = tmp_path / 'modules'
    folder.mkdir()
    leftovers = tmp_path / 'leftovers'
    monkeypatch.syspath_prepend(str(folder))
    monkeypatch.setattr(hardware, 'CPU_BACKENDS', ('onnxruntime',))

    def make(version, code='', **settings):
        (folder / 'tensorrt.py').write_text(TENSORRT.format(
            folder=str(HERE), surfaces=str(tensorrt_api), version=version, code=code,
            settings=settings, leftovers=str(leftovers)))
        (folder / 'pycuda.py').write_text('import tensorrt\n')
    yield make
    assert leftovers.read_text() == ''


def examined(capsys, model):
    """Run the test; its exit code and report."""
    capsys.readouterr()
    code = main(['doctor', '--hardware', '--json', '--model', model])
    return code, json.loads(capsys.readouterr().out)


@pytest.mark.parametrize('version, precisions', [
    ('8.2.1', ['fp32', 'fp16']), ('10.3.0', ['fp32', 'fp16']), ('11.4.0.106', ['fp32'])])
def test_a_gpu_that_works(simulate, tiny_model, capsys, version, precisions):
    simulate(version)
    code, report = examined(capsys, tiny_model)
    assert code == 0 and report['works'] is True
    assert report['versions']['TensorRT'] == version and report['versions']['PyCUDA'] == '2026.1'
    assert report['gpu'] == {'name': 'Simulated Orin', 'capability': '8.7', 'integrated': True}
    found = [(trial['engine'], trial['precision']) for trial in report['trials']]
    assert found == [('tensorrt', name) for name in precisions] + [('onnxruntime', 'fp32')]
    assert {trial['batch'] for trial in report['trials']} == {1}
    for trial in report['trials']:
        for stage in ('network', 'end_to_end'):
            assert 0 < trial['stages_ms'][stage]['median'] <= trial['stages_ms'][stage]['p95']
        assert trial['file']['input'] == [160, 128] and trial['batches'] == 100
        assert trial['model'] == tiny_model
    for trial in report['trials'][:-1]:
        assert trial['version'] == version and trial['no_graph'] == '' and trial['build_s'] >= 0
        assert trial['largest_difference'] < 1e-3 and trial['lost_peaks'] == 0
        assert trial['channels'] == 57


def test_the_report_to_paste(simulate, tiny_model, capsys):
    simulate('8.2.1')
    assert main(['doctor', '--hardware', '--model', tiny_model]) == 0
    out, err = capsys.readouterr()
    lines = out.splitlines()
    assert lines[:3] == ['## pose_ros hardware test: TensorRT works', '',
                         'It agrees with ONNX Runtime in fp32 {0}, fp16 {0}.'.format(tiny_model)]
    assert '| GPU | Simulated Orin, compute capability 8.7, shares the RAM |' in lines
    assert any(line.startswith('| model | tiny, input 160x128, SHA-256 ') for line in lines)
    rows = [line for line in lines if '| tensorrt 8.2.1 | f' in line]
    assert len(rows) == 2 and all('| yes | 0.0' in row and '| 0 of 57 |' in row for row in rows)
    assert '(2% allowed)' in rows[0] and '(5% allowed)' in rows[1]
    assert 'trying tensorrt fp16' in err and 'failed' not in out


def test_half_precision_that_is_wrong(simulate, tiny_model, capsys):
    """The report has its difference but no times. The trial of fp32 follows."""
    simulate('8.2.1', broken_half=True)
    code, report = examined(capsys, tiny_model)
    full, half = report['trials'][:2]
    assert code == 1 and report['works'] is False
    assert full['precision'] == 'fp32' and 'error' not in full
    assert half['error'] == ('it disagrees with ONNX Runtime: output output holds NaN or infinite '
                             'values')
    assert half['largest_difference'] is None and 'stages_ms' not in half
    assert half['build_s'] >= 0 and half['version'] == '8.2.1'
    lines = markdown(report).splitlines()
    assert lines[0] == '## pose_ros hardware test: TensorRT works in fp32 {} only'.format(
        tiny_model)
    assert lines[2].startswith('fp16 {}: it disagrees with ONNX Runtime'.format(tiny_model))
    assert any('| NaN (5% allowed) |' in line and 'failed, see below' in line for line in lines)


def test_peaks_in_the_wrong_place(simulate, tiny_model, capsys):
    simulate('10.3.0', wrong_peaks=True, fast_half=False)
    assert main(['doctor', '--hardware', '--model', tiny_model]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[2].startswith(
        'fp32 {}: it disagrees with ONNX Runtime: output output is off by '.format(tiny_model))
    row = [line for line in lines if '| tensorrt 10.3.0 | fp32' in line][0]
    assert 'failed, see below' in row and '| 0 of 57 |' not in row and 'of 57 |' in row
    assert not any('| tensorrt 10.3.0 | fp16' in line for line in lines)


@pytest.mark.parametrize('code, error', [
    ('trt.Builder = lambda logger: os.abort()', 'it crashes with SIGABRT'),
    ('trt.Builder = lambda logger: {}[0]', 'KeyError: 0')])
def test_a_crash_is_a_line_of_the_report(simulate, tiny_model, capsys, code, error):
    simulate('10.3.0', code)
    code, report = examined(capsys, tiny_model)
    assert code == 1 and report['gpu']['name'] == 'Simulated Orin'
    failed, other = report['trials']
    assert failed['engine'] == 'tensorrt' and failed['error'] == error
    assert other['engine'] == 'onnxruntime' and 'error' not in other


def test_a_crash_in_the_end(simulate, tiny_model, capsys):
    """What was found before stays in the report, which fails."""
    simulate('10.3.0', 'atexit.register(os.abort)', fast_half=False)
    code, report = examined(capsys, tiny_model)
    assert code == 1 and report['trials'][0]['error'] == 'it crashes with SIGABRT'
    assert report['gpu']['name'] == 'Simulated Orin'


def test_a_build_that_fails_is_told_in_full(simulate, tiny_model, capsys):
    simulate('8.2.1', build_fails='Error Code 10: no tactic | of 7 fits', fast_half=False)
    assert main(['doctor', '--hardware', '--model', tiny_model]) == 1
    lines = capsys.readouterr().out.splitlines()
    start = lines.index('### tensorrt fp32 {} failed'.format(tiny_model))
    assert 'cannot build an engine' in lines[start + 2]
    assert lines[start + 2].endswith('Error Code 10: no tactic | of 7 fits')
    assert '    tensorrt: Error Code 10: no tactic | of 7 fits' in lines[start + 3:]


def test_without_a_cuda_graph(simulate, tiny_model, capsys):
    """It works, and the reason is told."""
    simulate('10.3.0', graphs=False, fast_half=False)
    assert main(['doctor', '--hardware', '--model', tiny_model]) == 0
    assert '| no: ' in capsys.readouterr().out


def test_sensible_precisions(trt, machine, tiny_model, tmp_path):
    """What the file is inside, and fp16 where the GPU gains by it."""
    of_11 = trt._surface.major >= 11
    assert hardware_trial.plan_trials(tiny_model)['precisions'] == (
        ('fp32',) if of_11 else ('fp32', 'fp16'))
    for kind, precision in (('Cast', 'fp16'), ('QuantizeLinear', 'int8')):
        path = rewritten(tiny_model, tmp_path / (kind + '.onnx'), kind)
        assert hardware_trial.plan_trials(path)['precisions'] == (precision,)
    trt._settings.fast_half = False
    assert hardware_trial.plan_trials(tiny_model)['precisions'] == ('fp32',)
    with pytest.raises(ModelError, match='cannot read the model absent.onnx'):
        hardware_trial.plan_trials('absent.onnx')


def test_every_version_builds_compares_and_times(trt, machine, tiny_model):
    found = hardware_trial.try_tensorrt(tiny_model, 'fp32')
    assert found['lost_peaks'] == 0 and found['stages_ms']['network']['median'] > 0
    assert hardware_trial.look_at_gpu('')['name'] == machine.name


def test_other_outputs_are_not_compared(trt, machine, tiny_model, make_model, monkeypatch):
    """They are an error, without figures."""
    other = make_model(separate=True)
    read = hardware_trial.read_for_tensorrt
    monkeypatch.setattr(hardware_trial, 'read_for_tensorrt', lambda path: read(other))
    found = hardware_trial.try_tensorrt(tiny_model, 'fp32')
    assert "the outputs are ['heat', 'paf'], not ['output']" in found['error']
    assert 'channels' not in found and 'stages_ms' not in found


def test_a_model_with_a_dynamic_batch_is_tried_with_one(trt, machine, make_model):
    model = make_model(dynamic=True)
    assert hardware_trial.plan_trials(model)['batches'] == [1, 4]
    found = hardware_trial.try_tensorrt(model, 'fp32', '4')
    assert found['batch'] == 4 and found['channels'] == 4 * 57 and found['lost_peaks'] == 0


def test_without_a_model_all_bundled_ones_are_tried(monkeypatch):
    """Each in every precision and batch on TensorRT, and on the CPU engines."""
    calls = []

    def tried(what, *arguments):
        calls.append((what,) + arguments)
        return {'precisions': ['fp16'], 'batches': [1, 4]} if what == 'plan' else {'error': 'no'}
    monkeypatch.setattr(hardware, '_try', tried)
    report = hardware.examine('')
    assert report['works'] is False and len(report['trials']) == 3 * (2 + 2)
    for name in BUNDLED:
        assert ('tensorrt', name, 'fp16', '4') in calls and ('cpu', name, 'openvino') in calls
    assert markdown(report).splitlines()[2] == 'fp16 pose_crop: no'
