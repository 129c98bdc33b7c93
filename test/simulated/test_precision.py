# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Precision is a property of the file and of the version."""
import models
import numpy as np
import pytest
from test_tensorrt import BLUE, expected_maps, open_engine

from pose_ros.core.errors import EngineError


def of_11(trt):
    return trt._surface.major >= 11


@pytest.fixture
def half_model(tiny_model, tmp_path):
    """The tiny network with its product in half precision, float32 in and out."""
    return rewritten(tiny_model, tmp_path / 'half.onnx', 'Cast')


@pytest.fixture
def quantized_model(tiny_model, tmp_path):
    """The tiny network with a quantized input."""
    return rewritten(tiny_model, tmp_path / 'int8.onnx', 'QuantizeLinear')


@pytest.fixture
def stored_half_model(tiny_model, tmp_path):
    """The tiny network with a constant that is stored in half precision, as the bundled pair."""
    return rewritten(tiny_model, tmp_path / 'stored.onnx', 'stored')


def rewritten(source, path, kind):
    import onnx
    from onnx import helper, numpy_helper
    model = onnx.load(source)
    graph = model.graph
    if kind == 'Cast':
        last = graph.node[-1]
        half = [helper.make_node('Cast', [name], [name + '_half'], to=10) for name in last.input]
        halves = [name + '_half' for name in last.input]
        new = half + [helper.make_node('Mul', halves, ['product']),
                      helper.make_node('Cast', ['product'], [last.output[0]], to=1)]
        del graph.node[-1]
        graph.node.extend(new)
    elif kind == 'stored':
        stored = [item for item in graph.initializer if item.data_type == 1][-1]  # float
        name = stored.name
        half = numpy_helper.from_array(
            numpy_helper.to_array(stored).astype(np.float16), name + '_half')
        graph.initializer.remove(stored)
        graph.initializer.append(half)
        old = list(graph.node)
        del graph.node[:]
        graph.node.extend([helper.make_node('Cast', [name + '_half'], [name], to=1)] + old)
    else:
        first = graph.node[0]
        graph.initializer.extend([numpy_helper.from_array(np.float32(2.0), 'step'),
                                  numpy_helper.from_array(np.int8(0), 'zero')])
        new = [helper.make_node('QuantizeLinear', ['image', 'step', 'zero'], ['whole']),
               helper.make_node('DequantizeLinear', ['whole', 'step', 'zero'], ['again'])]
        first.input[0] = 'again'
        old = list(graph.node)
        del graph.node[:]
        graph.node.extend(new + old)
    path.write_bytes(model.SerializeToString())
    return str(path)


def precision_of(path, **options):
    engine = open_engine(path, **options)
    found = engine.infer(BLUE)['output']
    assert found.dtype == np.float32
    assert np.abs(found[0] - expected_maps()).max() < 5e-3
    engine.close()
    return engine.describe().precision


def test_half_file_with_float32_tensors(trt, half_model):
    assert precision_of(half_model) == 'fp16' == precision_of(half_model, precision='fp16')
    with pytest.raises(EngineError, match='cannot run .* in fp32, because the file is fp16'):
        open_engine(half_model, precision='fp32')


def test_weights_that_are_only_stored_in_half(trt, stored_half_model):
    """The network is fp32: both precisions are possible where the version has a choice."""
    assert precision_of(stored_half_model, precision='fp32') == 'fp32'
    assert precision_of(stored_half_model) == ('fp32' if of_11(trt) else 'fp16')


def test_float_file(trt, tiny_model):
    assert precision_of(tiny_model, precision='fp32') == 'fp32'
    if of_11(trt):
        assert precision_of(tiny_model) == 'fp32'
        with pytest.raises(EngineError, match='cannot run .* in fp16.*export the model'):
            open_engine(tiny_model, precision='fp16')
    else:
        assert precision_of(tiny_model) == 'fp16' == precision_of(tiny_model, precision='fp16')


def test_a_gpu_that_does_not_gain_by_half(trt, tiny_model):
    trt._settings.fast_half = False
    assert precision_of(tiny_model) == 'fp32'


def test_int8_takes_a_quantized_file(trt, tiny_model, quantized_model):
    with pytest.raises(EngineError, match='cannot run .* in int8, because the file is fp32'):
        open_engine(tiny_model, precision='int8')
    engine = open_engine(quantized_model, precision='int8')
    assert engine.describe().precision == 'int8'
    engine.close()
    with pytest.raises(EngineError, match='cannot run .* in fp32, because the file is int8'):
        open_engine(quantized_model, precision='fp32')


def test_a_tx2_has_no_int8(install_tensorrt, quantized_model):
    trt = install_tensorrt('8.2.1')
    trt._settings.fast_int8 = False
    with pytest.raises(EngineError, match='a TX2 has none'):
        open_engine(quantized_model)


@pytest.mark.parametrize('options, text', [
    ({'precision': 'bf16'}, 'tensorrt has no precision bf16'),
    ({'device': 'cuda'}, 'device is an option of the onnxruntime backend')])
def test_what_is_for_others(install_tensorrt, tiny_model, options, text):
    install_tensorrt('10.3.0')
    with pytest.raises(EngineError, match=text):
        open_engine(tiny_model, **options)


def test_instance_normalization(trt, tmp_path):
    """A plugin in 8.2 and 8.5, native later."""
    import onnx
    from onnx import helper, numpy_helper
    path = models.make_model(tmp_path / 'norm.onnx')
    model = onnx.load(path)
    last = model.graph.node[-1]
    normal = helper.make_node('InstanceNormalization', ['image', 'ones', 'zeros'], ['unused'])
    model.graph.initializer.extend([
        numpy_helper.from_array(np.ones(3, np.float32), 'ones'),
        numpy_helper.from_array(np.zeros(3, np.float32), 'zeros')])
    del model.graph.node[-1]
    model.graph.node.extend([normal, last])
    (tmp_path / 'norm.onnx').write_bytes(model.SerializeToString())
    assert precision_of(path) in ('fp16', 'fp32')
