# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""What the core logs, seen on /rosout."""
import logging


class _NodeHandler(logging.Handler):
    def __init__(self, node):
        super(_NodeHandler, self).__init__()
        self._logger = node.get_logger()

    def emit(self, record):
        warns = record.levelno >= logging.WARNING
        (self._logger.warning if warns else self._logger.info)(record.getMessage())


def forward_log(node) -> None:
    """Send the records of the `pose_ros` logger to a node's logger, not to Python's handlers."""
    logger = logging.getLogger('pose_ros')
    logger.setLevel(logging.INFO)
    logger.handlers = [_NodeHandler(node)]
    logger.propagate = False
