# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Stamps as numbers, timers that need no /clock, and what is wrong with /clock."""
import time
from typing import Callable

from rclpy.clock import Clock, ClockType

from pose_ros.nodes.log import guarded

_PATIENCE = 3.0  # s that /clock may stand still


def nanoseconds(stamp) -> int:
    """Return a builtin_interfaces/Time in ns; before 1970 it is negative.

    rclpy.time.Time refuses negative seconds.
    """
    return stamp.sec * 1000000000 + stamp.nanosec


def steady_timer(node, period: float, callback: Callable[[], None]):
    """Create a timer that runs every `period` [s] of real time, also without /clock.

    An error in the callback is logged: housekeeping must not end a node.
    """
    return node.create_timer(period, guarded(node, callback),
                             clock=Clock(clock_type=ClockType.STEADY_TIME))


class ClockWatch:
    """Finds out whether the time of a node with use_sim_time continues."""

    def __init__(self, node):
        """Take the node."""
        self._node, self._last, self._since = node, None, 0.0

    def problem(self) -> str:
        """Return what is wrong with /clock, '' for nothing; to be called now and then."""
        clock = self._node.get_clock()
        now, real = clock.now().nanoseconds, time.monotonic()
        if not clock.ros_time_is_active or now != self._last:
            self._last, self._since = now, real
            return ''
        if real - self._since < _PATIENCE:
            return ''
        if now == 0:
            return ('use_sim_time is set, but there is no /clock: start the simulator, or '
                    'ros2 bag play with --clock, or set use_sim_time to false')
        return '/clock stands still for {:.0f} s'.format(real - self._since)
