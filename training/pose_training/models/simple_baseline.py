# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Simple Baselines: a backbone, transposed convolutions, a heatmap per keypoint of one person.

Xiao et al., arXiv:1804.06208. `simple_baseline_r50`, `_r101` and `_r152` are the published
networks; `lite_simple_baseline` has the backbone of the project's own networks.

The option `convention` says whose weights a network takes. Three publishers agree on the layers,
and differ in the order of colors, the mean, and the values of the maps:

    pose_ros    RGB, ImageNet's mean and deviation; cell g is the pixel (g + 0.5) 4 - 0.5
    mmpose      the same; cell g is the pixel 4 g
    microsoft   as mmpose, but BGR: ImageNet's RGB values are applied to B, G, R in this order
    tensorflow  BGR, RGB means applied in this order, no deviation; maps up to 255; norms with
                epsilon 1e-9
"""
from typing import List, Sequence

import torch
from torch import Tensor, nn

from pose_training.errors import NetworkError
from pose_training.models.blocks import FusibleSequential
from pose_training.models.efficientnet_lite import EfficientNetLite
from pose_training.models.network import (check_counts, check_factor, check_flag, MOST_CHANNELS,
                                          Outputs, PoseNetwork)
from pose_training.models.registry import card_input, NetworkSpec
from pose_training.models.resnet import resnet

_STEPS = 3  # from stride 32 to 4
_DEVIATION = .001  # of the first weights, as published
_IMAGENET = {'scale': 1 / 255., 'mean': (.485, .456, .406), 'std': (.229, .224, .225)}
_MEANS = (123.68, 116.78, 103.94)  # of R, G, B; TF-SimpleHumanPose subtracts them from B, G, R
_EPSILON, _MOMENTUM = 1e-9, .01    # of the norms of TF-SimpleHumanPose


class SimpleBaseline(PoseNetwork):
    """Features at stride 32, three 4x4 transposed convolutions of stride 2, a 1x1 convolution."""

    stride = 4
    size_multiple = 32

    def __init__(self, heatmaps: int, trunk: nn.Module, inputs: int, widths: Sequence[int]):
        super().__init__()
        self.trunk = trunk
        self.deconv_layers = nn.Sequential(*(_doubled(*channels) for channels in
                                             zip([inputs, *widths], widths)))
        self.final_layer = nn.Conv2d(widths[-1], heatmaps, 1)
        nn.init.normal_(self.final_layer.weight, std=_DEVIATION)
        nn.init.zeros_(self.final_layer.bias)

    def forward(self, image: Tensor) -> List[Outputs]:
        """See PoseNetwork: one stage of `heatmaps`."""
        features = self.trunk(image)
        if not isinstance(features, torch.Tensor):  # a list, the finest first
            features = features[-1]
        return [{'heatmaps': self.final_layer(self.deconv_layers(features))}]


def _doubled(inputs, outputs):
    layer = nn.ConvTranspose2d(inputs, outputs, 4, 2, padding=1, bias=False)
    nn.init.normal_(layer.weight, std=_DEVIATION)
    return FusibleSequential(layer, nn.BatchNorm2d(outputs), nn.ReLU(inplace=True))


def build(heatmaps: int, backbone: str, deconvolutions: Sequence[int] = (256, 256, 256),
          convention: str = 'pose_ros', stride_first: bool = False) -> SimpleBaseline:
    """Build a network on a ResNet; NetworkError for another backbone, or invalid channels.

    stride_first: see resnet.py; Microsoft's configurations call that the style `caffe`.
    """
    if backbone not in _BACKBONES:
        raise NetworkError('unknown backbone {:.40}; choose {}'.format(
            repr(backbone), ', '.join(_BACKBONES)))
    check_counts('simple_baseline', 'deconvolutions', deconvolutions, _STEPS, MOST_CHANNELS)
    check_flag('simple_baseline', 'stride_first', stride_first)
    network = SimpleBaseline(heatmaps, *resnet(backbone, stride_first), list(deconvolutions))
    for layer in network.modules() if convention == 'tensorflow' else ():
        if isinstance(layer, nn.BatchNorm2d):
            layer.eps, layer.momentum = _EPSILON, _MOMENTUM
    return network


def build_lite(heatmaps: int, width: float = 1., deconvolutions: Sequence[int] = (128, 96, 64)
               ) -> SimpleBaseline:
    """Build a network on EfficientNet-Lite0; NetworkError for an invalid width or channels."""
    check_factor('lite_simple_baseline', 'width', width)
    check_counts('lite_simple_baseline', 'deconvolutions', deconvolutions, _STEPS, MOST_CHANNELS)
    trunk = EfficientNetLite(width)
    return SimpleBaseline(heatmaps, trunk, trunk.channels[-1], list(deconvolutions))


def _published(color, **values):
    """Return the facts of a publisher's convention."""
    peak = values.pop('peak', 1.)
    return {'input': card_input(192, 256, color=color, fit='crop', padding=1.25, **values),
            'family_settings': {'grid': 'corner', 'peak': peak}}


_INPUT = card_input(192, 256, color='rgb', fit='crop', padding=1.25, **_IMAGENET)
_CONVENTIONS = {
    'pose_ros': {}, 'mmpose': _published('rgb', **_IMAGENET),
    'microsoft': _published('bgr', **_IMAGENET),
    'tensorflow': _published('bgr', mean=_MEANS, peak=255.)}
# Their AP with the weights of Microsoft's repository, by its README.
_BACKBONES = {'resnet50': 70.4, 'resnet101': 71.4, 'resnet152': 72.0}


def _spec(backbone, average_precision):
    depth = backbone[len('resnet'):]
    return NetworkSpec(
        'simple_baseline_r' + depth, build, 'coco_17', {'backbone': backbone}, _INPUT,
        'Simple Baselines, ResNet-{}, for the crop of one person'.format(depth),
        formats=('torch', 'tf-checkpoint', 'resnet'), names='simple_baseline',
        source='https://github.com/microsoft/human-pose-estimation.pytorch', license='MIT',
        accuracy="COCO val2017: AP {:.1f} (Microsoft's, boxes of a detector, mirror test)".format(
            average_precision), family='heatmap', conventions=_CONVENTIONS)


NETWORKS = (
    *(_spec(*pair) for pair in _BACKBONES.items()),
    NetworkSpec('lite_simple_baseline', build_lite, 'coco_17', {}, card_input(
        192, 256, color='rgb', scale=1 / 128., mean=(127 / 128.,) * 3, fit='crop', padding=1.1),
        'EfficientNet-Lite0 with transposed convolutions, for the crop of one person',
        formats=('efficientnet-lite', 'onnx', 'torch'), source='pose_ros', license='Apache-2.0',
        family='heatmap', begins_with='lite_pose_crop'),
)
