# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Frozen TensorFlow graphs: the imported network computes what the graph computes."""
from pathlib import Path

import numpy as np
import pytest
import torch

import tf_reference
from pose_training.importers import tf_graph
from pose_training.importers.matching import load_weights
from pose_training.models import create_model, get_spec
from tf_files import (
    OUTPUT, add_constant, add_node, constant_at, copied, fill_tensor, find, freeze, replace_by,
    variables)

NAMES = ('COCO_val2014_000000000192', 'apink1', 'p1', 'p2', 'p3', 'ski')
BATCH_NORM = 'FusedBatchNorm'
EPSILON = 1e-3


@pytest.fixture(scope='module')
def published(shared):
    return shared / 'weights' / 'tf_pose_mobilenet_v2_small_graph_opt.pb'


@pytest.fixture(scope='module')
def small(published):
    """Return the published network, imported."""
    return imported(published, 'mobilenet_v2_small')


@pytest.fixture(scope='module')
def thin(shared):
    """Return the published MobileNet v1 graph, frozen with random weights."""
    graph = tf_reference.parse(shared / 'weights' / 'tf_pose_mobilenet_thin_graph_noweights.pbtxt')
    return freeze(graph, variables(graph, np.random.default_rng(0)))


@pytest.fixture(scope='module')
def pixels():
    return np.random.default_rng(1).integers(0, 256, (1, 48, 80, 3))


@pytest.fixture(scope='module')
def thin_maps(thin, pixels):
    """Return what the graph computes, according to onnxruntime."""
    return tf_reference.evaluate(thin, pixels, OUTPUT)


def imported(path, name):
    weights = tf_graph.read_weights(str(path), get_spec(name))
    network = create_model(name, **weights.options)
    load_weights(network, weights, str(path), get_spec(name).ignored)
    return network.eval()


def import_graph(graph, folder, name='mobilenet_thin'):
    path = Path(folder) / 'graph.pb'
    path.write_bytes(graph.SerializeToString())
    return imported(path, name)


def run(network, images):
    """Return the last maps, heatmaps first, as (N, h, w, C)."""
    with torch.no_grad():
        maps = network(torch.from_numpy(images.astype(np.float32)).permute(0, 3, 1, 2))[-1]
    return torch.cat([maps['heatmaps'], maps['pafs']], 1).permute(0, 2, 3, 1).numpy()


def assert_same(found, wanted, tolerance):
    assert found.shape == wanted.shape
    assert np.corrcoef(found.ravel(), wanted.ravel())[0, 1] > 0.99999
    assert np.abs(found - wanted).max() < tolerance


@pytest.mark.parametrize('name', NAMES)
def test_the_published_graph_gives_the_published_maps(small, shared, name):
    with np.load(shared / 'golden' / (name + '.npz')) as golden:
        assert_same(run(small, golden['resized_bgr'][None])[0],
                    golden['output'].astype(np.float32), 5e-3)


def test_the_reference_gives_the_published_maps(published, shared):
    graph = tf_reference.parse(published)
    with np.load(shared / 'golden' / 'p3.npz') as golden:
        assert_same(tf_reference.evaluate(graph, golden['resized_bgr'][None], OUTPUT)[0],
                    golden['output'].astype(np.float32), 5e-3)


def test_the_published_graph_demands_image_statistics(published):
    weights = tf_graph.read_weights(str(published), get_spec('mobilenet_v2_small'))
    assert weights.options == {'image_statistics': True}
    assert not [name for name in weights.tensors
                if name.startswith('MobilenetV2.') and 'running' in name]
    stored = [name for name in weights.tensors if name.endswith('.running_var')]
    assert len(stored) == 60 and all(name.startswith('Openpose.') for name in stored)
    assert {array.dtype for array in weights.tensors.values()} == {np.dtype(np.float32)}


def test_a_graph_with_stored_statistics(thin, thin_maps, pixels, tmp_path):
    network = import_graph(thin, tmp_path)
    assert_same(run(network, pixels), thin_maps, 1e-4)
    scope = 'MobilenetV1/Conv2d_3_pointwise'
    kernel = tf_reference.array_of(constant_at(thin, scope + '/weights'))
    depthwise = tf_reference.array_of(
        constant_at(thin, 'MobilenetV1/Conv2d_3_depthwise/depthwise_weights'))
    state = network.state_dict()
    assert np.array_equal(state['MobilenetV1.Conv2d_3_pointwise.weight'][5, 7, 0, 0],
                          kernel[0, 0, 7, 5])
    assert np.array_equal(state['MobilenetV1.Conv2d_3_depthwise.weight'][5, 0, 1, 2],
                          depthwise[1, 2, 5, 0])
    for ours, theirs in (('bias', 'beta'), ('running_mean', 'moving_mean'),
                         ('running_var', 'moving_variance')):
        stored = tf_reference.array_of(constant_at(thin, scope + '/BatchNorm/' + theirs))
        assert np.array_equal(state['MobilenetV1.Conv2d_3_pointwise.BatchNorm.' + ours], stored)


