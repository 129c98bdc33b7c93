# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""JSON of others is read with limits, and written only if it can be read again."""
import pytest

from pose_ros.core.strict_json import check_json, DEEPEST, parse_json


def test_what_is_valid_is_read():
    assert parse_json(b'\xef\xbb\xbf{"a": [1, -2.5, null, true, "\\u00fc"]}') == {
        'a': [1, -2.5, None, True, 'ü']}
    assert parse_json('"' + '[' * 1000 + '"') == '[' * 1000  # brackets of text are no levels
    assert parse_json('[' * DEEPEST + ']' * DEEPEST)


@pytest.mark.parametrize('text, word', [
    ('{"a": 1, "a": 2}', "the key 'a' appears twice"),
    ('[{"b": {"c": 1, "c": 1}}]', "'c' appears"),
    ('[' * 100000, 'more than 24 levels'), ('{"a":' * 100000, 'more than 24 levels'),
    ('{"scale": NaN}', 'NaN'), ('[-Infinity]', 'Infinity'), ('{"scale": 1e400}', "'scale' is NaN"),
    ('{"a": 9007199254740993}', 'above 2^53'), ('9' * 100000, 'above 2^53'),
    ('{"name": "\\ud800"}', "'name' holds half a surrogate"), ('{"\\udfff": 1}', 'surrogate'),
    (b'{"a": "\xff"}', 'decode'), ('{"a"', 'delimiter'), ('"' + '\\"' * 100000, 'Unterminated'),
    ('', 'Expecting value')])
def test_the_error_names_the_fault(text, word):
    with pytest.raises(ValueError) as error:
        parse_json(text)
    assert word.replace('^', '') in str(error.value).replace('^', '')
    assert len(str(error.value)) < 300


@pytest.mark.parametrize('value', [
    {'a': float('nan')}, [float('inf')], {1: 2}, {'a': {3}}, {'a': 2 ** 60}, ['\ud800'], b'bytes'])
def test_values_that_json_cannot_hold_are_refused(value):
    with pytest.raises(ValueError):
        check_json(value)


def test_a_value_that_holds_itself_is_refused():
    value = {}
    value['self'] = value
    with pytest.raises(ValueError, match='levels'):
        check_json(value)
