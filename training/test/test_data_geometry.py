# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Crops: image, keypoints and masks are mapped equally, to a fraction of a pixel."""
import cv2
import numpy as np
import pytest

from coco_files import sample
from pose_ros.core.paf_layouts import map_layout
from pose_ros.core.topology import get_topology
from pose_training.data.geometry import (check_ranges, cover, CropRange, draw_crop, place, scaled,
                                         warp)
from pose_training.families.paf.targets import make_targets
from pose_training.errors import ConfigError

TOPOLOGY = get_topology('coco_18')
LAYOUT, MIRROR = map_layout('coco_18'), TOPOLOGY.mirror
NO_PEOPLE = np.zeros((0, 18, 3))


def noise(width, height, seed=0):
    """Return an image without equal neighbors."""
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)


def blob(width, height, point, sigma):
    """Return an image of one light at a point [px] (pixel centers are integers)."""
    y, x = np.mgrid[:height, :width]
    light = 255 * np.exp(-((x - point[0]) ** 2 + (y - point[1]) ** 2) / (2 * sigma ** 2))
    return np.repeat(np.rint(light).astype(np.uint8)[..., None], 3, 2)


def middle(image):
    """Return the center of the light of an image."""
    light = image[..., 0].astype(float)
    y, x = np.mgrid[:light.shape[0], :light.shape[1]]
    return np.array([(x * light).sum(), (y * light).sum()]) / light.sum()


def lit_crop(matrix, point=(151.25, 97.5), size=(160, 144)):
    """Warp an image with a light at the nose of a person; return the crop."""
    people = np.zeros((1, 18, 3))
    people[0, 0] = (*point, 2)
    zoom = np.sqrt(abs(np.linalg.det(matrix[:, :2])))
    image = blob(301, 203, point, max(3., 3. / zoom))  # 3 px in the crop, or in the image
    return warp(image, None, sample(people, (301, 203)), matrix, size, MIRROR)


@pytest.mark.parametrize('angle', [0, 33, -130])
@pytest.mark.parametrize('scale', [(1, 1), (2.3, 2.3), (.37, .37), (.25, .25), (.12, .12),
                                   (-1, 1), (-.2, .21), (-1.7, 1.6)])
def test_the_image_and_its_keypoints_are_mapped_equally(angle, scale):
    # .37, .25 and .12 are averaged over 2, 3 and 6 pixels first; 203 and 301 are no multiples.
    crop = lit_crop(place((151.75, 98), (83.3, 70.9), np.radians(angle), scale))
    assert crop.image.shape == (144, 160, 3) and crop.people[0, 0, 2] == 2
    assert crop.people[0, 0, :2] == pytest.approx((82.8, 70.4), abs=1e-4)
    assert middle(crop.image) == pytest.approx(crop.people[0, 0, :2], abs=.03)


def test_a_shift_by_whole_pixels_is_a_slice():
    image, mask = noise(60, 50), np.zeros((50, 60), np.uint8)
    mask[20:30, 10:20] = 1
    people = np.zeros((1, 18, 3))
    people[0, :2] = [(12, 22, 2), (50, 40, 1)]
    crop = warp(image, mask, sample(people, (60, 50), [[10, 20, 10, 10]]),
                np.array([[1., 0, 5], [0, 1, -15]]), (40, 48), MIRROR, border=77)
    assert np.array_equal(crop.image[:35, 5:], image[15:, :35])
    assert (crop.image[:, :5] == 77).all() and (crop.image[35:] == 77).all()
    assert crop.people[0, :2].tolist() == [[17, 7, 2], [55, 25, 1]]  # the second lies outside
    expected = np.ones((48, 40), np.uint8)
    expected[5:15, 15:25] = 0
    assert np.array_equal(crop.known, expected)
    assert crop.scales == pytest.approx([10])
    # The box, from 9.5 to 19.5 and 19.5 to 29.5, grown by a fifth of 10.
    assert crop.regions[0].tolist() == [[12.5, 2.5], [26.5, 2.5], [26.5, 16.5], [12.5, 16.5]]
    assert warp(image, mask, sample(people, all_visible_keypoints_annotated=True), np.eye(2, 3),
                (40, 48),
                MIRROR).regions is None


def swapped(maps):
    """Mirror maps by hand: columns, channels of left and right, and the x of PAFs."""
    names, first_paf = TOPOLOGY.keypoint_names, len(TOPOLOGY.keypoint_names) + 1
    twin = {name: name.replace('left', 'RIGHT').replace('right', 'left').lower() for name in names}
    limbs = [(names[a], names[b]) for a, b in LAYOUT.limbs]
    result = np.empty_like(maps)
    for k, name in enumerate(names):
        result[names.index(twin[name])] = maps[k, :, ::-1]
    result[first_paf - 1] = maps[first_paf - 1, :, ::-1]
    for k, (a, b) in enumerate(limbs):
        other = first_paf + 2 * limbs.index((twin[a], twin[b]))
        result[other] = -maps[first_paf + 2 * k, :, ::-1]
        result[other + 1] = maps[first_paf + 2 * k + 1, :, ::-1]
    return result


