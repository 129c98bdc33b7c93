# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Which people of a frame are those of the frames before: fills People.track_ids."""
import logging
from typing import Dict, NamedTuple

import numpy as np

from pose_ros.core.assignment import assign
from pose_ros.core.errors import shown
from pose_ros.core.kalman import Motion, corrected, initial_motion, predicted
from pose_ros.core.parameters import Parameter
from pose_ros.core.people import UNTRACKED, People, iou_matrix, keypoint_bounds, oks_matrix
from pose_ros.core.stages.source_clock import SourceClock
from pose_ros.core.stages.stage import Stage
from pose_ros.core.topology import Topology

_LOG = logging.getLogger('pose_ros')
_LEAST_SHARED = 3  # keypoints from which a similarity of keypoints is computed, not one of boxes
# Of a person, in units of its height (the longer side of its box).
_SPEED = 1.0          # 1/s, standard deviation of the velocity before it is known
_TURNS = 1.0          # 1/s^3, how fast the velocity changes
_NOISE = 0.04         # standard deviation of a keypoint
_LIMB_SPEED = 0.3     # 1/s, of limbs against the body
_LARGEST_SLACK = 0.35  # a person is not searched further from where it is expected
_LOST_GAIN = 0.5      # of a person that was not in the last frame, against one that was
_HIDDEN_TIME = 1.0    # s, in which the confidence of a hidden keypoint falls by e
_FADED = 0.05         # confidence below which it is forgotten
_MOST_LOST = 200      # kept per source, those last seen; bounds the time of a frame

TRACKING_PARAMETERS = (
    Parameter('high_score', 0.3, 'People with at least this score are matched first, the others '
              'after them', 0.0, 1.0, dynamic=True),
    Parameter('new_score', 0.3, 'A person with a lower score gets no new id', 0.0, 1.0,
              dynamic=True),
    Parameter('min_frames', 2, 'A person gets an id when it was found in this many frames in a '
              'row', 1, 100, unit='frames', dynamic=True),
    Parameter('min_similarity', 0.3, 'Least similarity (object keypoint similarity, or overlap of '
              'boxes) of a person and where it is expected', 0.01, 1.0, dynamic=True),
    Parameter('keep_lost', 1.0, 'A person that is not seen keeps its id for this long', 0.0, 10.0,
              unit='s', dynamic=True),
)


class _Tracks(NamedTuple):
    """T tracked people: keypoints as last seen, their bounds, and the motion since then."""

    ids: np.ndarray        # (T,), UNTRACKED before min_frames
    keypoints: np.ndarray  # (T, K, 3)
    boxes: np.ndarray      # (T, 4)
    heights: np.ndarray    # (T,) px
    motion: Motion         # of shape (T,), in px
    frames: np.ndarray     # (T,) in which it was seen
    lost: np.ndarray       # (T,) seconds since it was seen

    def select(self, index):
        return _Tracks(*[each.select(index) if isinstance(each, Motion) else each[index]
                         for each in self])

    def plus(self, other):
        motion = Motion(*map(np.concatenate, zip(self.motion, other.motion)))
        joined = {name: np.concatenate([getattr(self, name), getattr(other, name)])
                  for name in self._fields if name != 'motion'}
        return _Tracks(motion=motion, **joined)


class _Memory:
    """What is kept of one source."""

    def __init__(self, people):
        self.clock = SourceClock()
        self.tracks = _begin(people.select(np.zeros(people.count, bool)))
        self.last_id = 0


class Tracking(Stage):
    """Gives the same person the same id in all frames of a source.

    Two steps of matching as in ByteTrack (arXiv:2110.06864), with the similarity of keypoints in
    place of that of boxes. Ids start at 1 in each source, and none is used twice. The counter
    `restarts` counts jumps of time, after which all people are new ones; `ids` counts ids.
    """

    name = 'tracking'
    over_time = True
    PARAMETERS = TRACKING_PARAMETERS

    def __init__(self, topology: Topology):
        """Take the skeleton format of the people."""
        super(Tracking, self).__init__()
        self._topology = topology
        self._memories: Dict[str, _Memory] = {}
        self.counters.update(ids=0, restarts=0)

    def __call__(self, frames, people):
        """See Stage.__call__; people that are not yet tracked have the id UNTRACKED."""
        return [self._track(frame, persons) for frame, persons in zip(frames, people)]

    def forget(self, source):
        """See Stage.forget."""
        self._memories.pop(source, None)

    def _track(self, frame, people: People) -> People:
        memory = self._memories.get(frame.source)
        if memory is None:
            memory = self._memories[frame.source] = _Memory(people)
        seconds = memory.clock.step(frame.time_s)
        if memory.clock.jump:
            memory.tracks = memory.tracks.select([])
            self.counters['restarts'] += 1
            _LOG.warning('tracking%s starts anew: %s', shown(
                frame.source and ' of ' + frame.source), memory.clock.jump)
        tracks = _moved(memory.tracks, seconds)
        rows, columns = self._matched(tracks, people, seconds)
        _see_again(tracks, rows, people.select(columns))
        seen = np.zeros(len(tracks.ids), bool)
        seen[rows] = True
        self._number(memory, tracks)
        ids = np.full(people.count, UNTRACKED, np.int32)
        ids[columns] = tracks.ids[rows]
        kept = seen | ((tracks.ids != UNTRACKED) & (tracks.lost <= self._settings['keep_lost']))
        if not kept.all():
            tracks = tracks.select(kept)
        most = people.count + _MOST_LOST
        if len(tracks.ids) > most:
            tracks = tracks.select(np.argsort(tracks.lost, kind='stable')[:most])
        new = people.scores >= self._settings['new_score']
        new[columns] = False
        if new.any():
            begun = _begin(people.select(new))
            self._number(memory, begun)
            ids[new] = begun.ids
            tracks = tracks.plus(begun)
        memory.tracks = tracks
        return people._replace(track_ids=ids)

    def _matched(self, tracks, people, seconds):
        """Return the pairs (rows of tracks, columns of people)."""
        if not (len(tracks.ids) and people.count):
            return np.zeros(0, int), np.zeros(0, int)
        similarity = _similarity(tracks, people, self._topology)
        gains = np.where(similarity >= self._settings['min_similarity'], similarity, 0)
        gains[tracks.lost > seconds] *= _LOST_GAIN
        high = people.scores >= self._settings['high_score']
        rows, columns = assign(gains * high)
        if high.all():
            return rows, columns
        gains[:, high] = 0
        gains[rows] = 0
        more_rows, more_columns = assign(gains)
        return np.concatenate([rows, more_rows]), np.concatenate([columns, more_columns])

    def _number(self, memory, tracks):
        """Give ids to the tracks that have been seen often enough."""
        due = np.flatnonzero((tracks.ids == UNTRACKED)
                             & (tracks.frames >= self._settings['min_frames']))
        if len(due):
            tracks.ids[due] = memory.last_id + 1 + np.arange(len(due))
            memory.last_id += len(due)
            self.counters['ids'] += len(due)


