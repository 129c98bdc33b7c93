# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Partition detections into people: a minimum cost multicut with suppression.

After Insafutdinov et al., ArtTrack, arXiv:1612.01465: greedy additive edge contraction, then local
search. The result is locally optimal.
"""
import numpy as np

SUPPRESSED = -1
_LEAST_GAIN = 1e-9
_MOST_ROUNDS = 50


def partition(unary: np.ndarray, costs: np.ndarray, joined: np.ndarray) -> np.ndarray:
    """Return the cluster of each detection (n,), from 0 on, or SUPPRESSED.

    unary (n,): cost of keeping a detection. costs (n, n): symmetric, cost of two kept detections
    in one cluster, 0 on the diagonal. joined (n, n): whether there is an edge; clusters are
    connected by edges. Costs are log((1 - p) / p) of a probability p, negative above 0.5.
    """
    labels = _contracted(costs)
    for _ in range(_MOST_ROUNDS):
        changed = _move_nodes(labels, unary, costs)
        changed |= _merge_clusters(labels, costs)
        changed |= _suppress_clusters(labels, unary, costs)
        if not changed:
            break
    return _components(labels, joined)


def objective(labels: np.ndarray, unary: np.ndarray, costs: np.ndarray) -> float:
    """Return the cost of a partition: of kept detections, and of pairs in one cluster."""
    kept = labels != SUPPRESSED
    same = (labels[:, None] == labels[None]) & kept[:, None] & kept[None]
    return float(unary[kept].sum() + (costs * same).sum() / 2)


def _contracted(costs):
    """Contract the edge of the largest gain again and again, parallel edges added up."""
    count = len(costs)
    labels = np.arange(count)
    rest = costs.astype(np.float64)
    np.fill_diagonal(rest, np.inf)
    while count:
        first, second = divmod(int(rest.argmin()), count)
        if rest[first, second] >= 0:
            break
        row = rest[first] + rest[second]
        row[[first, second]] = np.inf
        rest[second], rest[:, second] = np.inf, np.inf
        rest[first], rest[:, first] = row, row
        labels[labels == second] = first
    return labels


def _move_nodes(labels, unary, costs):
    """Suppress, separate or move single detections while that lowers the cost."""
    changed, count = False, len(labels)
    for node in range(count):
        own, labels[node] = labels[node], SUPPRESSED
        kept = labels != SUPPRESSED
        into = np.bincount(labels[kept], costs[node, kept], count)
        free = int(np.argmin(np.bincount(labels[kept], minlength=count)))  # an unused label
        options = unary[node] + into
        best = int(options.argmin()) if options.min() < options[free] else free
        now = 0.0 if own == SUPPRESSED else options[own]
        if min(options[best], 0.0) < now - _LEAST_GAIN:
            labels[node] = best if options[best] < 0 else SUPPRESSED
            changed = True
        else:
            labels[node] = own
    return changed


def _merge_clusters(labels, costs):
    """Merge the two clusters of the lowest cost between them, while that is negative."""
    changed = False
    while True:
        clusters = np.unique(labels[labels != SUPPRESSED])
        if len(clusters) < 2:
            break
        members = (labels[:, None] == clusters).astype(np.float64)
        between = members.T @ (costs @ members)
        np.fill_diagonal(between, 0)
        first, second = divmod(int(between.argmin()), len(clusters))
        if between[first, second] >= -_LEAST_GAIN:
            break
        labels[labels == clusters[second]] = clusters[first]
        changed = True
    return changed


def _suppress_clusters(labels, unary, costs):
    changed = False
    for label in np.unique(labels[labels != SUPPRESSED]):
        inside = np.flatnonzero(labels == label)
        if unary[inside].sum() + costs[np.ix_(inside, inside)].sum() / 2 > _LEAST_GAIN:
            labels[inside] = SUPPRESSED
            changed = True
    return changed


def _components(labels, joined):
    """Number the connected parts of the clusters."""
    result, number = np.full(len(labels), SUPPRESSED), 0
    for node in np.flatnonzero(labels != SUPPRESSED):
        if result[node] != SUPPRESSED:
            continue
        same, border = labels == labels[node], np.zeros(len(labels), bool)
        border[node] = True
        reached = border.copy()
        while border.any():
            border = joined[border].any(0) & same & ~reached
            reached |= border
        result[reached] = number
        number += 1
    return result
