# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Targets and losses of part detectors, and what the robot's decoders make of the targets."""
import math

from coco_files import sample
import numpy as np
import pytest
import torch

from pose_ros.core.decoders import create_decoder
from pose_training.data.geometry import CropRange, check_ranges, draw_crop
from pose_training.data.part_ranges import check_part_range, PartRange
from pose_training.errors import ConfigError
from pose_training.exporters.cards import make_card
from pose_training.exporters.export import ExportOptions
from pose_training.families.part_locref.statistics import Statistics
from pose_training.families.part_locref.targets import make_targets, UNIT
from pose_training.families.registry import make_family
from pose_training.models import create_model
from pose_training.models.pair_tables import ordered

THREE = {'name': 'three', 'keypoint_names': ['a', 'b', 'c'], 'limbs': [[0, 1], [1, 2]]}
KNOWN = np.ones((64, 96), np.uint8)
ALL = np.ones(3, bool)


def draw(people, pairwise=False, known=KNOWN, regions=None, radius=17., labelled=ALL):
    """Return the targets of people [((x, y), (x, y), None), ...] of three keypoints."""
    array = np.zeros((len(people), 3, 3), np.float32)
    for row, points in zip(array, people):
        for place, point in zip(row, points):
            if point is not None:
                place[:] = (*point, 2)
    return make_targets(array, labelled, known, regions, 8, PartRange(radius), pairwise)


def test_a_score_map_is_a_disc_of_cells_about_the_keypoint():
    targets = draw([((20, 28), None, None)])
    assert targets.maps.shape == targets.weights.shape == (9, 8, 12)
    rows, columns = np.nonzero(targets.maps[0])
    # Cell (2, 3) is the pixel (20, 28). Two cells aside are 16 px, two aside and one down 17.9 px.
    near = {(3 + y, 2 + x) for x in range(-2, 3) for y in range(-2, 3)
            if 64 * (x * x + y * y) <= 17 * 17}
    assert set(zip(rows.tolist(), columns.tolist())) == near and len(near) == 13
    assert not targets.maps[1:3].any() and (targets.weights[:3] == 1).all()


def test_refinements_lead_from_cells_to_the_keypoint():
    targets = draw([((21.5, 27), None, None)])
    x, y = targets.maps[3:5]
    assert x[3, 2] == pytest.approx(1.5 / UNIT) and y[3, 2] == pytest.approx(-1 / UNIT)
    assert x[4, 1] == pytest.approx(9.5 / UNIT) and y[4, 1] == pytest.approx(-9 / UNIT)
    inside = targets.maps[0] > 0
    assert (targets.weights[3:5] == np.float32(.05) * inside).all()
    assert not targets.weights[5:].any() and not x[~inside].any()


def test_of_two_people_the_nearer_owns_a_cell():
    targets = draw([((20, 28), (60, 28), None), ((36, 28), (90, 28), None)], pairwise=True)
    to_a = targets.maps[3]
    assert to_a[3, 2] == 0 and to_a[3, 4] == 0  # each at its own keypoint
    assert to_a[3, 1] == pytest.approx(8 / UNIT) and to_a[3, 5] == pytest.approx(-8 / UNIT)
    to_b = targets.maps[9 + 2 * ordered(0, 1, 3)]
    assert to_b[3, 2] == 60 - 20 and to_b[3, 4] == 90 - 36


def test_pairwise_terms_lead_from_cells_to_the_other_keypoints_of_the_person():
    targets = draw([((20, 28), (60, 44), None)], pairwise=True)
    assert targets.maps.shape == (9 + 12, 8, 12)
    for a, b, row, column, vector in ((0, 1, 3, 2, (40, 16)), (0, 1, 3, 3, (32, 16)),
                                      (1, 0, 5, 7, (-40, -16))):
        first = 9 + 2 * ordered(a, b, 3)
        assert targets.maps[first:first + 2, row, column].tolist() == list(vector)
        assert (targets.weights[first:first + 2] > 0).sum() == 2 * targets.maps[a].sum()
    for a, b in ((0, 2), (1, 2), (2, 0), (2, 1)):  # c has no label
        first = 9 + 2 * ordered(a, b, 3)
        assert not targets.weights[first:first + 2].any()


def test_cells_that_may_hide_a_keypoint_have_no_weight():
    known = KNOWN.copy()
    known[:, 48:] = 0
    scores = draw([((20, 28), None, None), ((84, 28), None, None)], known=known).weights[:3]
    assert scores[0, 3, 10] == 1 and scores[1, 3, 10] == 0  # the label itself is known
    assert scores[1, 3, 2] == 1 and not scores[1, :, 4:].any()  # 17 px are three cells
    region = np.array([[[0, 0], [40, 0], [40, 63], [0, 63]]], float)
    scores = draw([((20, 28), None, None)], regions=region).weights[:3]
    assert scores[0, 0, 0] == 1 and not scores[1, :, :5].any() and scores[1, :, 6:].all()
    assert not draw([((20, 28), None, None)], labelled=np.array([True, False, True])
                    ).weights[1].any()
    empty = draw([], pairwise=True)
    assert not empty.maps.any() and empty.weights[:3].all() and not empty.weights[3:].any()


