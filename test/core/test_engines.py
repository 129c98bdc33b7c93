# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Engines: equal outputs from every runtime, and errors with a fix."""
import logging
import os
import platform
import subprocess
import sys

import models
import numpy as np
import pytest

from pose_ros.core.engines import available_backends, BACKENDS, create_engine, EngineInfo
from pose_ros.core.errors import EngineError, ModelError

SHAPE = (1, 3, 128, 160)
BLUE = np.zeros(SHAPE, np.float32)
BLUE[:, 0] = 255
GREEN = np.zeros(SHAPE, np.float32)
GREEN[:, 1] = 255
ON_X86 = platform.machine().lower() in ('x86_64', 'amd64')


def expected_maps():
    return models.draw_maps(models.tiny_people())


def test_outputs(backend, tiny_model):
    engine = create_engine(tiny_model, SHAPE, backend)
    outputs = engine.infer(BLUE)
    assert list(outputs) == ['output'] == list(engine.output_names)
    assert outputs['output'].dtype == np.float32 and outputs['output'].shape == (1, 57, 16, 20)
    assert np.abs(outputs['output'][0] - expected_maps()).max() < 1e-5
    assert np.abs(engine.infer(BLUE / 2)['output'][0] - expected_maps() / 2).max() < 1e-5
    assert not engine.infer(GREEN)['output'].any()


def test_outputs_follow_the_input_in_a_reused_buffer(backend, tiny_model):
    engine = create_engine(tiny_model, SHAPE, backend)
    batch = np.zeros(SHAPE, np.float32)
    for level in (255, 0, 51):
        batch[:, 0] = level
        found = engine.infer(batch)['output'][0]
        assert np.abs(found - expected_maps() * (level / 255.0)).max() < 1e-5


def test_several_outputs(backend, make_model):
    engine = create_engine(make_model(separate=True), SHAPE, backend)
    outputs = engine.infer(BLUE)
    assert set(outputs) == set(engine.output_names) == {'heat', 'paf'}
    assert np.abs(outputs['heat'][0] - expected_maps()[:19]).max() < 1e-5
    assert np.abs(outputs['paf'][0] - expected_maps()[19:]).max() < 1e-5


def test_input_shape_static_and_dynamic(backend, tiny_model, make_model):
    assert create_engine(tiny_model, SHAPE, backend).input_shape == SHAPE
    engine = create_engine(make_model(dynamic=True), (1, 3, 256, 320), backend)
    assert engine.input_shape == (None, 3, None, None)
    outputs = engine.infer(np.full((1, 3, 256, 320), 255, np.float32))
    assert outputs['output'].shape == (1, 57, 32, 40)


def test_same_outputs_from_every_runtime(real_model, shared):
    names = ('onnxruntime', 'openvino')
    for name in names:
        pytest.importorskip(name)
    with np.load(str(shared / 'golden' / 'p1.npz')) as data:
        batch = np.float32(data['resized_bgr'].transpose(2, 0, 1)[None])
    answers = [create_engine(real_model, batch.shape, name).infer(batch)['output'].copy()
               for name in names]
    assert np.abs(answers[0] - answers[1]).max() < 2e-3


def test_describe(backend, tiny_model):
    info = create_engine(tiny_model, SHAPE, backend, threads=1).describe()
    version = sys.modules[backend].__version__.split('-')[0]
    assert info == EngineInfo(backend, version, 'cpu', 'fp32', 1, tiny_model)
    assert str(info) == '{} {} on cpu, fp32, 1 threads'.format(backend, version)
    automatic = create_engine(tiny_model, SHAPE, backend).describe()
    assert automatic.threads == 0 and 'default threads' in str(automatic)


def test_nan_in_one_call_does_not_affect_the_next(backend, make_model):
    engine = create_engine(make_model(nan=True), SHAPE, backend)
    assert np.isnan(engine.infer(GREEN)['output']).all()
    assert np.abs(engine.infer(BLUE)['output'][0] - expected_maps()).max() < 1e-5


def test_a_batch_of_another_shape_is_an_engine_error(backend, tiny_model):
    engine = create_engine(tiny_model, SHAPE, backend)
    with pytest.raises(EngineError, match='tiny.onnx takes a batch of 1 images of 3x128x160, not '
                                          '1x3x64x160'):
        engine.infer(np.zeros((1, 3, 64, 160), np.float32))
    # And it lives on.
    assert np.abs(engine.infer(BLUE)['output'][0] - expected_maps()).max() < 1e-5


