# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""The lifecycle node `estimator`: images in, skeletons out."""
import sys

import rclpy
from diagnostic_msgs.msg import DiagnosticArray
from rclpy.lifecycle import LifecycleNode, TransitionCallbackReturn
from std_srvs.srv import SetBool

from pose_ros.core.engines.engine import ENGINE_PARAMETERS
from pose_ros.core.errors import PoseRosError
from pose_ros.core.estimator import PoseEstimator
from pose_ros.nodes.camera import CameraInput
from pose_ros.nodes.diagnostics import judge, statistics_values, to_diagnostics
from pose_ros.nodes.interface import (DIAGNOSTICS_TOPIC, ENABLE_SERVICE,
                                      ESTIMATOR_PARAMETERS)
from pose_ros.nodes.log import forward_log
from pose_ros.nodes.output import PeopleOutput
from pose_ros.nodes.parameters import declare, validate
from pose_ros.nodes.pipeline import Pipeline
from pose_ros.nodes.run import run_node
from pose_ros.nodes.statistics import Statistics
from pose_ros.nodes.worker import Worker

_SWITCH_INTERVAL = 2e-4  # s
SUCCESS, FAILURE = TransitionCallbackReturn.SUCCESS, TransitionCallbackReturn.FAILURE


class EstimatorNode(LifecycleNode):
    """Configure loads and warms the network, activate subscribes; one worker thread works."""

    def __init__(self, **node_options):
        """Declare the parameters; nothing is loaded before configure."""
        super(EstimatorNode, self).__init__('estimator', **node_options)
        self._parameter_error = ''
        try:
            self._values = declare(self, ESTIMATOR_PARAMETERS)
        except PoseRosError as error:
            self._parameter_error, self._values = str(error), declare(self, ESTIMATOR_PARAMETERS)
        self._statistics = Statistics()
        self._estimator = self._output = self._camera = self._pipeline = self._worker = None
        self._active, self._enabled, self._start_error = False, True, ''
        self.add_on_set_parameters_callback(self._on_parameters)
        self._diagnostics = self.create_publisher(DiagnosticArray, DIAGNOSTICS_TOPIC, 10)
        self.create_timer(self._values['diagnostics_period'], self._on_diagnostics)
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
        values = self._values
        try:
            self._estimator = self._load()
        except PoseRosError as error:
            self._start_error = str(error)
            self.get_logger().error('cannot configure: {}'.format(error))
            return FAILURE
        self._start_error = ''
        self._output = PeopleOutput(self, self._estimator.topology)
        self._worker = Worker(lambda mailbox, item: self._pipeline(*item))
        self._camera = CameraInput(self, self._worker.add_mailbox(), self._statistics,
                                   values['image_transport'], values['image_qos'])
        self._pipeline = Pipeline(self, self._estimator, self._camera, self._output,
                                  self._statistics, values)
        self.get_logger().info('network {} is ready'.format(self._estimator.card.name))
        return super(EstimatorNode, self).on_configure(state)

    def on_activate(self, state):
        """Subscribe and start the worker."""
        super(EstimatorNode, self).on_activate(state)
        self._active = True
        self._output.publish_topology()
        if self._enabled:
            self._begin()
        self.get_logger().info('estimating people on {}'.format(self._camera.topic))
        return SUCCESS

    def on_deactivate(self, state):
        """Stop working; the last word is that nobody is seen."""
        self._stop()
        return super(EstimatorNode, self).on_deactivate(state)

    def on_cleanup(self, state):
        """Free the network."""
        self._free()
        return super(EstimatorNode, self).on_cleanup(state)

    def on_shutdown(self, state):
        """Stop and free from whichever state."""
        self._stop()
        self._free()
        return super(EstimatorNode, self).on_shutdown(state)

    def on_error(self, state):
        """Go back to unconfigured with everything freed."""
        self._stop()
        self._free()
        return super(EstimatorNode, self).on_error(state)

    def _load(self):
        values = self._values
        if self._parameter_error:
            raise PoseRosError(self._parameter_error)
        size = (values['input_width'], values['input_height'])
        if bool(size[0]) != bool(size[1]):
            raise PoseRosError(
                'input_width and input_height go together: set both, or leave both 0')
        engine = {parameter.name: values[parameter.name] for parameter in ENGINE_PARAMETERS}
        estimator = PoseEstimator(values['model'] or None, card=values['card'] or None,
                                  input_size=size if all(size) else None, **engine)
        try:
            # The defaults of the declared parameters are this model's own values.
            estimator.configure(**declare(self, estimator.parameters))
        except PoseRosError:
            estimator.close()
            raise
        return estimator

    def _begin(self):
        self._worker.start()
        self._camera.start()

    def _halt(self):
        """Finish the frame in hand; the last word is that nobody is seen."""
        self._camera.stop()
        self._worker.stop()
        self._output.clear()

    def _stop(self):
        if self._active:
            self._active = False
            self._halt()

    def _free(self):
        if self._output is not None:
            self._output.destroy()
        if self._estimator is not None:
            self._estimator.close()
        self._estimator = self._output = self._camera = self._pipeline = self._worker = None

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

    def _engine_faults(self):
        fault = self._estimator.network.engine.fault if self._estimator is not None else ''
        return [fault] if fault else []

    def _on_diagnostics(self):
        warnings = self._camera.check(self._values['no_image_timeout']) if self._active else []
        if warnings:
            self.get_logger().warning('; '.join(warnings), throttle_duration_sec=10.0)
        level, message = judge(
            self._active, self._enabled, self._start_error, warnings + self._engine_faults(),
            self._statistics)
        values = statistics_values(self._statistics)
        hardware = 'none'
        if self._estimator is not None:
            engine = self._estimator.network.engine
            info = engine.describe()
            hardware = info.device
            if engine.note or engine.fault:
                values['engine note'] = engine.note or engine.fault
            values.update({'model': self._estimator.card.name, 'model file': info.model,
                           'engine': str(info), 'image topic': self._camera.topic})
        name = '{}: pose estimation'.format(self.get_fully_qualified_name())
        self._diagnostics.publish(to_diagnostics(
            self.get_clock().now().to_msg(), name, hardware, level, message, values))


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
