# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""How every node of this package starts and ends."""
import sys
import traceback

import cv2
import rclpy
from rclpy.executors import ExternalShutdownException

from pose_ros.core.errors import PoseRosError, shown
from pose_ros.nodes.log import described, with_trace
from pose_ros.nodes.parameter_files import file_problems, unmatched_files
from pose_ros.nodes.signals import Ended, EndSignals


def run_node(make_node, args=None, spin=rclpy.spin) -> int:
    """Make a node, spin it, close it; return the exit code: that of `spin`, or 1 on failure.

    The node must have close(), which frees what it holds and destroys it. After this, signals
    that would end the process are ignored: it has to end.
    """
    cv2.setNumThreads(1)  # OpenCV's pool would take the cores from the network's
    signals = EndSignals()
    arguments = sys.argv if args is None else args
    node, code = None, 1
    try:
        signals.release()
        rclpy.init(args=args)
        node = make_node()
        for text in unmatched_files(arguments, node.get_fully_qualified_name()):
            node.get_logger().warning(text)
        code = 0 if signals.received else spin(node) or 0
    except (Ended, ExternalShutdownException):
        code = 0
    except Exception as error:
        # A signal ends the context at any moment, and what is called afterwards fails.
        code = 0 if signals.received else _report(error, node, arguments)
    finally:
        signals.hold()
        if node is not None:
            node.close()
        rclpy.try_shutdown()
        signals.ignore()
    return code


def _report(error, node, arguments):
    """Print why the node cannot start, or log why it ends; return the exit code."""
    if node is not None and rclpy.ok():
        node.get_logger().fatal(with_trace(described(error), error))
        return 1
    text = '; '.join(file_problems(arguments)) or str(error)
    if type(error).__name__ == 'UnknownROSArgsError':
        text = 'unknown arguments after --ros-args: {}'.format(error)
    print('cannot start: {}'.format(shown(text)), file=sys.stderr)
    if not isinstance(error, PoseRosError) and not type(error).__module__.startswith('rclpy'):
        traceback.print_exc()
    return 1
