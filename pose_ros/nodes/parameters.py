# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Declare tables of parameters on a node: description, range, unit, what may change live."""
from typing import Any, Dict, Sequence

import rclpy.parameter
from rcl_interfaces.msg import (FloatingPointRange, IntegerRange, ParameterDescriptor,
                                ParameterType, SetParametersResult)

from pose_ros.core.errors import PoseRosError
from pose_ros.core.parameters import Parameter

_TYPES = {bool: ParameterType.PARAMETER_BOOL, int: ParameterType.PARAMETER_INTEGER,
          float: ParameterType.PARAMETER_DOUBLE, str: ParameterType.PARAMETER_STRING}
# A range has two ends: a missing bound becomes the widest one.
_WIDEST = {int: (-2**63, 2**63 - 1), float: (-float('inf'), float('inf'))}


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

    Raises PoseRosError that lists each unfit value (from a YAML file, say) once all are declared,
    the unfit ones with their defaults: a caller that survives it may call again for the values.
    """
    values, problems = {}, []
    for parameter in table:
        name = prefix + parameter.name
        if node.has_parameter(name):
            values[parameter.name] = node.get_parameter(name).value
            continue
        # First without type and range, so that an unfit value gets our words and not a traceback.
        node.declare_parameter(name, parameter.default, ParameterDescriptor(dynamic_typing=True))
        given = node.get_parameter(name).value
        try:
            value = parameter.checked(given)
        except PoseRosError as error:
            problems.append(prefix + str(error))
            value = parameter.default
        if type(value) is not type(given) or value != given:
            node.set_parameters([rclpy.parameter.Parameter(name, value=value)])
        node.set_descriptor(name, descriptor(parameter))
        values[parameter.name] = value
    if problems:
        raise PoseRosError('unfit parameters: ' + '; '.join(problems))
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
