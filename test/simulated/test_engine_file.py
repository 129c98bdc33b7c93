# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""`pose-ros build-engine` and `engines`, and engine files that are carried about."""
import hashlib
import json
import os
import sys

import models
import numpy as np
import pytest
from test_tensorrt import open_engine

from pose_ros.cli.main import main
from pose_ros.core.card_files import load_card
from pose_ros.core.engines.engine_cache import EngineCache
from pose_ros.core.engines.factory import tensorrt_backend
from pose_ros.core.errors import EngineError
from pose_ros.core.estimator import PoseEstimator


@pytest.fixture
def built(trt, tiny_model, tmp_path):
    """An engine file and the TensorRT that built it."""
    path = str(tmp_path / 'robot.engine')
    assert main(['build-engine', tiny_model, '-o', path]) == 0
    return path, trt


def test_a_built_file_needs_nothing_else(built, tiny_people, tiny_model, capsys):
    path, trt = built
    EngineCache().clear()
    for backend in (tensorrt_backend(), 'auto'):
        estimator = PoseEstimator(path, backend)
        found = models.matched(estimator(models.image()), tiny_people)
        assert np.abs(found[..., :2] - tiny_people).max() < 1.0
        assert estimator.network.engine.describe().backend == trt.__name__
        assert estimator.network.engine.describe().precision in ('fp16', 'fp32')
        estimator.close()
    assert trt._settings.built == 1


def test_the_card_says_what_was_built(built, tiny_model, capsys):
    path, trt = built
    facts = load_card(path).provenance['engine']
    assert facts['tensorrt'] == trt.__version__ and facts['backend'] == trt.__name__
    assert (facts['gpu'], facts['capability']) == (
        ('Simulated RTX', '8.6') if trt._surface.rtx else ('Simulated Orin', '8.7'))
    assert facts['shape'] == [1, 3, 128, 160]
    with open(tiny_model, 'rb') as stream:
        assert facts['model_sha256'] == hashlib.sha256(stream.read()).hexdigest()
    with open(path, 'rb') as stream:
        assert facts['plan_sha256'] == hashlib.sha256(stream.read()).hexdigest()
    original = load_card(tiny_model)
    assert load_card(path)._replace(provenance=None) == original._replace(provenance=None)


def test_truncated_or_mixed_up(built):
    path, _ = built
    with open(path, 'r+b') as stream:
        stream.truncate(100)
    for backend in (tensorrt_backend(), 'auto'):
        with pytest.raises(EngineError, match='robot.engine is damaged.*build-engine'):
            PoseEstimator(path, backend)


def test_another_tensorrt(built, install_tensorrt):
    path, trt = built
    other = '10.3.0' if trt.__version__ != '10.3.0' else '8.6.1'
    install_tensorrt(other)
    text = 'was built for tensorrt {} .here {}.*build-engine'.format(trt.__version__, other)
    if trt._surface.rtx:
        text = 'is an engine of backend tensorrt_rtx, not tensorrt: use backend tensorrt_rtx'
    with pytest.raises(EngineError, match=text):
        PoseEstimator(path, 'tensorrt')


def test_another_gpu(built, machine):
    machine.name = 'Simulated Xavier'
    with pytest.raises(EngineError, match='gpu Simulated (Orin|RTX) .here Simulated Xavier'):
        PoseEstimator(built[0], tensorrt_backend())


def test_a_card_that_says_nothing_leaves_it_to_tensorrt(built, install_tensorrt):
    path, trt = built
    with open(path + '.json') as stream:
        card = json.load(stream)
    card['provenance'] = {}
    with open(path + '.json', 'w') as stream:
        json.dump(card, stream)
    PoseEstimator(path, tensorrt_backend()).close()
    install_tensorrt('10.3.0' if trt.__version__ != '10.3.0' else '8.6.1')
    with pytest.raises(EngineError, match='cannot load the engine.*Version tag'):
        PoseEstimator(path, 'tensorrt')


def test_another_precision_than_it_was_built_in(built):
    precision = load_card(built[0]).provenance['engine']['precision']
    other = {'fp16': 'fp32', 'fp32': 'fp16'}[precision]
    with pytest.raises(EngineError, match='was built in {}, not {}'.format(precision, other)):
        PoseEstimator(built[0], tensorrt_backend(), precision=other)