def test_a_mirrored_crop_is_the_mirror_of_the_crop():
    random = np.random.default_rng(3)
    image, mask = noise(200, 160), np.zeros((160, 200), np.uint8)
    mask[100:, 150:] = 1
    people = np.concatenate([random.uniform(20, 150, (2, 18, 2)),
                             random.integers(0, 3, (2, 18, 1))], -1)
    labels = sample(people, (200, 160), [[30, 20, 90, 110], [20, 20, 130, 130]],
                    labelled=np.arange(18) != TOPOLOGY.index('left_wrist'))
    matrix = place((90, 80), (64, 60), .4, (.8, .9))
    mirrored = np.array([[-1, 0, 127], [0, 1, 0]]) @ np.vstack([matrix, (0, 0, 1)])
    crops = [warp(image, mask, labels, m, (128, 128), MIRROR, 60) for m in (matrix, mirrored)]
    plain, other = [make_targets(crop.people, crop.labelled, crop.known, LAYOUT, 8,
                                 regions=crop.regions) for crop in crops]
    difference = np.abs(crops[0].image[:, ::-1].astype(int) - crops[1].image)
    assert difference.max() <= 3  # OpenCV places samples on 1/32 px
    assert np.array_equal(crops[0].known[:, ::-1], crops[1].known)
    assert np.abs(swapped(plain.maps) - other.maps).max() < 1e-4
    assert np.array_equal(np.abs(swapped(plain.weights)), other.weights)
    assert 0 < plain.weights.mean() < 1 and np.abs(plain.maps[19:]).sum() > 50
    # What the set lacks on the left is lacking on the right of a mirrored person.
    assert [k for k in range(18) if not crops[1].labelled[k]] == [TOPOLOGY.index('right_wrist')]


def test_the_maps_of_a_crop_are_the_crop_of_the_maps():
    random = np.random.default_rng(1)
    people = np.concatenate([random.uniform(-20, 220, (3, 18, 2)), np.full((3, 18, 1), 2)], -1)
    labels = sample(people, (192, 192))

    def maps(left, top, side):
        shift = np.array([[1., 0, -left], [0, 1, -top]])
        crop = warp(noise(192, 192), None, labels, shift, (side, side), MIRROR)
        return make_targets(crop.people, crop.labelled, crop.known, LAYOUT, 8,
                            regions=crop.regions)
    whole, part = maps(0, 0, 192), maps(40, 64, 96)
    assert np.abs(whole.maps[:, 8:20, 5:17] - part.maps).max() < 1e-4
    assert np.array_equal(whole.weights[:, 8:20, 5:17], part.weights)


def test_labels_follow_a_resized_image_on_each_axis():
    people = np.zeros((1, 18, 3))
    people[0, 0] = (99, 49, 2)  # the last pixel of 100 x 50
    found = scaled(sample(people, (100, 50), [[0, 0, 100, 50]]), (33, 17))
    assert found.people[0, 0] == pytest.approx((33 - .5 - .165, 17 - .5 - .17, 2))
    assert found.boxes[0] == pytest.approx((0, 0, 33, 17))
    same = sample(people, (100, 50))
    assert scaled(same, (100, 50)) is same


@pytest.mark.parametrize('width, height', [(1, 1), (3, 2), (1, 500), (2000, 3)])
def test_images_of_any_size_can_be_cropped(width, height):
    people = np.zeros((1, 18, 3))
    people[0, 0] = (0, 0, 2)
    for number in range(20):
        random = np.random.default_rng(number)
        for labels in (sample(people, (width, height)), sample(NO_PEOPLE, (width, height))):
            crop = draw_crop(noise(width, height), np.ones((height, width), np.uint8), labels,
                             (64, 48), CropRange(background=.5), MIRROR, random)
            assert crop.image.shape == (48, 64, 3) and crop.known.shape == (48, 64)
            assert np.isfinite(crop.people).all()


def test_crops_have_the_configured_size_rotation_and_mirroring():
    people = np.zeros((1, 18, 3))
    people[0, :2] = [(100, 40, 2), (100, 139, 2)]  # upright, and 100 px tall with its edges
    labels = sample(people, (200, 200), [[80, 39.5, 20, 100]])
    ranges = CropRange(height=(.4, .8), rotation=30, shift=.1, stretch=0, free=0, flip=.3)
    lengths, angles, flips, middles = [], [], [], []
    for number in range(300):
        crop = draw_crop(np.zeros((200, 200, 3), np.uint8), None, labels, (128, 128), ranges,
                         MIRROR, np.random.default_rng(number))
        along = crop.people[0, 1, :2] - crop.people[0, 0, :2]
        lengths.append(np.hypot(*along) / 99 * 100 / 128)
        angles.append(np.degrees(np.arctan2(-along[0], along[1])))
        corners = crop.regions[0]
        flips.append(np.cross(np.append(corners[1] - corners[0], 0),
                              np.append(corners[2] - corners[1], 0))[2] < 0)
        middles.append(corners.mean(0))
    assert .4 <= min(lengths) < .42 and .77 < max(lengths) <= .8 + 1e-9
    assert -30.001 <= min(angles) < -25 and 25 < max(angles) <= 30.001
    assert .22 < np.mean(flips) < .38
    assert np.abs(np.array(middles) - 63.5).max() == pytest.approx(12.8, abs=.3)


