# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""The two-branch network of Cao et al. (arXiv:1611.08050): VGG-19 features, up to six stages.

In each stage branch L1 predicts the PAFs and branch L2 the heatmaps. Layers as in OpenPose's
models/pose/coco/pose_deploy_linevec.prototxt and those of models/pose/mpi.
"""
from typing import List, Tuple

import torch
from torch import Tensor

from pose_training.models.network import check_stages, named_outputs, Outputs
from pose_training.models.registry import NetworkSpec
from pose_training.models.vgg import (
    LICENSE, MODELS_URL, VGG_19, FlatNetwork, Layer, check_pafs, openpose_input,
    refinement_layers)

MOST_STAGES = 6
# A network with fewer stages can also read the file of the full one.
_LATER_STAGES = r'Mconv[1-7]_stage[2-6]_L[12]\.'

_BACKBONE = VGG_19 + (
    Layer('conv4_2', 512), Layer('conv4_3_CPM', 256), Layer('conv4_4_CPM', 128))


def _branch(stage: int, branch: str, outputs: int) -> Tuple[Layer, ...]:
    if stage > 1:
        return refinement_layers('stage{}_{}'.format(stage, branch), outputs)
    name = 'conv5_{}_CPM_' + branch
    dense = tuple(Layer(name.format(number), 128) for number in (1, 2, 3))
    return dense + (Layer(name.format(4), 512, 1), Layer(name.format(5), outputs, 1, 'linear'))


class CmuNetwork(FlatNetwork):
    """Shared features, then stages of two branches that read the maps of the stage before."""

    def __init__(self, heatmaps: int, pafs: int, stages: int):
        super().__init__()
        width = inputs = self.declare(3, _BACKBONE)
        self.branches = []
        for stage in range(1, stages + 1):
            branches = _branch(stage, 'L1', pafs), _branch(stage, 'L2', heatmaps)
            for branch in branches:
                self.declare(inputs, branch)
            self.branches.append(branches)
            inputs = pafs + heatmaps + width

    def forward(self, image: Tensor) -> List[Outputs]:
        """See PoseNetwork."""
        features = inputs = self.run(_BACKBONE, image)
        found = []
        for paf_branch, heat_branch in self.branches:
            if found:
                inputs = torch.cat([found[-1]['pafs'], found[-1]['heatmaps'], features], 1)
            pafs = self.run(paf_branch, inputs)
            found.append(named_outputs(heatmaps=self.run(heat_branch, inputs), pafs=pafs))
        return found


def build(heatmaps: int, pafs: int, stages: int = MOST_STAGES) -> CmuNetwork:
    """Build the network; NetworkError for an invalid number of stages, or without PAFs."""
    check_stages('the CMU network', stages, 1, MOST_STAGES)
    check_pafs('the CMU network', pafs)
    return CmuNetwork(heatmaps, pafs, stages)


# 128, not OpenPose's 0, as in the training (caffe_train) and the authors' own evaluation.
_INPUT = openpose_input(656, 368, pad_value=128)
_MPI_SOURCE = MODELS_URL + 'pose/mpi/pose_iter_160000.caffemodel'

NETWORKS = (
    NetworkSpec(
        'cmu', build, 'coco_18', {}, _INPUT,
        'OpenPose COCO: VGG-19 and six stages; accurate and heavy',
        formats=('caffe', 'npy', 'tf-graph', 'torch'), ignored=_LATER_STAGES,
        source=MODELS_URL + 'pose/coco/pose_iter_440000.caffemodel', license=LICENSE,
        accuracy='COCO AP 48.6 (val subset, one scale at height 368); 61.8 (test-dev, several '
                 'scales, refined by a single-person network)'),
    NetworkSpec(
        'mpi', build, 'mpi_15', {}, _INPUT, 'OpenPose MPI: as cmu, with 15 keypoints',
        formats=('caffe',), ignored=_LATER_STAGES, source=_MPI_SOURCE, license=LICENSE),
    NetworkSpec(
        'mpi_faster', build, 'mpi_15', {'stages': 4}, _INPUT,
        'OpenPose MPI cut after four stages; same weight file',
        formats=('caffe',), ignored=_LATER_STAGES, source=_MPI_SOURCE, license=LICENSE),
)
