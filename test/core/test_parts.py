# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Hands and faces: where they are looked for, and what comes back into the image."""
import json

import cv2
import numpy as np
import pytest

from networks import make_part
from pose_ros.core import PoseEstimator
from pose_ros.core.adoption import adopt
from pose_ros.core.draw import draw_people
from pose_ros.core.errors import CardError
from pose_ros.core.frame import Frame
from pose_ros.core.network import open_network
from pose_ros.core.part_regions import face_place, found_points, hand_place
from pose_ros.core.people import make_people
from pose_ros.core.regions import Region
from pose_ros.core.results import FrameResults
from pose_ros.core.stages import Parts
from pose_ros.core.topology import get_topology

COCO = get_topology('coco_17')
SIZE = 64  # px of the networks' input


def body(**points):
    """Return one person of coco_17 with the given keypoints, all others missing."""
    keypoints = np.zeros((1, 17, 3))
    for name, point in points.items():
        keypoints[0, COCO.index(name)] = tuple(point) + (.9,)
    return make_people(keypoints, [.9])


def points_of(people):
    return found_points(people.keypoints[0], COCO)


def network(tmp_path, topology, points, presence=.9):
    """Open a network that finds the same points (K, 2) [px of its input] in every crop."""
    path = make_part(tmp_path / (topology + '.onnx'), topology, points, presence, SIZE)
    return open_network(path, 'hands', 'onnxruntime')


def test_a_hand_lies_beyond_the_wrist():
    place = hand_place(points_of(body(left_wrist=(130, 100), left_elbow=(100, 100),
                                      left_shoulder=(100, 60))), 'left')
    assert place.center.tolist() == pytest.approx([139.9, 100])
    assert place.side == pytest.approx(1.5 * .9 * 40)
    assert np.degrees(place.angle) == pytest.approx(90)  # fingers point to the right
    forearm_alone = hand_place(points_of(body(left_wrist=(130, 100), left_elbow=(100, 100))),
                               'left')
    assert forearm_alone.side == pytest.approx(45)
    assert hand_place(points_of(body(left_wrist=(130, 100))), 'left') is None
    assert hand_place(points_of(body(left_wrist=(1, 1), left_elbow=(2, 2))), 'right') is None


def test_a_face_lies_between_eyes_ears_and_nose():
    front = dict(nose=(100, 110), left_eye=(110, 100), right_eye=(90, 100), left_ear=(120, 102),
                 right_ear=(80, 102), left_shoulder=(140, 150), right_shoulder=(60, 150))
    place = face_place(points_of(body(**front)))
    assert place.center.tolist() == pytest.approx([100, (130 + 100 + 102) / 3.])
    assert place.side == pytest.approx((2 * 40 + 3 * 20 + 2 * 40) / 3.)
    assert place.angle == 0
    tilted = face_place(points_of(body(left_eye=(110, 120), right_eye=(90, 100))))
    assert np.degrees(tilted.angle) == pytest.approx(45)
    assert face_place(points_of(body(nose=(1, 1)))) is None


def test_a_face_in_profile_is_near_eye_ear_and_nose():
    seen = dict(nose=(90, 100), right_eye=(95, 90), right_ear=(115, 95),
                left_shoulder=(130, 140), right_shoulder=(110, 140))
    place = face_place(points_of(body(**seen)))
    assert place.center.tolist() == pytest.approx([100, 95])
    assert place.side == pytest.approx(.85 * (np.hypot(5, 10) + np.hypot(25, 5)
                                              + np.hypot(30, 40)))


def arms():
    """Return a person with both forearms upright, hands at (60, 67) and (140, 67)."""
    return body(left_wrist=(140, 80), left_elbow=(140, 119.39), right_wrist=(60, 80),
                right_elbow=(60, 119.39))


