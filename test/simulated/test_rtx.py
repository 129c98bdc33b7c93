# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""TensorRT for RTX: its compiled kernels, its architectures, and what it does not run on."""
import json
import logging
import os
import sys

import fake_rtx
import models
import numpy as np
import pytest
from surface import RTX
from test_tensorrt import BLUE, expected_maps, messages, open_engine, SHAPE

from pose_ros.cli.main import main
from pose_ros.core.card_files import load_card
from pose_ros.core.engines import create_engine, cuda_driver, prefers_gpu
from pose_ros.core.engines.engine_cache import EngineCache
from pose_ros.core.errors import EngineError, PoseRosError
from pose_ros.core.estimator import PoseEstimator

OLD_DRIVER = ('IRuntime::deserializeCudaEngine: Error Code 1: Cuda Runtime (cudaError 35: CUDA '
              'driver version is insufficient for CUDA runtime version)')


@pytest.fixture
def trt(install_tensorrt):
    """The simulated tensorrt_rtx."""
    return install_tensorrt(RTX)


def kernel_file():
    folder = EngineCache().folder
    name, = [name for name in os.listdir(folder) if name.endswith('.kernels')]
    return os.path.join(folder, name)


def works(path, **options):
    engine = open_engine(path, **options)
    assert np.abs(engine.infer(BLUE)['output'][0] - expected_maps()).max() < 1e-3
    engine.close()


def build_for(model, names, tmp_path):
    """Build an engine file for other machines, as on one without a GPU."""
    path = str(tmp_path / 'fleet.engine')
    assert main(['build-engine', model, '--arch', names, '-o', path]) == 0
    return path


def test_the_kernels_are_compiled_once(trt, tiny_model):
    for built, compiled in ((1, 1), (1, 1)):
        works(tiny_model)
        assert (trt._settings.built, trt._settings.compiled) == (built, compiled)
    entry, = EngineCache().entries()
    assert kernel_file() == entry.path[:-len('.engine')] + '.kernels'  # beside the plan


def test_all_kernels_are_there_before_the_first_image(trt, tiny_model, monkeypatch):
    """No kernel for all shapes runs first, and the library records the graph."""
    seen, compile_kernels = [], fake_rtx.compile_kernels
    monkeypatch.setattr(fake_rtx, 'compile_kernels', lambda module, config, model: (
        seen.append((config.cuda_graph_strategy.name,
                     config.dynamic_shapes_kernel_specialization_strategy.name)),
        compile_kernels(module, config, model)))
    works(tiny_model)
    assert seen == [('WHOLE_GRAPH_CAPTURE', 'EAGER')]


def test_stale_kernels_are_compiled_again_and_replaced(trt, machine, tiny_model, caplog):
    works(tiny_model)
    machine.driver = (13, 0)
    with caplog.at_level(logging.INFO, 'pose_ros'):
        works(tiny_model)
    assert (trt._settings.built, trt._settings.compiled) == (1, 2)
    assert sum('compiled again: the stored ones belong to another GPU, driver' in text
               for text in messages(caplog)) == 1
    works(tiny_model)
    assert trt._settings.compiled == 2


@pytest.mark.parametrize('spoil', [
    lambda content: content[:-1], lambda content: b'?' + content[1:], lambda content: b'short'])
def test_damaged_kernels_never_reach_the_library(trt, tiny_model, monkeypatch, caplog, spoil):
    works(tiny_model)
    with open(kernel_file(), 'rb') as stream:
        content = spoil(stream.read())
    with open(kernel_file(), 'wb') as stream:
        stream.write(content)
    given = []
    monkeypatch.setattr(trt._kinds['IRuntimeCache'], 'deserialize',
                        lambda self, blob: given.append(blob))
    works(tiny_model)
    assert given == [] and trt._settings.compiled == 2
    assert any('are damaged: they are compiled again' in text for text in messages(caplog))


def test_kernels_that_cannot_be_kept(trt, tiny_model, monkeypatch, caplog):
    monkeypatch.setattr(trt._kinds['IRuntimeConfig'], 'set_runtime_cache',
                        lambda self, cache: False)
    works(tiny_model)
    assert any('cannot be stored: they are compiled at every start' in text
               for text in messages(caplog))


