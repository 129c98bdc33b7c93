# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Keypoint files become samples in the keypoints of a topology; invalid files are errors."""
import json
import logging

import numpy as np
import pytest

from coco_files import coco, NAMES, person, write
from pose_ros.core.topology import get_topology, make_topology
from pose_training.data.annotations import read_dataset
from pose_training.data.masks import ignore_mask
from pose_training.data.sets import read_sets, SetConfig
from pose_training.errors import DataError

COCO_18, BODY_25 = get_topology('coco_18'), get_topology('body_25')
FACE = ('nose', 'left_eye', 'right_eye', 'left_ear', 'right_ear')


def read(folder, data, topology=COCO_18, **options):
    """Write a keypoint file and read it."""
    return read_dataset(write(folder, data), topology, **options)


def test_keypoints_are_read_by_name_and_derived_ones_are_between(tmp_path):
    annotation = person()
    annotation['keypoints'][3 * NAMES.index('left_shoulder') + 2] = 1  # occluded
    [found] = read(tmp_path, coco([annotation]), BODY_25)
    keypoints = dict(zip(BODY_25.keypoint_names, found.people[0].tolist()))
    assert keypoints['nose'] == [10, 20, 2]
    assert keypoints['left_shoulder'] == [20, 35, 1]
    assert keypoints['right_shoulder'] == [22, 38, 2]
    assert keypoints['neck'] == [21, 36.5, 1]       # the visibility of its worse parent
    assert keypoints['mid_hip'] == [33, 54.5, 2]    # hips: (32, 53) and (34, 56)
    assert keypoints['left_big_toe'] == [0, 0, 0]
    lacking = {name for name, there in zip(BODY_25.keypoint_names, found.labelled) if not there}
    assert lacking == {side + part for side in ('left_', 'right_')
                       for part in ('big_toe', 'small_toe', 'heel')}
    assert found.boxes.tolist() == [[5, 15, 40, 60]] and found.size == (100, 80)
    assert found.path == str(tmp_path / '1.png')


def test_a_keypoint_that_one_person_lacks_is_labelled_by_the_set(tmp_path):
    half = [name for name in NAMES if name != 'left_shoulder']
    [found] = read(tmp_path, coco([person(visible=half), person()]))
    neck = COCO_18.index('neck')
    assert found.people[:, neck, 2].tolist() == [0, 2]
    assert found.people[0, neck].tolist() == [0, 0, 0]
    assert found.labelled.all() and not found.all_visible_keypoints_annotated


def test_keypoints_that_no_person_has_are_not_labelled_in_any_image(tmp_path):
    body = [name for name in NAMES if name not in FACE]
    data = coco([person(visible=body)], files=('1.png', '2.png'))
    for found in read(tmp_path, data):
        lacking = {COCO_18.keypoint_names[k] for k in np.flatnonzero(~found.labelled)}
        assert lacking == set(FACE)


def test_crowds_and_people_without_keypoints_are_ignored_and_other_categories_are_not(tmp_path):
    box = [1, 2, 3, 4]
    data = coco([person(), person(iscrowd=1), {'image_id': 1, 'category_id': 1, 'bbox': box},
                 {'image_id': 1, 'category_id': 7, 'bbox': [0, 0, 50, 50]}])
    data['categories'].append({'id': 7, 'name': 'dog'})
    [found] = read(tmp_path, data)
    assert len(found.people) == 1
    assert [annotation['bbox'] for annotation in found.ignored] == [[5, 15, 40, 60], box]
    assert found.all_people_annotated


def test_a_person_without_a_position_makes_an_image_incomplete(tmp_path):
    data = coco([person(), {'image_id': 2, 'category_id': 1}], files=('1.png', '2.png'))
    assert [found.all_people_annotated for found in read(tmp_path, data)] == [True, False]


def test_a_person_without_a_box_gets_that_of_the_keypoints(tmp_path):
    for box in (None, [0, 0, 0, 0]):
        [found] = read(tmp_path, coco([person(visible=('nose', 'left_ear'), bbox=box)]))
        # Keypoints (10, 20) and (16, 29): the edges of their pixels.
        assert found.boxes.tolist() == [[10, 20, 7, 10]]


def test_unlabelled_coordinates_count_for_nothing(tmp_path):
    annotation = person(visible=NAMES[1:])
    annotation['keypoints'][:3] = [float('nan'), 1e9, 0]
    [found] = read(tmp_path, coco([annotation]))
    assert found.people[0, 0].tolist() == [0, 0, 0]


