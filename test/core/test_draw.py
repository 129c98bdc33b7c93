# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Drawing: what is seen is drawn where it is, and nothing else."""
import numpy as np
import pytest

from pose_ros.core.draw import draw_people
from pose_ros.core.people import make_people, no_people
from pose_ros.core.topology import get_topology

COCO = get_topology('coco_18')
GREY = 40


def canvas(width=640, height=480):
    return np.full((height, width, 3), GREY, np.uint8)


def changed(image):
    return (image != GREY).any(-1)


def make_keypoints(points, score=0.9):
    """One person with the given keypoints {index: (x, y)}."""
    keypoints = np.zeros((1, 18, 3))
    for index, (x, y) in points.items():
        keypoints[0, index] = x, y, score
    return keypoints


def people(points, score=0.9, track_ids=None):
    return make_people(make_keypoints(points), [score], track_ids)


ARM = {2: (200, 100), 3: (300, 200), 4: (400, 300)}


def test_no_people_leave_the_image_unchanged():
    image = draw_people(canvas(), no_people(COCO), COCO)
    assert not changed(image).any()


def test_draws_in_place_and_returns_the_same_array():
    image = canvas()
    assert draw_people(image, people(ARM), COCO) is image


def test_keypoints_are_drawn_in_their_colors():
    image = draw_people(canvas(), people(ARM), COCO, labels=False)
    colors = COCO.keypoint_colors()
    for keypoint, (x, y) in ARM.items():
        assert tuple(image[y, x].tolist()) == colors[keypoint]


def test_limbs_are_drawn_in_their_colors():
    image = draw_people(canvas(), people(ARM), COCO, labels=False)
    colors = dict(zip(COCO.limbs, COCO.limb_colors()))
    assert tuple(image[150, 250].tolist()) == colors[(2, 3)]
    assert tuple(image[250, 350].tolist()) == colors[(3, 4)]


def test_other_pixels_are_unchanged():
    image = draw_people(canvas(), people(ARM), COCO, labels=False)
    rows, columns = np.nonzero(changed(image))
    # All within a few pixels of the diagonal from (200, 100) to (400, 300).
    assert np.abs(columns - rows - 100).max() <= 5
    assert (columns.min(), columns.max()) == (pytest.approx(196, abs=2), pytest.approx(404, abs=2))


def test_missing_keypoints_and_their_limbs_are_skipped():
    image = draw_people(canvas(), people({2: (200, 100), 4: (400, 300)}), COCO, labels=False)
    drawn = changed(image)
    assert drawn[100, 200] and drawn[300, 400]
    drawn[90:110, 190:210] = drawn[290:310, 390:410] = False
    assert not drawn.any()  # no limb to or from the missing elbow


def test_a_person_without_keypoints_is_skipped():
    nobody = make_people(np.zeros((1, 18, 3)), [0.9])
    assert not changed(draw_people(canvas(), nobody, COCO)).any()


def test_sub_pixel_positions_matter():
    whole, shifted = (draw_people(canvas(), people({4: (x, 300)}), COCO, labels=False)
                      for x in (400, 400.5))
    columns = np.arange(640)
    centers = [(weight * columns).sum() / weight.sum() for weight in
               (np.abs(image.astype(float) - GREY).sum((0, 2)) for image in (whole, shifted))]
    assert centers[0] == pytest.approx(400, abs=0.1)
    assert centers[1] - centers[0] == pytest.approx(0.5, abs=0.15)


def test_scores_and_ids_are_drawn():
    plain = draw_people(canvas(), people(ARM), COCO, labels=False)
    scored = draw_people(canvas(), people(ARM, 0.9), COCO)
    other = draw_people(canvas(), people(ARM, 0.3), COCO)
    tracked = draw_people(canvas(), people(ARM, 0.9, np.array([7])), COCO)
    renamed = draw_people(canvas(), people(ARM, 0.9, np.array([8])), COCO)
    images = [plain, scored, other, tracked, renamed]
    for index, one in enumerate(images):
        for two in images[index + 1:]:
            assert (one != two).any()
    label = (scored != plain).any(-1)
    rows, columns = np.nonzero(label)
    assert rows.max() < 110 and 190 < columns.min() and columns.max() < 300  # above the box
    # '#7 0.90' is wider than '0.90'.
    assert np.nonzero((tracked != plain).any(-1))[1].max() > columns.max() + 10


@pytest.mark.parametrize('x, y', [(0, 0), (639, 0), (0, 479), (639, 479), (635, 2)])
def test_labels_stay_on_the_image(x, y):
    person = people({4: (x, y)}, track_ids=np.array([123]))
    plain = draw_people(canvas(), person, COCO, labels=False)
    label = (draw_people(canvas(), person, COCO) != plain).any(-1)
    inner = draw_people(canvas(), people({4: (300, 200)}, track_ids=np.array([123])), COCO) \
        != draw_people(canvas(), people({4: (300, 200)}), COCO, labels=False)
    # Nearly the whole text is visible (the border or the keypoint may cover a part).
    assert label.sum() > 0.75 * inner.any(-1).sum()


@pytest.mark.parametrize('points', [{4: (-3000, 100)}, {3: (-200, -200), 4: (900, 700)},
                                    {3: (1e6, -1e6), 4: (320, 240)}])
def test_keypoints_outside_the_image_are_accepted(points):
    image = draw_people(canvas(), people(points), COCO)
    assert image.shape == (480, 640, 3)


def test_lines_grow_with_the_image():
    thin = changed(draw_people(canvas(), people(ARM), COCO, labels=False))
    large = {keypoint: (x * 4, y * 4) for keypoint, (x, y) in ARM.items()}
    thick = changed(draw_people(canvas(2560, 1920), people(large), COCO, labels=False))
    assert thick.sum() / float(thin.sum()) == pytest.approx(16, rel=0.25)


@pytest.mark.parametrize('size', [(1, 1), (3, 2), (48, 48)])
def test_small_images(size):
    assert changed(draw_people(canvas(*size), people({4: (0, 0)}), COCO)).any()


def test_every_person_is_drawn():
    keypoints = np.concatenate([make_keypoints({4: (100, 100)}), make_keypoints({4: (500, 400)})])
    two = make_people(keypoints, [0.9, 0.8])
    drawn = changed(draw_people(canvas(), two, COCO, labels=False))
    assert drawn[100, 100] and drawn[400, 500]


@pytest.mark.parametrize('name', ['coco_17', 'body_25', 'hand_21', 'face_70'])
def test_other_formats(name):
    topology = get_topology(name)
    keypoints = np.random.RandomState(0).uniform(50, 400, (1, topology.size, 3))
    keypoints[..., 2] = 0.9
    person = make_people(keypoints, [0.9])
    drawn = changed(draw_people(canvas(), person, topology, labels=False))
    points = np.round(keypoints[0, :, :2]).astype(int)
    assert drawn[points[:, 1], points[:, 0]].all()
