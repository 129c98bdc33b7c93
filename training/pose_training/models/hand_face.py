# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""OpenPose's networks for one hand or one face in a square crop (Simon et al., arXiv:1704.07809).

One branch, heatmaps only. Layers as in OpenPose's models/hand/pose_deploy.prototxt and
models/face/pose_deploy.prototxt, which differ only in the number of maps.
"""
from typing import List, Tuple

import torch
from torch import Tensor

from pose_training.models.network import check_stages, named_outputs, Outputs
from pose_training.models.registry import NetworkSpec
from pose_training.models.vgg import (
    LICENSE, MODELS_URL, VGG_19, FlatNetwork, Layer, openpose_input,
    refinement_layers)

MOST_STAGES = 6
# A network with fewer stages can also read the file of the full one.
_LATER_STAGES = r'Mconv[1-7]_stage[2-6]\.'

# The next layers of VGG-19, without its fourth pooling.
_BACKBONE = VGG_19 + tuple(
    Layer(name, 512) for name in 'conv4_2 conv4_3 conv4_4 conv5_1 conv5_2'.split()) + (
    Layer('conv5_3_CPM', 128),)


def _stage(stage: int, outputs: int) -> Tuple[Layer, ...]:
    if stage > 1:
        return refinement_layers('stage{}'.format(stage), outputs)
    return Layer('conv6_1_CPM', 512, 1), Layer('conv6_2_CPM', outputs, 1, 'linear')


class CropNetwork(FlatNetwork):
    """Features, then stages that read the heatmaps of the stage before together with them."""

    def __init__(self, heatmaps: int, stages: int):
        super().__init__()
        width = inputs = self.declare(3, _BACKBONE)
        self.stages = [_stage(stage, heatmaps) for stage in range(1, stages + 1)]
        for stage in self.stages:
            self.declare(inputs, stage)
            inputs = heatmaps + width

    def forward(self, image: Tensor) -> List[Outputs]:
        """See PoseNetwork; there are no PAFs."""
        features = self.run(_BACKBONE, image)
        heatmaps = self.run(self.stages[0], features)
        found = [named_outputs(heatmaps=heatmaps)]
        for stage in self.stages[1:]:
            heatmaps = self.run(stage, torch.cat([heatmaps, features], 1))
            found.append(named_outputs(heatmaps=heatmaps))
        return found


def build(heatmaps: int, pafs: int = 0, stages: int = MOST_STAGES) -> CropNetwork:
    """Build the network; NetworkError for an invalid number of stages.

    `pafs` is not used: a crop shows one person, so that no PAFs are needed.
    """
    check_stages('the hand and face network', stages, 1, MOST_STAGES)
    return CropNetwork(heatmaps, stages)


# OpenPose fills the area of a crop outside the image with 0.
_INPUT = {**openpose_input(368, 368, pad_value=0), 'fit': 'crop', 'padding': 1.}

NETWORKS = (
    NetworkSpec(
        'hand', build, 'hand_21', {}, _INPUT,
        'OpenPose hand: a crop of one right hand (mirror the left)',
        formats=('caffe', 'torch'), ignored=_LATER_STAGES,
        source=MODELS_URL + 'hand/pose_iter_102000.caffemodel', license=LICENSE),
    NetworkSpec(
        'face', build, 'face_70', {}, _INPUT, 'OpenPose face: a crop of one face',
        formats=('caffe', 'torch'), ignored=_LATER_STAGES,
        source=MODELS_URL + 'face/pose_iter_116000.caffemodel', license=LICENSE),
)
