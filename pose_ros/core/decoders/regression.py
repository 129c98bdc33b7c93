# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Coordinates of one person, hand or face: MoveNet lightning, BlazePose, landmark networks."""
import numpy as np

from pose_ros.core.card import require_keys
from pose_ros.core.decoders.decoder import Decoder, make_found, require_output
from pose_ros.core.decoders.outputs import (keypoint_channels, one_of, output_name,
                                            shape_text)
from pose_ros.core.decoders.people_list import sigmoid
from pose_ros.core.errors import CardError
from pose_ros.core.parameters import Parameter

UNITS = ('pixels', 'fractions')
SCORES = ('probability', 'logit')
COLUMNS = ('x', 'y', 'score', 'unused')


class RegressionDecoder(Decoder):
    """Keypoints as numbers.

    `outputs` of the card: `tensor`, read as rows of `columns` ("x", "y", "score", "unused");
    `channels[k]`, the row of keypoint k, or null if the network lacks it; `unit` of x and y,
    pixels or fractions of the input, 0 at its left or top edge; `presence`, the name of the tensor
    with the score of the whole, or null; `scores`: both kinds of scores are a probability or a
    logit. Keypoints without a column of scores get that of the whole.
    """

    PARAMETERS = (
        Parameter('keypoint_threshold', 0.2, 'Keypoints with a lower score are missing', 0.0, 1.0,
                  dynamic=True),
        Parameter('min_presence', 0.5, 'Nothing is found if the score of the whole is lower',
                  0.0, 1.0, dynamic=True),
    )

    def __init__(self, card):
        """Read the outputs of the card; CardError if they are invalid."""
        super(RegressionDecoder, self).__init__(card)
        where, outputs = 'model card {!r}, outputs'.format(card.name), card.decoder.outputs
        require_keys(outputs, ('tensor', 'columns', 'channels', 'unit', 'scores', 'presence'),
                     where)
        self._tensor = output_name(outputs, 'tensor', where)
        self._presence = outputs['presence'] and output_name(outputs, 'presence', where)
        self._channels = np.array(keypoint_channels(outputs, card.topology.size, where,
                                                    absent=True))
        self._fractions = one_of(outputs, 'unit', UNITS, where) == 'fractions'
        self._logits = one_of(outputs, 'scores', SCORES, where) == 'logit'
        self._columns = _columns(outputs['columns'], where)
        if not self._presence and 'score' not in self._columns:
            raise CardError("{}: there is no score: 'columns' has none, and 'presence' is "
                            'null'.format(where))

    def check_outputs(self, outputs):
        """See Decoder.check_outputs."""
        where = 'model card {!r}'.format(self.card.name)
        array, columns = require_output(outputs, self._tensor, where), len(self._columns)
        if array.size % columns or array.size <= max(self._channels) * columns:
            raise CardError('{}: output {!r} should be more than {} rows of {} numbers, but the '
                            'network yields {}'.format(where, self._tensor, max(self._channels),
                                                       columns, shape_text(array)))
        if self._presence and require_output(outputs, self._presence, where).size != 1:
            raise CardError('{}: output {!r} should be one number, but the network yields '
                            '{}'.format(where, self._presence,
                                        shape_text(outputs[self._presence])))

    def decode(self, outputs):
        """See Decoder.decode; one person, or none if its presence is too low."""
        rows = outputs[self._tensor].reshape(-1, len(self._columns))[self._channels]
        places = rows[:, [self._columns.index('x'), self._columns.index('y')]].astype(np.float64)
        if self._fractions:  # edges are half a pixel beside the center of a pixel
            places = places * (self.card.input.width, self.card.input.height) - 0.5
        presence = self._probability(outputs[self._presence].reshape(-1)[0]) \
            if self._presence else 1.0
        scores = self._probability(rows[:, self._columns.index('score')]) \
            if 'score' in self._columns else np.full(len(rows), presence)
        keypoints = np.column_stack([places, scores])
        keypoints[(scores < self._settings['keypoint_threshold']) | (self._channels < 0)] = 0
        found = keypoints[:, 2] > 0
        if self._presence and presence < self._settings['min_presence']:
            return make_found(np.zeros((0, len(rows), 3)), [])
        score = keypoints[found, 2].mean() if found.any() else 0.0
        return make_found(keypoints[None], [score * presence if self._presence else score])

    def agrees(self, expected, found, precision):
        """See Decoder.agrees: clear keypoints within a twentieth of the input."""
        limit = 0.05 * max(self.card.input.width, self.card.input.height)
        for row in range(len(expected[self._tensor])):
            one, other = (self.decode({name: array[row] for name, array in outputs.items()})
                          for outputs in (expected, found))
            if len(one.scores) != len(other.scores):
                return 'something is found by one of both only'
            clear = one.keypoints[..., 2] > 0.5
            apart = np.abs(one.keypoints - other.keypoints)[clear]
            if apart.size and (apart[:, :2].max() > limit or apart[:, 2].max() > 0.3):
                return 'a keypoint is {:.1f} px away, {:.1f} allowed'.format(
                    apart[:, :2].max(), limit)
        return ''

    def _probability(self, values):
        return sigmoid(values) if self._logits else values


def _columns(columns, where):
    valid = isinstance(columns, (list, tuple)) and all(word in COLUMNS for word in columns) and \
        all(columns.count(word) == 1 for word in ('x', 'y')) and columns.count('score') <= 1
    if not valid:
        raise CardError("{}: 'columns' must be a list of {} with one x and one y".format(
            where, ', '.join(COLUMNS)))
    return list(columns)
