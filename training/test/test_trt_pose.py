# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""The networks of trt_pose agree with functions written here."""
import warnings
from collections import OrderedDict

import onnx
import onnxruntime
import pytest
import torch
from norms import with_statistics
from torch import nn
from torch.nn import functional as F

from pose_training.errors import NetworkError
from pose_training.models import create_model, get_spec
from pose_training.models.cost import count_multiply_adds
from pose_training.models.densenet import densenet_features
from pose_training.models.folding import fuse
from pose_training.models.trt_pose import AttentionHead, PlainHead, TrtPose

VARIANTS = ('trt_pose_resnet18', 'trt_pose_resnet18_att', 'trt_pose_densenet121',
            'trt_pose_densenet121_att')
SHORT = (8, (2, 1, 2), 16)  # growth, layers per block, stem: a DenseNet of stride 16


def short_densenet(head=AttentionHead):
    features, channels = densenet_features(*SHORT)
    inner = nn.Sequential(OrderedDict(features=features))
    return with_statistics(TrtPose(nn.Sequential(OrderedDict(densenet=inner)),
                                   head(channels, 18, 42)))


def assert_close(found, expected):
    assert found.shape == expected.shape
    assert (found - expected).abs().max() < 1e-4 * expected.abs().max() + 1e-6


# The published structure, written from its description with functions of a state dict.

def norm(state, name, x):
    return F.batch_norm(x, *(state[name + '.' + part] for part in (
        'running_mean', 'running_var', 'weight', 'bias')))


def resnet18(state, x):
    at = '0.resnet.'
    x = F.relu(norm(state, at + 'bn1', F.conv2d(x, state[at + 'conv1.weight'], None, 2, 3)))
    x = F.max_pool2d(x, 3, 2, 1)
    for level in (1, 2, 3, 4):
        for number in (0, 1):
            name, stride = '{}layer{}.{}.'.format(at, level, number), 1
            shortcut = x
            if level > 1 and number == 0:
                stride = 2
                shortcut = norm(state, name + 'downsample.1', F.conv2d(
                    x, state[name + 'downsample.0.weight'], None, 2))
            y = F.conv2d(x, state[name + 'conv1.weight'], None, stride, 1)
            y = F.relu(norm(state, name + 'bn1', y))
            y = norm(state, name + 'bn2', F.conv2d(y, state[name + 'conv2.weight'], None, 1, 1))
            x = F.relu(y + shortcut)
    return x


def densenet(state, x, counts):
    at = '0.densenet.features.'
    x = F.relu(norm(state, at + 'norm0', F.conv2d(x, state[at + 'conv0.weight'], None, 2, 3)))
    x = F.max_pool2d(x, 3, 2, 1)
    for block, count in enumerate(counts, 1):
        made = [x]
        for layer in range(1, count + 1):
            name = '{}denseblock{}.denselayer{}.'.format(at, block, layer)
            y = F.relu(norm(state, name + 'norm1', torch.cat(made, 1)))
            y = F.relu(norm(state, name + 'norm2', F.conv2d(y, state[name + 'conv1.weight'])))
            made.append(F.conv2d(y, state[name + 'conv2.weight'], None, 1, 1))
        x = torch.cat(made, 1)
        if block < len(counts):
            name = '{}transition{}.'.format(at, block)
            x = F.conv2d(F.relu(norm(state, name + 'norm', x)), state[name + 'conv.weight'])
            x = F.avg_pool2d(x, 2)
    return norm(state, at + 'norm5', x)


def biased(state, name, x, padding=0):
    return F.conv2d(x, state[name + '.weight'], state[name + '.bias'], 1, padding)


def upsample(state, name, x):
    for number in (0, 3, 6):
        at = '{}.{}'.format(name, number)
        x = F.conv_transpose2d(x, state[at + '.weight'], state[at + '.bias'], 2, 1)
        x = F.relu(norm(state, '{}.{}'.format(name, number + 1), x))
    return x


def attention_head(state, x):
    cmap, paf = upsample(state, '1.cmap_up', x), upsample(state, '1.paf_up', x)
    cmap = cmap * torch.sigmoid(biased(state, '1.cmap_att', cmap, 1))
    paf = paf * torch.tanh(biased(state, '1.paf_att', paf, 1))
    return biased(state, '1.cmap_conv', cmap), biased(state, '1.paf_conv', paf)


def plain_head(state, x):
    return tuple(biased(state, name + '.1', upsample(state, name + '.0', x))
                 for name in ('1.cmap_conv', '1.paf_conv'))


@pytest.mark.parametrize('name, head', [
    ('trt_pose_resnet18_att', attention_head), ('trt_pose_resnet18', plain_head)])
@torch.no_grad()
def test_resnet_predicts_what_the_published_structure_does(name, head):
    network = with_statistics(create_model(name))
    image = torch.randn(1, 3, 64, 32)
    (maps,) = network(image)
    state = network.state_dict()
    for found, expected in zip(maps.values(), head(state, resnet18(state, image))):
        assert_close(found, expected)
    assert maps['heatmaps'].shape == (1, 18, 16, 8) and maps['pafs'].shape == (1, 42, 16, 8)
    assert (network.stride, network.size_multiple) == (4, 32)


@pytest.mark.parametrize('head, expected_head', [
    (AttentionHead, attention_head), (PlainHead, plain_head)])
