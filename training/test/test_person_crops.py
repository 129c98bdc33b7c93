# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Crops of single people, and their targets: geometry, trust, mixing with a teacher."""
import json

from coco_files import sample as make_sample
from figures import write_figures
import numpy as np
import pytest
import torch

from pose_ros.core.card import parse_card
from pose_ros.core.decoders import create_decoder
from pose_ros.core.topology import get_topology
from pose_training.checkpoint import save_checkpoint
from pose_training.data.annotations import read_dataset
from pose_training.data.person_geometry import (check_person_range, half_bodies, mirrored, moved,
                                                person_matrices, person_shares, PersonRange)
from pose_training.distillation.on_device import DeviceTeacher
from pose_training.distillation.teacher import Teacher
from pose_training.errors import ConfigError, DataError
from pose_training.exporters.cards import make_card
from pose_training.exporters.export import export, ExportOptions
from pose_training.families.heatmap.crops import trust, upper_body
from pose_training.families.heatmap.mixing import mix
from pose_training.families.registry import make_family
from pose_training.fitting.crops import crop_spec
from pose_training.fitting.settings import DataConfig
from pose_training.models import create_model
from pose_training.models.normalization import Normalization

FAMILY = make_family('heatmap', 'coco_17')
STILL = PersonRange(scale=0., aspect=0., shift=0., upright=1., turned=0., any_angle=0., flip=0.,
                    half_body=0., patches=0.)


def test_a_crop_without_chance_is_the_padded_box():
    boxes = np.array([[10., 20., 50., 120.]])
    matrix = person_matrices(boxes, np.zeros(1), (96, 128), STILL, np.random.default_rng(0))
    # 100 px high times 1.25 are 128 px; edges lie half a pixel beside the centers.
    corners = moved(np.array([[[30 - 46.875, 70 - 62.5], [30 + 46.875, 70 + 62.5]]]) - .5, matrix)
    np.testing.assert_allclose(corners[0] + .5, [[0, 0], [96, 128]], atol=1e-9)


def test_the_ranges_are_kept():
    boxes = np.tile([[100., 100., 200., 300.]], (4000, 1))
    ranges = PersonRange(scale=.1, aspect=0., shift=.05)
    matrix = person_matrices(boxes, np.full(4000, .2), (192, 256), ranges,
                             np.random.default_rng(0))
    determinant = np.linalg.det(matrix[:, :, :2])
    assert .47 < mirrored(matrix).mean() < .53 and (mirrored(matrix) == (determinant < 0)).all()
    center = moved(np.array([[[149.5, 199.5]]]).repeat(4000, 0), matrix)[:, 0]
    assert abs(center.mean(0) - (95.5, 127.5)).max() < 2
    # Columns are the image's axes: their lengths differ by the stretch.
    lengths = np.linalg.norm(matrix[:, :, :2], axis=1)
    stretch = np.log(lengths[:, 1] / lengths[:, 0])
    assert -.2 <= stretch.min() < -.18 and .18 < stretch.max() <= .2
    angle = np.degrees(np.arctan2(matrix[:, 0, 1], matrix[:, 1, 1]))
    assert .24 < (abs(angle) < 1e-6).mean() < .29 and (abs(angle) > 115).mean() > .005


def test_half_bodies_hold_their_keypoints():
    topology = get_topology('coco_17')
    points = np.zeros((400, 17, 3))
    points[..., :2] = np.random.default_rng(1).uniform(10, 90, (17, 2))
    points[..., 2] = 1
    boxes = np.tile([[0., 0., 100., 100.]], (400, 1))
    ranges = PersonRange(half_body=.5)
    found = half_bodies(boxes, points, upper_body(topology), ranges, np.random.default_rng(0))
    changed = (found != boxes).any(1)
    assert .4 < changed.mean() < .6
    upper = points[0, upper_body(topology), :2] + .5
    margin = .15 * (upper.max(0) - upper.min(0)).max()
    wanted = np.concatenate([upper.min(0) - margin, upper.max(0) + margin])
    share = np.isclose(found[changed], wanted).all(1).mean()
    assert .55 < share < .75
    assert upper_body(topology).sum() == 11
    points[..., 2] = .1  # trust of uncertain keypoints
    assert (half_bodies(boxes, points, upper_body(topology), ranges,
                        np.random.default_rng(0)) == boxes).all()


