# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Declare tables of parameters on a node: description, range, unit, what may change live."""
import difflib
from typing import Any, Callable, Dict, List, Optional, Sequence

from rcl_interfaces.msg import (FloatingPointRange, IntegerRange, ParameterDescriptor,
                                ParameterType, SetParametersResult)
import rclpy.parameter

from pose_ros.core.errors import PoseRosError, shown
from pose_ros.core.parameters import Parameter

_TYPES = {bool: ParameterType.PARAMETER_BOOL, int: ParameterType.PARAMETER_INTEGER,
          float: ParameterType.PARAMETER_DOUBLE, str: ParameterType.PARAMETER_STRING,
          list: ParameterType.PARAMETER_STRING_ARRAY}
# A range has two ends: a missing bound becomes the widest one.
_WIDEST = {int: (-2**63, 2**63 - 1), float: (-float('inf'), float('inf'))}
# Topics that rclpy itself declares overrides for, some of them later.
_QOS_OF_RCLPY = tuple('qos_overrides./{}.'.format(topic)
                      for topic in ('clock', 'parameter_events', 'rosout'))


class InvalidParameters(PoseRosError):
    """Values that were given at start are invalid; `problems` are texts by full name."""

    def __init__(self, problems: Dict[str, str]):
        """List all of them."""
        super(InvalidParameters, self).__init__(
            'invalid parameters: ' + '; '.join(problems.values()))
        self.problems = problems


def descriptor(parameter: Parameter, read_only: bool) -> ParameterDescriptor:
    """Describe a parameter the way `ros2 param describe` and rqt show it."""
    text = parameter.description + (' [{}]'.format(parameter.unit) if parameter.unit else '')
    result = ParameterDescriptor(description=text, read_only=read_only,
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


def is_static(parameter: Parameter) -> bool:
    """Return whether a parameter is read at start only."""
    return not parameter.dynamic


def declare(node, table: Sequence[Parameter], prefix: str = '',
            read_only: Callable[[Parameter], bool] = is_static,
            replaced: Optional[Dict[str, Any]] = None) -> Dict[str, Any]:
    """Declare what is not declared yet; return every value of the table by its unprefixed name.

    `replaced` holds values by full name that count instead of those given at start.
    Raises InvalidParameters that lists each invalid value (from a YAML file, say) once all are
    declared, the invalid ones with their defaults: a caller may catch it and call again.
    """
    values, problems = {}, {}
    for parameter in table:
        name = prefix + parameter.name
        if node.has_parameter(name):
            values[parameter.name] = node.get_parameter(name).value
            continue
        given = _given(node, name, parameter.default, replaced or {})
        try:
            # ROS 2 passes an empty list without a type, and without a value.
            value = parameter.checked(parameter.default if given is None else given)
        except PoseRosError as error:
            problems[name] = prefix + str(error)
            value = parameter.default
        kind = rclpy.parameter.Parameter.Type(_TYPES[type(parameter.default)])
        if node.get_parameter(name).type_ != kind or value != given:
            node.set_parameters([rclpy.parameter.Parameter(name, kind, value)])
        node.set_descriptor(name, descriptor(parameter, read_only(parameter)))
        values[parameter.name] = value
    if problems:
        raise InvalidParameters(problems)
    return values


def _given(node, name, default, replaced):
    """Declare without type and range, so that an invalid value gets this package's error text."""
    node.declare_parameter(name, replaced.get(name, default),
                           ParameterDescriptor(dynamic_typing=True),
                           ignore_override=name in replaced)
    return node.get_parameter(name).value


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


def unknown_overrides(node, undeclared: Sequence[str] = ()) -> List[str]:
    """Describe each value given at start (command line, YAML) whose parameter does not exist.

    Call it when everything is declared, or with the names that may be `undeclared` as yet; QoS
    overrides are among those then.
    """
    # rclpy has no public list of what was given.
    given = getattr(node, '_parameter_overrides', {})
    passed = ('qos_overrides.',) if undeclared else _QOS_OF_RCLPY
    unknown = sorted(name for name in given
                     if not (node.has_parameter(name) or name in undeclared
                             or name.startswith(passed)))
    known = list(undeclared) + list(node.get_parameters_by_prefix('')) if unknown else []
    return [_describe_unknown(name, known) for name in unknown]


def warn_of_unknown(node) -> None:
    """Log what unknown_overrides finds."""
    for text in unknown_overrides(node):
        node.get_logger().warning(text)


def _describe_unknown(name, known):
    nearest = difflib.get_close_matches(name, known, 1, 0.6)
    # A setting may stand below another word, as one of a decoder did: then its own name decides.
    last = name.rsplit('.', 1)[-1]
    below = difflib.get_close_matches(last, [other.rsplit('.', 1)[-1] for other in known], 1, 0.8)
    same = [other for other in known if below and other.rsplit('.', 1)[-1] == below[0]]
    if '.' in name and same:
        nearest = difflib.get_close_matches(name, same, 1, 0.0)
    return shown('there is no parameter {!r}{}'.format(
        name, '; did you mean {!r}?'.format(nearest[0]) if nearest else ''))
