# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Datasets, read into the keypoints of any topology."""
import hashlib
import logging
import os
from typing import List, Mapping, NamedTuple, Optional, Tuple

import numpy as np

from pose_ros.core.convert import convert_people
from pose_ros.core.errors import PoseRosError
from pose_ros.core.people import make_people
from pose_ros.core.topology import Topology, make_topology
from pose_training.data.coco import (box_of, CocoFile, images_in, is_labelled, keypoints_of,
                                     load_coco, present, size_of)
from pose_training.errors import DataError

_LOG = logging.getLogger('pose_training')


class Sample(NamedTuple):
    """One image and its labels.

    `people` (P, K, 3): x, y [px] and the label (0: none, 1: occluded, 2: visible) of each keypoint
    of the topology; `boxes` (P, 4): left, top, width, height [px]; `ignored`: COCO annotations of
    people without keypoint labels of their own (crowds, people without keypoints). `labelled`
    (K,): the keypoints that this dataset labels at all; `all_people_annotated`: every person has
    an annotation; `all_visible_keypoints_annotated`: a keypoint without a label is invisible;
    `no_people`: the image is of a folder of images without people; `confidences` (P, K): those of
    a network that made the labels, NaN of other people, None without any; `stretch`: up to this
    logarithm the aspect of the image may be wrong; `mask`: path of an image that is white where
    the people are, '' without one.
    """

    path: str
    size: Optional[Tuple[int, int]]  # (width, height), None if the labels do not have it
    people: np.ndarray
    boxes: np.ndarray
    ignored: Tuple[dict, ...]
    labelled: np.ndarray
    all_people_annotated: bool = True
    all_visible_keypoints_annotated: bool = False
    no_people: bool = False
    confidences: Optional[np.ndarray] = None
    stretch: float = 0.
    mask: str = ''

    @property
    def identity(self) -> int:
        """A hash of the file's name, independent of its folder."""
        name = os.path.basename(self.path).encode('utf-8', 'surrogateescape')
        return int.from_bytes(hashlib.sha256(name).digest()[:6], 'big')


def read_dataset(path: str, topology: Topology, all_people_annotated: bool = True,
                 images: str = '', names: Optional[Mapping[str, str]] = None,
                 all_visible_keypoints_annotated: bool = False,
                 split: Tuple[float, float] = (0., 1.), stretch: float = 0.,
                 min_score: float = 0.) -> List[Sample]:
    """Read a COCO keypoint file, or a folder of images without people.

    `images` is the folder that file names are relative to (default: the file's own); `names` maps
    the file's keypoint names to the topology's. Annotations of all categories with keypoints of
    the topology are people (see load_coco). `split` selects images by a hash of their file names:
    (0, .9) to train on, and (.9, 1) to validate with. Annotations of a `score` below `min_score`
    become regions to ignore. Images with `is_labeled: false`, such as frames of a video between
    labelled ones, are left out. The other arguments are those of Sample; if the `info` of the file
    has `complete: false`, not all people are annotated. Other categories, keypoints that the
    topology lacks, and missing images are left out, with a warning. Raises DataError, which names
    the file and the entry, for invalid data.
    """
    if os.path.isdir(path):
        return _select(_read_folder(path, topology), split, path)
    file = load_coco(path, topology, images, names)
    _tell_dropped(file, topology)
    samples = [sample for sample, image in zip(read_samples(file, topology, min_score),
                                               file.images) if image.get('is_labeled', True)]
    info = file.data.get('info')
    if isinstance(info, dict) and info.get('complete') is False:
        all_people_annotated = False
    there = set(present([sample.path for sample in samples], path))
    samples = [sample for sample in samples if sample.path in there]
    return [sample._replace(
        all_people_annotated=all_people_annotated and sample.all_people_annotated,
        all_visible_keypoints_annotated=all_visible_keypoints_annotated, stretch=stretch)
        for sample in _select(samples, split, path)]


