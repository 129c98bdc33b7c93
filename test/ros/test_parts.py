# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Hands and faces of the people in messages, over real DDS topics, and their markers."""
from graph import blue, image_message, RELIABLE
from networks import make_part
import numpy as np
import pytest
from sensor_msgs.msg import Image
from std_msgs.msg import Header
from visualization_msgs.msg import Marker

from pose_ros.core.camera import Pinhole
from pose_ros.core.part_regions import face_place, hand_place
from pose_ros.core.people import make_people
from pose_ros.core.topology import get_topology
from pose_ros.msg import SkeletonArray
from pose_ros.nodes.markers import plane_markers

COCO = get_topology('coco_18')
SIZE = 64  # px of the networks' input
MIDDLE = (SIZE - 1) / 2.


def _points(count):
    """Return (count, 2) px: the first in the middle, the second to its right."""
    points = np.full((count, 2), MIDDLE)
    points[1, 0] += 16
    return points


@pytest.fixture
def networks(tmp_path):
    """Files of a network of hands and of one of faces, with their cards."""
    pytest.importorskip('onnx')
    return {'hands': make_part(tmp_path / 'hands.onnx', 'hand_21', _points(21), size=SIZE),
            'face': make_part(tmp_path / 'face.onnx', 'face_70', _points(70), .8, SIZE)}


def _answer(graph, model, **parameters):
    process = graph.start_estimator(model, **parameters)
    answers = graph.collect(SkeletonArray, 'skeletons')
    images = graph.node.create_publisher(Image, 'image', RELIABLE)
    message = image_message(blue())
    answer = graph.send_until(images, message, answers, process=process)
    assert len(answer.skeletons) == 2
    return answer.skeletons


def test_messages_hold_hands_and_faces(graph, tiny_model, networks):
    for skeleton in _answer(graph, tiny_model, **networks):
        body = {name: np.array((point.x, point.y))
                for name, point in zip(COCO.keypoint_names, skeleton.keypoints)}
        places = {'left_hand': hand_place(body, 'left'), 'right_hand': hand_place(body, 'right'),
                  'face': face_place(body)}
        for part, place in places.items():
            points = getattr(skeleton, part)
            assert [point.id for point in points] == list(range(70 if part == 'face' else 21))
            assert all(point.confidence == pytest.approx(.8 if part == 'face' else .9, abs=1e-3)
                       for point in points)
            assert (points[0].x, points[0].y) == pytest.approx(tuple(place.center), abs=.01)
            # To the right in the crop, which is turned; left hands are seen in a mirror.
            aside = place.side * 16 / SIZE * (-1 if part == 'left_hand' else 1)
            assert points[1].x - points[0].x == pytest.approx(
                aside * np.cos(place.angle), abs=.01)
            assert points[1].y - points[0].y == pytest.approx(
                aside * np.sin(place.angle), abs=.01)


def test_parts_beyond_the_limit_are_counted_in_diagnostics(graph, tiny_model, networks):
    _answer(graph, tiny_model, **dict(networks, **{'parts.max_people': 1}))
    graph.wait(lambda: int(graph.values().get('parts.parts_skipped', 0)) > 0, 'the count')


def test_parts_without_a_network_or_a_find_stay_empty(graph, tiny_model, networks, tmp_path):
    absent = make_part(tmp_path / 'none.onnx', 'hand_21', _points(21), .1, SIZE)
    for skeleton in _answer(graph, tiny_model, hands=absent):
        assert not skeleton.left_hand and not skeleton.right_hand and not skeleton.face


def test_a_network_of_another_part_is_an_error_that_names_it(graph, tiny_model, networks):
    process = graph.start_estimator(tiny_model, wait_for_image=False, hands=networks['face'])
    graph.wait(lambda: 'no network of crops with the topology hand_21' in graph.status.message,
               'the error in diagnostics', process)
    assert process.alive and process.stop() == 0


def test_hands_and_faces_have_markers():
    keypoints = np.full((2, 18, 3), (np.nan, np.nan, 0))
    keypoints[:, 1] = (300, 200, .9)
    parts = {'left_hand': np.full((2, 21, 3), (np.nan, np.nan, 0)),
             'face': np.full((2, 70, 3), (350., 240., .7))}
    parts['left_hand'][0, :2] = (319.5, 239.5, .8), (419.5, 239.5, .8)  # wrist, first of the thumb
    parts['face'][1] = (np.nan, np.nan, 0)
    people = make_people(keypoints, [.9, .8])._replace(parts=parts)
    camera = Pinhole(640, 480, 400., 400., 319.5, 239.5)
    markers = plane_markers(Header(frame_id='optical'), people, COCO, camera, 2.).markers[1:]
    assert len({(marker.ns, marker.id) for marker in markers}) == len(markers)
    first = [marker for marker in markers if marker.ns == 'skeleton/0']
    spheres = [marker for marker in first if marker.type == Marker.SPHERE_LIST]
    assert [len(marker.points) for marker in spheres] == [1, 2, 70]
    hand = spheres[1]
    assert (hand.points[1].x, hand.points[1].y, hand.points[1].z) == (.5, 0, 2)
    assert hand.scale.x < spheres[0].scale.x
    limbs = [marker for marker in first if marker.type == Marker.LINE_LIST]
    assert [len(marker.points) for marker in limbs][:2] == [0, 2]
    second = [marker for marker in markers if marker.ns == 'skeleton/1']
    assert [marker.type for marker in second] == [
        Marker.SPHERE_LIST, Marker.LINE_LIST, Marker.TEXT_VIEW_FACING]
