# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest

from pose_ros.core.assignment import assign


def total(gains, pairs):
    rows, columns = pairs
    assert len(set(rows.tolist())) == len(rows) and len(set(columns.tolist())) == len(columns)
    assert (gains[rows, columns] > 0).all()
    return gains[rows, columns].sum()


def test_equals_scipy_for_any_shape_and_density():
    optimize = pytest.importorskip('scipy.optimize')
    random = np.random.RandomState(0)
    for _ in range(500):
        shape = random.randint(1, 13, 2)
        gains = random.rand(*shape) * (random.rand(*shape) < random.choice([.2, .5, 1]))
        expected = gains[optimize.linear_sum_assignment(-gains)].sum()
        assert total(gains, assign(gains)) == pytest.approx(expected)


def test_takes_the_best_sum_not_the_best_pair():
    rows, columns = assign(np.array([[.9, .8], [.8, .1]]))
    assert list(zip(rows, columns)) == [(0, 1), (1, 0)]


def test_equal_gains_of_100_make_100_pairs():
    gains = np.full((100, 120), 0.5)
    assert total(gains, assign(gains)) == 50
    assert total(gains.T, assign(gains.T)) == 50


@pytest.mark.parametrize('shape', [(0, 0), (0, 3), (3, 0), (2, 3)])
def test_without_gains_there_is_no_pair(shape):
    rows, columns = assign(np.zeros(shape))
    assert len(rows) == len(columns) == 0
