# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Whole images with boxes: views, labels, assignment, loss, and what the robot decodes."""
from coco_files import sample as make_sample
from figures import write_figures
import numpy as np
import pytest
import torch

from pose_ros.core.decoders import create_decoder
from pose_training.data.annotations import read_dataset
from pose_training.data.scene_geometry import (boxes_in_view, check_scene_range, most_important,
                                               scene_matrices, SceneRange)
from pose_training.errors import ConfigError
from pose_training.exporters.cards import make_card
from pose_training.exporters.export import ExportOptions
from pose_training.families.detection.assignment import (assign, cells_of, decode, flat,
                                                         generalized_iou)
from pose_training.families.detection.scenes import labelled_boxes
from pose_training.families.registry import make_family
from pose_training.fitting.crops import crop_spec
from pose_training.fitting.settings import DataConfig
from pose_training.models import create_model

FAMILY = make_family('boxes', '')
STILL = SceneRange(zoom=(1., 1.), aspect=0., rotated=0., flip=0., mosaic=0., gray=1.)


def test_a_view_without_chance_fits_the_image_into_the_input():
    matrix = scene_matrices(np.array([[200, 100]]), np.zeros(1), (100, 100), STILL,
                            np.random.default_rng(0))[0]
    np.testing.assert_allclose(matrix[:, :2], np.diag([.5, .5]))
    assert -.3 <= matrix[0, 2] <= -.2 and 0 <= matrix[1, 2] + .25 <= 50


def test_boxes_follow_the_view_and_are_clipped():
    matrix = np.array([[[-1., 0., 99.], [0., 1., 0.]]])  # mirrored in 100 px
    boxes = np.array([[[10., 20., 30., 60.], [-50., 0., 4., 60.], [200., 0., 240., 9.]]])
    found, labels = boxes_in_view(boxes, np.array([[1., 1., 1.]]), matrix, (100, 100))
    np.testing.assert_allclose(found[0, 0], [70, 20, 90, 60])
    assert labels.tolist() == [[1, 0, -1]]  # the second is hardly in view
    found, labels = most_important(found, labels, 5)
    assert labels[0].tolist() == [1, 0, -1, -1, -1] and found.shape == (1, 5, 4)
    assert most_important(found, labels, 1)[1].tolist() == [[1]]


def test_labels_of_crowds_and_incomplete_images():
    sample = make_sample(np.zeros((1, 18, 3)), boxes=[[10, 20, 30, 40]], ignored=(
        {'bbox': [1, 2, 3, 4], 'iscrowd': 1}, {'bbox': [5, 6, 7, 8]}))
    boxes, labels = labelled_boxes(sample)
    assert labels.tolist() == [1, 0, 1]
    assert boxes.tolist() == [[10, 20, 40, 60], [1, 2, 4, 6], [5, 6, 12, 14]]
    boxes, labels = labelled_boxes(sample._replace(all_people_annotated=False))
    assert labels.tolist() == [1, 0, 1, 0] and boxes[3, 0] < -9e4 < 9e4 < boxes[3, 3]


def test_uncertain_annotations_are_ignored(tmp_path):
    import json
    path = write_figures(tmp_path, count=1)
    data = json.loads(open(path).read())
    data['annotations'][0]['score'] = .25
    open(path, 'w').write(json.dumps(data))
    [kept] = read_dataset(path, FAMILY.topology)
    [ignored] = read_dataset(path, FAMILY.topology, min_score=.3)
    assert labelled_boxes(kept)[1].tolist() == [1] and labelled_boxes(ignored)[1].tolist() == [0]


