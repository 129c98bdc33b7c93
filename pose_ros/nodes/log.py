# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Forward the log of the core to /rosout, and log errors that must not end a node."""
import functools
import logging
import traceback
from typing import Callable

from pose_ros.core.errors import PoseRosError, shown

_LONGEST_TRACE = 10000  # characters
_PERIOD = 10.0  # s between two logs of the same callback


class _NodeHandler(logging.Handler):
    def __init__(self, node):
        super(_NodeHandler, self).__init__()
        self._logger = node.get_logger()

    def emit(self, record):
        # A line of its own each: rclpy refuses another severity from the same line.
        if record.levelno >= logging.WARNING:
            self._logger.warning(shown(record.getMessage()))
        else:
            self._logger.info(shown(record.getMessage()))


def forward_log(node) -> None:
    """Send the records of the `pose_ros` logger to a node's logger, not to Python's handlers."""
    logger = logging.getLogger('pose_ros')
    logger.setLevel(logging.INFO)
    logger.handlers = [_NodeHandler(node)]
    logger.propagate = False


def described(error: Exception) -> str:
    """Return an error in one line; one that is not of this package is named `unexpected`."""
    if isinstance(error, PoseRosError):
        return str(error)
    return shown('unexpected {}: {}'.format(type(error).__name__, error))


def with_trace(text: str, error: Exception) -> str:
    """Return `text`, with the trace of an error that is not of this package."""
    if isinstance(error, PoseRosError):
        return text
    lines = traceback.format_exception(type(error), error, error.__traceback__)
    return shown('{}\n{}'.format(text, ''.join(lines)), _LONGEST_TRACE)


def guarded(node, callback: Callable[[], None]) -> Callable[[], None]:
    """Return the callback with its errors logged, where rclpy would end the node."""
    @functools.wraps(callback)
    def call():
        try:
            callback()
        except Exception as error:
            if node.context.ok():  # else it was shut down in between
                node.get_logger().error(with_trace(described(error), error),
                                        throttle_duration_sec=_PERIOD)
    return call
