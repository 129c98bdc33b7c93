# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""MATLAB files of pairwise terms: DeeperCut's statistics, and its logistic spatial models."""
import glob
import os
import re
from typing import Any, Sequence, Tuple

import numpy as np

from pose_training.errors import DataError, NetworkError, WeightsError
from pose_training.mat_file import read_mat
from pose_training.models.pair_tables import FEATURES, ordered, PairTables

STATISTICS = 'pairwise_stats.mat'
_MODEL = re.compile(r'spatial_model_cidx_(\d+)_(\d+)\.mat')


def read_tables(folder: str, keypoints: int, scale: float = 1.,
                needed: Sequence[Any] = ()) -> Tuple[PairTables, np.ndarray]:
    """Return the tables of a folder, and of each ordered pair its row in the statistics' graph.

    `scale` is that of the images, on which pixels of the statistics depend; `needed` are pairs
    [a, b] that must have a model. WeightsError names the file and the fault.
    """
    try:
        tables, rows = PairTables(keypoints), read_statistics(
            os.path.join(folder, STATISTICS), keypoints)
        tables.set_statistics(*(scale * table for table in rows[1:]))
        found = sorted(glob.glob(os.path.join(glob.escape(folder), 'spatial_model_cidx_*.mat')))
        known = {_add_model(tables, path, keypoints) for path in found}
    except (DataError, NetworkError) as error:
        raise WeightsError('{}: {}'.format(folder, error)) from error
    missing = [pair for pair in needed if tuple(sorted(pair)) not in known]
    if missing or not known:
        raise WeightsError('{} has no spatial model of the keypoints {}: spatial_model_cidx_A_B'
                           '.mat, counted from 1'.format(folder, missing[0] if missing
                                                         else 'of any pair'))
    return tables, rows[0]


def read_statistics(path: str, keypoints: int) -> Tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return row in the file, mean and deviation (K (K - 1), 2) [px] of each ordered pair."""
    data = read_mat(path, 'graph', 'means', 'std_devs')
    count = keypoints * (keypoints - 1)
    try:
        graph, means, deviations = (np.array(data[name], float).reshape(-1, 2)
                                    for name in ('graph', 'means', 'std_devs'))
    except (KeyError, ValueError, TypeError) as error:
        raise DataError('{} lacks graph, means or std_devs, numbers in two columns ({})'.format(
            path, error)) from error
    ends = graph.astype(int) - int(graph.size and graph.min() >= 1)  # counted from 0 or 1
    if not len(graph) == len(means) == len(deviations) == count or ends.min() < 0 \
            or ends.max() >= keypoints or len(set(map(tuple, ends.tolist()))) != count:
        raise DataError('{} is not of {} keypoints: its graph must have the {} ordered pairs of '
                        'them'.format(path, keypoints, count))
    rows = np.zeros(count, int)
    for row, (first, second) in enumerate(ends.tolist()):
        rows[ordered(first, second, keypoints)] = row
    return rows, means[rows], deviations[rows]


def _add_model(tables, path, keypoints):
    """Add the model of a file; return its pair."""
    match = _MODEL.fullmatch(os.path.basename(path))
    first, second = (int(end) - 1 for end in match.groups()) if match else (0, 0)
    if not 0 <= first < second < keypoints:
        raise DataError('{} is not of two of {} keypoints A < B, counted from 1'.format(
            path, keypoints))
    model = read_mat(path, 'spatial_model').get('spatial_model')
    try:
        options, weights = model.training_opts, np.ravel(model.log_reg.w)
        low, high = (np.ravel(getattr(options, name)) for name in ('X_min', 'X_max'))
        tables.set_model(first, second, low[:FEATURES], high[:FEATURES], weights.astype(float))
    except (AttributeError, TypeError, ValueError, NetworkError) as error:
        raise DataError('{} is no spatial model with training_opts.X_min, X_max and '
                        'log_reg.w: {}'.format(path, error)) from error
    return first, second
