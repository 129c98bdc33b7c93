# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""The video of the node `monitor`: whole, or reported and absent; and what it prints."""
import math
import resource

import cv2
from geometry_msgs.msg import Point
from graph import image_message, RELIABLE
import numpy as np
from sensor_msgs.msg import Image

from pose_ros.msg import Skeleton, SkeletonArray
from pose_ros.nodes.interface import OVERLAY_TOPIC
from pose_ros.nodes.qos import DRAWING_QOS

NOISE = np.random.RandomState(0).randint(0, 256, (120, 160, 3)).astype(np.uint8)


def record(graph, process, enough):
    """Send overlays at 30 Hz of their stamps until something holds."""
    publisher = graph.node.create_publisher(Image, OVERLAY_TOPIC, DRAWING_QOS)
    graph.wait(publisher.get_subscription_count, 'the monitor subscribes', process)
    for index in range(3000):
        if enough():
            break
        stamp = 10 + index // 30, index % 30 * 33333333
        publisher.publish(image_message(NOISE, stamp))
        graph.spin(0.02)


def parts(folder):
    return [path for path in folder.iterdir() if path.stat().st_size > 60000]


def test_the_video_appears_whole_at_the_end(graph, tmp_path):
    output = tmp_path / 'overlay.avi'
    process = graph.start('monitor', output=str(output))
    record(graph, process, lambda: parts(tmp_path))
    assert not output.exists()
    assert process.stop() == 0
    assert cv2.VideoCapture(str(output)).get(cv2.CAP_PROP_FRAME_COUNT) > 2
    assert [path.name for path in tmp_path.iterdir()] == ['overlay.avi']


def test_a_full_disk_is_reported_and_the_exit_code_is_1(graph, tmp_path):
    output = tmp_path / 'overlay.avi'
    process = graph.start('monitor', output=str(output))
    graph.wait(lambda: graph.node.count_subscribers(OVERLAY_TOPIC), 'the monitor starts', process)
    resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (100000, 100000))
    record(graph, process, lambda: parts(tmp_path) and parts(tmp_path)[0].stat().st_size >= 1e5)
    assert process.stop() == 1
    assert 'cannot write {}: it is incomplete'.format(output) in process.log()
    assert 'Traceback' not in process.log() and list(tmp_path.iterdir()) == []


def test_the_nearest_person_is_named_where_positions_are_known(graph):
    process = graph.start('monitor', period=0.2)
    publisher = graph.node.create_publisher(SkeletonArray, 'skeletons', RELIABLE)
    people = [Skeleton(position=Point(x=x, y=0.0, z=z))
              for x, z in ((math.nan, 1.0), (3.0, 4.0), (0.0, 5.5))]
    message = SkeletonArray(header=image_message(NOISE, (5, 0)).header, image_width=640,
                            skeletons=people)
    graph.send_while(publisher, message, lambda: 'nearest 5.00 m' in process.log(), 'a line',
                     process)
    for skeleton in people:
        skeleton.position.x = math.nan
    graph.send_while(publisher, message, lambda: 'people  3 (ids 0 0 0) |' in process.log(),
                     'a line without distance', process)