def test_the_dataset_yields_boxes_of_the_crop(tmp_path):
    samples = read_dataset(write_figures(tmp_path, count=4), FAMILY.topology)
    dataset = FAMILY.dataset(samples, crop_spec(DataConfig(size=(128, 96), scene=STILL), FAMILY,
                                                8))
    crop, targets = dataset.draw(0, 0)
    assert crop.image.shape == (96, 128, 3)
    assert targets.maps.shape == (80, 4) and (targets.weights == 1).sum() == 1
    x, y, w, h = samples[0].boxes[0]
    size = targets.maps[0, 2:] - targets.maps[0, :2]
    np.testing.assert_allclose(size, [w, h], atol=.01)
    mosaic = FAMILY.dataset(samples, crop_spec(
        DataConfig(size=(128, 96), scene=STILL._replace(mosaic=1.)), FAMILY, 8))
    crop, targets = mosaic.draw(0, 0)
    assert crop.image.shape == (96, 128, 3) and (targets.weights == 1).sum() == 4
    assert (targets.maps[:4].max(0) <= [128, 96, 128, 96]).all()


def encoded(boxes, shape=(96, 128)):
    """Return outputs in which the cell at the center of each box predicts it exactly."""
    outputs = {'stride_{}'.format(stride): torch.full(
        (1, 5, shape[0] // stride, shape[1] // stride), -4.) for stride in (8, 16, 32)}
    for box in boxes:
        center = (box[:2] + box[2:]) / 2
        column, row = (center / 16).astype(int)
        middle = (np.array([column, row]) + .5) * 16
        sides = np.concatenate([middle - box[:2], box[2:] - middle]) / 16
        outputs['stride_16'][0, :4, row, column] = torch.from_numpy(np.log(sides)).float()
        outputs['stride_16'][0, 4, row, column] = 3.
    return outputs


def test_the_robot_decodes_the_targets():
    boxes = np.array([[10., 20., 50., 70.], [70., 10., 110., 80.]])
    outputs = encoded(boxes)
    card = make_card(create_model('lite_person_detector'), ExportOptions(size=(128, 96)), {})
    found = create_decoder(card).decode({'output': flat(outputs)[0].numpy()})
    corners = np.concatenate([found.boxes[:, :2], found.boxes[:, :2] + found.boxes[:, 2:]], 1)
    np.testing.assert_allclose(corners[np.argsort(corners[:, 0])], boxes, atol=1e-4)
    cells = cells_of(outputs)
    predicted, logits = decode(flat(outputs), cells)
    truth, label = torch.from_numpy(boxes)[None].float(), torch.ones(1, 2)
    quality, owner, counted = assign(predicted, logits, truth, label, cells)
    best = quality[0].topk(2).indices
    torch.testing.assert_close(quality[0, best], torch.ones(2), atol=1e-4, rtol=0)
    assert sorted(owner[0, best].tolist()) == [0, 1] and counted.all()
    [right] = FAMILY.loss([outputs], truth, label, 0.)
    [wrong] = FAMILY.loss([encoded(boxes + 12)], truth, label, 0.)
    assert right < .25 * wrong


def test_regions_to_ignore_do_not_count():
    outputs = encoded(np.zeros((0, 4)))
    outputs['stride_8'][0, 4] = 3.  # finds people everywhere
    nothing = torch.full((1, 1), -1.)
    everywhere = torch.tensor([[[-1e5, -1e5, 1e5, 1e5]]])
    [punished] = FAMILY.loss([outputs], everywhere, nothing, 0.)
    [ignored] = FAMILY.loss([outputs], everywhere, torch.zeros(1, 1), 0.)
    assert punished > 100 and ignored == 0


def test_generalized_iou_of_known_boxes():
    one = torch.tensor([0., 0., 2., 2.])
    torch.testing.assert_close(generalized_iou(one, one), torch.tensor(1.))
    # Beside each other with a gap: no overlap, a hull of 12, a union of 8.
    torch.testing.assert_close(generalized_iou(one, torch.tensor([4., 0., 6., 2.])),
                               torch.tensor(-4 / 12.))


@pytest.mark.parametrize('changes', [{'zoom': (0., 1.)}, {'flip': 2.}, {'boxes': 0}])
def test_invalid_ranges_are_rejected(changes):
    with pytest.raises(ConfigError):
        check_scene_range(SceneRange(**changes))
