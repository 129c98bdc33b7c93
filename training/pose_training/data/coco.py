# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Keypoint files in COCO's format (https://cocodataset.org/#format-data), checked."""
import json
import logging
import os
from typing import Any, Dict, List, Mapping, NamedTuple, Optional, Sequence, Tuple

import numpy as np

from pose_ros.core.reading import LARGEST_LABELS, read_file
from pose_ros.core.sources.images import IMAGE_EXTENSIONS, image_names
from pose_ros.core.topology import make_topology, TOPOLOGIES, Topology
from pose_training.data.categories import choose_people, usual_name
from pose_training.data.entries import id_of, image_entries, image_path, person_entry
from pose_training.data.masks import are_numbers, outline_fault
from pose_training.errors import DataError

_NAMED = 5  # files in a message
_LOG = logging.getLogger('pose_training')


class CocoFile(NamedTuple):
    """A keypoint file.

    `data` is all of it, in the form of data/entries.py and with one category of people.
    `keypoint_names` are those of this category, in the form of the topologies; `images` its
    images, `people` the annotations of people by image id; `folder` has the images. Annotations
    of other categories are not in `people`.
    """

    path: str
    data: Dict[str, Any]
    category: Dict[str, Any]
    keypoint_names: Tuple[str, ...]
    images: List[Dict[str, Any]]
    people: Dict[Any, List[Dict[str, Any]]]
    folder: str

    def path_of(self, image: Dict[str, Any]) -> str:
        """Return the path of an entry of `images`."""
        return image_path(self.folder, image['file_name'])


def load_coco(path: str, topology: Optional[Topology] = None, images: str = '',
              names: Optional[Mapping[str, str]] = None) -> CocoFile:
    """Read and check a keypoint file; DataError names the file, the entry and the fault.

    All categories whose keypoints are those of the topology are people; without a topology those
    with the keypoints of the category of people. A warning names the others. `images` is the
    folder of the images (default: the file's own); `names` translates keypoint names of the file.
    """
    try:
        data = json.loads(read_file(path, LARGEST_LABELS))
    except (OSError, ValueError, RecursionError) as error:
        raise DataError('cannot read the dataset {}: {}'.format(path, error)) from error
    try:
        return _check(path, data, topology, images or os.path.dirname(path), names or {})
    except (KeyError, TypeError, AttributeError, IndexError) as error:
        raise DataError('{} is not a COCO keypoint file: {} {}'.format(
            path, type(error).__name__, error)) from error


def dataset_topology(file: CocoFile) -> Topology:
    """Return the skeleton of a file; that of this package if one has its keypoints."""
    for topology in TOPOLOGIES.values():
        if topology.keypoint_names == file.keypoint_names:
            return topology
    # COCO counts keypoints from 1.
    limbs = [(first - 1, second - 1) for first, second in file.category['skeleton']]
    name = usual_name(str(file.category.get('name') or 'dataset')) or 'dataset'
    return make_topology('dataset' if name in TOPOLOGIES else name, file.keypoint_names, limbs)


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
                        'to the folder of the file, or to another one: --images, or `images` of a '
                        'configuration'.format(
                            dataset, len(paths), missing[0]))
    if missing:
        _LOG.warning('%s: %d of its %d images are missing, such as %s; they are left out',
                     dataset, len(missing), len(paths), ', '.join(missing[:_NAMED]))
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


def _check(path, data, topology, folder, names):
    if 'annotations' not in data:
        raise DataError('{} is not a COCO keypoint file: it has no annotations'.format(path))
    images = image_entries(data['images'] or (), path)
    if not images:
        raise DataError('{} lists no images'.format(path))
    people = choose_people({**data, 'annotations': data['annotations'] or ()}, path, topology,
                           names)
    category = {**people.categories[0].entry, 'keypoints': list(people.raw_names),
                'skeleton': people.skeleton()}
    annotations, persons = _annotations(data['annotations'] or (), people, category, path)
    by_image: Dict[Any, List[Dict[str, Any]]] = {}
    for person in persons:
        by_image.setdefault(person['image_id'], []).append(person)
    _check_people(path, images, by_image)
    chosen = [each.id for each in people.categories]
    others = [entry for entry in data['categories'] if id_of(entry.get('id')) not in chosen]
    data = {**data, 'images': images, 'annotations': annotations,
            'categories': [category] + others}
    return CocoFile(path, data, category, people.names, images, by_image, folder)


def _annotations(entries, people, category, path):
    """Return all annotations, and those of people; warn of those of other categories."""
    places = {each.id: people.places(each) for each in people.categories}
    every, persons = [], []
    left_out: Dict[str, int] = {}
    for entry in entries:
        number = id_of(entry.get('category_id'))
        if entry.get('category_id') is None:
            number = _likely(entry, people.categories)
        if number in places:
            _check_count(entry, len(next(each.names for each in people.categories
                                         if each.id == number)), path)
            persons.append(person_entry(entry, places[number]))
            persons[-1]['category_id'] = category.get('id')
            every.append(persons[-1])
        else:
            what = people.others.get(number, '{} (not in the list of categories)'.format(number))
            left_out[what] = left_out.get(what, 0) + 1
            every.append({**entry, 'image_id': id_of(entry['image_id'])})
    if left_out:
        _LOG.warning('%s: left out %s', path, ', '.join(
            '{} annotations of the category {}'.format(count, what)
            for what, count in left_out.items()))
    return every, persons


def _likely(entry, categories):
    """Return the id of the category of an annotation without one: by its number of keypoints."""
    count = len(entry.get('keypoints') or ())
    fitting = [each.id for each in categories if 3 * len(each.names) == count]
    return (fitting or [categories[0].id])[0]


def _check_count(entry, count, path):
    keypoints = entry.get('keypoints') or []
    if len(keypoints) not in (0, 3 * count):
        raise _invalid(path, entry, '{} numbers as keypoints, and {} keypoints need {}'.format(
            len(keypoints), count, 3 * count))
    sure = entry.get('conf')
    if sure is not None and len(sure) != count:
        raise _invalid(path, entry, 'its conf is not one number per keypoint')


def _invalid(path, entry, fault):
    return DataError('{}: annotation {} of image {}: {}'.format(
        path, entry.get('id', '(without id)'), entry.get('image_id'), fault))


def _check_people(path, images, people):
    sizes = {image['id']: (image.get('height'), image.get('width')) for image in images}
    if people and not any(image in sizes for image in people):
        raise DataError('{}: no annotation belongs to any of the {} images; their image_id differ '
                        'from the ids of the images'.format(path, len(images)))
    for image, size in sizes.items():
        for annotation in people.get(image, ()):
            fault = _fault(annotation, size)
            if fault:
                raise _invalid(path, annotation, fault)


def _fault(annotation, size):
    """Return what is wrong with an annotation of a person, None if nothing."""
    keypoints = annotation.get('keypoints', [])
    if not are_numbers(keypoints[2::3]):
        return 'a visibility of its keypoints is no number'
    if not all(are_numbers(keypoints[3 * k:3 * k + 2]) for k in range(len(keypoints) // 3)
               if keypoints[3 * k + 2] > 0):
        return 'a labelled keypoint has a coordinate that is no number'
    if not are_numbers(annotation.get('conf', ())):
        return 'its conf is not one number per keypoint'
    box = annotation.get('bbox')
    if box and (len(box) != 4 or not are_numbers(box)):
        return 'its bbox is not four numbers: {!r}'.format(box)
    outline = annotation.get('segmentation')
    return outline_fault(outline, size) if outline and not is_labelled(annotation) else None