def test_the_same_seed_draws_the_same_crop():
    labels = sample(np.full((1, 18, 3), 50.), (100, 100))
    crops = [draw_crop(noise(100, 100), None, labels, (64, 64), CropRange(), MIRROR,
                       np.random.default_rng(seed)) for seed in (5, 5, 6)]
    assert np.array_equal(crops[0].image, crops[1].image)
    assert np.array_equal(crops[0].people, crops[1].people)
    assert not np.array_equal(crops[0].image, crops[2].image)


def test_the_outside_is_another_image():
    image, other = noise(50, 40), noise(64, 64, 1)
    labels = sample(NO_PEOPLE, (50, 40))
    matrix = np.array([[.9, .2, 12], [-.2, .9, 20]])
    gray = warp(image, None, labels, matrix, (64, 64), MIRROR, 0)
    filled = warp(image, None, labels, matrix, (64, 64), MIRROR, other)
    inside = cv2.warpAffine(np.ones((40, 50), np.float32), matrix, (64, 64))
    assert np.array_equal(filled.image[inside == 1], gray.image[inside == 1])
    assert np.array_equal(filled.image[inside == 0], other[inside == 0])
    assert .2 < (inside == 1).mean() < .8
    assert filled.known.all()
    assert np.array_equal(other, noise(64, 64, 1))  # not drawn upon


def test_a_reflection_of_people_is_unknown():
    image = noise(50, 40)
    people = np.zeros((1, 18, 3))
    people[0, 0] = (44, 20, 2)
    matrix = np.array([[1., 0, 0], [0, 1, 0]])
    for complete in (True, False):
        labels = sample(people, (50, 40), [[40, 10, 10, 20]], all_people_annotated=complete)
        crop = warp(image, None, labels, matrix, (100, 40), MIRROR, None)
        assert np.array_equal(crop.image, np.concatenate([image, image[:, ::-1]], 1))
        expected = np.ones((40, 100), np.uint8)
        # The box, 4 px larger all round: columns 36 to 49 are 50 to 63 in the mirror.
        expected[6:34, 50:64] = 0
        if not complete:
            expected[:, 50:] = 0
        assert np.array_equal(crop.known, expected)


def test_the_background_is_drawn_only_where_the_image_ends():
    calls = []

    def backdrop(size, random):
        calls.append(size)
        return np.full((size[1], size[0], 3), 99, np.uint8)
    people = np.full((1, 18, 3), 50.)
    labels = sample(people, (100, 100), [[30, 30, 40, 40]])
    draw = {'background': 1., 'shift': 0, 'rotation': 0, 'stretch': 0, 'free': 0}
    for height, filled in ((1., False), (.1, True)):
        crop = draw_crop(noise(100, 100), None, labels, (64, 48),
                         CropRange(height=(height, height), **draw), MIRROR,
                         np.random.default_rng(0), backdrop)
        assert (calls == [(64, 48)]) == filled
        assert (crop.image[0, 0] == 99).all() == filled
    draw_crop(noise(100, 100), None, labels, (64, 48),
              CropRange(height=(.1, .1), **{**draw, 'background': 0.}), MIRROR,
              np.random.default_rng(0), backdrop)
    assert len(calls) == 1


def test_a_backdrop_fills_a_crop_from_within_its_image():
    for number in range(30):
        random = np.random.default_rng(number)
        width, height = random.integers(5, 400, 2)
        found = cover(np.full((height, width, 3), 200, np.uint8), (64, 48), random)
        assert found.shape == (48, 64, 3) and (found == 200).all()
    image = noise(64, 48)
    found = [cover(image, (64, 48), np.random.default_rng(number)) for number in range(4)]
    assert not np.array_equal(found[0], found[1])


@pytest.mark.parametrize('change, words', [
    ({'height': (0., 1.)}, r'height: \[0.0, 1.0\]'), ({'height': (1., .5)}, 'height'),
    ({'flip': 1.5}, 'flip: 1.5 is not a probability'), ({'mosaic': -.1}, 'mosaic'),
    ({'rotation': -1.}, 'rotation: -1.0 is below 0'), ({'max_side': 8}, 'max_side: 8 px')])
def test_empty_ranges_are_rejected(change, words):
    check_ranges(CropRange())
    with pytest.raises(ConfigError, match='crop, ' + words):
        check_ranges(CropRange(**change))
