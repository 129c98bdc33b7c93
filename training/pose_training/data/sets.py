# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""The datasets of a run, together."""
from typing import Dict, List, NamedTuple, Sequence, Tuple

import numpy as np

from pose_ros.core.topology import Topology
from pose_training.data.annotations import read_dataset, Sample


class SetConfig(NamedTuple):
    """One dataset: a COCO keypoint file, or a folder of photographs with nobody in them."""

    path: str
    weight: float = 1.      # share of the crops, relative to the other sets
    complete: bool = True   # everybody in its photographs has an annotation
    thorough: bool = False  # a joint of theirs without a label is not to be seen; else: who knows
    images: str = ''        # folder that its file names are relative to (default: its own)
    names: Dict[str, str] = {}  # its names of joints: the topology's
    part: Tuple[float, float] = (0., 1.)  # of the photographs, by a hash of their files' names
    empty: float = 1.       # how often a photograph without people is drawn for one with people


def read_sets(entries: Sequence[SetConfig],
              topology: Topology) -> Tuple[List[Sample], np.ndarray]:
    """Return all samples, and how often each is drawn: a set's weight is its share.

    Sets of weight 0 are not read. Raises DataError as `read_dataset`.
    """
    samples: List[Sample] = []
    shares = [np.zeros(0)]
    for entry in entries:
        if entry.weight > 0:
            found = read_dataset(topology=topology, **_without(entry._asdict(), 'weight', 'empty'))
            samples += found
            often = np.array([1. if len(sample.people) else entry.empty for sample in found])
            if not often.any():  # a folder of photographs with nobody in them
                often[:] = 1
            shares.append(entry.weight * often / often.sum())
    return samples, np.concatenate(shares)


def _without(values, *keys):
    return {name: value for name, value in values.items() if name not in keys}
