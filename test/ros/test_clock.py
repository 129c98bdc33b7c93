# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Time: a node without /clock reports that, and stamps before 1970 are stamps."""
import types

from builtin_interfaces.msg import Time
import cv2
from graph import blue, image_message, RELIABLE
from rosgraph_msgs.msg import Clock
from sensor_msgs.msg import Image

from pose_ros.msg import SkeletonArray
from pose_ros.nodes import clock
from pose_ros.nodes.clock import ClockWatch, nanoseconds


def test_stamps_before_1970_are_negative():
    assert nanoseconds(Time(sec=-1, nanosec=250000000)) == -750000000
    assert nanoseconds(Time(sec=12, nanosec=345)) == 12000000345


def test_a_clock_that_stands_still_is_a_problem_after_a_while(monkeypatch):
    now = types.SimpleNamespace(nanoseconds=0)
    ros_clock = types.SimpleNamespace(now=lambda: now, ros_time_is_active=True)
    real = [100.0]
    monkeypatch.setattr(clock.time, 'monotonic', lambda: real[0])
    watch = ClockWatch(types.SimpleNamespace(get_clock=lambda: ros_clock))
    assert watch.problem() == ''
    real[0] += 2.9
    assert watch.problem() == ''
    real[0] += 0.2
    assert 'there is no /clock' in watch.problem()
    now.nanoseconds = 5
    assert watch.problem() == ''
    real[0] += 4
    assert watch.problem() == '/clock stands still for 4 s'
    ros_clock.ros_time_is_active = False
    assert watch.problem() == ''


def test_without_clock_the_node_reports_it_and_works(graph, tiny_model, tmp_path):
    image = str(tmp_path / 'blue.png')
    cv2.imwrite(image, blue(64, 48))
    source = graph.start('image_source', source=image, use_sim_time=True)
    monitor = graph.start('monitor', use_sim_time=True, period=0.2)
    process = graph.start_estimator(tiny_model, use_sim_time=True, no_image_timeout=0.5)
    graph.wait(lambda: 'there is no /clock' in graph.status.message and 'no image on'
               in graph.status.message, 'the missing /clock and images', process)
    assert graph.status.level == b'\x01'
    for other in (source, monitor, process):
        graph.wait(lambda other=other: 'there is no /clock' in other.log(), 'its log', other)
    arrays = graph.collect(SkeletonArray, 'skeletons')
    publisher = graph.node.create_publisher(Image, 'image', RELIABLE)
    assert len(graph.send_until(publisher, image_message(blue()), arrays).skeletons) == 2

    ticks = graph.node.create_publisher(Clock, '/clock', RELIABLE)
    time = Clock()

    def tick():
        time.clock.sec += 1
        ticks.publish(time)
    timer = graph.node.create_timer(0.1, tick)
    graph.wait(lambda: '/clock' not in graph.status.message, 'the end of the warning', process)
    timer.cancel()


def test_a_stamp_before_1970_is_no_failure_and_the_monitor_survives_it(graph, tiny_model):
    monitor = graph.start('monitor', period=0.2)
    process = graph.start_estimator(tiny_model)
    arrays = graph.collect(SkeletonArray, 'skeletons')
    publisher = graph.node.create_publisher(Image, 'image', RELIABLE)
    message = image_message(blue(64, 48), (-1, 7))
    answer = graph.send_until(publisher, message, arrays, 3, process)
    assert (answer.header.stamp.sec, answer.header.stamp.nanosec) == (-1, 7)
    graph.wait(lambda: int(graph.values().get('frames processed', 0)) >= 3, 'the count', process)
    assert graph.failed() == 0 and graph.values()['time jumps'] == '0'
    assert 'time stamp -1.000 s, before 1970' in process.log()
    graph.send_while(publisher, message, lambda: 'people' in monitor.log(),
                     'a line of the monitor', monitor)
    assert monitor.stop() == 0 and 'Traceback' not in monitor.log()
