# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""TensorFlow's padding, norms and upsampling: formulas and export to ONNX."""
from collections import Counter

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from torch import nn

from pose_training.models import create_model
from pose_training.models.folding import fuse
from pose_training.models.tf_blocks import (
    CenteredBatchNorm2d, LegacyUpsample, NormedConv2d, SameConv2d, SeparableScope)

SMALL = 'mobilenet_v2_small'


# The cell of the input under the first kernel cell of the first window, as TensorFlow places it:
# with stride 2 and an even size, the padding lies after the image alone (or is larger there).
@pytest.mark.parametrize('height, width, kernel, stride, first_row, first_column', [
    (8, 6, 3, 2, 0, 0), (7, 9, 3, 2, -1, -1), (8, 9, 3, 2, 0, -1), (8, 6, 3, 1, -1, -1),
    (5, 8, 7, 1, -3, -3), (8, 7, 7, 2, -2, -3), (8, 7, 1, 2, 0, 0), (3, 4, 1, 1, 0, 0)])
def test_windows_have_the_positions_of_tensorflow(height, width, kernel, stride, first_row,
                                                  first_column):
    layer = SameConv2d(2, 3, kernel, stride).double()
    image = np.random.default_rng(0).normal(size=(2, height, width))
    expected = np.zeros((3, -(-height // stride), -(-width // stride)))
    weight = layer.weight.detach().numpy()
    for (row, column), _ in np.ndenumerate(expected[0]):
        for (down, right), _ in np.ndenumerate(weight[0, 0]):
            y, x = row * stride + first_row + down, column * stride + first_column + right
            if 0 <= y < height and 0 <= x < width:
                expected[:, row, column] += weight[:, :, down, right] @ image[:, y, x]
    found = layer(torch.from_numpy(image)[None])[0].detach().numpy()
    assert found.shape == expected.shape
    assert np.allclose(found, expected, atol=1e-12)


@pytest.mark.parametrize('height, width', [(6, 8), (7, 5)])
def test_pooling_takes_what_is_left_at_the_far_edge(height, width):
    image = -np.random.default_rng(0).uniform(1, 2, size=(height, width)).astype(np.float32)
    expected = [[image[row:row + 2, column:column + 2].max() for column in range(0, width, 2)]
                for row in range(0, height, 2)]
    found = create_model('mobilenet_thin', stages=1).pool(torch.from_numpy(image)[None, None])
    assert np.array_equal(found[0, 0].numpy(), np.array(expected))


def test_upsampling_samples_without_the_half_pixel():
    image = np.random.default_rng(0).normal(size=(5, 3))
    expected = np.empty((10, 6))
    for (row, column), _ in np.ndenumerate(expected):
        y, x = row / 2, column / 2
        top, left = int(y), int(x)
        bottom, right = min(top + 1, 4), min(left + 1, 2)
        upper = image[top, left] + (image[top, right] - image[top, left]) * (x - left)
        lower = image[bottom, left] + (image[bottom, right] - image[bottom, left]) * (x - left)
        expected[row, column] = upper + (lower - upper) * (y - top)
    found = LegacyUpsample()(torch.from_numpy(image)[None, None])[0, 0].numpy()
    assert np.allclose(found, expected, atol=1e-12)


def test_gradients_pass_uneven_padding_and_upsampling():
    block = nn.Sequential(SameConv2d(2, 2, 3, 2), LegacyUpsample()).double()
    image = torch.randn(1, 2, 4, 6, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(block, (image,))


def test_a_norm_without_gamma_centers_and_has_the_epsilon_of_tensorflow():
    norm = CenteredBatchNorm2d(2).eval()
    assert [name for name, _ in norm.named_parameters()] == ['bias']
    norm.bias.data = torch.tensor([.5, -1.])
    norm.running_mean = torch.tensor([3., 4.])
    norm.running_var = torch.tensor([1e-3, 4.])
    found = norm(torch.full((1, 2, 1, 1), 5.)).flatten().tolist()
    assert found == pytest.approx([(5 - 3) / np.sqrt(2e-3) + .5, (5 - 4) / np.sqrt(4.001) - 1.])


def test_image_statistics_are_of_one_image_and_biased():
    norm = create_model(SMALL, stages=1, image_statistics=True).MobilenetV2.Conv.BatchNorm
    images = np.random.default_rng(0).normal(2, .03, size=(3, 16, 4, 4)).astype(np.float32)
    mean = images.mean((2, 3), keepdims=True)
    variance = ((images - mean) ** 2).mean((2, 3), keepdims=True)
    found = norm.eval()(torch.from_numpy(images)).detach().numpy()
    assert np.allclose(found, (images - mean) / np.sqrt(variance + 1e-3), atol=1e-4)


def test_a_scope_becomes_one_convolution_where_the_depthwise_part_is_a_scale():
    scope = SeparableScope()
    scope.add_separable('wide', 4, 6, kernel=3, stride=2)
    scope.add_separable('scale', 6, 5, kernel=1, relu=False)
    nn.init.uniform_(scope.scale_pointwise.BatchNorm.running_var, .5, 2.)
    nn.init.uniform_(scope.scale_pointwise.BatchNorm.running_mean, -1., 1.)
    nn.init.uniform_(scope.scale_pointwise.BatchNorm.bias, -1., 1.)
    scope.eval()
    simple = scope.fused()
    assert isinstance(simple.scale_depthwise, nn.Identity)
    assert type(simple.wide_depthwise) is SameConv2d
    image = torch.randn(1, 4, 6, 6)
    expected = scope.separable('scale', scope.separable('wide', image))
    found = simple.separable('scale', simple.separable('wide', image))
    assert torch.allclose(found, expected, atol=1e-5)
    assert isinstance(scope.scale_depthwise, SameConv2d)


class FinalMaps(nn.Module):
    """The maps of the last stage in one tensor, as the published graphs give them."""

    def __init__(self, network):
        super().__init__()
        self.network = network

    def forward(self, image):
        maps = self.network(image)[-1]
        return torch.cat([maps['heatmaps'], maps['pafs']], 1)


def with_statistics(network):
    """Give norms the statistics of some batch, so that maps do not fade out."""
    for norm in network.modules():
        if isinstance(norm, nn.BatchNorm2d):
            norm.momentum = 1.
    with torch.no_grad():
        network.train()(torch.rand(2, 3, 32, 64) * 255)
    return network.eval()


@pytest.mark.filterwarnings('ignore')
@pytest.mark.parametrize('name, options, dynamic, operators', [
    (SMALL, {'image_statistics': True}, False,
     {'Conv': 135, 'InstanceNormalization': 39, 'Clip': 26, 'Relu': 48, 'Add': 8, 'Concat': 7,
      'Resize': 1}),
    (SMALL, {'stages': 1}, True, {'Conv': 39 + 16, 'Clip': 26, 'Relu': 8, 'Add': 8, 'Concat': 2,
                                  'Resize': 1}),
    ('mobilenet_thin', {'stages': 2}, True, {'Conv': 23 + 16 * 2, 'Relu': 12 + 8 * 2, 'Concat': 3,
                                             'MaxPool': 1}),
    ('mobilenet', {'stages': 1}, True, {'Conv': 15 + 16, 'Relu': 8 + 8, 'Concat': 2, 'MaxPool': 1,
                                        'Resize': 1}),
    ('dsconv', {'stages': 1}, False, {'Conv': 1 + 2 * 11 + 2 * 8, 'Relu': 12 + 8, 'Concat': 1})])
def test_exports_have_simple_operators_and_agree(tmp_path, name, options, dynamic, operators):
    maps = FinalMaps(fuse(with_statistics(create_model(name, **options))))
    path = str(tmp_path / 'network.onnx')
    axes = {0: 'n', 2: 'h', 3: 'w'}
    torch.onnx.export(maps, torch.rand(1, 3, 32, 64), path, dynamo=False, opset_version=13,
                      input_names=['image'], output_names=['maps'],
                      dynamic_axes={'image': axes, 'maps': axes} if dynamic else None)
    graph = onnx.load(path).graph
    found = Counter(node.op_type for node in graph.node)
    # Identity: values that happen to be equal in a fresh network, stored once.
    assert {key: count for key, count in found.items()
            if key not in ('Constant', 'Identity')} == operators
    pads = [list(attribute.ints) for node in graph.node for attribute in node.attribute
            if attribute.name == 'pads' and node.op_type == 'Conv']
    assert pads.count([0, 0, 1, 1]) == (4 if name == SMALL else 3)
    session = onnxruntime.InferenceSession(path, providers=['CPUExecutionProvider'])
    for shape in ((1, 3, 32, 64), (2, 3, 48, 16 * 5))[:1 + dynamic]:
        image = torch.rand(shape) * 255
        with torch.no_grad():
            expected = maps(image).numpy()
        assert expected.std() > .01
        found, = session.run(None, {'image': image.numpy()})
        assert found.shape == expected.shape
        assert np.allclose(found, expected, rtol=1e-3, atol=1e-3)


def test_a_convolution_without_norm_has_a_bias():
    plain, normed = NormedConv2d(3, 4), NormedConv2d(3, 4, norm=CenteredBatchNorm2d(4))
    assert plain.bias is not None and normed.bias is None
    assert plain.fused() is plain
    assert normed.eval().fused().bias is not None
