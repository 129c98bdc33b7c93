# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""The estimator in a process of its own, over real DDS topics."""
import cv2
from graph import BEST_EFFORT, blue, image_message, LATCHED, red, RELIABLE
from lifecycle_msgs.msg import State, Transition
from lifecycle_msgs.srv import ChangeState, GetState
import models
import numpy as np
import pytest
from sensor_msgs.msg import CompressedImage, Image
from std_srvs.srv import SetBool
from visualization_msgs.msg import Marker, MarkerArray

from pose_ros.core.topology import TOPOLOGIES
from pose_ros.msg import Coco18, Skeleton, SkeletonArray, SkeletonTopology


def _state(graph):
    return graph.call(GetState, 'estimator/get_state', GetState.Request()).current_state.id


def _change(graph, transition):
    request = ChangeState.Request(transition=Transition(id=transition))
    return graph.call(ChangeState, 'estimator/change_state', request).success


def _image_points(tiny_people, width, height):
    """The tiny network (160 x 128) letterboxes: its pixels back in an image of another size."""
    ratio = min(160.0 / width, 128.0 / height)
    offset = ((160 - round(width * ratio)) // 2, (128 - round(height * ratio)) // 2)
    return (np.asarray(tiny_people) - offset + 0.5) / ratio - 0.5


@pytest.mark.parametrize('size', [(640, 480), (1280, 720)])
def test_messages_have_the_header_size_and_pixels_of_images(graph, tiny_model, tiny_people, size):
    arrays = graph.collect(SkeletonArray, 'skeletons')
    process = graph.start_estimator(tiny_model, tracking=False)
    publisher = graph.node.create_publisher(Image, 'image', RELIABLE)
    answer = graph.send_until(publisher, image_message(blue(*size), (1234, 567890123), 'head_cam'),
                              arrays, process=process)

    assert (answer.header.stamp.sec, answer.header.stamp.nanosec) == (1234, 567890123)
    assert answer.header.frame_id == 'head_cam'
    assert (answer.image_width, answer.image_height) == size
    assert len(answer.skeletons) == 2
    expected = _image_points(tiny_people, *size)
    for skeleton in answer.skeletons:
        assert skeleton.track_id == Skeleton.UNTRACKED == -1
        assert skeleton.format == Skeleton.FORMAT_COCO_18
        assert 0.5 < skeleton.confidence <= 1
        assert [keypoint.id for keypoint in skeleton.keypoints] == list(range(Coco18.COUNT))
        points = np.array([(keypoint.x, keypoint.y) for keypoint in skeleton.keypoints])
        errors = np.abs(expected - points).max((1, 2))
        assert errors.min() < 2.0 / min(160.0 / size[0], 128.0 / size[1])  # 2 network pixels
        assert np.isnan(skeleton.keypoints[0].position.z) and np.isnan(skeleton.position.x)
        assert skeleton.bbox.x == pytest.approx(points[:, 0].min(), abs=0.01)
        assert skeleton.bbox.height == pytest.approx(np.ptp(points[:, 1]), abs=0.01)

    answer = graph.send_until(publisher, image_message(red(*size)), arrays)
    while answer.header.stamp.sec == 1234:  # answers to the last blue images
        answer = graph.send_until(publisher, image_message(red(*size)), arrays)
    assert len(answer.skeletons) == 0 and answer.image_width == size[0]


def test_topology_waits_for_late_joiners(graph, tiny_model):
    process = graph.start_estimator(tiny_model)
    topologies = graph.collect(SkeletonTopology, 'topology', LATCHED)
    graph.wait(lambda: topologies, 'the latched topology', process)
    topology = TOPOLOGIES['coco_18']
    assert topologies[0].name == 'coco_18' and topologies[0].format == Skeleton.FORMAT_COCO_18
    assert tuple(topologies[0].keypoint_names) == topology.keypoint_names
    assert list(topologies[0].limbs) == [keypoint for limb in topology.limbs for keypoint in limb]
    assert tuple(topologies[0].mirror) == topology.mirror


def test_an_own_skeleton_has_its_own_names(graph, make_model):
    names = ['left_{}'.format(k) for k in range(9)] + ['right_{}'.format(k) for k in range(9)]
    own = {'name': 'dog', 'keypoint_names': names, 'limbs': [[0, 1], [1, 10]]}
    process = graph.start_estimator(make_model(card=models.card_data(topology=own)))
    topologies = graph.collect(SkeletonTopology, 'topology', LATCHED)
    arrays = graph.collect(SkeletonArray, 'skeletons')
    graph.wait(lambda: topologies, 'the latched topology', process)
    assert topologies[0].name == 'dog' and topologies[0].format == Skeleton.FORMAT_CUSTOM
    assert list(topologies[0].keypoint_names) == names
    assert list(topologies[0].limbs) == [0, 1, 1, 10]
    assert list(topologies[0].mirror) == [*range(9, 18), *range(9)]
    publisher = graph.node.create_publisher(Image, 'image', RELIABLE)
    answer = graph.send_until(publisher, image_message(blue(160, 128)), arrays, process=process)
    assert [skeleton.format for skeleton in answer.skeletons] == [Skeleton.FORMAT_CUSTOM] * 2
    assert [keypoint.id for keypoint in answer.skeletons[0].keypoints] == list(range(18))


def test_lifecycle_by_hand(graph, tiny_model):
    process = graph.start_estimator(tiny_model, wait_for_image=False, autostart=False)
    assert _state(graph) == State.PRIMARY_STATE_UNCONFIGURED
    assert _change(graph, Transition.TRANSITION_CONFIGURE)
    assert _state(graph) == State.PRIMARY_STATE_INACTIVE
    assert graph.node.count_subscribers('image') == 0
    assert _change(graph, Transition.TRANSITION_ACTIVATE)
    assert _state(graph) == State.PRIMARY_STATE_ACTIVE
    arrays = graph.collect(SkeletonArray, 'skeletons')
    publisher = graph.node.create_publisher(Image, 'image', RELIABLE)
    answer = graph.send_until(publisher, image_message(blue()), arrays, process=process)
    assert len(answer.skeletons) == 2

    assert _change(graph, Transition.TRANSITION_DEACTIVATE)
    graph.wait(lambda: not arrays[-1].skeletons, 'the last, empty message', process)
    graph.wait(lambda: graph.node.count_subscribers('image') == 0, 'it unsubscribes', process)
    assert _change(graph, Transition.TRANSITION_CLEANUP)
    assert _change(graph, Transition.TRANSITION_CONFIGURE)
    assert _change(graph, Transition.TRANSITION_ACTIVATE)
    answer = graph.send_until(publisher, image_message(blue()), arrays, process=process)
    assert len(answer.skeletons) == 2
    assert _change(graph, Transition.TRANSITION_ACTIVE_SHUTDOWN)
    assert _state(graph) == State.PRIMARY_STATE_FINALIZED
    assert process.stop() == 0


def test_markers_and_overlay_while_there_is_a_subscriber(graph, tiny_model):
    process = graph.start_estimator(tiny_model)
    arrays = graph.collect(SkeletonArray, 'skeletons')
    markers, overlays = graph.collect(MarkerArray, 'markers'), graph.collect(Image, 'overlay')
    publisher = graph.node.create_publisher(Image, 'image', RELIABLE)
    graph.send_until(publisher, image_message(blue()), overlays, process=process)
    graph.send_while(publisher, image_message(blue()), lambda: markers and arrays,
                     'markers and skeletons', process)

    overlay = overlays[-1]
    assert (overlay.width, overlay.height, overlay.encoding) == (640, 480, 'bgr8')
    assert (overlay.header.stamp.sec, overlay.header.frame_id) == (12, 'camera_optical_frame')
    drawn = np.frombuffer(overlay.data, np.uint8).reshape(480, 640, 3)
    neck = arrays[-1].skeletons[0].keypoints[Coco18.NECK]
    assert tuple(drawn[int(round(neck.y)), int(round(neck.x))]) != (255, 0, 0)
    assert tuple(drawn[2, 2]) == (255, 0, 0)
    full = max(markers, key=lambda message: len(message.markers)).markers
    assert full[0].action == Marker.DELETEALL
    assert {marker.type for marker in full[1:]} == {
        Marker.SPHERE_LIST, Marker.LINE_LIST, Marker.TEXT_VIEW_FACING}
    keypoints = next(marker for marker in full if marker.type == Marker.SPHERE_LIST)
    assert len(keypoints.points) == 18 and all(point.z == 2.0 for point in keypoints.points)
    assert all(0 <= color.r <= 1 and color.a == 1 for color in keypoints.colors)


def test_compressed_images(graph, tiny_model):
    publisher = graph.node.create_publisher(CompressedImage, 'image/compressed', RELIABLE)
    process = graph.start_estimator(tiny_model, image_transport='compressed')
    arrays = graph.collect(SkeletonArray, 'skeletons')
    message = CompressedImage(format='jpeg', header=image_message(blue(), (7, 8)).header)
    message.data.frombytes(cv2.imencode('.jpg', blue())[1].tobytes())
    answer = graph.send_until(publisher, message, arrays, process=process)
    assert len(answer.skeletons) == 2 and answer.header.stamp.sec == 7
    assert (answer.image_width, answer.image_height) == (640, 480)


def test_compressed_topic_follows_the_remapped_image(graph, tiny_model):
    process = graph.start('estimator', model=tiny_model, image_transport='compressed',
                          remaps=['image:=front/image_raw'])
    graph.wait(lambda: graph.node.count_subscribers('front/image_raw/compressed') == 1,
               'a subscription to the remapped topic', process)


def test_parameters_change_while_running(graph, tiny_model):
    publisher = graph.node.create_publisher(Image, 'image', RELIABLE)
    process = graph.start_estimator(tiny_model)
    arrays = graph.collect(SkeletonArray, 'skeletons')
    graph.send_until(publisher, image_message(blue()), arrays, process=process)
    for name, value, people in (('max_people', 1, 1), ('min_score', 1.0, 0)):
        assert graph.set_parameter('selection.' + name, value).successful
        graph.send_while(publisher, image_message(blue()),
                         lambda: len(arrays[-1].skeletons) == people, 'the change', process)
        arrays.clear()
        graph.send_until(publisher, image_message(blue()), arrays, 3)
        assert [len(array.skeletons) for array in arrays] == [people] * len(arrays)

    for name, value in (('pose.peak_threshold', 1.5), ('pose.limb_samples', 0),
                        ('marker_distance', -1.0), ('selection.min_score', 'high'),
                        ('backend', 'onnxruntime'), ('model', 'other.onnx'),
                        ('pose.nothing', 1)):
        result = graph.set_parameter(name, value)
        assert not result.successful and result.reason, name
    graph.send_until(publisher, image_message(blue()), arrays)
    assert process.alive


def test_invalid_start_parameters_are_reported_and_the_node_stays_alive(graph, tiny_model):
    process = graph.start('estimator', model=tiny_model, image_qos='best', marker_distance=-3.0,
                          diagnostics_period=0.2, **{'selection.min_score': 7.0})
    graph.wait(lambda: graph.status.level == b'\x02', 'the error', process)
    text = graph.status.message
    assert "image_qos must be one of 'auto', 'sensor_data', 'reliable', not 'best'" in text
    assert 'marker_distance must be within [0.1, 1000] m, not -3.0' in text
    assert _state(graph) == State.PRIMARY_STATE_UNCONFIGURED and process.alive


def test_invalid_setting_at_start(graph, tiny_model):
    process = graph.start('estimator', model=tiny_model, diagnostics_period=0.2,
                          **{'selection.min_score': 7.0, 'pose.limb_samples': 1})
    graph.wait(lambda: graph.status.level == b'\x02', 'the error', process)
    assert 'selection.min_score must be within [0, 1], not 7.0' in graph.status.message
    assert 'pose.limb_samples must be within [2, 100], not 1' in graph.status.message
    assert _state(graph) == State.PRIMARY_STATE_UNCONFIGURED and process.alive


def test_setting_at_start(graph, tiny_model):
    publisher = graph.node.create_publisher(Image, 'image', RELIABLE)
    process = graph.start_estimator(tiny_model, **{'selection.max_people': 1})
    arrays = graph.collect(SkeletonArray, 'skeletons')
    answer = graph.send_until(publisher, image_message(blue()), arrays, process=process)
    assert len(answer.skeletons) == 1


def test_enable_service(graph, tiny_model):
    publisher = graph.node.create_publisher(Image, 'image', RELIABLE)
    process = graph.start_estimator(tiny_model)
    arrays = graph.collect(SkeletonArray, 'skeletons')
    graph.send_until(publisher, image_message(blue()), arrays, process=process)
    assert graph.call(SetBool, 'estimator/enable', SetBool.Request(data=False)).success
    graph.wait(lambda: not arrays[-1].skeletons, 'the last, empty message', process)
    graph.wait(lambda: graph.node.count_subscribers('image') == 0, 'it unsubscribes', process)
    graph.wait(lambda: graph.status.message == 'disabled by ~/enable', 'diagnostics')
    for _ in range(2):  # asking again changes nothing
        assert graph.call(SetBool, 'estimator/enable', SetBool.Request(data=True)).success
    assert len(graph.send_until(publisher, image_message(blue()), arrays).skeletons) == 2


def test_incompatible_qos_is_explained(graph, tiny_model):
    publisher = graph.node.create_publisher(Image, 'image', BEST_EFFORT)
    process = graph.start_estimator(tiny_model, image_qos='reliable')
    graph.wait(lambda: 'offers best_effort' in process.log(), 'the QoS message', process)
    assert 'set image_qos to auto or sensor_data' in process.log()
    graph.wait(lambda: graph.status.level == b'\x01' and 'best_effort' in
               graph.status.message, 'a diagnostic warning', process)
    graph.node.destroy_publisher(publisher)
    graph.wait(lambda: 'best_effort' not in graph.status.message, 'a clean status', process)


def test_auto_qos_receives_from_both_kinds_of_publishers(graph, tiny_model):
    process = graph.start_estimator(tiny_model)
    arrays = graph.collect(SkeletonArray, 'skeletons')
    for qos in (BEST_EFFORT, RELIABLE):
        publisher = graph.node.create_publisher(Image, 'image', qos)
        graph.send_until(publisher, image_message(blue()), arrays, 3, process)
        graph.node.destroy_publisher(publisher)


def test_wrong_transport_is_explained(graph, tiny_model):
    graph.node.create_publisher(CompressedImage, 'image', RELIABLE)
    process = graph.start_estimator(tiny_model, no_image_timeout=0.5)
    wanted = 'carries sensor_msgs/msg/CompressedImage, but image_transport raw needs'
    graph.wait(lambda: wanted in graph.status.message, wanted, process)


def test_interrupt_while_working(graph, tiny_model):
    publisher = graph.node.create_publisher(Image, 'image', RELIABLE)
    process = graph.start_estimator(tiny_model)
    arrays = graph.collect(SkeletonArray, 'skeletons')
    graph.send_until(publisher, image_message(blue()), arrays, 5, process)
    timer = graph.node.create_timer(0.01, lambda: publisher.publish(image_message(blue())))
    graph.spin(0.5)  # it has work when the signal comes
    assert process.stop() == 0
    timer.cancel()
    assert 'Traceback' not in process.log() and 'Error' not in process.log()


def test_panels_while_there_is_a_subscriber(graph, tiny_model):
    process = graph.start_estimator(tiny_model)
    arrays = graph.collect(SkeletonArray, 'skeletons')
    publisher = graph.node.create_publisher(Image, 'image', RELIABLE)
    graph.send_until(publisher, image_message(blue()), arrays, process=process)
    panels = graph.collect(Image, 'estimator/panels')
    picture = graph.send_until(publisher, image_message(blue()), panels, process=process)
    assert picture.header.frame_id == 'camera_optical_frame' and picture.encoding == 'bgr8'
    assert picture.width % 160 == 0 and picture.height % 128 == 0
    drawn = np.frombuffer(picture.data, np.uint8).reshape(picture.height, picture.width, 3)
    assert drawn[:100, :100].any() and picture.width * picture.height >= 39 * 160 * 128
    assert graph.failed() == 0
