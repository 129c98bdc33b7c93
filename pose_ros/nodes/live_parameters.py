# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""The parameters of a lifecycle node: what may change when, and what a new model brings."""
from typing import Any, Dict, Sequence

from rcl_interfaces.msg import SetParametersResult

from pose_ros.core.errors import PoseRosError
from pose_ros.core.parameters import Parameter
from pose_ros.nodes.parameters import declare, InvalidParameters, validate

_QOS = 'qos_overrides.'


class LiveParameters:
    """Wiring may change while the node is unconfigured, dynamic parameters always.

    `values` are those of the node's table. What is declared later (settings of a model, QoS of
    topics) goes with the configuration, because the next one may have others; a value that was
    changed while running is kept for it.
    """

    def __init__(self, node, table: Sequence[Parameter], at_start: Sequence[str] = ()):
        """Declare the table; those named in `at_start` never change. Nothing is raised."""
        self._node, self._table = node, table
        self._problems: Dict[str, str] = {}

        def read_only(parameter):
            return parameter.name in at_start
        try:
            self.values = declare(node, table, read_only=read_only)
        except InvalidParameters as error:
            self._problems = error.problems
            self.values = declare(node, table, read_only=read_only)
        self._permanent = set(node.get_parameters_by_prefix(''))
        self._fixed = False
        self._at_begin: Dict[str, Any] = {}
        self._kept: Dict[str, Any] = {}

    def require_valid(self) -> None:
        """Raise InvalidParameters while a value that was given at start is invalid."""
        if self._problems:
            raise InvalidParameters(self._problems)

    def declare_settings(self, table: Sequence[Parameter]) -> Dict[str, Any]:
        """Declare the settings of a model, and return their values.

        InvalidParameters if one given at start is invalid; the next try takes the model's own.
        """
        kept = {parameter.name: self._kept[parameter.name] for parameter in table
                if _accepts(parameter, self._kept.get(parameter.name))}
        try:
            return declare(self._node, table, replaced=kept)
        except InvalidParameters as error:
            self._kept.update({name: self._node.get_parameter(name).value
                               for name in error.problems})
            raise

    def begin(self) -> None:
        """Fix the wiring: the node is configured."""
        self._fixed, self._at_begin = True, self._later()

    def end(self) -> None:
        """Free the wiring, and forget what was declared for this configuration."""
        for name, value in self._later().items():
            if self._fixed and value != self._at_begin.get(name, value):
                self._kept[name] = value
            self._node.undeclare_parameter(name)
        self._fixed, self._at_begin = False, {}

    def check(self, changes) -> SetParametersResult:
        """Judge rclpy parameters, without side effects; unknown names pass."""
        result = validate(self._table, changes)
        if not result.successful or not self._fixed:
            return result
        static = {parameter.name for parameter in self._table if not parameter.dynamic}
        for change in changes:
            wiring = change.name in static or change.name.startswith(_QOS)
            if wiring and self._node.has_parameter(change.name) \
                    and change.value != self._node.get_parameter(change.name).value:
                return SetParametersResult(successful=False, reason=(
                    '{0} can change only while the node is unconfigured: ros2 lifecycle set {1} '
                    'deactivate, then cleanup, set it, then configure and activate'.format(
                        change.name, self._node.get_fully_qualified_name())))
        return result

    def apply(self, changes) -> None:
        """Take over changes that were checked; a corrected value is no problem any more."""
        names = {parameter.name for parameter in self._table}
        self.values.update(
            {change.name: change.value for change in changes if change.name in names})
        for change in changes:
            self._problems.pop(change.name, None)

    def _later(self):
        """Return the values of all that was declared after the table, but for rclpy's own."""
        return {name: parameter.value
                for name, parameter in self._node.get_parameters_by_prefix('').items()
                if name not in self._permanent
                and not self._node.describe_parameter(name).read_only}


def _accepts(parameter, value):
    try:
        return value is not None and parameter.checked(value) is not None
    except PoseRosError:
        return False
