# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""People: how they are made, boxed, sliced and compared."""
from crowds import crowd, person
import numpy as np
import pytest

from pose_ros.core.people import (iou_matrix, keypoint_bounds, make_people, no_people, oks_matrix,
                                  people_in_boxes, UNTRACKED)
from pose_ros.core.topology import get_topology

COCO = get_topology('coco_17')


def test_make_people_marks_missing_keypoints_and_clips_scores():
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


def test_make_people_copies_its_input():
    keypoints = np.float32([person()])
    people = make_people(keypoints, np.float32([0.5]))
    keypoints[:] = 7
    assert people.keypoints[0, 0].tolist() == pytest.approx([0, 0, 0.8])


def test_no_people():
    nobody = no_people(COCO)
    assert nobody.count == 0 and nobody.keypoints.shape == (0, 17, 3)
    assert nobody.boxes.shape == (0, 4)
    assert oks_matrix(nobody.keypoints, COCO).shape == (0, 0)
    assert keypoint_bounds(nobody.keypoints).shape == (0, 4)


def test_select_slices_all_fields_together():
    boxes = np.array([[0, 1, 2, 3], [4, 5, 6, 7]])
    positions = np.arange(2 * 17 * 3).reshape(2, 17, 3)
    hands = np.arange(2 * 21 * 3).reshape(2, 21, 3)
    people = make_people(np.array([person(0), person(500)]), [0.3, 0.9], np.array([7, 8]), boxes,
                         positions, {'left_hand': hands})
    other = people.select([1, 0])
    assert other.track_ids.tolist() == [8, 7]
    assert other.scores.tolist() == pytest.approx([0.9, 0.3])
    assert other.keypoints[0, 0, 0] == 500
    assert other.boxes.tolist() == [[4, 5, 6, 7], [0, 1, 2, 3]]
    assert np.array_equal(other.positions, positions[::-1])
    assert np.array_equal(other.parts['left_hand'], hands[::-1])
    first = people.select(np.array([True, False]))
    assert first.count == 1 and first.parts['left_hand'].shape == (1, 21, 3)


def test_people_in_boxes_have_no_keypoints_yet():
    people = people_in_boxes([(1, 2, 30, 40), (5, 6, 7, 8)], COCO, [0.5, 2])
    assert people.boxes.tolist() == [[1, 2, 30, 40], [5, 6, 7, 8]]
    assert people.scores.tolist() == [0.5, 1] and not people.detected().any()
    assert people_in_boxes([], COCO).boxes.shape == (0, 4)


def test_boxes_span_the_detected_keypoints():
    people = crowd(person(10, 20, 100), person(-5, 0, 30))
    assert people.boxes.tolist() == [[10, 20, 100, 100], [-5, 0, 30, 30]]
    single = make_people(np.array([person(5, 6, found=1)]), [0.5])
    assert single.boxes.tolist() == [[5, 6, 0, 0]]
    assert np.isnan(make_people(np.zeros((1, 17, 3)), [0.5]).boxes).all()


def test_oks_by_the_published_formula():
    first, second = person(0, 0, 100), person(0, 0, 100)
    second[5, :2] += (8, 0)  # inside the box: the area stays
    first[5, :2], second[5, :2] = (50, 50), (58, 50)
    second[6, 2] = 0
    similarity = oks_matrix(crowd(first, second).keypoints, COCO)
    # COCO: exp(-d^2 / (2 s^2 k^2)), s^2 the area, k twice the sigma; 16 keypoints are shared.
    shifted = np.exp(-8.0 ** 2 / (2 * 100 * 100 * (2 * .079) ** 2))
    assert similarity[0, 1] == pytest.approx((15 + shifted) / 16, abs=1e-9)
    assert np.allclose(similarity, similarity.T)
    assert np.allclose(np.diag(similarity), 1)


def test_oks_takes_the_larger_person_and_is_zero_without_shared_keypoints():
    large, small = person(0, 0, 200), person(0, 0, 100)
    small[:, :2] = large[:, :2] / 2
    squared = (small[:, :2] ** 2).sum(1)
    expected = np.exp(-squared / (2 * 200 * 200 * (2 * np.array(COCO.sigmas)) ** 2)).mean()
    similarity = oks_matrix(crowd(large, small).keypoints, COCO)
    assert similarity[1, 0] == pytest.approx(expected, abs=1e-6)
    head, feet = person(found=5), person()
    feet[:5] = 0
    assert oks_matrix(crowd(head, feet).keypoints, COCO)[0, 1] == 0


def test_oks_of_two_lists_with_slack():
    one, moved = person(0, 0, 100), person(30, 0, 100)
    rows, columns = crowd(one).keypoints, crowd(moved, one).keypoints
    similarity = oks_matrix(rows, COCO, columns, slack=[20.0 ** 2])
    variances = 100 * 100 * (2 * np.array(COCO.sigmas)) ** 2 + 20.0 ** 2
    assert similarity == pytest.approx(
        np.array([[np.exp(-30.0 ** 2 / (2 * variances)).mean(), 1]]), abs=1e-6)


def test_intersection_over_union():
    nan = float('nan')
    boxes = np.array([(0, 0, 10, 10), (nan, 0, 10, 10), (5, 5, 0, 0)])
    others = np.array([(5, 0, 10, 10), (20, 0, 10, 10)])
    np.testing.assert_allclose(iou_matrix(boxes, others), [[50 / 150.0, 0], [0, 0], [0, 0]])
    assert iou_matrix(boxes[:0], others).shape == (0, 2)
