# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Frames of people on /tf; REP 155 and vision_msgs with stand-ins for their messages."""
import sys

import bodies
from geometry_msgs.msg import PointStamped
from graph import blue, image_message, RELIABLE
import message_stand_ins
import numpy as np
import pytest
from rclpy.qos import QoSProfile
from sensor_msgs.msg import Image
from test_depth import lifted, positions, Sender

from pose_ros.core.errors import PoseRosError
from pose_ros.core.topology import get_topology, make_topology
from pose_ros.msg import SkeletonArray
from pose_ros.nodes import detections, hri, transforms
from pose_ros.nodes.interface import ESTIMATOR_PARAMETERS
from pose_ros.nodes.optional_outputs import optional_outputs

HEADER = image_message(blue(2, 2), (7, 8)).header
POINTS = bodies.STANDING + (0, 0, 3)
COCO_17 = bodies.TOPOLOGY


class _Publisher:
    def __init__(self, kind, topic):
        self.kind, self.topic, self.messages, self.listeners = kind, topic, [], 0

    def publish(self, message):
        assert isinstance(message, self.kind)
        self.messages.append(message)

    def get_subscription_count(self):
        return self.listeners


class _Node:
    def __init__(self):
        self.publishers, self.warnings = {}, []

    def create_publisher(self, kind, topic, qos):
        self.publishers[topic] = _Publisher(kind, topic)
        return self.publishers[topic]

    def destroy_publisher(self, publisher):
        del self.publishers[publisher.topic]
    destroy_lifecycle_publisher = destroy_publisher

    def get_logger(self):
        return type('', (), {'warning': self.warnings.append})


@pytest.fixture
def node(monkeypatch):
    node = _Node()
    for module in (transforms, hri, detections):
        monkeypatch.setattr(module, 'create_publisher', lambda node, kind, topic, qos:
                            node.create_publisher(kind, topic, qos))
    monkeypatch.setitem(sys.modules, 'hri_msgs.msg', message_stand_ins.hri_msgs())
    monkeypatch.setitem(sys.modules, 'vision_msgs.msg', message_stand_ins.vision_msgs())
    return node


def values(**changes):
    return dict({item.name: item.default for item in ESTIMATOR_PARAMETERS}, **changes)


def output(node, camera='', topology=COCO_17, **parameters):
    made, = optional_outputs(node, camera, topology, values(**parameters))
    return made


def people(*track_ids):
    """The same body for each id, with positions."""
    found = bodies.seen(POINTS).select([0] * len(track_ids))
    return found._replace(track_ids=np.int32(track_ids), positions=np.float32(
        np.repeat(POINTS[None], len(track_ids), 0)))


def frames(message):
    return {transform.child_frame_id: transform for transform in message.transforms}


def test_there_are_none_by_default(node):
    assert optional_outputs(node, '', COCO_17, values()) == [] and not node.publishers


def test_frames_of_tracked_people(node):
    pytest.importorskip('tf2_msgs.msg')
    tf = output(node, tf=True)
    found = people(3, -1, 5)
    found.positions[2, [9, 11]] = np.nan
    tf.publish(HEADER, found, 640, 480)
    [message] = node.publishers['/tf'].messages
    names = frames(message)
    assert {name for name in names if name.startswith('body_3')} == {'body_3'} | {
        'body_3/' + name for name in COCO_17.keypoint_names}
    assert len(names) == 18 + 16 and 'body_5/left_wrist' not in names
    wrist, body = names['body_3/left_wrist'], names['body_3']
    assert wrist.header == HEADER and wrist.transform.rotation.w == 1
    assert [getattr(wrist.transform.translation, axis) for axis in 'xyz'] \
        == pytest.approx(POINTS[9].tolist())
    assert [getattr(body.transform.translation, axis) for axis in 'xyz'] \
        == pytest.approx(POINTS[[11, 12]].mean(0).tolist())
    # One hip is not known: the torso.
    assert names['body_5'].transform.translation.y < -0.2


