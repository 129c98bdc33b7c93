# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""What the worker does with one image message."""
import time
import traceback
from typing import Any, Dict

from rclpy.time import Time

from pose_ros.core.errors import PoseRosError
from pose_ros.core.estimator import PoseEstimator
from pose_ros.core.frame import Frame
from pose_ros.nodes.camera import CameraInput
from pose_ros.nodes.image_codec import decode_compressed, decode_image
from pose_ros.nodes.output import PeopleOutput
from pose_ros.nodes.statistics import Statistics

_ERROR_LOG_PERIOD = 5.0  # s


class Pipeline:
    """One camera: message to people to topics. Bad frames are counted, explained, never raised."""

    def __init__(self, node, estimator: PoseEstimator, camera: CameraInput, output: PeopleOutput,
                 statistics: Statistics, values: Dict[str, Any]):
        """Take the parts; `values` are the node's live parameter values."""
        self._node, self._estimator, self._camera = node, estimator, camera
        self._output, self._statistics, self._values = output, statistics, values
        self._decode = decode_compressed if camera.compressed else decode_image
        self._last_stamp = 0
        self._warned_of_zero_stamp = False

    def __call__(self, message, arrival: float) -> None:
        """Process a sensor_msgs Image or CompressedImage that arrived at a time.perf_counter()."""
        try:
            self._check_stamp(message.header.stamp)
            self._process(message, arrival)
            self._statistics.processed += 1
        except PoseRosError as error:
            self._report(str(error))
        except Exception as error:  # whatever it is, the next frame deserves its chance
            if not self._node.context.ok():
                return  # shut down in the middle of a frame
            self._report('unexpected {}: {}'.format(type(error).__name__, error),
                         traceback.format_exc())

    def _process(self, message, arrival):
        statistics, estimator = self._statistics, self._estimator
        start = time.perf_counter()
        image = self._decode(message)
        decoded = time.perf_counter()
        people = estimator(Frame(image))
        estimated = time.perf_counter()
        self._output.publish(message.header, image, people, self._camera.camera_info,
                             self._values['labels'], self._values['marker_distance'])
        published = time.perf_counter()
        statistics.people = people.count
        for stage, seconds in estimator.timings.items():
            statistics.record(stage, seconds)
        statistics.record('wait', start - arrival)
        statistics.record('image', decoded - start)
        statistics.record('publish', published - estimated)
        statistics.record('total', published - arrival)
        self._record_latency(message.header.stamp)

    def _record_latency(self, stamp):
        if stamp.sec or stamp.nanosec:
            now = self._node.get_clock().now()
            age = now - Time.from_msg(stamp, clock_type=now.clock_type)
            self._statistics.record('latency', age.nanoseconds * 1e-9)

    def _check_stamp(self, stamp):
        """Point out stamps that break consumers; the header itself is passed on untouched."""
        nanoseconds = stamp.sec * 1000000000 + stamp.nanosec
        if nanoseconds == 0 and not self._warned_of_zero_stamp:
            self._warned_of_zero_stamp = True
            self._node.get_logger().warning(
                'images on {} have time stamp 0: they are passed on as they are, but nothing can '
                'be synchronized with them; let the driver stamp its images'.format(
                    self._camera.topic))
        if nanoseconds < self._last_stamp:
            self._statistics.time_jumps += 1
            self._node.get_logger().info(
                'time on {} jumped back by {:.3f} s (a bag that loops?)'.format(
                    self._camera.topic, (self._last_stamp - nanoseconds) * 1e-9))
        self._last_stamp = nanoseconds

    def _report(self, text, details=''):
        self._statistics.record_error(text)
        self._node.get_logger().error(
            'frame skipped: {}{}'.format(text, details and '\n' + details),
            throttle_duration_sec=_ERROR_LOG_PERIOD)
