# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Common parts of the networks of CMU: flat layer names, the start of VGG-19, 7x7 stages."""
from typing import NamedTuple, Sequence, Tuple

from torch import Tensor, nn
from torch.nn import functional

from pose_training.errors import NetworkError
from pose_training.models.network import PoseNetwork
from pose_training.models.registry import card_input

LICENSE = 'CMU OpenPose license: academic or non-profit, non-commercial research only'
MODELS_URL = 'http://vcl.snu.ac.kr/OpenPose/models/'


class Layer(NamedTuple):
    """A row of a layer table: a convolution of the same size, activation, optional 2x2 pooling.

    `activation` is 'relu', 'linear', or the name of a PReLU.
    """

    name: str
    outputs: int
    kernel: int = 3
    activation: str = 'relu'
    pooled: bool = False


def _vgg_19():
    for block, (outputs, count) in enumerate(((64, 2), (128, 2), (256, 4)), 1):
        for number in range(1, count + 1):
            yield Layer('conv{}_{}'.format(block, number), outputs, pooled=number == count)
    yield Layer('conv4_1', 512)


# The part of VGG-19 that all of these networks have: to stride 8, 512 channels.
VGG_19 = tuple(_vgg_19())


def refinement_layers(suffix: str, outputs: int) -> Tuple[Layer, ...]:
    """Return the rows of one branch of a refinement stage, named like `Mconv1_<suffix>`."""
    wide = tuple(Layer('Mconv{}_{}'.format(number, suffix), 128, 7) for number in range(1, 6))
    return wide + (Layer('Mconv6_' + suffix, 128, 1),
                   Layer('Mconv7_' + suffix, outputs, 1, 'linear'))


class FlatNetwork(PoseNetwork):
    """A network without submodules: its layers have the names of the published Caffe files."""

    def declare(self, inputs: int, layers: Sequence[Layer]) -> int:
        """Create consecutive layers; return the number of channels at the end."""
        for layer in layers:
            convolution = nn.Conv2d(inputs, layer.outputs, layer.kernel,
                                    padding=layer.kernel // 2)
            _initialize(convolution, layer.activation)
            self.add_module(layer.name, convolution)
            if layer.activation not in ('relu', 'linear'):
                self.add_module(layer.activation, nn.PReLU(layer.outputs))
            inputs = layer.outputs
        return inputs

    def run(self, layers: Sequence[Layer], features: Tensor) -> Tensor:
        """Apply layers one after the other to (N, channels, h, w); pooling halves h and w."""
        for layer in layers:
            features = getattr(self, layer.name)(features)
            if layer.activation == 'relu':
                features = functional.relu(features, inplace=True)
            elif layer.activation != 'linear':
                features = getattr(self, layer.activation)(features)
            if layer.pooled:
                features = functional.max_pool2d(features, 2)
        return features


def _initialize(convolution, activation):
    # There are no norms: with PyTorch's own initial weights all features would be near 0.
    if activation == 'linear':
        nn.init.normal_(convolution.weight, std=.01)
    else:
        nn.init.kaiming_normal_(convolution.weight, nonlinearity='relu')
    nn.init.zeros_(convolution.bias)


def check_pafs(network: str, pafs: int) -> None:
    """Raise NetworkError for a skeleton format without limbs."""
    if not pafs:
        raise NetworkError('{} predicts part affinity fields, and this topology has no limbs: '
                           'choose one that has, or the network `hand` or `face`'.format(network))


def openpose_input(width: int, height: int, pad_value: int):
    """Return the card input of OpenPose: blue-green-red, value / 256 - 0.5, aspect kept.

    `pad_value` fills the borders. OpenPose fills with 0; a network that was trained with another
    value gets that value.
    """
    return card_input(width, height, color='bgr', scale=1 / 256., mean=(.5, .5, .5),
                      pad_value=pad_value)
