# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Graphs of layers with a bias and no batch norm, which normalize the image themselves (`cmu`)."""
import numpy as np
import pytest
import torch

import tf_reference
from pose_training.errors import WeightsError
from pose_training.importers import tf_graph
from pose_training.importers.matching import load_weights
from pose_training.models import create_model, get_spec
from tf_files import add_constant, add_node, find, remove

# The layers that a network of one stage has, as tf-pose names them; a number is a pool.
BACKBONE = ('conv1_1 64', 'conv1_2 64', 1, 'conv2_1 128', 'conv2_2 128', 2, 'conv3_1 256',
            'conv3_2 256', 'conv3_3 256', 'conv3_4 256', 3, 'conv4_1 512', 'conv4_2 512',
            'conv4_3_CPM 256', 'conv4_4_CPM 128')
BRANCH = ('conv5_1_CPM_L{} 128', 'conv5_2_CPM_L{} 128', 'conv5_3_CPM_L{} 128',
          'conv5_4_CPM_L{} 512', 'conv5_5_CPM_L{} {}')


def add_layer(graph, source, name, inputs, outputs, rng):
    kernel = 1 if name[:7] in ('conv5_4', 'conv5_5') else 3
    scale = np.sqrt(2 / (kernel * kernel * inputs))
    shape = (kernel, kernel, inputs, outputs)
    add_constant(graph, name + '/weights', rng.normal(0, scale, shape).astype(np.float32))
    add_constant(graph, name + '/biases', rng.normal(0, .1, outputs).astype(np.float32))
    add_node(graph, name + '/Conv2D', 'Conv2D', [source, name + '/weights'], padding=b'SAME',
             strides=[1, 1, 1, 1], data_format=b'NHWC')
    add_node(graph, name + '/BiasAdd', 'BiasAdd', [name + '/Conv2D', name + '/biases'])
    if name.startswith('conv5_5'):
        return name + '/BiasAdd'
    return add_node(graph, name, 'Relu', [name + '/BiasAdd']).name


def add_chain(graph, source, layers, inputs, rng):
    for layer in layers:
        if isinstance(layer, int):
            source = add_node(graph, 'pool{}_stage1'.format(layer), 'MaxPool', [source],
                              ksize=[1, 2, 2, 1], strides=[1, 2, 2, 1], padding=b'VALID').name
        else:
            name, outputs = layer.split()
            source = add_layer(graph, source, name, inputs, int(outputs), rng)
            inputs = int(outputs)
    return source


@pytest.fixture(scope='module')
def graph():
    """Return the first stage of the network `cmu` as tf-pose writes it."""
    graph, rng = tf_reference.MESSAGES['GraphDef'](), np.random.default_rng(0)
    add_node(graph, 'image', 'Placeholder', [])
    add_constant(graph, 'preprocess_divide/y', np.float32(1 / 256))
    add_constant(graph, 'preprocess_subtract/y', np.float32(.5))
    add_node(graph, 'preprocess_divide', 'Mul', ['image', 'preprocess_divide/y'])
    add_node(graph, 'preprocess_subtract', 'Sub', ['preprocess_divide', 'preprocess_subtract/y'])
    features = add_chain(graph, 'preprocess_subtract', BACKBONE, 3, rng)
    ends = [add_chain(graph, features, [text.format(branch, outputs) for text in BRANCH], 128, rng)
            for branch, outputs in ((1, 38), (2, 19))]
    add_constant(graph, 'axis', np.int32(3))
    add_node(graph, 'Openpose/concat_stage7', 'ConcatV2', ends[::-1] + ['axis'])
    return graph


@pytest.fixture
def one_stage(monkeypatch):
    """Make the importer build the network with one stage: six would take too long."""
    monkeypatch.setattr(tf_graph, 'create_model', lambda name: create_model(name, stages=1))


def test_the_normalization_in_the_graph_is_that_of_the_card(graph, one_stage, tmp_path):
    path, spec = tmp_path / 'graph.pb', get_spec('cmu')
    path.write_bytes(graph.SerializeToString())
    network = create_model('cmu', stages=1).eval()
    load_weights(network, tf_graph.read_weights(str(path), spec), str(path))
    pixels = np.random.default_rng(1).integers(0, 256, (1, 40, 56, 3))
    seen = torch.from_numpy(pixels * spec.input['scale'] - spec.input['mean']).float()
    with torch.no_grad():
        maps = network(seen.permute(0, 3, 1, 2))[-1]
    found = torch.cat([maps['heatmaps'], maps['pafs']], 1).permute(0, 2, 3, 1).numpy()
    wanted = tf_reference.evaluate(graph, pixels, 'Openpose/concat_stage7')
    assert found.shape == (1, 5, 7, 57)
    assert np.corrcoef(found.ravel(), wanted.ravel())[0, 1] > 0.99999
    assert np.abs(found - wanted).max() < 1e-4 * np.abs(wanted).max()


def test_another_normalization_is_rejected(graph, one_stage, tmp_path):
    path = tmp_path / 'graph.pb'
    other = tf_reference.MESSAGES['GraphDef']()
    other.CopyFrom(graph)
    remove(other, 'preprocess_subtract/y')
    add_constant(other, 'preprocess_subtract/y', np.float32(1))
    path.write_bytes(other.SerializeToString())
    with pytest.raises(WeightsError, match=r"layer 'conv1_1' \(Conv2D of Sub\(Mul\(image\)\)"):
        tf_graph.read_weights(str(path), get_spec('cmu'))


def test_a_missing_bias_is_zero_and_a_missing_layer_an_error(graph, one_stage, tmp_path):
    path = tmp_path / 'graph.pb'
    other = tf_reference.MESSAGES['GraphDef']()
    other.CopyFrom(graph)
    find(other, 'conv4_1').input[0] = 'conv4_1/Conv2D'
    path.write_bytes(other.SerializeToString())
    tensors = tf_graph.read_weights(str(path), get_spec('cmu')).tensors
    assert not tensors['conv4_1.bias'].any() and tensors['conv4_2.bias'].all()
    find(other, 'conv4_3_CPM/Conv2D').input[0] = 'conv4_1'
    path.write_bytes(other.SerializeToString())
    with pytest.raises(WeightsError, match=r'missing \(2\): conv4_2.weight, conv4_2.bias'):
        tf_graph.read_weights(str(path), get_spec('cmu'))
