# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""What the worker does with a batch of image messages."""
import contextlib
import time
from typing import Any, Dict, NamedTuple, Sequence, Tuple

from std_msgs.msg import Header

from pose_ros.core.errors import PoseRosError
from pose_ros.core.estimator import PoseEstimator
from pose_ros.core.frame import Frame
from pose_ros.core.panels import draw_panels
from pose_ros.core.people import People
from pose_ros.nodes.camera import Camera
from pose_ros.nodes.clock import nanoseconds
from pose_ros.nodes.log import described, with_trace
from pose_ros.nodes.statistics import Timings

_ERROR_LOG_PERIOD = 5.0  # s


class _Job(NamedTuple):
    """One frame, and the times [s] at which its image arrived and was decoded."""

    camera: Camera
    header: Header
    frame: Frame
    arrival: float
    decoded: float


class FrameProcessor:
    """Messages to frames to people to topics. Bad frames are counted and logged, never raised.

    `timings` are those of the estimator's runs.
    """

    def __init__(self, node, estimator: PoseEstimator, values: Dict[str, Any]):
        """Take the parts; `values` are the node's live parameter values."""
        self._node, self._estimator, self._values = node, estimator, values
        self.timings = Timings()
        self.runs = self.frames = 0
        self._last_logs: Dict[str, float] = {}

    def __call__(self, batch: Sequence[Tuple[Camera, Tuple[Any, float]]]) -> None:
        """Process [(camera, (message, time.perf_counter() of its arrival)), ...].

        An invalid image fails alone; if the network fails, all frames of the batch do.
        """
        jobs = []
        for camera, (message, arrival) in batch:
            with self._guarded((camera,)):
                jobs.append(self._decode(camera, message, arrival))
        if not jobs:
            return
        with self._guarded([job.camera for job in jobs]):
            people = self._run([job.frame for job in jobs])
            for job, persons in zip(jobs, people):
                with self._guarded((job.camera,)):
                    self._publish(job, persons)

    def _decode(self, camera, message, arrival):
        start = time.perf_counter()
        image = camera.input.decode(message)
        stamp = message.header.stamp
        seconds = stamp.sec + stamp.nanosec * 1e-9
        calibration = camera.calibration.find(stamp, image.shape[1], image.shape[0])
        depth = camera.depth.find(message.header, image, calibration is not None) \
            if camera.depth else None
        frame = Frame(image, seconds or float('nan'), camera.name, calibration, depth)
        decoded = time.perf_counter()
        camera.statistics.record('wait', start - arrival)
        camera.statistics.record('image', decoded - start)
        return _Job(camera, message.header, frame, arrival, decoded)

    def _run(self, frames):
        people = self._estimator.run(frames)
        self.runs, self.frames = self.runs + 1, self.frames + len(frames)
        for name, seconds in self._estimator.timings.items():
            self.timings.record(name, seconds)
        return people

    def _publish(self, job: _Job, people: People):
        start = time.perf_counter()
        camera, stamp = job.camera, job.header.stamp
        calibration = camera.calibration.settle(stamp, job.frame)
        camera.output.publish(job.header, job.frame, people, calibration, self._values['labels'],
                              self._values['marker_distance'])
        if camera.output.shows_panels:
            camera.output.publish_panels(
                job.header, draw_panels(self._estimator, job.frame, people))
        published = time.perf_counter()
        statistics = camera.statistics
        statistics.record('estimate', start - job.decoded)
        statistics.record('publish', published - start)
        statistics.record('total', published - job.arrival)
        now = self._node.get_clock().now().nanoseconds
        if now and nanoseconds(stamp):  # 0: no /clock, or no stamp
            statistics.record('latency', (now - nanoseconds(stamp)) * 1e-9)
        statistics.people = people.count
        statistics.processed += 1

    @contextlib.contextmanager
    def _guarded(self, cameras):
        """Count and log an error for these cameras: it must not stop the node."""
        try:
            yield
        except Exception as error:
            if isinstance(error, PoseRosError) or self._node.context.ok():
                self._report(cameras, error)  # else it was shut down in the middle of a frame

    def _report(self, cameras, error):
        text = described(error)
        names = ', '.join(camera.name for camera in cameras)
        now = time.monotonic()
        # rclpy's throttle would let one camera's errors hide those of another.
        if now - self._last_logs.get(names, -_ERROR_LOG_PERIOD) >= _ERROR_LOG_PERIOD:
            self._last_logs[names] = now
            self._node.get_logger().error(with_trace('frame skipped{}: {}'.format(
                names and ' ({})'.format(names), text), error))
        for camera in cameras:  # after the log: a count that is seen can be looked up there
            camera.statistics.record_error(text)
