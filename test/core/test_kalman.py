# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest

from pose_ros.core.kalman import corrected, initial_motion, predicted


def textbook(measured, seconds, density, variance):
    """One axis with matrices."""
    state, spread = np.array([measured[0], 0]), np.diag([variance, 100.0])
    for value, dt in zip(measured[1:], seconds):
        step = np.array([[1, dt], [0, 1]])
        noise = density * np.array([[dt ** 3 / 3, dt ** 2 / 2], [dt ** 2 / 2, dt]])
        state, spread = step.dot(state), step.dot(spread).dot(step.T) + noise
        gain = spread[:, 0] / (spread[0, 0] + variance)
        state = state + gain * (value - state[0])
        spread = spread - np.outer(gain, spread[0])
    return state, spread


def test_equals_the_filter_with_matrices_at_uneven_times():
    random = np.random.RandomState(0)
    measured, seconds = random.normal(0, 5, (50, 2, 1)), random.uniform(0.01, 0.5, 49)
    motion = initial_motion(measured[0], np.full(2, 4.0), np.full(2, 100.0))
    for value, dt in zip(measured[1:], seconds):
        motion = corrected(predicted(motion, dt, np.full(2, 7.0)), value, np.full(2, 4.0))
    for k in range(2):
        state, spread = textbook(measured[:, k, 0], seconds, 7.0, 4.0)
        assert [motion.position[k, 0], motion.velocity[k, 0]] == pytest.approx(state.tolist())
        found = [motion.variance[k], motion.covariance[k], motion.velocity_variance[k]]
        assert found == pytest.approx([spread[0, 0], spread[0, 1], spread[1, 1]])


def test_one_step_is_as_uncertain_as_two_halves():
    start = initial_motion(np.zeros((1, 2)), np.ones(1), np.ones(1))
    whole = predicted(start, 0.4, 3.0)
    halves = predicted(predicted(start, 0.2, 3.0), 0.2, 3.0)
    for one, other in zip(whole, halves):
        np.testing.assert_allclose(one, other)


def test_a_measurement_of_infinite_variance_changes_nothing():
    start = predicted(initial_motion(np.zeros((1, 2)), np.ones(1), np.ones(1)), 0.1, 1.0)
    after = corrected(start, np.full((1, 2), 50.0), np.array([np.inf]))
    for one, other in zip(start, after):
        np.testing.assert_array_equal(one, other)
