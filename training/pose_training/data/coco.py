# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Keypoint files in COCO's format (https://cocodataset.org/#format-data), checked."""
import io
import json
import logging
import os
from typing import Any, Dict, List, NamedTuple, Optional, Sequence, Tuple

import numpy as np

from pose_ros.core.reading import LARGEST_LABELS, open_regular
from pose_ros.core.sources.images import IMAGE_EXTENSIONS, image_names
from pose_training.data.masks import are_numbers, outline_fault
from pose_training.errors import DataError


_LOG = logging.getLogger('pose_training')


class CocoFile(NamedTuple):
    """A keypoint file.

    `data` is all of it; `category` is that of people; `images` its images, `people` the
    annotations of people by image id. Annotations of other categories are not in `people`.
    """

    path: str
    data: Dict[str, Any]
    category: Dict[str, Any]
    images: List[Dict[str, Any]]
    people: Dict[Any, List[Dict[str, Any]]]

    @property
    def keypoint_names(self) -> Tuple[str, ...]:
        """Return the names of the keypoints."""
        return tuple(self.category['keypoints'])


def load_coco(path: str) -> CocoFile:
    """Read and check a keypoint file; DataError names the file, the entry and the fault."""
    try:
        with open_regular(path, LARGEST_LABELS) as stream:
            data = json.load(io.TextIOWrapper(stream, 'utf-8'))
    except (OSError, ValueError, RecursionError) as error:
        raise DataError('cannot read the dataset {}: {}'.format(path, error)) from error
    try:
        return _check(path, data)
    except (KeyError, TypeError, AttributeError, IndexError) as error:
        raise DataError('{} is not a COCO keypoint file: {} {}'.format(
            path, type(error).__name__, error)) from error


def images_in(folder: str) -> List[str]:
    """Return the paths of the images in a folder, in natural order; DataError if none."""
    names = image_names(folder)
    if not names:
        raise DataError('the folder {} has no images ({})'.format(
            folder, ', '.join(IMAGE_EXTENSIONS)))
    return [os.path.join(folder, name) for name in names]


def present(paths: Sequence[str], dataset: str) -> List[str]:
    """Return the paths of images that exist, with one warning of the others.

    Raises DataError if none does.
    """
    missing = [path for path in paths if not os.path.isfile(path)]
    if len(missing) == len(paths):
        raise DataError('{}: none of its {} images is there, such as {}; file names are relative '
                        'to the folder of the file, or to `images`'.format(
                            dataset, len(paths), missing[0]))
    if missing:
        _LOG.warning('%s: %d of its %d images are missing, such as %s; they are left out',
                     dataset, len(missing), len(paths), missing[0])
    return [path for path in paths if os.path.isfile(path)]


def size_of(image: Dict[str, Any]) -> Optional[Tuple[int, int]]:
    """Return (width, height) [px] of an image entry, None if it has no size."""
    return (int(image['width']), int(image['height'])) \
        if 'width' in image and 'height' in image else None


def is_labelled(annotation: Dict[str, Any]) -> bool:
    """Return whether an annotation has a labelled keypoint and is no crowd."""
    return not annotation.get('iscrowd') and any(
        value > 0 for value in annotation.get('keypoints', ())[2::3])


def keypoints_of(annotation: Dict[str, Any], dtype=np.float32) -> np.ndarray:
    """Return (K, 3) of a type: x, y [px], and 0 (no label), 1 (occluded) or 2 (visible)."""
    keypoints = np.array(annotation['keypoints'], dtype).reshape(-1, 3)
    keypoints[~(keypoints[:, 2] > 0)] = 0
    keypoints[:, 2] = keypoints[:, 2].clip(0, 2)
    return keypoints


def box_of(annotation: Dict[str, Any]) -> List[float]:
    """Return left, top, width, height [px] of a labelled person; without a box of its keypoints.

    The edges are edges of pixels, half a pixel beyond their centers.
    """
    box = annotation.get('bbox')
    if box and box[2] > 0 and box[3] > 0:
        return box
    keypoints = keypoints_of(annotation)
    points = keypoints[keypoints[:, 2] > 0, :2].astype(float)
    low, high = points.min(0), points.max(0)
    return [low[0], low[1], high[0] - low[0] + 1, high[1] - low[1] + 1]


def _check(path, data):
    category = _person_category(path, data['categories'])
    images = data['images']
    if not images:
        raise DataError('{} lists no images'.format(path))
    sizes = {image['id']: (image.get('height'), image.get('width')) for image in images}
    if len(sizes) != len(images):
        raise DataError('{}: two images have the same id'.format(path))
    people: Dict[Any, List[Dict[str, Any]]] = {}
    for annotation in data['annotations']:
        if annotation.get('category_id', category['id']) == category['id']:
            people.setdefault(annotation['image_id'], []).append(annotation)
    if people and not any(image in sizes for image in people):
        raise DataError('{}: no annotation belongs to any of the {} images; their image_id differ '
                        'from the ids of the images'.format(path, len(images)))
    for image, size in sizes.items():
        for annotation in people.get(image, ()):
            fault = _fault(annotation, len(category['keypoints']), size)
            if fault:
                raise DataError('{}: annotation {} of image {}: {}'.format(
                    path, annotation.get('id', '(without id)'), image, fault))
    return CocoFile(path, data, category, images, people)


def _person_category(path, categories):
    """Return the category of people."""
    with_keypoints = [category for category in categories if category.get('keypoints')]
    people = [category for category in with_keypoints if category.get('name') == 'person']
    chosen = (people or with_keypoints)[:1]
    if not chosen:
        raise DataError('{}: no category has keypoints; the keypoint file of COCO is '
                        'person_keypoints_*.json'.format(path))
    return chosen[0]


def _fault(annotation, count, size):
    """Return what is wrong with an annotation of a person, None if nothing."""
    keypoints = annotation.get('keypoints', [])
    if len(keypoints) not in (0, 3 * count):
        return '{} numbers as keypoints, and {} keypoints need {}'.format(
            len(keypoints), count, 3 * count)
    if not are_numbers(keypoints[2::3]):
        return 'a visibility of its keypoints is no number'
    if not all(are_numbers(keypoints[3 * k:3 * k + 2]) for k in range(len(keypoints) // 3)
               if keypoints[3 * k + 2] > 0):
        return 'a labelled keypoint has a coordinate that is no number'
    sure = annotation.get('conf')
    if sure is not None and not (len(sure) == count and are_numbers(sure)):
        return 'its conf is not one number per keypoint'
    box = annotation.get('bbox')
    if box and (len(box) != 4 or not are_numbers(box)):
        return 'its bbox is not four numbers: {!r}'.format(box)
    outline = annotation.get('segmentation')
    return outline_fault(outline, size) if outline and not is_labelled(annotation) else None
