# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""YAML from files of others: no aliases, no repeated keys, few levels. Needs PyYAML."""
import yaml

from pose_ros.core.quoting import quoted
from pose_ros.core.strict_json import first_repeated

_DEEPEST = 24
_LONGEST_NUMBER = 40  # characters
_NUMBERS = ('tag:yaml.org,2002:int', 'tag:yaml.org,2002:float')


def parse_yaml(content: bytes):
    """Return the value of YAML (UTF-8). ValueError says what is wrong.

    Aliases are refused: ten lines of them can stand for a billion values. So are repeated keys,
    more than 24 levels, several documents, and text with half a surrogate pair.
    """
    try:
        return yaml.load(content, _Loader)
    except Exception as error:  # PyYAML lets errors of many kinds through
        raise ValueError(' '.join(str(error).split()))


class _Loader(yaml.SafeLoader):
    """PyYAML's safe loader, with the limits above."""

    def __init__(self, stream):
        super(_Loader, self).__init__(stream)
        self._depth = 0

    def compose_node(self, parent, index):
        if self.check_event(yaml.AliasEvent):
            raise _fault(self.peek_event(), 'aliases (*name) are not read')
        self._depth += 1
        if self._depth > _DEEPEST:
            raise _fault(self.peek_event(), 'it has more than {} levels'.format(_DEEPEST))
        node = super(_Loader, self).compose_node(parent, index)
        self._depth -= 1
        return node

    def construct_mapping(self, node, deep=False):
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]
        result = super(_Loader, self).construct_mapping(node, deep)
        if len(result) < len(keys):
            raise _fault(node, 'the key {} appears twice'.format(quoted(first_repeated(keys))))
        return result

    def construct_scalar(self, node):
        value = super(_Loader, self).construct_scalar(node)
        if node.tag in _NUMBERS and len(value) > _LONGEST_NUMBER:
            raise _fault(node, 'the number {} is too long'.format(quoted(value)))
        try:
            value.encode('utf-8')
        except UnicodeEncodeError:
            raise _fault(node, 'the text {} holds half a surrogate pair'.format(quoted(value)))
        return value


def _fault(node, text):
    return yaml.constructor.ConstructorError(None, None, text, node.start_mark)
