# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Multiply-adds and traffic: a network counted by hand, and one whose figures are published."""
import json

import numpy as np
import pytest

onnx = pytest.importorskip('onnx')
from onnx import helper, numpy_helper, TensorProto  # noqa: E402

from models import card_data, CARD_KEY  # noqa: E402
from network_cost import count, FUSED, kinds, Layer  # noqa: E402

from pose_ros.core.errors import ModelError  # noqa: E402
from pose_ros.core.onnx_file import with_metadata  # noqa: E402

# Counted by hand for an 8x8 image: (multiply-adds, weights, numbers read and written).
BY_HAND = [
    Layer('convolution 3x3', 4 * 4 * 4 * 27, 4 * 27 + 4, 3 * 64 + 64),
    Layer(FUSED, 0, 0, 64 + 64),
    Layer('depthwise convolution 3x3', 64 * 9, 4 * 9, 64 + 64),
    Layer('grouped convolution 1x1', 64 * 2, 4 * 2, 64 + 64),
    Layer('transposed convolution 2x2', 64 * 2 * 4, 4 * 2 * 4, 64 + 128),
    Layer(FUSED, 0, 0, 128 + 128),
    Layer('matrix product', 128 * 5, 128 * 5 + 5, 128 + 5),
    Layer('matrix product', 5 * 7, 5 * 7, 5 + 7)]


def save(path, nodes, weights, size, outputs):
    graph = helper.make_graph(
        nodes, 'counted', [helper.make_tensor_value_info('image', TensorProto.FLOAT, size)],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)
         for name, shape in outputs.items()],
        [numpy_helper.from_array(np.ones(shape, np.float32), name)
         for name, shape in weights.items()])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid('', 13)])
    model.ir_version = 8
    onnx.save(model, str(path))
    return str(path)


def counted_by_hand(path, size=(1, 3, 8, 8)):
    """Every kind of layer once, one with weights that an operator passes on."""
    nodes = [
        helper.make_node('Conv', ['image', 'w0', 'b0'], ['a'], strides=[2, 2], pads=[1] * 4),
        helper.make_node('Relu', ['a'], ['b']),
        helper.make_node('Conv', ['b', 'w1'], ['c'], group=4, pads=[1] * 4),
        helper.make_node('Identity', ['w2'], ['w2 again']),
        helper.make_node('Conv', ['c', 'w2 again'], ['d'], group=2),
        helper.make_node('ConvTranspose', ['d', 'w3'], ['e'], strides=[2, 2]),
        helper.make_node('Flatten', ['e'], ['f']),
        helper.make_node('Gemm', ['f', 'w4', 'b4'], ['g'], transB=1),
        helper.make_node('MatMul', ['g', 'w5'], ['out'])]
    weights = {'w0': (4, 3, 3, 3), 'b0': (4,), 'w1': (4, 1, 3, 3), 'w2': (4, 2, 1, 1),
               'w3': (4, 2, 2, 2), 'w4': (5, 128), 'b4': (5,), 'w5': (5, 7)}
    return save(path, nodes, weights, size, {'out': [None, 7]})


def test_counts_by_hand(tmp_path):
    cost = count(counted_by_hand(tmp_path / 'net.onnx'))
    assert list(cost.layers) == BY_HAND
    assert cost.size == (8, 8)
    assert cost.multiply_adds == 1728 + 576 + 128 + 512 + 640 + 35
    assert cost.weights == 112 + 36 + 8 + 32 + 645 + 35
    assert cost.streamed == 868 + 256 + 128 + 128 + 192 + 133 + 12
    assert cost.compulsory == 868 + 192 + 7
    assert [kind for kind, _ in kinds(cost)] == [
        'convolution 3x3', 'matrix product', 'depthwise convolution 3x3',
        'transposed convolution 2x2', 'grouped convolution 1x1', FUSED]


def test_dynamic_shapes_take_the_given_size(tmp_path):
    path = counted_by_hand(tmp_path / 'net.onnx', ['n', 3, 'h', 'w'])
    assert list(count(path, (8, 8)).layers) == BY_HAND
    with pytest.raises(ModelError, match='give --size'):
        count(path)