def test_losses_are_cross_entropy_and_huber():
    family = make_family('part_locref', THREE)
    target, weights = torch.zeros(1, 9, 2, 2), torch.zeros(1, 9, 2, 2)
    target[0, 0, 0, 0], weights[0, 0] = 1, 1
    weights[0, 3, 0, 0] = weights[0, 4, 0, 0] = .05
    target[0, 3, 0, 0], target[0, 4, 0, 0] = .5, 3
    outputs = {'scores': torch.full((1, 3, 2, 2), 2.), 'offsets': torch.zeros(1, 6, 2, 2)}
    early, last = family.loss([{'scores': outputs['scores']}, outputs], target, weights, 3.)
    positive, negative = math.log(1 + math.exp(-2)), math.log(1 + math.exp(2))
    assert early.item() == pytest.approx((4 * positive + 3 * negative) / 4, rel=1e-6)
    # Of the two known values: .5^2 / 2 and 3 - 1 / 2, each with the weight .05.
    assert (last - early).item() == pytest.approx(.05 * (.125 + 2.5) / 2, rel=1e-5)


def test_pairwise_terms_are_compared_in_units_of_their_deviation():
    family = make_family('part_pairwise', THREE)
    target, weights = torch.zeros(1, 21, 2, 2), torch.zeros(1, 21, 2, 2)
    weights[0, 9, 0, 0], target[0, 9, 0, 0] = .05, 50.
    outputs = {'scores': torch.zeros(1, 3, 2, 2), 'offsets': torch.zeros(1, 6, 2, 2),
               'pairwise': torch.full((1, 12, 2, 2), 2.5),
               'mean': torch.full((6, 2), 40.), 'deviation': torch.full((6, 2), 5.)}
    [loss] = family.loss([outputs], target, weights, 0.)
    assert loss.item() == pytest.approx(.05 * .5 ** 2 / 2, rel=1e-6)  # (50 - 40) / 5 = 2


def test_statistics_are_those_of_all_people_with_both_keypoints():
    random = np.random.default_rng(0)
    people = random.uniform(0, 100, (50, 3, 3))
    people[:, :, 2] = random.random((50, 3)) < .7
    statistics = Statistics(3)
    for part in np.split(people, 5):
        statistics.add(part)
    mean, deviation, count = statistics.result()
    for a, b in ((0, 1), (2, 0)):
        both = (people[:, a, 2] > 0) & (people[:, b, 2] > 0)
        vectors = (people[:, b] - people[:, a])[both, :2]
        pair = ordered(a, b, 3)
        assert count[pair] == both.sum() > 10
        assert np.allclose(mean[pair], vectors.mean(0))
        assert np.allclose(deviation[pair], vectors.std(0))


@pytest.mark.parametrize('name', ['lite_part_detector', 'lite_part_pairwise'])
def test_the_decoder_of_the_robot_finds_the_people_in_the_targets(name):
    network = create_model(name, THREE, width=.25)
    people = [((21, 27), (30, 50), (13, 45)), ((75, 20), (70, 41), (83, 44))]
    if network.pairs is None:
        people = people[1:]
    else:
        network.pairs.set_statistics(np.zeros((6, 2)), np.ones((6, 2)))
        for pair in ((0, 1), (1, 2), (0, 2)):  # probable below a distance of 10 px
            network.pairs.set_model(*pair, np.zeros(8), np.ones(8), [-1, 0, -1, 0, 0, 0, 0, 0, 20])
    maps = draw(people, pairwise=network.pairs is not None).maps
    channels = np.cumsum(list(network.family.channels.values()))[:-1]
    outputs = dict(zip(network.family.channels, np.split(maps, channels)))
    outputs['scores'] = 20 * outputs['scores'] - 10
    decoder = create_decoder(make_card(network, ExportOptions((96, 64)), {}))
    decoder.check_outputs(outputs)
    found = decoder.decode(outputs).keypoints
    assert found.shape == (len(people), 3, 3)
    found = found[np.argsort(found[:, 0, 0])]
    assert np.abs(found[..., :2] - np.array(people)).max() < 1e-3
    assert found[..., 2] == pytest.approx(1 / (1 + math.exp(-10)))


def test_crops_may_keep_the_scale_of_the_image():
    image = np.zeros((60, 80, 3), np.uint8)
    one = sample([[(20, 30, 2)] * 18], size=(80, 60))
    ranges = CropRange(scale=(1.5, 1.5), rotation=0., shift=0., stretch=0., flip=0., free=0.)
    crop = draw_crop(image, None, one, (64, 64), ranges, range(18), np.random.default_rng(0))
    assert crop.scales[0] == pytest.approx(1.5 * max(one.boxes[0, 2:]))
    for wrong in ((0., 1.), (2., 1.), (-1., 1.)):
        with pytest.raises(ConfigError, match='crop, scale'):
            check_ranges(CropRange(scale=wrong))
    with pytest.raises(ConfigError, match='parts, radius: 0 is not above 0'):
        check_part_range(PartRange(radius=0))
