# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""What a network of pairwise terms knows of pairs of keypoints: statistics and logistic models.

Both are part of its state, so that checkpoints and exported files have them.
"""
from typing import Any, Dict, List, Mapping

import numpy as np
import torch
from torch import nn, Tensor

from pose_training.errors import NetworkError

FEATURES = 8  # of a logistic model, and a constant; see the decoder part_pairwise
_LOW, _HIGH, _WEIGHTS, _KNOWN = np.cumsum([0, FEATURES, FEATURES, FEATURES + 1])
_COLUMNS = int(_KNOWN) + 1
_DIGITS = 7


def ordered(first: int, second: int, keypoints: int) -> int:
    """Return the number of the ordered pair of two of `keypoints`: (K - 1) a + b - [a < b]."""
    return (keypoints - 1) * first + second - (first < second)


def unordered(keypoints: int) -> List[tuple]:
    """Return all pairs (a, b), a < b, in the order of the rows of `models`."""
    return [(a, b) for a in range(keypoints) for b in range(a + 1, keypoints)]


class PairTables(nn.Module):
    """`mean` and `deviation` (K (K - 1), 2) [px] of the offsets from keypoint a to b.

    `models` (K (K - 1) / 2, 26): low, high, weights of the logistic model, 1 if there is one.
    """

    mean: Tensor
    deviation: Tensor
    models: Tensor

    def __init__(self, keypoints: int):
        super().__init__()
        self.keypoints = keypoints
        pairs = keypoints * (keypoints - 1)
        self.register_buffer('mean', torch.zeros(pairs, 2))
        self.register_buffer('deviation', torch.zeros(pairs, 2))
        self.register_buffer('models', torch.zeros(pairs // 2, _COLUMNS))

    @property
    def measured(self) -> bool:
        """Return whether the statistics are set."""
        return bool((self.deviation > 0).all())

    def set_statistics(self, mean: np.ndarray, deviation: np.ndarray) -> None:
        """Set the statistics (K (K - 1), 2) [px]; NetworkError for other or invalid numbers."""
        if np.shape(mean) != tuple(self.mean.shape) or np.shape(deviation) != np.shape(mean) or \
                not np.isfinite(mean).all() or not np.isfinite(deviation).all() or \
                np.min(deviation, initial=1.) <= 0:
            raise NetworkError('statistics of {} keypoints are {} x 2 numbers, and deviations are '
                               'above 0'.format(self.keypoints, len(self.mean)))
        self.mean.copy_(torch.as_tensor(np.asarray(mean), dtype=torch.float32))
        self.deviation.copy_(torch.as_tensor(np.asarray(deviation), dtype=torch.float32))

    def set_model(self, first: int, second: int, low, high, weights) -> None:
        """Set the logistic model of keypoints first < second; NetworkError for invalid numbers."""
        values = np.concatenate([np.ravel(part) for part in (low, high, weights)] + [[1.]])
        if values.shape != (_COLUMNS,) or not np.isfinite(values).all():
            raise NetworkError('the logistic model of the keypoints {} and {} needs 8 numbers '
                               'low, 8 high and 9 weights'.format(first, second))
        row = unordered(self.keypoints).index((first, second))
        self.models[row] = torch.as_tensor(values, dtype=torch.float32)

    def set_facts(self, facts: Mapping[str, Any]) -> None:
        """Set all from the entries of a model card that its decoder has checked."""
        self.set_statistics(np.array(facts['pairwise_mean'], np.float32).reshape(-1, 2),
                            np.array(facts['pairwise_std'], np.float32).reshape(-1, 2))
        for pair in facts['pairs']:
            self.set_model(*pair['keypoints'], pair['low'], pair['high'], pair['weights'])

    def facts(self) -> Dict[str, Any]:
        """Return the entries of a model card (JSON data)."""
        pairs = [{'keypoints': list(pair), 'low': _numbers(row[_LOW:_HIGH]),
                  'high': _numbers(row[_HIGH:_WEIGHTS]),
                  'weights': _numbers(row[_WEIGHTS:_KNOWN])}
                 for pair, row in zip(unordered(self.keypoints), self.models.tolist())
                 if row[_KNOWN] > 0]
        return {'pairwise_mean': [_numbers(row) for row in self.mean.tolist()],
                'pairwise_std': [_numbers(row) for row in self.deviation.tolist()],
                'pairs': pairs}


def _numbers(values) -> List[float]:
    return [float('{:.{}g}'.format(value, _DIGITS)) for value in values]
