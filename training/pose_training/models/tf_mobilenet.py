# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""The networks of tf-pose on MobileNet v1 features.

Source: https://github.com/ildoonet/tf-pose-estimation.
Their MobileNet has no norm and no activation between the two parts of a separable convolution.
Their input are raw BGR values; tf-pose stretches (cubic) each image to the network's size.
"""
from typing import Dict, List

import torch
from torch import Tensor, nn

from pose_training.models.network import check_factor, check_stages, Outputs, PoseNetwork
from pose_training.models.registry import NetworkSpec, card_input
from pose_training.models.tf_blocks import (
    CenteredBatchNorm2d, LegacyUpsample, NormedConv2d, PredictionStages, SeparableScope, scaled)

# (channels, stride) of Conv2d_1, Conv2d_2, ...
_LAYERS = ((64, 1), (128, 2), (128, 1), (256, 2), (256, 1)) + ((512, 1),) * 6


class MobileNetFeatures(SeparableScope):
    """The scope `MobilenetV1`: Conv2d_0 to Conv2d_`depth`, at strides 2, 4 (2..3) and 8 (4..)."""

    def __init__(self, width: float, depth: int):
        super().__init__()
        self.channels = [scaled(32, width)]
        self.Conv2d_0 = NormedConv2d(
            3, self.channels[0], 3, 2, norm=CenteredBatchNorm2d(self.channels[0]),
            activation=nn.ReLU(inplace=True))
        for layer, (base, stride) in enumerate(_LAYERS[:depth], 1):
            outputs = scaled(base, width)
            self.add_separable('Conv2d_{}'.format(layer), self.channels[-1], outputs, 3, stride)
            self.channels.append(outputs)

    def forward(self, image: Tensor) -> Dict[int, Tensor]:
        """Map (N, 3, h, w) to the features of each layer by its number."""
        features = {0: self.Conv2d_0(image)}
        for layer in range(1, len(self.channels)):
            features[layer] = self.separable('Conv2d_{}'.format(layer), features[layer - 1])
        return features


class MobileNetThin(PoseNetwork):
    """Features of three depths at stride 8, then up to six stages of 3x3 convolutions."""

    most_stages, kernel = 6, 3
    taps = (3, 7, 11)

    def __init__(self, heatmaps: int, pafs: int, stages: int, width: float, head_width: float):
        super().__init__()
        self.MobilenetV1 = MobileNetFeatures(width, self.taps[-1])
        # Networks have only whole windows; with ceil_mode partial ones are SAME, too.
        self.pool = nn.MaxPool2d(2, ceil_mode=True)
        features = sum(self.MobilenetV1.channels[tap] for tap in self.taps)
        self.Openpose = PredictionStages(features, heatmaps, pafs, stages, head_width, self.kernel)

    def forward(self, image: Tensor) -> List[Outputs]:
        """See PoseNetwork."""
        features = self.MobilenetV1(image)
        return self.Openpose(torch.cat(self.aligned(*(features[tap] for tap in self.taps)), 1))

    def aligned(self, early: Tensor, middle: Tensor, late: Tensor) -> List[Tensor]:
        """Return the features that are read, at the stride of the maps."""
        return [self.pool(early), middle, late]


class MobileNet(MobileNetThin):
    """Features of three depths at stride 4, then up to five stages, all but the first of 7x7."""

    stride = 4
    most_stages, kernel = 5, 7
    taps = (1, 3, 7)

    def __init__(self, *shape):
        super().__init__(*shape)
        self.upsample = LegacyUpsample()

    def aligned(self, early: Tensor, middle: Tensor, late: Tensor) -> List[Tensor]:
        """Return the features that are read, at the stride of the maps."""
        return [self.pool(early), middle, self.upsample(late)]


def build(heatmaps: int, pafs: int, stages: int = MobileNet.most_stages, width: float = .75,
          head_width: float = 1.) -> MobileNet:
    """Build the network at stride 4, `width` times 32 to 512 channels and `head_width` times 128.

    Raises NetworkError for an invalid number of stages or width.
    """
    check_stages('this MobileNet', stages, 1, MobileNet.most_stages)
    check_factor('this MobileNet', 'width', width)
    check_factor('this MobileNet', 'head_width', head_width)
    return MobileNet(heatmaps, pafs, stages, width, head_width)


def build_thin(heatmaps: int, pafs: int, stages: int = MobileNetThin.most_stages,
               width: float = .75, head_width: float = .5) -> MobileNetThin:
    """Build the network at stride 8, like `build`."""
    check_stages('the thin MobileNet', stages, 1, MobileNetThin.most_stages)
    check_factor('the thin MobileNet', 'width', width)
    check_factor('the thin MobileNet', 'head_width', head_width)
    return MobileNetThin(heatmaps, pafs, stages, width, head_width)


_INPUT = card_input(432, 368, fit='stretch', interpolation='cubic')
_FORMATS = ('tf-graph', 'tf-checkpoint')


def _stride_4(name, width, head_width, summary):
    # Conv2d_8 is in the files of the stride-4 networks, but nothing reads it.
    return NetworkSpec(name, build, 'coco_18', {'width': width, 'head_width': head_width}, _INPUT,
                       summary, _FORMATS, r'MobilenetV1\.Conv2d_8_')


NETWORKS = (
    _stride_4('mobilenet', .75, 1., 'tf-pose MobileNet v1 at stride 4, five stages of 7x7'),
    _stride_4('mobilenet_fast', .5, .5, 'the same at half width'),
    _stride_4('mobilenet_accurate', 1., 1., 'the same at full width'),
    NetworkSpec(
        'mobilenet_thin', build_thin, 'coco_18', {'width': .75, 'head_width': .5}, _INPUT,
        'tf-pose MobileNet v1 at stride 8, six stages of 3x3', _FORMATS,
        source='https://github.com/ildoonet/tf-pose-estimation (models/graph/mobilenet_thin)',
        accuracy='COCO val2014: AP 28.1, AP50 55.8, one scale'),
)
