# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Images go on while an engine is built, and the switch loses none."""
import logging
import os
import subprocess
import sys
import threading
import time

import models
import numpy as np
import pytest
from test_tensorrt import BLUE, expected_maps, messages, open_engine

from pose_ros.core.engines import create_engine
from pose_ros.core.engines.factory import tensorrt_backend
from pose_ros.core.errors import EngineError
from pose_ros.core.estimator import PoseEstimator

SHAPE = BLUE.shape


def wait_for(condition):
    end = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_serves_while_it_builds_and_then_switches(trt, tiny_model, caplog):
    trt._settings.build_time = 0.5
    with caplog.at_level(logging.INFO, 'pose_ros'):
        engine = open_engine(tiny_model, tensorrt_build='background')
        serving = engine._engine
        assert engine.describe().backend == 'onnxruntime' and 'being built' in engine.status
        assert any(text.startswith('engine: onnxruntime') and text.endswith(
            'while the TensorRT engine is being built') for text in messages(caplog))
        served = {'onnxruntime': 0, trt.__name__: 0}
        end = time.monotonic() + 20
        while served[trt.__name__] < 5 and time.monotonic() < end:
            found = engine.infer(BLUE)['output']
            assert np.abs(found[0] - expected_maps()).max() < 1e-3
            served[engine.describe().backend] += 1
    assert served['onnxruntime'] >= 5 and served[trt.__name__] == 5
    assert engine.status == '' == engine.degraded_reason
    with pytest.raises(EngineError, match='closed'):  # its threads are gone
        serving.infer(BLUE)
    assert sum('from this image on' in text for text in messages(caplog)) == 1
    engine.close()


def test_images_do_not_wait_for_the_build(trt, tiny_model):
    trt._settings.build_time = 1.0
    engine = open_engine(tiny_model, tensorrt_build='background')
    start = time.monotonic()
    for _ in range(3):
        engine.infer(BLUE)
    assert engine.describe().backend == 'onnxruntime' and time.monotonic() - start < 0.9
    engine.close()
    assert engine.join(20)


def test_a_cached_engine_serves_at_once(trt, tiny_model):
    open_engine(tiny_model).close()
    engine = open_engine(tiny_model, tensorrt_build='background')
    assert engine.describe().backend == tensorrt_backend() and trt._settings.built == 1
    engine.close()


def test_a_build_that_fails_leaves_the_cpu_and_says_why(trt, tiny_model, caplog):
    trt._settings.build_fails = 'out of memory'
    engine = open_engine(tiny_model, tensorrt_build='background')
    wait_for(lambda: engine.degraded_reason)
    assert 'onnxruntime runs instead of tensorrt' in engine.degraded_reason
    assert 'out of memory' in engine.degraded_reason and engine.status == ''
    assert any(engine.degraded_reason in text for text in messages(caplog))
    assert np.abs(engine.infer(BLUE)['output'][0] - expected_maps()).max() < 1e-5
    engine.close()


def test_closing_stops_a_build_where_tensorrt_can_stop(trt, tiny_model):
    trt._settings.build_time = 1.0
    engine = open_engine(tiny_model, tensorrt_build='background')
    time.sleep(0.2)
    engine.close()
    start = time.monotonic()
    assert engine.join(20)
    can_stop = trt._surface.has('IProgressMonitor')
    assert (time.monotonic() - start < 0.5) == can_stop
    assert (trt._settings.built == 0) == can_stop
    assert engine.degraded_reason == ''


def test_closing_between_build_and_switch(trt, tiny_model):
    engine = open_engine(tiny_model, tensorrt_build='background')
    assert engine.join(20)
    engine.close()  # the fixture looks for what is left


@pytest.mark.parametrize('build', ['wait', 'background'])
def test_a_gpu_that_fails_at_work_is_replaced(trt, machine, tiny_model, caplog, build):
    engine = open_engine(tiny_model, tensorrt_build=build, require_tensorrt=False)
    wait_for(lambda: engine.infer(BLUE) and engine.describe().backend == tensorrt_backend())
    assert engine.degraded_reason == '' == engine.status and engine.output_names == ('output',)
    machine.dead = 'unspecified launch failure'
    found = engine.infer(BLUE)['output']  # the image in hand is not lost
    assert np.abs(found[0] - expected_maps()).max() < 1e-5
    assert engine.describe().backend in ('openvino', 'onnxruntime')
    assert 'runs instead of tensorrt' in engine.degraded_reason
    assert machine.dead in engine.degraded_reason
    assert messages(caplog)[-1] == engine.degraded_reason
    assert 'pose_cuda' not in {thread.name for thread in threading.enumerate()}
    engine.close()


def test_a_gpu_that_fails_at_work_when_strict(trt, machine, tiny_model):
    engine = open_engine(tiny_model)
    machine.dead = 'unspecified launch failure'
    for _ in range(2):
        with pytest.raises(EngineError, match='unspecified launch failure'):
            engine.infer(BLUE)
    engine.close()


