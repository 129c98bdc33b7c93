# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Depthwise convolutions that train fast on a CPU compute what the plain ones do."""
import copy

import pytest
import torch
from torch import nn

from pose_training.fitting.depthwise import speed_up


def gradients(layer, image, weights):
    """Return the output of a layer, and the gradients of its input and its weights."""
    image = image.clone().requires_grad_()
    with torch.autocast('cpu', torch.bfloat16):
        found = layer(image)
    (found.float() * weights).sum().backward()
    return found.float(), image.grad, layer.weight.grad


@pytest.mark.parametrize('kernel, stride, padding', [(3, 1, 1), (5, 1, 2), (3, 2, 1), (5, 2, 0)])
def test_outputs_and_gradients_are_those_of_the_plain_layer(kernel, stride, padding):
    torch.manual_seed(0)
    plain = nn.Conv2d(16, 16, kernel, stride, padding, groups=16, bias=False)
    fast = copy.deepcopy(plain)
    assert speed_up(fast) == 1
    image = torch.randn(2, 16, 12, 20).bfloat16().float()
    weights = torch.randn(plain(image).shape).bfloat16().float()
    wanted, found = (gradients(layer, image, weights) for layer in (plain, fast))
    for mine, its in zip(found, wanted):
        assert mine.shape == its.shape and mine.dtype == its.dtype
        assert (mine - its).abs().max() < .02 * its.abs().max()


def test_only_depthwise_layers_change_and_only_in_a_training():
    network = nn.Sequential(nn.Conv2d(4, 4, 3), nn.Conv2d(4, 4, 3, groups=4, bias=False),
                            nn.Conv2d(4, 4, 3, groups=4), nn.Conv2d(4, 4, 1, groups=4, bias=False))
    state, image = copy.deepcopy(network.state_dict()), torch.randn(1, 4, 9, 9)
    before = network(image)
    assert speed_up(network) == 1
    assert torch.equal(network(image), before)  # in float32
    assert list(network.state_dict()) == list(state)
    again = copy.deepcopy(network)
    with torch.no_grad():
        again[1].weight.zero_()
        assert not torch.equal(again(image), before) and torch.equal(network(image), before)


def test_a_frozen_layer_costs_no_gradient():
    layer = nn.Conv2d(8, 8, 3, padding=1, groups=8, bias=False).requires_grad_(False)
    speed_up(layer)
    image = torch.randn(1, 8, 6, 6, requires_grad=True)
    with torch.autocast('cpu', torch.bfloat16):
        layer(image).float().sum().backward()
    assert layer.weight.grad is None and image.grad is not None
