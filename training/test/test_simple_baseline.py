# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Simple Baselines: cost, layers, and the conventions of three publishers."""
import pytest
import torch

from pose_ros.core.card import InputSpec
from pose_training.errors import NetworkError
from pose_training.models import create_model
from pose_training.models import resnet as resnets
from pose_training.models.cost import count_multiply_adds, count_parameters
from pose_training.models.normalization import Normalization
from pose_training.models.registry import convention_of

from baseline_files import BLOCKS

R50 = 'simple_baseline_r50'


@pytest.fixture
def short(monkeypatch):
    """Make of ResNet-50 one of few blocks."""
    monkeypatch.setitem(resnets.RESNETS, 'resnet50', (True, BLOCKS))


@pytest.mark.parametrize('depth, parameters, small, large', [
    (50, 33999697, 5.43, 12.21), (101, 52991825, 9.06, 20.39), (152, 68635473, 12.70, 28.57)])
def test_cost_is_that_of_the_published_networks(depth, parameters, small, large):
    with torch.device('meta'):
        network = create_model('simple_baseline_r{}'.format(depth))
        of_mpii = create_model('simple_baseline_r{}'.format(depth), 'mpii_16')
    assert count_parameters(network) == parameters
    assert count_parameters(of_mpii) == parameters - 257
    for size, wanted in (((192, 256), small), ((288, 384), large)):
        assert round(count_multiply_adds(network, *size) / 1e9, 2) == wanted


def test_cost_of_the_light_one():
    with torch.device('meta'):
        light, crop = create_model('lite_simple_baseline'), create_model('lite_pose_crop')
    widths = (192, 128, 96, 64)
    head = sum(16 * a * b + 2 * b for a, b in zip(widths, widths[1:])) + 64 * 17 + 17
    assert count_parameters(light) == count_parameters(crop.trunk) + head == 3043217
    assert count_multiply_adds(light, 192, 256) == 463065600


@pytest.mark.parametrize('size', [(96, 64), (64, 160)])
def test_maps_have_a_quarter_of_the_size(short, size):
    network = create_model(R50, 'mpii_16').eval()
    maps = network(torch.zeros(1, 3, size[1], size[0]))[-1]['heatmaps']
    assert maps.shape == (1, 16, size[1] // 4, size[0] // 4)
    assert network.size_multiple == 32 and network.stride == 4


# What the layers compute, in numbers (the traps of a conversion from TensorFlow).

def test_a_transposed_convolution_spreads_cell_i_over_2i_minus_1_to_2i_plus_2():
    layer = create_model('lite_simple_baseline', width=.25, deconvolutions=[1, 1, 1]
                         ).deconv_layers[1][0]
    with torch.no_grad():
        layer.weight.copy_(torch.outer(torch.tensor([1., 2., 3., 4.]), torch.tensor(
            [1., 10., 100., 1000.])).view(1, 1, 4, 4))
        spread = layer(torch.eye(3)[1].outer(torch.eye(3)[2]).view(1, 1, 3, 3))[0, 0]
    # Row 1, column 2 of 3: rows 1 to 4 of 6, columns 3 to 5 (the sixth would be column 6). The
    # kernel is not turned around.
    wanted = torch.zeros(6, 6)
    wanted[1:5, 3:6] = torch.outer(torch.tensor([1., 2., 3., 4.]), torch.tensor([1., 10., 100.]))
    assert torch.equal(spread, wanted)


def test_the_pool_has_a_zero_on_each_side_and_not_the_padding_same(short):
    pool = create_model(R50).trunk.maxpool
    row = torch.arange(1., 9).repeat(8, 1)[None, None]
    # SAME of TensorFlow has no zero before an even length: 3, 5, 7, 8.
    assert pool(row)[0, 0, 0].tolist() == [2., 4., 6., 8.]


def test_the_first_convolution_has_three_zeros_on_each_side(short):
    layer = create_model(R50).trunk.conv1
    with torch.no_grad():
        layer.weight.zero_()
        layer.weight[0, 0] = torch.arange(49.).view(7, 7)
        found = layer(torch.nn.functional.pad(torch.ones(1, 1, 1, 1), (0, 7, 0, 7, 0, 2)))
    # Pixel 0 is under row and column 3 of the kernel; with SAME it would be under 2.
    assert found[0, 0, 0, 0] == 3 * 7 + 3 and found[0, 0, 0, 1] == 3 * 7 + 1


def test_the_stride_is_in_the_3x3_convolution_unless_it_is_first(short):
    strides = {first: [(name, layer.stride[0]) for name, layer in create_model(
        R50, stride_first=first).trunk.layer3[0].named_modules() if hasattr(layer, 'kernel_size')]
        for first in (False, True)}
    assert strides == {
        False: [('conv1', 1), ('conv2', 2), ('conv3', 1), ('downsample.0', 2)],
        True: [('conv1', 2), ('conv2', 1), ('conv3', 1), ('downsample.0', 2)]}


def test_the_norms_of_tensorflow_have_their_epsilon(short):
    norms = {convention: {(layer.eps, layer.momentum) for layer in create_model(
        R50, convention=convention).modules() if isinstance(layer, torch.nn.BatchNorm2d)}
        for convention in ('pose_ros', 'microsoft', 'tensorflow')}
    assert norms == {'pose_ros': {(1e-5, .1)}, 'microsoft': {(1e-5, .1)},
                     'tensorflow': {(1e-9, .01)}}


@pytest.mark.parametrize('convention, wanted', [
    ('pose_ros', [(30 / 255 - .485) / .229, (20 / 255 - .456) / .224, (10 / 255 - .406) / .225]),
    ('mmpose', [(30 / 255 - .485) / .229, (20 / 255 - .456) / .224, (10 / 255 - .406) / .225]),
    ('microsoft', [(10 / 255 - .485) / .229, (20 / 255 - .456) / .224, (30 / 255 - .406) / .225]),
    ('tensorflow', [10 - 123.68, 20 - 116.78, 30 - 103.94])])
def test_the_input_of_each_convention(convention, wanted):
    spec = InputSpec(**convention_of(R50, {'convention': convention}).input)
    pixel = torch.tensor([10, 20, 30], dtype=torch.uint8).view(1, 3, 1, 1)  # B, G, R
    assert Normalization(spec)(pixel).ravel().tolist() == pytest.approx(wanted, abs=1e-4)
    assert (spec.width, spec.height, spec.fit, spec.padding) == (192, 256, 'crop', 1.25)


@pytest.mark.parametrize('options, reason', [
    ({'convention': 'caffe'}, "`convention` is one of pose_ros, mmpose.*not 'caffe'"),
    ({'convention': ['mmpose']}, 'one of'), ({'backbone': 'resnet18'}, 'resnet50.*resnet152'),
    ({'stride_first': 1}, 'true or false'), ({'deconvolutions': [256, 256]}, 'list of 3 numbers')])
def test_invalid_options_are_named(options, reason):
    with pytest.raises(NetworkError, match=reason):
        create_model(R50, **options)