def test_keypoints_come_back_into_the_image_and_left_hands_are_mirrored(tmp_path):
    grid = np.column_stack([np.linspace(5, 58, 21), np.linspace(60, 5, 21)])
    stage = Parts(COCO, hands=network(tmp_path, 'hand_21', grid))
    frame = Frame(np.zeros((200, 200, 3), np.uint8))
    people = stage([frame], [arms()])[0]
    side, center_y = 1.5 * 39.39, 80 - .33 * 39.39
    offset = (grid - (SIZE - 1) / 2.) * side / SIZE
    right, left = people.parts['right_hand'][0], people.parts['left_hand'][0]
    np.testing.assert_allclose(right[:, :2], offset + (60, center_y), atol=1e-3)
    np.testing.assert_allclose(left[:, :2], offset * (-1, 1) + (140, center_y), atol=1e-3)
    np.testing.assert_allclose(right[:, 2], .9, atol=1e-6)


def test_networks_of_coordinates_see_hands_upright(tmp_path):
    """Fingers up in the crop are to the right of a forearm that points right."""
    finger = np.tile([(SIZE - 1) / 2., 0.], (21, 1))
    stage = Parts(COCO, hands=network(tmp_path, 'hand_21', finger))
    person = body(right_wrist=(100, 100), right_elbow=(60, 100))
    found = stage([Frame(np.zeros((200, 200, 3), np.uint8))], [person])[0].parts['right_hand'][0]
    side = 1.5 * 40
    assert found[0, :2].tolist() == pytest.approx([113.2 + side * 31.5 / SIZE, 100], abs=1e-3)


def test_an_absent_hand_is_missing(tmp_path):
    stage = Parts(COCO, hands=network(tmp_path, 'hand_21', np.ones((21, 2)), presence=.2))
    people = stage([Frame(np.zeros((200, 200, 3), np.uint8))], [arms()])[0]
    assert np.isnan(people.parts['left_hand'][..., :2]).all()
    assert (people.parts['left_hand'][..., 2] == 0).all()
    assert set(people.parts) == {'left_hand', 'right_hand'}


@pytest.mark.parametrize('wrist', [(198, 100), (199, 199), (260, 100)])
def test_a_hand_at_the_border_keeps_its_place(tmp_path, wrist):
    """Half of the crop, three quarters or all of it lie outside; the points are where they are."""
    stage = Parts(COCO, hands=network(tmp_path, 'hand_21', np.full((21, 2), 40.)))
    elbow = wrist[0] - 60, wrist[1]
    person = body(right_wrist=wrist, right_elbow=elbow)
    people = stage([Frame(np.full((200, 200, 3), 255, np.uint8))], [person])[0]
    offset = (40 - (SIZE - 1) / 2.) * 1.5 * 60 / SIZE  # the crop is turned: right is down
    expected = wrist[0] + .33 * 60 - offset, wrist[1] + offset, .9
    np.testing.assert_allclose(people.parts['right_hand'][0], np.tile(expected, (21, 1)), atol=.01)
    assert people.parts['left_hand'][..., 2].max() == 0


def test_limits_of_people_and_of_size(tmp_path):
    stage = Parts(COCO, hands=network(tmp_path, 'hand_21', np.ones((21, 2))))
    frame = Frame(np.zeros((200, 200, 3), np.uint8))
    both = make_people(np.concatenate([arms().keypoints * (.5, .5, 1), arms().keypoints]), [1, 1])
    stage.configure(max_people=1)
    found = stage([frame], [both])[0].parts['left_hand'][..., 2].max(1)
    assert found.tolist() == pytest.approx([0, .9]) and stage.counters['parts_skipped'] == 1
    stage.configure(max_people=5, min_size=100.)
    assert stage([frame], [both])[0].parts['left_hand'][..., 2].max() == 0


def test_the_second_look_is_around_the_keypoints(tmp_path):
    """A network that always finds the middle and a corner of its input doubles its crop."""
    points = np.full((21, 2), (SIZE - 1) / 2.)
    points[1] += SIZE / 4.  # the bounds of all points
    stage = Parts(COCO, hands=network(tmp_path, 'hand_21', points))
    frame, person = Frame(np.zeros((200, 200, 3), np.uint8)), arms()
    once = stage([frame], [person])[0].parts['right_hand'][0]
    stage.configure(look_again=True)
    twice = stage([frame], [person])[0].parts['right_hand'][0]
    # The second crop is twice the bounds of the points, half the first one, around their middle.
    np.testing.assert_allclose(twice[0, :2], once[:2, :2].mean(0), atol=1e-3)
    np.testing.assert_allclose(twice[1] - twice[0], (once[1] - once[0]) / 2, atol=1e-3)


