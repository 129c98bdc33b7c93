# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Declare Protobuf messages of other systems as tables of the fields that are read.

Google's own library parses the bytes (and the text form), and skips fields that a table lacks.
"""
from typing import Dict

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

_FIELD = descriptor_pb2.FieldDescriptorProto

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
