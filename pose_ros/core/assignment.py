# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Which rows and columns of a table of gains belong together."""
from typing import Tuple

import numpy as np


def assign(gains: np.ndarray) -> Tuple[np.ndarray, np.ndarray]:
    """Return the pairs (rows, columns) of the largest possible sum of gains (R, C).

    Each row and column is in one pair at most; a gain of 0 makes no pair, and none is negative.
    """
    if not gains.size:
        return np.zeros(0, int), np.zeros(0, int)
    best = gains.argmax(1)
    rows = np.flatnonzero(gains[np.arange(len(gains)), best] > 0)
    columns = best[rows]
    if not len(rows) or np.bincount(columns).max() == 1:
        return rows, columns  # each row has its best column
    wanted = np.flatnonzero(gains.any(0))
    table = gains[np.ix_(rows, wanted)]
    if len(rows) <= len(wanted):
        columns = wanted[_shortest_paths(-table)]
    else:
        rows, columns = rows[_shortest_paths(-table.T)], wanted
    pairs = gains[rows, columns] > 0
    return rows[pairs], columns[pairs]


def _shortest_paths(costs):
    """Return the column of each row, R <= C, that minimize the sum of the costs.

    Shortest augmenting paths: D. F. Crouse, On implementing 2D rectangular assignment algorithms,
    IEEE Transactions on Aerospace and Electronic Systems 52(4), 2016.
    """
    rows, columns = costs.shape
    row_price, column_price = np.zeros(rows), np.zeros(columns)
    column_of, row_of = np.full(rows, -1), np.full(columns, -1)
    for first in range(rows):
        shortest, path = np.full(columns, np.inf), np.full(columns, -1)
        open_columns = np.ones(columns, bool)
        row, length = first, 0.0
        while row >= 0:
            reduced = length + costs[row] - row_price[row] - column_price
            better = open_columns & (reduced < shortest)
            shortest[better], path[better] = reduced[better], row
            column = int(np.where(open_columns, shortest, np.inf).argmin())
            length = shortest[column]
            open_columns[column] = False
            row = row_of[column]
        closed = np.flatnonzero(~open_columns)
        passed = closed[closed != column]
        row_price[first] += length
        row_price[row_of[passed]] += length - shortest[passed]
        column_price[closed] -= length - shortest[closed]
        while row != first:
            row = path[column]
            row_of[column] = row
            column_of[row], column = column, column_of[row]
    return column_of
