# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Declare Protobuf messages of other systems as tables of the fields that are read.

Google's own library parses the bytes (and the text form), and skips fields that a table lacks.
"""
from typing import Dict

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.message import DecodeError

_FIELD = descriptor_pb2.FieldDescriptorProto
_MOST_PARTS = 1 << 20  # fields of a file, at all levels

# Message -> field -> (number, type); a type is a scalar ('int64', 'float', 'bytes', ...), another
# message of the table, or one of them in a list: ['float'] is repeated. A row of plain numbers,
# the first of them 0, is an enum: its names are needed for the text form.
Table = Dict[str, Dict[str, object]]


def message_classes(package: str, table: Table) -> Dict[str, type]:
    """Return a message class per row of the table (proto3; `optional` values keep defaults)."""
    file = descriptor_pb2.FileDescriptorProto(
        name=package + '.proto', package=package, syntax='proto3')
    enums = {name for name, row in table.items() if 0 in row.values()}
    for name in enums:
        values = file.enum_type.add(name=name).value
        for value, number in table[name].items():
            values.add(name=value, number=number)
    for message in table.keys() - enums:
        fields, declared = table[message], file.message_type.add(name=message)
        for name, (number, kind) in fields.items():
            repeated = isinstance(kind, list)
            kind = kind[0] if repeated else kind
            field = declared.field.add(
                name=name, number=number,
                label=_FIELD.LABEL_REPEATED if repeated else _FIELD.LABEL_OPTIONAL)
            if kind in table:
                field.type = _FIELD.TYPE_ENUM if kind in enums else _FIELD.TYPE_MESSAGE
                field.type_name = '.{}.{}'.format(package, kind)
            else:
                field.type = getattr(_FIELD, 'TYPE_' + kind.upper())
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return {name: message_factory.GetMessageClass(
        pool.FindMessageTypeByName('{}.{}'.format(package, name)))
        for name in table.keys() - enums}


def parse(kind: type, content: bytes):
    """Return the message of a class; DecodeError for damaged bytes, and for too many parts.

    A part of two bytes becomes an object of a hundred: they are counted first.
    """
    left = _MOST_PARTS
    waiting = [(kind.DESCRIPTOR, 0, len(content))]  # type: ignore[attr-defined]
    while waiting:
        descriptor, position, end = waiting.pop()
        while position < end:
            tag, position = _varint(content, position)
            field = descriptor.fields_by_number.get(tag >> 3)
            start, position = _skip(content, position, tag & 7)
            left -= 1
            if left < 0 or position > end:
                raise DecodeError('it is cut short, or has more than {} parts'.format(_MOST_PARTS))
            if field is not None and field.message_type is not None and tag & 7 == 2:
                waiting.append((field.message_type, start, position))
    return kind.FromString(content)  # type: ignore[attr-defined]


def _skip(content, position, kind):
    """Return where the payload of a field begins and ends (protobuf.dev, encoding)."""
    if kind == 0:
        return position, _varint(content, position)[1]
    if kind == 2:
        length, position = _varint(content, position)
        return position, position + length
    if kind in (1, 5):
        return position, position + (8 if kind == 1 else 4)
    raise DecodeError('it has a field of the unknown kind {}'.format(kind))


def _varint(content, position):
    value = 0
    for shift in range(0, 70, 7):
        if position >= len(content):
            raise DecodeError('it is cut short')
        byte = content[position]
        value |= (byte & 127) << shift
        position += 1
        if byte < 128:
            return value, position
    raise DecodeError('a number in it is too long')
