# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""DeeperCut and ArtTrack: score maps, refinement and pairwise terms to several people.

After Insafutdinov et al., arXiv:1605.03170 and arXiv:1612.01465. Detections are the nodes of a
graph; a logistic model gives the probability that two of them belong to one person.
"""
from typing import Dict, NamedTuple, Tuple

import numpy as np

from pose_ros.core.decoders.decoder import Decoder, make_found
from pose_ros.core.decoders.multicut import partition
from pose_ros.core.decoders.outputs import output_name
from pose_ros.core.decoders.part_locref import PartMaps
from pose_ros.core.errors import CardError
from pose_ros.core.parameters import Parameter

_FEATURES = 8  # and the constant
_SAME_SLOPE, _SAME_OFFSET = 0.2, 7.5  # of one keypoint: P = 1 / (1 + exp(slope d - offset)), d px
_SURE = 1e-7


class PairModel(NamedTuple):
    """The logistic model of two keypoints: weights of 8 scaled features and a constant."""

    low: np.ndarray
    high: np.ndarray
    weights: np.ndarray


class Detections(NamedTuple):
    """n detections: keypoint, pixel of the cell, refined place, probability, map cell."""

    keypoint: np.ndarray
    cell: np.ndarray
    place: np.ndarray
    score: np.ndarray
    row: np.ndarray
    column: np.ndarray


class PartPairwiseDecoder(Decoder):
    """Several people from part detectors.

    `outputs` of the card: those of part_locref, and `pairwise`, the tensor of offsets from
    keypoint a to b: maps 2p and 2p + 1 (dx, dy) with p = (K - 1) a + b - [a < b]; `pairwise_mean`
    and `pairwise_std` (K (K - 1), 2) px per p; `pairs`, objects with `keypoints` [a, b], a < b,
    `low` and `high` (8 numbers each) and `weights` (9): the logistic models.
    """

    PARAMETERS = (
        Parameter('min_probability', 0.2, 'Cells of a lower probability are no detections', 0.01,
                  1.0, dynamic=True),
        Parameter('nms_radius', 5, 'Of detections of one keypoint within this radius the best is '
                  'kept', 0, 50, unit='map cells', dynamic=True),
        Parameter('max_detections', 300, 'Keep only this many detections, best first', 1, 1000,
                  dynamic=True),
    )

    def __init__(self, card):
        """Read the outputs of the card; CardError if they are invalid."""
        super(PartPairwiseDecoder, self).__init__(card)
        self._maps = PartMaps(card, ('pairwise', 'pairwise_mean', 'pairwise_std', 'pairs'))
        outputs, size = card.decoder.outputs, card.topology.size
        where = self._maps.where + ', outputs'
        self._size, self._tensor = size, output_name(outputs, 'pairwise', where)
        self._mean, self._std = (_table(outputs, key, (size * (size - 1), 2), where)
                                 for key in ('pairwise_mean', 'pairwise_std'))
        models = _models(outputs['pairs'], size, where)
        self._model_of = np.full((size, size), -1)  # of a pair of keypoints, the smaller first
        for number, (first, second) in enumerate(models):
            self._model_of[first, second] = number
        low, high, self._weights = (np.array([model[k] for model in models.values()]).reshape(
            -1, width) for k, width in enumerate((_FEATURES, _FEATURES, _FEATURES + 1)))
        self._low, self._span = low, np.maximum(high - low, 1e-12)

    def check_outputs(self, outputs):
        """See Decoder.check_outputs."""
        scores = self._maps.check(outputs)
        self._maps.check_size(outputs, self._tensor, 2 * self._size * (self._size - 1), scores)

    def maps(self, outputs):
        """See Decoder.maps."""
        return self._maps.by_keypoint(outputs, self.card.topology)

    def decode(self, outputs):
        """See Decoder.decode; the score of a person is the mean of its keypoints' scores."""
        found = self.detections(outputs)
        if not len(found.score):
            return make_found(np.zeros((0, self._size, 3)), [])
        probability, joined = self._probabilities(outputs, found)
        labels = partition(_cost(found.score), np.where(joined, _cost(probability), 0.0), joined)
        people = np.array([_person(found, labels == label, self._size)
                           for label in range(labels.max() + 1)]).reshape(-1, self._size, 3)
        counts = np.maximum((people[..., 2] > 0).sum(1), 1)
        return make_found(people, people[..., 2].sum(1) / counts)

    def detections(self, outputs) -> Detections:
        """Return the best cells of the score maps of one region, best first."""
        maps = self._maps.probabilities(outputs)
        keypoints, rows, columns = np.nonzero(maps >= self._settings['min_probability'])
        scores = maps[keypoints, rows, columns].astype(np.float64)
        order = np.argsort(-scores, kind='stable')
        kept = _distinct(keypoints[order], rows[order], columns[order],
                         self._settings['nms_radius'], self._settings['max_detections'])
        chosen = order[kept]
        keypoints, rows, columns = keypoints[chosen], rows[chosen], columns[chosen]
        cells = self._maps.cells(rows, columns)
        refined = cells + self._maps.refinements(outputs, keypoints, rows, columns)
        return Detections(keypoints, cells, refined, scores[chosen], rows, columns)

    def _probabilities(self, outputs, found):
        """Return (n, n) whether two detections are of one person, and if there is an edge."""
        count = len(found.score)
        probability, joined = np.full((count, count), .5), np.zeros((count, count), bool)
        apart = np.linalg.norm(found.place[:, None] - found.place[None], axis=2)
        same = found.keypoint[:, None] == found.keypoint[None]
        probability[same] = 1 / (1 + np.exp(np.minimum(
            _SAME_SLOPE * apart[same] - _SAME_OFFSET, 500)))
        joined[same] = True
        model = self._model_of[found.keypoint[:, None], found.keypoint[None]]
        one, other = np.nonzero(model >= 0)
        values = self._pairs(outputs, found, one, other, model[one, other])
        probability[one, other] = probability[other, one] = values
        joined[one, other] = joined[other, one] = True
        np.fill_diagonal(joined, False)
        return probability, joined

    def _pairs(self, outputs, found, one, other, model):
        """Return the probabilities (m,) that detections `one` and `other` are of one person."""
        features = self.features(outputs, found, one, other)
        low, span, weights = (table[model] for table in (self._low, self._span, self._weights))
        logits = ((features - low) / span * weights[:, :-1]).sum(-1) + weights[:, -1]
        return 1 / (1 + np.exp(-np.clip(logits, -50, 50)))

    def features(self, outputs, found: Detections, one, other) -> np.ndarray:
        """Return what the logistic models take, (m, 8), of detections `one` and `other` (m,).

        Distances [px] and angles between real and predicted vectors, both ways, and exp(-x) of
        the four. The keypoints of `one` come before those of `other`.
        """
        fields = outputs[self._tensor][:, found.row, found.column]
        raw = np.stack(self._apart(fields, found, one, other)
                       + self._apart(fields, found, other, one), -1)
        return np.concatenate([raw, np.exp(-raw)], -1)

    def _apart(self, fields, found, one, other):
        """Return the distance and the angle (m,) between real and predicted offsets."""
        first, second = found.keypoint[one], found.keypoint[other]
        pair = (self._size - 1) * first + second - (first < second)
        predicted = np.stack([fields[2 * pair, one], fields[2 * pair + 1, one]], -1)
        predicted = predicted * self._std[pair] + self._mean[pair]
        real = found.place[other] - found.cell[one]
        turn = np.arctan2(real[:, 1], real[:, 0]) - np.arctan2(predicted[:, 1], predicted[:, 0])
        return [np.hypot(*(real - predicted).T), np.abs((turn + np.pi) % (2 * np.pi) - np.pi)]


