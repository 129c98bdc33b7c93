# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""The number types of inputs and outputs, alike on every engine.

An engine is called with float32 and returns float32. What a model file has instead is converted
here, or refused when the file is loaded.
"""
from typing import Dict, Mapping, Optional, Sequence

import numpy as np

from pose_ros.core.errors import ModelError

# The names of ONNX Runtime ('tensor(float)'), OpenVINO ('f32') and NumPy ('float32').
_NAMES = {
    np.float32: ('float', 'f32'), np.float64: ('double', 'f64'), np.float16: ('f16',),
    np.uint8: ('u8',), np.int8: ('i8',), np.uint16: ('u16',), np.int16: ('i16',),
    np.uint32: ('u32',), np.int32: ('i32',), np.uint64: ('u64',), np.int64: ('i64',),
    np.bool_: ('boolean',)}
_TYPES = {name: np.dtype(kind) for kind, names in _NAMES.items()
          for name in names + (np.dtype(kind).name,)}


def tensor_type(name: str) -> Optional[np.dtype]:
    """Return the type of a tensor by its name in a runtime; None if NumPy has no such numbers."""
    inner = name[len('tensor('):-1] if name.startswith('tensor(') else name
    return _TYPES.get(inner)


def check_inputs(names: Sequence[str], path: str) -> np.dtype:
    """Return the type of the only input of a network, given the names of the types of all.

    ModelError unless there is one input, of floats or whole numbers.
    """
    if len(names) != 1:
        raise ModelError('{}: the network must have one input, the image, not {}'.format(
            path, len(names)))
    found = tensor_type(names[0])
    if found is None or found.kind == 'b':
        raise ModelError('{}: the input has the type {}, which holds no pixel values: export the '
                         'network with an input of float32, float16 or uint8'.format(
                             path, names[0]))
    return found


def to_input(batch: np.ndarray, kind: np.dtype) -> np.ndarray:
    """Return a float32 batch in the type of the input; itself if that is float32.

    For whole numbers, values are rounded and must be in the range of the type.
    """
    if kind == np.float32:
        return batch
    return (batch if kind.kind == 'f' else np.rint(batch)).astype(kind)


def to_output(array: np.ndarray) -> np.ndarray:
    """Return floats as float32, itself if it is float32; other types are left as they are."""
    return array.astype(np.float32) if array.dtype.kind == 'f' and array.dtype != np.float32 \
        else array


def without_numbers(types: Mapping[str, str]) -> Dict[str, str]:
    """Return the outputs, by name, whose type (a runtime's name) NumPy does not have."""
    return {name: kind for name, kind in types.items() if tensor_type(kind) is None}
