# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""What is asked of ONNX Runtime's GPU providers, with its CPU in their place."""
import os

import numpy as np
import pytest

from pose_ros.core.engines import create_engine
from pose_ros.core.errors import EngineError, ModelError

SHAPE = (1, 3, 128, 160)
BLUE = np.zeros(SHAPE, np.float32)
BLUE[:, 0] = 255
NO_CPU = 'session.disable_cpu_ep_fallback'
CUDA, CPU = 'CUDAExecutionProvider', 'CPUExecutionProvider'


class Gpu:
    """Makes the runtime believe in a GPU; `refuse(providers, whole)` returns an error or ''."""

    def __init__(self, runtime, monkeypatch):
        self.loads, self.sessions, self.bound_runs = [], [], 0
        self.refuse = lambda providers, whole: ''
        self._load = runtime.InferenceSession
        value = runtime.OrtValue.ortvalue_from_numpy
        monkeypatch.setattr(runtime, 'get_available_providers', lambda: [
            'TensorrtExecutionProvider', CUDA, CPU])
        monkeypatch.setattr(runtime, 'InferenceSession', self.load)
        monkeypatch.setattr(runtime.OrtValue, 'ortvalue_from_numpy',
                            lambda array, device, number: value(array))

    def load(self, path, options, providers, **others):
        try:
            whole = options.get_session_config_entry(NO_CPU) == '1'
        except RuntimeError:  # it was not set
            whole = False
        options.add_session_config_entry(NO_CPU, '0')
        self.loads.append((providers, whole))
        refusal = self.refuse(dict(pair for pair in providers if pair != CPU), whole)
        if refusal:
            raise RuntimeError(refusal)
        session = self._load(path, options, providers=[CPU], **others)
        run = session.run_with_iobinding
        session.get_providers = lambda: [
            name if isinstance(name, str) else name[0] for name in providers]

        def run_bound(binding):
            self.bound_runs += 1
            run(binding)
        session.run_with_iobinding = run_bound
        self.sessions.append(session)
        return session


@pytest.fixture
def gpu(monkeypatch, tmp_path):
    """Puts a GPU under ONNX Runtime, and the caches in a folder of their own."""
    monkeypatch.setenv('XDG_CACHE_HOME', str(tmp_path))
    return Gpu(pytest.importorskip('onnxruntime'), monkeypatch)


def is_right(engine):
    bright = engine.infer(BLUE)['output'].copy()
    dark = engine.infer(np.float32(BLUE / 5))['output']
    return bright.max() > 0.5 and np.abs(dark - bright / 5).max() < 1e-5


@pytest.mark.parametrize('device, precision, expected', [
    ('cuda', 'fp32', {'cudnn_conv_algo_search': 'HEURISTIC'}),
    ('tensorrt', 'auto', {'trt_fp16_enable': False, 'trt_engine_cache_enable': True}),
    ('tensorrt', 'fp16', {'trt_fp16_enable': True, 'trt_engine_cache_enable': True})])
def test_the_device_alone_is_asked(gpu, tiny_model, tmp_path, device, precision, expected):
    engine = create_engine(tiny_model, SHAPE, 'onnxruntime', device=device, precision=precision)
    assert engine.describe().precision == ('fp16' if precision == 'fp16' else 'fp32')
    (((_, options),), whole), = gpu.loads
    assert whole
    options = dict(options)
    folder = options.pop('trt_engine_cache_path', '')
    assert options == expected
    assert folder.startswith(str(tmp_path)) == (device == 'tensorrt')
    if device == 'tensorrt':
        assert os.path.isdir(folder)
    assert is_right(engine) and not gpu.sessions[0]._enable_fallback


def test_parts_on_the_cpu_are_no_secret(gpu, tiny_model, caplog):
    gpu.refuse = lambda providers, whole: whole and 'nodes that are assigned to the CPU'
    engine = create_engine(tiny_model, SHAPE, 'onnxruntime', device='tensorrt')
    (_, first), (providers, second) = gpu.loads
    assert first and not second
    assert [name if isinstance(name, str) else name[0] for name in providers] == [
        'TensorrtExecutionProvider', CUDA, CPU]
    message = caplog.records[-1].getMessage()
    assert 'not on TensorrtExecutionProvider alone: nodes that are assigned' in message
    assert is_right(engine)


def test_a_cuda_graph(gpu, tiny_model, caplog):
    if not hasattr(pytest.importorskip('onnxruntime').OrtValue, 'update_inplace'):
        pytest.skip('this onnxruntime is too old for CUDA graphs')
    for device, option in (('cuda', 'enable_cuda_graph'), ('tensorrt', 'trt_cuda_graph_enable')):
        gpu.loads, gpu.bound_runs = [], 0
        engine = create_engine(tiny_model, SHAPE, 'onnxruntime', device=device, cuda_graph=True)
        (((_, options),), whole), = gpu.loads
        assert whole and options[option] in (True, '1')
        assert is_right(engine) and gpu.bound_runs == 3  # the first records
    assert not caplog.records


@pytest.mark.parametrize('reason', ['refused', 'dynamic'])
def test_without_a_cuda_graph(gpu, make_model, caplog, reason):
    if reason == 'refused':
        gpu.refuse = lambda providers, whole: (
            'enable_cuda_graph' in providers.get(CUDA, {}) and 'not all nodes are on CUDA')
    engine = create_engine(make_model(dynamic=reason == 'dynamic'), SHAPE, 'onnxruntime',
                           device='cuda', cuda_graph=True)
    assert is_right(engine) and gpu.bound_runs == 0
    message = caplog.records[-1].getMessage()
    assert 'without a CUDA graph: ' in message
    old = 'too old' in message
    assert old or ('not all nodes' if reason == 'refused' else 'static shapes') in message


def test_no_silent_fall_back(tiny_model, monkeypatch):
    """A provider whose library fails to load is dropped by onnxruntime with a log line only."""
    runtime = pytest.importorskip('onnxruntime')
    monkeypatch.setattr(runtime, 'get_available_providers', lambda: [CUDA, CPU])
    load = runtime.InferenceSession

    def drop(path, options, providers, **others):
        options.add_session_config_entry(NO_CPU, '0')
        return load(path, options, providers=[CPU], **others)
    monkeypatch.setattr(runtime, 'InferenceSession', drop)
    for backend in ('onnxruntime', 'auto'):
        with pytest.raises(EngineError, match='fell back from CUDAExecutionProvider to CPU'):
            create_engine(tiny_model, SHAPE, backend, device='cuda')


def test_a_bad_file(gpu, tmp_path):
    (tmp_path / 'bad.onnx').write_bytes(b'nothing')
    with pytest.raises(ModelError, match='onnxruntime cannot load .*bad.onnx'):
        create_engine(str(tmp_path / 'bad.onnx'), SHAPE, 'onnxruntime', device='cuda')
