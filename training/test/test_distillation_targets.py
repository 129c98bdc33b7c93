# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Mixing labels and teachers, the cache of maps, keypoints of single-person networks."""
import json
import os

import cv2
from figures import COCO, draw_figure, figure, write_figures
import numpy as np
import pytest
import torch

from pose_ros.core.sources.images import read_image
from pose_ros.core.topology import get_topology
from pose_training.data.annotations import read_dataset
from pose_training.data.dataset import CropSpec, CropRequest, PoseDataset
from pose_training.data.geometry import Crop, CropRange
from pose_training.families.family import Targets
from pose_training.distillation.keypoint_labels import add_keypoints, load_single_person_teacher
from pose_training.distillation.single_person import person_crop, SinglePersonTeacher
from pose_training.distillation.soft_targets import SoftTargets
from pose_training.errors import DataError
from pose_training.families.registry import make_family

pytestmark = pytest.mark.fitting

FAMILY = make_family('paf', 'coco_18')
SHAPE = (57, 4, 4)


def labels(value=0., weight=1.):
    """Return targets of one value everywhere."""
    return Targets(np.full(SHAPE, value, np.float32), np.full(SHAPE, weight, np.float32))


def mixed(hard, soft, known, share=.5, complete=True):
    """Return the targets of one crop."""
    maps, weights = FAMILY.mix(*(torch.from_numpy(part)[None] for part in (*hard, soft)),
                               torch.from_numpy(known), share, torch.tensor([complete]))
    return Targets(maps[0].numpy(), weights[0].numpy())


def test_the_mixture_is_weighted_where_label_and_teacher_are_known():
    hard, soft = labels(.2), np.full(SHAPE, .8, np.float32)
    hard.weights[3], known = 0, np.ones(SHAPE[0], bool)
    known[5] = False
    found = mixed(hard, soft, known, .25)
    assert found.maps[0] == pytest.approx(.75 * .2 + .25 * .8)
    assert found.maps[3] == pytest.approx(.8) and found.weights[3].all()
    assert found.maps[5] == pytest.approx(.2) and found.weights[5].all()
    hard.weights[5] = 0
    assert not mixed(hard, soft, known, .25).weights[5].any()


def test_people_of_the_teacher_count_where_labels_are_incomplete():
    hard, soft = labels(), np.zeros(SHAPE, np.float32)
    hard.maps[18] = soft[18] = 1
    soft[0, 1, 1], soft[18, 1, 1] = .9, .1       # a nose without a label
    soft[19:21, 2, 2] = .6, .6                   # and a limb
    soft[1, 3, 3], hard.maps[1, 3, 3] = .5, 1.   # a neck of both
    known = np.ones(SHAPE[0], bool)
    found = mixed(hard, soft, known, complete=False).maps
    assert found[0, 1, 1] == pytest.approx(.9) and found[18, 1, 1] == pytest.approx(.1)
    assert found[[19, 1], [2, 3], [2, 3]] == pytest.approx([.6, .75])
    assert mixed(hard, soft, known).maps[0, 1, 1] == pytest.approx(.45)


class Echo:
    """A teacher that counts its calls."""

    def __init__(self):
        self.asked = 0

    def known(self):
        """All channels."""
        return np.ones(SHAPE[0], bool)

    def maps(self, image):
        """The mean of the image, everywhere."""
        self.asked += 1
        return np.full(SHAPE, image.mean() / 255, np.float32)


def targets_of(soft, level=100, key='a'):
    """Return the mixture for a flat crop without labels."""
    image = np.full((32, 32, 3), level, np.uint8)
    crop = Crop(image, np.zeros((0, 18, 3)), np.zeros(0), np.ones((32, 32), np.uint8),
                np.ones(18, bool), None)
    return soft.targets(key, crop, labels(weight=0.))


def test_maps_of_teachers_are_cached(tmp_path):
    first, second, folder = Echo(), Echo(), str(tmp_path / 'cache')
    one = targets_of(SoftTargets(lambda: first, FAMILY, .5, folder, ['x']))
    again = SoftTargets(lambda: second, FAMILY, .5, folder, ['x'])
    two = targets_of(again)
    assert (first.asked, second.asked) == (1, 0)
    assert (one.maps == two.maps).all()
    assert np.abs(one.maps - 100 / 255).max() <= .5 / 127 + 1e-6
    targets_of(again, key='b')
    assert second.asked == 1
    assert sorted(os.listdir(folder)) == ['a.npy', 'b.npy', 'teachers.json']
    with open(os.path.join(folder, 'a.npy'), 'wb') as stream:
        stream.write(b'cut short')
    assert np.allclose(targets_of(again).maps, one.maps, atol=1e-2) and second.asked == 2
    np.save(os.path.join(folder, 'a.npy'), np.zeros((57, 2, 2), np.int8))  # of another grid
    assert targets_of(again).maps.shape == SHAPE and second.asked == 3


