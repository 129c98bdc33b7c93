# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Write all images and labels of a configuration to two small files, for another machine.

`images.bin`: WebP files, or the original files where those are smaller, one after the other.
`index.npz`: `topology` (JSON); per image `start`, `length` (bytes), `width`, `height` (px),
`stretch`, `weight` (how often it is drawn); per person `person_image`, `person_box` (corners),
`person_keypoints` (K, 3: x, y, trust), `person_weight`; per box `box_image`, `box`, `box_label`
(scene_geometry).
"""
import json
import os
from typing import Callable, Dict, List, Tuple

import cv2
import numpy as np

from pose_ros.core.errors import ImageError
from pose_ros.core.files import atomic_write
from pose_ros.core.image_size import MAX_PIXELS
from pose_ros.core.reading import LARGEST_IMAGE, read_file
from pose_training.data.annotations import Sample
from pose_training.data.geometry import scaled
from pose_training.data.images import read_oriented, tell_left_out
from pose_training.data.person_geometry import person_shares
from pose_training.data.sets import read_sets
from pose_training.families.detection.scenes import labelled_boxes
from pose_training.families.family import Family
from pose_training.families.heatmap.crops import trust
from pose_training.families.topologies import as_data
from pose_training.fitting.settings import DataConfig

IMAGES, INDEX = 'images.bin', 'index.npz'
_TYPES = {'start': np.int64, 'length': np.int64, 'width': np.int32, 'height': np.int32,
          'person_image': np.int32, 'box_image': np.int32}


def pack(data: DataConfig, family: Family, folder: str, quality: int = 78,
         progress: Callable = iter) -> Dict[str, int]:
    """Write the training sets of a configuration to a folder; return the counts.

    Images are reduced to the largest side of the family's geometry (`max_side`), as WebP of a
    quality from 1 to 100. Images that cannot be read are left out; DataError if all are.
    """
    samples, weights = read_sets(data.train, family.topology, family)
    faults: List[ImageError] = []
    most = family.dataset.max_side(data)
    columns: Dict[str, List] = {}
    os.makedirs(folder, exist_ok=True)
    start = count = 0
    # The index is replaced last, and only if both files are whole: they belong together.
    with atomic_write(os.path.join(folder, INDEX), follow_links=False) as index, \
            atomic_write(os.path.join(folder, IMAGES), follow_links=False) as stream:
        for sample, weight in progress(list(zip(samples, weights))):
            try:
                content, size = encoded(sample, most, quality, data.max_pixels)
            except ImageError as error:
                faults.append(error)
                continue
            stream.write(content)
            _add(columns, start=start, length=len(content), width=size[0], height=size[1],
                 stretch=sample.stretch, weight=weight)
            _add_labels(columns, count, sample, size, data, weight)
            start, count = start + len(content), count + 1
        tell_left_out('the datasets', faults, len(samples))
        np.savez_compressed(index, topology=json.dumps(as_data(family.topology)), **{
            name: np.array(values, _TYPES.get(name, np.float32))
            for name, values in columns.items()})
        index.flush()
    return {'images': count, 'people': len(columns.get('person_image', ())),
            'boxes': len(columns.get('box_image', ())), 'bytes': start}


def encoded(sample: Sample, most: int, quality: int, max_pixels: int = MAX_PIXELS
            ) -> Tuple[bytes, Tuple[int, int]]:
    """Return a file of the image of at most `most` px, and its width and height."""
    image, path = read_oriented(sample.path, sample.size, max_pixels), sample.path
    factor = most / max(image.shape[:2])
    reduced = factor < 1
    if reduced:
        size = tuple(max(1, round(side * factor)) for side in image.shape[1::-1])
        image = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    content = cv2.imencode('.webp', image, [cv2.IMWRITE_WEBP_QUALITY, quality])[1].tobytes()
    if not reduced and os.path.getsize(path) <= len(content):
        original = read_file(path, LARGEST_IMAGE)
        plain = cv2.imdecode(np.frombuffer(original, np.uint8), cv2.IMREAD_COLOR)
        if plain is not None and np.array_equal(plain, image):
            content = original
    return content, image.shape[1::-1]


def _add(columns, **values):
    for name, value in values.items():
        columns.setdefault(name, []).append(value)


def _add_labels(columns, number, sample: Sample, size, data, weight):
    boxes, labels = labelled_boxes(sample)
    factor = np.ones(2) if sample.size is None else np.divide(size, sample.size)
    for box, label in zip(boxes * np.tile(factor, 2), labels):
        _add(columns, box_image=number, box=box, box_label=label)
    sample = scaled(sample, size)
    certain = trust(sample)
    shares = person_shares(sample.boxes, certain, data.person.least)
    for person, box, sure, share in zip(sample.people, sample.boxes, certain, shares):
        if share > 0:
            _add(columns, person_image=number, person_weight=weight * share / shares.sum(),
                 person_box=np.concatenate([box[:2], box[:2] + box[2:]]),
                 person_keypoints=np.column_stack([person[:, :2], sure]))
