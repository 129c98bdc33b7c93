# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Time what ROS adds: image message in, SkeletonArray out, against the same Python API call.

    tools/env.sh python benchmark/ros_path.py --model MODEL.onnx [--frames 300] [--size 640x480]

An estimator node runs in a process of its own, nobody listens to its drawings. This process
publishes an image, waits for its skeletons (the round trip: serialise, DDS, node, DDS,
deserialise), and then makes the same call through a PoseEstimator in a second process, so that
both see the same machine. The node is waited for before the next frame: nothing is dropped, and
no two of them compete.
"""
import argparse
import os
import statistics
import subprocess
import sys
import time

import cv2
import rclpy
from rclpy.qos import QoSProfile, ReliabilityPolicy
from sensor_msgs.msg import Image

from common import load_frames, machine, print_table

from pose_ros.core import PoseEstimator
from pose_ros.msg import SkeletonArray
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
        self._message = Image()
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
        """Stop the node."""
        self._process.terminate()
        self._process.wait()
        rclpy.shutdown()

    def _on_answer(self, message):
        if message.header.stamp == self._message.header.stamp:
            self._answer = message


def main():
    """Measure, and print a table in Markdown."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument('--model', required=True, help='ONNX model with a card')
    parser.add_argument('--images', nargs='*', default=[],
                        help='pictures; default: those of scikit-image')
    parser.add_argument('--backend', default='auto', help='inference engine')
    parser.add_argument('--frames', type=int, default=300)
    parser.add_argument('--size', default='640x480',
                        type=lambda text: tuple(map(int, text.split('x'))))
    parser.add_argument('--work', action='store_true', help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.work:
        work(options)
        return
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
    added = [a - b for a, b in zip(ros, api)]
    print(machine())
    title = '{}x{}, {} frames'.format(*(options.size + (options.frames,)))
    print_table((title, 'median [ms]', 'p95 [ms]'), [
        (name, '{:.2f}'.format(statistics.median(values)),
         '{:.2f}'.format(sorted(values)[int(0.95 * len(values))]))
        for name, values in (('Python API', api), ('ROS round trip', ros),
                             ('added by ROS', added))])


if __name__ == '__main__':
    main()