@torch.no_grad()
def test_densenet_predicts_what_the_published_structure_does(head, expected_head):
    network = short_densenet(head)
    image = torch.randn(1, 3, 64, 32)
    (maps,) = network(image)
    state = network.state_dict()
    features = densenet(state, image, SHORT[1])
    assert features.shape == (1, 28, 4, 2) and (features < 0).any()  # no ReLU at the end
    for found, expected in zip(maps.values(), expected_head(state, features)):
        assert_close(found, expected)


@pytest.mark.parametrize('options', [
    {'attention': False}, {}, {'backbone': 'resnet50', 'attention': False}])
@torch.no_grad()
def test_for_inference_a_resnet_keeps_no_batch_norm(options):
    network = with_statistics(create_model('trt_pose_resnet18_att', **options))
    fused = fuse(network)
    image = torch.randn(1, 3, 32, 64)
    for found, expected in zip(fused(image)[0].values(), network(image)[0].values()):
        assert_close(found, expected)
    assert not [module for module in fused.modules() if isinstance(module, nn.BatchNorm2d)]


@torch.no_grad()
def test_for_inference_a_densenet_keeps_the_batch_norms_that_read_a_concatenation():
    network = short_densenet()
    fused = fuse(network)
    image = torch.randn(1, 3, 32, 64)
    for found, expected in zip(fused(image)[0].values(), network(image)[0].values()):
        assert_close(found, expected)
    kept = [module for module in fused.modules() if isinstance(module, nn.BatchNorm2d)]
    assert len(kept) == 5 + 2 + 1  # one per layer, one per transition, and norm5


def test_multiply_adds_of_resnet18_with_attention():
    stem = 112 * 112 * 64 * 3 * 49
    level = 56 * 56 * 64 * 64 * 9  # one 3x3 convolution; the same at every level
    backbone = stem + 4 * level + 3 * (level // 2 + 3 * level + 28 * 28 * 64 * 128)
    # a transposed convolution spreads each input pixel over 4x4 outputs
    up = 16 * 256 * (7 * 7 * 512 + 14 * 14 * 256 + 28 * 28 * 256)
    heads = 2 * (up + 56 * 56 * 9 * 256 * 256) + 56 * 56 * 256 * (18 + 42)
    with torch.device('meta'):
        network = create_model('trt_pose_resnet18_att')
    assert count_multiply_adds(network, 224, 224) == backbone + heads == 7821836288


@pytest.mark.parametrize('head', [AttentionHead, PlainHead])
def test_without_limbs_there_is_no_field(head):
    network = head(28, 22, 0)
    maps = network(torch.randn(1, 28, 2, 2))
    assert maps['heatmaps'].shape == (1, 22, 16, 16) and 'pafs' not in maps
    assert not [name for name in network.state_dict() if 'paf' in name]


@pytest.mark.parametrize('backbone', ['resnet18', 'short'])
def test_every_weight_has_a_gradient(backbone):
    network = short_densenet() if backbone == 'short' else create_model('trt_pose_resnet18_att')
    (maps,) = network.train()(torch.randn(2, 3, 32, 32))
    (maps['heatmaps'].square().mean() + maps['pafs'].square().mean()).backward()
    still = [name for name, weight in network.named_parameters() if weight.grad is None]
    assert still == []


@pytest.mark.parametrize('options, reason', [
    ({'stages': 2}, '1 to 1 stages, not 2'), ({'stages': 0}, '1 to 1 stages, not 0'),
    ({'backbone': 'vgg16'}, 'vgg16.*resnet18.*densenet121'), ({'depth': 3}, 'depth')])
def test_invalid_networks_are_rejected(options, reason):
    with pytest.raises(NetworkError, match=reason):
        create_model('trt_pose_resnet18', **options)


@pytest.mark.parametrize('name, size', list(zip(VARIANTS, (224, 224, 256, 256))))
def test_input_is_that_of_the_published_networks(name, size):
    expected = get_spec(name).input
    assert (expected['width'], expected['height'], expected['color'], expected['fit']) == (
        size, size, 'rgb', 'stretch')
    white = [(255 * expected['scale'] - mean) / std
             for mean, std in zip(expected['mean'], expected['std'])]
    assert white == pytest.approx([2.2489, 2.4286, 2.6400], abs=1e-4)
    assert get_spec(name).topology == 'trt_pose_18' and get_spec(name).license == 'MIT'


class Flat(nn.Module):
    """The last maps as a tuple, for export."""

    def __init__(self, network):
        super().__init__()
        self.network = network

    def forward(self, image):
        return tuple(self.network(image)[-1].values())


@torch.no_grad()
def test_the_graph_is_of_plain_operators_and_open_in_size(tmp_path):
    network, path = fuse(short_densenet()), str(tmp_path / 'short.onnx')
    axes = {0: 'n', 2: 'h', 3: 'w'}
    with warnings.catch_warnings():
        warnings.simplefilter('ignore', DeprecationWarning)
        torch.onnx.export(Flat(network).eval(), torch.randn(1, 3, 32, 32), path, dynamo=False,
                          opset_version=13, input_names=['image'], output_names=['cmap', 'paf'],
                          dynamic_axes={'image': axes, 'cmap': axes, 'paf': axes})
    assert {node.op_type for node in onnx.load(path).graph.node} <= {
        'AveragePool', 'BatchNormalization', 'Concat', 'Constant', 'Conv', 'ConvTranspose',
        'MaxPool', 'Mul', 'Relu', 'Sigmoid', 'Tanh'}
    image = torch.randn(2, 3, 64, 32)
    session = onnxruntime.InferenceSession(path, providers=['CPUExecutionProvider'])
    for found, expected in zip(session.run(None, {'image': image.numpy()}),
                               network(image)[0].values()):
        assert_close(torch.from_numpy(found), expected)
