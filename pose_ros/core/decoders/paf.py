# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Heatmaps and part affinity fields (Cao et al., arXiv:1812.08008) to people, on the map grid."""
from typing import Dict, List, NamedTuple, Optional, Tuple

import numpy as np

from pose_ros.core.card import ModelCard, require_keys
from pose_ros.core.decoders.decoder import (are_distinct_channels, Decoder, Found, make_found,
                                            require_output)
from pose_ros.core.decoders.limbs import assemble, LimbScorer, LimbTable, MOST_ROWS
from pose_ros.core.decoders.outputs import stage_names
from pose_ros.core.decoders.peaks import PeakFinder
from pose_ros.core.errors import CardError
from pose_ros.core.parameters import Parameter

PAF_PARAMETERS = (
    Parameter('blur_sigma', 1.0, 'Gaussian blur of the heatmaps before the search for peaks',
              0.0, 10.0, unit='map cells', dynamic=True),
    Parameter('peak_threshold', 0.05,
              'Blurred heatmap value above which a local maximum is a keypoint candidate',
              0.0, 1.0, dynamic=True),
    Parameter('peak_radius', 1.5,
              'Non-maximum suppression radius for the candidates of one keypoint',
              0.0, 100.0, unit='map cells', dynamic=True),
    Parameter('limb_samples', 10, 'Points along a candidate limb at which the PAF is read',
              2, 100, dynamic=True),
    Parameter('limb_threshold', 0.05, 'PAF along the limb above which a point supports it',
              -1.0, 1.0, dynamic=True),
    Parameter('limb_support', 0.7, 'Fraction of points that must support a limb',
              0.0, 1.0, dynamic=True),
    Parameter('limb_length', 0.5, 'Limbs longer than this fraction of the map height lose score',
              0.01, 10.0, dynamic=True),
)


class PafOutputs(NamedTuple):
    """The `outputs` of a card with the decoder type `paf`.

    `heat_channels[k]` is the channel of keypoint k, `background` that of none, or empty; `limbs`
    are (parent, child, first PAF channel) in joining order; `axis_order` is 'xy' or 'yx' within
    each pair of channels. `stages` are the heatmap and PAF tensors of the stages before the last,
    for drawings.
    """

    stride: int
    heat_tensor: str
    heat_channels: Tuple[int, ...]
    background: Tuple[int, ...]
    paf_tensor: str
    limbs: Tuple[Tuple[int, int, int], ...]
    axis_order: str
    stages: Tuple[Tuple[str, ...], ...] = ()


def parse_outputs(card: ModelCard) -> PafOutputs:
    """Check the `outputs` of a card; CardError names the key and what is wrong with it."""
    where, outputs = 'model card {!r}, outputs'.format(card.name), card.decoder.outputs
    require_keys(outputs, ('stride', 'heatmaps', 'pafs'), where, optional=('stages',))
    heatmaps, paf = outputs['heatmaps'], outputs['pafs']
    require_keys(heatmaps, ('tensor', 'channels', 'background'), where + ', heatmaps')
    require_keys(paf, ('tensor', 'limbs', 'axis_order'), where + ', pafs')
    size = card.topology.size
    problems = [
        (_is_index(outputs['stride'], 1), 'stride', 'a whole number of pixels'),
        (are_distinct_channels(heatmaps['channels'], size), 'channels',
         'one channel per keypoint ({}), each another one'.format(size)),
        (heatmaps['background'] is None or _is_index(heatmaps['background']), 'background',
         'a channel or null'),
        (isinstance(heatmaps['tensor'], str) and isinstance(paf['tensor'], str), 'tensor',
         'an output name'),
        (paf['axis_order'] in ('xy', 'yx'), 'axis_order', "'xy' or 'yx'"),
        (isinstance(paf['limbs'], (list, tuple)) and len(paf['limbs']) > 0 and all(
            _are_indices(limb, 3) and max(limb[:2]) < size for limb in paf['limbs']), 'limbs',
         'a list of [parent, child, first channel]'),
        (lambda: heatmaps['background'] not in heatmaps['channels'], 'background',
         'a channel of no keypoint'),
        (lambda: _are_different(paf['limbs']), 'limbs',
         'limbs between two keypoints, no two between the same ones'),
        (lambda: _are_apart(heatmaps, paf), 'limbs',
         'limbs whose two channels belong to no other limb and to no heatmap'),
    ]
    for fine, key, wanted in problems:
        # Those that need the checks before them are functions.
        if not (fine() if callable(fine) else fine):
            raise CardError('{}: {!r} must be {}'.format(where, key, wanted))
    background = () if heatmaps['background'] is None else (heatmaps['background'],)
    return PafOutputs(outputs['stride'], heatmaps['tensor'], tuple(heatmaps['channels']),
                      background, paf['tensor'], tuple(tuple(limb) for limb in paf['limbs']),
                      paf['axis_order'], tuple(stage_names(outputs, 2, where)))