def _begin(people) -> _Tracks:
    boxes, count = keypoint_bounds(people.keypoints), people.count
    heights = _heights(boxes)
    motion = initial_motion(np.zeros((count, 2)), (_NOISE * heights) ** 2,
                            (_SPEED * heights) ** 2)
    return _Tracks(np.full(count, UNTRACKED, np.int32), people.keypoints.copy(), boxes, heights,
                   motion, np.ones(count, int), np.zeros(count))


def _heights(boxes):
    return np.fmax(boxes[:, 2:].max(1), 1.0).astype(np.float64)


def _moved(tracks, seconds) -> _Tracks:
    motion = predicted(tracks.motion, seconds, _TURNS * tracks.heights ** 2)
    return tracks._replace(motion=motion, lost=tracks.lost + seconds)


def _similarity(tracks, people, topology):
    """Return the similarity (T, P) of the people and where each track is expected."""
    moved = tracks.motion.position
    keypoints = tracks.keypoints.copy()
    keypoints[..., :2] += moved[:, None]
    slack = np.minimum(tracks.motion.variance + (_LIMB_SPEED * tracks.lost * tracks.heights) ** 2,
                       (_LARGEST_SLACK * tracks.heights) ** 2)
    similarity = oks_matrix(keypoints, topology, people.keypoints, slack)
    found = (keypoints[..., 2] > 0).astype(np.float32)
    few = found.dot((people.keypoints[..., 2] > 0).T) < _LEAST_SHARED
    if few.any():
        boxes = tracks.boxes.copy()
        boxes[:, :2] += moved
        similarity[few] = iou_matrix(boxes, keypoint_bounds(people.keypoints))[few]
    return similarity


def _see_again(tracks, rows, people) -> None:
    """Correct the tracks in these rows by the people, one for each."""
    if not len(rows):
        return
    before, now = tracks.keypoints[rows], people.keypoints
    weights = np.minimum(before[..., 2], now[..., 2])
    moved, certainty = _displacements(before, now, weights, tracks.motion.position[rows])
    # A keypoint that is hidden moves with the body for a while.
    fading = np.exp(-tracks.lost[rows] / _HIDDEN_TIME)[:, None]
    before[..., :2] += moved[:, None]
    before[..., 2] *= fading
    before[before[..., 2] < _FADED] = (np.nan, np.nan, 0)
    keypoints = np.where(now[..., 2:] > 0, now, before)
    boxes = keypoint_bounds(keypoints)
    heights = _heights(boxes)
    motion = corrected(tracks.motion.select(rows), moved,
                       (_NOISE * heights) ** 2 / np.maximum(certainty, 0.1))
    motion = motion._replace(position=motion.position - moved)
    for states, new in zip(tracks.motion, motion):
        states[rows] = new
    tracks.keypoints[rows], tracks.boxes[rows], tracks.heights[rows] = keypoints, boxes, heights
    tracks.lost[rows] = 0
    tracks.frames[rows] += 1


def _displacements(before, now, weights, expected):
    """Return how far people moved since they were seen, (M, 2) [px], and the sum of weights.

    That is the weighted mean of their keypoints (M, K, 3); without a shared one, as expected.
    """
    certainty = weights.sum(1)
    steps = np.where(weights[..., None] > 0, now[..., :2] - before[..., :2], 0)
    mean = (weights[..., None] * steps).sum(1) / np.maximum(certainty, 1e-6)[:, None]
    return np.where(certainty[:, None] > 0, mean, expected).astype(np.float64), certainty
