# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Datasets to measure on: completed for COCO's evaluation, or refused with a reason."""
import json
import logging
import os

import cv2
import numpy as np
import pytest

from evaluated import annotation, dataset, symmetric_person, write_dataset
from pose_ros.core.errors import ImageError
from pose_training.data.annotations import read_dataset
from pose_training.data.images import read_labelled
from pose_training.errors import DataError
from pose_training.evaluation.detections import readable
from pose_training.evaluation.labels import read_labels

BLACK = np.zeros((8, 8, 3), np.uint8)


def refusal(path):
    """Return why a dataset is refused."""
    with pytest.raises(DataError) as error:
        read_labels(str(path))
    return str(error.value)


def test_what_the_evaluation_reads_is_completed(tmp_path):
    bare = {'id': 0, 'image_id': 0, 'category_id': 1,
            'keypoints': [0, 0, 0] * 15 + [10, 20, 2, 30, 60, 1]}
    path = write_dataset(tmp_path, {'a.png': BLACK}, [bare])
    person, = read_labels(path).annotations
    assert person['id'] == 1 and person['iscrowd'] == 0 and person['num_keypoints'] == 2
    assert person['bbox'] == [10, 20, 21, 41]
    assert person['area'] == pytest.approx(.53 * 21 * 41)


def test_given_values_are_kept_and_keypoints_are_counted_again(tmp_path):
    given = annotation(0, symmetric_person(), area=123., bbox=[1, 2, 3, 4], iscrowd=1,
                       num_keypoints=5)
    person, = read_labels(write_dataset(tmp_path, {'a.png': BLACK}, [given])).annotations
    assert (person['area'], person['bbox'], person['iscrowd']) == (123., [1, 2, 3, 4], 1)
    assert person['num_keypoints'] == 17


def test_other_categories_and_crowds_are_no_labelled_people(tmp_path):
    points = symmetric_person()
    path = write_dataset(tmp_path, {'a.png': BLACK, 'b.png': BLACK, 'c.png': BLACK}, [
        annotation(0, points), annotation(1, points, iscrowd=1),
        annotation(2, points, category_id=7)])
    labels = read_labels(path)
    assert [len(people) for people in labels.people().values()] == [1, 0, 0]
    assert labels.empty_images() == [2]
    assert [person['id'] for person in labels.annotations] == [1, 2]


def test_the_keypoints_are_those_of_the_file(tmp_path):
    data = dataset([(0, 'a.png')], [], names=('head', 'tail'))
    data['categories'][0]['skeleton'] = [[1, 2]]
    write_dataset(tmp_path, {'a.png': BLACK}, [])
    (tmp_path / 'set.json').write_text(json.dumps(data))
    topology = read_labels(str(tmp_path / 'set.json')).topology
    assert (topology.keypoint_names, topology.limbs) == (('head', 'tail'), ((0, 1),))
    write_dataset(tmp_path, {'a.png': BLACK}, [])
    assert read_labels(str(tmp_path / 'set.json')).topology.name == 'coco_17'


def test_a_folder_is_a_dataset_of_images_without_people(tmp_path):
    write_dataset(tmp_path, {'b.png': BLACK, 'a.jpg': BLACK}, [])
    labels = read_labels(str(tmp_path))
    assert [image.path for image in labels.images] == [
        str(tmp_path / 'a.jpg'), str(tmp_path / 'b.png')]
    assert labels.empty_images() == [0, 1] and labels.annotations == []
    (tmp_path / 'none').mkdir()
    assert 'has no images' in refusal(tmp_path / 'none')


def test_missing_images_are_left_out_with_one_warning(tmp_path, caplog):
    names = {'{}.png'.format(k): BLACK for k in range(5)}
    path = write_dataset(tmp_path, names, [])
    for k in (1, 3, 4):
        (tmp_path / '{}.png'.format(k)).unlink()
    with caplog.at_level(logging.WARNING):
        assert [image.id for image in read_labels(path).images] == [0, 2]
    [record] = caplog.records
    assert '3 of its 5 images are missing, such as ' + str(tmp_path / '1.png') in \
        record.getMessage()
    (tmp_path / '0.png').unlink()
    (tmp_path / '2.png').unlink()
    assert 'none of its 5 images is there, such as ' + str(tmp_path / '0.png') in refusal(path)


