# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Labels are compared with a teacher that is always right: it finds the dots in the image."""
import json

import cv2
import numpy as np
import pytest

from coco_files import coco, NAMES, person, sample, write
from pose_ros.core.topology import get_topology
from pose_training.checkpoint import save_checkpoint
from pose_training.cli.main import main
from pose_training.data.annotations import read_dataset
from pose_training.data.coco import load_coco
from pose_training.families.paf.targets import draw_heatmaps
from pose_training.distillation.cleaning import (Agreement, clean, LabelChecker, mirrored,
                                                 unlabelled)
from pose_training.errors import DataError
from pose_training.models import create_model
from pose_training.families.registry import make_family

COCO_17, FAMILY = get_topology('coco_17'), make_family('paf', 'coco_17')
SIZE, STRIDE = (96, 128), 8
TINY = {'widths': [4, 8, 8, 8, 8], 'depths': [1, 1, 1, 1, 1], 'neck': 8, 'head': 8}
# Keypoint k is a dot of brightness 90 + 9 k, on black.
POINTS = np.stack([20 + 14 * (np.arange(17) % 4), 16 + 20 * (np.arange(17) // 4)], 1)


class DotTeacher:
    """Finds keypoint k by the brightness of its dot; has all but some keypoints."""

    def __init__(self, without=()):
        self._known = np.array([name not in without for name in NAMES]
                               + [True] * (1 + FAMILY.layout.pafs))
        self.asked = []

    def known(self):
        return self._known

    def maps(self, image):
        self.asked.append(image)
        people = np.zeros((1, 17, 3), np.float32)
        for keypoint in range(17):
            y, x = np.nonzero(np.abs(image[..., 0].astype(int) - (90 + 9 * keypoint)) <= 1)
            if len(x):
                people[0, keypoint] = (np.median(x), np.median(y), 2)
        heatmaps = draw_heatmaps(people, (SIZE[1] // STRIDE, SIZE[0] // STRIDE), STRIDE, 7.)
        others = np.zeros((1 + FAMILY.layout.pafs,) + heatmaps.shape[1:], np.float32)
        return np.concatenate([heatmaps, others])


def dots(path, order=range(17)):
    """Write an image with a large dot for each keypoint."""
    image = np.zeros((120, 90, 3), np.uint8)
    for keypoint, (x, y) in zip(order, POINTS.tolist()):
        cv2.circle(image, (x, y), 5, (90 + 9 * keypoint,) * 3, cv2.FILLED)
    cv2.imwrite(str(path), image)
    return image


def labels(points=POINTS, image=1, **more):
    """Return an annotation with keypoints at points."""
    keypoints = np.column_stack([points, np.full(17, 2)])
    return {'image_id': image, 'category_id': 1, 'keypoints': keypoints.ravel().tolist(),
            'bbox': [10, 6, 62, 100], 'num_keypoints': 17, **more}


MIRROR = list(COCO_17.mirror)


def test_a_verdict_needs_agreement_and_a_mirror_image_clearly_better():
    assert Agreement(.3, .1).choose(.12) == 'label'
    assert Agreement(.3, .4).choose(.12) == 'label'   # a ratio of 1.33 is not clear
    assert Agreement(.2, .4).choose(.12) == 'mirror'
    assert Agreement(.05, .1).choose(.12) == 'drop'
    assert Agreement(.1, .13).choose(.12) == 'drop'   # neither is good enough, or clearly better
    assert Agreement(0., 0., 0).choose(.12) == 'unjudged'


def test_right_labels_agree_and_swapped_ones_agree_in_the_mirror(tmp_path):
    image, teacher = dots(tmp_path / 'x.png'), DotTeacher()
    judge = LabelChecker(teacher, FAMILY, SIZE, STRIDE)

    def verdict(points):
        people = np.column_stack([points, np.full(17, 2)])[None]
        return judge.judge(image, sample(people, (90, 120), [[10, 6, 62, 100]],
                                         topology='coco_17'), 0)
    right, swapped, wrong = (verdict(points) for points in (
        POINTS, POINTS[MIRROR], POINTS[np.roll(np.arange(17), 8)]))
    assert right.keypoints == 17 and right.label > .8 > 1.5 * right.mirror
    assert swapped.mirror == pytest.approx(right.label) and swapped.choose(.12) == 'mirror'
    assert right.choose(.12) == 'label' and wrong.choose(.4) == 'drop'
    # The box, 62 x 100, in the middle at three quarters of the crop: .96 times as large.
    crop = teacher.asked[0]
    assert crop.shape == (128, 96, 3) and crop[0, 0].tolist() == [128] * 3
    lit = np.median(np.argwhere(np.abs(crop[..., 0].astype(int) - 90) <= 1), axis=0)
    assert lit == pytest.approx(((16 - 55.5) * .96 + 63.5, (20 - 40.5) * .96 + 47.5), abs=1)


def test_keypoints_that_the_teacher_or_the_labels_lack_do_not_count(tmp_path):
    image = dots(tmp_path / 'x.png')
    judge = LabelChecker(DotTeacher(without=('left_wrist',)), FAMILY, SIZE, STRIDE)
    people = np.column_stack([POINTS, np.full(17, 2)])[None]
    people[0, 0, 2] = 0
    people[0, 1, :2] = 5000  # a label far outside
    whole = judge.judge(image, sample(people, boxes=[[10, 6, 62, 100]], topology='coco_17'), 0)
    # Neither wrist counts, as a mirror image needs both; nor nose, nor left eye.
    assert whole.keypoints == 13 and whole.label > .8
    people[..., 2] = 0
    nothing = judge.judge(image, sample(people, boxes=[[10, 6, 62, 100]], topology='coco_17'), 0)
    assert nothing == Agreement(0., 0., 0)


def test_mirrored_labels_are_exchanged_and_nothing_else():
    annotation = person(id=3, bbox=[1, 2, 3, 4])
    before = json.dumps(annotation)
    found = mirrored(annotation, NAMES)
    assert json.dumps(annotation) == before
    for k, name in enumerate(NAMES):
        twin = (name.replace('left', 'right') if 'left' in name
                else name.replace('right', 'left'))
        assert found['keypoints'][3 * k:3 * k + 3] == person()['keypoints'][
            3 * NAMES.index(twin):][:3]
    assert {key: value for key, value in found.items() if key != 'keypoints'} == {
        key: value for key, value in annotation.items() if key != 'keypoints'}


def test_dropped_people_stay_as_unlabelled_ones():
    annotation = person(visible=('nose', 'left_eye'), bbox=None, num_keypoints=2)
    found = unlabelled(annotation, NAMES)
    assert found['keypoints'] == [0] * 51 and found['num_keypoints'] == 0
    assert found['bbox'] == [10, 20, 3, 4]  # of (10, 20) and (12, 23), with their pixels


def dataset(folder):
    """Write four images: right, mirrored, one person right and one wrong, all wrong."""
    files = ['right.png', 'mirrored.png', 'both.png', 'wrong.png', 'cut.png', 'empty.png']
    wrong = POINTS[np.roll(np.arange(17), 8)]
    far = labels(wrong + (0, 2), 3, id=77)
    data = coco([labels(), labels(POINTS[MIRROR], 2), labels(image=3), far, labels(wrong, 4),
                 labels(image=5), person(1, visible=(), id=78)], (90, 120), files)
    data['info'] = {'about': 'dots'}
    (folder / 'in').mkdir()
    path = write(folder / 'in', data, images=False)
    for name in files:
        dots(folder / 'in' / name)
    (folder / 'in' / 'cut.png').write_bytes((folder / 'in' / 'cut.png').read_bytes()[:90])
    return path


def test_a_dataset_is_cleaned(tmp_path):
    path = dataset(tmp_path)
    before = (tmp_path / 'in' / 'labels.json').read_text()
    judge = LabelChecker(DotTeacher(), FAMILY, SIZE, STRIDE)
    found = clean(load_coco(path), judge, COCO_17, .5, str(tmp_path / 'out'))
    assert found.counts == {'label': 2, 'mirror': 1, 'drop': 2, 'unjudged': 0}
    assert found.left_out == 2  # all wrong, and unreadable
    assert [image['file_name'] for image in found.data['images']] == [
        '../in/' + name for name in ('right.png', 'mirrored.png', 'both.png', 'empty.png')]
    assert found.data['info'] == {'about': 'dots'}
    assert found.data['categories'] == load_coco(path).data['categories']
    (tmp_path / 'out').mkdir()
    (tmp_path / 'out' / 'clean.json').write_text(json.dumps(found.data))
    right, turned, both, empty = read_dataset(str(tmp_path / 'out' / 'clean.json'), COCO_17)
    assert np.array_equal(right.people, turned.people) and len(right.ignored) == 1
    assert len(both.people) == 1 and len(both.ignored) == 1 and not len(empty.people)
    assert np.array_equal(both.people[0], right.people[0])
    assert (tmp_path / 'in' / 'labels.json').read_text() == before


def test_a_teacher_without_the_labelled_keypoints_changes_nothing(tmp_path):
    path = dataset(tmp_path)
    judge = LabelChecker(DotTeacher(without=NAMES), FAMILY, SIZE, STRIDE)
    found = clean(load_coco(path), judge, COCO_17, .5, str(tmp_path))
    assert found.counts == {'label': 0, 'mirror': 0, 'drop': 0, 'unjudged': 5}
    kept = {annotation['id']: annotation for annotation in found.data['annotations']}
    assert len(kept) == 6 and all(
        kept[annotation['id']] == annotation
        for annotation in load_coco(path).data['annotations'] if annotation['image_id'] != 5)


def test_nothing_left_is_an_error(tmp_path):
    path = write(tmp_path, coco([labels()], (90, 120)))
    judge = LabelChecker(DotTeacher(), FAMILY, SIZE, STRIDE)
    with pytest.raises(DataError, match='none of its 1 images remains .*the teacher is the right'):
        clean(load_coco(path), judge, COCO_17, .5, str(tmp_path))


def test_the_command_writes_a_dataset_and_a_table(tmp_path, capsys):
    path = dataset(tmp_path)
    teacher = str(tmp_path / 'teacher.pt')
    save_checkpoint(teacher, create_model('repvgg_fpn', 'coco_18', stages=1, **TINY).eval())
    (tmp_path / 'out').mkdir()
    target = tmp_path / 'out' / 'clean.json'
    # An untrained network agrees with labels a little, or drops them.
    assert main(['clean', path, '--teacher', teacher, '-o', str(target), '--least', '0']) == 0
    table = capsys.readouterr().out
    counts = [int(line.split()[0]) for line in table.splitlines()[:4]]
    assert sum(counts) == 5 and counts[3] == 0
    assert '1 images left out' in table and 'wrote {}: 5 images'.format(target) in table
    found = read_dataset(str(target), COCO_17)
    assert found[0].path.endswith('out/../in/right.png') and len(found) == 5


@pytest.mark.parametrize('arguments, words, code', [
    (['--least', '2'], 'not between 0 and 1', 2),
    (['-o', 'nowhere/x.json'], 'there is no folder', 1),
    (['--teacher', 'nothing.onnx'], 'nothing.onnx', 1)])
def test_the_command_rejects_invalid_arguments(tmp_path, capsys, monkeypatch, arguments, words,
                                               code):
    monkeypatch.chdir(tmp_path)
    path = write(tmp_path, coco([labels()], (90, 120)))
    teacher = str(tmp_path / 'teacher.pt')
    save_checkpoint(teacher, create_model('repvgg_fpn', 'coco_18', stages=1, **TINY).eval())
    options = ['--teacher', teacher, '-o', 'x.json'] + arguments
    assert main(['clean', path] + options) == code
    assert words in capsys.readouterr().err