def test_a_cache_of_another_teacher_is_rejected(tmp_path):
    folder = str(tmp_path / 'cache')
    SoftTargets(Echo, FAMILY, .5, folder, [['abc'], [0, 0]])
    SoftTargets(Echo, FAMILY, .5, folder, [('abc',), (0, 0)])
    with pytest.raises(DataError, match='holds maps of another teacher or another size'):
        SoftTargets(Echo, FAMILY, .5, folder, [['abd'], [0, 0]])
    (tmp_path / 'file').write_text('')
    with pytest.raises(DataError, match='cannot use the cache'):
        SoftTargets(Echo, FAMILY, .5, str(tmp_path / 'file'), [])


def test_a_teacher_is_loaded_only_if_its_channels_are_not_given(tmp_path):
    loaded = []

    def load():
        loaded.append(1)
        return Echo()
    folder = str(tmp_path)
    targets_of(SoftTargets(load, FAMILY, .5, folder, 0))
    assert len(loaded) == 1
    targets_of(SoftTargets(load, FAMILY, .5, folder, 0, np.ones(57, bool)))
    assert len(loaded) == 1


class Pointer(SinglePersonTeacher):
    """Returns the brightest pixel as every keypoint of the left side."""

    topology, identity = COCO, 'pointer'

    def __init__(self, confidence=.9):
        self.confidence, self.asked = confidence, 0

    def keypoints(self, crop):
        """See SinglePersonTeacher."""
        self.asked += 1
        row, column = np.unravel_index(crop[..., 1].argmax(), crop.shape[:2])
        points = np.zeros((17, 3), np.float32)
        for index, name in enumerate(COCO.keypoint_names):
            if name.startswith('left_'):
                points[index] = column, row, self.confidence
        return points


@pytest.fixture
def spotted(tmp_path):
    """Return a function that writes one black image with a bright pixel, and reads its labels.

    Of the labelled person only the right side has labels.
    """
    def read(more=(), all_visible_keypoints_annotated=False, size=(60, 40)):
        image = np.zeros((40, 60, 3), np.uint8)
        image[10, 45] = 255
        cv2.imwrite(str(tmp_path / 'a.png'), image)
        points = np.zeros((17, 3))
        for index, name in enumerate(COCO.keypoint_names):
            if name.startswith('right_'):
                points[index] = 3 + index, 20, 2
        person = {'id': 1, 'image_id': 1, 'category_id': 1, 'iscrowd': 0, 'area': 100,
                  'num_keypoints': 8, 'bbox': [30, 2, 20, 30],
                  'keypoints': points.ravel().tolist()}
        data = {'images': [{'id': 1, 'file_name': 'a.png', 'width': size[0], 'height': size[1]}],
                'annotations': [person, *more],
                'categories': [{'id': 1, 'name': 'person',
                                'keypoints': list(COCO.keypoint_names)}]}
        (tmp_path / 'a.json').write_text(json.dumps(data))
        return read_dataset(str(tmp_path / 'a.json'), COCO,
                            all_visible_keypoints_annotated=all_visible_keypoints_annotated)
    return read


def test_keypoints_without_labels_are_added_where_they_are(spotted):
    samples = spotted()
    assert samples[0].labelled.sum() == 8
    found = add_keypoints(samples, [Pointer()], COCO, .5)[0]
    for name, keypoint, before in zip(COCO.keypoint_names, found.people[0], samples[0].people[0]):
        if name.startswith('left_'):
            assert keypoint == pytest.approx([45, 10, 1])
        else:
            assert (keypoint == before).all()
    assert found.labelled.sum() == 16 and not found.labelled[0]
    unsure = add_keypoints(samples, [Pointer(.4)], COCO, .5)[0]
    assert (unsure.people == samples[0].people).all() and unsure.labelled.sum() == 8


def test_points_are_scaled_to_the_size_that_labels_were_made_for(spotted):
    found = add_keypoints(spotted(size=(120, 80)), [Pointer()], COCO, .5)[0]
    left = COCO.keypoint_names.index('left_eye')
    # The box covers the left half of the small image now, where nothing is bright.
    assert found.people[0, left, 0] < 60
    wide = spotted(size=(120, 80))[0]
    wide = wide._replace(boxes=wide.boxes * 2)
    found = add_keypoints([wide], [Pointer()], COCO, .5)[0]
    assert found.people[0, left] == pytest.approx([90.5, 20.5, 1])


def test_boxes_without_labels_become_people_if_enough_is_found(spotted):
    box = {'id': 2, 'image_id': 1, 'category_id': 1, 'iscrowd': 0, 'area': 100,
           'num_keypoints': 0, 'bbox': [35, 2, 20, 30], 'keypoints': [0] * 51}
    crowd = dict(box, id=3, iscrowd=1)
    samples = spotted([box, crowd])
    assert len(samples[0].people) == 1 and len(samples[0].ignored) == 2
    found = add_keypoints(samples, [Pointer()], COCO, .5)[0]
    assert found.people.shape == (2, 17, 3) and len(found.boxes) == 2
    assert found.boxes[1].tolist() == [35, 2, 20, 30]
    assert [person['id'] for person in found.ignored] == [3]
    unsure = add_keypoints(samples, [Pointer(.4)], COCO, .5)[0]
    assert len(unsure.people) == 1 and len(unsure.ignored) == 2


