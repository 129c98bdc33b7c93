# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Time what ROS adds: image message in, SkeletonArray out, against the same Python API call.

    tools/env.sh python benchmark/ros_path.py [--model MODEL.onnx] [--frames 300] [--size 640x480]

An estimator node runs in a process of its own, its drawings have no subscriber. This process
publishes an image, waits for its skeletons, and then makes the same call through a PoseEstimator
in a second process, so that both see the same machine. The node is waited for before the next
frame: nothing is dropped, and no two of them compete.

"in the node" is from the arrival of the image message to the end of publishing the SkeletonArray,
as the node itself reports it; the round trip also holds what camera and consumer spend on their
messages, and DDS both ways. Fast DDS is told to pass whole images through shared memory
(config/fastdds.xml); --default-dds leaves it as it comes.
"""
import argparse
import os
import statistics
import subprocess
import sys
import time

import cv2
from diagnostic_msgs.msg import DiagnosticArray
import rclpy
from rclpy.qos import QoSProfile, ReliabilityPolicy
from sensor_msgs.msg import Image

from common import argument_parser, load_frames, machine, percentiles, print_table

from pose_ros.core import PoseEstimator
from pose_ros.msg import SkeletonArray
from pose_ros.nodes.dds import shared_memory_settings
from pose_ros.nodes.image_codec import encode_bgr8

WARM_UP = 20  # frames


def work(options):
    """Answer each line on stdin with the seconds that one call of the Python API took."""
    cv2.setNumThreads(1)
    estimator = PoseEstimator(options.model, backend=options.backend)
    frames = load_frames(options.images, options.size)
    for number, _ in enumerate(sys.stdin):
        start = time.perf_counter()
        estimator(frames[number % len(frames)])
        print(time.perf_counter() - start, flush=True)


class RoundTrip:
    """Publishes an image to an estimator node and waits for the people in it."""

    def __init__(self, options):
        """Start the node and wait until it listens."""
        namespace = '/benchmark_{}'.format(os.getpid())
        self._process = subprocess.Popen(
            [sys.executable, '-m', 'pose_ros.nodes.estimator',
             '--ros-args', '-r', '__ns:=' + namespace, '-p', 'model:=' + options.model,
             '-p', 'backend:=' + options.backend, '--log-level', 'warn'])
        rclpy.init()
        self._node = rclpy.create_node('camera', namespace=namespace)
        qos = QoSProfile(depth=1, reliability=ReliabilityPolicy.RELIABLE)
        self._publisher = self._node.create_publisher(Image, 'image', qos)
        self._answer = None
        self._node.create_subscription(SkeletonArray, 'skeletons', self._on_answer, qos)
        self._node.create_subscription(DiagnosticArray, '/diagnostics', self._on_diagnostics, 10)
        self._message, self.node_total = Image(), (0.0, 0.0)
        while not self._publisher.get_subscription_count():
            rclpy.spin_once(self._node, timeout_sec=0.1)
        for _ in range(30):  # it may still change its reliability to ours
            rclpy.spin_once(self._node, timeout_sec=0.1)

    def __call__(self, frame):
        """Return the seconds from before the image becomes a message to when its people arrive."""
        self._answer, start = None, time.perf_counter()
        header = self._message.header
        header.stamp = self._node.get_clock().now().to_msg()
        self._publisher.publish(encode_bgr8(frame, header, self._message))
        while self._answer is None:
            rclpy.spin_once(self._node, timeout_sec=1.0)
        return time.perf_counter() - start

    def close(self):
        """Wait for the last diagnostics, and stop the node."""
        for _ in range(30):
            rclpy.spin_once(self._node, timeout_sec=0.1)
        self._process.terminate()
        self._process.wait()
        rclpy.shutdown()

    def _on_answer(self, message):
        if message.header.stamp == self._message.header.stamp:
            self._answer = message

    def _on_diagnostics(self, message):
        """Keep the node's own figure: median and 95th percentile [ms] of its last 200 frames."""
        for status in message.status:
            for item in status.values:
                if status.name.startswith(self._node.get_namespace()) and item.key == 'total [ms]':
                    median, _, slow = item.value.rstrip(')').split()
                    self.node_total = (float(median), float(slow))


def main():
    """Measure, and print a table in Markdown."""
    parser = argument_parser(__doc__)
    parser.add_argument('--backend', default='auto', help='inference engine')
    parser.add_argument('--frames', type=int, default=300)
    parser.add_argument('--size', default='640x480',
                        type=lambda text: tuple(map(int, text.split('x'))))
    parser.add_argument('--default-dds', action='store_true', help='keep the DDS settings')
    parser.add_argument('--work', action='store_true', help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.work:
        work(options)
        return
    if not options.default_dds:
        os.environ.update(shared_memory_settings(os.environ))
    frames = load_frames(options.images, options.size)
    command = [sys.executable, __file__, '--work', '--model', options.model,
               '--backend', options.backend, '--size', '{}x{}'.format(*options.size),
               '--images'] + options.images
    worker = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                              universal_newlines=True, bufsize=1)
    round_trip = RoundTrip(options)
    ros, api = [], []
    for number in range(WARM_UP + options.frames):
        ros.append(1000 * round_trip(frames[number % len(frames)]))
        worker.stdin.write('\n')
        api.append(1000 * float(worker.stdout.readline()))
    round_trip.close()
    worker.stdin.close()
    ros, api = ros[WARM_UP:], api[WARM_UP:]
    print(machine())
    rows = [(name, statistics.median(values), percentiles(values, (95,))[0])
            for name, values in (('Python API', api), ('round trip', ros),
                                 ('round trip - Python API', [a - b for a, b in zip(ros, api)]))]
    rows.insert(1, ('in the node',) + round_trip.node_total)
    recent = statistics.median(api[-200:])
    rows.insert(2, ('in the node - Python API', round_trip.node_total[0] - recent, None))
    title = '{}x{}, {} frames'.format(*(options.size + (options.frames,)))
    print_table((title, 'median [ms]', 'p95 [ms]'), [
        (name, '{:.2f}'.format(median), '{:.2f}'.format(slow) if slow else '')
        for name, median, slow in rows])


if __name__ == '__main__':
    main()
