# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""The entries of keypoint files, in the one form that this package works with.

Tools write ids as numbers or text, numbers as text, and `null` for nothing.
"""
import os
from typing import Any, Dict, List, Mapping, Optional, Sequence

from pose_training.errors import DataError

_SINGLE, _LISTS = ('area', 'score'), ('bbox', 'conf')


def id_of(value: Any) -> Any:
    """Return an id as an int if it is a whole number or digits, else as it is."""
    if isinstance(value, str) and value.strip().isdecimal():
        return int(value)
    return int(value) if isinstance(value, float) and value.is_integer() else value


def number_of(value: Any) -> Any:
    """Return a number that is written as text as a number, anything else as it is."""
    if isinstance(value, str):
        try:
            return float(value)
        except ValueError:
            pass
    return value


def numbers_of(values: Any) -> Any:
    """Return a list (of lists) of numbers with each text as a number."""
    if not isinstance(values, list):
        return number_of(values)
    return [numbers_of(value) for value in values] \
        if any(isinstance(value, (str, list)) for value in values) else values


def image_entries(entries: Sequence[Mapping], path: str) -> List[Dict[str, Any]]:
    """Return the images of a file: `id`, `file_name`, and `width` and `height` if they are known.

    Raises DataError for an invalid entry, and for two images of one id.
    """
    try:
        images = [_image(entry) for entry in entries]
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise DataError('{}: an entry of its images is invalid: {} {}'.format(
            path, type(error).__name__, error)) from error
    if len({image['id'] for image in images}) != len(images):
        raise DataError('{}: two images have the same id'.format(path))
    return images


def _image(entry):
    if not isinstance(entry['file_name'], str):
        raise TypeError('the file name {!r} is no text'.format(entry['file_name']))
    image = {**entry, 'id': id_of(entry['id'])}
    size = [number_of(image.pop(side, None)) for side in ('width', 'height')]
    if all(side is not None and side > 0 for side in size):
        image.update(width=int(size[0]), height=int(size[1]))
    return image


def image_path(folder: str, name: str) -> str:
    """Return the path of an image; a name that was written on Windows has backslashes."""
    path = os.path.join(folder, name)
    if '\\' in name and not os.path.isfile(path):
        return os.path.join(folder, name.replace('\\', '/'))
    return path


def person_entry(entry: Mapping, places: Optional[Sequence[Optional[int]]]) -> Dict[str, Any]:
    """Return an annotation of a person.

    `places` are the indices of the keypoints of the file in its category, None for one that the
    category lacks; without `places` both are the same.
    """
    person = {**entry, 'image_id': id_of(entry['image_id'])}
    for name in _SINGLE + _LISTS + ('keypoints', 'segmentation', 'iscrowd'):
        if name in person:
            value = person[name]
            if value is None:
                del person[name]
            elif name != 'segmentation' or isinstance(value, list):
                person[name] = numbers_of(value)
    if 'iscrowd' in person:
        person['iscrowd'] = int(bool(person['iscrowd']))
    if places is not None:
        _rearrange(person, places)
    return person


def _rearrange(person, places):
    for name, width in (('keypoints', 3), ('conf', 1)):
        values = person.get(name)
        if values and isinstance(values, list):
            person[name] = [value for place in places for value in (
                [0] * width if place is None else values[width * place:width * (place + 1)])]
