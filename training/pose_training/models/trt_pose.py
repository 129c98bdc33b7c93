# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""The networks of NVIDIA's trt_pose: an image classifier's backbone, then two upsampling heads.

Their heatmaps ("cmap") have no background, their PAFs ("paf") have y before x, and both have
stride 4. State names are those of its weight files; `fc` or `classifier` in them is not used.
"""
from collections import OrderedDict
from typing import List, Tuple

import torch
from torch import Tensor, nn

from pose_training.errors import NetworkError
from pose_training.models.blocks import FusibleSequential
from pose_training.models.densenet import DENSENETS, densenet
from pose_training.models.network import (check_flag, check_stages, named_outputs, Outputs,
                                          PoseNetwork)
from pose_training.models.registry import NetworkSpec, card_input
from pose_training.models.resnet import RESNETS, resnet

_WIDTH = 256


class PlainHead(nn.Module):
    """Upsample by 8, then predict; separately for heatmaps and PAFs (none if `pafs` is 0)."""

    def __init__(self, inputs: int, heatmaps: int, pafs: int):
        super().__init__()
        self.cmap_conv = FusibleSequential(_upsampling(inputs), nn.Conv2d(_WIDTH, heatmaps, 1))
        self.paf_conv = FusibleSequential(
            _upsampling(inputs), nn.Conv2d(_WIDTH, pafs, 1)) if pafs else None

    def forward(self, features: Tensor) -> Outputs:
        """Read (N, inputs, h, w); the maps are 8 times as high and wide."""
        return named_outputs(heatmaps=self.cmap_conv(features),
                             pafs=None if self.paf_conv is None else self.paf_conv(features))


class AttentionHead(nn.Module):
    """A head with attention: each feature is weighted by a function of its surroundings."""

    def __init__(self, inputs: int, heatmaps: int, pafs: int):
        super().__init__()
        self.names = ['cmap'] + ['paf'] * bool(pafs)
        for name, outputs in zip(self.names, (heatmaps, pafs)):
            self.add_module(name + '_up', _upsampling(inputs))
            self.add_module(name + '_att', nn.Conv2d(_WIDTH, _WIDTH, 3, padding=1))
            self.add_module(name + '_conv', nn.Conv2d(_WIDTH, outputs, 1))

    def forward(self, features: Tensor) -> Outputs:
        """Read (N, inputs, h, w); the maps are 8 times as high and wide."""
        heatmaps = self._predict('cmap', features, torch.sigmoid)
        return named_outputs(heatmaps=heatmaps, pafs=self._predict('paf', features, torch.tanh)
                             if 'paf' in self.names else None)

    def _predict(self, name, features, squash):
        features = self.get_submodule(name + '_up')(features)
        weights = squash(self.get_submodule(name + '_att')(features))
        return self.get_submodule(name + '_conv')(features * weights)


def _upsampling(inputs):
    layers = []
    for channels in (inputs, _WIDTH, _WIDTH):
        layers += [nn.ConvTranspose2d(channels, _WIDTH, 4, 2, padding=1), nn.BatchNorm2d(_WIDTH),
                   nn.ReLU(inplace=True)]
    return FusibleSequential(*layers)


class TrtPose(PoseNetwork):
    """A backbone of stride 32 and a head, with the names '0' and '1'."""

    stride = 4
    size_multiple = 32

    def __init__(self, backbone: nn.Module, head: nn.Module):
        super().__init__()
        self.add_module('0', backbone)
        self.add_module('1', head)

    def forward(self, image: Tensor) -> List[Outputs]:
        """See PoseNetwork."""
        backbone, head = self.children()
        return [head(backbone(image))]


def build(heatmaps: int, pafs: int, stages: int = 1, backbone: str = 'resnet18',
          attention: bool = True) -> TrtPose:
    """Build a network of trt_pose; NetworkError for an unknown backbone or another stage count."""
    check_stages('a network of trt_pose', stages, 1, 1)
    check_flag('a network of trt_pose', 'attention', attention)
    body, channels = _backbone(backbone)
    head = AttentionHead if attention else PlainHead
    return TrtPose(body, head(channels, heatmaps, pafs))


def _backbone(name) -> Tuple[nn.Module, int]:
    if name in RESNETS:
        body, channels = resnet(name)
        return nn.Sequential(OrderedDict(resnet=body)), channels
    if name in DENSENETS:
        body, channels = densenet(name)
        return nn.Sequential(OrderedDict(densenet=body)), channels
    raise NetworkError('unknown backbone {:.40}; choose {}'.format(
        repr(name), ', '.join((*RESNETS, *DENSENETS))))


def _spec(name, backbone, attention, size, summary):
    return NetworkSpec(
        name, build, 'trt_pose_18', {'backbone': backbone, 'attention': attention},
        card_input(size, size, color='rgb', scale=1 / 255., mean=(.485, .456, .406),
                   std=(.229, .224, .225), fit='stretch'),
        summary, ('torch',), r'0\.(resnet\.fc|densenet\.classifier)\.',
        'https://github.com/NVIDIA-AI-IOT/trt_pose', 'MIT')


NETWORKS = (
    _spec('trt_pose_resnet18', 'resnet18', False, 224, 'trt_pose, ResNet-18 without attention'),
    _spec('trt_pose_resnet18_att', 'resnet18', True, 224,
          'trt_pose, ResNet-18 with attention; the fast one of its published pair'),
    _spec('trt_pose_densenet121', 'densenet121', False, 256,
          'trt_pose, DenseNet-121 without attention'),
    _spec('trt_pose_densenet121_att', 'densenet121', True, 256,
          'trt_pose, DenseNet-121 with attention; the accurate one of its published pair'),
)
