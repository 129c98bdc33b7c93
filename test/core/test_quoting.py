# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Foreign values of any size stay short and printable in messages."""
import pytest

from pose_ros.core.quoting import quoted


@pytest.mark.parametrize('value', [1, -2.5, True, None, 'word', [1, 2], {'a': 1}, (1,), 'größe'])
def test_plain_values_have_their_repr(value):
    assert quoted(value) == repr(value)


@pytest.mark.parametrize('value', [
    'x' * 10 ** 6, ['x' * 1000] * 1000, {str(key): key for key in range(10000)}, 10 ** 6000,
    '\x1b[2J' * 1000, '\ud800', {'\x07': '\ud800'}, b'\xff' * 1000], ids=list('abcdefgh'))
def test_long_and_unprintable_values_are_short_and_printable(value):
    text = quoted(value)
    assert len(text) <= 120 and text.isprintable()
    text.encode('utf-8')


def test_a_value_of_many_levels_is_no_recursion():
    value = []
    for _ in range(100000):
        value = [value]
    assert quoted(value) == '[[[[...]]]]'