def test_nobody_has_no_parts(tmp_path):
    stage = Parts(COCO, hands=network(tmp_path, 'hand_21', np.ones((21, 2))))
    nobody = make_people(np.zeros((0, 17, 3)), [])
    people = stage([Frame(np.zeros((20, 20, 3), np.uint8))], [nobody])[0]
    assert people.parts['left_hand'].shape == (0, 21, 3)


def test_a_real_face_is_found_where_a_crop_around_it_finds_it(shared, tmp_path):
    """The second crop is MediaPipe's own: 1.5 times the bounds of the landmarks."""
    pytest.importorskip('onnx')
    astronaut = pytest.importorskip('skimage.data').astronaut()[..., ::-1].copy()
    path = adopt(str(shared / 'weights' / 'face_landmark.onnx'), str(tmp_path / 'face.onnx')).path
    estimator = PoseEstimator(backend='onnxruntime', face=path)
    people = estimator(astronaut)
    first = people.parts['face'][0, :68, :2].astype(np.float64)
    low, high = first.min(0), first.max(0)
    side = 1.5 * (high - low).max()
    region = Region(0, tuple((low + high) / 2), (side, side))
    (found, transform), = estimator.networks[-1].find([Frame(astronaut)], [region])
    exact = transform.to_image(found.keypoints[0, :68, :2].astype(np.float64))
    eyes = np.linalg.norm(exact[36:42].mean(0) - exact[42:48].mean(0))
    once = np.linalg.norm(first - exact, axis=1).mean()
    assert once < .1 * eyes
    estimator.configure(look_again=True)
    second = estimator(astronaut).parts['face'][0, :68, :2]
    assert np.linalg.norm(second - exact, axis=1).mean() < min(once / 2, .03 * eyes)
    estimator.close()


def test_hands_without_a_body_are_found_by_their_palms(shared, tmp_path):
    """Fingers point up in the left hand of the photograph, and down in the right one."""
    pytest.importorskip('onnx')
    paths = {name: adopt(str(shared / 'weights' / (name + '.onnx')),
                         str(tmp_path / (name + '.onnx'))).path
             for name in ('palm_detection_full', 'hand_landmark_full')}
    estimator = PoseEstimator(paths['hand_landmark_full'], 'onnxruntime',
                              detector=paths['palm_detection_full'])
    hands = estimator(cv2.imread(str(shared / 'data' / 'demo' / '13_hands_closeup.jpg')))
    assert hands.count == 2 and hands.scores.min() > .5
    left, right = hands.keypoints[np.argsort(hands.keypoints[:, 0, 0]), :, :2]
    # Wrist and the tip of the middle finger, as they were seen in the photograph.
    np.testing.assert_allclose(left[[0, 12]], [(135, 345), (185, 25)], atol=20)
    np.testing.assert_allclose(right[[0, 12]], [(557, 72), (545, 362)], atol=20)
    estimator.close()


def test_a_network_of_another_topology_is_refused(tmp_path):
    hand = network(tmp_path, 'hand_21', np.ones((21, 2)))
    with pytest.raises(CardError, match='hand_21 is no network of crops with the topology face_'):
        Parts(COCO, face=hand)


def test_faces_are_drawn_and_written(tmp_path):
    grid = np.column_stack([np.linspace(5, 58, 70), np.linspace(20, 40, 70)])
    stage = Parts(COCO, face=network(tmp_path, 'face_70', grid))
    person = body(left_eye=(110, 100), right_eye=(90, 100))
    image = np.zeros((200, 200, 3), np.uint8)
    people = stage([Frame(image)], [person])[0]
    x, y = people.parts['face'][0, 30, :2]
    drawn = draw_people(image.copy(), people, COCO, labels=False)
    assert drawn[int(round(y)), int(round(x))].any() and not image.any()
    path = str(tmp_path / 'people.json')
    with FrameResults(path, COCO, 'model') as results:
        results.add(Frame(image, index=0, name='a'), people)
    with open(path) as stream:
        record = json.load(stream)['frames'][0]['people'][0]
    assert len(record['face']) == 70 and 'left_hand' not in record
    assert record['face'][30][:2] == pytest.approx([x, y], abs=1e-3)
