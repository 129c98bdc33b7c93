# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""From pixels to meters: fills People.positions for frames with depth and a calibrated camera."""
import numpy as np

from pose_ros.core.body import keypoint_reach
from pose_ros.core.camera import WIDEST_RAY
from pose_ros.core.depth import check_depth
from pose_ros.core.parameters import Parameter
from pose_ros.core.people import People
from pose_ros.core.stages.stage import Stage
from pose_ros.core.topology import Topology

_GRID = 7           # samples of a window in each direction
_LEAST_SHARE = 0.15  # of the samples of a window, which a surface must have to be taken
_CANDIDATES = 3     # surfaces per window, the nearest first
_SLACK = 0.1        # m, of the distance of keypoints: surfaces, and keypoints a few pixels off
# Depths of neighboring pixels that differ by more belong to two surfaces: a + b z^2 [m]. The
# noise of stereo and structured light grows with z^2 (Khoshelham, Oude Elberink: Accuracy and
# Resolution of Kinect Depth Data, Sensors 2012: 1.4e-3 z^2).
_STEP, _STEP_GROWTH, _LARGEST_STEP = 0.03, 0.01, 0.3
_AROUND = ((0, 1), (0, -1), (1, 0), (-1, 0))

# Hands and faces: windows are for fingers, lengths those of hands and heads (see body.py).
_PART_WINDOW = 0.25  # of the window
_PART_LENGTH = 0.13  # heights of the body
_ANCHORS = {'left_hand': 'left_wrist', 'right_hand': 'right_wrist', 'face': 'nose'}

LIFTING_PARAMETERS = (
    Parameter('window', 0.06, 'Side of the square around a keypoint in which its depth is '
              'measured; for hands and faces a quarter of it', 0.001, 1.0, unit='m', dynamic=True),
    Parameter('min_depth', 0.1, 'Nearer depths are not used', 0.0, 100.0, unit='m', dynamic=True),
    Parameter('max_depth', 10.0, 'Farther depths are not used', 0.1, 1000.0, unit='m',
              dynamic=True),
    Parameter('tallest', 2.2, 'Height of the tallest person: keypoints farther apart than those '
              'of such a person get no position', 0.1, 100.0, unit='m', dynamic=True),
)


