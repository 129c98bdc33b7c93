# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""ResNet and DenseNet, as trt_pose uses them: published sizes and state names."""
import pytest
import torch

from pose_training.models import create_model
from pose_training.models.cost import count_parameters

# torchvision's published number of parameters, and the width of its classifier (1000 classes).
TORCHVISION = {
    'resnet18': (11689512, 512), 'resnet34': (21797672, 512), 'resnet50': (25557032, 2048),
    'resnet101': (44549160, 2048), 'resnet152': (60192808, 2048),
    'densenet121': (7978856, 1024), 'densenet161': (28681000, 2208),
    'densenet169': (14149480, 1664), 'densenet201': (20013928, 1920)}


def head_parameters(inputs, attention):
    """Count weights by hand: transposed 4x4 convolutions with bias and batch norm, then 1x1."""
    up = 16 * (inputs + 256 + 256) * 256 + 3 * (256 + 2 * 256)
    weighing = 9 * 256 * 256 + 256 if attention else 0
    return 2 * (up + weighing) + (256 + 1) * (18 + 42)


@pytest.mark.parametrize('attention', [False, True])
@pytest.mark.parametrize('backbone', TORCHVISION)
def test_parameters_are_those_of_the_published_backbone_and_head(backbone, attention):
    published, width = TORCHVISION[backbone]
    with torch.device('meta'):
        network = create_model('trt_pose_resnet18', backbone=backbone, attention=attention)
    assert count_parameters(network) == (
        published - 1000 * (width + 1) + head_parameters(width, attention))


def test_parameters_of_the_published_files_count_their_classifiers():
    with torch.device('meta'):
        counts = [count_parameters(create_model(name)) for name in (
            'trt_pose_resnet18', 'trt_pose_resnet18_att', 'trt_pose_densenet121',
            'trt_pose_densenet121_att')]
    assert counts[1] == 20765308 and counts[1] + 512 * 1000 + 1000 == 21278308
    assert counts[3] == 20736956 and counts[3] + 1024 * 1000 + 1000 == 21761956
    # attention is one biased 3x3 convolution per kind of map
    assert counts[1] - counts[0] == counts[3] - counts[2] == 2 * (9 * 256 * 256 + 256)


def names_of(prefix, *parts):
    return {'{}.{}'.format(prefix, part) for part in parts}


def norm_names(prefix):
    return names_of(prefix, 'weight', 'bias', 'running_mean', 'running_var',
                    'num_batches_tracked')


def test_state_names_of_densenet121_are_the_published_ones():
    at = '0.densenet.features.'
    names = {at + 'conv0.weight'} | norm_names(at + 'norm0') | norm_names(at + 'norm5')
    for block, count in enumerate((6, 12, 24, 16), 1):
        for layer in range(1, count + 1):
            inner = '{}denseblock{}.denselayer{}.'.format(at, block, layer)
            names |= {inner + 'conv1.weight', inner + 'conv2.weight'}
            names |= norm_names(inner + 'norm1') | norm_names(inner + 'norm2')
        if block < 4:
            inner = '{}transition{}.'.format(at, block)
            names |= {inner + 'conv.weight'} | norm_names(inner + 'norm')
    for head in ('1.cmap', '1.paf'):
        for number in '036':
            names |= names_of(head + '_up.' + number, 'weight', 'bias')
            names |= norm_names('{}_up.{}'.format(head, int(number) + 1))
        names |= names_of(head + '_att', 'weight', 'bias')
        names |= names_of(head + '_conv', 'weight', 'bias')
    with torch.device('meta'):
        assert set(create_model('trt_pose_densenet121_att').state_dict()) == names


def test_state_names_of_bottlenecks_are_the_published_ones():
    with torch.device('meta'):
        state = create_model('trt_pose_resnet18', backbone='resnet50').state_dict()
    shapes = {name: tuple(state['0.resnet.layer2.0.' + name].shape) for name in (
        'conv1.weight', 'conv2.weight', 'conv3.weight', 'downsample.0.weight',
        'downsample.1.running_var', 'bn3.bias')}
    assert shapes == {
        'conv1.weight': (128, 256, 1, 1), 'conv2.weight': (128, 128, 3, 3),
        'conv3.weight': (512, 128, 1, 1), 'downsample.0.weight': (512, 256, 1, 1),
        'downsample.1.running_var': (512,), 'bn3.bias': (512,)}
    assert '0.resnet.layer2.1.downsample.0.weight' not in state


def test_the_stride_of_a_bottleneck_is_that_of_its_3x3_convolution():
    with torch.device('meta'):
        block = create_model('trt_pose_resnet18', backbone='resnet50').get_submodule(
            '0.resnet.layer3.0')
    assert [convolution.stride for convolution in (block.conv1, block.conv2, block.conv3)] == [
        (1, 1), (2, 2), (1, 1)]