def test_a_context_that_cannot_be_made(trt, tiny_model, monkeypatch):
    monkeypatch.setattr(trt._kinds['ICudaEngine'], 'create_execution_context',
                        lambda self, config: None)
    with pytest.raises(EngineError, match='for RTX 1.7.1.116 cannot prepare the engine of'):
        open_engine(tiny_model)


def test_a_new_plan_has_new_kernels(trt, tiny_model):
    works(tiny_model)
    kernels = kernel_file()
    EngineCache().remove(os.path.basename(kernels)[:-len('.kernels')])
    assert os.listdir(EngineCache().folder) == []
    works(tiny_model)
    assert os.path.exists(kernels) and trt._settings.compiled == 2
    assert EngineCache().clear() == 1 and os.listdir(EngineCache().folder) == []


def test_an_engine_for_the_fleet(trt, machine, tiny_model, tiny_people, tmp_path, capsys):
    stack = machine.stack()
    path = build_for(tiny_model, 'sm89,SM86', tmp_path)
    assert 'fp32, TensorRT for RTX 1.7.1.116, for sm89, sm86; not run here' in (
        capsys.readouterr().out)
    assert stack == [] and trt._settings.compiled == 0  # nothing was done on the GPU
    facts = load_card(path).provenance['engine']
    assert facts['architectures'] == ['sm89', 'sm86'] and facts['backend'] == 'tensorrt_rtx'
    assert facts['shape'] == [1, 3, 128, 160] and 'gpu' not in facts
    for backend in ('tensorrt_rtx', 'auto'):
        estimator = PoseEstimator(path, backend)
        found = models.matched(estimator(models.image()), tiny_people)
        assert np.abs(found[..., :2] - tiny_people).max() < 1.0
        assert estimator.network.engine.describe().backend == 'tensorrt_rtx'
        estimator.close()
    assert (trt._settings.built, trt._settings.compiled) == (1, 1)  # the kernels were kept


def test_an_engine_of_another_architecture(trt, tiny_model, tmp_path):
    path = build_for(tiny_model, 'sm89,sm120', tmp_path)
    with pytest.raises(EngineError, match='was built for sm89, sm120 .here sm86.*--arch sm86'):
        PoseEstimator(path)
    with open(path + '.json') as stream:
        card = json.load(stream)
    card['provenance'] = {}  # without facts TensorRT decides
    with open(path + '.json', 'w') as stream:
        json.dump(card, stream)
    with pytest.raises(EngineError, match='cannot load .*another GPU .UNSUPPORTED_CC.; an engine'):
        PoseEstimator(path)


@pytest.mark.parametrize('facts, text', [
    ({'backend': 'abacus'}, "names the unknown backend 'abacus': build .* again"),
    ({'backend': ['tensorrt_rtx']}, 'names the unknown backend'),
    (5, 'engine in its provenance must be an object, not 5'),
    ({'architectures': [86, None]}, 'was built for 86, None .here sm86')])
def test_a_card_with_odd_facts(trt, tiny_model, tmp_path, facts, text):
    path = build_for(tiny_model, 'sm86', tmp_path)
    with open(path + '.json') as stream:
        card = json.load(stream)
    card['provenance']['engine'] = facts
    with open(path + '.json', 'w') as stream:
        json.dump(card, stream)
    with pytest.raises(PoseRosError, match=text):
        PoseEstimator(path)


def test_without_a_gpu_all_architectures_are_built_for(trt, tiny_model, tmp_path, monkeypatch):
    def missing():
        raise EngineError('no driver')
    monkeypatch.setattr(cuda_driver, 'load_driver', missing)
    path = str(tmp_path / 'all.engine')
    assert main(['build-engine', tiny_model, '-o', path]) == 0
    assert load_card(path).provenance['engine']['architectures'] == [
        'sm80', 'sm86', 'sm89', 'sm120', 'sm121']


@pytest.mark.parametrize('names, text', [
    ('sm90', 'has no architecture sm90: use sm75, sm80, sm86, sm89, sm120, sm121'),
    ('86', 'has no architecture 86'), (',', 'give at least one GPU, such as sm86')])
def test_an_architecture_that_does_not_exist(trt, tiny_model, names, text, capsys):
    assert main(['build-engine', tiny_model, '--arch', names]) in (1, 2)
    assert text in capsys.readouterr().err


