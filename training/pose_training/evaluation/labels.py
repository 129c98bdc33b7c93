# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Read the labels for an evaluation, with all keys that COCO's evaluation needs."""
import os
from typing import Any, Dict, List, NamedTuple, Optional, Tuple

import numpy as np

from pose_ros.core.errors import PoseRosError
from pose_ros.core.topology import get_topology, make_topology, TOPOLOGIES, Topology
from pose_training.data.coco import (box_of, images_in, keypoints_of, load_coco, present,
                                     size_of)
from pose_training.errors import DataError

# The share of its box that a person covers: the median of COCO's outlines.
_SHARE_OF_BOX = .53


class LabelledImage(NamedTuple):
    """One image; `size` is (width, height) [px], None if the labels do not have it."""

    id: int
    path: str
    size: Optional[Tuple[int, int]]


class Labels(NamedTuple):
    """A dataset with all keys that COCO's evaluation needs.

    `annotations` are COCO's, of people only, numbered from 1, with each key that the evaluation
    reads; `category` is their category_id; `topology` has the keypoints of the dataset.
    """

    path: str
    topology: Topology
    category: int
    images: List[LabelledImage]
    annotations: List[Dict[str, Any]]

    def people(self) -> Dict[int, List[Dict[str, Any]]]:
        """Return the annotations with a labelled keypoint that are no crowds, by image id."""
        found: Dict[int, List[Dict[str, Any]]] = {image.id: [] for image in self.images}
        for annotation in self.annotations:
            if annotation['num_keypoints'] and not annotation['iscrowd']:
                found[annotation['image_id']].append(annotation)
        return found

    def empty_images(self) -> List[int]:
        """Return the ids of the images without any annotation of a person or a crowd."""
        marked = {annotation['image_id'] for annotation in self.annotations}
        return [image.id for image in self.images if image.id not in marked]


def read_labels(path: str) -> Labels:
    """Read a COCO keypoint file of any keypoints, or a folder of images without people.

    The rules are those of training (data/coco.py): missing images are left out, with a warning.
    Raises DataError, which names the file and the fault.
    """
    if os.path.isdir(path):
        images = [LabelledImage(number, image, None)
                  for number, image in enumerate(images_in(path))]
        return Labels(path, get_topology('coco_17'), 1, images, [])
    file = load_coco(path)
    try:
        topology = _topology(file.category)
        images = [LabelledImage(image['id'], os.path.join(os.path.dirname(path),
                                                          image['file_name']), size_of(image))
                  for image in file.images]
    except (KeyError, TypeError, ValueError, PoseRosError) as error:
        raise DataError('{}: an entry is invalid: {} {}'.format(
            path, type(error).__name__, error)) from error
    there = set(present([image.path for image in images], path))
    images = [image for image in images if image.path in there]
    people = [person for image in images for person in file.people.get(image.id, ())]
    return Labels(path, topology, file.category['id'], images,
                  [_complete(person, number, topology.size, file.category['id'])
                   for number, person in enumerate(people, 1)])


def _topology(category):
    names = tuple(category['keypoints'])
    for topology in TOPOLOGIES.values():
        if topology.keypoint_names == names:
            return topology
    # COCO counts keypoints from 1.
    limbs = [(first - 1, second - 1) for first, second in category.get('skeleton') or ()]
    return make_topology('dataset', names, limbs)


def _complete(annotation, number, size, category):
    """Add the keys that COCO's evaluation reads; ids start at 1, because it takes 0 for none."""
    keypoints = keypoints_of(annotation,
                             float) if annotation.get('keypoints') else np.zeros((size, 3))
    labelled = int((keypoints[:, 2] > 0).sum())
    box = annotation.get('bbox') or (box_of(annotation) if labelled else [0., 0., 0., 0.])
    return {'id': number, 'image_id': annotation['image_id'],
            'iscrowd': int(bool(annotation.get('iscrowd'))), 'category_id': category,
            'num_keypoints': labelled, 'keypoints': keypoints.ravel().tolist(),
            'bbox': [float(value) for value in box],
            'area': float(annotation.get('area') or _SHARE_OF_BOX * box[2] * box[3])}
