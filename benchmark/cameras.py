# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""One node with several cameras: shares of the network, age of the skeletons, memory.

    tools/env.sh python benchmark/cameras.py [--cameras 4] [--rate 30] [--seconds 20] [--batch 1 4]

This process publishes the images of all cameras, in turn, at a rate that overloads the network. It
compares a node with one camera to one node with all of them, once for each --batch. The age of a
SkeletonArray is the time from the stamp of its image to its arrival.
A round is the time in which every camera is processed once.
"""
import os
import statistics
import subprocess
import sys
import time

from common import (argument_parser, load_frames, machine, percentiles, print_table,
                    resident_megabytes)
from diagnostic_msgs.msg import DiagnosticArray
import rclpy
from rclpy.qos import QoSProfile, ReliabilityPolicy
from rclpy.time import Time
from sensor_msgs.msg import Image

from pose_ros.msg import SkeletonArray
from pose_ros.nodes.dds import shared_memory_settings
from pose_ros.nodes.image_codec import encode_bgr8

WARM_UP = 3.0  # s


class Trial:
    """One node with some cameras, and what its consumers see."""

    def __init__(self, options, cameras, batch):
        """Start the node and wait until it subscribes to every camera."""
        namespace = '/benchmark_{}_{}_{}'.format(os.getpid(), cameras, batch)
        names = ['camera_{}'.format(number) for number in range(cameras)]
        self.process = subprocess.Popen(
            [sys.executable, '-m', 'pose_ros.nodes.estimator', '--ros-args',
             '-r', '__ns:=' + namespace, '-p', 'cameras:=[{}]'.format(', '.join(names)),
             '-p', 'batch:={}'.format(batch), '-p', 'model:=' + options.model,
             '-p', 'backend:=' + options.backend, '--log-level', 'warn'])
        self.node = rclpy.create_node('cameras', namespace=namespace)
        qos = QoSProfile(depth=1, reliability=ReliabilityPolicy.RELIABLE)
        self._publishers = [self.node.create_publisher(Image, name + '/image', qos)
                            for name in names]
        self.ages = [[] for _ in names]
        self.frames_per_run = '?'
        for name, ages in zip(names, self.ages):
            self.node.create_subscription(
                SkeletonArray, name + '/skeletons',
                lambda message, ages=ages: ages.append(self._age(message)), 10)
        self.node.create_subscription(DiagnosticArray, '/diagnostics', self._on_diagnostics, 10)
        while not all(publisher.get_subscription_count() for publisher in self._publishers):
            rclpy.spin_once(self.node, timeout_sec=0.1)

    def run(self, frames, rate, seconds):
        """Publish at `rate` [Hz] per camera for some seconds, after a warm-up."""
        self._send(frames, rate, WARM_UP)
        for ages in self.ages:
            ages.clear()
        self._send(frames, rate, seconds)
        self.memory = resident_megabytes(self.process.pid)

    def close(self):
        """Stop the node."""
        self.process.terminate()
        self.process.wait()
        self.node.destroy_node()

    def _send(self, frames, rate, seconds):
        message, start, sent = Image(), time.monotonic(), 0
        period = 1.0 / (rate * len(self._publishers))  # the cameras are out of phase
        while time.monotonic() - start < seconds:
            message.header.stamp = self.node.get_clock().now().to_msg()
            self._publishers[sent % len(self._publishers)].publish(
                encode_bgr8(frames[sent % len(frames)], message.header, message))
            sent += 1
            while time.monotonic() - start < sent * period:
                rclpy.spin_once(self.node, timeout_sec=0.001)
        self.sent_rate = sent / seconds / len(self._publishers)

    def _age(self, message):
        age = self.node.get_clock().now() - Time.from_msg(message.header.stamp)
        return age.nanoseconds * 1e-6

    def _on_diagnostics(self, message):
        for status in message.status:
            if status.name == self.node.get_namespace() + '/estimator: engine':
                values = {item.key: item.value for item in status.values}
                self.frames_per_run = values.get('frames per run', '?')


def row(trial, title, seconds, rate, memory):
    """Return the table row of a trial; `memory` [MB] is that of the first one."""
    counts = [len(ages) for ages in trial.ages]
    ages = sorted(age for camera in trial.ages for age in camera)
    total = sum(counts)
    shares = ['{:.1f}'.format(100.0 * count / max(1, total)) for count in counts]
    turn = 1000.0 * seconds / max(1, total) * len(counts)
    limit = turn + 1000.0 / rate
    return (title, trial.frames_per_run, '{:.1f}'.format(trial.sent_rate),
            '{:.1f}'.format(total / seconds), ' '.join(shares), '{:.0f}'.format(turn),
            '{:.0f}'.format(statistics.median(ages)), '{:.0f}'.format(percentiles(ages, (99,))[0]),
            '{:.0f}'.format(ages[-1]), '{:.2f}'.format(percentiles(ages, (99,))[0] / limit),
            '{:.0f}'.format(trial.memory), '{:.2f}'.format(trial.memory / memory))


def main():
    """Measure, and print a table in Markdown."""
    parser = argument_parser(__doc__)
    parser.add_argument('--backend', default='auto', help='inference engine')
    parser.add_argument('--cameras', type=int, default=4)
    parser.add_argument('--rate', type=float, default=30.0, help='Hz of each camera')
    parser.add_argument('--seconds', type=float, default=20.0, help='of each measurement')
    parser.add_argument('--batch', type=int, nargs='+', default=[1, 4])
    parser.add_argument('--size', default='640x480',
                        type=lambda text: tuple(map(int, text.split('x'))))
    parser.add_argument('--default-dds', action='store_true', help='keep the DDS settings')
    options = parser.parse_args()
    if not options.default_dds:
        os.environ.update(shared_memory_settings(os.environ))
    rclpy.init()
    frames = load_frames(options.images, options.size)
    rows, memory = [], None
    for cameras, batch in [(1, 1)] + [(options.cameras, batch) for batch in options.batch]:
        trial = Trial(options, cameras, batch)
        trial.run(frames, options.rate, options.seconds)
        trial.close()
        memory = memory or trial.memory
        rows.append(row(trial, '{} camera{}, batch {}'.format(cameras, 's'[:cameras - 1], batch),
                        options.seconds, options.rate, memory))
    rclpy.shutdown()
    print(machine())
    print_table(('node', 'frames per run', 'sent per camera [Hz]', 'processed [Hz]', 'shares [%]',
                 'round [ms]', 'age median [ms]', 'age p99 [ms]', 'age max [ms]',
                 'age p99 / (round + frame)', 'resident memory [MB]',
                 'of one camera'), rows)


if __name__ == '__main__':
    main()
