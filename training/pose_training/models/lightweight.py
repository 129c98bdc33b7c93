# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Lightweight OpenPose (Osokin, arXiv:1811.12004), and Intel's network of the same design.

MobileNet v1 to stride 8, with dilation instead of further strides; a residual bottleneck to 128
features; an initial stage, and refinement stages that read the features and the maps of the stage
before. Modules are named as in the published state dict.
"""
from typing import List, Optional

import torch
from torch import Tensor, nn

from pose_training.models.blocks import FusibleSequential, conv
from pose_training.models.network import check_stages, named_outputs, Outputs, PoseNetwork
from pose_training.models.registry import NetworkSpec, card_input

MOST_STAGES = 4

_FEATURES = 128
_BACKBONE = ((64, 1, 1), (128, 2, 1), (128, 1, 1), (256, 2, 1), (256, 1, 1), (512, 1, 1),
             (512, 1, 2)) + ((512, 1, 1),) * 4  # outputs, stride, dilation


class Bottleneck(nn.Module):
    """Fewer channels, then a residual of depthwise convolutions, then one 3x3 convolution."""

    def __init__(self, align: nn.Module, trunk: nn.Module):
        super().__init__()
        self.align = align
        self.trunk = trunk
        self.conv = conv(_FEATURES, _FEATURES)

    def forward(self, backbone: Tensor) -> Tensor:
        """Map (N, 512, h, w) to (N, 128, h, w)."""
        aligned = self.align(backbone)
        return self.conv(aligned + self.trunk(aligned))


class RefinementBlock(nn.Module):
    """A 1x1 convolution, and the sum of it and two 3x3 ones (the second dilated) on top of it."""

    def __init__(self, inputs: int, norm: bool):
        super().__init__()
        self.initial = conv(inputs, _FEATURES, 1)
        self.trunk = nn.Sequential(conv(_FEATURES, _FEATURES, norm=norm),
                                   conv(_FEATURES, _FEATURES, norm=norm, dilation=2))

    def forward(self, features: Tensor) -> Tensor:
        """Map (N, inputs, h, w) to (N, 128, h, w)."""
        initial = self.initial(features)
        return initial + self.trunk(initial)


class Prediction(nn.Module):
    """One stage: a trunk to 128 features and a head for each kind of map (`pafs` may be 0)."""

    def __init__(self, trunk: nn.Module, hidden: int, heatmaps: int, pafs: int):
        super().__init__()
        self.trunk = trunk
        self.heatmaps = _head(hidden, heatmaps)
        self.pafs: Optional[nn.Module] = _head(hidden, pafs) if pafs else None

    def forward(self, features: Tensor) -> Outputs:
        """Map (N, channels, h, w) to the maps of this stage."""
        found = self.trunk(features)
        return named_outputs(heatmaps=self.heatmaps(found),
                             pafs=None if self.pafs is None else self.pafs(found))


class LightweightOpenpose(PoseNetwork):
    """The network; without `norm` it has biases instead of batch norms."""

    def __init__(self, heatmaps: int, pafs: int, stages: int, bottleneck: Bottleneck, norm: bool):
        super().__init__()
        layers = [conv(3, 32, stride=2, norm=norm, bias=not norm)]
        inputs = 32
        for outputs, stride, dilation in _BACKBONE:
            layers.append(_separable(inputs, outputs, stride, dilation, norm))
            inputs = outputs
        self.model = nn.Sequential(*layers)
        self.cpm = bottleneck
        self.initial_stage = Prediction(
            nn.Sequential(*(conv(_FEATURES, _FEATURES) for _ in range(3))), 512, heatmaps, pafs)
        inputs = [_FEATURES + heatmaps + pafs] + [_FEATURES] * 4
        self.refinement_stages = nn.ModuleList(
            Prediction(nn.Sequential(*(RefinementBlock(width, norm) for width in inputs)),
                       _FEATURES, heatmaps, pafs)
            for _ in range(stages - 1))

    def forward(self, image: Tensor) -> List[Outputs]:
        """See PoseNetwork."""
        features = self.cpm(self.model(image))
        stages = [self.initial_stage(features)]
        for refinement in self.refinement_stages:
            seen = list(stages[-1].values())
            stages.append(refinement(torch.cat([features] + seen, 1)))
        return stages


def _separable(inputs, outputs, stride, dilation, norm):
    return FusibleSequential(*conv(inputs, inputs, norm=norm, bias=not norm, groups=inputs,
                                   stride=stride,
                                   dilation=dilation),
                             *conv(inputs, outputs, 1, norm=norm, bias=not norm))


def _elu_separable(bias):
    return FusibleSequential(nn.Conv2d(_FEATURES, _FEATURES, 3, padding=1, groups=_FEATURES,
                                       bias=bias),
                             nn.ELU(inplace=True), *_elu_point(_FEATURES, bias))


def _elu_point(inputs, bias):
    return FusibleSequential(nn.Conv2d(inputs, _FEATURES, 1, bias=bias), nn.ELU(inplace=True))


def _head(hidden, outputs):
    return nn.Sequential(conv(_FEATURES, hidden, 1), conv(hidden, outputs, 1, relu=False))


def build(heatmaps: int, pafs: int, stages: int = 2) -> LightweightOpenpose:
    """Build Lightweight OpenPose: an initial stage and `stages` - 1 refinement stages."""
    _check_stages(stages)
    bottleneck = Bottleneck(conv(512, _FEATURES, 1),
                            nn.Sequential(*(_elu_separable(bias=False) for _ in range(3))))
    return LightweightOpenpose(heatmaps, pafs, stages, bottleneck, norm=True)


def build_intel(heatmaps: int, pafs: int, stages: int = 2) -> LightweightOpenpose:
    """Build Intel's network: no batch norm, and a 1x1 convolution more in the bottleneck."""
    _check_stages(stages)
    trunk = [_elu_point(_FEATURES, bias=True)] + [_elu_separable(bias=True) for _ in range(3)]
    bottleneck = Bottleneck(_elu_point(512, bias=True), nn.Sequential(*trunk))
    return LightweightOpenpose(heatmaps, pafs, stages, bottleneck, norm=False)


