# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""What the real CUDA and TensorRT punish, the simulation punishes: so the code above is right.

First the simulation alone, then the engine with one of its precautions taken away.
"""
import sys
import threading

import fake_cuda
import numpy as np
import pytest
from surface import RTX, VERSIONS
from test_tensorrt import BLUE, expected_maps, open_engine

from pose_ros.core.engines import cuda, cuda_driver, tensorrt, tensorrt_build, tensorrt_library
from pose_ros.core.engines.cuda_graph import CudaGraph
from pose_ros.core.engines.factory import tensorrt_backend
from pose_ros.core.errors import EngineError, ModelError

BINDINGS = ('8.2.1',)
NAMES = ('8.5.3', '8.6.1', '10.3.0', '10.16.1.11', '11.4.0.106', RTX)


def import_tensorrt():
    """Import the simulated module."""
    return tensorrt_library.import_tensorrt(tensorrt_backend())


@pytest.fixture
def gpu(machine):
    """The GPU, open in this thread."""
    opened = cuda.open_cuda()
    yield opened
    opened.close()


@pytest.fixture
def driver(machine):
    """pycuda.driver, initialized, with a context that is not current yet."""
    module = sys.modules['pycuda.driver']
    module.init()
    return module


def test_nothing_works_without_a_pushed_context(driver):
    driver.Device(0).retain_primary_context()  # which does not push
    for attempt in (driver.Stream, lambda: driver.mem_alloc(8), driver.mem_get_info,
                    lambda: driver.pagelocked_empty((2,), np.float32)):
        with pytest.raises(driver.LogicError, match='no currently active context'):
            attempt()


def test_a_context_is_current_in_its_thread_only(gpu, machine):
    errors = []

    def use():
        try:
            gpu.allocate(8)
        except EngineError as error:
            errors.append(str(error))
    thread = threading.Thread(target=use)
    thread.start()
    thread.join()
    assert len(errors) == 1 and 'no currently active context' in errors[0]


def test_pushes_and_pops_must_balance(driver, machine):
    context = driver.Device(0).retain_primary_context()
    with pytest.raises(driver.LogicError, match='cannot pop'):
        context.pop()
    context.push()
    assert any('was not empty: abort' in text for text in machine.leftovers())
    context.pop()
    assert machine.leftovers() == []


def test_memory_is_freed_once_and_not_used_afterwards(gpu, driver, machine):
    allocation, array = driver.mem_alloc(400), gpu.pinned((100,), np.float32)
    gpu.copy_in(int(allocation), array)
    allocation.free()
    with pytest.raises(EngineError, match='illegal memory access'):
        gpu.synchronize()
    with pytest.raises(driver.LogicError):
        allocation.free()


def test_a_copy_of_another_type_or_shape_does_not_fit(gpu):
    address = gpu.allocate(100 * 4)
    for array in (np.zeros(100, np.float64), np.zeros(101, np.float32)):
        with pytest.raises(EngineError, match='illegal memory access'):
            gpu.copy_in(address, array)
    with pytest.raises(ValueError, match='not contiguous'):
        gpu.copy_in(address, np.zeros((10, 20), np.float32)[:, ::2])


def test_copies_are_done_when_the_stream_was_waited_for(gpu):
    address, source = gpu.allocate(4), gpu.pinned((1,), np.float32)
    target = gpu.pinned((1,), np.float32)
    source[0], target[0] = 5, 0
    gpu.copy_in(address, source)
    gpu.copy_out(target, address)
    assert target[0] == 0
    gpu.synchronize()
    assert target[0] == 5


def test_the_default_stream_cannot_be_captured(gpu):
    with pytest.raises(EngineError, match='cuStreamBeginCapture_v2 failed: error 900'):
        CudaGraph(0, lambda: None)


def test_a_capture_takes_neither_waits_nor_pageable_memory(gpu, machine):
    address, pageable = gpu.allocate(4), np.zeros(1, np.float32)
    for work in (gpu.synchronize, lambda: gpu.copy_in(address, pageable)):
        with pytest.raises(EngineError, match='capturing'):
            CudaGraph(gpu.stream, work)
    assert machine.streams[gpu.stream].recording is None  # not left in capture mode
    graph = CudaGraph(gpu.stream, lambda: None)
    graph.launch()
    graph.close()


def test_a_driver_without_graphs_is_explained(gpu, monkeypatch):
    monkeypatch.setattr(cuda_driver, 'load_driver', lambda: object())
    with pytest.raises(EngineError, match='this driver has no cuStreamBeginCapture_v2'):
        CudaGraph(gpu.stream, lambda: None)


def test_a_logger_must_be_initialized(trt):
    class Logger(trt.ILogger):
        def __init__(self):
            pass
    for kind in (trt.Builder, trt.Runtime):
        with pytest.raises(TypeError, match='__init__'):
            kind(Logger())


def test_tensorrt_needs_the_context(trt, gpu):
    logger = import_tensorrt().logger
    gpu.close()
    if not trt._surface.rtx:  # its builder needs no GPU
        with pytest.raises(TypeError, match='factory function returned nullptr'):
            trt.Builder(logger)
    assert trt.Runtime(logger).deserialize_cuda_engine(b'') is None


def test_flags_are_no_numbers(trt, gpu):
    config = trt.Builder(import_tensorrt().logger).create_builder_config()
    with pytest.raises(TypeError):
        config.set_flag(1)


def test_what_a_version_lacks_raises(install_tensorrt, gpu):
    trt = install_tensorrt('11.4.0.106')
    builder = trt.Builder(import_tensorrt().logger)
    config = builder.create_builder_config()
    for use in (lambda: builder.platform_has_fast_fp16, lambda: config.max_workspace_size,
                lambda: trt.BuilderFlag.FP16, lambda: setattr(config, 'max_workspace_size', 1),
                lambda: trt.NetworkDefinitionCreationFlag.EXPLICIT_BATCH):
        with pytest.raises(AttributeError):
            use()
    trt = install_tensorrt('8.2.1')
    config = trt.Builder(import_tensorrt().logger).create_builder_config()
    for use in (lambda: trt.TensorIOMode, lambda: trt.OnnxParserFlag, lambda: trt.MemoryPoolType,
                lambda: config.set_memory_pool_limit, lambda: trt.IProgressMonitor):
        with pytest.raises(AttributeError):
            use()


def nothing(*_):
    return None


@pytest.mark.parametrize('version', NAMES)
def test_without_addresses(install_tensorrt, tiny_model, monkeypatch, version):
    install_tensorrt(version)
    monkeypatch.setattr(tensorrt._NamedTensors, 'set_addresses', nothing)
    with pytest.raises(EngineError, match='Call setTensorAddress'):
        open_engine(tiny_model)


@pytest.mark.parametrize('version', BINDINGS)
def test_without_bindings(install_tensorrt, tiny_model, monkeypatch, version):
    install_tensorrt(version)
    monkeypatch.setattr(tensorrt._Bindings, 'set_addresses', nothing)
    with pytest.raises(EngineError, match='2 bindings are needed'):
        open_engine(tiny_model)


def test_without_the_input_shape(trt, make_model, monkeypatch):
    for kind in (tensorrt._NamedTensors, tensorrt._Bindings):
        monkeypatch.setattr(kind, 'set_input_shape', nothing)
    with pytest.raises(Exception, match='negative'):
        open_engine(make_model(dynamic=True), (1, 3, 128, 160))


def test_without_a_wait(trt, tiny_model, monkeypatch):
    monkeypatch.setattr(cuda.PyCuda, 'synchronize', nothing)
    with pytest.raises(EngineError, match='disagrees with ONNX Runtime'):
        open_engine(tiny_model)


@pytest.mark.parametrize('version', [name for name in VERSIONS if name != RTX])
def test_without_a_run_before_the_capture(install_tensorrt, machine, tiny_model, monkeypatch,
                                          version):
    install_tensorrt(version)
    capture, queue = tensorrt._Session._capture, tensorrt._Session._queue
    monkeypatch.setattr(tensorrt._Session, '_queue', nothing)

    def capture_at_once(self, gpu):
        monkeypatch.setattr(tensorrt._Session, '_queue', queue)
        capture(self, gpu)
    monkeypatch.setattr(tensorrt._Session, '_capture', capture_at_once)
    engine = open_engine(tiny_model)  # it lives on, without a graph
    assert machine.launches == 0
    assert np.abs(engine.infer(BLUE)['output'][0] - expected_maps()).max() < 1e-3
    engine.close()


def test_on_the_default_stream(trt, tiny_model, monkeypatch):
    start = cuda.PyCuda.__init__
    monkeypatch.setattr(cuda.PyCuda, '__init__',
                        lambda self, index: start(self, index) or setattr(self, 'stream', 0))
    with pytest.raises(EngineError, match='default stream'):
        open_engine(tiny_model)


def test_in_the_thread_of_the_caller(trt, tiny_model, monkeypatch):
    engine = open_engine(tiny_model)
    seen = []
    engine._thread.call(seen.append)
    monkeypatch.setattr(engine._thread, 'call', lambda function, *args: function(seen[0], *args))
    with pytest.raises(EngineError, match='error 201|no currently active context'):
        engine.infer(BLUE)
    monkeypatch.undo()
    engine._thread.call(nothing)
    engine.close()


def test_without_popping_the_context(install_tensorrt, machine, tiny_model, monkeypatch):
    install_tensorrt('10.3.0')
    pop = sys.modules['pycuda.driver'].Context.pop
    monkeypatch.setattr(sys.modules['pycuda.driver'].Context, 'pop', staticmethod(nothing))
    open_engine(tiny_model).close()
    assert any('pose_cuda was not empty: abort' in text for text in machine.leftovers())
    for _, stack in machine._stacks:  # for the fixture's sake
        del stack[:]
    assert callable(pop)


def test_without_freeing(install_tensorrt, machine, tiny_model, monkeypatch):
    install_tensorrt('10.3.0')
    monkeypatch.setattr(tensorrt.CudaGraph, 'close', nothing)
    open_engine(tiny_model).close()
    assert machine.leftovers() == ['a graph was never freed']
    machine.graphs.clear()


def test_with_doubles_for_floats(trt, tiny_model, monkeypatch):
    monkeypatch.setattr(tensorrt, 'numpy_dtype', lambda *_: np.dtype(np.float16))
    with pytest.raises(EngineError, match='illegal memory access'):
        open_engine(tiny_model)


def test_without_the_parser_kept(trt, tiny_model, monkeypatch):
    parse = tensorrt_build._parse
    monkeypatch.setattr(tensorrt_build, '_parse', lambda *args: parse(*args) and None)
    with pytest.raises(EngineError, match='cannot build an engine'):
        open_engine(tiny_model)


@pytest.mark.parametrize('version', ['8.2.1', '8.5.3', '8.6.1'])
def test_without_explicit_batch(install_tensorrt, tiny_model, monkeypatch, version):
    install_tensorrt(version)
    monkeypatch.setattr(tensorrt_build, '_network_flags', lambda trt: 0)
    with pytest.raises(ModelError, match='explicit batch'):
        open_engine(tiny_model)


def test_the_stack_of_the_simulation_is_per_thread():
    machine, found = fake_cuda.Machine(), []
    machine.stack().append('context')
    thread = threading.Thread(target=lambda: found.append(list(machine.stack())))
    thread.start()
    thread.join()
    assert found == [[]]
