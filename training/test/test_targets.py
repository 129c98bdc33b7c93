# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Target maps: values and weights of cells, and people found by the robot's decoder."""
import numpy as np
import pytest

from coco_files import sample
from pose_ros.core.decoders import create_decoder
from pose_ros.core.paf_layouts import map_layout, MapLayout
from pose_ros.core.topology import get_topology
from pose_training.data.geometry import place, warp
from pose_training.families.paf.targets import draw_pafs, draw_heatmaps, make_targets
from pose_training.exporters.cards import make_card
from pose_training.exporters.export import ExportOptions
from pose_training.models import create_model

TINY = {'widths': [4, 8, 8, 8, 8], 'depths': [1, 1, 1, 1, 1], 'neck': 8, 'head': 8}
LAYOUT = map_layout('coco_18')
NECK, HIP, KNEE = 1, 8, 9  # right hip and knee; the PAFs of neck-hip and hip-knee are the first
KNOWN = np.ones((64, 96), np.uint8)


def no_people(count=1):
    """Return people without any keypoint."""
    return np.zeros((count, 18, 3), np.float32)


def test_a_heatmap_is_a_gaussian_about_the_keypoint():
    people = no_people()
    people[0, NECK] = (19.5, 27.5, 2)  # cell (2, 3): its center is at (2.5 * 8 - .5, 3.5 * 8 - .5)
    heatmaps = draw_heatmaps(people, (8, 12), 8, 7.)
    assert heatmaps.shape == (18, 8, 12) and heatmaps.dtype == np.float32
    assert heatmaps[NECK, 3, 2] == 1
    # One cell aside, 8 px: exp(-64 / 98); two aside and one down: exp(-(256 + 64) / 98).
    assert heatmaps[NECK, 3, 3] == pytest.approx(.52045, abs=1e-5)
    assert heatmaps[NECK, 4, 4] == pytest.approx(.03818, abs=1e-5)
    # Three aside: exp(-576 / 98) = .0028 is below .01, and set to 0.
    assert heatmaps[NECK, 3, 5] == 0
    assert not np.delete(heatmaps, NECK, 0).any()


def test_of_two_people_the_nearer_counts():
    people = no_people(2)
    people[0, NECK], people[1, NECK] = (20.2, 27.5, 1), (35.5, 27.5, 2)
    both = draw_heatmaps(people, (8, 12), 8, 7.)
    each = [draw_heatmaps(people[k:k + 1], (8, 12), 8, 7.) for k in (0, 1)]
    assert np.array_equal(both, np.maximum(*each))
    assert each[0][NECK, 3, 3] > each[1][NECK, 3, 3] > .5  # they overlap


def test_keypoints_outside_show_as_far_as_they_reach_in():
    people = no_people()
    people[0, NECK] = (-4.5, 27.5, 2)
    assert draw_heatmaps(people, (8, 12), 8, 7.)[NECK, 3, 0] == pytest.approx(np.exp(-64 / 98))
    people[0, NECK] = (-1e7, 2e7, 2)
    assert not draw_heatmaps(people, (8, 12), 8, 7.).any()


def limb(start, end):
    """Return one person with only a right thigh."""
    people = no_people()
    people[0, HIP], people[0, KNEE] = (*start, 2), (*end, 2)
    return people


def test_a_field_is_a_unit_vector_along_the_limb():
    # From (19.5, 19.5) 24 px right and 32 px down: the unit vector is (.6, .8).
    pafs = draw_pafs(limb((19.5, 19.5), (43.5, 51.5)), LAYOUT, (8, 12), 8, 8.)
    assert pafs.shape == (38, 8, 12)
    thigh = pafs[2:4]
    assert not np.delete(pafs, (2, 3), 0).any()
    for x, y, inside in (
            (2, 2, True), (5, 6, True), (3, 4, True),  # both ends, and between
            (3, 2, True),   # 8 px right of the hip: 6.4 px aside
            (4, 2, False),  # 16 px right of it: 12.8 px aside
            (2, 1, True),   # 8 px above: 6.4 px before the hip, 4.8 px aside
            (1, 1, False),  # 11.2 px before the hip
            (6, 7, False), (5, 7, True)):  # 11.2 and 6.4 px beyond the knee
        expected = (.6, .8) if inside else (0, 0)
        assert thigh[:, y, x] == pytest.approx(expected, abs=1e-6), (x, y)


def test_where_limbs_cross_the_field_is_their_mean():
    people = np.concatenate([limb((11.5, 27.5), (51.5, 27.5)), limb((27.5, 11.5), (27.5, 51.5))])
    thigh = draw_pafs(people, LAYOUT, (8, 12), 8, 8.)[2:4]
    assert thigh[:, 3, 3] == pytest.approx((.5, .5))  # on both
    assert thigh[:, 3, 5] == pytest.approx((1, 0))
    assert thigh[:, 5, 3] == pytest.approx((0, 1))


