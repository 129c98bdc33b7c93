# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""TensorRT engines with a batch: from a dynamic file by its profile, else the file's."""
import networks
import numpy as np
import pytest
from test_background import wait_for
from test_tensorrt import open_engine

from pose_ros.core.engines import create_engine
from pose_ros.core.engines.engine_cache import EngineCache
from pose_ros.core.engines.options import EngineOptions
from pose_ros.core.engines.tensorrt_build import BuildSettings
from pose_ros.core.engines.tensorrt_loader import Loader
from pose_ros.core.errors import EngineError

SHAPE = (4,) + networks.IMAGE


@pytest.fixture
def network(tmp_path):
    """Write a tiny network: network(batch of the file)."""
    return lambda batch: networks.make_channels(tmp_path / 'net{}.onnx'.format(batch), batch)


@pytest.fixture(autouse=True)
def any_outputs(monkeypatch):
    """The default comparison is made for maps (N, C, h, w), which `mean` is not."""
    from pose_ros.core.engines import tensorrt_loader
    monkeypatch.setattr(tensorrt_loader, 'disagreement', near)


def near(expected, found, precision):
    largest = max(float(np.abs(expected[name] - found[name]).max()) for name in expected)
    return '' if largest < 2 else 'off by {}'.format(largest)


@pytest.mark.parametrize('in_file, size', [(1, 1), (3, 3), ('n', 4)])
def test_the_batch_is_fixed(trt, machine, network, in_file, size):
    engine = open_engine(network(in_file), SHAPE)
    assert (engine.batch_size, engine.fixed_batch) == (size, True)
    batch = networks.random_batch(size)
    networks.check_outputs(engine.infer(batch), batch, 2e-2)
    assert engine.no_graph == '' and machine.launches == 2  # the check's and ours
    for count in (0, size - 1, size + 1):
        if count != size:
            with pytest.raises(EngineError, match='a batch of {} images of 3x6x8, not {}x'.format(
                    size, count)):
                engine.infer(networks.random_batch(count))
    engine.close()


def test_one_plan_per_batch_of_a_dynamic_file(trt, network):
    dynamic, static = network('n'), network(1)
    for path, wanted, built in ((dynamic, 4, 1), (dynamic, 2, 2), (dynamic, 4, 2),
                                (static, 4, 3), (static, 1, 3)):
        engine = open_engine(path, (wanted,) + networks.IMAGE)
        assert engine.batch_size == (1 if path == static else wanted)
        assert trt._settings.built == built
        engine.close()
    assert sorted(entry.facts['shape'][0] for entry in EngineCache().entries()) == [1, 2, 4]


def test_a_plan_file_has_its_own_batch(trt, network, tmp_path):
    built = Loader(network('n'), BuildSettings(SHAPE), backend=trt.__name__).load()
    built.engine.close()
    (tmp_path / 'net.engine').write_bytes(built.plan)
    for wanted in (1, 4, 9):
        engine = create_engine(str(tmp_path / 'net.engine'), (wanted,) + networks.IMAGE)
        assert engine.batch_size == 4 and engine.input_shape == (None,) + networks.IMAGE
        batch = networks.random_batch(4)
        networks.check_outputs(engine.infer(batch), batch, 2e-2)
        engine.close()


def test_a_range_of_batches_in_a_plan(trt, network, tmp_path, monkeypatch):
    """Other programs build such plans."""
    built = Loader(network('n'), BuildSettings(SHAPE), backend=trt.__name__).load()
    built.engine.close()
    (tmp_path / 'net.engine').write_bytes(built.plan)
    monkeypatch.setattr(trt._kinds['ICudaEngine'], '_profile', lambda self, *_: [
        (count,) + networks.IMAGE for count in (2, 4, 4)])
    monkeypatch.setattr(trt._kinds['IExecutionContext'], '_set_shape', set_any_shape)
    for wanted, size in ((1, 2), (3, 3), (8, 4)):
        engine = create_engine(str(tmp_path / 'net.engine'), (wanted,) + networks.IMAGE)
        assert engine.batch_size == size and engine.fixed_batch
        engine.close()


def set_any_shape(context, name, shape):
    context._shape = tuple(shape)
    return True


def test_a_batch_that_onnxruntime_would_take_is_padded_after_the_switch(trt, network):
    """The switch happens within `infer`, so the caller cannot know in advance."""
    trt._settings.build_time = 0.3
    engine = open_engine(network('n'), SHAPE, tensorrt_build='background')
    assert (engine.batch_size, engine.fixed_batch) == (4, False)
    batch = networks.random_batch(3)
    networks.check_outputs(engine.infer(batch), batch)
    assert engine.describe().backend == 'onnxruntime'
    wait_for(lambda: engine.infer(batch) and engine.describe().backend == trt.__name__)
    assert (engine.batch_size, engine.fixed_batch) == (4, True)
    for count in (1, 3, 4):
        batch = networks.random_batch(count, seed=count)
        networks.check_outputs(engine.infer(batch), batch, 2e-2)
    for count in (0, 5):
        with pytest.raises(EngineError, match='a batch of 4 images'):
            engine.infer(networks.random_batch(count))
    engine.close()


def test_the_replacement_of_a_failed_gpu_takes_the_same_batch(trt, machine, network):
    engine = open_engine(network('n'), SHAPE, require_tensorrt=False)
    machine.dead = 'unspecified launch failure'
    batch = networks.random_batch(4)
    networks.check_outputs(engine.infer(batch), batch)
    assert (engine.batch_size, engine.fixed_batch) == (4, False)
    networks.check_outputs(engine.infer(batch[:3]), batch[:3])
    engine.close()


@pytest.mark.parametrize('version', ['8.2.1', '10.3.0'])
def test_the_check_sees_a_batch_in_the_wrong_order(install_tensorrt, network, monkeypatch,
                                                   version):
    trt = install_tensorrt(version)
    rounded = trt._kinds['IExecutionContext']._rounded
    monkeypatch.setattr(trt._kinds['IExecutionContext'], '_rounded',
                        lambda self, array: rounded(self, array[::-1].copy()))
    image = networks.random_batch(1) * 1000
    with pytest.raises(EngineError, match='disagrees with ONNX Runtime: off by'):
        open_engine(network('n'), (2,) + networks.IMAGE, sample=lambda: image)


@pytest.mark.parametrize('version', ['8.2.1', '11.4.0.106'])
def test_agrees_decides(install_tensorrt, network, version):
    trt = install_tensorrt(version)
    asked = []

    def agrees(expected, found, precision):
        asked.append((sorted(expected), found['mix'].shape, precision))
        return '' if precision == 'fp32' else 'a keypoint is elsewhere'
    engine = create_engine(network('n'), SHAPE, 'tensorrt', agrees=agrees, require_tensorrt=True)
    assert engine.describe().precision == 'fp32'
    assert asked[-1] == (['mean', 'mix'], (4, 2, 6, 8), 'fp32')
    assert len(asked) == (1 if trt._surface.major >= 11 else 2)
    engine.close()
    options = EngineOptions(agrees=lambda *_: 'a keypoint is elsewhere')
    with pytest.raises(EngineError, match='disagrees with ONNX Runtime: a keypoint is elsewhere'):
        Loader(network('n'), BuildSettings(SHAPE), options, rebuild=True).load()
