# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Selection: which people are kept, their order, and keypoints outside the image."""
from crowds import crowd, person
import numpy as np
import pytest

from pose_ros.core.errors import PoseRosError
from pose_ros.core.frame import Frame
from pose_ros.core.people import make_people, no_people, oks_matrix
from pose_ros.core.stages import Selection
from pose_ros.core.stages.selection import inside, select_people
from pose_ros.core.topology import get_topology

COCO = get_topology('coco_17')
EVERYBODY = dict(min_keypoints=1, min_score=0.0, max_people=0, duplicate_oks=1.0)


def test_choice_sorts_by_score_and_is_stable():
    people = make_people(np.array([person(0), person(500), person(1000), person(1500)]),
                         [0.3, 0.9, 0.3, 0.5])
    chosen = select_people(people, COCO, **EVERYBODY)
    assert chosen.scores.tolist() == pytest.approx([0.9, 0.5, 0.3, 0.3])
    assert chosen.keypoints[:, 0, 0].tolist() == [500, 1500, 0, 1000]
    many = make_people(np.array([person(500 * k) for k in range(100)]), np.full(100, 0.5))
    assert select_people(many, COCO, **EVERYBODY).keypoints[:, 0, 0].tolist() == [
        500 * k for k in range(100)]


@pytest.mark.parametrize('setting, value, left', [
    ('min_keypoints', 1, [0.9, 0.8, 0.2]), ('min_keypoints', 5, [0.9, 0.8]),
    ('min_keypoints', 6, [0.8]),
    ('min_score', 0.19, [0.9, 0.8, 0.2]), ('min_score', 0.21, [0.9, 0.8]), ('min_score', 1.0, []),
    ('max_people', 0, [0.9, 0.8, 0.2]), ('max_people', 2, [0.9, 0.8]), ('max_people', 1, [0.9]),
    ('max_people', 9, [0.9, 0.8, 0.2])])
def test_each_setting_drops_people(setting, value, left):
    people = crowd(person(0, score=0.2, found=4), person(500, score=0.9, found=5),
                   person(900, score=0.8))
    chosen = select_people(people, COCO, **dict(EVERYBODY, **{setting: value}))
    assert chosen.scores.tolist() == pytest.approx(left)


def test_min_score_is_inclusive():
    people = make_people(np.array([person()]), [0.5])
    assert select_people(people, COCO, **dict(EVERYBODY, min_score=0.5)).count == 1


def test_the_best_of_duplicates_is_kept():
    people = crowd(person(0, score=0.5), person(1, score=0.9), person(2, score=0.7),
                   person(500, score=0.6))
    similarity = oks_matrix(people.keypoints, COCO)
    assert similarity[0, 1] > 0.95 and similarity[0, 3] < 0.01
    chosen = select_people(people, COCO, **dict(EVERYBODY, duplicate_oks=0.9))
    assert chosen.scores.tolist() == pytest.approx([0.9, 0.6])
    assert select_people(people, COCO, **EVERYBODY).count == 4  # 1 keeps all
    assert select_people(crowd(person(), person()), COCO, **EVERYBODY).count == 2


def test_a_dropped_duplicate_drops_no_others():
    """B resembles A, C resembles B but not A: C stays, for B is gone."""
    people = crowd(person(0, score=0.9), person(9, score=0.8), person(18, score=0.7))
    similarity = oks_matrix(people.keypoints, COCO)
    limit = (similarity[0, 1] + similarity[0, 2]) / 2
    assert similarity[0, 2] < limit < similarity[0, 1]
    chosen = select_people(people, COCO, **dict(EVERYBODY, duplicate_oks=limit))
    assert chosen.scores.tolist() == pytest.approx([0.9, 0.7])


def test_duplicates_leave_room_for_others_under_max_people():
    people = crowd(person(0, score=0.9), person(0, score=0.8), person(500, score=0.7))
    chosen = select_people(people, COCO, **dict(EVERYBODY, duplicate_oks=0.9, max_people=2))
    assert chosen.scores.tolist() == pytest.approx([0.9, 0.7])


def test_no_people_stay_no_people():
    assert select_people(no_people(COCO), COCO, 4, 0.2, 5, 0.9).count == 0
    assert inside(no_people(COCO), 640, 480).boxes.shape == (0, 4)


def test_keypoints_outside_the_image_are_dropped_or_clipped():
    keypoints = person(100, 100, 50)
    keypoints[3, :2] = (-0.4, 200)     # half a pixel belongs to the outermost pixel
    keypoints[4, :2] = (639 + 12, 50)  # within 2 % of the longer side
    keypoints[5, :2] = (639 + 14, 50)  # further out
    found = inside(make_people([keypoints], [0.9]), 640, 480)
    assert found.keypoints[0, 3, :2].tolist() == [0, 200]
    assert found.keypoints[0, 4, :2].tolist() == [639, 50]
    assert np.isnan(found.keypoints[0, 5, :2]).all() and found.keypoints[0, 5, 2] == 0


def test_unknown_boxes_become_the_bounds_and_known_ones_stay():
    people = make_people([person(10, 20, 100), person(10, 20, 100)], [0.9, 0.8],
                         boxes=[[np.nan] * 4, [1, 2, 3, 4]])
    boxes = inside(people, 640, 480).boxes
    assert boxes.tolist() == [[10, 20, 100, 100], [1, 2, 3, 4]]


def test_the_stage_treats_each_frame_by_its_own_size():
    stage = Selection(COCO, min_keypoints=1, min_score=0.0)
    frames = [Frame(np.zeros((480, 640, 3), np.uint8)), Frame(np.zeros((90, 90, 3), np.uint8))]
    people = make_people([person(200, 200, 50)], [0.9])
    assert [found.count for found in stage(frames, [people, people])] == [1, 0]


def test_settings_are_checked():
    assert Selection(COCO, min_score=0.5).settings['min_score'] == 0.5
    with pytest.raises(PoseRosError, match='min_score must be within'):
        Selection(COCO, min_score=2.0)
    with pytest.raises(PoseRosError, match="unknown key 'best'"):
        Selection(COCO, best=1)