def statistics(graph, node):
    return [tf_reference.array_of(constant_at(graph, name)).astype(np.float64)
            for name in node.input[1:]]


def fold_into_kernel(graph, node, name, op='BiasAdd'):
    """As TensorFlow's fold_batch_norms: scale the kernel, add what is left."""
    gamma, beta, mean, variance = statistics(graph, node)
    scale = gamma / np.sqrt(variance + EPSILON)
    kernel = constant_at(graph, find(graph, node.input[0]).input[1])
    array = tf_reference.array_of(kernel) * scale
    fill_tensor(kernel, array.astype(np.float32))
    add_constant(graph, name + '/offset', (beta - mean * scale).astype(np.float32))
    add_node(graph, name, op, [node.input[0], name + '/offset'])


def multiply_and_add(graph, node, name):
    """As other optimizers: a scale and an offset beside the convolution, in several shapes."""
    gamma, beta, mean, variance = statistics(graph, node)
    scale = (gamma / np.sqrt(variance + EPSILON)).astype(np.float32)
    add_constant(graph, name + '/scale', -scale.reshape(1, 1, 1, -1))
    add_constant(graph, name + '/mean', mean.astype(np.float32))
    add_constant(graph, name + '/offset', -beta.astype(np.float32))
    add_node(graph, name + '/centered', 'Sub', [name + '/mean', node.input[0]])
    add_node(graph, name + '/scaled', 'Mul', [name + '/scale', name + '/centered'])
    add_node(graph, name, 'Sub', [name + '/scaled', name + '/offset'])


def spell_out(graph, node, name):
    """As tf.nn.batch_normalization writes it, without and with gamma."""
    gamma, beta, mean, variance = node.input[1:]
    add_constant(graph, name + '/epsilon', np.float32(EPSILON))
    add_node(graph, name + '/add', 'AddV2', [variance, name + '/epsilon'])
    add_node(graph, name + '/Rsqrt', 'Rsqrt', [name + '/add'])
    factor = name + '/Rsqrt'
    if 'L1' in name:
        factor = add_node(graph, name + '/mul', 'Mul', [factor, gamma]).name
    add_node(graph, name + '/mul_1', 'Mul', [node.input[0], factor])
    add_node(graph, name + '/mul_2', 'Mul', [mean, factor])
    add_node(graph, name + '/sub', 'Sub', [beta, name + '/mul_2'])
    add_node(graph, name, 'AddV2', [name + '/mul_1', name + '/sub'])


def bias_before(graph, node, name):
    """Shift what the batch norm reads, and its mean with it."""
    _, _, mean, _ = statistics(graph, node)
    shift = np.linspace(-1, 1, len(mean)).astype(np.float32)
    add_constant(graph, name + '/shift', shift)
    add_constant(graph, name + '/shifted_mean', (mean + shift).astype(np.float32))
    source = add_node(graph, name + '/Add', 'Add', [name + '/shift', node.input[0]]).name
    again = graph.node.add()
    again.CopyFrom(node)
    again.input[0], again.input[3] = source, name + '/shifted_mean'


def scale_after(graph, node, name):
    """Halve and shift what the batch norm gives, and undo it."""
    gamma, beta, _, _ = statistics(graph, node)
    add_constant(graph, name + '/gamma', (gamma / 2).astype(np.float32))
    add_constant(graph, name + '/beta', (beta / 2 - 3).astype(np.float32))
    add_constant(graph, name + '/three', np.float32(3))
    add_constant(graph, name + '/half', np.full((1, 1, 1, len(beta)), .5, np.float32))
    norm = graph.node.add()
    norm.CopyFrom(node)
    norm.name, norm.input[1], norm.input[2] = name + '/0', name + '/gamma', name + '/beta'
    add_node(graph, name + '/1', 'AddV2', [name + '/0', name + '/three'])
    add_node(graph, name, 'RealDiv', [name + '/1', name + '/half'])


