# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Part detectors: score maps, location refinement, and pairwise terms for several people.

DeeperCut (Insafutdinov et al., arXiv:1605.03170), ArtTrack (arXiv:1612.01465), and DeepLabCut
(Mathis et al., 2018) for animals. Each head is one transposed convolution from stride 16 to 8.
"""
from typing import Any, Dict, List, Mapping, Optional

import numpy as np
from torch import nn, Tensor

from pose_training.errors import NetworkError
from pose_training.models.atrous_resnet import AtrousResNet, FORMS, scaled
from pose_training.models.network import check_factor, check_flag, Outputs, PoseNetwork
from pose_training.models.pair_tables import PairTables
from pose_training.models.registry import card_input, NetworkSpec
from pose_training.models.resnet import RESNETS

_DEVIATION = .001  # of the first weights of a head
_MEANS = {'slim': (123.68, 116.779, 103.939), 'torch': (.485, .456, .406)}
_GROUPS = (0, 32)


class DoubledHead(nn.ConvTranspose2d):
    """A 3x3 transposed convolution of stride 2 with the padding SAME of TensorFlow.

    That drops the last row and column; `padding=1, output_padding=1` would shift by one cell.
    """

    def __init__(self, inputs: int, outputs: int):
        super().__init__(inputs, outputs, 3, 2)
        nn.init.normal_(self.weight, std=_DEVIATION)
        nn.init.zeros_(self.bias)

    def forward(self, features: Tensor) -> Tensor:  # type: ignore[override]
        """Map (N, inputs, h, w) to (N, outputs, 2 h, 2 w)."""
        return super().forward(features)[:, :, :-1, :-1]


class PartNetwork(PoseNetwork):
    """What all part detectors share: `scores`, `offsets`, and `pairwise` with its `pairs`.

    A subclass has the heads as modules `scores`, `offsets` and `pairwise` (None without pairs).
    """

    linear = False  # score maps are probabilities, not logits
    pairs: Optional[PairTables]

    def set_pairs(self, scores: int, pairwise: int) -> None:
        """Add the tables of pairs, if there are pairwise terms."""
        self.pairs = PairTables(scores) if pairwise else None

    def predicted(self, features: Tensor) -> Outputs:
        """Return the outputs of the heads by name, for features of the last level."""
        if self.linear and self.training:
            raise NetworkError('the score maps of this network are probabilities (`linear_scores`)'
                               ', and those of a training are logits: it cannot be trained on')
        found = {'scores': self.scores(features), 'offsets': self.offsets(features)}
        if self.pairs is not None:
            found.update(pairwise=self.pairwise(features), mean=self.pairs.mean,
                         deviation=self.pairs.deviation)
        return found

    def card_facts(self) -> Dict[str, Any]:
        """See PoseNetwork."""
        return {'score_kind': 'probability' if self.linear else 'logit',
                **(self.pairs.facts() if self.pairs is not None else {})}

    def state_of_facts(self, outputs: Mapping[str, Any]) -> Dict[str, np.ndarray]:
        """See PoseNetwork."""
        if self.pairs is None:
            return {}
        tables = PairTables(self.pairs.keypoints)
        tables.set_facts(outputs)
        return {'pairs.' + name: value.numpy() for name, value in tables.state_dict().items()}


class PartDetector(PartNetwork):
    """A ResNet of output stride 16, and the heads.

    `intermediate` is the block of level 3 on which further score maps are trained; 0: none.
    """

    stride = 8
    size_multiple = 16

    def __init__(self, scores: int, offsets: int, pairwise: int, trunk: AtrousResNet,
                 intermediate: bool):
        super().__init__()
        self.set_pairs(scores, pairwise)
        self.trunk = trunk
        middle, last = trunk.channels
        self.scores = DoubledHead(last, scores)
        self.offsets = DoubledHead(last, offsets)
        self.pairwise = DoubledHead(last, pairwise) if pairwise else None
        self.intermediate = DoubledHead(middle, scores) if intermediate else None

    def forward(self, image: Tensor) -> List[Outputs]:
        """See PoseNetwork; in training the first stage is that of the intermediate score maps."""
        tapped, features = self.trunk(image)
        stages = [self.predicted(features)]
        if self.training and self.intermediate is not None:
            stages.insert(0, {'scores': self.intermediate(tapped)})
        return stages


def build(scores: int, offsets: int, pairwise: int = 0, backbone: str = 'resnet50',
          intermediate: int = 0, form: str = 'slim', groups: int = 0,
          linear_scores: bool = False, width: float = 1.) -> PartDetector:
    """Build a network on a ResNet; NetworkError for invalid options."""
    where = 'a part detector'
    bottlenecks = [name for name, (bottleneck, _) in RESNETS.items() if bottleneck]
    for option, value, choices in (('backbone', backbone, bottlenecks), ('form', form, FORMS),
                                   ('groups', groups, _GROUPS)):
        if value not in choices:
            raise NetworkError('{}: the option `{}` is one of {}, not {:.40}'.format(
                where, option, ', '.join(map(str, choices)), repr(value)))
    check_flag(where, 'linear_scores', linear_scores)
    check_factor(where, 'width', width)
    if groups and scaled(64, width) % groups:
        raise NetworkError('{}: with {} `groups` the option `width` is a multiple of {:g}'.format(
            where, groups, groups / 64))
    blocks = RESNETS[backbone][1][2]
    if type(intermediate) is not int or not 0 <= intermediate <= blocks:
        raise NetworkError('{}: the option `intermediate` is a block of level 3 of {}, from 1 to '
                           '{}, or 0, not {:.40}'.format(where, backbone, blocks,
                                                         repr(intermediate)))
    trunk = AtrousResNet(backbone, form, groups, intermediate, width)
    network = PartDetector(scores, offsets, pairwise, trunk, intermediate > 0)
    network.linear = linear_scores
    return network


def _specs(depth, intermediate):
    for name, family, several in (('part_detector_r{}', 'part_locref', 'one person or animal'),
                                  ('part_pairwise_r{}', 'part_pairwise', 'several people')):
        yield NetworkSpec(
            name.format(depth), build, 'coco_17',
            {'backbone': 'resnet{}'.format(depth), 'intermediate': intermediate},
            card_input(384, 384, color='rgb', mean=_MEANS['slim']),
            'DeeperCut with ResNet-{}: {}'.format(depth, several),
            ('deepercut', 'deeplabcut'), source='https://github.com/eldar/pose-tensorflow',
            license='LGPL-3.0', family=family)


def _deeplabcut(depth, groups):
    return NetworkSpec(
        'deeplabcut_r{}'.format(depth), build, 'coco_17',
        {'backbone': 'resnet{}'.format(depth), 'form': 'torch', 'groups': groups},
        card_input(384, 384, color='rgb', scale=1 / 255., mean=_MEANS['torch'],
                   std=(.229, .224, .225)),
        'DeepLabCut 3 with ResNet-{}: one person or animal'.format(depth), ('deeplabcut',),
        source='https://github.com/DeepLabCut/DeepLabCut', license='LGPL-3.0',
        family='part_locref')


NETWORKS = (
    *_specs(50, 0), *_specs(101, 12), *_specs(152, 12),
    _deeplabcut(50, 32), _deeplabcut(101, 0),
)
