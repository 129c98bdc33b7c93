# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""The ids of images and of people in a COCO annotation file, for results that refer to it."""
import json
import os
from typing import Any, Dict, Set, Union

from pose_ros.core.errors import PoseRosError
from pose_ros.core.reading import LARGEST_LABELS, read_file

PERSON = 1  # COCO's category_id
Id = Union[int, str]


class CocoIds:
    """Image ids by file name, and the category id of people, of a COCO annotation file.

    Folders in its file names do not count. `person` is the category named person, else the only
    one with keypoints, else 1. PoseRosError for a file that is not of this format.
    """

    def __init__(self, path: str):
        """Read the file."""
        self._path = path
        self._ids: Dict[str, Set[Id]] = {}
        try:
            data = json.loads(read_file(path, LARGEST_LABELS).decode('utf-8-sig'))
            for image in data['images']:
                self._add(image['file_name'], image['id'])
            self.person = _person(data.get('categories') or [])
        except OSError as error:
            raise PoseRosError('cannot read the annotations {}: {}'.format(path, error.strerror))
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise PoseRosError('{} is not a COCO annotation file: {} {}'.format(
                path, type(error).__name__, error))

    def find(self, name: str) -> Id:
        """Return the id of an image by its file name, or by its name without the ending."""
        found = self._ids.get(name) or self._ids.get(os.path.splitext(name)[0]) or set()
        if len(found) == 1:
            return next(iter(found))
        raise PoseRosError('{}: {} lists {} of this name, so the COCO image_id is unknown'.format(
            name, self._path, 'several images' if found else 'no image'))

    def _add(self, name, image_id):
        if isinstance(image_id, bool) or not isinstance(image_id, (int, str)):
            raise ValueError('the id {!r} of {!r} is neither number nor text'.format(
                image_id, name))
        name = name.replace('\\', '/').rpartition('/')[2]
        for key in {name, os.path.splitext(name)[0]}:
            self._ids.setdefault(key, set()).add(image_id)


def _person(categories: Any) -> Id:
    named = [category for category in categories if category.get('name') == 'person']
    labelled = [category for category in categories if category.get('keypoints')]
    found = named or (labelled if len(labelled) == 1 else [])
    return found[0]['id'] if found else PERSON