@pytest.mark.parametrize('shape', [
    (1, 3, 256, 320), (4, 3, 128, 152), (1, 1, 128, 160), (3, 128, 160)])
def test_contradicting_shapes(backend, tiny_model, shape):
    with pytest.raises(ModelError) as error:
        create_engine(tiny_model, shape, backend)
    for text in (tiny_model, 'images of 3x128x160', 'x'.join(map(str, shape[-3:])), 'model card'):
        assert text in str(error.value)


def test_dynamic_model_still_needs_three_channels(backend, make_model):
    path = make_model(dynamic=True, input_channels=1)
    with pytest.raises(ModelError, match=r'images of 1x\?x\?, .*3x128x160'):
        create_engine(path, SHAPE, backend)


@pytest.mark.parametrize('kept', [0, 0.5, 0.999])
def test_truncated_files(backend, tiny_model, tmp_path, kept):
    with open(tiny_model, 'rb') as stream:
        content = stream.read()
    path = tmp_path / 'cut.onnx'
    path.write_bytes(content[:int(kept * len(content))])
    for choice in (backend, 'auto'):
        with pytest.raises(ModelError, match='cut.onnx'):
            create_engine(str(path), SHAPE, choice)


def test_other_files(backend, tmp_path):
    path = tmp_path / 'text.onnx'
    path.write_bytes(b'this is not a network\n' * 50)
    with pytest.raises(ModelError, match='text.onnx'):
        create_engine(str(path), SHAPE, backend)


def test_missing_file(backend, tmp_path):
    with pytest.raises(ModelError, match='nowhere.onnx'):
        create_engine(str(tmp_path / 'nowhere.onnx'), SHAPE, backend)


@pytest.mark.parametrize('options, word', [
    ({'backend': 'caffe'}, "backend must be one of .*'onnxruntime'.*'caffe'"),
    ({'device': 'tpu'}, "device must be one of 'cpu', 'cuda', not 'tpu'"),
    ({'precision': 'fp64'},
     "precision must be one of 'auto', 'fp32', 'fp16', 'int8', 'bf16', not 'fp64'"),
    ({'threads': -1}, 'threads must be within'),
    ({'threads': 1.5}, 'threads must be a whole number'),
    ({'allow_spinning': 'yes'}, 'allow_spinning must be true or false'),
    ({'cores': 2}, "unknown key 'cores'")])
def test_unknown_options(tiny_model, options, word):
    with pytest.raises(EngineError, match='engine options: ' + word):
        create_engine(tiny_model, SHAPE, **options)


def test_absent_backend(backend, tiny_model, monkeypatch):
    monkeypatch.setitem(sys.modules, backend, None)
    with pytest.raises(EngineError, match=backend + ' cannot be imported.*pip install'):
        create_engine(tiny_model, SHAPE, backend)


def test_onnxruntime_refuses_bf16(tiny_model):
    pytest.importorskip('onnxruntime')
    with pytest.raises(EngineError, match='bf16 use the openvino'):
        create_engine(tiny_model, SHAPE, 'onnxruntime', precision='bf16')


def test_onnxruntime_names_the_missing_provider(tiny_model):
    runtime = pytest.importorskip('onnxruntime')
    if 'CUDAExecutionProvider' in runtime.get_available_providers():
        pytest.skip('this onnxruntime has CUDA')
    for choice in ('onnxruntime', 'auto'):
        with pytest.raises(EngineError, match="'cuda' needs CUDA.*Provider.*onnxruntime-gpu"):
            create_engine(tiny_model, SHAPE, choice, device='cuda')


def test_openvino_refuses_other_devices(tiny_model):
    pytest.importorskip('openvino')
    with pytest.raises(EngineError, match='not on cuda'):
        create_engine(tiny_model, SHAPE, 'openvino', device='cuda')


def test_bf16_outputs_are_within_their_precision(tiny_model):
    pytest.importorskip('openvino')
    for choice in ('openvino', 'auto'):
        engine = create_engine(tiny_model, SHAPE, choice, precision='bf16')
        assert engine.describe().precision == 'bf16' and engine.describe().backend == 'openvino'
        found = engine.infer(BLUE)['output']
        assert found.dtype == np.float32
        assert np.abs(found[0] - expected_maps()).max() < 2e-2  # 8 bits of mantissa


def messages(caplog):
    return [record.getMessage() for record in caplog.records if record.name == 'pose_ros']