def test_a_thorough_dataset_gets_only_what_it_never_labels(spotted):
    samples = spotted(all_visible_keypoints_annotated=True)
    samples[0].labelled[COCO.keypoint_names.index('left_eye')] = True  # and here it is hidden
    found = add_keypoints(samples, [Pointer()], COCO, .5)[0]
    labels_of = dict(zip(COCO.keypoint_names, found.people[0, :, 2]))
    assert labels_of['left_eye'] == 0 and labels_of['left_wrist'] == 1
    assert not found.all_visible_keypoints_annotated


def test_predictions_of_single_person_teachers_are_cached(spotted, tmp_path):
    samples, first, second = spotted(), Pointer(), Pointer()
    folder = str(tmp_path / 'cache')
    one = add_keypoints(samples, [first], COCO, .5, folder)[0]
    two = add_keypoints(samples, [second], COCO, .5, folder)[0]
    assert (first.asked, second.asked) == (1, 0)
    assert (one.people == two.people).all()
    second.identity = 'another'
    add_keypoints(samples, [second], COCO, .5, folder)
    assert second.asked == 1


def test_added_keypoints_are_drawn_as_targets(spotted):
    topology = get_topology('coco_18')
    samples = [sample._replace(people=np.zeros((1, 18, 3), np.float32),
                               labelled=np.zeros(18, bool)) for sample in spotted()]
    samples = add_keypoints(samples, [Pointer()], topology, .5)
    spec = CropSpec((96, 96), 8, FAMILY, CropRange(mosaic=0., background=0.))
    _, targets = PoseDataset(samples, spec).draw(0, 0)
    left, right = (topology.index(side + '_wrist') for side in ('left', 'right'))
    assert targets.maps[left].max() > .5 and targets.weights[left].all()
    assert not targets.weights[right].any()


@pytest.mark.parametrize('box, corner', [
    ([10, 10, 10, 20], (2, 7)), ([-20, -20, 40, 10], (-26, -41)), ([90, 30, 40, 40], (84, 24)),
    ([500, 500, 10, 10], (498, 498))])
def test_a_person_is_cut_out_square_and_gray_beyond_the_edge(box, corner):
    image = np.arange(60 * 100 * 3, dtype=np.uint8).reshape(60, 100, 3)
    crop, place = person_crop(image, np.array(box, float))
    side = int(round(1.3 * max(box[2:])))
    assert crop.shape == (side, side, 3) and tuple(place) == corner
    for row in range(side):
        for column in range(side):
            y, x = row + corner[1], column + corner[0]
            inside = 0 <= y < 60 and 0 <= x < 100
            assert (crop[row, column] == (image[y, x] if inside else 128)).all()


def test_files_that_are_no_single_person_teachers_are_rejected(tmp_path):
    with pytest.raises(DataError, match='single-person teachers are .tflite files'):
        load_single_person_teacher('a.onnx')
    pytest.importorskip('ai_edge_litert')
    (tmp_path / 'a.tflite').write_bytes(b'nothing at all')
    with pytest.raises(DataError, match='LiteRT cannot load'):
        load_single_person_teacher(str(tmp_path / 'a.tflite'))


@pytest.mark.parametrize('name, keypoints, share', [
    ('movenet_singlepose_lightning_int8_4', 17, .8), ('EfficientPoseII', 16, .8)])
def test_published_single_person_networks_find_labelled_keypoints(shared, name, keypoints, share):
    pytest.importorskip('ai_edge_litert')
    teacher = load_single_person_teacher(str(shared / 'weights' / (name + '.tflite')))
    assert teacher.topology.size == keypoints
    samples = read_dataset(str(shared / 'data' / 'dev' / 'fashion_dev.json'), COCO)[:6]
    blank = [sample._replace(people=np.zeros_like(sample.people)) for sample in samples]
    found = add_keypoints(blank, [teacher], COCO, .3)
    near, count = 0, 0
    for sample, filled in zip(samples, found):
        there = (sample.people[..., 2] > 0) & (filled.people[..., 2] > 0)
        distance = np.linalg.norm(sample.people[..., :2] - filled.people[..., :2], axis=-1)
        near += int((distance[there] < .05 * sample.boxes[:, 3].max()).sum())
        count += int(there.sum())
    assert count > 30 and near / count > share


def test_figures_have_the_keypoints_that_are_drawn(tmp_path):
    # The tests of training need it: the nose of a figure is a disc of the nose's color.
    sample = read_dataset(write_figures(tmp_path), COCO)[0]
    image = read_image(sample.path)
    for point, color in zip(sample.people[0], COCO.keypoint_colors()):
        column, row = np.rint(point[:2]).astype(int)
        patch = image[row - 1:row + 2, column - 1:column + 2].reshape(-1, 3).astype(int)
        assert np.abs(patch - color).sum(1).min() < 60
    drawn = np.zeros((96, 96, 3), np.uint8)
    draw_figure(drawn, figure(np.random.default_rng(0), 70, 48, 5))
    assert drawn.any()
    assert isinstance(CropRequest(0, 0, 0), tuple)