def test_other_names_of_keypoints_are_understood_or_translated(tmp_path):
    names = ['Nose', 'L-Wrist', 'R Wrist', 'top']
    data = coco([], names=names)
    data['annotations'] = [{'image_id': 1, 'category_id': 1,
                            'keypoints': [1, 2, 2, 3, 4, 2, 5, 6, 2, 7, 8, 2]}]
    topology = make_topology('four', ('left_wrist', 'right_wrist', 'nose', 'head_top'), ())
    [found] = read(tmp_path, data, topology, names={'top': 'head_top'})
    assert found.people[0].tolist() == [[3, 4, 2], [5, 6, 2], [1, 2, 2], [7, 8, 2]]
    with pytest.raises(DataError, match="has no keypoint 'crown' to rename; it has Nose, L-Wrist"):
        read(tmp_path, data, topology, names={'crown': 'head_top'})


def fault(folder, change):
    """Change a valid file, and return the error."""
    data = coco([person(), person()])
    change(data, data['annotations'][1])
    with pytest.raises(DataError) as caught:
        read_dataset(write(folder, data, images=False), COCO_18)
    return str(caught.value)


@pytest.mark.parametrize('change, words', [
    (lambda data, one: one['keypoints'].pop(), 'annotation 1 of image 1: 50 numbers as keypoints'),
    (lambda data, one: one['keypoints'].__setitem__(0, float('nan')), 'coordinate that is no num'),
    (lambda data, one: one['keypoints'].__setitem__(0, None), 'a coordinate that is no number'),
    (lambda data, one: one['keypoints'].__setitem__(2, 'seen'), 'visibility of its keypoints'),
    (lambda data, one: one.update(bbox=[1, 2, 3]), r'bbox is not four numbers: [1, 2, 3]'),
    (lambda data, one: one.update(bbox=[1, 2, 3, float('inf')]), 'bbox is not four numbers'),
    (lambda data, one: one.update(iscrowd=1, segmentation=[[1, 2, 3, 4]]), 'a polygon of its'),
    (lambda data, one: one.update(iscrowd=1, segmentation={'size': [80, 100]}), 'neither a list'),
    (lambda data, one: one.update(iscrowd=1, segmentation={'size': [8, 8], 'counts': [64]}),
     'segmentation is for [8, 8] (height, width), the image is [80, 100]'),
    (lambda data, one: one.update(iscrowd=1, segmentation={'size': [80, 100], 'counts': [64]}),
     'the runs of its segmentation do not add up'),
    (lambda data, one: one.update(iscrowd=1, segmentation={'size': [80, 100], 'counts': '10000'}),
     'the runs of its segmentation do not add up'),
    (lambda data, one: data['images'].append(dict(data['images'][0])), 'have the same id'),
    (lambda data, one: data['images'].clear(), 'lists no images'),
    (lambda data, one: data['images'][0].pop('file_name'), "is invalid: KeyError 'file_name'"),
    (lambda data, one: data['categories'][0].pop('keypoints'), 'no category has keypoints'),
    (lambda data, one: data.pop('annotations'), 'not a COCO keypoint file: it has no'),
    (lambda data, one: [part.update(image_id=9) for part in data['annotations']],
     'no annotation belongs to any of the 1 images'),
    (lambda data, one: data['categories'][0].update(keypoints=['antler'] * 17),
     'keypoint_names must be 1 to 255 different words'),
])
def test_a_fault_is_named_with_its_entry(tmp_path, change, words):
    error = fault(tmp_path, change)
    assert words in error and 'labels.json' in error


def test_formats_without_a_common_keypoint_are_rejected(tmp_path):
    with pytest.raises(DataError, match='share no keypoint.*; its keypoints are nose, left_eye'):
        read(tmp_path, coco([person()]), get_topology('hand_21'))


def test_missing_files_and_invalid_json_are_rejected(tmp_path):
    (tmp_path / 'x.json').write_text('{')
    for name in ('x.json', 'y.json'):
        with pytest.raises(DataError, match='cannot read the dataset .*' + name):
            read_dataset(str(tmp_path / name), COCO_18)
    (tmp_path / 'x.json').write_text('[1]')
    with pytest.raises(DataError, match='x.json is not a COCO keypoint file'):
        read_dataset(str(tmp_path / 'x.json'), COCO_18)


def test_missing_images_are_left_out_with_one_warning(tmp_path, caplog):
    path = write(tmp_path, coco([person(2)], files=('1.png', '2.png', '3.png')))
    for name in ('1.png', '3.png'):
        (tmp_path / name).unlink()
    with caplog.at_level(logging.WARNING):
        [found] = read_dataset(path, COCO_18)
    assert len(found.people) == 1 and found.path.endswith('2.png')
    [record] = caplog.records
    assert '2 of its 3 images are missing, such as ' in record.getMessage()
    assert '1.png' in record.getMessage()


def test_images_may_be_in_another_folder_and_no_image_is_an_error(tmp_path):
    (tmp_path / 'train').mkdir()
    data = coco([person()])
    write(tmp_path / 'train', data)
    path = write(tmp_path, data, images=False)
    with pytest.raises(DataError, match='none of its 1 images is there, such as .*1.png'):
        read_dataset(path, COCO_18)
    [found] = read_dataset(path, COCO_18, images=str(tmp_path / 'train'))
    assert found.path == str(tmp_path / 'train' / '1.png')