def test_auto_logs_its_choice_once(tiny_model, caplog):
    pytest.importorskip('openvino')
    if not ON_X86:
        pytest.skip('the order is another one on this processor')
    with caplog.at_level(logging.INFO, 'pose_ros'):
        engine = create_engine(tiny_model, SHAPE)
        engine.infer(BLUE)
        engine.infer(BLUE)
    assert engine.describe().backend == 'openvino'
    assert len(messages(caplog)) == 1
    assert messages(caplog)[0].startswith('engine: {}, the fastest that works here'.format(
        engine.describe()))


def test_auto_falls_back_and_logs_the_reason(tiny_model, caplog, monkeypatch):
    pytest.importorskip('onnxruntime')
    monkeypatch.setitem(sys.modules, 'openvino', None)
    with caplog.at_level(logging.INFO, 'pose_ros'):
        engine = create_engine(tiny_model, SHAPE)
    assert engine.describe().backend == 'onnxruntime'
    assert np.abs(engine.infer(BLUE)['output'][0] - expected_maps()).max() < 1e-5
    assert len(messages(caplog)) == 1
    if ON_X86:
        assert 'openvino cannot be imported' in messages(caplog)[0]


def test_auto_without_any_runtime_names_them_all(tiny_model, monkeypatch):
    for name in BACKENDS:
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(EngineError) as error:
        create_engine(tiny_model, SHAPE)
    for name in ('openvino', 'onnxruntime'):
        assert name + ' cannot be imported' in str(error.value)


def test_auto_distinguishes_a_bad_model_from_a_missing_runtime(tiny_model):
    pytest.importorskip('onnxruntime')
    with pytest.raises(ModelError, match='images of 3x128x160'):
        create_engine(tiny_model, (1, 3, 8, 8))


def test_available_backends(monkeypatch):
    monkeypatch.setitem(sys.modules, 'openvino', None)
    found = available_backends()
    assert list(found) == list(BACKENDS)
    assert found['openvino'].startswith('unavailable: ')
    runtime = pytest.importorskip('onnxruntime')
    assert found['onnxruntime'] == runtime.__version__


def loaded_modules(code):
    """Run code in a fresh interpreter; return the names of the modules that it loaded."""
    code += '\nimport sys; print("\\n" + " ".join(sys.modules))'
    environment = dict(os.environ, PYTHONPATH=str(models.ROOT))
    output = subprocess.check_output([sys.executable, '-c', code], env=environment)
    return set(output.decode().splitlines()[-1].split())


def test_the_core_loads_no_runtime_and_no_ros():
    loaded = loaded_modules('from pose_ros.core import PoseEstimator')
    assert 'pose_ros.core.estimator' in loaded
    assert not loaded & {'onnxruntime', 'openvino', 'tensorrt', 'torch', 'rclpy', 'onnx'}


@pytest.mark.parametrize('choice', ['onnxruntime', 'openvino', 'auto'])
def test_only_one_runtime_is_loaded(tiny_model, choice):
    """Two thread pools in one process slow each other down."""
    served = choice
    if choice == 'auto':
        served = 'openvino' if ON_X86 else 'onnxruntime'
    pytest.importorskip(served)
    code = 'from pose_ros.core import PoseEstimator\nPoseEstimator({!r}, {!r})'
    loaded = loaded_modules(code.format(tiny_model, choice))
    assert loaded & {'onnxruntime', 'openvino'} == {served}


def test_closed_engine(tiny_model, backend):
    engine = create_engine(tiny_model, (1, 3, 128, 160), backend)
    engine.close()
    with pytest.raises(EngineError, match='is closed'):
        engine.infer(np.zeros((1, 3, 128, 160), np.float32))


def test_signals_are_handled_after_engines_are_closed(backend, tiny_model):
    """OpenVINO would leave a freed signal stack behind, see openvino.py."""
    code = """import gc, os, signal
from pose_ros.core.engines import create_engine
signal.signal(signal.SIGTERM, lambda *_: print('handled'))
engines = [create_engine({model!r}, {shape!r}, {backend!r}) for _ in range(2)]
while engines:
    engines.pop(0).close()
    gc.collect()
os.kill(os.getpid(), signal.SIGTERM)
""".format(model=tiny_model, shape=SHAPE, backend=backend)
    output = subprocess.check_output([sys.executable, '-c', code], env=dict(
        os.environ, PYTHONPATH=str(models.ROOT)))
    assert output.decode().split() == ['handled']
