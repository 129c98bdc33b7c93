# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Convolutional pose machines (Wei et al., arXiv:1602.00134): a stem, then stages of heatmaps.

Each stage reads the heatmaps of the stage before, the features of the stem and, for bodies, a map
of the center of the image. Layers and names as in the authors' pose_deploy_resize.prototxt and
OpenPose's models/hand/pose_deploy.prototxt; variants as in
timctho/convolutional-pose-machines-tensorflow, models/nets.
"""
import functools
from typing import List, NamedTuple, Optional, Sequence, Tuple

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from pose_training.errors import NetworkError
from pose_training.models.efficientnet_lite import scaled_channels
from pose_training.models.network import (check_count, check_factor, check_flag, check_stages,
                                          MOST_BLOCKS, named_outputs, Outputs)
from pose_training.models.registry import card_input, NetworkSpec
from pose_training.models.vgg import FlatNetwork, Layer, refinement_layers, VGG_19

_HIDDEN = 128  # channels of the features, and of the later stages
_LUMA = (.299, .587, .114)  # for the channels in the order in which they come, as published
_POOL = 9  # cells: the window of the mean over the map of the center


class Tables(NamedTuple):
    """The layers of a network: those of the stem, and those of the first stage without its last.

    `last` is the name of the layer that yields the heatmaps of the first stage.
    """

    features: Tuple[Layer, ...]
    first: Layer
    last: str


def _more(names, outputs):
    return tuple(Layer(name, outputs) for name in names.split())


BODY = Tables(VGG_19 + _more('conv4_2', 512)
              + _more('conv4_3_CPM conv4_4_CPM conv4_5_CPM conv4_6_CPM', 256)
              + _more('conv4_7_CPM', _HIDDEN), Layer('conv5_1_CPM', 512, 1), 'conv5_2_CPM')
HAND = Tables(VGG_19 + _more('conv4_2 conv4_3 conv4_4 conv5_1 conv5_2', 512)
              + _more('conv5_3_CPM', _HIDDEN), Layer('conv6_1_CPM', 512, 1), 'conv6_2_CPM')


class Variant(NamedTuple):
    """Options of a network: see `build`. `radius` 0: without a map of the center."""

    width: float = 1.
    stride: int = 8
    rectified: bool = False
    gray: bool = False
    radius: int = 0


class PoseMachine(FlatNetwork):
    """See the module; stages are supervised, so that all of them are returned."""

    def __init__(self, heatmaps: int, tables: Tables, stages: int, variant: Variant = Variant()):
        super().__init__()
        self.stride, self._radius = variant.stride, variant.radius
        self.fixed_size = bool(variant.radius)
        self.features = _scaled(tables.features, variant)
        first = _scaled([tables.first], variant)
        activation = 'relu' if variant.rectified else 'linear'
        self.stages = [first + (Layer(tables.last, heatmaps, 1, activation),)]
        for stage in range(2, stages + 1):
            *hidden, last = refinement_layers('stage{}'.format(stage), heatmaps)
            self.stages.append(_scaled(hidden, variant) + (last._replace(activation=activation),))
        width = inputs = self.declare(1 if variant.gray else 3, self.features)
        for layers in self.stages:
            self.declare(inputs, layers)
            inputs = heatmaps + width + bool(variant.radius)
            if variant.rectified:
                _start_rectified(getattr(self, layers[-1].name))
        luma = torch.tensor(_LUMA).view(1, 3, 1, 1) if variant.gray else None
        self.register_buffer('_luma', luma, persistent=False)

    def forward(self, image: Tensor) -> List[Outputs]:
        """See PoseNetwork: `heatmaps` of every stage."""
        center = self._center(image) if self._radius else None
        if self._luma is not None:
            image = functional.conv2d(image, self._luma)
        features = self.run(self.features, image)
        heatmaps = self.run(self.stages[0], features)
        found = [named_outputs(heatmaps=heatmaps)]
        for first, *others in self.stages[1:]:
            joined = self._joined(first, torch.cat([heatmaps, features], 1), center)
            heatmaps = self.run(others, joined)
            found.append(named_outputs(heatmaps=heatmaps))
        return found

    def _joined(self, layer: Layer, inputs: Tensor, center: Optional[Tensor]) -> Tensor:
        """Apply the first layer of a later stage; the share of the center is a constant map."""
        if center is None:
            return self.run([layer], inputs)
        convolution: nn.Conv2d = getattr(self, layer.name)
        weight, padding = convolution.weight, convolution.padding
        found = functional.conv2d(inputs, weight[:, :-1], convolution.bias, padding=padding)
        return functional.relu(found + functional.conv2d(center, weight[:, -1:], padding=padding))

    def _center(self, image):
        height, width = (int(side) for side in image.shape[2:])
        center = center_map(width, height, self._radius, self.stride)
        return torch.from_numpy(center)[None, None].to(image.device)


def _start_rectified(head):
    """Begin with low positive heatmaps: negative ones would get no gradient."""
    nn.init.normal_(head.weight, std=.01)
    nn.init.constant_(head.bias, .1)


def _scaled(layers: Sequence[Layer], variant: Variant) -> Tuple[Layer, ...]:
    """Return the rows of a variant: scaled channels, and no second pooling at stride 4."""
    return tuple(layer._replace(
        outputs=scaled_channels(layer.outputs, variant.width),
        pooled=layer.pooled and not (variant.stride == 4 and layer.name == 'conv2_2'))
        for layer in layers)


@functools.lru_cache(maxsize=64)
def center_map(width: int, height: int, radius: int, stride: int) -> np.ndarray:
    """Return (height / stride, width / stride) float32: a Gaussian about the center of the image.

    exp(-d^2 / 2 radius^2) at every pixel, d from (width / 2, height / 2); then the mean over 9 x 9
    pixels, without those outside (TensorFlow's average pooling with padding SAME).
    """
    across, down = (_pooled_gaussian(side, radius, stride) for side in (width, height))
    return (down[:, None] * across).astype(np.float32)


def _pooled_gaussian(side, radius, stride):
    values = np.exp(-(np.arange(side) - side / 2.) ** 2 / (2. * radius ** 2))
    starts = np.arange(side // stride) * stride - (_POOL - stride) // 2
    return np.array([values[max(0, start):start + _POOL].mean() for start in starts])


def _check(name, stages, width, **flags):
    check_stages(name, stages, 2, MOST_BLOCKS)
    check_factor(name, 'width', width)
    for option, value in flags.items():
        check_flag(name, option, value)


def build_body(heatmaps: int, stages: int = 6, width: float = 1., rectified: bool = False,
               gray: bool = False, radius: int = 21) -> PoseMachine:
    """Build the network of bodies; NetworkError for an invalid option.

    `width` scales the channels; `rectified`: ReLU after the heatmaps of every stage, as in the
    published variants `slim`; `gray`: the network reads the luma of the image; `radius` [px] is
    that of the Gaussian about the center of the image, for every size of it.
    """
    _check('cpm_body', stages, width, rectified=rectified, gray=gray)
    check_count('cpm_body', 'radius', radius, 1000)
    return PoseMachine(heatmaps, BODY, stages, Variant(width, 8, rectified, gray, radius))


def build_hand(heatmaps: int, stages: int = 6, width: float = 1., rectified: bool = False,
               gray: bool = False, stride: int = 8) -> PoseMachine:
    """Build the network of hands, which has no map of the center; see `build_body`.

    `stride` is 8, or 4 without the second pooling.
    """
    _check('cpm_hand', stages, width, rectified=rectified, gray=gray)
    if type(stride) is not int or stride not in (4, 8):
        raise NetworkError('cpm_hand: the option `stride` is 4 or 8, not {:.40}'.format(
            repr(stride)))
    return PoseMachine(heatmaps, HAND, stages, Variant(width, stride, rectified, gray))


_REPOSITORY = 'https://github.com/timctho/convolutional-pose-machines-tensorflow'
# The weights in the pickles and caffemodels are those of CMU.
_LICENSES = dict.fromkeys(('pickle', 'caffe'), 'CMU, non-commercial research only')


def _input(side, padding):
    return card_input(side, side, color='bgr', scale=1 / 256., mean=(.5, .5, .5), fit='crop',
                      pad_value=128, padding=padding)


def _spec(name, build, options, side, summary, formats):
    body = build is build_body
    return NetworkSpec(
        name, build, 'cpm_14' if body else 'hand_21', options,
        # Of a hand about twice the extent of its keypoints, as in the published tracker of one
        # hand: a box has a margin already.
        _input(side, 1.25 if body else 1.6), summary, formats=formats, source=_REPOSITORY,
        licenses=_LICENSES, family='cpm', names='cpm_names')


_FORMATS = ('tf-checkpoint', 'pickle', 'caffe', 'torch')

NETWORKS = (
    _spec('cpm_body', build_body, {}, 368,
          'convolutional pose machine of six stages for the crop of one person', _FORMATS),
    _spec('cpm_body_slim', build_body, {'rectified': True}, 368,
          'cpm_body with ReLU after the heatmaps', _FORMATS),
    _spec('cpm_hand', build_hand, {}, 368,
          'convolutional pose machine of six stages for the crop of one hand', _FORMATS),
    _spec('cpm_hand_slim', build_hand, {'rectified': True}, 368,
          'cpm_hand with ReLU after the heatmaps', _FORMATS),
    _spec('cpm_hand_v2', build_hand, {'stages': 3, 'stride': 4}, 128,
          'cpm_hand of three stages at stride 4, for small crops', _FORMATS),
)