class Lifting(Stage):
    """Measures where keypoints are, in meters in the optical frame of the camera.

    That is on the surface that is seen at them, skin or clothes. The depth of a keypoint is the
    median of the nearest surface in a window; pixels at edges and holes do not count. A keypoint
    whose position does not fit the others of its body takes the next surface behind, or none:
    NaN. Without depth or camera all positions are NaN. Counters: keypoints of frames with depth,
    those without a depth around them, and those off their body. Hands and faces are measured
    alike, near wrist and nose, with smaller windows.
    """

    name = 'lifting'
    PARAMETERS = LIFTING_PARAMETERS

    def __init__(self, topology: Topology, **settings):
        """Take the skeleton format of the people, and settings that differ from the defaults."""
        super(Lifting, self).__init__(**settings)
        self._topology, self._reach = topology, keypoint_reach(topology)
        self.counters.update(keypoints=0, keypoints_without_depth=0, keypoints_off_body=0)

    def applies(self, frames):
        """See Stage.applies."""
        return any(frame.depth is not None for frame in frames)

    def __call__(self, frames, people):
        """See Stage.__call__; ImageError if depth and image of a frame differ in size."""
        return [self._lift(frame, persons) for frame, persons in zip(frames, people)]

    def _lift(self, frame, people: People) -> People:
        if frame.depth is None or frame.camera is None or not people.count:
            return people
        check_depth(frame)
        window, tallest = self._settings['window'], self._settings['tallest']
        positions = self._positions(frame, people.keypoints, window,
                                    self._reach * tallest + _SLACK)
        parts = {}
        for name, keypoints in people.parts.items():
            anchor = self._topology.index(_ANCHORS.get(name, ''))
            reach = np.full(keypoints.shape[1], _PART_LENGTH * tallest + _SLACK)
            parts[name] = self._positions(
                frame, keypoints, window * _PART_WINDOW, reach,
                None if anchor is None else positions[:, anchor, None, None])
        return people._replace(positions=positions, part_positions=parts)

    def _positions(self, frame, keypoints, window, reach, anchor=None):
        """Return the positions (P, K, 3) float32 [m] of keypoints (P, K, 3) that are in reach.

        window [m]; reach as of _consistent. anchor (P, 1, 1, 3): a position that is known, or NaN.
        """
        found = keypoints[..., 2] > 0
        pixels = np.where(found[..., None], keypoints[..., :2], 0).astype(np.float64)
        surfaces = self._surfaces(frame, pixels, found, window)
        rays = frame.camera.rays(pixels)
        with np.errstate(invalid='ignore'):
            rays[~(np.abs(rays) < WIDEST_RAY).all(-1)] = np.nan
        candidates = rays[:, :, None] * surfaces[..., None]
        if anchor is not None:
            candidates = _near(candidates, anchor, reach)
        positions = _consistent(candidates, reach)
        measured = np.isfinite(surfaces).any(-1)
        lifted = np.isfinite(positions[..., 0])
        self.counters['keypoints'] += int(found.sum())
        self.counters['keypoints_without_depth'] += int((found & ~measured).sum())
        self.counters['keypoints_off_body'] += int((measured & ~lifted).sum())
        return positions.astype(np.float32)

    def _surfaces(self, frame, pixels, found, window):
        """Return the depths (P, K, _CANDIDATES) [m] of the surfaces at pixels (P, K, 2)."""
        limits = self._settings['min_depth'], self._settings['max_depth']
        focal_length = (frame.camera.fx + frame.camera.fy) / 2
        # How large a window is in pixels depends on the depth, of which a first look is enough.
        near = _sampled(frame.depth, pixels, found, np.ones(len(pixels)), 3, limits)
        near = near.reshape(len(pixels), -1)
        near.sort(axis=1)
        middle = near[np.arange(len(near)), np.isfinite(near).sum(1) // 2]
        radius = window / 2 * focal_length / np.where(middle > 0, middle, 1)
        samples = _sampled(frame.depth, pixels, found, radius.clip(1, max(frame.size)), _GRID,
                           limits)
        return _nearest_surfaces(samples)


def _sampled(depth, pixels, found, radius, count, limits):
    """Return count^2 samples around each of the pixels (P, K, 2), NaN where none is valid.

    radius (P,) [px]: of the windows of a person. A sample is valid within the limits, and if it
    is no edge.
    """
    steps = np.linspace(-1, 1, count)
    grid = np.stack(np.meshgrid(steps, steps), -1).reshape(-1, 2)
    points = np.rint(pixels[:, :, None] + radius[:, None, None, None] * grid).astype(int)
    x, y = points[..., 0], points[..., 1]
    height, width = depth.shape
    inside = found[..., None] & (x >= 0) & (x < width) & (y >= 0) & (y < height)
    x, y = x.clip(0, width - 1), y.clip(0, height - 1)
    samples = depth[y, x]
    with np.errstate(invalid='ignore'):
        valid = inside & (samples >= limits[0]) & (samples <= limits[1])
        most = _step(samples)
        for down, right in _AROUND:
            other = depth[(y + down).clip(0, height - 1), (x + right).clip(0, width - 1)]
            valid &= ~(np.abs(other - samples) > most)  # a neighbor of NaN is no edge
    return np.where(valid, samples, np.nan)


def _step(depth):
    return np.minimum(_STEP + _STEP_GROWTH * depth * depth, _LARGEST_STEP)


def _nearest_surfaces(samples):
    """Return the depth of each surface among samples (P, K, N), (P, K, _CANDIDATES).

    Samples without a step between them are one surface, and its depth is their median.
    """
    shape, count = samples.shape[:2], samples.shape[2]
    ordered = np.sort(samples.reshape(-1, count), axis=1)  # NaN last
    rows = np.arange(len(ordered))[:, None]
    with np.errstate(invalid='ignore'):
        steps = np.diff(ordered, axis=1) > _step(ordered[:, :-1])
    number = np.concatenate([np.zeros_like(rows), np.cumsum(steps, 1)], 1)
    places = (rows * count + number)[np.isfinite(ordered)]
    sizes = np.bincount(places, minlength=ordered.size).reshape(ordered.shape)
    middles = np.cumsum(sizes, 1) - sizes + sizes // 2
    large = sizes >= _LEAST_SHARE * count
    chosen = np.argsort(~large, axis=1, kind='stable')[:, :_CANDIDATES]
    depths = ordered[rows, middles[rows, chosen].clip(0, count - 1)]
    return np.where(large[rows, chosen], depths, np.nan).reshape(shape + (-1,)).astype(np.float64)


def _near(candidates, anchor, reach):
    """Return candidates (P, K, C, 3) without those out of reach of an anchor (P, 1, 1, 3)."""
    with np.errstate(invalid='ignore'):
        away = np.linalg.norm(candidates - anchor, axis=-1) > reach[:, None]
    known = np.where(away[..., None], np.nan, candidates)
    order = np.argsort(np.isnan(known[..., 2]), axis=2, kind='stable')
    return np.take_along_axis(known, order[..., None], 2)


def _consistent(candidates, reach):
    """Choose among candidates (P, K, C, 3) [m] positions (P, K, 3) no two of which are too far.

    reach (K, K) [m], or (K,) if it is the same for all. The keypoint that is too far from the most
    others takes its next candidate, and NaN after the last, until none is.
    """
    people, size = candidates.shape[:2]
    ends = np.full((people, size, 1, 3), np.nan)
    candidates = np.concatenate([candidates, ends], 2)
    choice = np.zeros((people, size), int)
    persons, keypoints = np.ogrid[:people, :size]
    while True:
        positions = candidates[persons, keypoints, choice]
        away = np.linalg.norm(positions[:, :, None] - positions[:, None], axis=-1)
        with np.errstate(invalid='ignore'):
            conflicts = (away > reach).sum(-1)
        wrong = np.flatnonzero(conflicts.any(1))
        if not len(wrong):
            return positions
        # Of two that are too far apart, the one whose depth is less usual is wrong.
        depths = positions[wrong][..., 2]
        unusual = np.abs(depths - np.nanmedian(depths, 1)[:, None])
        unusual = np.nan_to_num(unusual / (1 + unusual))
        choice[wrong, (conflicts[wrong] + unusual).argmax(1)] += 1