def test_list_and_clear(trt, tiny_model, tmp_path, capsys):
    assert main(['engines', 'list']) == 0 and '0 engines' in capsys.readouterr().out
    open_engine(tiny_model).close()
    open_engine(tiny_model, workspace=99).close()
    with open(EngineCache().entries()[0].path + '.json', 'w') as stream:
        stream.write('{}')
    assert main(['engines', 'list']) == 0
    text = capsys.readouterr().out
    assert '2 engines' in text and 'damaged' in text
    title = 'TensorRT for RTX' if trt._surface.rtx else 'TensorRT'
    assert '1x3x128x160, {} {}, Simulated '.format(title, trt.__version__) in text
    assert main(['engines', 'clear']) == 0 and 'removed 2 engines' in capsys.readouterr().out
    assert os.listdir(EngineCache().folder) == []


def test_rebuild_precision_workspace_batch_and_shape(trt, make_model, tmp_path, capsys):
    path = make_model(dynamic=True)
    out = str(tmp_path / 'a.engine')
    for count, options in enumerate(([], ['--rebuild'], ['--precision', 'fp32'],
                                     ['--workspace', '300'], ['--batch', '2'],
                                     ['--shape', '320x256']), 1):
        assert main(['build-engine', path, '-o', out] + options) == 0
        assert trt._settings.built == count
        shape = load_card(out).provenance['engine']['shape']
        assert shape[0] == (2 if '--batch' in options else 1)
    assert load_card(out).input.width == 320
    shown = capsys.readouterr()
    assert 'agrees with ONNX Runtime' in shown.out
    assert shown.err.count('building the TensorRT engine of ' + path) == 6


def test_a_bundled_model_becomes_a_file_in_this_folder(trt, tmp_path, monkeypatch, capsys):
    folder = tmp_path / 'robot'
    folder.mkdir()
    monkeypatch.chdir(folder)
    assert main(['build-engine', 'bottom_up']) == 0
    assert sorted(os.listdir(str(folder))) == ['bottom_up.engine', 'bottom_up.engine.json']
    assert load_card('bottom_up.engine').decoder.type == 'paf'


def test_every_command_shows_that_it_builds(trt, tiny_model, capsys):
    for count in (1, 0):
        assert main(['info', tiny_model, '--backend', trt.__name__, '--require-tensorrt']) == 0
        shown = capsys.readouterr()
        assert shown.err.count('building the TensorRT engine of') == count
        assert 'engine      {} {} on Simulated '.format(
            trt.__name__, trt.__version__) in shown.out


@pytest.mark.parametrize('options, text', [
    (['--precision', 'f64'], '{auto,fp32,fp16,int8}'),
    (['--workspace', '-1'], 'workspace must be'), (['--batch', '0'], 'whole number above 0'),
    (['--shape', '5'], 'WIDTHxHEIGHT')])
def test_wrong_options(options, text, capsys):
    assert main(['build-engine', 'model.onnx'] + options) == 2
    assert text in capsys.readouterr().err


def test_wrong_names(trt, built, tiny_model, capsys):
    for arguments, text in (([built[0]], 'is an engine already'),
                            ([tiny_model, '-o', 'a.plan'], 'must end in .engine'),
                            (['absent.onnx'], 'no model file')):
        assert main(['build-engine'] + arguments) == 1
        assert text in capsys.readouterr().err


def one_line(capsys, model):
    assert main(['build-engine', model]) == 1
    output = capsys.readouterr()
    assert output.out == '' and output.err.count('\n') == 1
    return output.err


def test_without_tensorrt(tiny_model, monkeypatch, capsys):
    for name in ('tensorrt', 'tensorrt_rtx'):
        monkeypatch.setitem(sys.modules, name, None)
    text = one_line(capsys, tiny_model)
    assert 'tensorrt cannot be imported' in text and 'pip install tensorrt' in text


def test_without_a_gpu(trt, tiny_model, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, 'pycuda', None)
    monkeypatch.setitem(sys.modules, 'pycuda.driver', None)
    monkeypatch.setitem(sys.modules, 'cuda', None)
    text = one_line(capsys, tiny_model)
    assert 'no NVIDIA GPU can be used' in text and 'pip install pycuda' in text