def test_without_positions_or_frame_no_transforms(node):
    pytest.importorskip('tf2_msgs.msg')
    tf = output(node, 'stereo/left', tf=True)
    tf.publish(HEADER, bodies.seen(POINTS)._replace(track_ids=np.int32([1])), 640, 480)
    nameless = image_message(blue(2, 2), frame_id='').header
    for _ in range(3):
        tf.publish(nameless, people(1), 640, 480)
    assert node.publishers['/tf'].messages == []
    assert len(node.warnings) == 1 and 'no frame_id' in node.warnings[0]
    tf.publish(HEADER, people(1), 640, 480)
    assert 'stereo/left/body_1/nose' in frames(node.publishers['/tf'].messages[0])
    tf.destroy()
    assert not node.publishers


def test_a_subscriber_sees_the_frames(graph, tiny_model):
    message = pytest.importorskip('tf2_msgs.msg').TFMessage
    process = graph.start_estimator(tiny_model, tf=True)
    arrays = graph.collect(SkeletonArray, 'skeletons')
    transforms = graph.collect(message, '/tf', QoSProfile(depth=100))
    Sender(graph).until(lambda: arrays and lifted(arrays[-1]) and transforms, process)
    names, second = frames(transforms[-1]), transforms[-1].transforms[0].header.stamp.sec
    assert {'body_1', 'body_2', 'body_1/left_wrist', 'body_2/nose'} <= set(names)
    array, = [array for array in arrays if array.header.stamp.sec == second]
    for skeleton, points in zip(array.skeletons, positions(array)):
        for name, point in zip(get_topology('coco_18').keypoint_names, points):
            found = names['body_{}/{}'.format(skeleton.track_id, name)]
            assert found.header == array.header
            translation = found.transform.translation
            assert (translation.x, translation.y, translation.z) == tuple(point)


@pytest.mark.parametrize('parameter, package', [
    ('tf', 'tf2_msgs'), ('hri', 'hri_msgs'), ('detections', 'vision_msgs')])
def test_a_missing_package_is_named(node, monkeypatch, parameter, package):
    monkeypatch.setitem(sys.modules, package + '.msg', None)
    with pytest.raises(PoseRosError, match='the parameter {} needs the messages of {}, .*sudo apt '
                       'install ros-.ROS_DISTRO-{}, or set'.format(
                           parameter, package, package.replace('_', '-'))):
        output(node, **{parameter: True})


def test_a_missing_package_in_a_running_node(graph, tiny_model):
    if 'hri_msgs' in sys.modules or _installed('hri_msgs'):
        pytest.skip('hri_msgs is installed')
    process = graph.start('estimator', model=tiny_model, diagnostics_period=0.2, hri=True)
    graph.wait(lambda: graph.status.level == b'\x02', 'the error', process)
    assert 'the parameter hri needs the messages of hri_msgs' in graph.status.message
    assert graph.set_parameter('hri', False).successful and process.alive


def _installed(package):
    try:
        __import__(package + '.msg')
    except ImportError:
        return False
    return True


@pytest.mark.parametrize('parameter', ['tf', 'hri'])
def test_ids_need_tracking(node, parameter):
    with pytest.raises(PoseRosError, match='{} needs tracking'.format(parameter)):
        output(node, tracking=False, **{parameter: True})


