# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""The networks of tf-pose on MobileNet v2 features.

Source: https://github.com/ildoonet/tf-pose-estimation.
Their published graphs normalize the features of each image by the statistics of the same image, as
does the option `image_statistics`. Without it, training yields frozen statistics. These networks
are faster, because the statistics are folded into the convolutions.
"""
from typing import List, Tuple

import torch
from torch import Tensor, nn

from pose_training.models.network import (check_factor, check_flag, check_stages, Outputs,
                                          PoseNetwork)
from pose_training.models.registry import NetworkSpec, card_input
from pose_training.models.tf_blocks import (
    EPSILON, LegacyUpsample, NormedConv2d, PredictionStages)

MOST_STAGES = 6

# (channels, stride) of expanded_conv, expanded_conv_1, ...
_BLOCKS = (((16, 1),) + ((24, 2), (24, 1)) + ((32, 2), (32, 1), (32, 1))
           + ((64, 2), (64, 1), (64, 1), (64, 1)) + ((96, 1),) * 3)
_LAST_AT_STRIDE_8 = 5


def rounded(channels: int, width: float) -> int:
    """Return channels * width as the nearest multiple of 8, or the next if that is over 10 % less.
    """
    wanted = channels * width
    nearest = max(int(wanted + 4) // 8 * 8, 8)
    return nearest if nearest >= .9 * wanted else nearest + 8


class InvertedResidual(nn.Module):
    """Expand by 1x1, 3x3 depthwise, project by 1x1; the input is added where shapes agree."""

    def __init__(self, inputs: int, outputs: int, stride: int, expansion: int, norm):
        super().__init__()
        inner = inputs * expansion
        if expansion > 1:
            self.expand = NormedConv2d(inputs, inner, norm=norm(inner), activation=nn.ReLU6(True))
        else:
            self.expand = nn.Identity()
        self.depthwise = NormedConv2d(inner, inner, 3, stride, inner, norm(inner),
                                      nn.ReLU6(True))
        self.project = NormedConv2d(inner, outputs, norm=norm(outputs))
        self.residual = stride == 1 and inputs == outputs

    def forward(self, features: Tensor) -> Tensor:
        """Map (N, inputs, h, w) to (N, outputs, h / stride, w / stride), rounded up."""
        projected = self.project(self.depthwise(self.expand(features)))
        return projected + features if self.residual else projected


class MobileNetV2Features(nn.Module):
    """The scope `MobilenetV2`, up to the last block at stride 16."""

    def __init__(self, width: float, norm):
        super().__init__()
        stem = rounded(32, width)
        self.Conv = NormedConv2d(3, stem, 3, 2, norm=norm(stem), activation=nn.ReLU6(True))
        self.channels = []
        inputs = stem
        for index, (base, stride) in enumerate(_BLOCKS):
            outputs = rounded(base, width)
            self.add_module(_block_name(index), InvertedResidual(
                inputs, outputs, stride, 6 if index else 1, norm))
            self.channels.append(outputs)
            inputs = outputs

    def forward(self, image: Tensor) -> Tuple[Tensor, Tensor]:
        """Map (N, 3, h, w) to the features at stride 8 and those at stride 16."""
        features = self.Conv(image)
        at_stride_8 = features
        for index in range(len(_BLOCKS)):
            features = getattr(self, _block_name(index))(features)
            if index == _LAST_AT_STRIDE_8:
                at_stride_8 = features
        return at_stride_8, features


def _block_name(index):
    return 'expanded_conv_{}'.format(index) if index else 'expanded_conv'


class MobileNetV2(PoseNetwork):
    """Features of strides 8 and 16, then up to six stages of 3x3 convolutions."""

    size_multiple = 16

    def __init__(self, heatmaps: int, pafs: int, stages: int, width: float, head_width: float,
                 norm):
        super().__init__()
        self.MobilenetV2 = MobileNetV2Features(width, norm)
        self.upsample = LegacyUpsample()
        channels = self.MobilenetV2.channels
        self.Openpose = PredictionStages(channels[_LAST_AT_STRIDE_8] + channels[-1], heatmaps,
                                         pafs, stages, head_width, 3)

    def forward(self, image: Tensor) -> List[Outputs]:
        """See PoseNetwork."""
        fine, coarse = self.MobilenetV2(image)
        return self.Openpose(torch.cat([fine, self.upsample(coarse)], 1))


def _norm_of_batch(channels):
    return nn.BatchNorm2d(channels, EPSILON)


def _norm_of_image(channels):
    return nn.InstanceNorm2d(channels, EPSILON, affine=True)


def build(heatmaps: int, pafs: int, stages: int = MOST_STAGES, width: float = 1.,
          head_width: float = 1., image_statistics: bool = False) -> MobileNetV2:
    """Build the network, `width` times 16 to 96 channels and `head_width` times 128.

    `image_statistics` normalizes the features of each image by their own statistics, in training
    and evaluation. Raises NetworkError for an invalid number of stages or width.
    """
    check_stages('the MobileNet v2', stages, 1, MOST_STAGES)
    check_factor('the MobileNet v2', 'width', width)
    check_factor('the MobileNet v2', 'head_width', head_width)
    check_flag('the MobileNet v2', 'image_statistics', image_statistics)
    return MobileNetV2(heatmaps, pafs, stages, width, head_width,
                       _norm_of_image if image_statistics else _norm_of_batch)


_SOURCE = 'https://github.com/ildoonet/tf-pose-estimation (models/graph/{})'
_ACCURACY = 'COCO val2014: AP {}, AP50 {}, one scale'
# Checkpoints contain the whole classifier, and the features end before its block 13; they also
# contain frozen statistics, which `image_statistics` does not use.
_IGNORED = r'MobilenetV2\.((expanded_conv_1[3-6]|Conv_1|Logits)\.|.*\.BatchNorm\.running_)'


def _spec(name, width, head_width, summary, source='', accuracy=''):
    return NetworkSpec(
        name, build, 'coco_18', {'width': width, 'head_width': head_width},
        card_input(432, 368, fit='stretch', interpolation='cubic'), summary,
        ('tf-graph', 'tf-checkpoint'), _IGNORED, source, accuracy=accuracy)


def _variant(name, width, head_width):
    summary = 'tf-pose MobileNet v2, widths x {} (features) and x {} (stages)'
    return _spec(name, width, head_width, summary.format(width, head_width))


NETWORKS = (
    _spec('mobilenet_v2_large', 1.4, 1., 'tf-pose MobileNet v2, large',
          _SOURCE.format('mobilenet_v2_large'), _ACCURACY.format('31.3', '58.5')),
    _spec('mobilenet_v2_small', .5, .5, 'tf-pose MobileNet v2, small and fast',
          _SOURCE.format('mobilenet_v2_small'), _ACCURACY.format('17.3', '40.6')),
    _variant('mobilenet_v2_w1.4_r0.5', 1.4, .5),
    _variant('mobilenet_v2_w1.0_r1.0', 1., 1.),
    _variant('mobilenet_v2_w1.0_r0.75', 1., .75),
    _variant('mobilenet_v2_w1.0_r0.5', 1., .5),
    _variant('mobilenet_v2_w0.75_r0.75', .75, .75),
    _variant('mobilenet_v2_1.4', 1.4, 1.),
    _variant('mobilenet_v2_1.0', 1., 1.),
    _variant('mobilenet_v2_0.75', .75, 1.),
    _variant('mobilenet_v2_0.5', .5, 1.),
)
