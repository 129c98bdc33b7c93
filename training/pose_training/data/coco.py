# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Keypoint files in COCO's format (https://cocodataset.org/#format-data), checked."""
import json
import math
from typing import Any, Dict, List, NamedTuple, Tuple

import numpy as np

from pose_training.errors import DataError


class CocoFile(NamedTuple):
    """A keypoint file.

    `data` is all of it; `joints` are the names of its keypoints; `images` its images, `people`
    the annotations of people by image id. Annotations of other categories are not in `people`.
    """

    path: str
    data: Dict[str, Any]
    joints: Tuple[str, ...]
    images: List[Dict[str, Any]]
    people: Dict[Any, List[Dict[str, Any]]]


def load_coco(path: str) -> CocoFile:
    """Read and check a keypoint file; DataError names the file, the entry and the fault."""
    try:
        with open(path, encoding='utf-8') as stream:
            data = json.load(stream)
    except (OSError, ValueError) as error:
        raise DataError('cannot read the dataset {}: {}'.format(path, error)) from error
    try:
        return _check(path, data)
    except (KeyError, TypeError, AttributeError, IndexError) as error:
        raise DataError('{} is not a COCO keypoint file: {} {}'.format(
            path, type(error).__name__, error)) from error


def is_labelled(annotation: Dict[str, Any]) -> bool:
    """Tell a person with at least one labelled joint from crowds and people without any."""
    return not annotation.get('iscrowd') and any(
        value > 0 for value in annotation.get('keypoints', ())[2::3])


def joints_of(annotation: Dict[str, Any]) -> np.ndarray:
    """Return (K, 3) float32: x, y [px], and 0 (no label), 1 (occluded) or 2 (seen)."""
    joints = np.array(annotation['keypoints'], np.float32).reshape(-1, 3)
    joints[~(joints[:, 2] > 0)] = 0
    joints[:, 2] = joints[:, 2].clip(0, 2)
    return joints


def box_of(annotation: Dict[str, Any]) -> List[float]:
    """Return left, top, width, height [px] of a labelled person; its joints' without a box.

    The edges are edges of pixels, half a pixel beyond their centers.
    """
    box = annotation.get('bbox')
    if box and box[2] > 0 and box[3] > 0:
        return box
    joints = joints_of(annotation)
    points = joints[joints[:, 2] > 0, :2].astype(float)
    low, high = points.min(0), points.max(0)
    return [low[0], low[1], high[0] - low[0] + 1, high[1] - low[1] + 1]


def _check(path, data):
    joints, category = _person_category(path, data['categories'])
    images = data['images']
    if not images:
        raise DataError('{} lists no images'.format(path))
    sizes = {image['id']: (image.get('height'), image.get('width')) for image in images}
    if len(sizes) != len(images):
        raise DataError('{}: two images have the same id'.format(path))
    people: Dict[Any, List[Dict[str, Any]]] = {}
    for annotation in data['annotations']:
        if annotation.get('category_id', category) == category:
            people.setdefault(annotation['image_id'], []).append(annotation)
    if people and not any(image in sizes for image in people):
        raise DataError('{}: no annotation belongs to any of the {} images; their image_id differ '
                        'from the ids of the images'.format(path, len(images)))
    for image, size in sizes.items():
        for annotation in people.get(image, ()):
            fault = _fault(annotation, len(joints), size)
            if fault:
                raise DataError('{}: annotation {} of image {}: {}'.format(
                    path, annotation.get('id', '(without id)'), image, fault))
    return CocoFile(path, data, joints, images, people)


def _person_category(path, categories):
    """Return the joints' names and the id of the category of people."""
    with_joints = [category for category in categories if category.get('keypoints')]
    people = [category for category in with_joints if category.get('name') == 'person']
    chosen = (people or with_joints)[:1]
    if not chosen:
        raise DataError('{}: no category has keypoints; the keypoint file of COCO is '
                        'person_keypoints_*.json'.format(path))
    return tuple(chosen[0]['keypoints']), chosen[0]['id']


def _fault(annotation, joints, size):
    """Say what is wrong with an annotation of a person; None if nothing is."""
    keypoints = annotation.get('keypoints', [])
    if len(keypoints) not in (0, 3 * joints):
        return '{} numbers as keypoints, and {} joints need {}'.format(
            len(keypoints), joints, 3 * joints)
    if not _are_numbers(keypoints[2::3]):
        return 'a visibility of its keypoints is no number'
    if not all(_are_numbers(keypoints[3 * k:3 * k + 2]) for k in range(len(keypoints) // 3)
               if keypoints[3 * k + 2] > 0):
        return 'a labelled keypoint has a coordinate that is no number'
    box = annotation.get('bbox')
    if box and (len(box) != 4 or not _are_numbers(box)):
        return 'its bbox is not four numbers: {!r}'.format(box)
    outline = annotation.get('segmentation')
    return _outline_fault(outline, size) if outline and not is_labelled(annotation) else None


def _outline_fault(outline, size):
    if isinstance(outline, list):
        if not all(isinstance(ring, list) and len(ring) >= 6 and len(ring) % 2 == 0
                   and _are_numbers(ring) for ring in outline):
            return 'a polygon of its segmentation is not a list of three or more x, y'
        return None
    if not isinstance(outline, dict) or not outline.get('counts') or 'size' not in outline:
        return 'its segmentation is neither a list of polygons nor a run-length code'
    if tuple(outline['size']) != size:
        return 'its segmentation is for {} (height, width), the image is {}'.format(
            list(outline['size']), list(size))
    counts = outline['counts']
    runs = _runs(counts) if isinstance(counts, str) else counts
    # The decoder of pycocotools trusts them, and would read and write beyond its memory.
    if not _are_numbers(runs) or min(runs) < 0 or sum(runs) != size[0] * size[1]:
        return 'the runs of its segmentation do not add up to the image'
    return None


def _runs(text):
    """Unpack a compressed run-length code: 5 bits a character, runs less the last but one."""
    runs, value, shift = [], 0, 0
    for character in text:
        bits = ord(character) - 48
        value |= (bits & 31) << shift
        shift += 5
        if bits & 32:
            continue
        if bits & 16:
            value -= 1 << shift
        runs.append(value + (runs[-2] if len(runs) > 2 else 0))
        value, shift = 0, 0
    return runs


def _are_numbers(values):
    return all(isinstance(value, (int, float)) and math.isfinite(value) for value in values)
