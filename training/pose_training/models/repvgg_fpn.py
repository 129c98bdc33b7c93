# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""The project's own network: dense 3x3 convolutions only, for TensorRT on small devices and CPUs.

A block is the sum of a convolution and an identity, fused to one convolution for inference (after
RepVGG: Ding et al., arXiv:2101.03697; its 1x1 branch is left out, because it takes a third of the
time of a training step on CPUs). A top-down pyramid reads a backbone to stride 32 and ends at
stride 8. A first stage predicts maps there; refinement stages read them and the features.
"""
from typing import List, Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from pose_training.models.blocks import FusibleSequential, conv
from pose_training.models.folding import fold_batch_norm
from pose_training.models.network import (check_count, check_counts, check_stages, MOST_BLOCKS,
                                          MOST_CHANNELS, Outputs, PoseNetwork)
from pose_training.models.registry import NetworkSpec, card_input

MOST_STAGES = 3


class Block(nn.Module):
    """ReLU of the sum of a 3x3 convolution and, if the shape is the same, its input."""

    def __init__(self, inputs: int, outputs: int, stride: int = 1):
        super().__init__()
        self.dense = nn.Sequential(nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False),
                                   nn.BatchNorm2d(outputs))
        self.residual = stride == 1 and inputs == outputs

    def forward(self, features: Tensor) -> Tensor:
        """Map (N, inputs, h, w) to (N, outputs, h / stride, w / stride)."""
        total = self.dense(features)
        return functional.relu(total + features if self.residual else total)

    def fused(self) -> nn.Sequential:
        """Return the block as one convolution and a ReLU."""
        merged = fold_batch_norm(*self.dense)
        if self.residual:
            channels = torch.arange(merged.in_channels)
            merged.weight.data[channels, channels, 1, 1] += 1
        return nn.Sequential(merged, nn.ReLU(inplace=True))


class Pyramid(nn.Module):
    """Add the features at strides 16 and 32 to those at stride 8."""

    def __init__(self, widths: Sequence[int], outputs: int):
        super().__init__()
        self.lateral = nn.ModuleList(
            conv(width, outputs, 1, relu=False, norm=True, bias=False) for width in widths)
        self.smooth = nn.ModuleList(Block(outputs, outputs) for _ in widths[:-1])

    def forward(self, levels: Sequence[Tensor]) -> Tensor:
        """Return (N, outputs, h, w) at the size of the first level; each next one is half."""
        features = self.lateral[-1](levels[-1])
        for level in range(len(levels) - 2, -1, -1):
            larger = functional.interpolate(features, scale_factor=2, mode='nearest')
            added = self.lateral[level](levels[level]) + larger
            features = self.smooth[level](functional.relu(added))
        return features


class RepVggFpn(PoseNetwork):
    """Backbone (`widths` and `depths` per stride 2, 4, 8, 16, 32), pyramid, prediction stages."""

    size_multiple = 32

    def __init__(self, heatmaps: int, pafs: int, stages: int, widths: Sequence[int],
                 depths: Sequence[int], neck: int, head: int):
        super().__init__()
        self.split = [heatmaps, pafs]
        self.backbone = nn.ModuleList()
        inputs = 3
        for width, depth in zip(widths, depths):
            blocks = [Block(inputs, width, 2)]
            blocks += [Block(width, width) for _ in range(depth - 1)]
            self.backbone.append(FusibleSequential(*blocks))
            inputs = width
        self.pyramid = Pyramid(widths[2:], neck)
        self.stages = nn.ModuleList()
        for stage in range(stages):
            inputs = neck + (heatmaps + pafs if stage else 0)
            self.stages.append(_prediction(inputs, neck, head, heatmaps + pafs))

    def forward(self, image: Tensor) -> List[Outputs]:
        """See PoseNetwork."""
        levels, features = [], image
        for stage in self.backbone:
            features = stage(features)
            levels.append(features)
        shared = self.pyramid(levels[2:])
        maps, found = self.stages[0](shared), []
        found.append(dict(zip(('heatmaps', 'pafs'), maps.split(self.split, 1))))
        for stage in self.stages[1:]:
            maps = stage(torch.cat([shared, maps], 1))
            found.append(dict(zip(('heatmaps', 'pafs'), maps.split(self.split, 1))))
        return found


def _prediction(inputs, width, head, outputs):
    narrowed = [] if inputs == width else [conv(inputs, width, 1, norm=True, bias=False)]
    return FusibleSequential(*narrowed, Block(width, width), Block(width, width),
                             conv(width, head, 1, norm=True, bias=False),
                             nn.Conv2d(head, outputs, 1))


def build(heatmaps: int, pafs: int, stages: int = 2, widths=(24, 48, 96, 128, 112),
          depths=(1, 2, 3, 3, 2), neck: int = 96, head: int = 128) -> RepVggFpn:
    """Build the network; NetworkError for an invalid number of stages or shape."""
    check_stages('repvgg_fpn', stages, 1, MOST_STAGES)
    # One width and one depth per stride 2, 4, 8, 16, 32.
    check_counts('repvgg_fpn', 'widths', widths, 5, MOST_CHANNELS)
    check_counts('repvgg_fpn', 'depths', depths, 5, MOST_BLOCKS)
    check_count('repvgg_fpn', 'neck', neck, MOST_CHANNELS)
    check_count('repvgg_fpn', 'head', head, MOST_CHANNELS)
    return RepVggFpn(heatmaps, pafs, stages, list(widths), list(depths), neck, head)


NETWORKS = (
    NetworkSpec('repvgg_fpn', build, 'coco_18', {}, card_input(
        416, 320, color='bgr', scale=1 / 255., mean=(.5, .5, .5), std=(.25, .25, .25)),
        'dense 3x3 convolutions, one refinement stage; the network to train',
        formats=('onnx',), source='pose_ros', license='Apache-2.0'),
)
