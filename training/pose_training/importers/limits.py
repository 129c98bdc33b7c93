# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Limits on what a weight file may make an importer do, before anything is made.

A small file can describe much: names without end, one block many times, a constant of one number.
The amounts are added up first, and compared with the size of the file and of the network.
"""
import math
import os
from functools import lru_cache
from typing import Sequence

import torch

from pose_ros.core.reading import LARGEST_EXTERNAL, open_regular
from pose_training.errors import WeightsError
from pose_training.models.registry import create_model, NetworkSpec

LONGEST_NAME = 256  # characters of a layer or variable; the longest published one has 81
MOST_AXES = 8
MOST_NAMES = 1 << 16


class Budget:
    """An amount that a file may use up; WeightsError, which begins with `where`, beyond it."""

    def __init__(self, most: int, where: str, what: str):
        self._left, self._text = most, '{} {}; it is damaged or malicious'.format(where, what)

    def spend(self, amount: int) -> None:
        """Use up an amount."""
        self._left -= amount
        if self._left < 0:
            raise WeightsError(self._text)


def checked_name(name: object, where: str) -> str:
    """Return the name of a layer or variable; WeightsError if it is no short printable text."""
    if not isinstance(name, str) or len(name) > LONGEST_NAME or not name.isprintable():
        raise WeightsError('{} names a layer {!a}, which is no name: at most {} printable '
                           'characters'.format(where, name if not isinstance(name, str)
                                               else name[:40], LONGEST_NAME))
    return name


def elements(shape: Sequence[int], most: int) -> int:
    """Return the number of elements of a shape, or -1 if it is impossible or above `most`."""
    if len(shape) > MOST_AXES or min(shape, default=0) < 0:
        return -1
    count = math.prod(shape)
    return count if count <= most else -1


@lru_cache(maxsize=None)
def network_elements(name: str) -> int:
    """Return the number of weights and statistics of a network with its default options."""
    with torch.device('meta'):
        return sum(value.numel() for value in create_model(name).state_dict().values())


def most_elements(spec: NetworkSpec) -> int:
    """Return how many numbers a file for this network may hold.

    Twice its size and 8 million more, for layers that are left out, such as those of a classifier,
    for averages of all weights, and for options that make it larger.
    """
    return 2 * network_elements(spec.name) + (1 << 23)


def read_bounded(path: str, most: int, what: str) -> bytes:
    """Return the bytes of a regular file; WeightsError for others, and above `most` bytes."""
    try:
        with open_regular(path, LARGEST_EXTERNAL) as stream:
            size = os.fstat(stream.fileno()).st_size
            if size > most:
                raise WeightsError('{} is no {}: it has {} bytes, and at most {} are read'.format(
                    path, what, size, most))
            return stream.read(size)
    except OSError as error:
        raise WeightsError('cannot read {}: {}'.format(path, error.strerror)) from error
