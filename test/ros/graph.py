# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""A test's view of a running ROS graph: nodes in their own processes, and a node that observes."""
import itertools
import os
from pathlib import Path
import signal
import subprocess
import sys
import tempfile
import time
from types import SimpleNamespace

from builtin_interfaces.msg import Time
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
import numpy as np
import rclpy
from rclpy.context import Context
from rclpy.executors import SingleThreadedExecutor
from rclpy.parameter import Parameter
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy
from rcl_interfaces.srv import SetParameters
from sensor_msgs.msg import Image

ROOT = Path(__file__).resolve().parents[2]
RELIABLE = QoSProfile(depth=10, reliability=ReliabilityPolicy.RELIABLE)
BEST_EFFORT = QoSProfile(depth=10, reliability=ReliabilityPolicy.BEST_EFFORT)
LATCHED = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
TIMEOUT = 30.0  # s; generous, because test machines are shared
_numbers = itertools.count()


class InputNode:
    """What an input of the estimator takes from its node; keeps the warnings."""

    def __init__(self, topic, publishers):
        self._topic = topic
        self.warnings, self.publishers = [], publishers

    def count_publishers(self, topic):
        assert topic == self._topic
        return self.publishers

    def resolve_topic_name(self, name):
        return '/pose/' + name

    def get_logger(self):
        return SimpleNamespace(warning=self.warnings.append)


class Process:
    """A node in a process of its own; what it logs is kept."""

    def __init__(self, script, namespace, parameters, remaps=(), files=()):
        command = [sys.executable] + script + ['--ros-args', '-r', '__ns:=' + namespace]
        for name, value in parameters.items():
            command += ['-p', '{}:={}'.format(name, _yaml(value))]
        for remap in remaps:
            command += ['-r', remap]
        for path in files:
            command += ['--params-file', path]
        self._log = tempfile.TemporaryFile('w+')
        # A log buffer of the C library would keep lines from the test until the process ends.
        environment = dict(os.environ, RCUTILS_LOGGING_BUFFERED_STREAM='0', PYTHONUNBUFFERED='1')
        self._process = subprocess.Popen(command, stdout=self._log, stderr=subprocess.STDOUT,
                                         cwd=str(ROOT), env=environment)

    @property
    def alive(self):
        return self._process.poll() is None

    @property
    def pid(self):
        return self._process.pid

    def log(self):
        self._log.seek(0)
        return self._log.read()

    def wait(self, timeout=TIMEOUT):
        return self._process.wait(timeout)

    def stop(self):
        if self.alive:
            self._process.send_signal(signal.SIGINT)
            try:
                self._process.wait(TIMEOUT)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        return self._process.returncode


