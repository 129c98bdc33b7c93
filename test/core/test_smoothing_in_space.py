# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Positions in meters are filtered as keypoints are in pixels."""
import bodies
import numpy as np
import pytest

from pose_ros.core.frame import Frame
from pose_ros.core.people import UNTRACKED
from pose_ros.core.stages import Smoothing

IMAGE = np.zeros((480, 640, 3), np.uint8)
METHODS = ('one_euro', 'kalman')
RATE = 30.0
POINTS = bodies.STANDING + (0, 0, 3)
WRIST = 9


def person(positions, track_id=1):
    people = bodies.seen(POINTS)
    return people._replace(track_ids=np.int32([track_id]), positions=np.float32(positions)[None])


def filtered(stage, positions, index, track_id=1, source=''):
    found, = stage([Frame(IMAGE, index / RATE, source, bodies.CAMERA)],
                   [person(positions, track_id)])
    return found.positions[0]


@pytest.mark.parametrize('method, most', [('one_euro', 0.5), ('kalman', 0.8)])
def test_still_positions_tremble_less(method, most):
    random, stage = np.random.RandomState(0), Smoothing(method)
    noise = random.normal(0, 0.01, (240, 17, 3))
    result = np.array([filtered(stage, POINTS + offset, k) for k, offset in enumerate(noise)])
    assert result[30:].std(0).mean() < most * noise[30:].std(0).mean()
    assert np.abs(result[30:].mean(0) - POINTS).max() < 0.005


@pytest.mark.parametrize('method, most', [('one_euro', 1.5), ('kalman', 0.5)])
def test_a_wave_towards_the_camera_is_followed(method, most):
    times = np.arange(240) / RATE
    wave, stage, depths = 0.3 * np.sin(2 * np.pi * times), Smoothing(method), []
    for k, away in enumerate(wave):
        positions = POINTS.copy()
        positions[WRIST, 2] += away
        depths.append(filtered(stage, positions, k)[WRIST, 2] - POINTS[WRIST, 2])
    turned = np.exp(-2j * np.pi * times[30:])
    lag = -np.angle((depths[30:] * turned).sum() / (wave[30:] * turned).sum())
    assert -0.1 < lag / (2 * np.pi) * RATE < most
    assert max(depths[30:]) == pytest.approx(0.3, rel=0.2)


@pytest.mark.parametrize('method', METHODS)
def test_a_short_hole_is_filled_and_a_long_one_is_not(method):
    stage, hole = Smoothing(method), POINTS.copy()
    hole[WRIST] = np.nan
    for k in range(10):
        filtered(stage, POINTS, k)
    np.testing.assert_allclose(filtered(stage, hole, 13)[WRIST], POINTS[WRIST], atol=0.01)
    after = filtered(stage, hole, 17)
    assert np.isnan(after[WRIST]).all() and np.isfinite(after).all(1).sum() == 16
    np.testing.assert_allclose(filtered(stage, POINTS + 0.2, 60)[WRIST], POINTS[WRIST] + 0.2,
                               atol=1e-5)


@pytest.mark.parametrize('method', METHODS)
def test_a_frame_without_depth_between_others(method):
    stage, nothing = Smoothing(method), np.full((17, 3), np.nan)
    assert np.isnan(filtered(stage, nothing, 0)).all()
    np.testing.assert_allclose(filtered(stage, POINTS, 1), POINTS, atol=1e-5)
    np.testing.assert_allclose(filtered(stage, nothing, 2), POINTS, atol=0.01)
    assert np.isnan(filtered(stage, nothing, 20)).all()


@pytest.mark.parametrize('method', METHODS)
def test_untracked_people_pass_and_cameras_are_apart(method):
    stage, alone = Smoothing(method), Smoothing(method)
    for k in range(5):
        moved = POINTS + 0.1 * (k % 2)
        np.testing.assert_array_equal(filtered(stage, moved, k, UNTRACKED, 'rear'),
                                      np.float32(moved))
        np.testing.assert_array_equal(filtered(stage, moved, k, 1, 'front'),
                                      filtered(alone, moved, k))


@pytest.mark.parametrize('method', METHODS)
def test_positions_of_hands_are_filtered_too(method):
    stage, noise, found = Smoothing(method), np.random.RandomState(0).normal(0, .01, 120), []
    hand = np.full((1, 21, 3), 0.8, np.float32)
    for k, offset in enumerate(noise):
        people = person(POINTS)._replace(
            parts={'left_hand': hand},
            part_positions={'left_hand': np.full((1, 21, 3), 1 + offset, np.float32)})
        if k == 100:  # a frame without depth
            people = people._replace(positions=people.positions * np.nan, part_positions={})
        result, = stage([Frame(IMAGE, k / RATE, '', bodies.CAMERA)], [people])
        found.append(result.part_positions['left_hand'][0, 20])
    found = np.array(found)
    assert found.shape == (120, 3) and abs(found[30:].mean() - 1) < 0.005
    assert found[30:].std() < 0.8 * noise[30:].std()
