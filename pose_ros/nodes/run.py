# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""How every node of this package starts and ends."""
import sys

import cv2
import rclpy
from rclpy.executors import ExternalShutdownException

from pose_ros.core.errors import PoseRosError


def run_node(make_node, args=None, spin=rclpy.spin) -> int:
    """Make a node, spin it, close it; return the exit code: that of `spin`, or 1 on failure.

    The node must have close(), which frees what it holds and destroys it.
    """
    cv2.setNumThreads(1)  # OpenCV's pool would take the cores from the network's
    rclpy.init(args=args)
    node = None
    try:
        node = make_node()
        return spin(node) or 0
    except PoseRosError as error:
        print('cannot start: {}'.format(error), file=sys.stderr)
        return 1
    except (KeyboardInterrupt, ExternalShutdownException):
        return 0
    except RuntimeError:
        # A signal ends the context at any moment, and what a callback calls afterwards fails.
        if rclpy.ok():
            raise
        return 0
    finally:
        if node is not None:
            node.close()
        rclpy.try_shutdown()