def test_the_axes_may_be_the_other_way_round():
    people = limb((11.5, 27.5), (51.5, 27.5))
    plain = draw_pafs(people, LAYOUT, (8, 12), 8, 8.)
    other = draw_pafs(people, LAYOUT._replace(axis_order='yx'), (8, 12), 8, 8.)
    assert np.array_equal(plain.reshape(-1, 2, 96)[:, ::-1], other.reshape(-1, 2, 96))
    assert plain[2, 3, 3] == other[3, 3, 3] == 1


def test_a_limb_needs_both_ends_and_a_length():
    for people in (limb((11.5, 27.5), (11.5, 27.5)), no_people()):
        assert not draw_pafs(people, LAYOUT, (8, 12), 8, 8.).any()
    one_end = limb((11.5, 27.5), (51.5, 27.5))
    one_end[0, KNEE, 2] = 0
    assert not draw_pafs(one_end, LAYOUT, (8, 12), 8, 8.).any()


def test_half_a_limb_shows_where_its_other_end_is_outside():
    pafs = draw_pafs(limb((11.5, 27.5), (500, 27.5)), LAYOUT, (8, 12), 8, 8.)
    assert pafs[2, 3].tolist() == [1] * 12  # the hip is in cell 1, and reaches 8 px back
    assert pafs[2, 2].tolist() == [1] * 12 and not pafs[2, 1].any()


def test_background_is_what_the_keypoints_leave():
    people = no_people()
    people[0, NECK], people[0, HIP] = (19.5, 27.5, 2), (35.5, 27.5, 2)
    targets = make_targets(people, np.ones(18, bool), KNOWN, LAYOUT, 8)
    assert targets.maps.shape == targets.weights.shape == (57, 8, 12)
    assert targets.maps.dtype == targets.weights.dtype == np.float32
    assert targets.maps[18, 3, 2] == 0 and targets.maps[18, 0, 11] == 1
    assert targets.maps[18, 3, 3] == pytest.approx(1 - np.exp(-64 / 98))
    assert (targets.weights == 1).all()
    none = make_targets(people[:0], np.ones(18, bool), KNOWN, LAYOUT, 8)
    assert (none.maps[18] == 1).all() and not np.delete(none.maps, 18, 0).any()
    no_background = map_layout('trt_pose_18')
    targets = make_targets(people, np.ones(18, bool), KNOWN, no_background, 8)
    assert len(targets.maps) == 18 + 42


def test_keypoints_that_a_dataset_lacks_have_no_weight_nor_have_their_limbs():
    labelled = np.ones(18, bool)
    labelled[KNEE] = False
    weights = make_targets(no_people(), labelled, KNOWN, LAYOUT, 8).weights
    assert not weights[KNEE].any() and not weights[18].any()  # nor the background
    lost = {k for k in range(57) if not weights[k].any()}
    pafs = {19 + 2 * k + axis for k, ends in enumerate(LAYOUT.limbs) if KNEE in ends
            for axis in (0, 1)}
    assert lost == {KNEE, 18} | pafs and len(pafs) == 4
    assert all((weights[k] == 1).all() for k in set(range(57)) - lost)


def test_cells_near_unlabelled_people_have_no_weight():
    known = KNOWN.copy()
    known[31, 40] = 0  # one pixel of cell (5, 3)
    people = no_people()
    people[0, NECK] = (43.5, 27.5, 2)  # its middle, nevertheless
    weights = make_targets(people, np.ones(18, bool), known, LAYOUT, 8).weights
    expected = np.ones((8, 12))
    expected[2:5, 4:7] = 0  # and a cell all round it: a Gaussian is 7 px wide
    assert np.array_equal(weights[0], expected) and np.array_equal(weights[18], expected)
    certain = expected.copy()
    certain[3, 4:7] = certain[2:5, 5] = 1  # the labelled keypoint is known: exp(-64 / 98) is > .5
    assert np.array_equal(weights[NECK], certain)


