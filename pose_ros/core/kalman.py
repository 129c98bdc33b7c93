# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Kalman filters with constant velocity, many at once, for time steps of any length."""
from typing import NamedTuple

import numpy as np


class Motion(NamedTuple):
    """The states of filters of any shape S, in D dimensions that share their uncertainty.

    `position` S + (D,), `velocity` S + (D,) per second. Of each axis: `variance` S of the
    position, `covariance` S of position and velocity, `velocity_variance` S.
    """

    position: np.ndarray
    velocity: np.ndarray
    variance: np.ndarray
    covariance: np.ndarray
    velocity_variance: np.ndarray

    def select(self, index) -> 'Motion':
        """Return the states that a NumPy index or mask picks."""
        return Motion(*(array[index] for array in self))


def initial_motion(position, variance, velocity_variance) -> Motion:
    """Return states at first measurements (S + (D,)), with velocity 0; variances of shape S."""
    variance = np.asarray(variance, np.float64)
    return Motion(np.asarray(position, np.float64), np.zeros(np.shape(position)), variance,
                  np.zeros(variance.shape), np.asarray(velocity_variance, np.float64))


def predicted(motion: Motion, seconds, acceleration) -> Motion:
    """Return the states `seconds` later (a number, or shape S).

    acceleration (shape S): spectral density of the random acceleration, units^2 / s^3. Its noise
    does not depend on the length of the steps (Bar-Shalom, Li, Kirubarajan: Estimation with
    Applications to Tracking and Navigation, section 6.2.2).
    """
    noise = acceleration * seconds
    covariance = motion.covariance + seconds * motion.velocity_variance
    return Motion(
        motion.position + motion.velocity * np.expand_dims(seconds, -1), motion.velocity,
        motion.variance + seconds * (motion.covariance + covariance + noise * seconds / 3),
        covariance + noise * seconds / 2, motion.velocity_variance + noise)


def corrected(motion: Motion, measured, variance) -> Motion:
    """Return the states after measurements of the position, S + (D,), of a variance, S.

    An infinite variance leaves a state as it is; its measurement must still be finite.
    """
    total = motion.variance + variance
    gain, velocity_gain = motion.variance / total, motion.covariance / total
    surprise = measured - motion.position
    return Motion(
        motion.position + gain[..., None] * surprise,
        motion.velocity + velocity_gain[..., None] * surprise,
        (1 - gain) * motion.variance, (1 - gain) * motion.covariance,
        motion.velocity_variance - velocity_gain * motion.covariance)
