# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""MATLAB files of versions 5 to 7.2, checked before SciPy builds objects of them.

Format: MathWorks, MAT-File Format (R2022b), chapter 1. SciPy trusts the sizes in a file: a few
bytes can claim gigabytes, and cells within cells exhaust its stack.
"""
import io
import math
import struct
from typing import Any, Dict, List, Tuple
import zlib

import numpy as np

from pose_ros.core.reading import MIB, read_file
from pose_training.errors import DataError

LARGEST_MAT = 256 * MIB     # MPII's annotations have 13 MB
LARGEST_UNPACKED = 512 * MIB
MOST_ARRAYS = 8 << 20       # cells and fields; MPII's annotations have 3 million
DEEPEST = 24
_HEADER = 128
_COMPRESSED, _MATRIX = 15, 14
_CELL, _STRUCT, _CHAR = 1, 2, 4
_NUMBERS = range(6, 16)
_OTHERS = {3: 'an object', 5: 'a sparse matrix', 16: 'a function', 17: 'an object'}


def read_mat(path: str, *names: str) -> Dict[str, Any]:
    """Return variables of a file by name, as SciPy's loadmat with squeezed mat_struct objects.

    `names` are the variables to read, those that the file has. DataError names the file and the
    fault: another format, damage, more than LARGEST_UNPACKED bytes, arrays larger than their data.
    """
    from scipy.io import loadmat
    from scipy.io.matlab import MatReadError
    try:
        content = read_file(path, LARGEST_MAT)
        _Checker(content, names).check()
        found = loadmat(io.BytesIO(content), struct_as_record=False, squeeze_me=True,
                        variable_names=list(names))
    except OSError as error:
        raise DataError('cannot read {}: {}'.format(path, error.strerror or error)) from error
    except (MatReadError, ValueError, TypeError, KeyError, IndexError, struct.error, zlib.error,
            UnicodeError, NotImplementedError, MemoryError) as error:
        raise DataError('{} is not a readable MATLAB file: {}'.format(path, error)) from error
    return {name: value for name, value in found.items() if not name.startswith('__')}


def fields(value: Any) -> Tuple[str, ...]:
    """Return the names of the fields of a struct; none of anything else."""
    return tuple(getattr(value, '_fieldnames', ()))


def items(value: Any) -> List[Any]:
    """Return the elements of an array, or a single value as a list; [] for an empty one."""
    if isinstance(value, np.ndarray):
        return list(value.ravel())
    return [] if value is None else [value]


class _Checker:
    """Walks through the arrays of a file without building any."""

    def __init__(self, content: bytes, names):
        self._content, self._names = content, names
        self._arrays = 0
        self._left = LARGEST_UNPACKED

    def check(self) -> None:
        """Raise ValueError for a fault in one of the variables."""
        head = self._content[:_HEADER]
        if head[:11] == b'MATLAB 7.3 '[:11] or self._content[512:516] == b'\x89HDF' \
                or self._content[:4] == b'\x89HDF':
            raise ValueError('it has version 7.3 (HDF5); save it in MATLAB with the option -v7')
        if len(head) < _HEADER or head[126:128] not in (b'IM', b'MI'):
            raise ValueError('it has no header of a MATLAB file of version 5')
        order = '<' if head[126:128] == b'IM' else '>'
        data, place = memoryview(self._content), _HEADER
        while place + 8 <= len(data):
            kind, start, end, place = _element(data, place, order)
            part = data[start:end]
            if kind == _COMPRESSED:
                place = end  # these alone are not padded
                part = self._inflated(part)
                kind, start, end, _ = _element(part, 0, order)
                part = part[start:end]
            if kind == _MATRIX and _name(part, order) in self._names:
                self._matrix(part, order, 0)

    def _inflated(self, part):
        inflater = zlib.decompressobj()
        data = inflater.decompress(part, self._left + 1)
        self._left -= len(data)
        if self._left < 0:
            raise ValueError('it has more than {} MB of data'.format(LARGEST_UNPACKED // MIB))
        return memoryview(data)

    def _matrix(self, part, order, depth):
        self._arrays += 1
        if self._arrays > MOST_ARRAYS or depth > DEEPEST:
            raise ValueError('it has more than {} arrays, or more than {} within each '
                             'other'.format(MOST_ARRAYS, DEEPEST))
        if not len(part):
            return
        kind, count, place = _array_head(part, order)
        if kind in _OTHERS or kind not in (_CELL, _STRUCT, _CHAR, *_NUMBERS):
            raise ValueError('it has {}, which is not read'.format(_OTHERS.get(
                kind, 'an array of the unknown class {}'.format(kind))))
        if kind == _CELL:
            self._children(part, place, order, count, depth)
        elif kind == _STRUCT:
            _, start, end, place = _element(part, place, order)
            length = int.from_bytes(part[start:end], 'little' if order == '<' else 'big')
            _, start, end, place = _element(part, place, order)
            each = (end - start) // length if length > 0 else 0
            if not each and count > 1:
                raise ValueError('it has {} structs without fields'.format(count))
            self._children(part, place, order, count * each, depth)
        elif count:
            _, start, end, _ = _element(part, place, order)
            if count > end - start:
                raise ValueError('an array claims {} values, but has {} bytes'.format(
                    count, end - start))

    def _children(self, part, place, order, count, depth):
        if 8 * count > len(part) - place:
            raise ValueError('an array claims {} elements, but has {} bytes'.format(
                count, len(part) - place))
        for _ in range(count):
            kind, start, end, place = _element(part, place, order)
            if kind != _MATRIX:
                raise ValueError('an element of a cell or struct is no array')
            self._matrix(part[start:end], order, depth + 1)


def _element(data, place, order):
    """Return the type of an element, the start and end of its data, and where the next begins."""
    first, count = struct.unpack_from(order + 'II', data, place)
    if first >> 16:  # the small form: data in place of the count
        start, end, following = place + 4, place + 4 + (first >> 16), place + 8
        first &= 0xffff
        if end > following:
            raise ValueError('an element is larger than its place')
    else:
        start, end = place + 8, place + 8 + count
        following = end + -end % 8
    if end > len(data):
        raise ValueError('it is cut short')
    return first, start, end, following


def _array_head(part, order):
    """Return the class of an array, the number of its elements, and where its content begins."""
    _, start, _, place = _element(part, 0, order)
    flags, = struct.unpack_from(order + 'I', part, start)
    _, start, end, place = _element(part, place, order)
    sides = struct.unpack_from('{}{}i'.format(order, (end - start) // 4), part, start)
    if len(sides) > 32 or any(side < 0 for side in sides):
        raise ValueError('an array has invalid sizes')
    _, _, _, place = _element(part, place, order)  # its name
    return flags & 0xff, math.prod(sides), place


def _name(part, order):
    place = 0
    for _ in range(3):
        _, start, end, place = _element(part, place, order)
    return bytes(part[start:end]).decode('latin-1')
