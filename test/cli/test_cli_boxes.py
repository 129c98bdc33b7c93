# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""`pose-ros image --boxes`: people in the boxes of a file of detections."""
import json

import numpy as np
import pytest

from networks import make_part

pytest.importorskip('onnx')
MIDDLE = 31.5  # of the network's input


@pytest.fixture
def crops(tmp_path):
    """Return a network that finds all keypoints in the middle of every crop."""
    return make_part(tmp_path / 'crops.onnx', 'hand_21', np.full((21, 2), MIDDLE))


@pytest.fixture
def write(tmp_path):
    """Write a file of detections; return its path."""
    def write(entries):
        path = tmp_path / 'boxes.json'
        path.write_text(entries if isinstance(entries, str) else json.dumps(entries))
        return path
    return write


def detection(image_id, box, category=1, score=.8):
    return {'image_id': image_id, 'category_id': category, 'bbox': box, 'score': score}


def people(path):
    """Return the middle of each person by image."""
    with open(str(path)) as stream:
        return {frame['name']: [person['keypoints'][0][:2] for person in frame['people']]
                for frame in json.load(stream)['frames']}


def test_image_ids_are_numbers_in_names_or_places_in_the_list(pose_ros, crops, write, images,
                                                              tmp_path):
    boxes = write([detection(0, [10, 20, 41, 31]), detection(0, [50, 50, 21, 21], score=.9),
                   detection(1, [0, 0, 11, 11]), detection(0, [1, 1, 9, 9], category=3)])
    answer = pose_ros('image', images, '--model', crops, '--boxes', boxes, '--json',
                      tmp_path / 'r.json')
    assert answer.code == 0, answer.err
    found = people(tmp_path / 'r.json')
    assert found['a.png'] == [[60, 60], [30, 35]]  # the score of the box counts
    assert found['b.png'] == [[5, 5]]


def test_image_ids_of_an_annotation_file(pose_ros, crops, write, images, tmp_path):
    labels = tmp_path / 'labels.json'
    labels.write_text(json.dumps({
        'images': [{'id': 77, 'file_name': 'a.png'}, {'id': 78, 'file_name': 'b.png'}],
        'categories': [{'id': 5, 'name': 'person'}]}))
    boxes = write([detection(77, [10, 20, 41, 31], category=5), detection(77, [0, 0, 9, 9])])
    answer = pose_ros('image', images, '--model', crops, '--boxes', boxes, '--annotations', labels,
                      '--json', tmp_path / 'r.json')
    assert answer.code == 0, answer.err
    assert people(tmp_path / 'r.json') == {'a.png': [[30, 35]], 'b.png': []}
    answer = pose_ros('image', images, '--model', crops, '--boxes', boxes)
    assert answer.code == 1 and 'boxes for none of these images' in answer.err


def test_people_beyond_the_limit_are_counted(pose_ros, crops, write, images):
    boxes = write([detection(0, [k % 100, k // 2, 20, 20]) for k in range(200)])
    answer = pose_ros('image', images, '--model', crops, '--boxes', boxes, '--set',
                      'top_down.max_people=5')
    assert answer.code == 0 and ', 195 people skipped (top_down.max_people)' in answer.out


@pytest.mark.parametrize('entries, reason', [
    ('{', 'is no JSON file'), ({'annotations': []}, 'holds no list of detections'),
    ([3], 'entry 0: it must have image_id, bbox and score'),
    ([detection(0, [1, 2, 3, 4]), detection(None, [1, 2, 3, 4])], 'entry 1: image_id must be'),
    ([detection(0, [1, 2, 3])], 'bbox must be four numbers'),
    ([detection(0, [1, 2, 3, float('nan')])], 'bbox must be four numbers'),
    ([detection(0, [1, 2, 3, True])], 'bbox must be four numbers'),
    ([detection(0, [1, 2, 3, 4], score=7)], 'score must be a number from 0 to 1'),
    ('[' * 100000, 'is no JSON file')])
def test_a_file_that_is_no_list_of_detections(pose_ros, crops, write, images, entries, reason):
    answer = pose_ros('image', images, '--model', crops, '--boxes', write(entries))
    assert answer.code == 1 and reason in answer.err and answer.err.count('\n') == 1


def test_models_that_take_no_boxes(pose_ros, crops, tiny_model, write, images, tmp_path):
    boxes = write([detection(0, [1, 2, 3, 4])])
    answer = pose_ros('image', images, '--model', tiny_model, '--boxes', boxes)
    assert answer.code == 1 and 'tiny takes whole images: boxes are for' in answer.err
    answer = pose_ros('image', images, '--model', crops, '--boxes', boxes, '--detector', 'x.onnx')
    assert answer.code == 2 and 'leave --detector out' in answer.err
    answer = pose_ros('image', images, '--model', crops, '--boxes', tmp_path / 'absent.json')
    assert answer.code == 1 and 'cannot read the boxes' in answer.err
    answer = pose_ros('image', images, '--model', crops, '--boxes', images)
    assert answer.code == 1 and 'cannot read the boxes' in answer.err and 'folder' in answer.err
    answer = pose_ros('image', images, '--model', crops, '--boxes', boxes, '--json', boxes)
    assert answer.code == 2 and 'would overwrite' in answer.err


def test_the_default_model_of_crops_is_taken(pose_ros, write, tmp_path):
    pytest.importorskip('onnxruntime')
    data = pytest.importorskip('skimage.data')
    import cv2
    path = str(tmp_path / 'astronaut.png')
    cv2.imwrite(path, data.astronaut()[..., ::-1])
    answer = pose_ros('image', path, '--boxes', write([detection(0, [60, 0, 400, 512], score=1)]))
    assert answer.code == 0 and '1 frame, 1 person found' in answer.out
    assert 'detector.' not in answer.out
