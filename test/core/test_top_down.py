# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Detector and crops together, on networks that find colored rectangles and dots."""
import numpy as np
import pytest

from painted import assert_found, BOXES, detector, paint, pose
from pose_ros.core import CardError, PoseEstimator, PoseRosError
from pose_ros.core.frame import Frame
from pose_ros.core.people import people_in_boxes


def test_people_of_one_image():
    estimator = PoseEstimator.of_network(pose(), detector())
    image, dots = paint(BOXES)
    people = estimator(image)
    assert_found(people, dots, BOXES)
    assert np.abs(np.sort(people.boxes[:, 0]) - np.sort(np.array(BOXES)[:, 0])).max() < 2.5
    assert list(estimator.timings) == [
        'detector.preprocess', 'detector.network', 'detector.decode', 'pose.preprocess',
        'pose.network', 'pose.decode', 'top_down', 'selection']


def test_crops_of_all_cameras_share_batches():
    estimator = PoseEstimator.of_network(pose(), detector())
    pairs = [paint(BOXES), paint([]), paint(BOXES[:2], 400, 480)]
    before = [network.engine.calls for network in estimator.networks]
    found = estimator.run([Frame(image, source=str(k)) for k, (image, _) in enumerate(pairs)])
    for people, (_, dots) in zip(found, pairs):
        assert_found(people, dots, BOXES)
    calls = [network.engine.calls - first
             for network, first in zip(estimator.networks, before)]
    assert calls == [1, 2]  # three frames; three crops and two: batches of 4
    assert [people.count for people in found] == [3, 0, 2]


def test_nobody():
    people = PoseEstimator.of_network(pose(), detector())(paint([])[0])
    assert people.count == 0 and people.keypoints.shape == (0, 2, 3)


def test_max_people_keeps_the_largest_and_counts_the_others():
    estimator = PoseEstimator.of_network(pose(), detector())
    estimator.configure(**{'top_down.max_people': 2})
    image, dots = paint(BOXES)
    assert_found(estimator(image), dots[[0, 2]], [BOXES[0], BOXES[2]])
    assert estimator.stages[0].counters == {'people_skipped': 1}


def test_between_detections_the_crops_follow_the_people():
    estimator = PoseEstimator.of_network(pose(), detector())
    estimator.configure(detector_interval=3)
    engine = estimator.networks[0].engine
    runs = []
    for step in range(7):
        boxes = [(40 + 6 * step, 60, 120, 200)]
        image, dots = paint(boxes)
        first = engine.images
        assert_found(estimator.run([Frame(image, source='front')])[0], dots, boxes)
        runs.append(engine.images - first)
    assert runs == [1, 0, 0, 1, 0, 0, 1]


def test_without_people_every_frame_is_searched():
    estimator = PoseEstimator.of_network(pose(), detector())
    estimator.configure(detector_interval=100)
    assert estimator(paint([])[0]).count == 0
    assert estimator(paint(BOXES)[0]).count == 3
    assert estimator(paint([])[0]).count <= 3  # the crops of the frame before hold no dots
    assert estimator(paint(BOXES)[0]).count == 3


def test_each_camera_has_its_own_boxes():
    estimator = PoseEstimator.of_network(pose(), detector())
    estimator.configure(detector_interval=5)
    left, right = paint(BOXES[:1]), paint(BOXES[2:])
    for _ in range(4):
        found = estimator.run([Frame(left[0], source='left'), Frame(right[0], source='right')])
        assert_found(found[0], left[1], BOXES[:1])
        assert_found(found[1], right[1], BOXES[2:])


def test_mirror_test_averages_both_views():
    estimator = PoseEstimator.of_network(pose(), detector())
    image, dots = paint(BOXES)
    plain = estimator(image)
    estimator.configure(mirror_test=True)
    engine = estimator.networks[1].engine
    first = engine.images
    people = estimator(image)
    assert engine.images - first == 6
    # Green and red are left and right: the mirrored view exchanges them.
    assert people.scores.max() < 0.8 * plain.scores.max()


def test_a_model_without_crops_takes_no_detector():
    network = pose()
    network.card = network.card._replace(input=network.card.input._replace(fit='stretch'))
    with pytest.raises(CardError, match="paint heatmap is no network of crops.*'stretch'"):
        PoseEstimator.of_network(network, detector())
    with pytest.raises(CardError, match='the detector must be a model for detection'):
        PoseEstimator.of_network(pose(), pose())
    with pytest.raises(CardError, match='yields no keypoints'):
        PoseEstimator.of_network(detector())


def test_settings_of_the_detector():
    estimator = PoseEstimator.of_network(pose(), detector())
    estimator.configure(**{'detector.min_score': 0.95})
    assert estimator(paint(BOXES)[0]).count == 0
    with pytest.raises(PoseRosError, match="'max_people' is ambiguous: name top_down.max_people"):
        estimator.configure(max_people=1)


def in_boxes(estimator, image, boxes, scores=None):
    """Find the people in boxes that are given."""
    return estimator.run([Frame(image)], [people_in_boxes(boxes, estimator.topology, scores)])[0]


def test_boxes_can_be_given():
    estimator = PoseEstimator.of_network(pose())
    image, dots = paint(BOXES)
    people = in_boxes(estimator, image, BOXES, [1, .5, 1])
    assert_found(people, dots, BOXES)
    plain = in_boxes(estimator, image, BOXES)
    assert np.sort(people.scores)[0] == pytest.approx(np.sort(plain.scores)[0] * .5, abs=.05)


@pytest.mark.parametrize('box', [
    (700, 20, 50, 50), (-80, 20, 50, 50), (20, 480, 50, 50), (np.nan, 20, 50, 50),
    (20, 20, 0, 50), (20, 20, 50, -50), (20, 20, np.inf, 50), (-np.inf, 20, np.inf, 50)])
def test_a_box_without_a_pixel_of_the_image_is_left_out(box):
    estimator = PoseEstimator.of_network(pose())
    image, dots = paint(BOXES)
    people = in_boxes(estimator, image, [box, BOXES[0]])
    if np.isinf(box).any():
        assert people.count <= 2 and np.isfinite(people.boxes).all()
    else:
        assert_found(people, dots[:1], BOXES[:1])


def test_a_box_beyond_the_image_is_clipped_to_it():
    estimator = PoseEstimator.of_network(pose())
    image, dots = paint([(0, 0, 120, 200)])
    people = in_boxes(estimator, image, [(-1e30, -1e30, 2e30, 2e30)])
    assert people.boxes.tolist() == [[0, 0, 640, 480]]
    people = in_boxes(estimator, image, [(-30, -20, 150, 220)])
    assert people.boxes.tolist() == [[0, 0, 120, 200]]
    assert_found(people, dots, [(0, 0, 120, 200)])


def test_two_hundred_boxes_and_a_person_of_three_pixels():
    estimator = PoseEstimator.of_network(pose())
    image, _ = paint(BOXES)
    many = [(k, k, 3, 3) for k in range(200)]
    people = in_boxes(estimator, image, many + BOXES)
    assert estimator.stages[0].counters == {'people_skipped': 203 - 12}
    assert people.count <= 12 and np.isfinite(people.scores).all()
    tiny = in_boxes(estimator, image, [(600.2, 20.7, 3, 3)])
    assert tiny.count <= 1 and np.isfinite(tiny.scores).all()
