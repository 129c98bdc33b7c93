# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Description of a setting, for model cards, ROS parameters and command-line options."""
import numbers
from typing import Any, Dict, NamedTuple, Optional, Sequence, Tuple

from pose_ros.core.errors import PoseRosError
from pose_ros.core.quoting import quoted

_KIND_NAMES = {bool: 'true or false', int: 'a whole number', float: 'a number', str: 'text',
               list: 'a list of text'}
_MOST_LISTED = 8


class Parameter(NamedTuple):
    """A named setting: default (its type is the type of the setting), range and unit."""

    name: str
    default: Any
    description: str
    minimum: Optional[float] = None
    maximum: Optional[float] = None
    choices: Tuple[str, ...] = ()
    unit: str = ''
    dynamic: bool = False

    def checked(self, value):
        """Return value as the parameter's type; PoseRosError if type, range or choice is wrong."""
        kind = type(self.default)
        if kind is list and isinstance(value, (list, tuple)) \
                and all(isinstance(item, str) for item in value):
            return list(value)
        accepted = {int: numbers.Integral, float: numbers.Real}.get(kind)  # includes NumPy's
        if accepted and isinstance(value, accepted) and not isinstance(value, bool):
            try:
                value = kind(value)
            except OverflowError:
                pass  # the check of the type fails
        if type(value) is not kind or kind is list:
            raise PoseRosError('{} must be {}, not {}'.format(
                self.name, _KIND_NAMES[kind], quoted(value)))
        if self.choices and value not in self.choices:
            raise PoseRosError('{} must be one of {}, not {}'.format(
                self.name, ', '.join(repr(choice) for choice in self.choices), quoted(value)))
        # Written so that a NaN fails too.
        if kind in (int, float) and not (self.lowest <= value <= self.highest):
            raise PoseRosError('{} must be within [{:g}, {:g}]{}, not {}'.format(
                self.name, self.lowest, self.highest, self.unit and ' ' + self.unit,
                quoted(value)))
        return value

    @property
    def lowest(self):
        """Return the smallest allowed number (minus infinity if unbounded)."""
        return -float('inf') if self.minimum is None else self.minimum

    @property
    def highest(self):
        """Return the largest allowed number (infinity if unbounded)."""
        return float('inf') if self.maximum is None else self.maximum


def checked_values(table: Sequence[Parameter], values: Dict[str, Any],
                   where: str) -> Dict[str, Any]:
    """Complete `values` with the table's defaults; PoseRosError names each unknown key."""
    unknown = sorted(set(values) - {parameter.name for parameter in table})[:_MOST_LISTED]
    if unknown:
        raise PoseRosError('{}: unknown key {}; known: {}'.format(
            where, ', '.join(map(quoted, unknown)),
            ', '.join(parameter.name for parameter in table)))
    try:
        return {parameter.name: parameter.checked(values.get(parameter.name, parameter.default))
                for parameter in table}
    except PoseRosError as error:
        raise PoseRosError('{}: {}'.format(where, error))


class Configurable:
    """Base of classes with settings. PARAMETERS describes them."""

    PARAMETERS: Tuple[Parameter, ...] = ()

    def __init__(self, **settings):
        """Take settings that differ from the defaults; PoseRosError names an invalid one."""
        self._settings: Dict[str, Any] = {}
        self.configure(**settings)

    @property
    def settings(self) -> Dict[str, Any]:
        """Return the value of each parameter."""
        return dict(self._settings)

    def configure(self, **changes) -> None:
        """Change settings; PoseRosError (and no change) if one is unknown or invalid."""
        self._settings = checked_values(
            self.PARAMETERS, dict(self._settings, **changes), 'settings')
