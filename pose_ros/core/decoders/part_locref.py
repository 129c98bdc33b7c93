# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""DeeperCut and DeepLabCut: score maps and location refinement to one person or animal."""
from typing import Dict

import numpy as np

from pose_ros.core.card import require_keys
from pose_ros.core.decoders.decoder import Decoder, make_found, require_output
from pose_ros.core.decoders.outputs import (keypoint_channels, one_of, output_name,
                                            shape_text)
from pose_ros.core.errors import CardError
from pose_ros.core.parameters import Parameter
from pose_ros.core.quoting import quoted

SCORES = ('probability', 'logit')


_KEYS = ('scores', 'score_kind', 'offsets', 'offset_scale', 'stride', 'channels')


class PartMaps:
    """Score maps and refinements: the `outputs` that decoders of part detectors share."""

    def __init__(self, card, further=()):
        """Check the outputs of the card; `further` are keys of the decoder itself."""
        self.where = 'model card {!r}'.format(card.name)
        where, outputs = self.where + ', outputs', card.decoder.outputs
        require_keys(outputs, _KEYS + tuple(further), where)
        self._scores = output_name(outputs, 'scores', where)
        self._offsets = outputs['offsets'] and output_name(outputs, 'offsets', where)
        self._logits = one_of(outputs, 'score_kind', SCORES, where) == 'logit'
        self._channels = np.array(keypoint_channels(outputs, card.topology.size, where))
        for key, most in (('offset_scale', 1000), ('stride', 256)):
            if type(outputs[key]) not in (int, float) or not 0 < outputs[key] <= most:
                raise CardError('{}: {!r} must be a number above 0, at most {}, not {}'.format(
                    where, key, most, quoted(outputs[key])))
        self._scale, self._stride = float(outputs['offset_scale']), float(outputs['stride'])

    def check(self, outputs) -> np.ndarray:
        """Return the score maps; CardError if the outputs of one region contradict the card."""
        least = int(self._channels.max()) + 1
        scores = require_output(outputs, self._scores, self.where)
        if scores.ndim != 3 or scores.shape[0] < least:
            raise CardError('{}: output {!r} should be at least {} maps, but the network yields '
                            '{}'.format(self.where, self._scores, least, shape_text(scores)))
        if self._offsets:
            self.check_size(outputs, self._offsets, 2 * least, scores)
        return scores

    def check_size(self, outputs, name: str, least: int, scores: np.ndarray) -> None:
        """Raise CardError unless an output is at least `least` maps of the size of the scores."""
        maps = require_output(outputs, name, self.where)
        if maps.ndim != 3 or maps.shape[1:] != scores.shape[1:] or maps.shape[0] < least:
            raise CardError('{}: output {!r} should be at least {} maps of the size of {!r}, but '
                            'the network yields {}'.format(self.where, name, least, self._scores,
                                                           shape_text(maps)))

    def probabilities(self, outputs) -> np.ndarray:
        """Return the score maps (K, h, w) of the keypoints as probabilities."""
        maps = outputs[self._scores][self._channels]
        return 1 / (1 + np.exp(-np.clip(maps, -50, 50))) if self._logits else np.clip(maps, 0, 1)

    def by_keypoint(self, outputs, topology) -> Dict[str, np.ndarray]:
        """Return the probabilities (h, w) by the names of the keypoints."""
        return dict(zip(topology.keypoint_names, self.probabilities(outputs)))

    def cells(self, rows, columns) -> np.ndarray:
        """Return the input pixels (n, 2) that cells show."""
        return np.column_stack([columns, rows]) * self._stride + self._stride / 2

    def refinements(self, outputs, keypoints, rows, columns) -> np.ndarray:
        """Return by how much (n, 2) px keypoints lie beside the pixels of their cells."""
        if not self._offsets:
            return np.zeros((len(rows), 2))
        first = 2 * self._channels[keypoints]
        return self._scale * np.column_stack([outputs[self._offsets][first + axis, rows, columns]
                                              for axis in (0, 1)])


class PartLocrefDecoder(Decoder):
    """The highest cell of each score map, moved by the refinement of that cell.

    `outputs` of the card: `scores` names the tensor of score maps, which hold a `score_kind`
    (probability or logit), and `offsets` that of (dx, dy) per channel, or null. A cell (x, y)
    shows the input pixel stride x + stride / 2, and offsets are in units of `offset_scale` px
    (7.2801 in DeeperCut, arXiv:1605.03170). `channels[k]` is the score map of keypoint k.
    """

    PARAMETERS = (
        Parameter('keypoint_threshold', 0.1, 'Keypoints with a lower score are missing', 0.0, 1.0,
                  dynamic=True),
    )

    def __init__(self, card):
        """Read the outputs of the card; CardError if they are invalid."""
        super(PartLocrefDecoder, self).__init__(card)
        self._maps = PartMaps(card)

    def check_outputs(self, outputs):
        """See Decoder.check_outputs."""
        self._maps.check(outputs)

    def maps(self, outputs):
        """See Decoder.maps."""
        return self._maps.by_keypoint(outputs, self.card.topology)

    def decode(self, outputs):
        """See Decoder.decode; one person, with the mean score of its keypoints."""
        maps = self._maps.probabilities(outputs)
        order = np.arange(len(maps))
        rows, columns = np.divmod(maps.reshape(len(maps), -1).argmax(1), maps.shape[2])
        scores = maps[order, rows, columns].astype(np.float64)
        places = self._maps.cells(rows, columns) + self._maps.refinements(outputs, order, rows,
                                                                          columns)
        keypoints = np.column_stack([places, scores])
        keypoints[scores < max(self._settings['keypoint_threshold'], 1e-6)] = 0
        found = keypoints[:, 2] > 0
        return make_found(keypoints[None], [keypoints[found, 2].mean() if found.any() else 0.0])
