# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Boxes of people from a file of detections, in place of a detector."""
import json
import math
from typing import Any, Dict, List, Optional, Tuple

import numpy as np

from pose_ros.core.coco_ids import CocoIds, Id, PERSON
from pose_ros.core.errors import PoseRosError
from pose_ros.core.people import People, people_in_boxes
from pose_ros.core.quoting import quoted
from pose_ros.core.reading import LARGEST_LABELS, read_file
from pose_ros.core.results import image_id_of
from pose_ros.core.topology import Topology


class GivenBoxes:
    """COCO's detection results: [{"image_id", "category_id", "bbox": [x, y, w, h], "score"}, ...].

    Boxes of other categories are left out. `used` counts the images for which there were boxes.
    PoseRosError for a file that is not of this form.
    """

    def __init__(self, path: str, ids: Optional[CocoIds] = None):
        """Read the file; `ids` of the annotation file to which its image ids refer."""
        self._path, self._ids, self.used = path, ids, 0
        self._boxes: Dict[Id, List[Tuple[List[float], float]]] = {}
        person = ids.person if ids else PERSON
        for number, entry in enumerate(_entries(path)):
            try:
                image_id, box, score = _checked(entry)
            except ValueError as error:
                raise PoseRosError('{}: entry {}: {}'.format(path, number, error))
            if entry.get('category_id', person) == person:
                self._boxes.setdefault(image_id, []).append((box, score))

    def find(self, frame, topology: Topology) -> People:
        """Return the people of a Frame, with boxes and without keypoints yet.

        PoseRosError if the annotation file does not list its name.
        """
        image_id = self._ids.find(frame.name) if self._ids else image_id_of(
            frame.name, frame.index)
        return self.of(image_id, topology)

    def of(self, image_id: Id, topology: Topology) -> People:
        """Return the people of the image with this id, as `find`."""
        found = self._boxes.get(image_id, [])
        self.used += bool(found)
        return people_in_boxes([box for box, _ in found], topology,
                               np.array([score for _, score in found], np.float32))


def _entries(path) -> List[Any]:
    try:
        entries = json.loads(read_file(path, LARGEST_LABELS).decode('utf-8-sig'))
    except OSError as error:
        raise PoseRosError('cannot read the boxes {}: {}'.format(path, error.strerror))
    except (ValueError, RecursionError) as error:
        raise PoseRosError('{} is no JSON file: {}'.format(path, error))
    if not isinstance(entries, list):
        raise PoseRosError('{} holds no list of detections, each with image_id, bbox and '
                           'score'.format(path))
    return entries


def _checked(entry) -> Tuple[Id, List[float], float]:
    """Return image id, box and score of an entry; ValueError says what is wrong with it."""
    if not isinstance(entry, dict) or not {'image_id', 'bbox', 'score'} <= set(entry):
        raise ValueError('it must have image_id, bbox and score')
    image_id, box, score = entry['image_id'], entry['bbox'], entry['score']
    if isinstance(image_id, bool) or not isinstance(image_id, (int, str)):
        raise ValueError('image_id must be a number or text, not {}'.format(quoted(image_id)))
    if not isinstance(box, list) or len(box) != 4 or not all(map(_is_number, box)):
        raise ValueError('bbox must be four numbers, x, y, width and height, not {}'.format(
            quoted(box)))
    if not _is_number(score) or not 0 <= score <= 1:
        raise ValueError('score must be a number from 0 to 1, not {}'.format(quoted(score)))
    return image_id, box, float(score)


def _is_number(value) -> bool:
    return type(value) in (int, float) and math.isfinite(value) and abs(value) < 1e9
