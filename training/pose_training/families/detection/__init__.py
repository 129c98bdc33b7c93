# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Family `detection`: boxes of people, one class, without anchors.

Outputs of the one stage: `stride_8`, `stride_16`, `stride_32` (N, 5, h, w): the logarithms of the
distances [cells] from the center of the cell to left, top, right and bottom, and the logit of the
score. Targets: boxes (M, 4) left, top, right, bottom [px]; their weights (M,) are labels: 1 a
person, 0 a region to ignore, -1 no box.
"""
from typing import Any, Dict, List, Optional, Sequence, Tuple

import cv2
import numpy as np
from torch import Tensor

from pose_ros.core.card import ModelCard
from pose_training.data.annotations import Sample
from pose_training.data.panels import enlarge, Panel
from pose_training.errors import NetworkError
from pose_training.families.comparison import ChannelGroup
from pose_training.families.detection.assignment import cells_of, decode, detection_loss, flat
from pose_training.families.detection.scenes import SceneDataset
from pose_training.families.family import Family, Outputs, Targets
from pose_training.families.topologies import AnyTopology

OUTPUT = 'output'
STRIDES = (8, 16, 32)
_DRAWN, _SCORE = 32, .3  # boxes of an output in an image: at most, and their least score
_COLOR = (0, 220, 0)


class Detection(Family):
    """See the module."""

    name = 'boxes'
    task = 'detection'
    dataset = SceneDataset

    def __init__(self, topology: AnyTopology):
        if topology:
            raise NetworkError('a detector has no keypoints: leave the topology empty, instead '
                               'of {!r}'.format(topology))
        super().__init__('coco_17')  # keypoints of the datasets; only the boxes are used

    @property
    def topology_data(self) -> str:
        """See Family."""
        return ''

    @property
    def layout(self) -> str:
        """See Family."""
        return self.name

    @property
    def channels(self) -> Dict[str, int]:
        """See Family."""
        return {'stride_{}'.format(stride): 5 for stride in STRIDES}

    def share(self, sample: Sample) -> float:
        """See Family: people without keypoints count, too."""
        return 1. if len(sample.boxes) or sample.ignored else 0.

    def targets(self, crop, spec) -> Targets:
        """See Family and the module."""
        boxes = crop.boxes.astype(np.float32)
        return Targets(boxes[:, :4], boxes[:, 4])

    def loss(self, stages: Sequence[Outputs], target: Tensor, weights: Tensor,
             foreground_weight: float) -> List[Tensor]:
        """See Family; `foreground_weight` has no meaning here."""
        return [detection_loss(stage, target, weights) for stage in stages]

    def exported(self, outputs: Outputs) -> Outputs:
        """Return one tensor `output` (N, 5, A): the cells of all strides, row by row."""
        return {OUTPUT: flat(outputs)}

    def decoder(self, stride: int) -> Tuple[str, Dict[str, Any]]:
        """See Family."""
        return self.name, {'format': 'distances', 'tensor': OUTPUT, 'strides': list(STRIDES)}

    def output_shapes(self, card: ModelCard, stride: int) -> Dict[str, Tuple[int, ...]]:
        """See Family."""
        cells = sum((card.input.height // each) * (card.input.width // each) for each in STRIDES)
        return {OUTPUT: (5, cells)}

    def groups(self, card: ModelCard) -> List[ChannelGroup]:
        """Return `distances` and `scores`."""
        return [ChannelGroup('distances', OUTPUT, 0, 4), ChannelGroup('scores', OUTPUT, 4, 5)]

    def joined(self, outputs: Outputs) -> Tensor:
        """Return the strongest boxes (N, M, 4); those of low scores have no size."""
        boxes, logits = decode(flat(outputs).float(), cells_of(outputs))
        top = logits.topk(min(_DRAWN, logits.shape[1]), 1)
        chosen = boxes.gather(1, top.indices[..., None].expand(-1, -1, 4))
        return chosen * (top.values.sigmoid() >= _SCORE)[..., None]

    def panels(self, image: np.ndarray, maps: np.ndarray, suffix: str = '', single: int = 0,
               weights: Optional[np.ndarray] = None) -> List[Panel]:
        """See Family: the boxes; regions to ignore are gray."""
        drawn = enlarge(image).copy()
        zoom = drawn.shape[1] / image.shape[1]
        labels = np.ones(len(maps)) if weights is None else weights
        for box, label in zip(maps * zoom, labels):
            if label >= 0 and box[2] > box[0]:
                left, top, right, bottom = (int(value) for value in box.clip(-9999, 9999))
                color = _COLOR if label > 0 else (128,) * 3
                cv2.rectangle(drawn, (left, top), (right, bottom), color, 2)
        return [Panel('boxes' + suffix, drawn)]


FAMILY = Detection