def test_large_people_with_many_keypoints_are_drawn_more_often():
    boxes = np.array([[0, 0, 50, 200], [0, 0, 50, 50], [0, 0, 50, 20], [0, 0, 50, 200.]])
    sure = np.ones((4, 17))
    sure[3] = 0
    np.testing.assert_allclose(person_shares(boxes, sure, 24.), [1, .5, 0, 0])


def test_pseudo_labels_weigh_by_their_confidence(tmp_path):
    path = write_figures(tmp_path, count=2)
    data = json.loads(open(path).read())
    data['annotations'][0]['conf'] = [.2] + [.45] + [.9] * 15
    open(path, 'w').write(json.dumps(data))
    first, second = read_dataset(path, FAMILY.topology)
    np.testing.assert_allclose(trust(first)[0], [0, .3] + [.6] * 15, atol=1e-6)
    np.testing.assert_allclose(trust(second)[0], 1)
    data['annotations'][0]['conf'] = [.2]
    open(path, 'w').write(json.dumps(data))
    with pytest.raises(DataError, match='conf is not one number per keypoint'):
        read_dataset(path, FAMILY.topology)


@pytest.mark.parametrize('flip', [0., 1.])
def test_targets_decode_to_the_labels_of_the_crop(tmp_path, flip):
    samples = read_dataset(write_figures(tmp_path, count=4), FAMILY.topology)
    data = DataConfig(size=(96, 128), sigma=8., person=STILL._replace(flip=flip))
    dataset = FAMILY.dataset(samples, crop_spec(data, FAMILY, 4))
    card = make_card(create_model('lite_pose_crop'), ExportOptions(size=(96, 128)), {})
    decoder = create_decoder(card)
    decoder.configure(refinement='dark')
    crop, targets = dataset.draw(0, 0)
    assert crop.image.shape == (128, 96, 3) and targets.maps.shape == (17, 32, 24)
    assert (targets.weights == 1).all()
    found = decoder.decode({'output': targets.maps}).keypoints[0]
    inside = ((crop.people[0, :, :2] > 12) & (crop.people[0, :, :2] < (83, 115))).all(1)
    assert inside.sum() > 10
    np.testing.assert_allclose(found[inside, :2], crop.people[0, inside, :2], atol=.3)
    left, right = (FAMILY.topology.index(side + '_hip') for side in ('left', 'right'))
    assert crop.people[0, left, 0] > crop.people[0, right, 0]  # mirrored and exchanged
    seen = dataset.degraded(crop, 3)
    assert seen.shape == crop.image.shape


def test_patches_cover_parts(tmp_path):
    samples = read_dataset(write_figures(tmp_path, count=4), FAMILY.topology)
    clean = dict.fromkeys(('light', 'color', 'gray', 'blur', 'noise', 'dark', 'jpeg', 'erase'), 0.)
    data = DataConfig(size=(96, 128), person=STILL._replace(patches=1.))
    data = data._replace(photometric=data.photometric._replace(**clean))
    dataset = FAMILY.dataset(samples, crop_spec(data, FAMILY, 4))
    crop, _ = dataset.draw(0, 0)
    shares = [(dataset.degraded(crop, seed) != crop.image).any(-1).mean() for seed in range(40)]
    assert .01 < np.mean(shares) < .15 and max(shares) < .35
    assert (dataset.degraded(crop, 7) == dataset.degraded(crop, 7)).all()


