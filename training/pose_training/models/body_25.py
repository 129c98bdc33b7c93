# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""OpenPose's default network (Cao et al., arXiv:1812.08008): PAFs first, then heatmaps.

Layers as in OpenPose's models/pose/body_25/pose_deploy.prototxt. L1 and L2 have the opposite
meaning of those in the COCO network: here L2 are the PAFs, L1 the heatmaps.
"""
from typing import List, NamedTuple, Tuple

import torch
from torch import Tensor

from pose_training.models.network import check_stages, named_outputs, Outputs
from pose_training.models.registry import NetworkSpec
from pose_training.models.vgg import (
    LICENSE, MODELS_URL, VGG_19, FlatNetwork, Layer, check_pafs, openpose_input)

# Per stage: name, width of the 3x3 convolutions, width before the last layer.
_PAF_STAGES = (('stage0_L2', 96, 256), ('stage1_L2', 128, 512), ('stage2_L2', 128, 512),
               ('stage3_L2', 128, 512))
_HEAT_STAGES = (('stage0_L1', 96, 256), ('stage1_L1', 128, 512))

_BACKBONE = VGG_19 + (
    Layer('conv4_2', 512, activation='prelu4_2'),
    Layer('conv4_3_CPM', 256, activation='prelu4_3_CPM'),
    Layer('conv4_4_CPM', 128, activation='prelu4_4_CPM'))


class Stage(NamedTuple):
    """The rows of a stage: dense blocks of three convolutions each, then the head."""

    blocks: Tuple[Tuple[Layer, ...], ...]
    head: Tuple[Layer, ...]


def _stage(name, width, hidden, outputs):
    blocks = tuple(
        tuple(Layer('Mconv{}_{}_{}'.format(block, name, part), width,
                    activation='Mprelu{}_{}_{}'.format(block, name, part)) for part in range(3))
        for block in range(1, 6))
    return Stage(blocks, (Layer('Mconv6_' + name, hidden, 1, 'Mprelu6_' + name),
                          Layer('Mconv7_' + name, outputs, 1, 'linear')))


class Body25(FlatNetwork):
    """Four stages for the PAFs, then up to two for the heatmaps, which read the last PAFs."""

    def __init__(self, heatmaps: int, pafs: int, heat_stages: int):
        super().__init__()
        width = self.declare(3, _BACKBONE)
        self.paf_stages = [_stage(*row, outputs=pafs) for row in _PAF_STAGES]
        self.heat_stages = [_stage(*row, outputs=heatmaps) for row in _HEAT_STAGES[:heat_stages]]
        inputs = width
        for stage in self.paf_stages:
            self._declare_stage(inputs, stage)
            inputs = width + pafs
        for stage in self.heat_stages:
            self._declare_stage(inputs, stage)
            inputs = width + heatmaps + pafs

    def _declare_stage(self, inputs, stage):
        for block in stage.blocks:
            inputs = len(block) * self.declare(inputs, block)
        self.declare(inputs, stage.head)

    def _predict(self, stage, features):
        for block in stage.blocks:
            parts = []
            for layer in block:
                features = self.run([layer], features)
                parts.append(features)
            features = torch.cat(parts, 1)
        return self.run(stage.head, features)

    def forward(self, image: Tensor) -> List[Outputs]:
        """See PoseNetwork; the stages of the PAFs have no heatmaps."""
        features = self.run(_BACKBONE, image)
        pafs = self._predict(self.paf_stages[0], features)
        found = [named_outputs(pafs=pafs)]
        for stage in self.paf_stages[1:]:
            pafs = self._predict(stage, torch.cat([features, pafs], 1))
            found.append(named_outputs(pafs=pafs))
        heatmaps = self._predict(self.heat_stages[0], torch.cat([features, pafs], 1))
        found.append(named_outputs(heatmaps=heatmaps, pafs=pafs))
        for stage in self.heat_stages[1:]:
            heatmaps = self._predict(stage, torch.cat([features, heatmaps, pafs], 1))
            found.append(named_outputs(heatmaps=heatmaps, pafs=pafs))
        return found


def build(heatmaps: int, pafs: int, stages: int = 6) -> Body25:
    """Build the network; NetworkError for an invalid number of stages, or without PAFs.

    The first heatmaps are those of the fifth stage, hence 5 or 6 stages.
    """
    paf_stages = len(_PAF_STAGES)
    check_stages('BODY-25', stages, paf_stages + 1, paf_stages + len(_HEAT_STAGES))
    check_pafs('BODY-25', pafs)
    return Body25(heatmaps, pafs, stages - paf_stages)


NETWORKS = (
    NetworkSpec(
        # 0: as OpenPose; its training (openpose_caffe_train) fills with 0 or with other images.
        'body_25', build, 'body_25', {}, openpose_input(656, 368, pad_value=0),
        'OpenPose BODY-25: body and feet; faster and more accurate than cmu',
        formats=('caffe',), ignored=r'M(conv|prelu)[1-7]_stage1_L1(_[0-2])?\.',
        source=MODELS_URL + 'pose/body_25/pose_iter_584000.caffemodel', license=LICENSE),
)
