# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""The interface of a family of networks.

A network returns, for every prediction stage, its outputs by name: {'heatmaps': (N, K, h, w),
'pafs': ...}. Everything that depends on the meaning of these outputs is a method of its Family.
"""
import abc
from typing import Any, Dict, List, NamedTuple, Optional, Sequence, Tuple, Union

import numpy as np
import torch
from torch import Tensor

from pose_ros.core.card import ModelCard
from pose_training.errors import NetworkError
from pose_training.families.comparison import (ChannelGroup, compare_outputs,
                                               OutputAgreement)
from pose_training.families.mirroring import Swap
from pose_training.families.topologies import AnyTopology, as_data, as_topology

Outputs = Dict[str, Tensor]


class Targets(NamedTuple):
    """Training targets of one crop, and their weights.

    `maps` (C, ...) float32 in the order of Family.channels; `weights` of the same shape: 0 where
    the target is unknown, up to 1 elsewhere. A family without maps has arrays of its own shapes.
    """

    maps: np.ndarray
    weights: np.ndarray


class TeacherChannels(abc.ABC):
    """The target channels of a family, found in the outputs of a teacher.

    `known` (C,) bool: the target channels that the teacher predicts; `stride`: its input pixels
    per map cell. `shift`: cells by which its cell g lies before the pixel (g + 0.5) stride - 0.5;
    `own_shift`: the same of the student's cells.
    `mirror` lists the channel that each becomes in a mirrored image, if the maps of the mirrored
    image are averaged in.
    """

    known: np.ndarray
    stride: int
    shift = 0.
    own_shift = 0.
    mirror: Optional[Sequence[int]] = None

    @abc.abstractmethod
    def read(self, outputs: Outputs) -> Tensor:
        """Return (N, C', h, w) float32 maps on the teacher's grid; unknown channels are 0."""

    @abc.abstractmethod
    def complete(self, maps: Tensor) -> Tensor:
        """Return (N, C, h, w) of all target channels for `read` maps on the student's grid."""

    def measure(self, side: int, cells: int) -> None:
        """Take the stride from maps of `cells` for `side` input pixels, if no card states it."""


class Family(abc.ABC):
    """A family of networks, for the keypoints of one topology."""

    name = ''
    task = 'pose'  # of the model card
    dataset: Any = None  # class of the training data: PoseDataset or a subclass

    def __init__(self, topology: AnyTopology):
        self.topology = as_topology(topology)

    @property
    def topology_data(self) -> Union[str, Dict[str, Any]]:
        """Return the topology for recipes and cards (as_data), '' for outputs without one."""
        return as_data(self.topology)

    @property
    @abc.abstractmethod
    def channels(self) -> Dict[str, int]:
        """Return the number of channels of every output; networks are built for them."""

    @property
    @abc.abstractmethod
    def layout(self) -> Any:
        """Return the layout of the targets; its repr() is part of the names of cached maps."""

    def share(self, sample) -> float:
        """Return the relative frequency of a Sample; 0: that of an image without people."""
        return 1. if len(sample.people) else 0.

    def usable(self, sample) -> bool:
        """Return whether the image of a Sample can be trained on."""
        return True

    def begin(self, network: Any, dataset: Any) -> None:
        """Set what a network knows of its training data (a `dataset`) before the first step."""

    @abc.abstractmethod
    def targets(self, crop, spec) -> Targets:
        """Return the targets of a Crop for a CropSpec."""

    @abc.abstractmethod
    def loss(self, stages: Sequence[Outputs], target: Tensor, weights: Tensor,
             foreground_weight: float) -> List[Tensor]:
        """Return the loss of every stage for a batch of targets and weights (N, C, ...)."""

    @abc.abstractmethod
    def exported(self, outputs: Outputs) -> Outputs:
        """Return the outputs of the ONNX file, computed from those of the last stage."""

    @abc.abstractmethod
    def decoder(self, stride: int) -> Tuple[str, Dict[str, Any]]:
        """Return the decoder type and the outputs entry of the model card."""

    @abc.abstractmethod
    def output_shapes(self, card: ModelCard, stride: int) -> Dict[str, Tuple[int, ...]]:
        """Return the shapes, without the batch axis, of the exported outputs of a card.

        `stride` is the number of input pixels per map cell.
        """

    @abc.abstractmethod
    def groups(self, card: ModelCard) -> List[ChannelGroup]:
        """Return the groups of channels that the parity check compares."""

    def compare(self, card: ModelCard, reference: Dict[str, np.ndarray],
                found: Dict[str, np.ndarray]) -> OutputAgreement:
        """Compare the exported outputs (N, ...) of two runs on the same images."""
        return compare_outputs(reference, found, self.groups(card))

    def joined(self, outputs: Outputs) -> Tensor:
        """Return the outputs of a last stage in the form of the targets, (N, C, ...)."""
        return torch.cat([outputs[name] for name in self.channels if name in outputs], 1)

    @abc.abstractmethod
    def panels(self, image: np.ndarray, maps: np.ndarray, suffix: str = '', single: int = 0,
               weights: Optional[np.ndarray] = None) -> list:
        """Return Panels that draw target maps (C, ...) over the crop (H, W, 3) uint8 BGR.

        `single` is the number of single keypoint channels that are drawn, too, the strongest
        first; `weights` of the same shape: cells without weight are marked.
        """

    # What follows is optional: a family without it cannot be distilled or averaged over views.

    def flip(self, card: ModelCard) -> Dict[str, List[Swap]]:
        """Return the channels of a card's output tensors that a flipped image exchanges."""
        raise NetworkError('outputs of the family {!r} cannot be flipped'.format(self.name))

    def teacher_channels(self, card: ModelCard, where: str) -> TeacherChannels:
        """Find the target channels in the outputs of a teacher; DataError if there are none."""
        raise NetworkError('networks of the family {!r} cannot learn from teachers'.format(
            self.name))

    def mix(self, maps: Tensor, weights: Tensor, soft: Tensor, known: Tensor, share: float,
            complete: Tensor) -> Tuple[Tensor, Tensor]:
        """Return targets and weights, mixed of those of labels and those of teachers."""
        raise NetworkError('networks of the family {!r} cannot learn from teachers'.format(
            self.name))

    def stage_names(self, count: int) -> List[str]:
        """Return names for the tensors of the stages before the last of `count`, for drawings."""
        raise NetworkError('the stages of networks of the family {!r} cannot be exported'.format(
            self.name))

    def exported_stages(self, stages: Sequence[Outputs], card: ModelCard) -> Outputs:
        """Return the outputs of the ONNX file: of the last stage, and any that the card names."""
        return self.exported(stages[-1])

    def keypoint_maps(self, maps: np.ndarray) -> np.ndarray:
        """Return the part (K, h, w) of target maps that holds a confidence per keypoint."""
        raise NetworkError('networks of the family {!r} have no maps of keypoints'.format(
            self.name))
