# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Forward the log of the core to /rosout."""
import logging


class _NodeHandler(logging.Handler):
    def __init__(self, node):
        super(_NodeHandler, self).__init__()
        self._logger = node.get_logger()

    def emit(self, record):
        # A line of its own each: rclpy refuses another severity from the same line.
        if record.levelno >= logging.WARNING:
            self._logger.warning(record.getMessage())
        else:
            self._logger.info(record.getMessage())


def forward_log(node) -> None:
    """Send the records of the `pose_ros` logger to a node's logger, not to Python's handlers."""
    logger = logging.getLogger('pose_ros')
    logger.setLevel(logging.INFO)
    logger.handlers = [_NodeHandler(node)]
    logger.propagate = False
