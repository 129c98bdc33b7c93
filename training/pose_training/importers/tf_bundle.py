# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Read a TensorFlow checkpoint of version 2: a table of entries (.index) and data shards.

Formats: LevelDB's doc/table_format.md, and tensorflow/core/protobuf/tensor_bundle.proto.
"""
import struct
from typing import Any, Dict, Iterator, Tuple

import numpy as np
from google.protobuf.message import DecodeError

from pose_ros.core.reading import LARGEST_EXTERNAL, open_regular
from pose_training.errors import WeightsError
from pose_training.importers.crc32c import masked_crc32c
from pose_training.importers.limits import (Budget, checked_name, elements, MOST_AXES,
                                             MOST_NAMES, read_bounded)
from pose_training.importers.messages import message_classes

_MOST_INDEX_BYTES = 1 << 24
_MOST_KEY_BYTES = 1 << 24
_LONGEST_KEY = 1 << 12
_FOOTER = 48
_MAGIC = 0xDB4775248B80FB57
_TYPES = {1: '<f4', 2: '<f8', 3: '<i4', 9: '<i8', 19: '<f2'}  # numbers of types.proto
_PART = b'\0'  # first byte of the key of a part of a partitioned variable
_MESSAGES = message_classes('pose_training.bundle', {
    'Header': {'num_shards': (1, 'int32'), 'endianness': (2, 'int32')},
    'Entry': {'dtype': (1, 'int32'), 'shape': (2, 'Shape'), 'shard_id': (3, 'int32'),
              'offset': (4, 'int64'), 'size': (5, 'int64'), 'crc32c': (6, 'fixed32'),
              'slices': (7, ['Shape'])},
    'Shape': {'dim': (2, ['Dimension'])},
    'Dimension': {'size': (1, 'int64')},
})


class Bundle:
    """The variables of the checkpoint `prefix`; WeightsError for a damaged or other file.

    `names` are the names of the variables; `read` returns a variable, and all that are read have
    at most `most_elements` numbers.
    """

    def __init__(self, prefix: str, most_elements: int):
        self._prefix = prefix
        self._index = prefix + '.index'
        self._most = most_elements
        self._numbers = Budget(most_elements, prefix, 'holds more numbers than the network')
        entries = dict(self._entries())
        try:
            self._header = _MESSAGES['Header'].FromString(entries.pop(b'', b''))
            self._variables: Dict[str, Any] = {
                checked_name(name.decode(), self._index): _MESSAGES['Entry'].FromString(value)
                for name, value in entries.items() if not name.startswith(_PART)}
        except (DecodeError, UnicodeDecodeError) as error:
            raise self._damaged('it holds an entry that cannot be read') from error
        if self._header.num_shards < 1 or self._header.endianness:
            raise self._damaged('it is no checkpoint of a little-endian machine')
        self.names = list(self._variables)

    def read(self, name: str) -> np.ndarray:
        """Return a variable."""
        entry = self._variables[name]
        shape = [dimension.size for dimension in entry.shape.dim]
        where = 'variable {!r}'.format(name)
        if entry.slices:
            raise WeightsError('{}: {} is stored in parts (partitioned); save the checkpoint '
                               'again without a partitioner'.format(self._prefix, where))
        count = elements(shape, self._most)
        if entry.dtype not in _TYPES or count < 0:
            raise self._damaged('{} has data type {} and shape {}, which no network here has'
                                .format(where, entry.dtype, shape[:MOST_AXES + 1]))
        dtype = np.dtype(_TYPES[entry.dtype])
        if entry.size != count * dtype.itemsize:
            raise self._damaged('{} of shape {} has {} bytes'.format(where, shape, entry.size))
        self._numbers.spend(count)
        content = self._content(entry, where)
        return np.frombuffer(content, dtype).reshape(shape)

    def _content(self, entry, where):
        shard = '{}.data-{:05d}-of-{:05d}'.format(self._prefix, entry.shard_id,
                                                  self._header.num_shards)
        try:
            with open_regular(shard, LARGEST_EXTERNAL) as stream:
                stream.seek(entry.offset)
                content = stream.read(entry.size)
        except (OSError, ValueError) as error:
            raise WeightsError('{} cannot be read ({}); a checkpoint needs all of its files, '
                               '.index and .data'.format(shard, error)) from error
        if len(content) != entry.size:
            raise WeightsError('{} is cut short: {} ends after {} of {} bytes; copy it again'
                               .format(shard, where, len(content), entry.size))
        if masked_crc32c(content) != entry.crc32c:
            raise WeightsError('{} is damaged: the checksum of {} is wrong; copy it again'.format(
                shard, where))
        return content

    def _entries(self) -> Iterator[Tuple[bytes, bytes]]:
        """Yield the keys and values of the table; its index block points to the others."""
        content = read_bounded(self._index, _MOST_INDEX_BYTES, 'index of a checkpoint')
        self._blocks = Budget(len(content), self._index, 'names some blocks many times')
        self._keys = Budget(_MOST_KEY_BYTES, self._index, 'holds names without end')
        self._count = Budget(MOST_NAMES, self._index, 'holds more variables than any network')
        if len(content) < _FOOTER or struct.unpack('<Q', content[-8:])[0] != _MAGIC:
            raise self._damaged('it does not end like one')
        try:
            _, position = _handle(content, len(content) - _FOOTER)
            index, _ = _handle(content, position)
            for _, value in self._block(content, *index):
                yield from self._block(content, *_handle(value, 0)[0])
        except (IndexError, struct.error) as error:
            raise self._damaged('a block ends too early') from error

    def _block(self, content, offset, size):
        """Yield the entries of a block; a key begins like the one before."""
        block, trailer = content[offset:offset + size], content[offset + size:offset + size + 5]
        self._blocks.spend(len(block) + len(trailer))
        compression, checksum = struct.unpack('<BI', trailer)
        if masked_crc32c(block + trailer[:1]) != checksum:
            raise self._damaged('the checksum of a block is wrong')
        if compression:
            raise self._damaged('it is compressed, as TensorFlow never writes it')
        restarts = struct.unpack('<I', block[-4:])[0]
        position, end, key = 0, len(block) - 4 * (restarts + 1), b''
        while position < end:
            shared, position = _varint(block, position)
            added, position = _varint(block, position)
            length, position = _varint(block, position)
            key = key[:shared] + block[position:position + added]
            position += added + length
            self._count.spend(1)
            self._keys.spend(len(key))
            if len(key) > _LONGEST_KEY:
                raise self._damaged('it has a name of {} bytes'.format(len(key)))
            yield key, block[position - length:position]

    def _damaged(self, reason):
        return WeightsError('{} is no index of a TensorFlow checkpoint, or is damaged: {}; copy '
                            'it again'.format(self._index, reason))


def _varint(content, position):
    value = shift = 0
    while True:
        byte = content[position]
        value |= (byte & 127) << shift
        position, shift = position + 1, shift + 7
        if byte < 128:
            return value, position
        if shift > 63:
            raise IndexError('a number is too long')


def _handle(content, position):
    """Return the (offset, size) of a block, and the position after."""
    offset, position = _varint(content, position)
    size, position = _varint(content, position)
    return (offset, size), position
