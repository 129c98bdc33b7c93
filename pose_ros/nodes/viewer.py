# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""The node `viewer`: one web page with the overlay, the people and the state of the estimator."""
import sys

from diagnostic_msgs.msg import DiagnosticArray
from rclpy.node import Node

from pose_ros.core.errors import PoseRosError
from pose_ros.core.parameters import Parameter
from pose_ros.core.viewer import VIEWER_PARAMETERS, ViewerServer
from pose_ros.nodes.interface import DIAGNOSTICS_TOPIC, camera_names
from pose_ros.nodes.log import forward_log
from pose_ros.nodes.parameters import declare, warn_of_unknown
from pose_ros.nodes.run import run_node
from pose_ros.nodes.viewer_feed import Feed

VIEWER_NODE_PARAMETERS = VIEWER_PARAMETERS + (
    Parameter('cameras', [],
              'Names of the cameras, as those of the estimator; empty: one camera, topics without '
              'prefix'),
)


class ViewerNode(Node):
    """Serves the page; subscribes to the topics of a camera only while a browser looks at it."""

    def __init__(self, **node_options):
        """Listen; PoseRosError if that fails."""
        super(ViewerNode, self).__init__('viewer', **node_options)
        forward_log(self)
        values = declare(self, VIEWER_NODE_PARAMETERS)
        warn_of_unknown(self)
        self._feeds = [Feed(self, name, values) for name in camera_names(values['cameras'])]
        # The server's thread triggers it; the subscriptions change in the executor's.
        self._changed = self.create_guard_condition(self._update)
        for feed in self._feeds:
            feed.view.on_watched = lambda view: self._changed.trigger()
        self.create_subscription(DiagnosticArray, DIAGNOSTICS_TOPIC, self._on_diagnostics, 10)
        self._server = ViewerServer(self.get_namespace(), [feed.view for feed in self._feeds],
                                    values)
        self.get_logger().info('the page is on {}'.format(self._server.url))

    def close(self) -> None:
        """Stop the server."""
        for feed in self._feeds:
            feed.view.on_watched = lambda view: None
        self._server.close()
        self.destroy_node()

    def _update(self):
        for feed in self._feeds:
            feed.update()

    def _on_diagnostics(self, message):
        for feed in self._feeds:
            try:
                feed.read_diagnostics(message.status)
            except (PoseRosError, ValueError) as error:
                self.get_logger().warning('diagnostics skipped: {}'.format(error),
                                          throttle_duration_sec=10.0)


def main(args=None) -> int:
    """Run the node until it is shut down."""
    return run_node(ViewerNode, args)


if __name__ == '__main__':
    sys.exit(main())
