# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Damaged files: cut short, or with changed bytes."""
import random

from pose_training.errors import WeightsError


def damaged(whole, count):
    """Return every cut of a file's bytes, then `count` copies with one to four bytes changed."""
    chance = random.Random(0)
    files = [whole[:end] for end in range(len(whole))]
    for _ in range(count):
        data = bytearray(whole)
        for _ in range(chance.randint(1, 4)):
            data[chance.randrange(len(data))] = chance.randrange(256)
        files.append(bytes(data))
    return files


def refusals(read, files):
    """Return how many of the files `read` rejects; other errors than WeightsError are raised."""
    refused = 0
    for data in files:
        try:
            read(data)
        except WeightsError:
            refused += 1
    return refused
