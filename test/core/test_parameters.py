# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Parameter: type, range and choice, as cards, ROS and the command line all check them."""
import numpy as np
import pytest

from pose_ros.core.errors import PoseRosError
from pose_ros.core.parameters import checked_values, Parameter

LEVEL = Parameter('level', 0.5, 'a level', 0.0, 1.0, unit='px')
COUNT = Parameter('count', 3, 'a count', 1, 9)
MODE = Parameter('mode', 'a', 'a mode', choices=('a', 'b'))
FLAG = Parameter('flag', False, 'a flag')
FREE = Parameter('free', 1.0, 'any number')


@pytest.mark.parametrize('parameter, value', [
    (LEVEL, 0.0), (LEVEL, 1.0), (COUNT, 1), (COUNT, 9), (MODE, 'b'), (FLAG, True), (FREE, -1e30)])
def test_valid_values_are_unchanged(parameter, value):
    assert parameter.checked(value) == value
    assert type(parameter.checked(value)) is type(parameter.default)


def test_a_whole_number_is_accepted_as_a_float():
    assert LEVEL.checked(1) == 1.0 and type(LEVEL.checked(1)) is float


@pytest.mark.parametrize('parameter, value', [
    (LEVEL, 1.0001), (LEVEL, -0.1), (LEVEL, float('nan')), (LEVEL, '0.5'), (LEVEL, None),
    (LEVEL, True), (COUNT, 0), (COUNT, 10), (COUNT, 3.0), (COUNT, True), (MODE, 'c'), (MODE, 1),
    (FLAG, 1),
    (FREE, float('nan'))])
def test_invalid_values_are_refused_by_name(parameter, value):
    with pytest.raises(PoseRosError, match='^' + parameter.name):
        parameter.checked(value)


def test_messages_have_range_unit_and_choices():
    with pytest.raises(PoseRosError, match=r'within \[0, 1\] px, not 2\.0'):
        LEVEL.checked(2.0)
    with pytest.raises(PoseRosError, match="one of 'a', 'b', not 'c'"):
        MODE.checked('c')


def test_checked_values_completes_and_names_the_place():
    assert checked_values((LEVEL, COUNT), {'count': 4}, 'here') == {'level': 0.5, 'count': 4}
    with pytest.raises(PoseRosError, match="here: unknown key 'color'"):
        checked_values((LEVEL, COUNT), {'color': 4}, 'here')
    with pytest.raises(PoseRosError, match='here: count'):
        checked_values((LEVEL, COUNT), {'count': 0}, 'here')


def test_numbers_of_numpy():
    """They become Python's own; a truth is not a number."""
    ratio, count = Parameter('ratio', 0.5, 'r', 0.0, 1.0), Parameter('count', 3, 'c', 0, 9)
    assert type(ratio.checked(np.float32(0.25))) is float and ratio.checked(np.int64(1)) == 1.0
    assert type(count.checked(np.uint8(7))) is int
    for parameter, value in ((ratio, True), (count, False), (count, 2.0), (count, np.float64(2))):
        with pytest.raises(PoseRosError, match='must be a '):
            parameter.checked(value)
