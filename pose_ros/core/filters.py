# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Filters of keypoints over time, for all keypoints of all people at once."""
import abc
from typing import Dict, Tuple, Type

import numpy as np

from pose_ros.core.kalman import Motion, corrected, initial_motion, predicted
from pose_ros.core.parameters import Parameter

_SURE = 0.5  # score from which a keypoint is not trusted less
_DERIVATIVE_CUTOFF = 1.0  # Hz


class Filter(abc.ABC):
    """A kind of filter: it has settings, and makes states, arrays (P, N, ...) in a tuple.

    The first array is the filtered position (P, N, D), in px or in meters, as are the `heights`
    (P, 1) of people, which make the settings independent of distance.
    """

    PARAMETERS: Tuple[Parameter, ...] = ()

    @classmethod
    @abc.abstractmethod
    def begin(cls, points, heights):
        """Return the states at first measurements, points (P, N, D)."""

    @classmethod
    @abc.abstractmethod
    def step(cls, states, points, scores, seconds, passed, heights, **settings):
        """Return the states after points (P, N, D) with scores (P, N), 0 where there is none.

        seconds (P, N): since the keypoint was last found. passed: since the last frame.
        """


class OneEuro(Filter):
    """The One-Euro filter (Casiez, Roussel, Vogel: CHI 2012, https://gery.casiez.net/1euro).

    A low-pass filter whose cutoff rises with speed. A keypoint that is not found stays where it
    is. States: position, velocity (P, N, D).
    """

    PARAMETERS = (
        Parameter('min_cutoff', 1.0, 'Cutoff for keypoints that stand still; lower: less jitter',
                  0.01, 100.0, unit='Hz', dynamic=True),
        Parameter('beta', 8.0, 'Rise of the cutoff with the speed in heights of the person per '
                  'second; higher: less lag', 0.0, 1000.0, dynamic=True),
    )

    @classmethod
    def begin(cls, points, heights):
        """See Filter.begin."""
        return points, np.zeros(points.shape)

    @classmethod
    def step(cls, states, points, scores, seconds, passed, heights, min_cutoff, beta):
        """See Filter.step."""
        position, velocity = states
        seconds = np.minimum(seconds, 1.0)[..., None]
        found = scores[..., None] > 0
        change = np.where(found, points - position, 0)
        measured = change / np.maximum(seconds, 1e-3)
        velocity = velocity + np.where(
            found, _weight(_DERIVATIVE_CUTOFF, seconds) * (measured - velocity), 0)
        speed = np.sqrt((velocity ** 2).sum(-1, keepdims=True)) / heights[..., None]
        trust = np.minimum(scores / _SURE, 1)[..., None]
        return position + trust * _weight(min_cutoff + beta * speed, seconds) * change, velocity


def _weight(cutoff, seconds):
    """Return the weight of a new value in a low-pass filter of first order."""
    turns = 2 * np.pi * cutoff * seconds
    return turns / (turns + 1)


class Kalman(Filter):
    """Constant velocity, with measurements that are less certain the lower their score is.

    A keypoint that is not found moves on. States: those of Motion.
    """

    PARAMETERS = (
        Parameter('acceleration', 5.0, 'Change of speed that is expected of keypoints, in heights '
                  'of the person per square second; higher: less lag', 0.1, 1000.0, dynamic=True),
        Parameter('noise', 0.02, 'Error that is expected of keypoints, in heights of the person; '
                  'higher: less jitter', 1e-4, 1.0, dynamic=True),
    )
    _INTERVAL = 1.0 / 30  # s, for which the acceleration is constant
    _FIRST_SPEED = 1.0  # heights / s

    @classmethod
    def begin(cls, points, heights):
        """See Filter.begin."""
        ones = np.ones(points.shape[:2])
        return tuple(initial_motion(points, (0.02 * heights) ** 2 * ones,
                                    (cls._FIRST_SPEED * heights) ** 2 * ones))

    @classmethod
    def step(cls, states, points, scores, seconds, passed, heights, acceleration, noise):
        """See Filter.step."""
        motion = predicted(Motion(*states), passed, (acceleration * heights) ** 2 * cls._INTERVAL)
        found = scores > 0
        points = np.where(found[..., None], points, motion.position)
        trust = np.minimum(scores / _SURE, 1)
        with np.errstate(divide='ignore'):
            variance = (noise * heights) ** 2 / trust
        return tuple(corrected(motion, points, variance))


FILTERS: Dict[str, Type[Filter]] = {'one_euro': OneEuro, 'kalman': Kalman}