def test_a_keypoint_that_a_person_lacks_is_unknown_in_the_region_of_that_person():
    people = no_people(2)
    people[0, [NECK, HIP]] = [(27.5, 19.5, 2), (27.5, 35.5, 2)]  # no knee
    people[1, [NECK, HIP, KNEE]] = [(75.5, 11.5, 2), (75.5, 27.5, 2), (35.5, 43.5, 2)]
    regions = np.array([[[11.5, 11.5], [43.5, 11.5], [43.5, 51.5], [11.5, 51.5]],
                        [[67.5, 3.5], [83.5, 3.5], [83.5, 35.5], [67.5, 35.5]]])
    first, second = np.ones((8, 12), bool), np.ones((8, 12), bool)
    first[1:7, 1:6] = second[0:5, 8:11] = False
    weights = make_targets(people, np.ones(18, bool), KNOWN, LAYOUT, 8, regions=regions).weights
    assert (weights[NECK] == 1).all() and (weights[HIP] == 1).all()
    assert np.array_equal(weights[0] > 0, first & second)  # both lack the nose
    knee = first.copy()
    knee[5, 3:6] = knee[4:7, 4] = True  # but for the cells next to the other's knee
    assert np.array_equal(weights[KNEE] > 0, knee)
    thigh = first | (draw_pafs(people, LAYOUT, (8, 12), 8, 8.)[2:4] != 0).any(0)
    assert not thigh.all()  # the other's thigh is certain, the rest of the region is not
    assert np.array_equal(weights[19 + 2] > 0, thigh) and np.array_equal(weights[19 + 3],
                                                                         weights[19 + 2])
    assert (weights[19:21] == 1).all()  # neck and hip are labelled of both
    assert np.array_equal(weights[18] > 0, first & second)
    thorough = make_targets(people, np.ones(18, bool), KNOWN, LAYOUT, 8)
    assert (thorough.weights == 1).all()
    assert np.array_equal(thorough.maps, make_targets(people, np.ones(18, bool), KNOWN, LAYOUT, 8,
                                                      regions=regions).maps)


def test_formats_without_limbs_have_heatmaps_alone():
    layout = map_layout('hand_21')
    people = np.full((1, 21, 3), 20, np.float32)
    targets = make_targets(people, np.ones(21, bool), KNOWN, layout, 8)
    assert targets.maps.shape == (22, 8, 12) == targets.weights.shape
    assert MapLayout(get_topology('hand_21'), True, (), ()) == layout


def decode(maps, topology, stride=8):
    """Return the people that the robot's decoder finds in target maps."""
    network = create_model('repvgg_fpn', topology, stages=1, **TINY)
    width, height = maps.shape[2] * stride, maps.shape[1] * stride
    card = make_card(network, ExportOptions(size=(width, height)), {})
    return create_decoder(card).decode({'output': maps})


STANDING = {'nose': (0, 12), 'neck': (0, 34), 'eye': (7, 6), 'ear': (16, 12), 'shoulder': (24, 36),
            'elbow': (40, 70), 'wrist': (52, 104), 'hip': (16, 110), 'mid_hip': (0, 110),
            'knee': (22, 156), 'ankle': (26, 200), 'big_toe': (30, 218), 'small_toe': (42, 212),
            'heel': (18, 216)}


def standing(topology, left, top):
    """Return (K, 3): a person facing the camera, 220 px tall, with the left wrist raised."""
    keypoints = []
    for name in topology.keypoint_names:
        x, y = STANDING[name.replace('left_', '').replace('right_', '')]
        side = -1 if name.startswith('right_') else 1
        keypoints.append((left + side * x, top + y, 2))
    keypoints[topology.index('left_wrist')] = (left + 70, top + 30, 2)
    return np.array(keypoints, np.float32)


@pytest.mark.parametrize('topology', ['coco_18', 'body_25', 'trt_pose_18'])
@pytest.mark.parametrize('angle, scale', [(0, (1, 1)), (25, (.9, .9)), (-140, (1.3, 1.3)),
                                          (10, (-1, 1)), (-35, (-1.2, 1.1))])
def test_the_decoder_finds_the_keypoints_of_any_crop(topology, angle, scale):
    formed = get_topology(topology)
    people = np.stack([standing(formed, 130.3, 40.7), standing(formed, 290.6, 60.1)])
    labels = sample(people, (420, 300), topology=topology)
    matrix = place((210, 150), (320, 320), np.radians(angle), scale)
    crop = warp(np.zeros((300, 420, 3), np.uint8), None, labels, matrix, (640, 640), formed.mirror)
    targets = make_targets(crop.people, crop.labelled, crop.known, map_layout(topology), 8)
    found = decode(targets.maps, topology)
    assert len(found.scores) == 2
    # Where the map takes each keypoint, by matrices alone; mirrored people have the other arm up.
    twin = formed.mirror if scale[0] < 0 else range(formed.size)
    expected = (people[..., :2] @ matrix[:, :2].T + matrix[:, 2])[:, list(twin)]
    assert (expected > 0).all() and (expected < 639).all()
    order = [int(np.abs(expected[:, k] - person[k, :2]).sum(1).argmin())
             for person in found.keypoints for k in [formed.index('nose')]]
    assert sorted(order) == [0, 1]
    distance = np.linalg.norm(found.keypoints[..., :2] - expected[order], axis=-1)
    assert distance.max() < .05  # px, of cells of 8; not a keypoint is missing (NaN)
