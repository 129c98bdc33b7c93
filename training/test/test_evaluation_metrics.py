# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Figures agree with cases computed by hand, and with COCO's own tool on files."""
import contextlib
import copy
import io
import json

import numpy as np
import pytest
from pycocotools.coco import COCO as CocoFile
from pycocotools.cocoeval import COCOeval

from evaluated import annotation, COCO, detections, symmetric_person, write_dataset
from pose_ros.core.people import make_people
from pose_training.evaluation.detections import coco_results, Detections
from pose_training.evaluation.labels import read_labels
from pose_training.evaluation.matching import match
from pose_training.evaluation.metrics import (AP_NAMES, average_precision, figures,
                                              keypoint_figures, reach)

PERSON = symmetric_person()
ELSEWHERE = PERSON + 1000
SWAPPED = PERSON[list(COCO.mirror)]


def test_perfect_is_one_also_for_the_annotation_number_0(tmp_path):
    found = average_precision(detections(tmp_path, [
        annotation(0, PERSON, id=0), annotation(1, ELSEWHERE, id=1)],
        {0: [(PERSON, .5)], 1: [(ELSEWHERE, .9)]}))
    assert [found[name] for name in ('AP', 'AR', 'AP_medium')] == pytest.approx([1., 1., 1.])
    assert found['AP_large'] is None and found['AR_large'] is None


def test_one_of_two_people_missed(tmp_path):
    found = average_precision(detections(tmp_path, [annotation(0, PERSON),
                                                    annotation(0, ELSEWHERE)],
                                         {0: [(PERSON, .5)]}))
    # Precision is 1 up to a recall of a half: at 51 of COCO's 101 points.
    assert found['AP'] == pytest.approx(51 / 101) and found['AR'] == .5


@pytest.mark.parametrize('score, expected', [(.4, 1.), (.6, .5)])
def test_a_person_too_many_costs_only_where_it_is_surer(tmp_path, score, expected):
    found = average_precision(detections(tmp_path, [annotation(0, PERSON)],
                                         {0: [(PERSON, .5), (ELSEWHERE, score)]}))
    assert found['AP'] == pytest.approx(expected) and found['AR'] == 1.


def test_a_person_found_in_an_empty_image_lowers_ap(tmp_path):
    found = average_precision(detections(tmp_path, [annotation(0, PERSON)],
                                         {0: [(PERSON, .5)], 1: [(PERSON, .6)]}))
    assert found['AP'] == pytest.approx(.5)


def test_a_known_distance_passes_the_thresholds_below_its_oks(tmp_path):
    one_keypoint = np.zeros((17, 3))
    one_keypoint[5] = 100, 100, 2
    label = annotation(0, PERSON, keypoints=one_keypoint.ravel().tolist(), area=2500.)
    moved = np.full((17, 2), np.nan)
    sigma = .079  # COCO's constant of a shoulder
    distance = np.sqrt(-np.log(.72) * 2 * 2500 * (2 * sigma) ** 2)
    moved[5] = 100 + distance, 100
    found = detections(tmp_path, [label], {0: [(moved, .5)]})
    figure = average_precision(found)
    assert figure['AP'] == pytest.approx(.5)  # of 0.50, 0.55, ... 0.95 five are below 0.72
    assert (figure['AP50'], figure['AP75']) == (pytest.approx(1.), 0.)
    assert match(found.labels.people()[0], found.people[0], COCO)[0].oks == pytest.approx(.72)


def test_other_keypoints_than_cocos_have_their_own_tolerance(tmp_path):
    points = np.array([[100, 100, 2], [200, 200, 2]])
    label = annotation(0, points[:, :2], keypoints=points.ravel().tolist(), area=2500.)
    path = write_dataset(tmp_path, {'0.png': np.zeros((8, 8, 3), np.uint8)}, [label],
                         names=('right_knee', 'left_wing'))
    moved = points.astype(float)
    # Constants: .087 for a knee, .05 for a keypoint that COCO lacks.
    moved[:, 0] += np.sqrt(-np.log((.72, .96)) * 2 * 2500) * 2 * np.array((.087, .05))
    found = Detections(read_labels(path), {0: make_people(moved[None], [.5])}, [.01])
    pair, = match(found.labels.people()[0], found.people[0], found.labels.topology)
    assert pair.oks == pytest.approx((.72 + .96) / 2)
    assert average_precision(found)['AP'] == pytest.approx(.7)  # 0.50, 0.55, ... 0.80


def test_left_and_right_swapped(tmp_path):
    found = detections(tmp_path, [annotation(0, PERSON)], {0: [(SWAPPED, .5)]})
    assert average_precision(found)['AP'] == 0.
    keypoints = {keypoint.name: keypoint for keypoint in keypoint_figures(found)}
    assert keypoints['nose'] == ('nose', 1, 1., 0.)
    # Both eyes lie within the tolerance of both labels: that is no confusion.
    assert keypoints['left_eye'] == ('left_eye', 1, 1., 0.)
    assert keypoints['left_wrist'] == ('left_wrist', 1, 0., 1.)
    wide = [name for name, keypoint in keypoints.items() if keypoint.swapped]
    assert wide == [name for name in COCO.keypoint_names
                    if name.split('_')[-1] not in ('nose', 'eye')]
    total = figures(found, list(keypoints.values()))
    assert (total['PCK'], total['swapped']) == (pytest.approx(3 / 17), pytest.approx(14 / 17))