def _distinct(keypoints, rows, columns, radius, most):
    """Return the indices, best first, without those within the radius of a better one."""
    kept = []
    free = np.ones(len(keypoints), bool)
    for index in range(len(keypoints)):
        if not free[index]:
            continue
        kept.append(index)
        if len(kept) == most:
            break
        near = (rows - rows[index]) ** 2 + (columns - columns[index]) ** 2 <= radius ** 2
        free &= ~(near & (keypoints == keypoints[index]))
    return np.array(kept, int)


def _person(found, members, size):
    """Return keypoints (K, 3): means of the places, weighted by probability, and best scores."""
    result = np.zeros((size, 3))
    for keypoint in np.unique(found.keypoint[members]):
        chosen = members & (found.keypoint == keypoint)
        weights = found.score[chosen]
        result[keypoint, :2] = weights @ found.place[chosen] / weights.sum()
        result[keypoint, 2] = weights.max()
    return result


def _cost(probability):
    limited = np.clip(probability, _SURE, 1 - _SURE)
    return np.log((1 - limited) / limited)


def _table(outputs, key, shape, where):
    try:
        table = np.array(outputs[key], np.float64)
    except (TypeError, ValueError):
        table = np.zeros(0)
    if table.shape != shape or not np.isfinite(table).all():
        raise CardError('{}: {!r} must be {} numbers'.format(
            where, key, ' x '.join(map(str, shape))))
    return table


def _models(pairs, size, where) -> Dict[Tuple[int, int], PairModel]:
    models = {}
    if not isinstance(pairs, (list, tuple)):
        raise CardError("{}: 'pairs' must be a list".format(where))
    for pair in pairs:
        ends = pair.get('keypoints') if isinstance(pair, dict) else None
        if not isinstance(ends, (list, tuple)) or len(ends) != 2 or not all(
                type(end) is int for end in ends) or not 0 <= ends[0] < ends[1] < size:
            raise CardError("{}: each of 'pairs' needs 'keypoints' [a, b] with a < b < {}".format(
                where, size))
        models[tuple(ends)] = PairModel(*(
            _table(pair, key, (count,), '{}, pair {}'.format(where, list(ends)))
            for key, count in (('low', _FEATURES), ('high', _FEATURES),
                               ('weights', _FEATURES + 1)) if key in pair or _missing(key, where)))
    return models


def _missing(key, where):
    raise CardError("{}: each of 'pairs' needs {!r}".format(where, key))
