# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Read and write the metadata of an ONNX file without loading its network.

Every engine needs the metadata, so no runtime is loaded to read it. Only the outermost level of
the protobuf message is parsed (field numbers: onnx/onnx.proto, ModelProto and
StringStringEntryProto; wire format: https://protobuf.dev/programming-guides/encoding).
"""
import io
import os
from typing import Dict, Iterator, Tuple

from pose_ros.core.errors import ModelError
from pose_ros.core.reading import LARGEST_MODEL, open_regular

_MODEL_IR_VERSION, _MODEL_GRAPH, _MODEL_METADATA = 1, 7, 14
_ENTRY_KEY, _ENTRY_VALUE = 1, 2
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_LONGEST_PROPERTY = 16 << 20


def read_metadata(path: str) -> Dict[str, str]:
    """Return the metadata properties of an ONNX file; ModelError if it is invalid or cut."""
    properties, seen = {}, set()
    try:
        with open_regular(path, LARGEST_MODEL) as stream:
            for field, payload in _fields(stream, os.fstat(stream.fileno()).st_size):
                seen.add(field)
                if field == _MODEL_METADATA:
                    key, value = _entry(payload)
                    properties[key] = value
    except OSError as error:
        raise ModelError('cannot read the model {}: {}'.format(path, error.strerror or error))
    except (ValueError, IndexError) as error:
        raise ModelError('{} is not a complete ONNX file ({}); copy or export it again'.format(
            path, error))
    if not {_MODEL_IR_VERSION, _MODEL_GRAPH} <= seen:
        raise ModelError('{} is not an ONNX model: it holds no graph'.format(path))
    return properties


def with_metadata(model: bytes, key: str, value: str) -> bytes:
    """Return an ONNX file's bytes with one more property (later entries of a key win)."""
    entry = _tagged(_ENTRY_KEY, key.encode('utf-8')) + _tagged(_ENTRY_VALUE, value.encode('utf-8'))
    return model + _tagged(_MODEL_METADATA, entry)


def _fields(stream, size) -> Iterator[Tuple[int, bytes]]:
    """Yield (field number, payload) of one message; only small payloads are read."""
    while stream.tell() < size:
        tag = _read_varint(stream)
        field, kind = tag >> 3, tag & 7
        payload = b''
        if kind == _VARINT:
            _read_varint(stream)
        elif kind in (_FIXED64, _FIXED32):
            stream.seek(8 if kind == _FIXED64 else 4, os.SEEK_CUR)
        elif kind == _BYTES:
            length = _read_varint(stream)
            if stream.tell() + length > size:
                raise ValueError('it ends early')
            if field == _MODEL_METADATA and length < _LONGEST_PROPERTY:
                payload = stream.read(length)
            else:
                stream.seek(length, os.SEEK_CUR)
        else:
            raise ValueError('unexpected wire type {}'.format(kind))
        if stream.tell() > size or not field:
            raise ValueError('it ends early' if field else 'it starts with a wrong tag')
        yield field, payload


def _read_varint(stream):
    value = 0
    for shift in range(0, 70, 7):
        byte = stream.read(1)[0]
        value |= (byte & 0x7f) << shift
        if not byte & 0x80:
            return value
    raise ValueError('a number is too long')


def _entry(payload):
    """Decode a StringStringEntryProto; both of its fields are strings."""
    values, stream = {}, io.BytesIO(payload)
    while stream.tell() < len(payload):
        field, length = _read_varint(stream) >> 3, _read_varint(stream)
        if length > len(payload):  # beyond 2^63 a stream raises OverflowError
            raise ValueError('a property ends early')
        values[field] = stream.read(length).decode('utf-8')
    return values.get(_ENTRY_KEY, ''), values.get(_ENTRY_VALUE, '')


def _tagged(field, payload):
    length, varint = len(payload), bytearray([field << 3 | _BYTES])
    while length >= 0x80:
        varint.append(length & 0x7f | 0x80)
        length >>= 7
    varint.append(length)
    return bytes(varint) + payload