def test_dynamic_shapes_take_the_size_of_the_card(tmp_path):
    path = counted_by_hand(tmp_path / 'net.onnx', ['n', 3, 'h', 'w'])
    card = card_data()
    card['input'].update(width=8, height=8)
    with open(path, 'rb') as stream:
        model = with_metadata(stream.read(), CARD_KEY, json.dumps(card))
    (tmp_path / 'carded.onnx').write_bytes(model)
    assert list(count(str(tmp_path / 'carded.onnx')).layers) == BY_HAND


def test_a_size_that_depends_on_arithmetic_is_refused(make_model):
    """A Resize to computed sizes: shape inference gives up, and so does the count."""
    with pytest.raises(ModelError, match='export the network with static shapes'):
        count(make_model(dynamic=True))


def test_a_transposed_left_factor(tmp_path):
    nodes = [helper.make_node('Reshape', ['image', 'shape'], ['flat']),
             helper.make_node('Gemm', ['flat', 'w'], ['out'], transA=1)]
    path = save(tmp_path / 'net.onnx', nodes, {'w': (48, 2)}, (1, 3, 4, 4), {'out': [1, 2]})
    model = onnx.load(path)
    model.graph.initializer.append(numpy_helper.from_array(np.array([48, 1], np.int64), 'shape'))
    onnx.save(model, path)
    assert count(path).multiply_adds == 48 * 2


def test_errors_have_a_reason(tmp_path):
    path = counted_by_hand(tmp_path / 'net.onnx')
    with pytest.raises(ModelError, match='is 8x8, it cannot be 16x8'):
        count(path, (16, 8))
    with pytest.raises(ModelError, match='No such file'):
        count(str(tmp_path / 'none.onnx'))
    half = tmp_path / 'half.onnx'
    half.write_bytes(open(path, 'rb').read()[:200])
    with pytest.raises(ModelError, match='half.onnx'):
        count(str(half))


@pytest.mark.parametrize('node, reason', [
    (helper.make_node('Einsum', ['image', 'w'], ['out'], equation='nchw,c->nhw'), 'Einsum'),
    (helper.make_node('Own', ['image', 'w'], ['out'], domain='someone'), r'someone\.Own'),
    (helper.make_node('If', ['w'], ['out'], then_branch=helper.make_graph([], 'a', [], []),
                      else_branch=helper.make_graph([], 'b', [], [])), 'graph of its own')])
def test_what_cannot_be_counted_is_refused(tmp_path, monkeypatch, node, reason):
    path = save(tmp_path / 'net.onnx', [node], {'w': (3,)}, (1, 3, 8, 8), {'out': [1, 8, 8]})
    # Shape inference would stop earlier, with its own words, at a graph without a body.
    monkeypatch.setattr('network_cost.shape_inference.infer_shapes', lambda model, **_: model)
    with pytest.raises(ModelError, match=reason):
        count(path)


def test_an_unknown_shape_is_named(tmp_path, monkeypatch):
    path = counted_by_hand(tmp_path / 'net.onnx')
    monkeypatch.setattr('network_cost.shape_inference.infer_shapes', lambda model, **_: model)
    with pytest.raises(ModelError, match="shape of 'a' is not known"):
        count(path)


@pytest.mark.parametrize('size, published, megabytes', [
    (None, 1.006e9, 135), ((656, 368), 1.528e9, 204)])
def test_published_network(real_model, size, published, megabytes):
    """tf-pose-estimation's graph has 159 convolutions; in this file 24 of them are folded.

    Each of these is one multiply-add per value of its map, so both published figures have to
    follow from the count here and one unknown.
    """
    cost = count(real_model, size)
    assert cost.size == (size or (432, 368))
    convolutions = [layer for layer in cost.layers if layer.kind != FUSED]
    assert len(convolutions) == 159 - 24
    folded = published - cost.multiply_adds
    assert 0 < folded < 0.006 * published
    assert 2e-6 * (cost.streamed + 2 * folded) == pytest.approx(megabytes, abs=1.5)


def test_published_shares(real_model):
    """887, 97 and 17 million multiply-adds of 1x1, depthwise and the first convolution."""
    shares = {kind: round(sum(layer.multiply_adds for layer in layers) / 1e6)
              for kind, layers in kinds(count(real_model))}
    assert shares == {'convolution 1x1': 887, 'depthwise convolution 3x3': 97,
                      'convolution 3x3': 17, FUSED: 0}
