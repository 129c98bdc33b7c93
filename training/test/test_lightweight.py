# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Lightweight OpenPose and Intel's variant agree with their layer tables."""
import io

import onnx
import pytest
import torch
from torch import nn
from torch.nn import functional

from pose_training.errors import NetworkError, WeightsError
from pose_training.importers.matching import Weights, load_weights
from pose_training.models import create_model, get_spec
from pose_training.models.cost import count_multiply_adds, count_parameters
from pose_training.models.folding import fuse

INTEL = 'human_pose_estimation_0001'
# Backbone after the first convolution (to 32 channels, stride 2): outputs, stride, dilation.
BACKBONE = [(64, 1, 1), (128, 2, 1), (128, 1, 1), (256, 2, 1), (256, 1, 1), (512, 1, 1),
            (512, 1, 2), (512, 1, 1), (512, 1, 1), (512, 1, 1), (512, 1, 1)]


def make(name='lightweight_openpose', **options):
    """Build a network with all numbers different from their initial values."""
    network = create_model(name, **options)
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            for value in (module.weight, module.running_var):
                nn.init.uniform_(value, .8, 1.6)
            for value in (module.bias, module.running_mean):
                nn.init.uniform_(value, -.3, .3)
    return network.eval()


class Reference:
    """The networks as functions of their state, written from the layer tables."""

    def __init__(self, network, intel):
        self.state, self.intel = network.state_dict(), intel

    def conv(self, name, x, act=functional.relu, **options):
        weight, bias = self.state[name + '.weight'], self.state.get(name + '.bias')
        pad = (weight.shape[-1] - 1) // 2 * options.get('dilation', 1)
        return act(functional.conv2d(x, weight, bias, padding=pad, **options))

    def norm(self, name, x):
        s = [self.state[name + part] for part in
             ('.running_mean', '.running_var', '.weight', '.bias')]
        s = [value.reshape(1, -1, 1, 1) for value in s]
        return functional.relu((x - s[0]) / torch.sqrt(s[1] + 1e-5) * s[2] + s[3])

    def conv_norm(self, name, index, x, **options):
        if self.intel:
            return self.conv('{}.{}'.format(name, index), x, **options)
        x = self.conv('{}.{}'.format(name, index), x, act=lambda x: x, **options)
        return self.norm('{}.{}'.format(name, index + 1), x)

    def bottleneck(self, x):
        act = functional.elu if self.intel else functional.relu
        x = aligned = self.conv('cpm.align.0', x, act)
        first = 0
        if self.intel:
            x, first = self.conv('cpm.trunk.0.0', x, functional.elu), 1
        for index in range(first, first + 3):
            x = self.conv('cpm.trunk.{}.0'.format(index), x, functional.elu, groups=128)
            x = self.conv('cpm.trunk.{}.2'.format(index), x, functional.elu)
        return self.conv('cpm.conv.0', aligned + x)

    def heads(self, stage, x):
        return [self.conv('{}.{}.1.0'.format(stage, maps),
                          self.conv('{}.{}.0.0'.format(stage, maps), x), lambda x: x)
                for maps in ('heatmaps', 'pafs')]

    def __call__(self, image, refinements):
        x = self.conv_norm('model.0', 0, image, stride=2)
        for index, (_, stride, dilation) in enumerate(BACKBONE, 1):
            name = 'model.{}'.format(index)
            x = self.conv_norm(name, 0, x, stride=stride, dilation=dilation, groups=x.shape[1])
            x = self.conv_norm(name, 2 if self.intel else 3, x)
        features = x = self.bottleneck(x)
        for index in range(3):
            x = self.conv('initial_stage.trunk.{}.0'.format(index), x)
        stages = [self.heads('initial_stage', x)]
        for stage in range(refinements):
            x = torch.cat([features] + stages[-1], 1)
            for index in range(5):
                name = 'refinement_stages.{}.trunk.{}.'.format(stage, index)
                x = first = self.conv(name + 'initial.0', x)
                x = self.conv_norm(name + 'trunk.0', 0, x)
                x = first + self.conv_norm(name + 'trunk.1', 0, x, dilation=2)
            stages.append(self.heads('refinement_stages.{}'.format(stage), x))
        return stages


@pytest.mark.parametrize('name, refinements', [
    ('lightweight_openpose', 1), ('lightweight_openpose_3', 3), (INTEL, 1)])