class Graph:
    """A namespace that no other test uses, with a node that publishes, listens and calls."""

    def __init__(self):
        self.namespace = '/test_{}_{}'.format(os.getpid(), next(_numbers))
        self._context = Context()
        rclpy.init(context=self._context)
        self.node = rclpy.create_node('tester', namespace=self.namespace, context=self._context)
        self._executor = SingleThreadedExecutor(context=self._context)
        self._executor.add_node(self.node)
        self._processes = []
        self.statuses = []
        self.node.create_subscription(
            DiagnosticArray, '/diagnostics', self._on_diagnostics, RELIABLE)

    def start(self, node, script=None, remaps=(), arguments=(), files=(), **parameters):
        script = [str(script)] + list(arguments) if script else ['-m', 'pose_ros.nodes.' + node]
        process = Process(script, self.namespace, parameters, remaps, files)
        self._processes.append(process)
        return process

    def start_estimator(self, model, wait_for_image=True, **parameters):
        """Start an estimator and wait until it listens."""
        parameters.setdefault('diagnostics_period', 0.2)
        process = self.start('estimator', model=model, **parameters)
        compressed = parameters.get('image_transport') == 'compressed'
        suffix = '/compressed' if compressed else ''
        for prefix in [name + '/' for name in parameters.get('cameras', [])] or ['']:
            topic = prefix + 'image' + suffix
            if wait_for_image:
                self.wait(lambda topic=topic: self.node.count_subscribers(topic) > 0,
                          'the estimator subscribes to ' + topic, process)
        return process

    def collect(self, kind, topic, qos=RELIABLE):
        """Subscribe; messages gather in the list that is returned."""
        messages = []
        self.node.create_subscription(kind, topic, messages.append, qos)
        return messages

    def spin(self, seconds):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self._executor.spin_once(timeout_sec=min(0.05, seconds))

    def wait(self, condition, what, process=None, timeout=TIMEOUT):
        """Spin until the condition holds; AssertionError names what was waited for."""
        end = time.monotonic() + timeout
        while not condition():
            log = process.log() if process is not None else ''
            assert process is None or process.alive, \
                'the node died before: {}\n{}'.format(what, log)
            assert time.monotonic() < end, 'waited without result for: {}\n{}'.format(what, log)
            self._executor.spin_once(timeout_sec=0.05)

    def send_until(self, publisher, message, messages, count=1, process=None):
        """Publish a message every 0.1 s until `count` answers have gathered; return the last.

        A large one less often: it must arrive before the next one takes its place.
        """
        period = 0.1 + len(getattr(message, 'data', b'')) / 30e6  # s
        goal, next_time = len(messages) + count, 0.0  # publishing continues until the topics match
        end = time.monotonic() + TIMEOUT
        while len(messages) < goal:
            assert time.monotonic() < end, 'no answer\n' + (process.log() if process else '')
            if time.monotonic() >= next_time:
                publisher.publish(message)
                next_time = time.monotonic() + period
            self._executor.spin_once(timeout_sec=0.02)
        return messages[-1]

    def send_while(self, publisher, message, condition, what, process=None):
        """Publish a message now and then until the condition holds: a single one may be lost."""
        next_time = [0.0]

        def holds():
            if not condition() and time.monotonic() >= next_time[0]:
                publisher.publish(message)
                next_time[0] = time.monotonic() + 0.5
            return condition()
        self.wait(holds, what, process)

    def failed(self):
        """Return how many frames failed, by the newest diagnostics."""
        return int(self.values().get('frames failed', 0))

    def call(self, kind, name, request):
        client = self.node.create_client(kind, name)
        self.wait(client.service_is_ready, 'service ' + name)
        future = client.call_async(request)
        self.wait(future.done, 'an answer of ' + name)
        self.node.destroy_client(client)
        return future.result()

    def set_parameter(self, name, value, node='estimator'):
        request = SetParameters.Request(
            parameters=[Parameter(name, value=value).to_parameter_msg()])
        return self.call(SetParameters, node + '/set_parameters', request).results[0]

    @property
    def status(self):
        """The estimator's newest diagnostics as one status; a STALE one before the first.

        The worst level and its messages, and the values of all.
        """
        if not self.statuses:
            return DiagnosticStatus(level=DiagnosticStatus.STALE)
        parts = self.statuses[-1]
        level = max(part.level for part in parts)
        messages = [part.message for part in parts if part.level == level]
        return DiagnosticStatus(
            level=level, message='; '.join(sorted(set(messages), key=messages.index)),
            values=[value for part in parts for value in part.values])

    def values(self, camera=None):
        """Values of that status, or of one camera's, as a dict of text."""
        parts = [self.status]
        if camera is not None and self.statuses:
            parts = [part for part in self.statuses[-1]
                     if part.name.endswith((': camera ' + camera).rstrip())]
        return {item.key: item.value for part in parts for item in part.values}

    def close(self):
        for process in self._processes:
            process.stop()
        self._executor.shutdown()
        self.node.destroy_node()
        rclpy.try_shutdown(context=self._context)

    def _on_diagnostics(self, message):
        parts = [status for status in message.status
                 if status.name.startswith(self.namespace + '/estimator:')]
        if parts:
            self.statuses.append(parts)


def image_message(image, stamp=(12, 345), frame_id='camera_optical_frame'):
    """Wrap (H, W, 3) uint8 BGR in a bgr8 message."""
    message = Image(height=image.shape[0], width=image.shape[1], encoding='bgr8',
                    step=3 * image.shape[1])
    message.data.frombytes(np.ascontiguousarray(image))
    message.header.frame_id, message.header.stamp = frame_id, Time(sec=stamp[0], nanosec=stamp[1])
    return message


def blue(width=640, height=480):
    """An image in which the tiny network finds two people."""
    return np.full((height, width, 3), (255, 0, 0), np.uint8)


def red(width=640, height=480):
    """An image in which it finds nobody."""
    return np.full((height, width, 3), (0, 0, 255), np.uint8)


def _yaml(value):
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return '[{}]'.format(', '.join(value))
    return '"{}"'.format(value) if isinstance(value, str) else value
