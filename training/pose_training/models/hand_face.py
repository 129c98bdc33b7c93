# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""OpenPose's networks for one hand or one face in a square crop (Simon et al., arXiv:1704.07809).

One branch, heatmaps only: convolutional pose machines. Layers as in OpenPose's
models/hand/pose_deploy.prototxt and models/face/pose_deploy.prototxt, which differ only in the
number of maps.
"""
from pose_training.models.cpm import HAND, PoseMachine
from pose_training.models.network import check_stages
from pose_training.models.registry import NetworkSpec
from pose_training.models.vgg import LICENSE, MODELS_URL, openpose_input

MOST_STAGES = 6
# A network with fewer stages can also read the file of the full one.
_LATER_STAGES = r'Mconv[1-7]_stage[2-6]\.'


def build(heatmaps: int, pafs: int = 0, stages: int = MOST_STAGES) -> PoseMachine:
    """Build the network; NetworkError for an invalid number of stages.

    `pafs` is not used: a crop shows one person, so that no PAFs are needed.
    """
    check_stages('the hand and face network', stages, 1, MOST_STAGES)
    return PoseMachine(heatmaps, HAND, stages)


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