def test_outputs_agree_with_the_layer_table(name, refinements):
    network = make(name)
    image = torch.randn(2, 3, 40, 56)
    with torch.no_grad():
        found = network(image)
        wanted = Reference(network, name == INTEL)(image, refinements)
    assert len(found) == len(wanted) == refinements + 1
    for maps, (heatmaps, pafs) in zip(found, wanted):
        assert maps['heatmaps'].shape == (2, 19, 5, 7) and maps['pafs'].shape == (2, 38, 5, 7)
        assert heatmaps.std() > 1e-3 and pafs.std() > 1e-3
        torch.testing.assert_close(maps['heatmaps'], heatmaps, rtol=1e-4, atol=1e-5)
        torch.testing.assert_close(maps['pafs'], pafs, rtol=1e-4, atol=1e-5)


def parameters(refinements, intel=False):
    """Count parameters from the layer table: kernels, biases, two numbers per batch norm."""
    after = 1 if intel else 2  # a bias, or scale and offset of a batch norm
    total, inputs = 3 * 32 * 9 + 32 * after, 32
    for outputs, _, _ in BACKBONE:
        total += 9 * inputs + after * inputs + inputs * outputs + after * outputs
        inputs = outputs
    separable = 9 * 128 + 128 * 128 + (2 * 128 if intel else 0)
    total += 512 * 128 + 128 + 3 * separable + 9 * 128 * 128 + 128
    total += 128 * 128 + 128 if intel else 0
    total += 3 * (9 * 128 * 128 + 128)
    for outputs in (19, 38):
        total += 128 * 512 + 512 + 512 * outputs + outputs
        total += refinements * (128 * 128 + 128 + 128 * outputs + outputs)
    for inputs in (128 + 19 + 38, 128, 128, 128, 128):
        block = inputs * 128 + 128 + 2 * (9 * 128 * 128 + 128 + (0 if intel else 2 * 128))
        total += refinements * block
    return total


def test_parameters_and_cost_are_the_published_ones():
    one, three = make('lightweight_openpose'), make('lightweight_openpose_3')
    assert count_parameters(one) == parameters(1) == pytest.approx(4.09e6, abs=5e3)
    assert count_parameters(three) == parameters(3) == pytest.approx(7.31e6, abs=5e3)
    for network, width, cost in ((one, 368, 8.88), (one, 432, 10.4), (one, 656, 15.8),
                                 (three, 368, 15.7), (three, 656, 27.9)):
        found = count_multiply_adds(network, width, 368) / 1e9
        assert found == pytest.approx(cost, abs=.005 if cost < 10 else .05)


def test_intel_publishes_the_same_size_and_cost_of_its_network():
    network = make(INTEL)
    assert count_parameters(network) == parameters(1, intel=True)
    assert count_parameters(network) == pytest.approx(4.099e6, abs=500)
    # Theirs counts additions of biases and residuals too, half a percent.
    assert 2 * count_multiply_adds(network, 456, 256) == pytest.approx(15.435e9, rel=.005)


def test_state_names_are_those_of_the_published_checkpoint():
    norm = ('weight', 'bias', 'running_mean', 'running_var', 'num_batches_tracked')
    both = ('weight', 'bias')
    wanted = {'model.0.0.weight'} | {'model.0.1.' + part for part in norm}
    for index in range(1, 12):
        layer = 'model.{}.'.format(index)
        wanted |= {layer + '0.weight', layer + '3.weight'}
        wanted |= {layer + place + part for place in ('1.', '4.') for part in norm}
    for index in range(3):
        wanted |= {'cpm.trunk.{}.{}.weight'.format(index, place) for place in (0, 2)}
        wanted |= {'initial_stage.trunk.{}.0.{}'.format(index, part) for part in both}
    wanted |= {'cpm.{}.0.{}'.format(place, part) for place in ('align', 'conv') for part in both}
    for stage in ('initial_stage', 'refinement_stages.0', 'refinement_stages.1',
                  'refinement_stages.2'):
        wanted |= {'{}.{}.{}.0.{}'.format(stage, maps, index, part) for part in both
                   for maps in ('heatmaps', 'pafs') for index in (0, 1)}
        for block in range(5) if stage != 'initial_stage' else ():
            name = '{}.trunk.{}.'.format(stage, block)
            wanted |= {name + 'initial.0.' + part for part in both}
            wanted |= {'{}trunk.{}.0.{}'.format(name, index, part) for part in both
                       for index in (0, 1)}
            wanted |= {'{}trunk.{}.1.{}'.format(name, index, part) for part in norm
                       for index in (0, 1)}
    assert set(create_model('lightweight_openpose_3').state_dict()) == wanted


