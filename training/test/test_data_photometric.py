# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Light, blur and noise change an image, but not its geometry."""
import numpy as np
import pytest

from pose_training.data.photometric import check_photometric, degrade, PhotometricRange
from pose_training.errors import ConfigError

STEPS = ('light', 'color', 'gray', 'blur', 'noise', 'dark', 'jpeg', 'erase')
NOTHING = PhotometricRange(**{step: 0. for step in STEPS})


def lamp():
    """Return an image of a light at (50, 40), symmetric on all sides."""
    y, x = np.mgrid[:81, :101]
    light = np.exp(-((x - 50) ** 2 + (y - 40) ** 2) / 200.)
    return (30 + 180 * light[..., None] * (1, .8, .6)).astype(np.uint8)


@pytest.mark.parametrize('step', STEPS)
def test_each_step_changes_the_image_and_keeps_the_original(step):
    image, ranges = lamp(), NOTHING._replace(**{step: 1.})
    before = image.copy()
    found = [degrade(image, ranges, np.random.default_rng(seed)) for seed in (0, 0, 1)]
    assert np.array_equal(image, before)
    assert found[0].dtype == np.uint8 and found[0].shape == image.shape
    assert np.array_equal(found[0], found[1])
    assert not np.array_equal(found[0], image)
    assert step == 'gray' or not np.array_equal(found[0], found[2])


def test_without_probabilities_nothing_changes():
    assert np.array_equal(degrade(lamp(), NOTHING, np.random.default_rng(0)), lamp())


@pytest.mark.parametrize('step', ['light', 'color', 'gray', 'blur', 'jpeg'])
def test_nothing_moves(step):
    y, x = np.mgrid[:81, :101]
    for seed in range(20):
        found = degrade(lamp(), NOTHING._replace(**{step: 1.}), np.random.default_rng(seed))
        light = found.astype(float).sum(-1)
        light -= np.median(light)
        light[np.hypot(x - 50, y - 40) > 30] = 0
        middle = np.array([(x * light).sum(), (y * light).sum()]) / light.sum()
        assert middle == pytest.approx((50, 40), abs=.25), (step, seed)


def test_noise_has_its_strength_and_no_bias():
    image = np.full((100, 100, 3), 128, np.uint8)
    sigmas = []
    for seed in range(20):
        found = degrade(image, NOTHING._replace(noise=1.), np.random.default_rng(seed))
        assert found.mean() == pytest.approx(128, abs=.7)
        sigmas.append(found.std())
    assert 2 <= min(sigmas) < max(sigmas) <= 18.5 and np.ptp(sigmas) > 5


def test_darkness_is_dark():
    found = [degrade(np.full((50, 50, 3), 200, np.uint8), NOTHING._replace(dark=1.),
                     np.random.default_rng(seed)).mean() for seed in range(20)]
    assert 20 < min(found) and max(found) < 92  # of .12 to .45 times 200


def test_steps_have_the_configured_frequency():
    ranges = NOTHING._replace(gray=.3)
    colors = [np.ptp(degrade(lamp(), ranges, np.random.default_rng(seed))[40, 50].astype(int))
              for seed in range(300)]
    assert .22 < np.mean(np.array(colors) == 0) < .38


@pytest.mark.parametrize('change, words', [
    ({'light': 1.2}, 'light: 1.2 is not between 0 and 1'), ({'noise_sigma': -1.}, 'noise_sigma'),
    ({'erase_extent': 2.}, 'erase_extent: 2.0'), ({'jpeg_quality': 0}, 'jpeg_quality: 0 is not')])
def test_invalid_ranges_are_rejected(change, words):
    check_photometric(PhotometricRange(jpeg_quality=100, erase_extent=1.))
    with pytest.raises(ConfigError, match='photometric, ' + words):
        check_photometric(PhotometricRange()._replace(**change))


def test_the_ends_of_the_ranges_work():
    ranges = PhotometricRange(**{step: 1. for step in STEPS}, jpeg_quality=100, erase_extent=1.)
    for seed in range(10):
        assert degrade(lamp(), ranges, np.random.default_rng(seed)).shape == (81, 101, 3)
