# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Drawings of failures: the choice of the worst images, and their content."""
import cv2
import numpy as np
import pytest

from evaluated import annotation, detections, SIDE, symmetric_person
from pose_training.evaluation.failures import draw_failure, worst_images, write_failures

PERSON = symmetric_person()


@pytest.fixture
def found(tmp_path):
    """Return detections: 0 right, 1 a little off, 2 missed, 3 to 5 in images without people."""
    labels = [annotation(k, PERSON) for k in (0, 1, 2)]
    found = detections(tmp_path, labels, {
        0: [(PERSON, .9)], 1: [(PERSON + 3, .8)], 2: [(PERSON + 900, .7)],
        3: [(PERSON, .3)], 4: [(PERSON, .2), (PERSON, .6)], 5: []})
    for image in found.labels.images:
        cv2.imwrite(image.path, np.full((SIDE, SIDE, 3), 128, np.uint8))
    return found


def test_the_worst_come_first_and_what_is_right_does_not_come(found):
    worst = worst_images(found, 10)
    assert [(failure.image.id, failure.kind) for failure in worst] == [
        (2, 'oks'), (1, 'oks'), (4, 'empty'), (3, 'empty')]
    assert worst[0].value == 0. and .5 < worst[1].value < .95
    assert [failure.value for failure in worst[2:]] == pytest.approx([.6, .3])
    assert [failure.image.id for failure in worst_images(found, 1)] == [2, 4]


def test_the_mean_over_the_people_of_an_image_counts(tmp_path):
    labels = [annotation(0, PERSON), annotation(0, PERSON + 900), annotation(1, PERSON)]
    found = detections(tmp_path, labels, {0: [(PERSON, .9)], 1: [(PERSON + 900, .9)]})
    worst = worst_images(found, 10)
    assert [(failure.image.id, failure.value) for failure in worst] == [
        (1, 0.), (0, pytest.approx(.5))]


def test_files_are_named_by_rank_and_replace_those_of_an_earlier_run(found, tmp_path):
    folder = tmp_path / 'drawn'
    folder.mkdir()
    (folder / '007_oks_0.12_old.jpg').write_text('old')
    (folder / 'mine.jpg').write_text('mine')
    paths = write_failures(found, str(folder), 1)
    names = sorted(path.name for path in folder.iterdir())
    assert names == ['001_empty_0.60_4.jpg', '001_oks_0.00_2.jpg', 'mine.jpg']
    assert paths == [str(folder / names[1]), str(folder / names[0])]
    assert cv2.imread(paths[0]).shape[1] == 640  # small images are enlarged


def colors_at(image, points):
    """Return the median color (BGR) within a pixel of each point, given in the image."""
    zoom = image.shape[1] / SIDE
    places = np.rint((points + .5) * zoom - .5).astype(int)
    return np.array([np.median(image[y - 1:y + 2, x - 1:x + 2].reshape(-1, 3), 0)
                     for x, y in places])


def test_labels_are_green_and_people_found_are_red_with_light_left_sides(found):
    missed, off = worst_images(found, 2)[:2]
    blue, green, red = colors_at(draw_failure(found, missed), PERSON).T
    assert (green > blue + 50).all() and (green > red + 50).all()
    assert green[9] > green[10] + 50  # the left wrist is lighter than the right one
    # Wrists are small enough to be apart from the labels, which lie 4 px beside.
    blue, green, red = colors_at(draw_failure(found, off), PERSON + 3)[[9, 10, 15, 16]].T
    assert (red > green + 50).all() and (red > blue + 50).all()
    assert green[0] > green[1] + 50


def test_a_strip_below_shows_the_figure(found):
    image = draw_failure(found, worst_images(found, 1)[0])
    strip = image[640:]
    assert image.shape[1] == 640 and 10 < len(strip) < 60
    assert (strip > 200).any() and np.median(strip) == 0
