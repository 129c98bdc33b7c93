# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""The lifecycle node `estimator`: images in, skeletons out."""
import contextlib
import sys

from diagnostic_msgs.msg import DiagnosticArray
from rcl_interfaces.msg import SetParametersResult
import rclpy
from rclpy.lifecycle import LifecycleNode, TransitionCallbackReturn
from std_srvs.srv import SetBool

from pose_ros.core.errors import shown
from pose_ros.core.stages.settings import setting_tables
from pose_ros.msg import SkeletonTopology
from pose_ros.nodes.camera import Camera
from pose_ros.nodes.clock import ClockWatch, steady_timer
from pose_ros.nodes.diagnostics import NodeState, camera_status, engine_status
from pose_ros.nodes.frame_processor import FrameProcessor
from pose_ros.nodes.interface import (DIAGNOSTICS_TOPIC, ENABLE_SERVICE, ESTIMATOR_PARAMETERS,
                                      TOPOLOGY_TOPIC, camera_names)
from pose_ros.nodes.live_parameters import LiveParameters
from pose_ros.nodes.loading import load_estimator, most_frames_per_run
from pose_ros.nodes.log import described, forward_log, guarded, with_trace
from pose_ros.nodes.output import to_topology
from pose_ros.nodes.parameters import unknown_overrides, validate
from pose_ros.nodes.qos import LATCHED_QOS, create_publisher
from pose_ros.nodes.run import run_node
from pose_ros.nodes.worker import Worker

_SWITCH_INTERVAL = 2e-4  # s
_LAZY_PERIOD = 0.2  # s between two counts of subscribers
SUCCESS, FAILURE, ERROR = (TransitionCallbackReturn.SUCCESS, TransitionCallbackReturn.FAILURE,
                           TransitionCallbackReturn.ERROR)