def _are_different(limbs):
    pairs = {frozenset(limb[:2]) for limb in limbs}
    return len(pairs) == len(limbs) and all(len(pair) == 2 for pair in pairs)


def _are_apart(heatmaps, paf):
    """Return whether each PAF channel is read by one limb, and no heatmap is one."""
    used = [channel for limb in paf['limbs'] for channel in (limb[2], limb[2] + 1)]
    if heatmaps['tensor'] == paf['tensor']:
        used += list(heatmaps['channels'])
        used += [] if heatmaps['background'] is None else [heatmaps['background']]
    return len(set(used)) == len(used)


def _is_index(value, least=0):
    return type(value) is int and value >= least


def _are_indices(values, count):
    return isinstance(values, (list, tuple)) and len(values) == count \
        and all(map(_is_index, values))


class PafDecoder(Decoder):
    """Decodes heatmaps and PAFs on the grid of the network, all limbs at once."""

    PARAMETERS = PAF_PARAMETERS

    def __init__(self, card: ModelCard):
        """Prepare for the channels of the card; CardError for invalid outputs or settings."""
        super(PafDecoder, self).__init__(card)
        self.outputs = parse_outputs(card)
        self._table = LimbTable.make(self.outputs.limbs, self.outputs.axis_order, card.topology)
        self._finder: Optional[PeakFinder] = None
        self._scorer = LimbScorer(self._table)

    def check_outputs(self, outputs: Dict[str, np.ndarray]) -> None:
        """See Decoder.check_outputs."""
        where, spec = 'model card {!r}'.format(self.card.name), self.outputs
        size = (self.card.input.height // spec.stride, self.card.input.width // spec.stride)
        highest = (max(spec.heat_channels + spec.background),
                   max(limb[2] for limb in spec.limbs) + 1)
        for tensor, channel in [pair for stage in ((spec.heat_tensor, spec.paf_tensor),)
                                + spec.stages for pair in zip(stage, highest)]:
            shape = require_output(outputs, tensor, where).shape
            if len(shape) != 3 or shape[0] <= channel or shape[1:] != size:
                raise CardError(
                    '{}: output {!r} should be more than {} x {} x {} per image (stride {}), but '
                    'the network yields {}'.format(where, tensor, channel, size[0], size[1],
                                                   spec.stride, ' x '.join(map(str, shape))))
        channels, rows = outputs[spec.paf_tensor].shape[:2]
        if channels * rows > MOST_ROWS:
            raise CardError('{}: PAFs of {} channels x {} rows are too large for this decoder '
                            '(at most {} rows in all); choose a smaller input height'.format(
                                where, channels, rows, MOST_ROWS))

    def maps(self, outputs: Dict[str, np.ndarray]) -> Dict[str, np.ndarray]:
        """See Decoder.maps; limbs are named PARENT-CHILD."""
        return self._named(outputs[self.outputs.heat_tensor], outputs[self.outputs.paf_tensor])

    def stage_maps(self, outputs: Dict[str, np.ndarray]) -> List[Dict[str, np.ndarray]]:
        """See Decoder.stage_maps."""
        return [self._named(outputs[heat], outputs[paf]) for heat, paf in self.outputs.stages]

    def _named(self, heatmaps, fields):
        names, spec = self.card.topology.keypoint_names, self.outputs
        maps = dict(zip(names, self._heatmaps(heatmaps)))
        for parent, child, first in spec.limbs:
            field = fields[first:first + 2]
            maps['{}-{}'.format(names[parent], names[child])] = \
                field if spec.axis_order == 'xy' else field[::-1]
        return maps

    def decode(self, outputs: Dict[str, np.ndarray]) -> Found:
        """See Decoder.decode."""
        settings = self._settings
        heatmaps = self._heatmaps(outputs[self.outputs.heat_tensor])
        if self._finder is None or self._finder.shape != heatmaps.shape:
            self._finder = PeakFinder(heatmaps.shape)
        peaks = self._finder.find(heatmaps, settings['blur_sigma'], settings['peak_threshold'],
                                  settings['peak_radius'])
        limbs = self._scorer.score(peaks, outputs[self.outputs.paf_tensor], settings)
        members, scores = assemble(limbs, peaks.scores, self._table, self.card.topology.size)
        return make_found(self._keypoints(peaks, members), scores)

    def _heatmaps(self, maps):
        channels = self.outputs.heat_channels
        if channels == tuple(range(channels[0], channels[0] + len(channels))):
            return maps[channels[0]:channels[0] + len(channels)]
        return maps[list(channels)]

    def _keypoints(self, peaks, members):
        """Return keypoints of (P, K) peak numbers; cell g is at pixel (g + 0.5) stride - 0.5."""
        keypoints = np.zeros(members.shape + (3,), np.float32)
        found = members >= 0
        chosen, stride = members[found], self.outputs.stride
        keypoints[found, 0] = (peaks.x[chosen] + 0.5) * stride - 0.5
        keypoints[found, 1] = (peaks.y[chosen] + 0.5) * stride - 0.5
        keypoints[found, 2] = peaks.scores[chosen]
        return keypoints
