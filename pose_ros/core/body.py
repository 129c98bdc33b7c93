# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Proportions of human bodies: how far apart keypoints can be, and where a body is."""
import numpy as np

from pose_ros.core.topology import Topology

# Lengths of segments in heights of the body, after Drillis and Contini (1966), as in Winter:
# Biomechanics and Motor Control of Human Movement, figure 4.1. Those of the head are rounded up.
_SEGMENTS = (
    ('nose', 'l_eye', .04), ('l_eye', 'l_ear', .08), ('nose', 'neck', .16), ('head', 'neck', .2),
    ('head_top', 'upper_neck', .2), ('nose', 'upper_neck', .16), ('upper_neck', 'neck', .06),
    ('thorax', 'neck', .03), ('chest', 'neck', .15), ('neck', 'l_shoulder', .13),
    ('l_shoulder', 'l_elbow', .186), ('l_elbow', 'l_wrist', .146), ('neck', 'mid_hip', .29),
    ('pelvis', 'mid_hip', .03), ('mid_hip', 'l_hip', .096), ('l_shoulder', 'l_hip', .288),
    ('l_hip', 'l_knee', .245), ('l_knee', 'l_ankle', .246), ('l_ankle', 'l_heel', .06),
    ('l_ankle', 'l_big_toe', .13), ('l_ankle', 'l_small_toe', .13))
_OTHER = .3  # limbs of other skeletons
_SIDES = ('left_', 'right_')
_HIPS = ('left_hip', 'right_hip')
_TORSO = _HIPS + ('left_shoulder', 'right_shoulder', 'neck', 'thorax', 'chest')


def keypoint_reach(topology: Topology) -> np.ndarray:
    """Return the largest distances (K, K) of keypoints, in heights of the body.

    They are sums of segments and limbs, infinite where nothing connects two keypoints.
    """
    segments = [(_sided(first, side), _sided(second, side), length)
                for first, second, length in _SEGMENTS for side in _SIDES]
    names = list(topology.keypoint_names)
    names += sorted({name for segment in segments for name in segment[:2]} - set(names))
    reach = np.full((len(names), len(names)), np.inf)
    for parent, child in topology.limbs:
        reach[parent, child] = _OTHER
    for first, second, length in segments:
        reach[names.index(first), names.index(second)] = length
    reach = np.minimum(reach, reach.T)
    np.fill_diagonal(reach, 0)
    for k in range(len(names)):  # shortest paths (Floyd and Warshall)
        reach = np.minimum(reach, reach[:, k:k + 1] + reach[k:k + 1])
    return reach[:topology.size, :topology.size]


def _sided(name, side):
    return side + name[2:] if name.startswith('l_') else name


def body_positions(positions: np.ndarray, topology: Topology) -> np.ndarray:
    """Return where people are, (P, 3) [m], given positions (P, K, 3) [m] of their keypoints.

    That is the middle of the hips, else the mean of what is known of the torso, else NaN.
    """
    result = np.full((len(positions), 3), np.nan, np.float32)
    for names, least in ((_TORSO, 1), (_HIPS, 2), (('mid_hip',), 1), (('pelvis',), 1)):
        indices = [k for k, name in enumerate(topology.keypoint_names) if name in names]
        points = positions[:, indices]
        known = np.isfinite(points).all(-1)
        enough = known.sum(1) >= least
        total = np.where(known[..., None], points, 0).sum(1)
        result[enough] = total[enough] / known.sum(1)[enough, None]
    return result
