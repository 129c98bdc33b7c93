# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Ids and smoothing in a running node."""
from graph import RELIABLE, blue, image_message
import pytest
from sensor_msgs.msg import Image
from visualization_msgs.msg import MarkerArray

from pose_ros.msg import SkeletonArray


def _ids(message):
    return sorted(skeleton.track_id for skeleton in message.skeletons)


@pytest.mark.parametrize('smoothing', ['off', 'one_euro'])
def test_ids_stay_in_messages_and_markers_until_time_jumps(graph, tiny_model, smoothing):
    arrays = graph.collect(SkeletonArray, 'skeletons')
    markers = graph.collect(MarkerArray, 'markers')
    process = graph.start_estimator(tiny_model, smoothing=smoothing)
    publisher = graph.node.create_publisher(Image, 'image', RELIABLE)
    stamp = [100.0]  # s; nearer to each other than a lost person is kept: frames may be dropped

    def send_until_ids_are(expected):
        def arrived():
            stamp[0] += 0.03
            seconds = int(stamp[0])
            publisher.publish(image_message(blue(), (seconds, int((stamp[0] - seconds) * 1e9))))
            return arrays and _ids(arrays[-1]) == expected
        graph.wait(arrived, 'the ids {}'.format(expected), process)
    seen = set()
    for _ in range(4):
        send_until_ids_are([1, 2])
        seen |= {tuple(_ids(array)) for array in arrays}
        arrays.clear()
    assert seen <= {(-1, -1), (1, 2)}
    stamp[0] = 10.0
    send_until_ids_are([3, 4])
    graph.wait(lambda: graph.values().get('tracking.ids') == '4', 'the count of ids', process)
    assert graph.values()['tracking.restarts'] == '1'
    assert 'tracking [ms]' in graph.values()
    assert ('smoothing [ms]' in graph.values()) == (smoothing != 'off')
    assert process.log().count('tracking starts anew: time jumped back') == 1
    graph.wait(lambda: 'skeleton/3' in {marker.ns for array in markers
                                        for marker in array.markers}, 'markers', process)
    assert process.stop() == 0


def test_smoothing_without_tracking_is_explained(graph, tiny_model):
    process = graph.start('estimator', model=tiny_model, diagnostics_period=0.2,
                          tracking=False, smoothing='kalman')
    graph.wait(lambda: graph.status.level == b'\x02', 'the error', process)
    assert 'smoothing kalman needs tracking' in graph.status.message and process.alive


def test_settings_change_while_running(graph, tiny_model):
    process = graph.start_estimator(tiny_model, smoothing='one_euro')
    assert graph.set_parameter('tracking.keep_lost', 2.0).successful
    assert graph.set_parameter('smoothing.beta', 2.0).successful
    refused = graph.set_parameter('smoothing.beta', -1.0)
    assert not refused.successful and 'beta' in refused.reason
    refused = graph.set_parameter('smoothing', 'kalman')
    assert not refused.successful and 'only while the node is unconfigured' in refused.reason
    assert process.alive