def test_training_and_evaluation_read_the_same_people(tmp_path):
    points = symmetric_person()
    path = write_dataset(tmp_path, {'a.png': BLACK, 'b.png': BLACK}, [
        annotation(0, points), annotation(1, points, iscrowd=1), annotation(0, points, bbox=None)])
    labels = read_labels(path)
    samples = read_dataset(path, labels.topology)
    for sample, people in zip(samples, labels.people().values()):
        truth = np.array([person['keypoints'] for person in people]).reshape(-1, 17, 3)
        np.testing.assert_allclose(sample.people, truth, atol=1e-5)
        np.testing.assert_allclose(
            sample.boxes, np.array([person['bbox'] for person in people]).reshape(-1, 4))


@pytest.mark.parametrize('change, reason', [
    (lambda data: data.update(images=[]), 'lists no images'),
    (lambda data: data.pop('categories'), 'no category has keypoints'),
    (lambda data: data['categories'][0].pop('keypoints'), 'no category has keypoints'),
    (lambda data: data['images'].append(data['images'][0]), 'two images have the same id'),
    (lambda data: data['annotations'][0].update(image_id=9), 'no annotation belongs to any of'),
    (lambda data: data['annotations'][0].update(keypoints=[1, 2, 2]),
     '3 numbers as keypoints, and 17 keypoints need 51'),
    (lambda data: data['annotations'][0].update(keypoints=[float('nan')] * 51),
     'a visibility of its keypoints is no number'),
    (lambda data: data.update(annotations=[3]), 'is not a COCO keypoint file'),
    (lambda data: data['images'][0].pop('file_name'), "KeyError 'file_name'")])
def test_a_file_that_is_no_dataset_is_rejected(tmp_path, change, reason):
    path = write_dataset(tmp_path, {'a.png': BLACK}, [annotation(0, symmetric_person())])
    data = json.loads((tmp_path / 'set.json').read_text())
    change(data)
    (tmp_path / 'set.json').write_text(json.dumps(data))
    message = refusal(path)
    assert reason in message and path in message


def test_a_file_that_cannot_be_read_is_named(tmp_path):
    assert 'No such file' in refusal(tmp_path / 'absent.json')
    (tmp_path / 'cut.json').write_text('{"images": [')
    assert 'cannot read the dataset' in refusal(tmp_path / 'cut.json')


def test_an_image_is_read_in_the_size_of_its_labels_or_not_at_all(tmp_path):
    path = write_dataset(tmp_path, {'a.png': np.zeros((6, 9, 3), np.uint8)}, [])
    data = json.loads((tmp_path / 'set.json').read_text())
    for size, shape in (((9, 6), (6, 9, 3)), ((18, 12), (12, 18, 3)), ((6, 9), None)):
        data['images'][0].update(width=size[0], height=size[1])
        (tmp_path / 'set.json').write_text(json.dumps(data))
        image, = read_labels(path).images
        if shape:
            assert read_labelled(image.path, image.size).shape == shape
        else:
            with pytest.raises(ImageError, match='9 x 6 pixels, but its labels are for 6 x 9'):
                read_labelled(image.path, image.size)


def test_images_above_the_limit_are_left_out(tmp_path):
    for name, side in (('a.png', 8), ('b.png', 16)):
        cv2.imwrite(str(tmp_path / name), np.zeros((side, side, 3), np.uint8))
    labels = read_labels(str(tmp_path))._replace(max_pixels=64)
    faults = []
    assert [os.path.basename(image.path) for image, _ in readable(labels, iter, faults)] == [
        'a.png']
    assert '16 x 16 px, more than the limit' in str(faults[0])
