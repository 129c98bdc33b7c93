# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Complete the boxes of a COCO file by those of detectors."""
from typing import Any, Callable, Dict, List, NamedTuple, Sequence

import numpy as np

from pose_ros.core.errors import ImageError
from pose_ros.core.frame import Frame
from pose_ros.core.network import Network
from pose_ros.core.regions import whole
from pose_training.data.coco import load_coco, size_of
from pose_training.data.entries import id_of
from pose_training.data.images import read_labelled, tell_left_out

_SAME = .5     # IoU from which a box is that of a labelled person
_PART = .75    # share of a box inside a labelled one from which it may be a part of the person
_SURE_PART = .6  # score from which such a box is a region to ignore, else nothing


class BoxSource(NamedTuple):
    """A detector: its boxes are people from a score of `sure`, regions from `unsure` up."""

    network: Network
    sure: float
    unsure: float


def add_boxes(path: str, sources: Sequence[BoxSource], progress: Callable = iter,
              images: str = '') -> Dict[str, Any]:
    """Return the data of a COCO file with annotations for people without one.

    People: without keypoints, with the `score` of the detector. Regions to ignore: as crowds.
    File names are relative to the folder `images` (default: that of the file). Images that cannot
    be read are left out, with a warning. Raises DataError for an invalid file, or if no image can
    be read.
    """
    file = load_coco(path, images=images)
    numbers = [id_of(entry.get('id')) for entry in file.data['annotations']]
    number = max((each for each in numbers if isinstance(each, int)), default=0)
    faults: List[ImageError] = []
    kept, added = [], []
    for image in progress(file.images):
        try:
            pixels = read_labelled(file.path_of(image), size_of(image))
        except ImageError as error:
            faults.append(error)
            continue
        kept.append(image)
        for entry in _new_boxes(pixels, file.people.get(image['id'], ()), sources):
            number += 1
            added.append({'id': number, 'image_id': image['id'],
                          'category_id': file.category.get('id'), **entry})
    tell_left_out(path, faults, len(file.images))
    ids = {image['id'] for image in kept}
    annotations = [entry for entry in file.data['annotations'] if entry['image_id'] in ids]
    info = file.data.get('info')
    return {**file.data, 'images': kept, 'annotations': annotations + added,
            'info': {**(info if isinstance(info, dict) else {'description': info}),
                     'complete': True, 'boxes_by': _names(sources)}}


def _new_boxes(pixels, people, sources):
    """Yield the entries of boxes that no person has yet."""
    boxes = [[*entry['bbox'], 1 - bool(entry.get('iscrowd'))]
             for entry in people if entry.get('bbox')]
    for source in sources:
        for box, score in zip(*_found(source, pixels)):
            kind = _kind(box, score, np.array(boxes, float).reshape(-1, 5), source)
            if kind is None:
                continue
            boxes.append([*box, kind])
            yield {'iscrowd': 1 - kind, 'bbox': [round(float(value), 1) for value in box],
                   'area': round(float(box[2] * box[3]), 1), 'num_keypoints': 0,
                   'score': round(float(score), 3)}


def _found(source, pixels):
    """Return boxes (P, 4) left, top, width, height [px], clipped, and scores, the best first."""
    frame = Frame(pixels)
    [(found, transform)] = source.network.find([frame], [whole(0, *frame.size)])
    boxes = transform.boxes_to_image(found.boxes)
    low = boxes[:, :2].clip(0, frame.size)
    boxes = np.concatenate([low, (boxes[:, :2] + boxes[:, 2:]).clip(0, frame.size) - low], 1)
    keep = (boxes[:, 2:] > 0).all(1)
    return boxes[keep], found.scores[keep]


def _kind(box, score, known, source):
    """Return 1 for a person, 0 for a region to ignore, None for nothing new."""
    part = False
    if len(known):
        low = np.maximum(box[:2], known[:, :2])
        high = np.minimum(box[:2] + box[2:], known[:, :2] + known[:, 2:4])
        shared = (high - low).clip(0).prod(1)
        own, others = box[2] * box[3], known[:, 2] * known[:, 3]
        if (shared / (own + others - shared)).max() > _SAME:
            return None
        part = (shared / own * known[:, 4]).max() > _PART
    if score >= source.sure and not part:
        return 1
    return 0 if score >= (_SURE_PART if part else source.unsure) else None


def _names(sources) -> List[Dict[str, str]]:
    return [{'name': source.network.card.name, 'version': source.network.card.version,
             'license': source.network.card.license} for source in sources]
