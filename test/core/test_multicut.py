# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""The multicut against all partitions of small graphs, and its invariants."""
import itertools

import numpy as np
import pytest

from pose_ros.core.decoders.multicut import objective, partition, SUPPRESSED


def cost(probability):
    return np.log((1 - np.asarray(probability, float)) / probability)


def full(count):
    return ~np.eye(count, dtype=bool)


def all_labels(count):
    """Yield every partition of `count` nodes, with suppression, once."""
    for labels in itertools.product(range(-1, count), repeat=count):
        used = [label for label in labels if label >= 0]
        first_seen = list(dict.fromkeys(used))
        if first_seen == sorted(first_seen) == list(range(len(first_seen))):
            yield np.array(labels)


def random_graph(seed, count=5):
    random = np.random.RandomState(seed)
    costs = np.triu(random.normal(size=(count, count)), 1)
    return random.normal(size=count), costs + costs.T


@pytest.mark.parametrize('seed', range(12))
def test_no_partition_of_a_small_graph_is_much_better(seed):
    unary, costs = random_graph(seed)
    best = min(objective(labels, unary, costs) for labels in all_labels(len(unary)))
    found = objective(partition(unary, costs, full(len(unary))), unary, costs)
    assert best - 1e-9 <= found <= .85 * best  # a local optimum, and mostly the best


def test_most_small_graphs_are_solved_exactly():
    exact = 0
    for seed in range(40):
        unary, costs = random_graph(seed)
        best = min(objective(labels, unary, costs) for labels in all_labels(len(unary)))
        found = objective(partition(unary, costs, full(len(unary))), unary, costs)
        exact += found < best + 1e-9
    assert exact >= 36


def test_single_detections():
    assert partition(cost([.9]), np.zeros((1, 1)), full(1)).tolist() == [0]
    assert partition(cost([.3]), np.zeros((1, 1)), full(1)).tolist() == [SUPPRESSED]
    assert partition(np.zeros(0), np.zeros((0, 0)), full(0)).tolist() == []


def test_a_weak_detection_survives_with_a_strong_friend():
    costs = np.array([[0, -2.], [-2, 0]])
    assert partition(cost([.9, .3]), costs, full(2)).tolist() == [0, 0]
    assert partition(cost([.9, .3]), -costs, full(2)).tolist() == [0, SUPPRESSED]


def test_a_person_far_away_changes_nothing():
    unary, costs = random_graph(3, 6)
    alone = partition(unary, costs, full(6))
    wide = np.full((9, 9), 20.)
    wide[:6, :6] = costs
    wide[6:, 6:] = -1 + np.eye(3)
    both = partition(np.append(unary, [-1] * 3), wide, full(9))
    kept = alone != SUPPRESSED
    assert (both[:6] != SUPPRESSED).tolist() == kept.tolist()
    same = (alone[:, None] == alone[None])[kept][:, kept]
    assert ((both[:6, None] == both[None, :6])[kept][:, kept] == same).all()
    assert len(set(both[6:])) == 1 and both[6] not in both[:6]


def test_clusters_are_connected_by_edges():
    """Two pairs have no edge between them: their cost of 0 must not join them."""
    joined = np.zeros((4, 4), bool)
    joined[0, 1] = joined[1, 0] = joined[2, 3] = joined[3, 2] = True
    labels = partition(cost([.9] * 4), np.where(joined, -3., 0), joined)
    assert labels.tolist() == [0, 0, 1, 1]
