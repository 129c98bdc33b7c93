# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Logistic models of pairs of keypoints: whether two detections are of one person.

After DeeperCut (Insafutdinov et al., arXiv:1605.03170), which published the models, and not how
they are trained.
"""
from typing import NamedTuple

import numpy as np

_RIDGE = 1e-5   # on the weights of scaled features
_LEAST_SPAN = 1e-3


class PairModel(NamedTuple):
    """Ranges (8,) and weights (9,) of a model, and how it does on the pairs that it has seen.

    `accuracy` is the mean of the shares of both classes that are on the right side.
    """

    low: np.ndarray
    high: np.ndarray
    weights: np.ndarray
    accuracy: float


def fit_model(features: np.ndarray, together: np.ndarray) -> PairModel:
    """Fit a model to features (n, 8) of pairs, some `together` (n,) bool and some not.

    Both classes weigh the same, so that P = .5 does not depend on how many people an image has.
    """
    from scipy.optimize import minimize
    low = features.min(0)
    high = np.maximum(features.max(0), low + _LEAST_SPAN)
    scaled = np.column_stack([(features - low) / (high - low), np.ones(len(features))])
    signs = np.where(together, 1., -1.)
    share = np.where(together, .5 / together.sum(), .5 / (~together).sum())

    def loss(weights):
        margins = signs * (scaled @ weights)
        slopes = -share * signs / (1 + np.exp(np.clip(margins, -50, 50)))
        return ((share * np.logaddexp(0, -margins)).sum() + _RIDGE * (weights[:-1] ** 2).sum(),
                slopes @ scaled + 2 * _RIDGE * np.append(weights[:-1], 0.))

    weights = minimize(loss, np.zeros(scaled.shape[1]), jac=True, method='L-BFGS-B').x
    right = signs * (scaled @ weights) > 0
    accuracy = (right[together].mean() + right[~together].mean()) / 2
    return PairModel(low, high, weights, float(accuracy))