def test_bodies_of_rep_155(node):
    rep = output(node, hri=True)
    found = people(3, -1, 12)
    found.keypoints[2, 9] = (np.nan, np.nan, 0)
    found.positions[2] = np.nan
    rep.publish(HEADER, found, 640, 480)
    topics = {topic[len('/humans/bodies/'):]: publisher.messages
              for topic, publisher in node.publishers.items()}
    assert set(topics) == {'tracked'} | {'p000{}/{}'.format(number, topic) for number in
                                         ('03', '12') for topic in ('skeleton2d', 'roi',
                                                                    'position')}
    [tracked] = topics['tracked']
    assert tracked.ids == ['p00003', 'p00012'] and tracked.header == HEADER
    [skeleton] = topics['p00003/skeleton2d']
    points = {name: skeleton.skeleton[index] for index, name in (
        (0, 'nose'), (7, 'left_wrist'), (10, 'right_ankle'), (14, 'left_eye'), (15, 'right_eye'),
        (16, 'left_ear'), (17, 'right_ear'))}
    for name, point in points.items():
        x, y, score = found.keypoints[0, COCO_17.index(name)]
        assert (point.x, point.y, point.c) == pytest.approx(
            ((x + .5) / 640, (y + .5) / 480, score)), name
    hidden = topics['p00012/skeleton2d'][0].skeleton[7]
    assert (hidden.x, hidden.y, hidden.c) == (0, 0, 0)
    [region] = topics['p00003/roi']
    left, top, width, height = found.boxes[0]
    assert (region.xmin, region.ymin, region.xmax, region.ymax, region.c) == pytest.approx(
        (left / 640, top / 480, (left + width) / 640, (top + height) / 480, .8))
    [position] = topics['p00003/position']
    assert isinstance(position, PointStamped) and position.point.z == 3
    assert topics['p00012/position'] == []


def test_publishers_of_bodies_come_and_go(node):
    rep = output(node, hri=True)
    assert not rep.has_subscribers
    rep.publish(HEADER, people(1, 2), 640, 480)
    node.publishers['/humans/bodies/p00001/roi'].listeners = 1
    assert rep.has_subscribers and len(node.publishers) == 7
    for _ in range(30):
        rep.publish(HEADER, people(2), 640, 480)
    assert len(node.publishers) == 7  # a short absence
    rep.publish(HEADER, people(2), 640, 480)
    assert len(node.publishers) == 4
    rep.clear(HEADER)
    assert list(node.publishers) == ['/humans/bodies/tracked']
    assert node.publishers['/humans/bodies/tracked'].messages[-1].ids == []
    rep.destroy()
    assert not node.publishers


def test_what_rep_155_cannot_say_is_refused(node):
    with pytest.raises(PoseRosError, match='hri takes one camera'):
        output(node, 'front', hri=True, cameras=['front', 'rear'])
    horse = make_topology('horse', ('mane', 'tail'), ((0, 1),), 100)
    with pytest.raises(PoseRosError, match='share no keypoint'):
        output(node, topology=horse, hri=True)


def test_frames_have_the_ids_of_rep_155(node):
    pytest.importorskip('tf2_msgs.msg')
    tf, _ = optional_outputs(node, '', COCO_17, values(tf=True, hri=True))
    tf.publish(HEADER, people(12), 640, 480)
    assert 'body_p00012/nose' in frames(node.publishers['/tf'].messages[0])


def test_boxes_as_detections(node):
    boxes = output(node, 'rear', detections=True)
    found = people(3, -1)
    found.positions[1] = np.nan
    boxes.publish(HEADER, found, 640, 480)
    [message] = node.publishers['rear/detections'].messages
    assert message.header == HEADER and [item.id for item in message.detections] == ['3', '']
    item, other = message.detections
    left, top, width, height = found.boxes[0]
    center = item.bbox.center.position
    assert (center.x, center.y, item.bbox.size_x, item.bbox.size_y) == pytest.approx(
        (left + width / 2 - .5, top + height / 2 - .5, width, height))
    [result] = item.results
    assert (result.hypothesis.class_id, result.hypothesis.score) == (
        'person', pytest.approx(.8))
    assert result.pose.pose.position.z == 3 and other.results[0].pose.pose.position.z == 0
    boxes.clear(HEADER)
    assert node.publishers['rear/detections'].messages[-1].detections == []


def test_an_optional_output_counts_as_wish_of_a_lazy_node(graph, tiny_model):
    message = pytest.importorskip('tf2_msgs.msg').TFMessage
    process = graph.start_estimator(tiny_model, wait_for_image=False, tf=True, lazy=True)
    publisher = graph.node.create_publisher(Image, 'image', RELIABLE)
    graph.wait(lambda: 'idle: no subscriber' in graph.status.message, 'the idle node', process)
    assert publisher.get_subscription_count() == 0
    graph.collect(message, '/tf')
    graph.wait(lambda: publisher.get_subscription_count() == 1, 'the subscription', process)
