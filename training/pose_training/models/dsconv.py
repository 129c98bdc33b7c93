# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""`dsconv` of tf-pose: the two-branch network of CMU with separable convolutions.

It has strides instead of pools, maps at stride 8, and raw BGR values as input. Source:
https://github.com/ildoonet/tf-pose-estimation.
"""
from typing import List

from torch import Tensor, nn

from pose_training.models.network import check_factor, check_stages, Outputs, PoseNetwork
from pose_training.models.registry import NetworkSpec, card_input
from pose_training.models.tf_blocks import BranchedScope, NormedConv2d, scaled

MOST_STAGES = 6
FEATURES = 128

# (name, channels, stride) of the layers before the stages.
_LAYERS = (('conv1_2', 64, 2), ('conv2_1', 128, 1), ('conv2_2', 128, 2), ('conv3_1', 256, 1),
           ('conv3_2', 256, 1), ('conv3_3', 256, 1), ('conv3_4', 256, 2), ('conv4_1', 512, 1),
           ('conv4_2', 512, 1), ('conv4_3_CPM', 256, 1))
_LAST_LAYER = 'conv4_4_CPM'


class DsConv(BranchedScope, PoseNetwork):
    """Shared features, then the stages; all layers lie at the top of the network."""

    def __init__(self, heatmaps: int, pafs: int, stages: int, width: float):
        super().__init__(heatmaps, pafs, stages)
        self.conv1_1 = NormedConv2d(3, 64, 3, activation=nn.ReLU(inplace=True))
        inputs = 64
        for name, base, stride in _LAYERS:
            outputs = scaled(base, width)
            self.add_separable(name, inputs, outputs, 3, stride)
            inputs = outputs
        self.add_separable(_LAST_LAYER, inputs, FEATURES)
        for stage in self.stages:
            inputs = FEATURES + (heatmaps + pafs if stage > 1 else 0)
            for branch, outputs in self.branches:
                self._add_branch(stage, branch, inputs, scaled(128, width), outputs)

    def _add_branch(self, stage, branch, inputs, layers, outputs):
        *separable, before_last, last = _layer_names(stage, branch)
        for name in separable:
            self.add_separable(name, inputs, layers, 7 if stage > 1 else 3)
            inputs = layers
        hidden = 128 if stage > 1 else 512
        self.add_module(before_last, NormedConv2d(layers, hidden,
                                                  activation=nn.ReLU(inplace=True)))
        self.add_module(last, NormedConv2d(hidden, outputs))

    def forward(self, image: Tensor) -> List[Outputs]:
        """See PoseNetwork."""
        features = self.conv1_1(image)
        for name, _, _ in _LAYERS:
            features = self.separable(name, features)
        return self.predict(self.separable(_LAST_LAYER, features))

    def run_branch(self, stage: int, branch: str, features: Tensor) -> Tensor:
        """Return the maps of one branch."""
        *separable, before_last, last = _layer_names(stage, branch)
        for name in separable:
            features = self.separable(name, features)
        return getattr(self, last)(getattr(self, before_last)(features))


def _layer_names(stage, branch):
    if stage == 1:
        return ['conv5_{}_CPM_{}'.format(layer, branch) for layer in range(1, 6)]
    return ['Mconv{}_stage{}_{}'.format(layer, stage, branch) for layer in range(1, 8)]


def build(heatmaps: int, pafs: int, stages: int = MOST_STAGES, width: float = 1.) -> DsConv:
    """Build the network, `width` times 64 to 512 channels.

    Raises NetworkError for an invalid number of stages or width.
    """
    check_stages('dsconv', stages, 1, MOST_STAGES)
    check_factor('dsconv', 'width', width)
    return DsConv(heatmaps, pafs, stages, width)


NETWORKS = (
    NetworkSpec('dsconv', build, 'coco_18', {}, card_input(
        432, 368, fit='stretch', interpolation='cubic'),
        'tf-pose: the CMU network of separable convolutions', ('tf-graph', 'tf-checkpoint')),
)
