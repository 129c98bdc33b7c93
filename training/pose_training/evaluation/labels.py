# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Read the labels for an evaluation, with all keys that COCO's evaluation needs."""
import logging
import os
from typing import Any, Collection, Dict, List, NamedTuple, Optional, Tuple

import numpy as np

from pose_ros.core.errors import PoseRosError
from pose_ros.core.image_size import MAX_PIXELS
from pose_ros.core.topology import get_topology, Topology
from pose_training.data.coco import (box_of, dataset_topology, images_in, keypoints_of, load_coco,
                                     present, size_of)
from pose_training.errors import DataError

_LOG = logging.getLogger('pose_training')
_CATEGORY = 1  # of all people
_KEPT = ('bbox_head', 'track_id', 'mpii_person')  # keys of benchmarks
# The share of its box that a person covers: the median of COCO's outlines.
_SHARE_OF_BOX = .53


class LabelledImage(NamedTuple):
    """One image; `size` is (width, height) [px], None if the labels do not have it.

    `entry` is its entry in the file. A frame of a video has its `sequence` and its number `frame`;
    one that is not `labelled` counts for tracking alone.
    """

    id: int
    path: str
    size: Optional[Tuple[int, int]]
    entry: Dict[str, Any] = {}

    @property
    def sequence(self) -> str:
        """Return the name of its video, '' of a single image."""
        return str(self.entry.get('sequence', self.entry.get('vid_id', '')))

    @property
    def frame(self) -> int:
        """Return its number in the video."""
        number = self.entry.get('frame', 0)
        return number if isinstance(number, int) else 0

    @property
    def labelled(self) -> bool:
        """Return whether the people in it are labelled."""
        return bool(self.entry.get('is_labeled', True))


class Labels(NamedTuple):
    """A dataset with all keys that COCO's evaluation needs.

    `annotations` are COCO's, of people only, numbered from 1, with each key that the evaluation
    reads; `category` is the category_id of all; `topology` has the keypoints of the dataset;
    `left_out` is the number of images that are missing, or cannot be used. Images of more than
    `max_pixels` are not used.
    """

    path: str
    topology: Topology
    category: int
    images: List[LabelledImage]
    annotations: List[Dict[str, Any]]
    left_out: int = 0
    max_pixels: int = MAX_PIXELS
    own_category: Any = _CATEGORY  # the id of people in the file

    def people(self) -> Dict[int, List[Dict[str, Any]]]:
        """Return the annotations with a labelled keypoint that are no crowds, by image id."""
        found: Dict[int, List[Dict[str, Any]]] = {image.id: [] for image in self.images}
        for annotation in self.annotations:
            if annotation['num_keypoints'] and not annotation['iscrowd']:
                found[annotation['image_id']].append(annotation)
        return found

    def boxed(self) -> Dict[int, List[Dict[str, Any]]]:
        """Return the annotations of people, by image id; without any keypoint those with a box.

        Test sets have boxes alone.
        """
        found = self.people()
        if not any(found.values()):
            for annotation in self.annotations:
                if not annotation['iscrowd'] and annotation['bbox'][2] > 0:
                    found[annotation['image_id']].append(annotation)
        return found

    def ignored(self) -> Dict[int, List[List[float]]]:
        """Return the polygons of regions to ignore, by image id."""
        found: Dict[int, List[List[float]]] = {}
        for annotation in self.annotations:
            if annotation['iscrowd']:
                found.setdefault(annotation['image_id'], []).extend(
                    annotation.get('segmentation', ()))
        return found

    def empty_images(self) -> List[int]:
        """Return the ids of the images without any annotation of a person or a crowd."""
        marked = {annotation['image_id'] for annotation in self.annotations}
        return [image.id for image in self.images if image.id not in marked]

    def without(self, image_ids: Collection[int], unlabelled: bool = False) -> 'Labels':
        """Return the labels of the other images; `left_out` counts them unless `unlabelled`."""
        image_ids = set(image_ids)
        return self._replace(
            left_out=self.left_out + (0 if unlabelled else len(image_ids)),
            images=[image for image in self.images if image.id not in image_ids],
            annotations=[annotation for annotation in self.annotations
                         if annotation['image_id'] not in image_ids])


def read_labels(path: str, topology: Optional[Topology] = None, images: str = '') -> Labels:
    """Read a COCO keypoint file of any keypoints, or a folder of images without people.

    The rules are those of training (load_coco): the categories with keypoints of the topology of
    a model are people; other categories and missing images are left out, with a warning. `images`
    is the folder of the images (default: the file's own). Raises DataError, which names the file
    and the fault.
    """
    if os.path.isdir(path):
        found = [LabelledImage(number, image, None)
                 for number, image in enumerate(images_in(path))]
        return Labels(path, get_topology('coco_17'), _CATEGORY, found, [])
    file = load_coco(path, topology, images)
    try:
        own = dataset_topology(file)
    except PoseRosError as error:
        raise DataError('{}: {}'.format(path, error)) from error
    _tell_unpredicted(path, own, topology)
    # COCO's evaluation sorts ids, which must be of one type.
    plain = all(isinstance(image['id'], int) for image in file.images)
    every = [LabelledImage(image['id'] if plain else number, file.path_of(image), size_of(image),
                           image) for number, image in enumerate(file.images)]
    there = set(present([image.path for image in every], path))
    pairs = [pair for pair in zip(every, file.images) if pair[0].path in there]
    people = [(image.id, person) for image, entry in pairs
              for person in file.people.get(entry['id'], ())]
    return Labels(path, own, _CATEGORY, [image for image, _ in pairs],
                  [_complete(person, number, image_id, own.size)
                   for number, (image_id, person) in enumerate(people, 1)],
                  len(every) - len(pairs), own_category=file.category.get('id', _CATEGORY))


def _tell_unpredicted(path, own, topology):
    missing = [name for name in own.keypoint_names
               if topology is not None and topology.index(name) is None]
    if missing:
        _LOG.warning('%s: the model does not predict %d of its %d keypoints, which count as not '
                     'found where they are labelled: %s', path, len(missing), own.size,
                     ', '.join(missing))


def _complete(annotation, number, image_id, size):
    """Add the keys that COCO's evaluation reads; ids start at 1, because it takes 0 for none."""
    keypoints = keypoints_of(annotation,
                             float) if annotation.get('keypoints') else np.zeros((size, 3))
    labelled = int((keypoints[:, 2] > 0).sum())
    box = annotation.get('bbox') or (box_of(annotation) if labelled else [0., 0., 0., 0.])
    more = {name: annotation[name] for name in _KEPT if name in annotation}
    if annotation.get('iscrowd') and isinstance(annotation.get('segmentation'), list):
        more['segmentation'] = annotation['segmentation']
    return {**more, 'id': number, 'image_id': image_id,
            'iscrowd': int(bool(annotation.get('iscrowd'))), 'category_id': _CATEGORY,
            'num_keypoints': labelled, 'keypoints': keypoints.ravel().tolist(),
            'bbox': [float(value) for value in box],
            'area': float(annotation.get('area') or _SHARE_OF_BOX * box[2] * box[3])}
