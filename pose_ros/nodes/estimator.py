# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""The lifecycle node `estimator`: images in, skeletons out."""
import sys

from diagnostic_msgs.msg import DiagnosticArray
import rclpy
from rclpy.lifecycle import LifecycleNode, TransitionCallbackReturn
from std_srvs.srv import SetBool

from pose_ros.core.errors import PoseRosError
from pose_ros.msg import SkeletonTopology
from pose_ros.nodes.camera import Camera
from pose_ros.nodes.diagnostics import NodeState, camera_status, engine_status
from pose_ros.nodes.frame_processor import FrameProcessor
from pose_ros.nodes.interface import (DIAGNOSTICS_TOPIC, ENABLE_SERVICE, ESTIMATOR_PARAMETERS,
                                      TOPOLOGY_TOPIC, camera_names)
from pose_ros.nodes.loading import load_estimator, most_frames_per_run
from pose_ros.nodes.log import forward_log
from pose_ros.nodes.output import to_topology
from pose_ros.nodes.parameters import declare, unknown_overrides, validate
from pose_ros.nodes.qos import LATCHED_QOS, create_publisher
from pose_ros.nodes.run import run_node
from pose_ros.nodes.worker import Worker

_SWITCH_INTERVAL = 2e-4  # s
_LAZY_PERIOD = 0.2  # s between two counts of subscribers
SUCCESS, FAILURE = TransitionCallbackReturn.SUCCESS, TransitionCallbackReturn.FAILURE