def _select(samples, split, path):
    """Keep the images whose hashes lie in a range.

    The side of an image does not depend on other images or on the dataset.
    """
    low, high = split
    if not 0 <= low < high <= 1:
        raise DataError('{}: {} is not a split of a dataset; [0, 1] takes all images'.format(
            path, list(split)))
    kept = [sample for sample in samples if low <= sample.identity / 2 ** 48 < high]
    if not kept:
        raise DataError('{}: none of its {} images is in the split {}'.format(
            path, len(samples), list(split)))
    return kept


def _read_folder(folder, topology):
    people = np.zeros((0, topology.size, 3), np.float32)
    return [Sample(path, None, people, np.zeros((0, 4), np.float32), (),
                   np.ones(topology.size, bool), no_people=True)
            for path in images_in(folder)]


def read_samples(file: CocoFile, topology: Topology, min_score: float = 0.) -> List[Sample]:
    """Return a sample per image of a keypoint file; images and people in the file's order."""
    try:
        source = make_topology('dataset', file.keypoint_names, ())
        samples = [_sample(file.path_of(image), image,
                           _certain(file.people.get(image['id'], ()), min_score),
                           (source, topology)) for image in file.images]
    except PoseRosError as error:
        raise DataError('{}: {}; its keypoints are {}'.format(
            file.path, error, ', '.join(file.keypoint_names))) from error
    except (KeyError, TypeError, ValueError) as error:
        raise DataError('{}: an annotation is invalid: {} {}'.format(
            file.path, type(error).__name__, error)) from error
    seen = [sample.people[..., 2].max(0) > 0 for sample in samples if len(sample.people)]
    labelled = np.any(seen, axis=0) if seen else np.ones(topology.size, bool)
    return [sample._replace(labelled=labelled) for sample in samples]


def _tell_dropped(file, topology):
    dropped = [name for name in file.keypoint_names if topology.index(name) is None]
    if topology.size and dropped:
        _LOG.warning('%s: %d of its %d keypoints are not in %s and are left out: %s', file.path,
                     len(dropped), len(file.keypoint_names), topology.name, ', '.join(dropped))


def _sample(path, image, annotations, formats):
    found = [annotation for annotation in annotations if is_labelled(annotation)]
    others = [annotation for annotation in annotations if not is_labelled(annotation)]
    placed = tuple(other for other in others if other.get('segmentation') or other.get('bbox'))
    boxes = np.array([box_of(annotation) for annotation in found], np.float32).reshape(-1, 4)
    return Sample(path, size_of(image),
                  _convert([keypoints_of(annotation) for annotation in found], *formats), boxes,
                  placed, None, all_people_annotated=len(placed) == len(others),
                  confidences=_confidences(found, *formats))


def _certain(annotations, min_score):
    """Turn annotations of low scores into crowds, which have no labels."""
    return [dict(annotation, iscrowd=1) if annotation.get('score', 1.) < min_score
            else annotation for annotation in annotations]


def _confidences(annotations, source, target):
    """Return the `conf` of each keypoint of the target, (P, K); None if no annotation has any."""
    if not any('conf' in annotation for annotation in annotations):
        return None
    rows = np.full((len(annotations), target.size), np.nan, np.float32)
    places = [source.index(name) for name in target.keypoint_names]
    for row, annotation in zip(rows, annotations):
        if 'conf' in annotation:
            values = np.array(annotation['conf'], np.float32)
            row[:] = [0. if place is None else values[place] for place in places]
    return rows


def _convert(people, source, target):
    """A derived keypoint has the worse label of those that it derives from."""
    stacked = np.array(people, np.float32).reshape(-1, source.size, 3)
    halved = stacked * np.array([1, 1, .5], np.float32)  # a score is at most 1
    converted = convert_people(make_people(halved, np.ones(len(stacked))), source, target)
    return np.nan_to_num(converted.keypoints, nan=0.) * np.array([1, 1, 2], np.float32)
