# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""The CUDA layer over both of its libraries, and its thread."""
import sys
import threading

import fake_bindings
import fake_cuda
import numpy as np
import pytest
from test_tensorrt import BLUE, expected_maps, messages, open_engine

from pose_ros.core.engines.cuda import CudaBindings, open_cuda, PyCuda
from pose_ros.core.engines.cuda_graph import CudaGraph
from pose_ros.core.engines.cuda_thread import CudaThread
from pose_ros.core.errors import EngineError


@pytest.fixture(params=['pycuda', 'cuda-bindings'])
def library(request, machine, monkeypatch):
    """Each library that CUDA may be had by."""
    if request.param == 'cuda-bindings':
        driver = fake_bindings.install(monkeypatch, machine)
        yield CudaBindings
        assert driver._buffers == {}
    else:
        yield PyCuda


def test_copies_and_graphs(library, machine):
    gpu = open_cuda()
    assert type(gpu) is library and gpu.info == ('Simulated Orin', '8.7', True)
    assert gpu.free_memory() == 4 << 30
    source, target = gpu.pinned((3, 4), np.float32), gpu.pinned((3, 4), np.float32)
    assert source.shape == (3, 4) and source.dtype == np.float32
    address = gpu.allocate(source.nbytes)

    def work():
        gpu.copy_in(address, source)
        gpu.copy_out(target, address)
    graph = CudaGraph(gpu.stream, work)
    for value in (1, 2):
        source[...] = value
        graph.launch()
        gpu.synchronize()
        assert (target == value).all()
    graph.close()
    graph.close()
    gpu.close()
    gpu.close()
    assert machine.leftovers() == []


def test_errors_name_the_call(library):
    gpu = open_cuda()
    with pytest.raises(EngineError, match='CUDA: '):
        gpu.copy_in(12345, gpu.pinned((1,), np.float32))
    gpu.close()


def test_engine(library, install_tensorrt, machine, tiny_model):
    for version in ('8.2.1', '10.16.1.11'):
        install_tensorrt(version)
        engine = open_engine(tiny_model)
        outputs = engine.infer(BLUE)['output']
        assert machine.launches
        engine.close()
        assert np.abs(outputs[0] - expected_maps()).max() < 1e-3  # not in freed memory


def test_mapped_memory_needs_no_copies(library, install_tensorrt, machine, tiny_model):
    for version in ('8.2.1', '10.16.1.11'):
        install_tensorrt(version)
        engine = open_engine(tiny_model, zero_copy=True)
        assert engine.describe().device.endswith('8.7, zero-copy)')
        for level in (255, 51):
            outputs = engine.infer(BLUE * (level / 255.0))['output']
            assert np.abs(outputs[0] - expected_maps() * (level / 255.0)).max() < 1e-3
        assert machine.copies == 0
        engine.close()


def test_mapped_memory_is_for_gpus_that_share_the_ram(
        install_tensorrt, machine, tiny_model, caplog):
    machine.name, machine.capability = 'Simulated card', (8, 9)
    install_tensorrt('10.3.0')
    engine = open_engine(tiny_model, zero_copy=True)
    assert engine.describe().device == 'Simulated card (compute capability 8.9)'
    assert any('Simulated card has its own' in text for text in messages(caplog))
    assert machine.copies > 0
    engine.close()


def test_no_gpu_names_every_way(machine, monkeypatch):
    def no_device(number):
        raise sys.modules['pycuda.driver'].LogicError('no CUDA-capable device is detected')
    monkeypatch.setattr(sys.modules['pycuda.driver'], 'Device', no_device)
    monkeypatch.setitem(sys.modules, 'cuda', None)
    with pytest.raises(EngineError) as error:
        open_cuda()
    for text in ('pycuda: CUDA: no CUDA-capable device', 'cuda-bindings cannot be imported',
                 'pip install pycuda', 'pip install cuda-bindings'):
        assert text in str(error.value)


def test_bindings_without_a_driver(machine, monkeypatch):
    """They raise what they like when the library is missing (13.5: DynamicLibNotFoundError)."""
    driver = fake_bindings.install(monkeypatch, machine)

    def missing(flags):
        raise RuntimeError('"cuda" is an NVIDIA driver library')
    monkeypatch.setattr(driver, 'cuInit', missing)
    with pytest.raises(EngineError, match='cuda-bindings: "cuda" is an NVIDIA driver library'):
        open_cuda()


def test_thread_runs_calls_in_one_place_and_passes_errors_on(library):
    thread = CudaThread()
    names = {thread.call(lambda cuda: threading.current_thread().name) for _ in range(3)}
    assert names == {'pose_cuda'}

    def fail(cuda, text):
        raise KeyError(text)
    with pytest.raises(KeyError, match='of its own'):
        thread.call(fail, 'of its own')
    assert thread.call(lambda cuda, a, b: a + b, 2, 3) == 5
    thread.close()
    thread.close()
    with pytest.raises(EngineError, match='is closed'):
        thread.call(fail, 'late')


def test_a_thread_may_end_itself(library):
    """As it does when the garbage collector runs there and finds an engine that nobody closed."""
    thread = CudaThread()

    def end(cuda):
        assert thread.call(lambda inner: inner is cuda)
        thread.close()
    thread.call(end)
    thread._thread.join(10)
    assert not thread._thread.is_alive()


def test_a_gpu_that_cannot_be_closed(library, monkeypatch, caplog):
    """The thread ends with a warning, not with a trace on the terminal."""
    close = library.close

    def fail(self):
        close(self)
        raise EngineError('CUDA: cuMemFree failed: unspecified launch failure')
    monkeypatch.setattr(library, 'close', fail)
    CudaThread().close()
    assert 'not be closed cleanly: CUDA: cuMemFree failed' in messages(caplog)[-1]


def test_the_real_bindings_have_what_is_called():
    """Names, where NVIDIA's package is installed; it needs a driver for the calls themselves."""
    driver = pytest.importorskip('cuda.bindings.driver')
    for name in vars(fake_bindings.make_bindings(fake_cuda.Machine())):
        if name.startswith('cu'):
            assert callable(getattr(driver, name))
    for name in ('COMPUTE_CAPABILITY_MAJOR', 'COMPUTE_CAPABILITY_MINOR', 'INTEGRATED'):
        assert hasattr(driver.CUdevice_attribute, 'CU_DEVICE_ATTRIBUTE_' + name)
