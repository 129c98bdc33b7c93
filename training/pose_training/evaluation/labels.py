# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""What a model is held against: a COCO keypoint file, or photographs with nobody in them."""
import json
import os
from typing import Any, Dict, List, NamedTuple, Optional, Tuple

import numpy as np

from pose_ros.core.errors import PoseRosError
from pose_ros.core.sources.images import IMAGE_EXTENSIONS
from pose_ros.core.topology import get_topology, make_topology, TOPOLOGIES, Topology
from pose_training.errors import DataError

# A person covers about this share of the box: what COCO's own outlines have in the median.
_SHARE_OF_BOX = .53


class LabelledImage(NamedTuple):
    """One photograph; `size` is (width, height) [px], None if the labels do not tell."""

    id: int
    path: str
    size: Optional[Tuple[int, int]]


class Labels(NamedTuple):
    """A dataset, complete enough for COCO's evaluation.

    `annotations` are COCO's, of people only, numbered from 1, with each key that the evaluation
    reads; `category` is their category_id; `topology` has the joints of the dataset.
    """

    path: str
    topology: Topology
    category: int
    images: List[LabelledImage]
    annotations: List[Dict[str, Any]]

    def people(self) -> Dict[int, List[Dict[str, Any]]]:
        """Return the annotations that label a joint and are no crowd, by image id."""
        found: Dict[int, List[Dict[str, Any]]] = {image.id: [] for image in self.images}
        for annotation in self.annotations:
            if annotation['num_keypoints'] and not annotation['iscrowd']:
                found[annotation['image_id']].append(annotation)
        return found

    def empty_images(self) -> List[int]:
        """Return the ids of the images that no person is marked in, not even a crowd."""
        marked = {annotation['image_id'] for annotation in self.annotations}
        return [image.id for image in self.images if image.id not in marked]


def read_labels(path: str) -> Labels:
    """Read a COCO keypoint file of any joints; a folder means photographs with nobody in them.

    Raises DataError, which says what is wrong with which file.
    """
    if os.path.isdir(path):
        labels = _read_folder(path)
    else:
        try:
            with open(path, encoding='utf-8') as stream:
                labels = _parse(json.load(stream), path)
        except OSError as error:
            raise DataError('cannot read the dataset {}: {}'.format(
                path, error.strerror)) from error
        except DataError:
            raise
        except (KeyError, TypeError, ValueError, AttributeError, PoseRosError) as error:
            raise DataError('{} is not a COCO keypoint file: {} {}'.format(
                path, type(error).__name__, error)) from error
    _check_files(labels)
    return labels


def _read_folder(folder):
    names = sorted(name for name in os.listdir(folder) if name.lower().endswith(IMAGE_EXTENSIONS))
    if not names:
        raise DataError('the folder {} holds no photographs ({})'.format(
            folder, ', '.join(IMAGE_EXTENSIONS)))
    images = [LabelledImage(number, os.path.join(folder, name), None)
              for number, name in enumerate(names)]
    return Labels(folder, get_topology('coco_17'), 1, images, [])


def _parse(data, path):
    categories = [category for category in data['categories'] if category.get('keypoints')]
    if not categories:
        raise DataError('{}: no category has keypoints; the keypoint file of COCO is '
                        'person_keypoints_*.json'.format(path))
    category, topology = categories[0]['id'], _topology(categories[0])
    folder = os.path.dirname(path)
    images = [LabelledImage(image['id'], os.path.join(folder, image['file_name']), _size(image))
              for image in data['images']]
    known = {image.id for image in images}
    if not images:
        raise DataError('{} lists no images'.format(path))
    if len(known) < len(images):
        raise DataError('{}: two images have the same id'.format(path))
    annotations = []
    for annotation in data['annotations']:
        if annotation['category_id'] != category:
            continue
        if annotation['image_id'] not in known:
            raise DataError('{}: annotation {} is of image {}, which is not listed'.format(
                path, annotation.get('id'), annotation['image_id']))
        annotations.append(_complete(annotation, len(annotations) + 1, topology.size, path))
    return Labels(path, topology, category, images, annotations)


def _topology(category):
    names = tuple(category['keypoints'])
    for topology in TOPOLOGIES.values():
        if topology.keypoint_names == names:
            return topology
    # COCO counts joints from 1.
    limbs = [(first - 1, second - 1) for first, second in category.get('skeleton') or ()]
    return make_topology('dataset', names, limbs)


def _size(image):
    return (image['width'], image['height']) if 'width' in image and 'height' in image else None


def _complete(annotation, number, joints, path):
    """Fill in what COCO's evaluation reads; its numbers must start at 1: it takes 0 for none."""
    keypoints = np.asarray(annotation.get('keypoints') or np.zeros(3 * joints), float)
    if keypoints.shape != (3 * joints,) or not np.isfinite(keypoints).all():
        raise DataError('{}: annotation {} must have 3 numbers for each of {} keypoints'.format(
            path, annotation.get('id'), joints))
    labelled = keypoints.reshape(-1, 3)[keypoints[2::3] > 0, :2]
    box = annotation.get('bbox') or _box(labelled)
    return {'id': number, 'image_id': annotation['image_id'], 'iscrowd': int(
                bool(annotation.get('iscrowd'))),
            'category_id': annotation['category_id'], 'num_keypoints': len(labelled),
            'keypoints': keypoints.tolist(), 'bbox': [float(value) for value in box],
            'area': float(annotation.get('area') or _SHARE_OF_BOX * box[2] * box[3])}


def _box(points):
    if not len(points):
        return [0., 0., 0., 0.]
    low, high = points.min(0), points.max(0)
    return [low[0], low[1], high[0] - low[0] + 1, high[1] - low[1] + 1]


def _check_files(labels):
    missing = [image.path for image in labels.images if not os.path.isfile(image.path)]
    if missing:
        others = ' and {} others'.format(len(missing) - 1) if len(missing) > 1 else ''
        raise DataError('{}: the file {}{} of {} images {} missing; file names are relative to '
                        'the folder of the dataset'.format(
                            labels.path, missing[0], others, len(labels.images),
                            'are' if others else 'is'))
