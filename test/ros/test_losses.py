# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Images that were published, but never arrived, are counted."""
from pathlib import Path

from graph import blue, image_message
import pytest
from rclpy.qos import QoSProfile, ReliabilityPolicy
from sensor_msgs.msg import Image

from pose_ros.nodes.losses import LossCounter

PERIOD = 33333333  # ns


def info(number, publisher=b'a'):
    return {'publication_sequence_number': number, 'publisher_gid': {'data': publisher}}


def test_gaps_between_sequence_numbers():
    losses = LossCounter()
    lost = [losses.add(info(number), 0) for number in (17, 18, 21, 22, 30)]
    assert lost == [0, 0, 2, 0, 7]
    assert losses.add(info(500, b'b'), 0) == 0  # another publisher has its own numbers
    assert [losses.add(info(502, b'b'), 0), losses.add(info(31), 0)] == [1, 0]
    assert losses.add(info(1), 0) == 0  # it started again
    losses.restart()
    assert losses.add(info(90), 0) == 0  # what came while nobody was subscribed is not lost


@pytest.mark.parametrize('unknown', [{}, info(None), info(2 ** 64 - 1)])
def test_gaps_between_stamps_without_sequence_numbers(unknown):
    losses, lost = LossCounter(), 0
    indices = [0, 1, 2, 4, 5, 6, 7, 8, 9, 10, 11, 12, 15, 16, 17, 24]
    for index in indices:
        jitter = (index * 7919 % 5 - 2) * 1000000
        lost += losses.add(unknown, index * PERIOD + jitter)
    assert lost == 8  # of 13 to 14 and 18 to 23; the period was not known before
    assert losses.add(unknown, 24 * PERIOD + int(60e9)) == 0  # a pause
    assert losses.add(unknown, 0) == 0  # a bag that loops


def test_lost_images_are_shown_in_diagnostics(graph, tiny_model):
    """A best-effort stream of large images, faster than the node can receive them."""
    script = Path(__file__).resolve().parent / 'slow_estimator.py'
    process = graph.start('estimator', script=script, model=tiny_model, diagnostics_period=0.2)
    graph.wait(lambda: graph.node.count_subscribers('image') > 0, 'the estimator subscribes',
               process)
    publisher = graph.node.create_publisher(
        Image, 'image', QoSProfile(depth=1, reliability=ReliabilityPolicy.BEST_EFFORT))
    graph.wait(lambda: publisher.get_subscription_count(), 'a match', process)
    message, sent = image_message(blue(640, 480)), [0]

    def lost():
        for _ in range(20):  # at once: the subscription keeps the newest
            publisher.publish(message)
            sent[0] += 1
        return int(graph.values().get('frames lost', 0)) > 50
    graph.wait(lost, 'lost frames', process)

    def counted():
        values = graph.values(camera='')
        return int(values['frames received']) + int(values['frames lost'])
    graph.wait(lambda: counted() > sent[0] * 0.5, 'the counts', process)
    assert counted() <= sent[0]
    assert 'lost rate [Hz]' in graph.values(camera='')
