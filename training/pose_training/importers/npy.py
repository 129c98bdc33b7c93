# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Read tf-pose-estimation's openpose_coco.npy: a dict of arrays, pickled in a .npy file."""
from numpy.lib import format as npy_format

from pose_training.importers.array_files import read_arrays, unwrapped
from pose_training.importers.limits import most_elements
from pose_training.importers.matching import Weights
from pose_training.importers.pickled import read_pickle
from pose_training.importers.tf_names import to_state
from pose_training.models.registry import NetworkSpec

_HEADERS = {(1, 0): npy_format.read_array_header_1_0, (2, 0): npy_format.read_array_header_2_0}


def read_weights(path: str, spec: NetworkSpec) -> Weights:
    """Return {layer: {'weights', 'biases'}}, or flat {variable: array}, under state names.

    Kernels (kh, kw, in, out) become (out, in, kh, kw); the state of the optimizer is left out. The
    pickle is read as data: nothing in it is imported or called. WeightsError for other content.
    """
    variables = read_arrays(path, '.npy file', _content, most_elements(spec))
    return Weights(to_state(variables, path))


def _content(data):
    # np.load would give the content to pickle, which can run any code.
    shape, dtype = _header(data)
    if not dtype.hasobject or shape:
        raise ValueError('it holds an array of {}, shape {}, and no dict of layers'.format(
            dtype, shape))
    return unwrapped(read_pickle(data, 2 * data.size()))


def _header(data):
    version = npy_format.read_magic(data)
    if version not in _HEADERS:
        raise ValueError('version {}.{} of the format never holds objects'.format(*version))
    try:
        shape, _, dtype = _HEADERS[version](data)
    except Exception as error:  # of Python's tokenizer, parser and more: NumPy lets many through
        raise ValueError('its header is damaged ({})'.format(str(error)[:80])) from error
    return shape, dtype
