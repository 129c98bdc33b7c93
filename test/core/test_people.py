# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""People: how they are made, boxed, compared and chosen."""
import numpy as np
import pytest

from pose_ros.core.people import (bounding_boxes, choose_people, make_people, no_people,
                                  oks_matrix, UNTRACKED)
from pose_ros.core.topology import get_topology

COCO = get_topology('coco_17')
EVERYBODY = dict(min_keypoints=1, min_score=0.0, max_people=0, duplicate_oks=1.0)


def person(x=0.0, y=0.0, size=100.0, score=0.8, parts=17):
    """One made-up person within a square, with the first `parts` joints."""
    random = np.random.RandomState(3)
    keypoints = np.zeros((17, 3))
    keypoints[:, :2] = random.uniform(0, size, (17, 2)) + (x, y)
    keypoints[0, :2], keypoints[1, :2] = (x, y), (x + size, y + size)  # so that the box is known
    keypoints[:, 2] = score
    keypoints[parts:] = 0
    return keypoints


def crowd(*people):
    scores = [keypoints[:, 2].max() for keypoints in people]
    return make_people(np.array(people), np.array(scores))


def test_make_skeletons_marks_missing_joints_and_clips_scores():
    keypoints = [[[1, 2, 0.5], [3, 4, 0], [5, 6, 1.5], [7, 8, -1], [np.nan, 9, 0.5],
                  [1, np.inf, 0.5], [1, 1, np.nan]]]
    people = make_people(keypoints, [1.5])
    nan = np.nan
    expected = [[[1, 2, 0.5], [nan, nan, 0], [5, 6, 1]] + 4 * [[nan, nan, 0]]]
    assert np.array_equal(np.nan_to_num(people.keypoints, nan=-9), np.nan_to_num(
        np.float32(expected), nan=-9))
    assert people.scores.tolist() == [1.0] and people.track_ids.tolist() == [UNTRACKED]
    assert (people.keypoints.dtype, people.scores.dtype, people.track_ids.dtype) == (
        np.float32, np.float32, np.int32)
    assert people.detected().tolist() == [[True, False, True, False, False, False, False]]
    assert people.count == 1


def test_make_skeletons_copies_its_input():
    keypoints = np.float32([person()])
    people = make_people(keypoints, np.float32([0.5]))
    keypoints[:] = 7
    assert people.keypoints[0, 0].tolist() == pytest.approx([0, 0, 0.8])


def test_nobody():
    nobody = no_people(COCO)
    assert nobody.count == 0 and nobody.keypoints.shape == (0, 17, 3)
    assert bounding_boxes(nobody).shape == (0, 4)
    assert oks_matrix(nobody, COCO).shape == (0, 0)
    assert choose_people(nobody, COCO, 4, 0.2, 5, 0.9).count == 0
    assert nobody.with_points(np.zeros((0, 17, 2))).count == 0


def test_select_keeps_all_fields_together():
    people = make_people(np.array([person(0), person(500)]), [0.3, 0.9], np.array([7, 8]))
    other = people.select([1, 0])
    assert other.track_ids.tolist() == [8, 7]
    assert other.scores.tolist() == pytest.approx([0.9, 0.3])
    assert other.keypoints[0, 0, 0] == 500


def test_with_points_replaces_coordinates_alone():
    people = crowd(person(parts=5))
    moved = people.with_points(people.keypoints[..., :2] + 10)
    assert moved.keypoints.dtype == np.float32
    assert np.allclose(moved.keypoints[0, :5, :2], people.keypoints[0, :5, :2] + 10)
    assert np.array_equal(moved.keypoints[..., 2], people.keypoints[..., 2])
    assert np.isnan(moved.keypoints[0, 5:, :2]).all()
    assert people.keypoints[0, 0, 0] == 0  # the original stays


def test_boxes_span_the_detected_joints():
    people = crowd(person(10, 20, 100), person(-5, 0, 30))
    assert bounding_boxes(people).tolist() == [[10, 20, 100, 100], [-5, 0, 30, 30]]
    single = make_people(np.array([person(5, 6, parts=1)]), [0.5])
    assert bounding_boxes(single).tolist() == [[5, 6, 0, 0]]
    assert np.isnan(bounding_boxes(make_people(np.zeros((1, 17, 3)), [0.5]))).all()


