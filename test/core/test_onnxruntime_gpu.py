# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""What the engine requests of ONNX Runtime on CUDA, with the CPU in place of the GPU."""
import networks
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
        monkeypatch.setattr(runtime, 'get_available_providers', lambda: [CUDA, CPU])
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
def gpu(monkeypatch):
    """Puts a GPU under ONNX Runtime."""
    return Gpu(pytest.importorskip('onnxruntime'), monkeypatch)


def is_right(engine):
    bright = engine.infer(BLUE)['output'].copy()
    dark = engine.infer(np.float32(BLUE / 5))['output']
    return bright.max() > 0.5 and np.abs(dark - bright / 5).max() < 1e-5


def test_cuda_alone_is_requested(gpu, tiny_model):
    engine = create_engine(tiny_model, SHAPE, 'onnxruntime', device='cuda')
    assert engine.describe().precision == 'fp32' and engine.describe().device == 'cuda'
    assert gpu.loads == [([(CUDA, {'cudnn_conv_algo_search': 'HEURISTIC'})], True)]
    assert is_right(engine) and not gpu.sessions[0]._enable_fallback


def test_layers_on_the_cpu_are_logged(gpu, tiny_model, caplog):
    gpu.refuse = lambda providers, whole: whole and 'nodes that are assigned to the CPU'
    engine = create_engine(tiny_model, SHAPE, 'onnxruntime', device='cuda')
    (_, first), (providers, second) = gpu.loads
    assert first and not second
    assert [name if isinstance(name, str) else name[0] for name in providers] == [CUDA, CPU]
    message = caplog.records[-1].getMessage()
    assert 'not on CUDAExecutionProvider alone: nodes that are assigned' in message
    assert is_right(engine)


def test_a_cuda_graph(gpu, tiny_model, caplog):
    needs_graphs()
    engine = create_engine(tiny_model, SHAPE, 'onnxruntime', device='cuda', cuda_graph=True)
    (((_, options),), whole), = gpu.loads
    assert whole and options['enable_cuda_graph'] == '1'
    assert is_right(engine) and gpu.bound_runs == 3  # the first records
    assert engine.fixed_batch and not caplog.records


def test_a_cuda_graph_fixes_a_dynamic_batch(gpu, tmp_path, caplog):
    needs_graphs()
    path = networks.make_channels(tmp_path / 'dynamic.onnx', 'n')
    shape = (3,) + networks.IMAGE
    engine = create_engine(path, shape, 'onnxruntime', device='cuda', cuda_graph=True)
    assert engine.input_shape[0] is None and engine.batch_size == 3 and engine.fixed_batch
    batch = networks.random_batch(3)
    networks.check_outputs(engine.infer(batch), batch)
    assert gpu.bound_runs == 2 and not caplog.records
    with pytest.raises(EngineError, match='takes a batch of 3 images'):
        engine.infer(batch[:2])


def needs_graphs():
    if not hasattr(pytest.importorskip('onnxruntime').OrtValue, 'update_inplace'):
        pytest.skip('this onnxruntime is too old for CUDA graphs')


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
    assert old or ('not all nodes' if reason == 'refused' else 'fixed image size') in message


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
    (tmp_path / 'bad.onnx').write_bytes(b'\x08\x08')  # a version, and no graph
    with pytest.raises(ModelError, match='onnxruntime cannot load .*bad.onnx'):
        create_engine(str(tmp_path / 'bad.onnx'), SHAPE, 'onnxruntime', device='cuda')