def other_epsilon(graph, node, name):
    """Another epsilon, with the variance that makes the sum the same."""
    _, _, _, variance = statistics(graph, node)
    add_constant(graph, name + '/variance', (variance + EPSILON - 1e-5).astype(np.float32))
    again = graph.node.add()
    again.CopyFrom(node)
    again.op = 'FusedBatchNormV3'
    again.input[4] = name + '/variance'
    tf_reference.attributes(again)['epsilon'].f = 1e-5


@pytest.mark.parametrize('rewrite', [
    fold_into_kernel, lambda *node: fold_into_kernel(*node, op='Add'), multiply_and_add, spell_out,
    bias_before, scale_after, other_epsilon],
    ids=['folded', 'folded_add', 'scaled', 'spelled_out', 'bias_before', 'scale_after',
         'other_epsilon'])
def test_batch_norms_in_every_form(thin, thin_maps, pixels, tmp_path, rewrite):
    graph = copied(thin)
    names = [node.name for node in graph.node if node.op == BATCH_NORM]
    assert len(names) == 72
    for name in names:
        replace_by(graph, name, lambda node, name: rewrite(graph, node, name))
    assert_same(run(import_graph(graph, tmp_path), pixels), thin_maps, 1e-3)


def test_a_folded_batch_norm_is_the_identity_of_the_network(thin, tmp_path):
    graph, scope = copied(thin), 'MobilenetV1/Conv2d_0'
    norm = find(graph, scope + '/BatchNorm/' + BATCH_NORM)
    gamma, beta, mean, variance = statistics(graph, norm)
    scale = gamma / np.sqrt(variance + EPSILON)
    kernel = tf_reference.array_of(constant_at(graph, scope + '/weights')) * scale
    replace_by(graph, scope + '/BatchNorm/' + BATCH_NORM,
               lambda node, name: fold_into_kernel(graph, node, name))
    state = import_graph(graph, tmp_path).state_dict()
    norm = 'MobilenetV1.Conv2d_0.BatchNorm.'
    assert np.allclose(state['MobilenetV1.Conv2d_0.weight'], kernel.transpose(3, 2, 0, 1), 1e-5)
    assert np.allclose(state[norm + 'bias'], beta - mean * scale, 1e-5)
    assert not state[norm + 'running_mean'].any()
    assert np.allclose(state[norm + 'running_var'] + EPSILON, 1, atol=1e-7)


def test_gamma_is_scaled_into_the_kernel_of_a_network_without(thin, pixels, tmp_path):
    graph, rng = copied(thin), np.random.default_rng(2)
    for node in graph.node:
        if node.op == BATCH_NORM:
            tensor = constant_at(graph, node.input[1])
            fill_tensor(tensor, rng.uniform(-1.5, 1.5, tensor.tensor_shape.dim[0].size)
                        .astype(np.float32))
    assert_same(run(import_graph(graph, tmp_path), pixels),
                tf_reference.evaluate(graph, pixels, OUTPUT), 1e-4)


@pytest.mark.parametrize('dtype', [np.float32, np.float16])
@pytest.mark.parametrize('as_values', [False, True])
def test_numbers_in_every_form(thin, pixels, tmp_path, dtype, as_values):
    """As bytes or one by one, one for all of a tensor, in half precision: the same numbers."""
    graph = copied(thin)
    for node in graph.node:
        if node.op == 'Const' and tf_reference.attributes(node)['value'].tensor.dtype == 1:
            tensor = tf_reference.attributes(node)['value'].tensor
            fill_tensor(tensor, tf_reference.array_of(tensor).astype(dtype), as_values)
    assert bool(constant_at(graph, 'MobilenetV1/Conv2d_0/weights').tensor_content) != as_values
    assert_same(run(import_graph(graph, tmp_path), pixels),
                tf_reference.evaluate(graph, pixels, OUTPUT), 1e-4)


def test_the_text_form(thin, thin_maps, pixels, tmp_path):
    path = tmp_path / 'graph.pbtxt'
    path.write_text(str(thin))
    assert 'dtype: DT_FLOAT' in path.read_text()
    assert_same(run(imported(path, 'mobilenet_thin'), pixels), thin_maps, 1e-4)


def test_a_graph_for_one_size_is_checked_at_that_size(thin, thin_maps, pixels, tmp_path):
    graph = copied(thin)
    shape = tf_reference.attributes(find(graph, 'image'))['shape'].shape
    for dimension, size in zip(shape.dim, (1, 32, 48, 3)):
        dimension.size = size
    assert_same(run(import_graph(graph, tmp_path), pixels), thin_maps, 1e-4)
