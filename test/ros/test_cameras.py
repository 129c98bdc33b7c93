# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""One node with several cameras, over real DDS topics; lazy work; overrides of the QoS."""
import itertools

from graph import blue, image_message, LATCHED, red, RELIABLE
import pytest
from rclpy.qos import QoSProfile, ReliabilityPolicy
from sensor_msgs.msg import CameraInfo, Image
from visualization_msgs.msg import Marker, MarkerArray

from pose_ros.msg import SkeletonArray, SkeletonTopology

NAMES = ['front', 'stereo/left']


def _publishers(graph, names=NAMES):
    return {name: graph.node.create_publisher(Image, name + '/image', RELIABLE) for name in names}


def _qos(graph, name, kind='publishers'):
    """Return the profiles of a topic's publishers or subscriptions (with the test's own)."""
    find = getattr(graph.node, 'get_{}_info_by_topic'.format(kind))
    return [info.qos_profile for info in find(name) if info.node_name == 'estimator']


@pytest.mark.parametrize('batch', [0, 2])
def test_each_camera_gets_its_answers(graph, make_model, batch):
    process = graph.start_estimator(make_model(batch=True), cameras=NAMES, batch=batch)
    answers = {name: graph.collect(SkeletonArray, name + '/skeletons') for name in NAMES}
    topologies = graph.collect(SkeletonTopology, 'topology', LATCHED)
    publishers = _publishers(graph)
    images = {'front': blue(640, 480), 'stereo/left': red(320, 240)}

    def send(number):
        for name, publisher in publishers.items():
            publisher.publish(image_message(images[name], (number, 987654321), name))
    numbers = itertools.count(1)

    def answered():
        send(next(numbers))
        return min(map(len, answers.values())) >= 10
    graph.wait(answered, 'ten answers of each camera', process)
    for name, people in (('front', 2), ('stereo/left', 0)):
        for answer in answers[name]:
            assert answer.header.frame_id == name
            assert answer.header.stamp.nanosec == 987654321
            assert (answer.image_height, answer.image_width) == images[name].shape[:2]
            assert len(answer.skeletons) == people
        seconds = [answer.header.stamp.sec for answer in answers[name]]
        assert seconds == sorted(set(seconds))
    graph.wait(lambda: topologies, 'the topology', process)
    graph.wait(lambda: all(int(graph.values(name).get('frames processed', 0)) >= 10
                           for name in NAMES), 'the counts', process)
    for name in NAMES:
        values = graph.values(camera=name)
        assert values['frames failed'] == '0'
        assert values['skeletons topic'] == '{}/{}/skeletons'.format(graph.namespace, name)
    assert len(topologies) == 1 and topologies[0].name == 'coco_18'
    assert 1 <= float(graph.values()['frames per run']) <= max(1, batch)
    assert 'pose.network [ms]' in graph.values()
    assert graph.status.message == 'estimating'
    assert process.stop() == 0


def test_a_bad_camera_does_not_affect_the_others(graph, make_model):
    process = graph.start_estimator(make_model(batch=True), cameras=NAMES, no_image_timeout=2.0)
    answers = {name: graph.collect(SkeletonArray, name + '/skeletons') for name in NAMES}
    publishers = _publishers(graph)
    depth = image_message(blue())
    depth.encoding = '16UC1'
    graph.send_while(publishers['stereo/left'], depth,
                     lambda: graph.values('stereo/left').get('frames failed', '0') != '0',
                     'a failed frame', process)
    answer = graph.send_until(publishers['front'], image_message(blue()), answers['front'],
                              5, process)
    assert len(answer.skeletons) == 2 and not answers['stereo/left']
    assert graph.values('front')['frames failed'] == '0'
    assert 'subscribe to the color image' in graph.values('stereo/left')['last error']
    graph.wait(lambda: 'no image on {}/stereo/left/image'.format(graph.namespace)
               in graph.status.message, 'the watchdog of the camera', process)
    answer = graph.send_until(publishers['stereo/left'], image_message(red()),
                              answers['stereo/left'], process=process)
    assert len(answer.skeletons) == 0


@pytest.mark.parametrize('names, text', [
    (['front', 'front'], "cameras: 'front' appears twice"),
    (['front', '2nd-camera'], "cameras: '2nd-camera' is not a valid name")])
def test_wrong_names_are_explained(graph, tiny_model, names, text):
    process = graph.start('estimator', model=tiny_model, cameras=names, diagnostics_period=0.2)
    graph.wait(lambda: text in graph.status.message, text, process)
    assert graph.status.level == b'\x02' and process.alive


def test_parameters_that_do_not_exist_are_reported(graph, tiny_model):
    process = graph.start_estimator(tiny_model, no_image_timeout=600.0,
                                    **{'selection.max_poeple': 1, 'lasy': True})
    graph.wait(lambda: 'unknown parameters' in graph.values(), 'the report', process)
    for text in ("there is no parameter 'selection.max_poeple'; did you mean "
                 "'selection.max_people'?", "there is no parameter 'lasy'; did you mean 'lazy'?"):
        assert text in process.log() and text in graph.values()['unknown parameters']
    assert graph.status.level == b'\x00'


def _info(stamp, focal_length):
    info = CameraInfo(width=640, height=480, distortion_model='plumb_bob')
    info.header = image_message(blue(), stamp).header
    info.k = [focal_length, 0.0, 319.5, 0.0, focal_length, 239.5, 0.0, 0.0, 1.0]
    return info


