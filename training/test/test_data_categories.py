# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Keypoint files with several categories: all with the keypoints of a topology are people."""
import json
import logging

import numpy as np
import pytest

from evaluated import annotation, changed, COCO, SIDE, symmetric_person, write_dataset
from figures import write_run
from pose_ros.core.people import make_people
from pose_training.data.annotations import read_dataset
from pose_training.data.coco import load_coco
from pose_training.device.packing import pack
from pose_training.distillation.box_labels import add_boxes
from pose_training.evaluation.detections import Detections
from pose_training.evaluation.labels import read_labels
from pose_training.evaluation.metrics import average_precision
from pose_training.exporters.calibration import views
from pose_training.families.registry import make_family
from pose_training.fitting.config import load_config

PERSON = symmetric_person()
WHITE = np.full((SIDE, SIDE, 3), 255, np.uint8)


@pytest.fixture
def data(tmp_path):
    """Write a dataset of three people, and return its path."""
    return write_dataset(tmp_path / 'set', {'0.png': WHITE, '1.png': WHITE, '2.png': WHITE},
                         [annotation(number, PERSON) for number in range(3)])


def two_categories(content):
    """Give the second and the third person categories of their own; a dog is there, too."""
    adult, = content['categories']
    turned = dict(adult, id=2, name='child', keypoints=adult['keypoints'][::-1])
    more = dict(adult, id=3, name='rider', keypoints=adult['keypoints'] + ['saddle'])
    dog = {'id': 5, 'name': 'dog', 'keypoints': ['nose', 'tail'], 'skeleton': [[1, 2]]}
    content['categories'] = [dog, adult, turned, more, {'id': 6, 'name': 'ball'}]
    second, third = content['annotations'][1:]
    second['category_id'] = 2
    points = np.array(second['keypoints']).reshape(17, 3)
    second['keypoints'] = points[::-1].ravel().tolist()
    third['category_id'] = 3
    third['keypoints'] += [5, 5, 2]
    content['annotations'] += [
        {'id': 7, 'image_id': 0, 'category_id': 5, 'keypoints': [1, 1, 2, 50, 60, 2],
         'bbox': [1, 1, 50, 60]}, {'id': 8, 'image_id': 0, 'category_id': 6, 'bbox': [1, 1, 9, 9]},
        {'id': 9, 'image_id': 0, 'category_id': 77, 'bbox': [1, 1, 9, 9]}]


def test_all_categories_with_keypoints_of_the_topology_are_people(data, caplog):
    changed(data, two_categories)
    with caplog.at_level(logging.WARNING):
        samples = read_dataset(data, COCO)
    for sample in samples:
        [person] = sample.people
        np.testing.assert_allclose(person[:, :2], PERSON, atol=1e-4)
        assert not sample.ignored
    assert 'left out 1 annotations of the category dog (1 of its 2 keypoints), 1 annotations of ' \
        'the category ball (without keypoints), 1 annotations of the category 77 (not in the ' \
        'list of categories)' in caplog.text
    assert '1 of its 18 keypoints are not in coco_17 and are left out: saddle' in caplog.text


def test_the_evaluation_counts_people_of_all_categories(data):
    labels = read_labels(changed(data, two_categories), COCO)
    assert len(labels.topology.keypoint_names) == 18
    points = np.full((1, 18, 3), np.nan)
    for place, name in enumerate(labels.topology.keypoint_names):
        if name != 'saddle':
            points[0, place] = [*PERSON[COCO.index(name)], 1]
    everyone = make_people(points, [1.])
    found = Detections(labels, {number: everyone for number in range(3)}, [.01] * 3)
    assert average_precision(found)['AP50'] == pytest.approx(1)
    assert [len(people) for people in labels.people().values()] == [1, 1, 1]


def test_a_category_that_is_listed_before_people_changes_nothing(shared, caplog):
    path = shared / 'faults' / 'other_category_first.json'
    content = json.loads(path.read_text())
    images = [image['file_name'] for image in content['images']]
    assert len(images) == 4
    for topology in (COCO, None):
        file = load_coco(str(path), topology)
        assert [len(file.people[image['id']]) for image in file.images] == [1, 1, 1, 1]
        assert file.keypoint_names == COCO.keypoint_names


def test_commands_that_write_datasets_keep_people_of_all_categories(data, tmp_path):
    file = load_coco(changed(data, two_categories), None)
    written = add_boxes(data, ())
    assert len(written['annotations']) == 6 and len(written['images']) == 3
    (tmp_path / 'set' / 'again.json').write_text(json.dumps(written))
    again = load_coco(str(tmp_path / 'set' / 'again.json'), COCO)
    assert again.people == file.people and again.keypoint_names == file.keypoint_names
    assert [category['name'] for category in again.data['categories']] == ['person', 'dog', 'ball']


def test_a_packed_set_has_people_of_all_categories_and_no_damaged_image(data, tmp_path, caplog):
    changed(data, two_categories)
    (tmp_path / 'set' / '2.png').write_bytes(b'nothing')
    config = load_config(write_run(tmp_path, data, model={
        'name': 'lite_pose_crop', 'topology': 'coco_17', 'options': {'width': .25}}))
    found = pack(config.data, make_family('heatmap', 'coco_17'), str(tmp_path / 'packed'))
    assert (found['images'], found['people']) == (2, 2)
    assert '1 of its 3 images cannot be used, and are left out: ' in caplog.text
    assert '2.png cannot be decoded' in caplog.text


def test_int8_is_calibrated_with_people_of_all_categories(data, tmp_path, caplog):
    changed(data, two_categories)
    (tmp_path / 'set' / '2.png').unlink()
    chosen = views([data], crops=True)
    assert [view.path for view in chosen] == [str(tmp_path / 'set' / name)
                                              for name in ('0.png', '1.png')]
    assert all(len(view.box) == 4 for view in chosen)
    assert '2.png; they are left out' in caplog.text
