# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Feed a node thousands of frames: does its memory grow, do frames queue, is each accounted for?

    tools/env.sh python benchmark/soak.py [--model MODEL.onnx] [--frames 20000] [--rate 0]
        [--engine-time 0]

`--rate 0` sends the next frame as soon as the last is answered. `--rate 30 --size 1280x720
--engine-time 0.2` is a camera that is too fast for its network; the age of an answer is then the
time from the stamp of its image to its arrival here.
"""
import os
import statistics
import subprocess
import sys
import time

import rclpy
from diagnostic_msgs.msg import DiagnosticArray
from rclpy.qos import QoSProfile, ReliabilityPolicy
from rclpy.time import Time
from sensor_msgs.msg import Image

from common import argument_parser, load_frames, machine, print_table, resident_megabytes

from pose_ros.msg import SkeletonArray
from pose_ros.nodes.dds import shared_memory_settings
from pose_ros.nodes.image_codec import encode_bgr8

SETTLED = 1000  # frames after which memory should not grow any more
SLOW_NODE = '''
import time
from pose_ros.core.estimator import PoseEstimator
from pose_ros.nodes import estimator
run = PoseEstimator.run
PoseEstimator.run = lambda self, frames: (time.sleep({}), run(self, frames))[1]
estimator.main()
'''


class Soak:
    """Sends frames to an estimator in a process of its own, and keeps the books."""

    def __init__(self, options):
        """Start the node and wait until it listens."""
        namespace = '/benchmark_{}'.format(os.getpid())
        self.process = subprocess.Popen(
            [sys.executable, '-c', SLOW_NODE.format(options.engine_time),
             '--ros-args', '-r', '__ns:=' + namespace, '-p', 'model:=' + options.model,
             '-p', 'backend:=' + options.backend, '-p', 'diagnostics_period:=0.5',
             '--log-level', 'warn'])
        rclpy.init()
        self.node = rclpy.create_node('camera', namespace=namespace)
        qos = QoSProfile(depth=1, reliability=ReliabilityPolicy.RELIABLE)
        self._publisher = self.node.create_publisher(Image, 'image', qos)
        self.node.create_subscription(SkeletonArray, 'skeletons', self._on_answer, 10)
        self.node.create_subscription(DiagnosticArray, '/diagnostics', self._on_diagnostics, 10)
        self.ages, self.counts, self.memory, self.sent = [], {}, {}, 0
        while not self._publisher.get_subscription_count():
            rclpy.spin_once(self.node, timeout_sec=0.1)
        self._wait(3.0)

    def run(self, frames, count, period):
        """Send `count` frames, every `period` s or each after the last answer (0)."""
        message, next_time = Image(), time.monotonic()
        while self.sent < count:
            message.header.stamp = self.node.get_clock().now().to_msg()
            frame = frames[self.sent % len(frames)]
            self._publisher.publish(encode_bgr8(frame, message.header, message))
            self.sent += 1
            answered, next_time = len(self.ages), next_time + period
            while time.monotonic() < next_time if period else len(self.ages) == answered:
                rclpy.spin_once(self.node, timeout_sec=0.005)
            if self.sent % 500 == 0:
                self.memory[self.sent] = resident_megabytes(self.process.pid)
        self._wait(2.0)

    def close(self):
        """Stop the node."""
        self.process.terminate()
        self.process.wait()
        rclpy.shutdown()

    def _wait(self, seconds):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            rclpy.spin_once(self.node, timeout_sec=0.05)

    def _on_answer(self, message):
        age = self.node.get_clock().now() - Time.from_msg(message.header.stamp)
        self.ages.append(age.nanoseconds * 1e-6)

    def _on_diagnostics(self, message):
        for status in message.status:
            if status.name == self.node.get_namespace() + '/estimator: camera':
                self.counts = {item.key: item.value for item in status.values}


def main():
    """Soak, and print what came out."""
    parser = argument_parser(__doc__)
    parser.add_argument('--backend', default='auto', help='inference engine')
    parser.add_argument('--frames', type=int, default=20000)
    parser.add_argument('--rate', type=float, default=0.0,
                        help='Hz; 0: as fast as the node answers')
    parser.add_argument('--engine-time', type=float, default=0.0, help='s added to each frame')
    parser.add_argument('--size', default='640x480',
                        type=lambda text: tuple(map(int, text.split('x'))))
    parser.add_argument('--default-dds', action='store_true', help='keep the DDS settings')
    options = parser.parse_args()
    if not options.default_dds:
        os.environ.update(shared_memory_settings(os.environ))
    soak = Soak(options)
    soak.run(load_frames(options.images, options.size), options.frames,
             1 / options.rate if options.rate else 0.0)
    soak.close()
    print(machine())
    ages = sorted(soak.ages[1:])  # the first one warms the way
    counters = ('received', 'processed', 'dropped', 'failed')
    print_table(('sent',) + counters + ('age median [ms]', 'age p99 [ms]', 'age max [ms]'), [
        [str(soak.sent)] + [soak.counts['frames ' + name] for name in counters]
        + ['{:.1f}'.format(age) for age in (
            statistics.median(ages), ages[int(0.99 * len(ages))], ages[-1])]])
    if SETTLED in soak.memory:
        print_table(('frames', 'resident memory [MB]'), [
            (str(sent), '{:.1f}'.format(size)) for sent, size in soak.memory.items()
            if sent % 5000 == 0 or sent == SETTLED])


if __name__ == '__main__':
    main()
