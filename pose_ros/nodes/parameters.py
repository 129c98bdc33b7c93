# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Declare tables of parameters on a node: description, range, unit, what may change live."""
import difflib
from typing import Any, Dict, List, Sequence

from rcl_interfaces.msg import (FloatingPointRange, IntegerRange, ParameterDescriptor,
                                ParameterType, SetParametersResult)
import rclpy.parameter

from pose_ros.core.errors import PoseRosError
from pose_ros.core.parameters import Parameter

_TYPES = {bool: ParameterType.PARAMETER_BOOL, int: ParameterType.PARAMETER_INTEGER,
          float: ParameterType.PARAMETER_DOUBLE, str: ParameterType.PARAMETER_STRING,
          list: ParameterType.PARAMETER_STRING_ARRAY}
# A range has two ends: a missing bound becomes the widest one.
_WIDEST = {int: (-2**63, 2**63 - 1), float: (-float('inf'), float('inf'))}
# Topics that rclpy itself declares overrides for, some of them later.
_QOS_OF_RCLPY = tuple('qos_overrides./{}.'.format(topic)
                      for topic in ('clock', 'parameter_events', 'rosout'))


def descriptor(parameter: Parameter) -> ParameterDescriptor:
    """Describe a parameter the way `ros2 param describe` and rqt show it."""
    text = parameter.description + (' [{}]'.format(parameter.unit) if parameter.unit else '')
    result = ParameterDescriptor(description=text, read_only=not parameter.dynamic,
                                 type=_TYPES[type(parameter.default)])
    if parameter.choices:
        result.additional_constraints = 'one of: ' + ', '.join(map(repr, parameter.choices))
    kind = type(parameter.default)
    if kind in _WIDEST and (parameter.minimum, parameter.maximum) != (None, None):
        low = _WIDEST[kind][0] if parameter.minimum is None else parameter.minimum
        high = _WIDEST[kind][1] if parameter.maximum is None else parameter.maximum
        if kind is int:
            result.integer_range = [IntegerRange(from_value=int(low), to_value=int(high), step=0)]
        else:
            result.floating_point_range = [
                FloatingPointRange(from_value=float(low), to_value=float(high), step=0.0)]
    return result


def declare(node, table: Sequence[Parameter], prefix: str = '') -> Dict[str, Any]:
    """Declare what is not declared yet; return every value of the table by its unprefixed name.

    Raises PoseRosError that lists each invalid value (from a YAML file, say) once all are
    declared, the invalid ones with their defaults: a caller may catch it and call again.
    """
    values, problems = {}, []
    for parameter in table:
        name = prefix + parameter.name
        if node.has_parameter(name):
            values[parameter.name] = node.get_parameter(name).value
            continue
        # First without type and range, so that an invalid value gets this package's error text.
        node.declare_parameter(name, parameter.default, ParameterDescriptor(dynamic_typing=True))
        given = node.get_parameter(name).value
        try:
            # ROS 2 passes an empty list without a type, and without a value.
            value = parameter.checked(parameter.default if given is None else given)
        except PoseRosError as error:
            problems.append(prefix + str(error))
            value = parameter.default
        kind = rclpy.parameter.Parameter.Type(_TYPES[type(parameter.default)])
        if node.get_parameter(name).type_ != kind or value != given:
            node.set_parameters([rclpy.parameter.Parameter(name, kind, value)])
        node.set_descriptor(name, descriptor(parameter))
        values[parameter.name] = value
    if problems:
        raise PoseRosError('invalid parameters: ' + '; '.join(problems))
    return values


def validate(table: Sequence[Parameter], changes, prefix: str = '') -> SetParametersResult:
    """Judge rclpy parameters against the table, without side effects; unknown names pass."""
    known = {prefix + parameter.name: parameter for parameter in table}
    for change in changes:
        if change.name in known:
            try:
                known[change.name].checked(change.value)
            except PoseRosError as error:
                return SetParametersResult(successful=False, reason=str(error))
    return SetParametersResult(successful=True)


def unknown_overrides(node) -> List[str]:
    """Describe each value given at start (command line, YAML) whose parameter does not exist.

    Call it when everything is declared.
    """
    # rclpy has no public list of what was given.
    given = getattr(node, '_parameter_overrides', {})
    unknown = sorted(name for name in given
                     if not node.has_parameter(name) and not name.startswith(_QOS_OF_RCLPY))
    known = list(node.get_parameters_by_prefix('')) if unknown else []
    return [_describe_unknown(name, known) for name in unknown]


def _describe_unknown(name, known):
    nearest = difflib.get_close_matches(name, known, 1, 0.6)
    return 'there is no parameter {!r}{}'.format(
        name, '; did you mean {!r}?'.format(nearest[0]) if nearest else '')
