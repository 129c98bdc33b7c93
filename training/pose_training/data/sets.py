# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""The configuration of datasets, and reading all datasets of a run."""
from typing import Annotated, Dict, List, NamedTuple, Sequence, Tuple

import numpy as np

from pose_ros.core.topology import Topology
from pose_training.data.annotations import read_dataset, Sample
from pose_training.data.backgrounds import with_masks


class SetConfig(NamedTuple):
    """One dataset."""

    path: Annotated[str, 'COCO keypoint file, or a folder of images without people']
    weight: Annotated[float, 'share of the crops, relative to the other sets'] = 1.
    all_people_annotated: Annotated[bool, 'every person in the images has an annotation'] = True
    all_visible_keypoints_annotated: Annotated[
        bool, 'unlabelled keypoints are invisible; if false, unknown'] = False
    images: Annotated[str, 'folder of the images (default: that of the file)'] = ''
    names: Annotated[Dict[str, str], 'keypoint names of the file: those of the topology'] = {}
    split: Annotated[Tuple[float, float], 'range [from, to) of the images, 0 to 1, by a hash of '
                     'their file names'] = (0., 1.)
    empty_weight: Annotated[float, 'how often an image without people is drawn, relative to one '
                            'with people'] = 1.
    stretch: Annotated[float, 'up to this logarithm the aspect of the images may be wrong'] = 0.
    min_score: Annotated[float, 'annotations with a lower `score` are regions to ignore'] = 0.
    masks: Annotated[str, 'folder of masks, white where the people are, by the names of the '
                     'images: see data.person.backgrounds'] = ''


def read_sets(entries: Sequence[SetConfig], topology: Topology,
              family=None) -> Tuple[List[Sample], np.ndarray]:
    """Return all samples, and their relative frequencies: the weight of a set is its share.

    Sets of weight 0 are not read. With a `family` only samples that it can use are returned.
    Raises DataError as `read_dataset`.
    """
    samples: List[Sample] = []
    shares = [np.zeros(0)]
    for entry in entries:
        if entry.weight > 0:
            found = read_dataset(topology=topology,
                                 **_without(entry._asdict(), 'weight', 'empty_weight', 'masks'))
            found = with_masks(found, entry.masks) if entry.masks else found
            if family is not None:
                found = [sample for sample in found if family.usable(sample)]
            samples += found
            often = np.array([_share(sample, family) or entry.empty_weight for sample in found])
            if not often.any():  # a folder of images without people
                often[:] = 1
            shares.append(entry.weight * often / max(often.sum(), 1e-9))
    return samples, np.concatenate(shares)


def _share(sample, family):
    return float(len(sample.people) > 0) if family is None else family.share(sample)


def _without(values, *keys):
    return {name: value for name, value in values.items() if name not in keys}