def _check_stages(stages):
    # An initial one and refinements.
    check_stages('Lightweight OpenPose', stages, 1, MOST_STAGES)


_REPOSITORY = 'https://github.com/Daniil-Osokin/lightweight-human-pose-estimation.pytorch'
_INPUT = card_input(456, 256, mean=(128., 128., 128.), std=(256., 256., 256.), pad_value=128)
# A network with fewer stages than its file ignores the later stages of the file.
_LATER_STAGES = r'refinement_stages\.'

NETWORKS = (
    NetworkSpec('lightweight_openpose', build, 'coco_18', {'stages': 2}, _INPUT,
                'MobileNet v1 and one refinement stage', ('torch',), _LATER_STAGES,
                _REPOSITORY + ' (checkpoint_iter_370000.pth)', 'Apache-2.0',
                'COCO val2017 AP 40 (height 368, one scale)'),
    NetworkSpec('lightweight_openpose_3', build, 'coco_18', {'stages': 4}, _INPUT,
                'the same with three refinement stages', ('torch',), _LATER_STAGES,
                _REPOSITORY + ' (checkpoint_iter_370000.pth)', 'Apache-2.0'),
    NetworkSpec('human_pose_estimation_0001', build_intel, 'coco_18', {'stages': 2},
                dict(_INPUT, std=(255., 255., 255.)),
                "Intel's Lightweight OpenPose, batch norms folded", ('openvino',), _LATER_STAGES,
                'https://github.com/openvinotoolkit/open_model_zoo (human-pose-estimation-0001)',
                'Apache-2.0', 'AP 42.8 of the float network on the subset of COCO val2014 that '
                'the OpenPose paper used'),
)