def test_a_folder_is_a_set_of_images_without_people(tmp_path):
    with pytest.raises(DataError, match='has no images'):
        read_dataset(str(tmp_path), COCO_18)
    write(tmp_path, coco([], files=('b.png', 'a.JPG')))
    found = read_dataset(str(tmp_path), COCO_18)
    assert [sample.path for sample in found] == [str(tmp_path / name) for name in
                                                 ('a.JPG', 'b.png')]
    assert all(sample.no_people and sample.people.shape == (0, 18, 3) and sample.labelled.all()
               for sample in found)


def test_parts_of_a_set_are_apart_and_do_not_move(tmp_path):
    names = ['{}.png'.format(number) for number in range(200)]
    path = write(tmp_path, coco([person()], size=(4, 4), files=names))

    def part(low, high, at=path):
        found = read_dataset(at, COCO_18, split=(low, high))
        return {sample.path.split('/')[-1] for sample in found}
    train, val = part(0, .8), part(.8, 1)
    assert train | val == set(names) and not train & val
    assert 25 <= len(val) <= 55  # 40 on average, 5.7 standard deviation
    (tmp_path / 'other').mkdir()
    fewer = write(tmp_path / 'other', coco([], size=(4, 4), files=names[::2]))
    assert part(.8, 1, fewer) == val & set(names[::2])
    with pytest.raises(DataError, match=r'\[0.5, 0.5\] is not a split'):
        part(.5, .5)
    with pytest.raises(DataError, match='none of its 200 images is in the split'):
        part(.3, .3 + 1e-9)


def test_sets_share_the_crops_by_their_weights(tmp_path):
    parts = []
    for name, count in (('a', 3), ('b', 1), ('c', 2)):
        (tmp_path / name).mkdir()
        files = ['{}.png'.format(number) for number in range(count)]
        parts.append(write(tmp_path / name, coco([person()], size=(4, 4), files=files)))
    samples, weights = read_sets([SetConfig(parts[0], 3.),
                                  SetConfig(parts[1], .5, all_people_annotated=False),
                                  SetConfig(parts[2], 0.)], COCO_18)
    assert weights.tolist() == [1, 1, 1, .5]
    assert [sample.all_people_annotated for sample in samples] == [True, True, True, False]


def test_masks_are_polygons_runs_or_boxes(tmp_path):
    # Pixels 10..19 across and 20..24 down, three times over; runs go down the columns.
    polygon = [[10, 20, 20, 20, 20, 25, 10, 25]]
    runs = [10 * 80 + 20] + [5, 75] * 9 + [5]
    runs.append(8000 - sum(runs))
    expected = np.zeros((80, 100), np.uint8)
    expected[20:25, 10:20] = 1
    for place in ({'segmentation': polygon}, {'bbox': [10, 20, 10, 5]},
                  {'segmentation': {'size': [80, 100], 'counts': runs}},
                  {'segmentation': {'size': [80, 100], 'counts': packed(runs)}}):
        data = coco([{'image_id': 1, 'category_id': 1, **place}])
        [found] = read(tmp_path, data)
        assert np.array_equal(ignore_mask(found, 100, 80), expected), place


def packed(runs):
    """Compress runs as COCO does, by the description in its maskApi.c."""
    text = ''
    for k, run in enumerate(runs):
        value = run - (runs[k - 2] if k > 2 else 0)
        more = True
        while more:
            bits, value = value & 31, value >> 5
            more = value != (-1 if bits & 16 else 0)
            text += chr(48 + bits + 32 * more)
    return text


def test_masks_add_up_and_have_every_pixel_that_a_box_touches(tmp_path):
    [found] = read(tmp_path, coco([
        {'image_id': 1, 'category_id': 1, 'bbox': [-3.5, 1.5, 5, 1]},
        {'image_id': 1, 'category_id': 1, 'bbox': [98.2, 78.9, 50, 50]}, person()]))
    mask = ignore_mask(found, 100, 80)
    expected = np.zeros((80, 100), np.uint8)
    expected[1:3, :2] = 1
    expected[78:, 98:] = 1
    assert np.array_equal(mask, expected)
    [found] = read(tmp_path, coco([person()]))
    assert ignore_mask(found, 100, 80) is None


def test_the_dev_set_of_coco(shared):
    path = shared / 'data' / 'dev' / 'coco_dev.json'
    data = json.loads(path.read_text())
    found = read_dataset(str(path), COCO_18)
    with_keypoints = [annotation for annotation in data['annotations']
                      if annotation['num_keypoints'] and not annotation['iscrowd']]
    assert sum(len(sample.people) for sample in found) == len(with_keypoints) > 100
    assert sum(len(sample.ignored) for sample in found) == len(data['annotations']) - len(
        with_keypoints)
    assert (np.concatenate([sample.people for sample in found])[..., 2] == 1).any()
