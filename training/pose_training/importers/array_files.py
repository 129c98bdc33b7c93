# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Files that hold a pickled dict of arrays, and their content as variables by name."""
import mmap
import os
from typing import Any, Callable, Dict

import numpy as np

from pose_ros.core.reading import LARGEST_EXTERNAL, open_regular
from pose_training.errors import WeightsError
from pose_training.importers.limits import Budget, checked_name, MOST_NAMES
from pose_training.importers.pickled import Rebuilt


def read_arrays(path: str, kind: str, parse: Callable[[mmap.mmap], Any],
                most: int) -> Dict[str, np.ndarray]:
    """Return the arrays of {variable: array} or {layer: {part: array}}, named `layer/part`.

    `parse` reads the content with read_pickle; it raises ValueError for another one. `kind` names
    the file in errors; `most` is the number of numbers that it may hold. Raises WeightsError.
    """
    try:
        with open_regular(path, LARGEST_EXTERNAL) as stream, \
                mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as data:
            content = unwrapped(parse(data))
    except OSError as error:
        raise WeightsError('cannot read {}: {}'.format(path, error.strerror)) from error
    except ValueError as error:  # of mmap, a header, or the pickle
        raise WeightsError('{} is no {} of weights: {}'.format(path, kind, error)) from error
    variables = _variables(path, content, most)
    if sum(array.nbytes for array in variables.values()) > os.path.getsize(path):
        raise WeightsError('{} repeats its arrays until they are larger than the file; it is not '
                           'a file of weights'.format(path))
    return variables


def _variables(path, content, most) -> Dict[str, np.ndarray]:
    if not isinstance(content, dict) or not content:
        raise WeightsError('{} holds no dict of layers but {}; it is not a file of '
                           'weights'.format(path, type(content).__name__))
    variables = {}
    names = Budget(MOST_NAMES, path, 'holds more arrays than any network')
    numbers = Budget(most, path, 'holds more numbers than the network')
    for key, value in content.items():
        layer = checked_name(_text(key), path)
        parts = value if isinstance(value, dict) else {None: value}
        for part, array in parts.items():
            name = layer if part is None else '{}/{}'.format(
                layer, checked_name(_text(part), path))
            array = unwrapped(array)
            if not isinstance(array, np.ndarray):
                raise WeightsError('{}: {} is no array of numbers but {}; it is not a file of '
                                   'weights'.format(path, name, type(array).__name__))
            names.spend(1)
            numbers.spend(array.size)
            variables[name] = array
    return variables


def unwrapped(value):
    """Return the array of a Rebuilt; other values as they are."""
    return value.value if isinstance(value, Rebuilt) else value


def _text(key):
    return key.decode('latin-1') if isinstance(key, bytes) else key
