# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""The node `monitor`: prints what the estimator does, and records its overlay to a video."""
import collections
import contextlib
import sys
import time

import numpy as np
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from rclpy.node import Node
from sensor_msgs.msg import Image

from pose_ros.core.errors import ImageError, OutputError
from pose_ros.core.image_messages import decode_image
from pose_ros.core.parameters import Parameter
from pose_ros.core.video import VideoRecorder
from pose_ros.msg import SkeletonArray
from pose_ros.nodes.clock import ClockWatch, nanoseconds, steady_timer
from pose_ros.nodes.interface import DIAGNOSTICS_TOPIC, OVERLAY_TOPIC, SKELETONS_TOPIC
from pose_ros.nodes.parameters import declare, warn_of_unknown
from pose_ros.nodes.qos import DRAWING_QOS, SKELETONS_QOS
from pose_ros.nodes.run import run_node

MONITOR_PARAMETERS = (
    Parameter('output', '',
              'Video file (.avi or .mp4) that records the overlay; empty records nothing'),
    Parameter('output_rate', 30.0, 'Frame rate of the recorded video', 1.0, 240.0, unit='Hz'),
    Parameter('period', 1.0, 'Time between printed lines', 0.1, 60.0, unit='s'),
    Parameter('fail_on_error', False, 'End with exit code 1 when the estimator reports an error'),
)
_WARNING_PERIOD = 10.0  # s
_REMEMBERED = 10000  # latencies in the summary; a monitor may run for days

_COUNTED = {'frames received', 'frames dropped', 'frames failed', 'frames lost'}


class MonitorNode(Node):
    """Prints people, rate, latency and drops once per period, and a summary at the end."""

    def __init__(self):
        """Subscribe to what the estimator publishes in the same namespace."""
        super(MonitorNode, self).__init__('monitor')
        self._values = declare(self, MONITOR_PARAMETERS)
        warn_of_unknown(self)
        self._latencies, self._all_latencies = [], collections.deque(maxlen=_REMEMBERED)
        self._frames, self._ids, self._nearest, self._first = 0, [], '', None
        self._last_print = time.monotonic()
        self._counts, self.failure = {}, ''
        self._video, self.unwritten = None, False
        if self._values['output']:
            self._video = VideoRecorder(self._values['output'], self._values['output_rate'])
            self.create_subscription(Image, OVERLAY_TOPIC, self._on_overlay, DRAWING_QOS)
        self._topic = self.create_subscription(
            SkeletonArray, SKELETONS_TOPIC, self._on_skeletons, SKELETONS_QOS).topic_name
        self.create_subscription(DiagnosticArray, DIAGNOSTICS_TOPIC, self._on_diagnostics, 10)
        self._clock_watch = ClockWatch(self)
        steady_timer(self, self._values['period'], self._print)

    def close(self) -> None:
        """Finish the video and print the summary."""
        if self._video is not None:
            with self._recording():
                self._video.close()
        print(self.summary(), flush=True)
        self.destroy_node()

    @contextlib.contextmanager
    def _recording(self):
        """Report a video that cannot be written, and go on without it."""
        try:
            yield
        except OutputError as error:
            print('error: {}'.format(error), file=sys.stderr, flush=True)
            self._video, self.unwritten = None, True

    def summary(self) -> str:
        """Return the sum of the whole run in one line."""
        seconds = time.monotonic() - self._first if self._first else 0.0
        text = '{} frames in {:.1f} s ({:.1f} Hz)'.format(
            self._frames, seconds, self._frames / seconds if seconds else 0.0)
        if self._all_latencies:
            text += ', latency {}'.format(_milliseconds(self._all_latencies))
        if self._counts:
            text += ', received {frames received}, dropped {frames dropped}' \
                ', failed {frames failed}, lost {frames lost}'.format(**self._counts)
        if self._video is not None:
            text += '; annotated video: {} ({} frames)'.format(
                self._values['output'], self._video.frames)
        return text

    def _on_skeletons(self, message):
        stamp, now = nanoseconds(message.header.stamp), self.get_clock().now().nanoseconds
        if stamp and now and message.image_width:  # 0: no stamp, or no /clock
            latency = (now - stamp) * 1e-9
            self._latencies.append(latency)
            self._all_latencies.append(latency)
        self._first = self._first or time.monotonic()
        self._frames += bool(message.image_width)
        self._ids = [skeleton.track_id for skeleton in message.skeletons]
        self._nearest = _nearest(message.skeletons)

    def _on_overlay(self, message):
        if self._video is None:
            return
        try:
            image = decode_image(message)
        except ImageError as error:
            self.get_logger().warning('overlay skipped: {}'.format(error),
                                      throttle_duration_sec=_WARNING_PERIOD)
            return
        with self._recording():
            self._video.write(image, nanoseconds(message.header.stamp) * 1e-9)

    def _on_diagnostics(self, message):
        for status in message.status:
            values = {item.key: item.value for item in status.values}
            if values.get('skeletons topic') == self._topic and _COUNTED <= set(values):
                self._counts = values
            if status.level == DiagnosticStatus.ERROR and status.name.startswith(
                    self.get_namespace().rstrip('/') + '/estimator:'):
                self.failure = status.message

    def _print(self):
        now, waiting = time.monotonic(), self._latencies
        if waiting:
            rate = len(waiting) / (now - self._last_print)
            counts = [self._counts.get('frames ' + name, '?')
                      for name in ('dropped', 'received', 'lost')]
            print('people {:2d} (ids {}{}) | {:5.1f} Hz | latency {} | dropped {} of {}, lost {}'
                  ''.format(len(self._ids), ' '.join(map(str, self._ids)) or '-', self._nearest,
                            rate, _milliseconds(waiting), *counts), flush=True)
        self._latencies, self._last_print = [], now
        problem = self._clock_watch.problem()
        if problem:
            self.get_logger().warning(problem, throttle_duration_sec=_WARNING_PERIOD)
        if self.failure and self._values['fail_on_error']:
            raise SystemExit(1)


def _nearest(skeletons):
    """Return a text with the distance of the nearest person, '' without positions."""
    points = [(skeleton.position.x, skeleton.position.y, skeleton.position.z)
              for skeleton in skeletons]
    distances = np.linalg.norm(np.array(points).reshape(-1, 3), axis=1)
    distances = distances[np.isfinite(distances)]
    return ', nearest {:.2f} m'.format(distances.min()) if len(distances) else ''


def _milliseconds(latencies):
    return '{:.0f} ms (p95 {:.0f})'.format(1000 * np.median(latencies),
                                           1000 * np.percentile(latencies, 95))


def main(args=None) -> int:
    """Run the node until it is shut down.

    The exit code is 1 if the video could not be written, or if the estimator failed and
    `fail_on_error` is set.
    """
    nodes = []

    def make_node():
        nodes.append(MonitorNode())
        return nodes[0]
    return run_node(make_node, args) or int(any(node.unwritten for node in nodes))


if __name__ == '__main__':
    sys.exit(main())
