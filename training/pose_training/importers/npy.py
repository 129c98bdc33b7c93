# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Read tf-pose-estimation's openpose_coco.npy: a dict of arrays, pickled in a .npy file."""
import mmap
import os
from typing import Dict

import numpy as np
from numpy.lib import format as npy_format

from pose_ros.core.reading import LARGEST_EXTERNAL, open_regular
from pose_training.errors import WeightsError
from pose_training.importers.limits import (Budget, checked_name, MOST_NAMES,
                                            most_elements)
from pose_training.importers.matching import Weights
from pose_training.importers.pickled import Rebuilt, read_pickle
from pose_training.importers.tf_names import to_state
from pose_training.models.registry import NetworkSpec

_HEADERS = {(1, 0): npy_format.read_array_header_1_0, (2, 0): npy_format.read_array_header_2_0}


def read_weights(path: str, spec: NetworkSpec) -> Weights:
    """Return {layer: {'weights', 'biases'}}, or flat {variable: array}, under state names.

    Kernels (kh, kw, in, out) become (out, in, kh, kw); the state of the optimizer is left out. The
    pickle is read as data: nothing in it is imported or called. WeightsError for other content.
    """
    try:
        with open_regular(path, LARGEST_EXTERNAL) as stream, \
                mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as data:
            content = _content(data)
    except OSError as error:
        raise WeightsError('cannot read {}: {}'.format(path, error.strerror)) from error
    except ValueError as error:  # of mmap, NumPy's header, or the pickle
        raise WeightsError('{} is no .npy file of weights: {}'.format(path, error)) from error
    variables = _variables(path, content, most_elements(spec))
    if sum(array.nbytes for array in variables.values()) > os.path.getsize(path):
        raise WeightsError('{} repeats its arrays until they are larger than the file; it is not '
                           'a file of tf-pose-estimation'.format(path))
    # Copied, because PyTorch needs writable arrays.
    return Weights({name: np.require(array, requirements='W')
                    for name, array in to_state(variables, path).items()})


def _content(data):
    # np.load would give the content to pickle, which can run any code.
    shape, dtype = _header(data)
    if not dtype.hasobject or shape:
        raise ValueError('it holds an array of {}, shape {}, and no dict of layers'.format(
            dtype, shape))
    return _unwrapped(read_pickle(data, 2 * data.size()))


def _header(data):
    version = npy_format.read_magic(data)
    if version not in _HEADERS:
        raise ValueError('version {}.{} of the format never holds objects'.format(*version))
    try:
        shape, _, dtype = _HEADERS[version](data)
    except Exception as error:  # of Python's tokenizer, parser and more: NumPy lets many through
        raise ValueError('its header is damaged ({})'.format(str(error)[:80])) from error
    return shape, dtype


def _variables(path, content, most) -> Dict[str, np.ndarray]:
    if not isinstance(content, dict) or not content:
        raise WeightsError('{} holds no dict of layers but {}; it is not what tf-pose-estimation '
                           'writes'.format(path, type(content).__name__))
    variables = {}
    names = Budget(MOST_NAMES, path, 'holds more arrays than any network')
    numbers = Budget(most, path, 'holds more numbers than the network')
    for key, value in content.items():
        layer = checked_name(_text(key), path)
        parts = value if isinstance(value, dict) else {None: value}
        for part, array in parts.items():
            name = layer if part is None else '{}/{}'.format(
                layer, checked_name(_text(part), path))
            array = _unwrapped(array)
            if not isinstance(array, np.ndarray):
                raise WeightsError('{}: {} is no array of numbers but {}; it is not what '
                                   'tf-pose-estimation writes'.format(path, name,
                                                                      type(array).__name__))
            names.spend(1)
            numbers.spend(array.size)
            variables[name] = array
    return variables


def _unwrapped(value):
    return value.value if isinstance(value, Rebuilt) else value


def _text(key):
    return key.decode('latin-1') if isinstance(key, bytes) else key