def test_keypoints_are_counted_by_hand(tmp_path):
    tolerance = .2 * reach(np.column_stack([PERSON, np.ones(17)]), None, COCO)
    assert tolerance == pytest.approx(.2 * np.hypot(36, 50))  # left shoulder to right hip
    near, far, lost = PERSON.copy(), PERSON.copy(), PERSON.copy()
    near[9, 0] += tolerance - .1
    far[9, 0] += tolerance + .1
    lost[9] = np.nan
    labels = [annotation(k, PERSON) for k in range(5)]
    labels[4]['keypoints'][3 * 9 + 2] = 0
    found = detections(tmp_path, labels, {0: [(near, .5)], 1: [(far, .5)], 2: [(lost, .5)], 3: [],
                                          4: [(PERSON, .5)]})
    keypoints = keypoint_figures(found)
    assert keypoints[9] == ('left_wrist', 4, .25, 0.)
    assert keypoints[10] == ('right_wrist', 5, .8, 0.)


def test_a_found_person_is_paired_once_and_with_the_most_similar_one(tmp_path):
    found = detections(tmp_path, [annotation(0, PERSON + 5), annotation(0, PERSON)],
                       {0: [(PERSON, .5)]})
    pairs = match(found.labels.people()[0], found.people[0], COCO)
    assert [pair.person for pair in pairs] == [None, 0]
    assert [pair.oks for pair in pairs] == [0., pytest.approx(1.)]
    assert keypoint_figures(found)[0].found == .5


def test_a_person_with_exchanged_sides_is_paired(tmp_path):
    found = detections(tmp_path, [annotation(0, PERSON)],
                       {0: [(PERSON + 15, .9), (SWAPPED, .5)]})
    pair, = match(found.labels.people()[0], found.people[0], COCO)
    assert pair.person == 1 and pair.oks < .15


def test_the_labels_stay_as_they_were_read(tmp_path):
    found = detections(tmp_path, [annotation(0, PERSON)], {0: [(PERSON, .5)]})
    before = copy.deepcopy(found.labels)
    average_precision(found)
    assert found.labels == before


def test_the_number_of_the_category_is_the_files(tmp_path):
    found = detections(tmp_path, [annotation(0, PERSON, category_id=7)], {0: [(PERSON, .5)]},
                       category=7)
    assert average_precision(found)['AP'] == pytest.approx(1.)


def test_without_a_torso_half_the_box_is_the_measure():
    truth = np.zeros((17, 3))
    truth[0] = 5, 5, 2
    assert reach(truth, [0, 0, 30, 50], COCO) == 25.


def test_unlabelled_people_and_crowds_do_not_change_the_figures(tmp_path):
    unlabelled = annotation(0, ELSEWHERE, keypoints=[0] * 51, num_keypoints=0)
    crowd = annotation(1, ELSEWHERE, iscrowd=1)
    # Both people beside the labelled one lie on something that is to be ignored.
    found = detections(tmp_path, [annotation(0, PERSON), unlabelled, annotation(1, PERSON), crowd],
                       {0: [(PERSON, .5), (ELSEWHERE, .9)], 1: [(PERSON, .5), (ELSEWHERE, .9)]})
    assert average_precision(found)['AP'] == pytest.approx(1.)
    total = figures(found, keypoint_figures(found))
    assert (total['labelled_people'], total['found_people'], total['PCK']) == (2, 4, 1.)
    assert (total['empty_images'], total['empty_images_clean']) == (0, None)


def test_no_person_found_is_zero_and_no_person_labelled_is_none(tmp_path):
    missed = detections(tmp_path / 'a', [annotation(0, PERSON)], {0: [], 1: []})
    assert average_precision(missed)['AP'] == average_precision(missed)['AR'] == 0.
    total = figures(missed, keypoint_figures(missed))
    assert (total['PCK'], total['empty_images'], total['empty_images_clean']) == (0., 1, 1.)
    empty = detections(tmp_path / 'b', [], {0: [(PERSON, .5)], 1: [], 2: [], 3: []})
    total = figures(empty, keypoint_figures(empty))
    assert {total[name] for name in AP_NAMES + ('PCK', 'swapped')} == {None}
    assert (total['empty_images'], total['empty_images_clean']) == (4, .75)


def test_times_are_medians_and_percentiles_in_milliseconds(tmp_path):
    found = detections(tmp_path, [], {0: []})._replace(
        seconds=[.001, .002, .003, .004, .005, .006, .007, .008, .009, .010, .1])
    total = figures(found, [])
    assert total['milliseconds_median'] == pytest.approx(6.)
    assert total['milliseconds_p90'] == pytest.approx(10.)


def test_the_ten_figures_equal_those_of_cocos_tool_on_files(tmp_path):
    random, labels, found = np.random.default_rng(0), [], {}
    for image in range(12):
        found[image] = [(random.uniform(0, 900, (17, 2)), .3)]
        for _ in range(random.integers(4)):
            person = PERSON * random.uniform(.2, 3) + random.uniform(0, 500, 2)
            label = annotation(image, person, id=len(labels) + 1)
            noise = random.normal(0, random.choice([.5, 2, 6, 15]), (17, 2))
            noise[random.random(17) < .2] = np.nan
            found[image].append((person + noise, random.uniform(.2, 1)))
            kind = random.integers(6)
            if kind == 0:
                label.update(iscrowd=1)
            elif kind == 1:
                label.update(keypoints=[0] * 51, num_keypoints=0)
            labels.append(label)
    ours = detections(tmp_path, labels, found)
    results = tmp_path / 'results.json'
    results.write_text(json.dumps(coco_results(ours)))
    with contextlib.redirect_stdout(io.StringIO()):
        truth = CocoFile(str(tmp_path / 'set.json'))
        tool = COCOeval(truth, truth.loadRes(str(results)), 'keypoints')
        tool.evaluate()
        tool.accumulate()
        tool.summarize()
    assert .1 < tool.stats[0] < .9 and (tool.stats >= 0).all()
    assert list(average_precision(ours).values()) == pytest.approx(tool.stats.tolist())
