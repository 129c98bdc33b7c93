# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""JSON from files of others: no repeated keys, no NaN, and nothing that breaks a later step."""
import json
import math
import re
from typing import Any, Iterable, Set, Union

from pose_ros.core.quoting import quoted


LARGEST_NUMBER = 2 ** 53  # whole numbers that every program reads exactly
DEEPEST = 24
# Without alternatives that match the same text, or the search takes quadratic time.
_STRING = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*(?:"|\\?\Z)', re.DOTALL)
_BRACKET = re.compile(r'[\[\]{}]')


def parse_json(text: Union[str, bytes]):
    """Return the value of JSON text (bytes: UTF-8, a byte order mark is skipped).

    ValueError says what is wrong: syntax, a repeated key, NaN or infinity, more than DEEPEST
    levels, a whole number above LARGEST_NUMBER, text with half a surrogate pair.
    """
    if isinstance(text, bytes):
        text = text.decode('utf-8-sig')
    _check_depth(text)
    value = json.loads(text, object_pairs_hook=_without_repeats, parse_constant=_refuse_constant,
                       parse_int=_integer)
    check_json(value)
    return value


def check_json(value) -> None:
    """Raise ValueError unless a value can be written as JSON that `parse_json` reads.

    The error names the innermost key.
    """
    _check(value, 'the value', 0)


def _check(value, name, depth):
    if depth > DEEPEST:
        raise ValueError('it has more than {} levels of brackets'.format(DEEPEST))
    if isinstance(value, dict):
        for key, item in value.items():
            if not isinstance(key, str):
                raise ValueError('the key {} is not text'.format(quoted(key)))
            _check_text(key, 'a key')
            _check(item, quoted(key), depth + 1)
    elif isinstance(value, (list, tuple)):
        for item in value:
            _check(item, name, depth + 1)
    elif isinstance(value, str):
        _check_text(value, name)
    elif isinstance(value, float):
        if not math.isfinite(value):
            raise ValueError('{} is NaN or infinite'.format(name))
    elif isinstance(value, int):
        if abs(value) > LARGEST_NUMBER:
            raise ValueError('{} is {}, and numbers above 2^53 are not read'.format(
                name, quoted(value)))
    elif value is not None:
        raise ValueError('{} cannot be written as JSON: {}'.format(name, quoted(value)))


def _check_depth(text):
    # Before the parser, which calls itself for each bracket.
    depth = 0
    for bracket in _BRACKET.findall(_STRING.sub('', text)):
        depth += 1 if bracket in '[{' else -1
        if depth > DEEPEST + 1:
            raise ValueError('it has more than {} levels of brackets'.format(DEEPEST))


def _check_text(text, name):
    try:
        text.encode('utf-8')
    except UnicodeEncodeError:
        raise ValueError('{} holds half a surrogate pair: {}'.format(name, quoted(text)))


def _without_repeats(pairs):
    result = dict(pairs)
    if len(result) < len(pairs):
        raise ValueError('the key {} appears twice'.format(
            quoted(first_repeated(key for key, _ in pairs))))
    return result


def first_repeated(keys: Iterable):
    """Return the first of hashable values that was there before; None if all differ."""
    seen: Set[Any] = set()
    for key in keys:
        if key in seen:
            return key
        seen.add(key)
    return None


def _refuse_constant(name):
    raise ValueError('{} is not a number of JSON'.format(name))


def _integer(digits):
    if len(digits) > 17:
        raise ValueError('the number {} is above 2^53'.format(quoted(digits)))
    return int(digits)
