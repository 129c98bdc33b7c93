# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Check an ONNX file before a library reads it: its versions, and where its external data is.

The structure is walked, the weights are skipped. Field numbers: onnx/onnx.proto. External data:
https://github.com/onnx/onnx/blob/main/docs/ExternalData.md.
"""
import hashlib
import mmap
import os
from typing import Dict, Iterator, List, Tuple

from pose_ros.core.errors import ModelError
from pose_ros.core.files import sha256
from pose_ros.core.quoting import quoted
from pose_ros.core.reading import (check_regular, LARGEST_EXTERNAL, LARGEST_MODEL, open_regular,
                                   read_file)

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
# Message -> the fields that hold messages which may lead to a tensor, or to a version.
_MESSAGES: Dict[str, Dict[int, str]] = {
    'model': {7: 'graph', 8: 'opset', 20: 'training', 25: 'function'},
    'graph': {1: 'node', 5: 'tensor', 15: 'sparse'},
    'node': {5: 'attribute'},
    'attribute': {5: 'tensor', 6: 'graph', 10: 'tensor', 11: 'graph', 22: 'sparse', 23: 'sparse'},
    'sparse': {1: 'tensor', 2: 'tensor'},
    'training': {1: 'graph', 2: 'graph'},
    'function': {7: 'node', 9: 'opset', 11: 'attribute'},
    'opset': {},
    'tensor': {13: 'external'},
    'external': {},
}
_IR_VERSION, _OPSET_VERSION = 1, 2  # of the messages model and opset
_NEWEST = 1000                      # of both; OpenVINO 2026.4 never returns from an opset of 2^31
_TENSOR_NAME, _DATA_LOCATION, _EXTERNAL = 8, 14, 1
_DEEPEST = 32         # messages
_MOST_FIELDS = 2000000  # a few seconds; the largest networks have 100,000


def check_onnx(path: str) -> List[str]:
    """Return the files of the external data of an ONNX file, without repeats.

    ModelError if the file is damaged, names an impossible version, or has external data that is
    not in the folder of the model.
    """
    try:
        with open_regular(path, LARGEST_MODEL) as stream, \
                mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as data:
            walk = _Walk(path, data)
            walk.message('model', 0, len(data), 0)
    except OSError as error:
        raise ModelError('cannot read the model {}: {}'.format(path, error.strerror or error))
    except ModelError:
        raise
    except (ValueError, IndexError) as error:  # of an empty file too
        raise ModelError('{} is not a complete ONNX file ({}); copy or export it again'.format(
            path, error))
    return sorted({_external_file(path, *tensor) for tensor in walk.tensors})


def read_onnx(path: str) -> bytes:
    """Return the content of an ONNX file; errors as above."""
    check_onnx(path)
    try:
        return read_file(path, LARGEST_MODEL)
    except OSError as error:
        raise ModelError('cannot read the model {}: {}'.format(path, error.strerror or error))


def model_digest(path: str) -> str:
    """Return the SHA-256 of an ONNX file, or of it and its external data; errors as above."""
    files = check_onnx(path)
    digests = [sha256(name) for name in [path] + files]
    return digests[0] if not files else hashlib.sha256(''.join(digests).encode()).hexdigest()


class _Walk:
    """Reads the structure of one file; collects (name, entries) of tensors outside of it."""

    def __init__(self, path, data):
        self._path, self._data, self._fields_left = path, data, _MOST_FIELDS
        self.tensors: List[Tuple[str, Dict[str, str]]] = []

    def message(self, kind, start, end, depth):
        """Read one message of a kind, and those within it."""
        if depth > _DEEPEST:
            raise ValueError('its graphs are nested too deep')
        known = _MESSAGES[kind]
        if kind == 'tensor':
            self._tensor(start, end)
            return
        for field, wire, first, last in self._fields(start, end):
            if wire == _BYTES and field in known:
                self.message(known[field], first, last, depth + 1)
            elif wire == _VARINT and (kind, field) in (('model', _IR_VERSION),
                                                       ('opset', _OPSET_VERSION)):
                self._check_version('IR version' if kind == 'model' else 'opset', first)

    def _check_version(self, what, number):
        if not 1 <= number <= _NEWEST:
            raise ModelError('{}: its {} is {}, which does not exist; export the model '
                             'again'.format(self._path, what, number))

    def _tensor(self, start, end):
        name, entries, outside = '', {}, False
        for field, wire, first, last in self._fields(start, end):
            if field == _TENSOR_NAME and wire == _BYTES:
                name = self._text(first, last)
            elif field == 13 and wire == _BYTES:
                pair = {number: self._text(a, b)
                        for number, kind, a, b in self._fields(first, last) if kind == _BYTES}
                entries[pair.get(1, '')] = pair.get(2, '')
            elif field == _DATA_LOCATION and wire == _VARINT:
                outside = first == _EXTERNAL
        if outside or entries:
            self.tensors.append((name, entries))

    def _text(self, first, last):
        return self._data[first:min(last, first + 4096)].decode('utf-8', 'backslashreplace')

    def _fields(self, start, end) -> Iterator[Tuple[int, int, int, int]]:
        """Yield (field, wire type, value or first byte, last byte) of a message."""
        while start < end:
            self._fields_left -= 1
            if self._fields_left < 0:
                raise ValueError('it has more than {} fields'.format(_MOST_FIELDS))
            tag, start = self._varint(start)
            field, wire, first = tag >> 3, tag & 7, start
            if wire == _VARINT:
                first, start = self._varint(start)
            elif wire == _BYTES:
                length, first = self._varint(start)
                start = first + length
            elif wire in (_FIXED64, _FIXED32):
                start += 8 if wire == _FIXED64 else 4
            else:
                raise ValueError('unexpected wire type {}'.format(wire))
            if start > end or not field:
                raise ValueError('it ends early' if field else 'it starts with a wrong tag')
            yield field, wire, first, start

    def _varint(self, place):
        value = 0
        for shift in range(0, 70, 7):
            byte = self._data[place]
            place += 1
            value |= (byte & 0x7f) << shift
            if not byte & 0x80:
                return value, place
        raise ValueError('a number is too long')


def _external_file(path, name, entries):
    """Return the path of the file that holds a tensor's data; ModelError unless it may."""
    location = entries.get('location', '')
    folder = os.path.dirname(os.path.abspath(path))
    target = os.path.join(folder, location)
    try:
        _check_location(location, target, path)
        check_regular(target, LARGEST_EXTERNAL)
        offset, length = (int(entries.get(key) or 0) for key in ('offset', 'length'))
        if min(offset, length) < 0 or offset + length > os.path.getsize(target):
            raise ValueError('the file is too short')
    except (OSError, ValueError) as error:
        raise ModelError(
            '{}: the weights {} are in another file, {}, which cannot be used: {}. Such a file '
            'must be in the folder of the model; copy it there, or save the model as one '
            'file'.format(path, quoted(name), quoted(location),
                          getattr(error, 'strerror', None) or error))
    return target


def _check_location(location, target, path):
    if not location:
        raise ValueError('it has no name')
    if os.path.isabs(location) or '..' in location.replace('\\', '/').split('/'):
        raise ValueError('it lies outside')
    real = os.path.realpath(target)
    # A model that is a link may have its data beside the link or beside the file itself.
    homes = {os.path.realpath(os.path.dirname(os.path.abspath(path))),
             os.path.dirname(os.path.realpath(path))}
    if not any(real.startswith(os.path.join(home, '')) for home in homes):
        raise ValueError('it is a link to a file outside')