class EstimatorNode(LifecycleNode):
    """Configure loads and warms the network, activate subscribes; one worker thread works."""

    def __init__(self, **node_options):
        """Declare the parameters; nothing is loaded before configure."""
        super(EstimatorNode, self).__init__('estimator', **node_options)
        self._parameter_error = self._start_error = ''
        try:
            self._values = declare(self, ESTIMATOR_PARAMETERS)
        except PoseRosError as error:
            self._parameter_error, self._values = str(error), declare(self, ESTIMATOR_PARAMETERS)
        self._estimator = self._processor = self._worker = self._topology = None
        self._cameras, self._unknown_parameters = [], []
        self._active, self._enabled = False, True
        self.add_on_set_parameters_callback(self._on_parameters)
        self._diagnostics = self.create_publisher(DiagnosticArray, DIAGNOSTICS_TOPIC, 10)
        self.create_timer(self._values['diagnostics_period'], self._on_diagnostics)
        if self._values['lazy']:
            self.create_timer(_LAZY_PERIOD, self._update_cameras)
        self.create_service(SetBool, ENABLE_SERVICE, self._on_enable)

    @property
    def autostart(self) -> bool:
        """Whether `main` configures and activates at start."""
        return self._values['autostart']

    def start(self) -> None:
        """Configure and activate; a failure is logged; the node stays alive, unconfigured."""
        if self.trigger_configure() == SUCCESS:
            self.trigger_activate()

    def close(self) -> None:
        """End the worker before the node is destroyed under it."""
        if self._worker is not None:
            self._worker.stop()
        if self._estimator is not None:
            self._estimator.close()  # it may be building an engine still
        self.destroy_node()

    def on_configure(self, state):
        """Load the model and create the publishers."""
        try:
            self._configure()
        except PoseRosError as error:
            self._free()
            self._start_error = str(error)
            self.get_logger().error('cannot configure: {}'.format(error))
            return FAILURE
        self._start_error = ''
        self._unknown_parameters = unknown_overrides(self)
        for text in self._unknown_parameters:
            self.get_logger().warning(text)
        self.get_logger().info('network {} is ready'.format(self._estimator.card.name))
        return super(EstimatorNode, self).on_configure(state)

    def on_activate(self, state):
        """Subscribe and start the worker."""
        super(EstimatorNode, self).on_activate(state)
        self._active = True
        self._topology.publish(to_topology(self._estimator.topology))
        if self._enabled:
            self._begin()
        self.get_logger().info('estimating people on {}'.format(
            ', '.join(camera.input.topic for camera in self._cameras)))
        return SUCCESS

    def on_deactivate(self, state):
        """Stop working; publish an empty SkeletonArray last."""
        self._stop()
        return super(EstimatorNode, self).on_deactivate(state)

    def on_cleanup(self, state):
        """Free the network."""
        self._free()
        return super(EstimatorNode, self).on_cleanup(state)

    def on_shutdown(self, state):
        """Stop and free, from any state."""
        self._stop()
        self._free()
        return super(EstimatorNode, self).on_shutdown(state)

    def on_error(self, state):
        """Go back to unconfigured with everything freed."""
        self._stop()
        self._free()
        return super(EstimatorNode, self).on_error(state)

    def _configure(self):
        if self._parameter_error:
            raise PoseRosError(self._parameter_error)
        names = camera_names(self._values['cameras'])
        batch = most_frames_per_run(self._values, len(names))
        self._estimator = estimator = load_estimator(self, self._values, batch)
        self._processor = FrameProcessor(self, estimator, self._values)
        # With a network that takes one image at a time, frames would only wait for each other.
        self._worker = Worker(self._processor, min(batch, estimator.networks[0].batch_size))
        self._topology = create_publisher(self, SkeletonTopology, TOPOLOGY_TOPIC, LATCHED_QOS)
        for name in names:
            self._cameras.append(
                Camera(self, name, estimator.topology, self._worker, self._values))

    def _begin(self):
        self._worker.start()
        for camera in self._cameras:
            camera.start()

    def _halt(self):
        """Finish the current batch, then publish an empty SkeletonArray."""
        for camera in self._cameras:
            camera.stop()
        self._worker.stop()
        for camera in self._cameras:
            camera.output.clear()

    def _stop(self):
        if self._active:
            self._active = False
            self._halt()

    def _free(self):
        for camera in self._cameras:
            camera.output.destroy()
        if self._topology is not None:
            self.destroy_lifecycle_publisher(self._topology)
        if self._estimator is not None:
            self._estimator.close()
        self._estimator = self._processor = self._worker = self._topology = None
        self._cameras = []

    def _update_cameras(self):
        for camera in self._cameras:
            camera.update()

    def _on_parameters(self, changes):
        """Check all changes first, then apply them: the next frame sees all or none."""
        result = validate(ESTIMATOR_PARAMETERS, changes)
        if not result.successful:
            return result
        names = {parameter.name for parameter in ESTIMATOR_PARAMETERS}
        if self._estimator is not None:
            table = self._estimator.parameters
            result = validate(table, changes)
            if not result.successful:
                return result
            known = {parameter.name for parameter in table}
            self._estimator.configure(
                **{change.name: change.value for change in changes if change.name in known})
        self._values.update(
            {change.name: change.value for change in changes if change.name in names})
        return result

    def _on_enable(self, request, response):
        if self._active and request.data != self._enabled:
            (self._begin if request.data else self._halt)()
        self._enabled = request.data
        response.success = True
        response.message = 'estimation is {}'.format('enabled' if request.data else 'disabled')
        return response

    def _on_diagnostics(self):
        state = NodeState(self.get_fully_qualified_name(), self._active, self._enabled,
                          self._start_error)
        statuses = [engine_status(state, self._estimator, self._processor,
                                  self._unknown_parameters)]
        problems = []
        for camera in self._cameras:
            warnings = camera.check(self._values['no_image_timeout']) if self._active else []
            statuses.append(camera_status(state, camera, warnings))
            problems += warnings
        if problems:
            self.get_logger().warning('; '.join(problems), throttle_duration_sec=10.0)
        array = DiagnosticArray(status=statuses)
        array.header.stamp = self.get_clock().now().to_msg()
        self._diagnostics.publish(array)


def main(args=None) -> int:
    """Run the node until it is shut down."""
    def spin(node):
        # The executor's thread would keep the worker from a new image for half a millisecond.
        sys.setswitchinterval(_SWITCH_INTERVAL)
        forward_log(node)
        if node.autostart:
            node.start()
        rclpy.spin(node)
    return run_node(EstimatorNode, args, spin)


if __name__ == '__main__':
    sys.exit(main())