def test_a_wrong_batch_is_no_failure_of_the_gpu(trt, tiny_model):
    engine = open_engine(tiny_model, require_tensorrt=False)
    with pytest.raises(EngineError, match='a batch of 1 images of 3x128x160, not 1x3x64x160'):
        engine.infer(BLUE[:, :, :64])
    assert engine.describe().backend == tensorrt_backend()
    engine.close()


def test_progress_is_logged(install_tensorrt, tiny_model, caplog, monkeypatch):
    from pose_ros.core.engines import build_progress
    monkeypatch.setattr(build_progress.BuildProgress.__init__, '__defaults__', (0.05,))
    for version in ('8.2.1', '10.3.0'):
        caplog.clear()
        install_tensorrt(version)._settings.build_time = 0.5
        with caplog.at_level(logging.INFO, 'pose_ros'):
            open_engine(tiny_model).close()
        lines = [text for text in messages(caplog) if text.startswith('building the TensorRT '
                                                                      'engine of ' + tiny_model)]
        assert len(lines) >= 4 and ' s' in lines[1]
        assert any('Building: step ' in text for text in lines) == (version == '10.3.0')


def test_estimator_switches_too(trt, tiny_model, tiny_people):
    trt._settings.build_time = 0.2
    estimator = PoseEstimator(tiny_model, tensorrt_backend(), tensorrt_build='background')
    for backend in ('onnxruntime', tensorrt_backend()):
        assert estimator.network.engine.describe().backend == backend
        found = models.matched(estimator(models.image()), tiny_people)
        assert np.abs(found[..., :2] - tiny_people).max() < 1.0
        wait_for(lambda: estimator(models.image()).count == 2
                 and estimator.network.engine.describe().backend == tensorrt_backend())
    estimator.close()


def test_auto_takes_tensorrt_where_it_works(trt, tiny_model, monkeypatch, caplog):
    engine = create_engine(tiny_model, SHAPE)
    assert engine.describe().backend == tensorrt_backend()
    engine.close()
    for name in ('pycuda', 'pycuda.driver', 'cuda'):
        monkeypatch.setitem(sys.modules, name, None)
    with caplog.at_level(logging.INFO, 'pose_ros'):
        engine = create_engine(tiny_model, SHAPE)
    assert engine.describe().backend in ('openvino', 'onnxruntime')
    assert 'no NVIDIA GPU can be used' in messages(caplog)[-1] and engine.degraded_reason == ''
    engine.close()


def test_a_program_that_ends_without_closing(tensorrt_api, tiny_model, tmp_path):
    """The context is popped before the thread dies: a real process would abort else."""
    code = """import atexit, sys
sys.path[:0] = [{simulated!r}, {root!r}]
import fake_cuda, fake_tensorrt, surface
from pathlib import Path
from pose_ros.core.engines import create_engine
class Patch:
    setitem = staticmethod(lambda mapping, key, value: mapping.__setitem__(key, value))
    setattr = staticmethod(setattr)
machine = fake_cuda.Machine()
atexit.register(lambda: print('left:', machine.leftovers()))
fake_cuda.install(Patch, machine)
sys.modules['tensorrt'] = fake_tensorrt.make_tensorrt(
    surface.Surface(Path({surfaces!r}), '8.6.1'), machine)
engine = create_engine({model!r}, (1, 3, 128, 160), 'tensorrt', require_tensorrt=True)
print(len(machine.memory), 'blocks')
""".format(simulated=os.path.dirname(os.path.abspath(__file__)), root=str(models.ROOT),
           surfaces=str(tensorrt_api), model=tiny_model)
    output = subprocess.check_output([sys.executable, '-c', code], env=dict(
        os.environ, XDG_CACHE_HOME=str(tmp_path))).decode()
    assert output.splitlines() == ['2 blocks', 'left: []']


def test_an_engine_that_nobody_closes_is_freed(trt, machine, tiny_model):
    engine = open_engine(tiny_model)
    threads = {thread.name for thread in threading.enumerate()}
    assert 'pose_cuda' in threads
    del engine
    wait_for(lambda: 'pose_cuda' not in {thread.name for thread in threading.enumerate()})


@pytest.mark.parametrize('name', ['tensorrt', 'pycuda'])
def test_without_the_library_the_cpu_serves(
        install_tensorrt, tiny_model, monkeypatch, caplog, name):
    install_tensorrt('10.3.0')
    for module in ([name] if name == 'tensorrt' else ['pycuda', 'pycuda.driver', 'cuda']):
        monkeypatch.setitem(sys.modules, module, None)
    engine = create_engine(tiny_model, SHAPE, 'tensorrt', tensorrt_build='background')
    assert engine.describe().backend in ('openvino', 'onnxruntime')
    assert 'runs instead of tensorrt' in engine.degraded_reason
    assert '\n' not in engine.degraded_reason
    assert messages(caplog)[-1] == engine.degraded_reason
    engine.close()