def test_a_teacher_fills_gaps_and_yields_to_labels_that_it_contradicts():
    maps, soft = torch.zeros(1, 4, 8, 8), torch.zeros(1, 4, 8, 8)
    maps[0, :3, 2, 2] = 1
    soft[0, 0, 2, 2] = .8     # agrees
    soft[0, 1, 6, 6] = .8     # contradicts
    soft[0, 3, 4, 4] = .5     # without a label
    trust_in = torch.tensor([[1., 1., 1., 0.]])
    known = torch.tensor([True, True, False, True])
    target, weights = mix(maps, trust_in, soft, known, .35)
    weights = weights[0, :, 0, 0]
    torch.testing.assert_close(weights, torch.tensor([1., .65 + .35 * .05, .65, 1.]))
    torch.testing.assert_close(target[0, 0, 2, 2], torch.tensor(.65 + .35 * .8))
    assert target[0, 1, 2, 2] > .95 and target[0, 1, 6, 6] < .05
    torch.testing.assert_close(target[0, 2], maps[0, 2])
    torch.testing.assert_close(target[0, 3], soft[0, 3])


def test_a_teacher_of_corner_cells_has_the_grid_of_its_card():
    card = make_card(create_model('lite_pose_crop'), ExportOptions(), {})
    outputs = dict(card.decoder.outputs, grid='corner')
    corner = card._replace(decoder=card.decoder._replace(outputs=outputs))
    assert FAMILY.teacher_channels(card, 'x').shift == 0
    channels = FAMILY.teacher_channels(parse_card(corner.to_json(), 'x'), 'x')
    assert channels.shift == .375 and channels.known.all()
    udp = card._replace(decoder=card.decoder._replace(outputs=dict(outputs, grid='udp')))
    with pytest.raises(DataError, match="grid 'udp'"):
        FAMILY.teacher_channels(udp, 'x')


def test_the_loss_counts_trust_and_foreground():
    target, weights = torch.zeros(1, 17, 4, 3), torch.zeros(1, 17, 4, 3)
    target[0, 0, 1, 1], weights[0, 0] = 1., .5
    [loss] = FAMILY.loss([{'heatmaps': torch.zeros(1, 17, 4, 3)}], target, weights, 2.)
    torch.testing.assert_close(loss, torch.tensor(.5 * 3 / 17 / 8))


@pytest.mark.parametrize('changes', [{'flip': 1.5}, {'scale': -1.}, {'padding': 0.},
                                     {'upright': .9, 'turned': .2}, {'patch_extent': (.5, .2)}])
def test_invalid_ranges_are_rejected(changes):
    with pytest.raises(ConfigError):
        check_person_range(PersonRange(**changes))


def test_images_without_usable_people_are_not_drawn():
    empty = make_sample(np.zeros((0, 18, 3)), boxes=[])
    assert not FAMILY.usable(empty)


def test_teachers_average_the_crop_and_its_mirror_image(tmp_path):
    torch.manual_seed(0)
    network = create_model('lite_pose_crop', width=.25).eval()
    torch.nn.init.normal_(network.head.weight, std=20.)
    files = [str(tmp_path / name) for name in ('teacher.onnx', 'teacher.pt')]
    export(network, files[0], ExportOptions((96, 128)))
    save_checkpoint(files[1], network)
    image = np.random.default_rng(0).integers(0, 256, (128, 96, 3)).astype(np.uint8)
    normalize = Normalization(make_card(network, ExportOptions(), {}).input)
    with torch.no_grad():
        plain, mirror = (network(normalize(torch.from_numpy(
            np.ascontiguousarray(each.transpose(2, 0, 1)))[None]))[-1]['heatmaps'][0].numpy()
            for each in (image, image[:, ::-1]))
    wanted = (plain + mirror[list(FAMILY.topology.mirror), :, ::-1]) / 2
    assert abs(wanted - plain).max() > .1
    in_loaders = Teacher(files[0], (96, 128), FAMILY, 4, backend='onnxruntime').maps(image)
    np.testing.assert_allclose(in_loaders, wanted, atol=1e-3)
    batch = torch.from_numpy(np.ascontiguousarray(image.transpose(2, 0, 1)))[None]
    on_device = DeviceTeacher(files[1], (96, 128), FAMILY, 4).maps(batch)[0]
    np.testing.assert_allclose(on_device.numpy(), wanted, atol=1e-3)
