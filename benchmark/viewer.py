# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""What the node `viewer` costs: its share of one core, with no viewer, one and several.

    tools/env.sh python benchmark/viewer.py [--viewers 0 1 4] [--seconds 20]

This process publishes what an estimator publishes for one camera: the drawn image, five people,
diagnostics once a second. A process of its own plays each viewer: it reads the stream and asks for
the state twice a second, as the page does. The share is the processor time of the node, user and
system, by the time that went by; the estimator's own drawing is not in it.
"""
import argparse
import http.client
import multiprocessing
import os
import re
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse

from common import load_frames, machine, print_table
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue
import numpy as np
import rclpy
from sensor_msgs.msg import Image

from pose_ros.core.people import make_people
from pose_ros.core.topology import get_topology
from pose_ros.msg import SkeletonArray
from pose_ros.nodes.dds import shared_memory_settings
from pose_ros.nodes.image_codec import encode_bgr8
from pose_ros.nodes.output import to_skeleton_array
from pose_ros.nodes.qos import DRAWING_QOS, SKELETONS_QOS

WARM_UP = 3.0  # s
ASKED = 0.5    # s between two questions of a page for the state
PEOPLE = 5


def look(url, received):
    """Be a viewer: read the stream, count its images, ask for the state now and then."""
    host = urllib.parse.urlsplit(url).netloc

    def ask():
        while True:
            connection = http.client.HTTPConnection(host)
            connection.request('GET', '/state/0')
            connection.getresponse().read()
            time.sleep(ASKED)
    threading.Thread(target=ask, daemon=True).start()
    connection = http.client.HTTPConnection(host)
    connection.request('GET', '/stream/0')
    response = connection.getresponse()
    line = response.readline()
    while line:
        if line.startswith(b'Content-Length'):
            response.readline()
            response.read(int(line.split(b':')[1]))
            received.value += 1
        line = response.readline()


class Robot:
    """Publishes what an estimator publishes, and runs a viewer beside it."""

    def __init__(self, rate):
        """Start the viewer; images come to it at `rate` [Hz]."""
        namespace = '/benchmark_{}'.format(os.getpid())
        self._log = tempfile.TemporaryFile('w+')
        self.process = subprocess.Popen(
            [sys.executable, '-m', 'pose_ros.nodes.viewer', '--ros-args', '-r',
             '__ns:=' + namespace, '-p', 'port:=0', '-p', 'rate:={:.1f}'.format(rate), '-p',
             'max_viewers:=16'], stderr=self._log, stdout=self._log)
        self._node = rclpy.create_node('estimator', namespace=namespace)
        self._image = self._node.create_publisher(Image, 'overlay', DRAWING_QOS)
        self._people = self._node.create_publisher(SkeletonArray, 'skeletons', SKELETONS_QOS)
        self._diagnostics = self._node.create_publisher(DiagnosticArray, '/diagnostics', 10)
        self._messages, self._report = Image(), DiagnosticArray(status=[DiagnosticStatus(
            name=namespace + '/estimator: camera', values=[
                KeyValue(key=key, value=value) for key, value in (
                    ('skeletons topic', namespace + '/skeletons'),
                    ('processed rate [Hz]', '10.0'), ('latency [ms]', '45.0 (p95 60.0)'),
                    ('dropped rate [Hz]', '0.0'), ('lost rate [Hz]', '0.0'),
                    ('people in last frame', str(PEOPLE)))])])
        self.url = self._wait_for_url()

    def close(self):
        """Stop the viewer."""
        self.process.terminate()
        self.process.wait()
        self._node.destroy_node()

    def publish(self, frames, rate, seconds):
        """Publish for some seconds at `rate` [Hz]."""
        topology, header = get_topology('coco_17'), self._messages.header
        points = np.random.RandomState(1).uniform(1, 400, (PEOPLE, 17, 3))
        people, start, sent = make_people(points, np.ones(PEOPLE)), time.monotonic(), 0
        while time.monotonic() - start < seconds:
            header.stamp = self._node.get_clock().now().to_msg()
            self._people.publish(to_skeleton_array(header, people, topology, 640, 480))
            if self._image.get_subscription_count():
                self._image.publish(encode_bgr8(frames[sent % len(frames)], header,
                                                self._messages))
            if sent % int(round(rate)) == 0:
                self._diagnostics.publish(self._report)
            sent += 1
            time.sleep(max(0.0, start + sent / rate - time.monotonic()))

    def _wait_for_url(self):
        while True:
            self._log.seek(0)
            found = re.search(r'the page is on (\S+)', self._log.read())
            if found:
                return found.group(1)
            if self.process.poll() is not None:
                raise SystemExit('the viewer has ended')
            time.sleep(0.1)


def processor_seconds(pid):
    """Return the processor time that a process has used [s] (Linux)."""
    with open('/proc/{}/stat'.format(pid)) as stream:
        fields = stream.read().rpartition(')')[2].split()
    return (int(fields[11]) + int(fields[12])) / float(os.sysconf('SC_CLK_TCK'))


def measure(options, size, rate, viewers):
    """Return (share of one core, images per second of each viewer)."""
    robot, frames = Robot(options.rate), load_frames(options.images, size)
    start = multiprocessing.get_context('spawn')  # a fork would inherit rclpy's signal handlers
    counts = [start.Value('i', 0) for _ in range(viewers)]
    clients = [start.Process(target=look, args=(robot.url, count), daemon=True)
               for count in counts]
    for client in clients:
        client.start()
    robot.publish(frames, rate, WARM_UP)
    used, began = processor_seconds(robot.process.pid), time.monotonic()
    before = [count.value for count in counts]
    robot.publish(frames, rate, options.seconds)
    seconds = time.monotonic() - began
    used = processor_seconds(robot.process.pid) - used
    images = [(count.value - first) / seconds for count, first in zip(counts, before)]
    for client in clients:
        client.terminate()
        client.join()
    robot.close()
    return used / seconds, images


def main():
    """Measure, and print a table in Markdown."""
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument('--images', nargs='*', default=[], help='default: those of scikit-image')
    parser.add_argument('--viewers', type=int, nargs='+', default=[0, 1, 4])
    parser.add_argument('--seconds', type=float, default=20)
    parser.add_argument('--rate', type=float, default=10.0, help='of the page [Hz]')
    options = parser.parse_args()
    os.environ.update(shared_memory_settings(os.environ))
    rclpy.init()
    rows = []
    for size, rate in (((640, 480), 10.0), ((640, 480), 30.0), ((1280, 720), 30.0)):
        for viewers in options.viewers:
            share, images = measure(options, size, rate, viewers)
            rows.append(('{}x{}'.format(*size), '{:g}'.format(rate), str(viewers),
                         '{:.1f}'.format(100 * share),
                         '{:.1f}'.format(sum(images) / len(images)) if images else ''))
    rclpy.shutdown()
    print(machine())
    print_table(('overlay', 'its rate [Hz]', 'viewers', 'share of one core [%]',
                 'images of each viewer [Hz]'), rows)


if __name__ == '__main__':
    main()