class EstimatorNode(LifecycleNode):
    """Configure loads and warms the network, activate subscribes; one worker thread works.

    A transition that fails is logged and becomes an error in diagnostics; the node stays alive.
    """

    def __init__(self, **node_options):
        """Declare the parameters; nothing is loaded before configure."""
        super(EstimatorNode, self).__init__('estimator', **node_options)
        self._live = LiveParameters(self, ESTIMATOR_PARAMETERS, at_start=('autostart',))
        self._values, self._start_error = self._live.values, ''
        self._estimator = self._processor = self._worker = self._topology = None
        self._cameras, self._unknown_parameters = [], []
        self._active, self._enabled = False, True
        self._diagnostics = self.create_publisher(DiagnosticArray, DIAGNOSTICS_TOPIC, 10)
        self._clock_watch = ClockWatch(self)
        self._own_timers = []
        self._set_timers()
        self.add_on_set_parameters_callback(self._on_parameters)
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
        done = self._attempt('configure', self._configure)
        if not done:
            guarded(self, self._free)()
        guarded(self, lambda: self._warn_of_unknown(done))()
        return super(EstimatorNode, self).on_configure(state) if done else FAILURE

    def on_activate(self, state):
        """Subscribe and start the worker."""
        if self._attempt('activate', lambda: self._activate(state)):
            return SUCCESS
        guarded(self, self._stop)()
        super(EstimatorNode, self).on_deactivate(state)
        return FAILURE

    def on_deactivate(self, state):
        """Stop working; publish an empty SkeletonArray last."""
        done = self._attempt('deactivate', self._stop)
        return super(EstimatorNode, self).on_deactivate(state) if done else ERROR

    def on_cleanup(self, state):
        """Free the network."""
        done = self._attempt('clean up', self._free)
        return super(EstimatorNode, self).on_cleanup(state) if done else ERROR

    def on_shutdown(self, state):
        """Stop and free, from any state."""
        done = self._attempt('stop', self._stop) and self._attempt('free', self._free)
        return super(EstimatorNode, self).on_shutdown(state) if done else ERROR

    def on_error(self, state):
        """Go back to unconfigured with everything freed."""
        for action in (self._stop, self._free):
            guarded(self, action)()
        return super(EstimatorNode, self).on_error(state)

    def _attempt(self, transition, action):
        """Return whether the action succeeds: rclpy itself would drop an error in silence."""
        try:
            action()
        except Exception as error:
            self._start_error = described(error)
            self.get_logger().error(
                with_trace('cannot {}: {}'.format(transition, self._start_error), error))
            return False
        self._start_error = ''
        return True

    def _configure(self):
        self._live.require_valid()
        self._set_timers()
        names = camera_names(self._values['cameras'])
        batch = most_frames_per_run(self._values, len(names))
        self._estimator = estimator = load_estimator(self._live, batch)
        self._processor = FrameProcessor(self, estimator, self._values)
        # With a network that takes one image at a time, frames would only wait for each other.
        self._worker = Worker(self._processor, min(batch, estimator.networks[0].batch_size))
        self._topology = create_publisher(self, SkeletonTopology, TOPOLOGY_TOPIC, LATCHED_QOS)
        for name in names:
            self._cameras.append(
                Camera(self, name, estimator, self._worker, self._values))

        self._live.begin()
        self.get_logger().info(shown('network {} is ready'.format(estimator.card.name)))

    def _activate(self, state):
        super(EstimatorNode, self).on_activate(state)
        self._active = True
        self._topology.publish(to_topology(self._estimator.topology))
        if self._enabled:
            self._begin()
        self.get_logger().info('estimating people on {}'.format(
            ', '.join(camera.input.topic for camera in self._cameras)))

    def _begin(self):
        self._worker.start()
        for camera in self._cameras:
            camera.start()

    def _halt(self):
        """Finish the current batch, then publish an empty SkeletonArray."""
        with contextlib.ExitStack() as last_first:  # each step runs, also after one that fails
            for camera in self._cameras:
                last_first.callback(camera.output.clear)
            last_first.callback(self._worker.stop)
            for camera in self._cameras:
                last_first.callback(camera.stop)

    def _stop(self):
        if self._active:
            self._active = False
            self._halt()

    def _free(self):
        with contextlib.ExitStack() as last_first:
            last_first.callback(self._live.end)
            if self._estimator is not None:
                last_first.callback(self._estimator.close)
            if self._topology is not None:
                last_first.callback(self.destroy_lifecycle_publisher, self._topology)
            for camera in self._cameras:
                last_first.callback(camera.output.destroy)
            self._estimator = self._processor = self._worker = self._topology = None
            self._cameras = []

    def _set_timers(self):
        for timer in self._own_timers:
            self.destroy_timer(timer)
        self._own_timers = [
            steady_timer(self, self._values['diagnostics_period'], self._on_diagnostics)]
        if self._values['lazy']:
            self._own_timers.append(steady_timer(self, _LAZY_PERIOD, self._update_cameras))

    def _update_cameras(self):
        for camera in self._cameras:
            camera.update()

    def _warn_of_unknown(self, configured):
        # Without a model it may have any setting.
        undeclared = [] if configured else [
            '{}.{}'.format(table.owner, parameter.name)
            for table in setting_tables() for parameter in table.parameters]
        texts = unknown_overrides(self, undeclared)
        for text in texts:
            if text not in self._unknown_parameters:
                self.get_logger().warning(text)
        self._unknown_parameters = texts

    def _on_parameters(self, changes):
        """Check all changes first, then apply them: the next frame sees all or none."""
        try:
            return self._change(changes)
        except Exception as error:  # rclpy would end the node
            self.get_logger().error(with_trace(described(error), error))
            return SetParametersResult(successful=False, reason=described(error))

    def _change(self, changes):
        result = self._live.check(changes)
        if result.successful and self._estimator is not None:
            table = self._estimator.parameters
            result = validate(table, changes)
            if result.successful:
                known = {parameter.name for parameter in table}
                self._estimator.configure(
                    **{change.name: change.value for change in changes if change.name in known})
        if result.successful:
            self._live.apply(changes)
        return result

    def _on_enable(self, request, response):
        changed, self._enabled = request.data != self._enabled, request.data
        response.message = 'estimation is {}'.format('enabled' if request.data else 'disabled')
        response.success = not self._active or not changed or self._attempt(
            'switch', self._begin if request.data else self._halt)
        if not response.success:
            response.message = self._start_error
        return response

    def _on_diagnostics(self):
        state = NodeState(self.get_fully_qualified_name(), self._active, self._enabled,
                          self._start_error)
        problems = [text for text in (self._clock_watch.problem(),) if text]
        statuses = [engine_status(state, self._estimator, self._processor,
                                  self._unknown_parameters, problems)]
        for camera in self._cameras:
            warnings = camera.check(self._values['no_image_timeout']) if self._active else []
            statuses.append(camera_status(state, camera, warnings))
            problems = problems + warnings
        if problems:
            self.get_logger().warning(shown('; '.join(problems)), throttle_duration_sec=10.0)
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
