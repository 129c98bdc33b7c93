# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Each setting of the PAF decoder has the described effect, and no other."""
import models
import numpy as np
import pytest

from pose_ros.core.decoders import create_decoder

WIDTH, HEIGHT = 320, 256
STANDING = models.tiny_people()[0] - (38.2, 64)  # round the middle
PERSON = STANDING * 2.6 + (160, 128)
SHIN, KNEE, ANKLE = models.LIMBS.index((9, 10)), 9, 10  # the right one
KNEE_CELL, ANKLE_CELL = (PERSON[[KNEE, ANKLE]] + 0.5) / 8 - 0.5
SHIN_UNIT = (ANKLE_CELL - KNEE_CELL) / np.linalg.norm(ANKLE_CELL - KNEE_CELL)


def decode(maps, **settings):
    data = models.card_data()
    data['input'].update(width=WIDTH, height=8 * maps.shape[1])
    settings, selection = models.split_settings(settings)
    decoder = create_decoder(models.tiny_card(input=data['input'], settings=settings))
    return models.decoded(decoder, {'output': maps}, **selection)


def draw(people, height=HEIGHT, **options):
    return models.draw_maps(people, WIDTH, height, **options)


@pytest.fixture
def maps():
    """One large person in the middle."""
    return draw([PERSON])


def shin(maps):
    """Return a view of the PAF of the right shin, (2, h, w)."""
    return maps[19 + 2 * SHIN:21 + 2 * SHIN]


def test_blur_sigma(maps):
    """The blur removes a spike of one cell; other keypoints stay in place."""
    assert np.abs(decode(maps).keypoints - decode(maps, blur_sigma=0.0).keypoints)[0].max() < 0.3
    column, row = np.round(ANKLE_CELL).astype(int)
    maps[ANKLE] = 0
    maps[ANKLE, row, column] = 0.12
    assert decode(maps, blur_sigma=0.0).keypoints[0, ANKLE, 2] == pytest.approx(0.12)
    assert decode(maps, blur_sigma=1.0).keypoints[0, ANKLE, 2] == 0  # 0.12 / (2 pi) = 0.02


def test_peak_threshold(maps):
    maps[ANKLE] *= 0.4
    assert decode(maps).detected().all()
    found = decode(maps, peak_threshold=0.45)
    assert found.detected()[0].tolist() == [part != ANKLE for part in range(18)]
    assert decode(maps, peak_threshold=1.0).count == 0


def test_peak_radius(maps):
    """Two people three cells apart: a radius above that leaves one of them."""
    two = draw([STANDING + (70, 60), STANDING + (94, 60)], sigma=0.8)
    assert decode(two, duplicate_oks=1.0, blur_sigma=0.5).count == 2
    found = decode(two, duplicate_oks=1.0, blur_sigma=0.5, peak_radius=3.5)
    assert found.count == 1


@pytest.mark.parametrize('samples, joined', [(2, True), (10, False)])
def test_limb_samples(maps, samples, joined):
    """With two samples, PAFs at a quarter and at three quarters of the limb are enough."""
    rows, columns = np.mgrid[:HEIGHT // 8, :WIDTH // 8]
    near = np.zeros(rows.shape, bool)
    for part in (0.25, 0.75):
        x, y = KNEE_CELL + part * (ANKLE_CELL - KNEE_CELL)
        near |= (np.abs(columns - x) < 1) & (np.abs(rows - y) < 1)
    shin(maps)[:] = SHIN_UNIT[:, None, None] * near
    found = decode(maps, limb_samples=samples, limb_threshold=0.5, limb_support=0.95)
    assert found.detected()[0, ANKLE] == joined


@pytest.mark.parametrize('field, threshold, joined', [
    (0.3, 0.05, True), (0.3, 0.25, True), (0.3, 0.35, False), (0.03, 0.05, False),
    (0.03, 0.0, True)])
def test_limb_threshold(maps, field, threshold, joined):
    shin(maps)[:] *= field
    assert decode(maps, limb_threshold=threshold).detected()[0, ANKLE] == joined


@pytest.mark.parametrize('support, joined', [(0.0, True), (0.4, True), (0.7, False), (1.0, False)])
def test_limb_support(maps, support, joined):
    """The PAF covers the upper half of the shin: about half of the samples support it."""
    middle = (KNEE_CELL + ANKLE_CELL)[1] / 2
    shin(maps)[:, int(round(middle)):] = 0
    assert decode(maps, limb_support=support).detected()[0, ANKLE] == joined


def test_full_support_is_reachable(maps):
    """Ten of ten samples, and 0.7 of ten, are met by a whole limb in spite of rounding."""
    assert decode(maps, limb_support=1.0).detected()[0, ANKLE]
    for samples in (3, 7, 10, 100):
        assert decode(maps, limb_support=1.0, limb_samples=samples).detected()[0, ANKLE]


def test_limb_length(maps):
    """Beyond the limit a limb loses 1 - limit / length, and below zero it is not joined at all."""
    shin_length, thigh_length = (float(np.linalg.norm(PERSON[a] - PERSON[b])) / HEIGHT
                                 for a, b in ((9, 10), (8, 9)))
    assert thigh_length > shin_length
    shin(maps)[:] *= 0.5
    kept = decode(maps, limb_length=1.02 * 0.5 * shin_length)  # 0.5 - (1 - 0.51) > 0
    lost = decode(maps, limb_length=0.98 * 0.5 * shin_length)
    assert kept.detected()[0, [KNEE, ANKLE]].tolist() == [True, True]
    assert lost.detected()[0, [KNEE, ANKLE]].tolist() == [True, False]
    assert decode(maps).scores[0] - kept.scores[0] > 0.1
    free = decode(maps, limb_length=1.01 * thigh_length)  # the longest limbs are neck to hip
    assert free.scores[0] < decode(maps, limb_length=10.0).scores[0] == decode(maps).scores[0]


def test_length_is_measured_in_map_heights(maps):
    tall = draw([PERSON], height=2 * HEIGHT)
    short_limit, tall_limit = decode(maps, limb_length=0.1), decode(tall, limb_length=0.05)
    assert short_limit.scores[0] == pytest.approx(tall_limit.scores[0], abs=1e-5)
    assert short_limit.scores[0] < decode(maps).scores[0] - 0.1


@pytest.mark.parametrize('settings, count', [
    ({}, 2), ({'min_keypoints': 18}, 2), ({'min_keypoints': 19}, 0), ({'min_score': 0.5}, 1),
    ({'max_people': 1}, 1), ({'max_people': 2}, 2), ({'min_score': 1.0}, 0)])
def test_choice_of_people(settings, count):
    maps = draw(models.tiny_people())
    maps[..., 10:] *= 0.45  # the second person is fainter
    found = decode(maps, **settings)
    assert found.count == count
    if count:
        assert found.keypoints[0, :, 0].max() < 80  # the better one is the first


def test_duplicate_oks():
    """Two people three cells apart are alike by about 0.04."""
    maps = draw([STANDING + (70, 60), STANDING + (94, 60)], sigma=0.8)
    assert decode(maps, blur_sigma=0.5, duplicate_oks=0.9).count == 2
    assert decode(maps, blur_sigma=0.5, duplicate_oks=0.01).count == 1


def test_min_keypoints_counts_detected_keypoints():
    person = PERSON.copy()
    person[4:] = np.nan  # nose, neck, shoulder and elbow are left
    maps = draw([person])
    assert decode(maps).count == 1
    assert decode(maps, min_keypoints=5).count == 0