def test_architectures_are_not_for_tensorrt(install_tensorrt, tiny_model, capsys):
    install_tensorrt('10.3.0')
    for options in ([], ['--backend', 'tensorrt']):
        assert main(['build-engine', tiny_model, '--arch', 'sm86'] + options) == 1
        assert 'only tensorrt_rtx builds for other GPUs' in capsys.readouterr().err


@pytest.mark.parametrize('capability', [(9, 0), (10, 0), (7, 0), (8, 7)])
def test_a_gpu_that_it_does_not_run_on(trt, machine, tiny_model, capability):
    machine.name, machine.capability = 'Simulated H100', capability
    text = 'does not run on Simulated H100, whose compute capability is {}.{}: .*backend tensorrt'
    with pytest.raises(EngineError, match=text.format(*capability)):
        open_engine(tiny_model)
    assert not prefers_gpu(tiny_model) and trt._settings.built == 0
    engine = create_engine(tiny_model, SHAPE)
    assert engine.describe().backend in ('openvino', 'onnxruntime')
    engine.close()


@pytest.mark.parametrize('capability', [(7, 5), (8, 9), (12, 0), (12, 1)])
def test_auto_takes_it_on_a_desktop_gpu(trt, machine, tiny_model, capability):
    machine.capability = capability
    assert prefers_gpu(tiny_model)
    engine = create_engine(tiny_model, SHAPE)
    assert engine.describe().backend == 'tensorrt_rtx'
    engine.close()


def test_auto_prefers_tensorrt(trt, surfaces, machine, tiny_model, monkeypatch):
    import fake_tensorrt
    monkeypatch.setitem(sys.modules, 'tensorrt',
                        fake_tensorrt.make_tensorrt(surfaces['11.4.0.106'], machine))
    engine = create_engine(tiny_model, SHAPE)
    assert engine.describe().backend == 'tensorrt'
    engine.close()


def test_auto_without_a_gpu_does_not_mention_it(trt, tiny_model, monkeypatch, caplog):
    """It may be installed to build for other machines."""
    monkeypatch.setattr(cuda_driver, 'compute_capability', lambda: '')
    monkeypatch.setattr('pose_ros.core.engines.factory.compute_capability', lambda: '')
    assert not prefers_gpu(tiny_model)
    with caplog.at_level(logging.INFO, 'pose_ros'):
        create_engine(tiny_model, SHAPE).close()
    assert 'tensorrt' not in ' '.join(messages(caplog))


def test_without_the_module(install_tensorrt, tiny_model, monkeypatch, caplog):
    install_tensorrt(RTX)
    monkeypatch.setitem(sys.modules, 'tensorrt_rtx', None)
    engine = create_engine(tiny_model, SHAPE, 'tensorrt_rtx')
    assert 'runs instead of tensorrt_rtx: tensorrt_rtx cannot be imported' in (
        engine.degraded_reason)
    assert 'python3 -m pip install tensorrt-rtx-cu13' in engine.degraded_reason
    assert sum('instead of tensorrt_rtx' in text for text in messages(caplog)) == 1
    engine.close()
    with pytest.raises(EngineError, match='tensorrt_rtx cannot be imported'):
        open_engine_rtx(tiny_model)


def open_engine_rtx(path):
    return create_engine(path, SHAPE, 'tensorrt_rtx', require_tensorrt=True)


def test_an_old_driver(trt, tiny_model, monkeypatch):
    """CUDA reports error 35; its remedy is in the reason that the node shows."""
    def refuse(self, plan):
        self._logger.log(trt.ILogger.Severity.ERROR, OLD_DRIVER)
    monkeypatch.setattr(trt._kinds['Runtime'], 'deserialize_cuda_engine', refuse)
    engine = create_engine(tiny_model, SHAPE, 'tensorrt_rtx')
    assert engine.describe().backend in ('openvino', 'onnxruntime')
    for text in ('cannot load the engine', 'cudaError 35', 'too old for the CUDA of this wheel',
                 'install tensorrt-rtx-cu12'):
        assert text in engine.degraded_reason
    assert '\n' not in engine.degraded_reason
    engine.close()