def test_markers_follow_the_camera_info_of_their_image(graph, tiny_model):
    process = graph.start_estimator(tiny_model)
    markers = graph.collect(MarkerArray, 'markers')
    images = graph.node.create_publisher(Image, 'image', RELIABLE)
    infos = graph.node.create_publisher(CameraInfo, 'camera_info', RELIABLE)
    arrays = graph.collect(SkeletonArray, 'skeletons')
    graph.wait(lambda: infos.get_subscription_count() and images.get_subscription_count(),
               'a match', process)

    def spread(focal_length, stamp):
        """Return how far the keypoints of an image lie apart on the plane of the markers."""
        known = int(graph.values().get('camera_info received', 0))
        for other in (stamp - 1000, stamp + 1000):  # of no image
            infos.publish(_info((other, 0), 50.0))
        graph.send_while(infos, _info((stamp, 0), focal_length), lambda: int(
            graph.values().get('camera_info received', 0)) >= known + 3, 'the messages', process)
        found = []

        def seen():
            found[:] = [point.x for message in markers for marker in message.markers
                        if marker.type == Marker.SPHERE_LIST and marker.header.stamp.sec == stamp
                        for point in marker.points]
            return found
        graph.send_while(images, image_message(blue(), (stamp, 0)), seen, 'markers', process)
        return max(found) - min(found)
    far, near = spread(800.0, 5000), spread(400.0, 7000)
    assert near == pytest.approx(2 * far, rel=1e-3)
    graph.wait(lambda: arrays and int(graph.values()['frames with camera_info']) >= len(arrays),
               'the count', process)


def test_lazy_works_only_while_there_is_a_subscriber(graph, make_model):
    process = graph.start_estimator(make_model(batch=True), wait_for_image=False, cameras=NAMES,
                                    lazy=True)
    graph.wait(lambda: graph.status.message == 'idle: no subscriber' or
               'estimating' in graph.status.message, 'diagnostics', process)
    publishers = _publishers(graph)
    graph.spin(1.0)  # time to do what it should not
    assert [publisher.get_subscription_count() for publisher in publishers.values()] == [0, 0]
    answers = []
    subscription = graph.node.create_subscription(
        SkeletonArray, 'front/skeletons', answers.append, RELIABLE)
    answer = graph.send_until(publishers['front'], image_message(blue()), answers, 3, process)
    assert len(answer.skeletons) == 2
    assert publishers['stereo/left'].get_subscription_count() == 0
    graph.node.destroy_subscription(subscription)
    graph.wait(lambda: not publishers['front'].get_subscription_count(), 'it leaves', process)

    def counts():
        return [int(graph.values('front')['frames ' + name])
                for name in ('received', 'processed', 'dropped')]

    def rests():
        states = {status.name.split(': ')[1]: status.message for status in graph.statuses[-1]}
        return counts()[0] == sum(counts()[1:]) and states == {
            'engine': 'estimating', 'camera front': 'idle: no subscriber',
            'camera stereo/left': 'idle: no subscriber'}
    graph.wait(rests, 'no frame is under way', process)
    before = counts()
    publishers['front'].publish(image_message(blue()))
    del graph.statuses[:]
    graph.wait(lambda: len(graph.statuses) >= 4, 'later diagnostics', process)
    assert counts() == before and rests()
    overlays = graph.collect(Image, 'stereo/left/overlay')  # any output will do
    graph.send_until(publishers['stereo/left'], image_message(red()), overlays, process=process)
    assert process.stop() == 0


def test_qos_overrides(graph, tiny_model):
    def override(topic, entity, policy):
        return 'qos_overrides.{}/{}.{}.{}'.format(graph.namespace, topic, entity, policy)
    process = graph.start_estimator(tiny_model, **{
        override('skeletons', 'publisher', 'depth'): 3,
        override('skeletons', 'publisher', 'reliability'): 'best_effort',
        override('markers', 'publisher', 'durability'): 'transient_local',
        override('image', 'subscription', 'reliability'): 'best_effort',
        override('camera_info', 'subscription', 'reliability'): 'reliable'})
    graph.wait(lambda: _qos(graph, 'skeletons') and _qos(graph, 'markers') and
               _qos(graph, 'camera_info', 'subscriptions'), 'the topics', process)
    [skeletons], [markers] = _qos(graph, 'skeletons'), _qos(graph, 'markers')
    assert skeletons.reliability == ReliabilityPolicy.BEST_EFFORT
    assert markers.durability == LATCHED.durability
    assert _qos(graph, 'camera_info', 'subscriptions')[0].reliability == \
        ReliabilityPolicy.RELIABLE
    # The publisher is reliable, so that image_qos auto would be.
    publisher = graph.node.create_publisher(Image, 'image', RELIABLE)
    arrays = graph.collect(SkeletonArray, 'skeletons', QoSProfile(
        depth=10, reliability=ReliabilityPolicy.BEST_EFFORT))
    graph.send_until(publisher, image_message(blue()), arrays, 10, process)
    assert [qos.reliability for qos in _qos(graph, 'image', 'subscriptions')] == [
        ReliabilityPolicy.BEST_EFFORT]
    assert 'there is no parameter' not in process.log()


def test_an_invalid_qos_override_is_explained(graph, tiny_model):
    name = 'qos_overrides.{}/skeletons.publisher.'.format(graph.namespace)
    process = graph.start('estimator', model=tiny_model, diagnostics_period=0.2,
                          **{name + 'reliability': 'sometimes', name + 'depth': -1})
    graph.wait(lambda: graph.status.level == b'\x02', 'an error', process)
    for text in (name + "reliability must be one of 'reliable', 'best_effort', not 'sometimes'",
                 name + 'depth must be within [1, 10000], not -1'):
        assert text in graph.status.message
    assert process.alive