def test_oks_by_the_published_formula():
    first, second = person(0, 0, 100), person(0, 0, 100)
    second[5, :2] += (8, 0)  # inside the box: the area stays
    first[5, :2], second[5, :2] = (50, 50), (58, 50)
    second[6, 2] = 0
    similarity = oks_matrix(crowd(first, second), COCO)
    # COCO: exp(-d^2 / (2 s^2 k^2)), s^2 the area, k twice the sigma; 16 joints are shared.
    shifted = np.exp(-8.0 ** 2 / (2 * 100 * 100 * (2 * .079) ** 2))
    assert similarity[0, 1] == pytest.approx((15 + shifted) / 16, abs=1e-9)
    assert np.allclose(similarity, similarity.T)
    assert np.allclose(np.diag(similarity), 1)


def test_oks_takes_the_larger_person_and_is_zero_without_shared_joints():
    large, small = person(0, 0, 200), person(0, 0, 100)
    small[:, :2] = large[:, :2] / 2
    squared = (small[:, :2] ** 2).sum(1)
    expected = np.exp(-squared / (2 * 200 * 200 * (2 * np.array(COCO.sigmas)) ** 2)).mean()
    assert oks_matrix(crowd(large, small), COCO)[1, 0] == pytest.approx(expected, abs=1e-6)
    head, feet = person(parts=5), person()
    feet[:5] = 0
    assert oks_matrix(crowd(head, feet), COCO)[0, 1] == 0


def test_choice_sorts_by_score_and_is_stable():
    people = make_people(np.array([person(0), person(500), person(1000), person(1500)]),
                         [0.3, 0.9, 0.3, 0.5])
    chosen = choose_people(people, COCO, **EVERYBODY)
    assert chosen.scores.tolist() == pytest.approx([0.9, 0.5, 0.3, 0.3])
    assert chosen.keypoints[:, 0, 0].tolist() == [500, 1500, 0, 1000]
    many = make_people(np.array([person(500 * k) for k in range(100)]), np.full(100, 0.5))
    assert choose_people(many, COCO, **EVERYBODY).keypoints[:, 0, 0].tolist() == [
        500 * k for k in range(100)]


@pytest.mark.parametrize('setting, value, left', [
    ('min_keypoints', 1, [0.9, 0.8, 0.2]), ('min_keypoints', 5, [0.9, 0.8]),
    ('min_keypoints', 6, [0.8]),
    ('min_score', 0.19, [0.9, 0.8, 0.2]), ('min_score', 0.21, [0.9, 0.8]), ('min_score', 1.0, []),
    ('max_people', 0, [0.9, 0.8, 0.2]), ('max_people', 2, [0.9, 0.8]), ('max_people', 1, [0.9]),
    ('max_people', 9, [0.9, 0.8, 0.2])])
def test_each_setting_drops_whom_it_says(setting, value, left):
    people = crowd(person(0, score=0.2, parts=4), person(500, score=0.9, parts=5),
                   person(900, score=0.8))
    chosen = choose_people(people, COCO, **dict(EVERYBODY, **{setting: value}))
    assert chosen.scores.tolist() == pytest.approx(left)


def test_the_least_score_is_enough():
    people = make_people(np.array([person()]), [0.5])
    assert choose_people(people, COCO, **dict(EVERYBODY, min_score=0.5)).count == 1


def test_of_duplicates_the_best_stays():
    people = crowd(person(0, score=0.5), person(1, score=0.9), person(2, score=0.7),
                   person(500, score=0.6))
    similarity = oks_matrix(people, COCO)
    assert similarity[0, 1] > 0.95 and similarity[0, 3] < 0.01
    chosen = choose_people(people, COCO, **dict(EVERYBODY, duplicate_oks=0.9))
    assert chosen.scores.tolist() == pytest.approx([0.9, 0.6])
    assert choose_people(people, COCO, **EVERYBODY).count == 4  # 1 keeps all
    assert choose_people(crowd(person(), person()), COCO, **EVERYBODY).count == 2


def test_a_dropped_duplicate_shields_nobody():
    """B resembles A, C resembles B but not A: C stays, for B is gone."""
    people = crowd(person(0, score=0.9), person(9, score=0.8), person(18, score=0.7))
    similarity = oks_matrix(people, COCO)
    limit = (similarity[0, 1] + similarity[0, 2]) / 2
    assert similarity[0, 2] < limit < similarity[0, 1]
    chosen = choose_people(people, COCO, **dict(EVERYBODY, duplicate_oks=limit))
    assert chosen.scores.tolist() == pytest.approx([0.9, 0.7])


def test_duplicates_leave_room_for_others_under_max_people():
    people = crowd(person(0, score=0.9), person(0, score=0.8), person(500, score=0.7))
    chosen = choose_people(people, COCO, **dict(EVERYBODY, duplicate_oks=0.9, max_people=2))
    assert chosen.scores.tolist() == pytest.approx([0.9, 0.7])