def test_only_two_kinds_of_convolution_are_dilated():
    refined = {'refinement_stages.0.trunk.{}.trunk.1.0'.format(index) for index in range(5)}
    for name in ('lightweight_openpose', INTEL):
        convolutions = {layer: module for layer, module in make(name).named_modules()
                        if isinstance(module, nn.Conv2d)}
        dilated = {layer for layer, module in convolutions.items() if module.dilation != (1, 1)}
        assert dilated == refined | {'model.7.0'}
        assert {convolutions[layer].dilation + convolutions[layer].padding
                for layer in dilated} == {(2, 2, 2, 2)}
        strided = {layer for layer, module in convolutions.items() if module.stride != (1, 1)}
        assert strided == {'model.0.0', 'model.2.0', 'model.4.0'}


def tensors_of(network):
    return {name: value.numpy() for name, value in network.state_dict().items()
            if not name.endswith('num_batches_tracked')}


def test_a_network_takes_the_stages_it_has_from_the_file_of_three_refinements():
    trained = make('lightweight_openpose_3')
    file = Weights(tensors_of(trained))
    image = torch.randn(1, 3, 32, 40)
    with torch.no_grad():
        wanted = trained(image)
    for stages in (1, 2):
        network = create_model('lightweight_openpose', stages=stages).eval()
        load_weights(network, file, 'file.pth', get_spec('lightweight_openpose').ignored)
        with torch.no_grad():
            found = network(image)
        assert len(found) == stages
        assert torch.equal(found[-1]['heatmaps'], wanted[stages - 1]['heatmaps'])
        assert torch.equal(found[-1]['pafs'], wanted[stages - 1]['pafs'])
    file.tensors['refinement.weight'] = file.tensors.pop('cpm.conv.0.bias')
    with pytest.raises(WeightsError, match=r'cpm\.conv\.0\.bias.*refinement\.weight'):
        load_weights(network, file, 'file.pth', get_spec('lightweight_openpose').ignored)


@pytest.mark.parametrize('stages', [0, 5, 1.5, 'two'])
@pytest.mark.parametrize('name', ['lightweight_openpose', INTEL])
def test_other_numbers_of_stages_are_rejected(name, stages):
    with pytest.raises(NetworkError, match='has 1 to 4 stages'):
        create_model(name, stages=stages)


def test_without_limbs_there_are_heatmaps_only():
    network = create_model('lightweight_openpose', 'hand_21', stages=3).eval()
    with torch.no_grad():
        stages = network(torch.randn(1, 3, 16, 24))
    assert [{name: tuple(maps.shape) for name, maps in stage.items()} for stage in stages] == [
        {'heatmaps': (1, 22, 2, 3)}] * 3


@pytest.mark.parametrize('name', ['lightweight_openpose', INTEL])
def test_for_inference_no_batch_norm_is_left_and_nothing_changes(name):
    network = make(name)
    fused = fuse(network)
    assert not [module for module in fused.modules() if isinstance(module, nn.BatchNorm2d)]
    image = torch.randn(1, 3, 48, 48)
    with torch.no_grad():
        for plain, folded in zip(network(image), fused(image)):
            torch.testing.assert_close(folded['heatmaps'], plain['heatmaps'], rtol=1e-3, atol=1e-4)
            torch.testing.assert_close(folded['pafs'], plain['pafs'], rtol=1e-3, atol=1e-4)


def test_the_export_has_simple_operators_only():
    buffer = io.BytesIO()
    network = fuse(make(INTEL))
    torch.onnx.export(network, torch.zeros(1, 3, 32, 32), buffer, dynamo=False,
                      opset_version=13)
    kinds = [node.op_type for node in onnx.load_from_string(buffer.getvalue()).graph.node]
    # 1 + 22 of the backbone, 1 + 1 + 6 + 1 of the bottleneck, 3 + 4 and 15 + 4 of the stages
    assert kinds.count('Conv') == 58 and kinds.count('Elu') == 8
    assert set(kinds) <= {'Conv', 'Relu', 'Elu', 'Add', 'Concat', 'Identity'}


def test_cards_have_gray_borders_and_the_published_scaling():
    for name, scale in (('lightweight_openpose', 256), ('lightweight_openpose_3', 256),
                        (INTEL, 255)):
        card = get_spec(name).input
        assert (card['width'], card['height'], card['color']) == (456, 256, 'bgr')
        assert (card['mean'], card['std'], card['scale']) == ((128,) * 3, (scale,) * 3, 1)
        # The border is zero for the network, as the zero padding of its convolutions is.
        assert card['pad_value'] == 128 and card['fit'] == 'letterbox'
