# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""What one-stage networks and detectors share: lists of candidates with boxes and scores."""
import abc
from typing import NamedTuple

import cv2
import numpy as np

from pose_ros.core.decoders.decoder import Decoder, make_found, require_output
from pose_ros.core.decoders.outputs import shape_text
from pose_ros.core.errors import CardError
from pose_ros.core.parameters import Parameter

_CLEAR = 0.2  # scores of two engines may differ this far
_NEAR = 0.1  # of the size of a box: places of two engines may differ this far


class Candidates(NamedTuple):
    """N possible people: `corners` (N, 4) x1 y1 x2 y2 px, `scores` (N,), `keypoints` (N, K, 3)."""

    corners: np.ndarray
    scores: np.ndarray
    keypoints: np.ndarray


class PeopleListDecoder(Decoder):
    """Base of decoders whose network yields people as rows of box, score and keypoints."""

    PARAMETERS = (
        Parameter('min_score', 0.25, 'People with a lower score are dropped', 0.0, 1.0,
                  dynamic=True),
        Parameter('keypoint_threshold', 0.3, 'Keypoints with a lower score are missing', 0.0, 1.0,
                  dynamic=True),
        Parameter('nms_iou', 0.65, 'Of two people whose boxes have a higher overlap (intersection '
                  'over union) the lower score is dropped', 0.0, 1.0, dynamic=True),
        Parameter('max_people', 100, 'Keep only this many people, best scores first', 1, 1000,
                  dynamic=True),
    )

    @abc.abstractmethod
    def _tensors(self):
        """Return the names of the outputs that are read."""

    @abc.abstractmethod
    def _read(self, outputs) -> Candidates:
        """Return the candidates [px of the input]; ValueError or IndexError on bad shapes."""

    def check_outputs(self, outputs):
        """See Decoder.check_outputs."""
        where = 'model card {!r}'.format(self.card.name)
        for name in self._tensors():
            require_output(outputs, name, where)
        shapes = {name: shape_text(outputs[name]) for name in self._tensors()}
        try:
            corners, scores, keypoints = self._read(outputs)
            count = len(scores)
            fits = corners.shape == (count, 4) and keypoints.shape == (
                count, self.card.topology.size, 3)
        except (ValueError, IndexError):
            fits = False
        if not fits:
            raise CardError('{}: the outputs {} do not have the form of the decoder {!r} for {} '
                            'keypoints'.format(where, shapes, self.card.decoder.type,
                                               self.card.topology.size))

    def decode(self, outputs):
        """See Decoder.decode."""
        settings, candidates = self._settings, self._read(outputs)
        keep = best(candidates.scores, settings['min_score'], 4 * settings['max_people'])
        corners, scores, keypoints = (array[keep] for array in candidates)
        boxes = to_boxes(corners)
        keep = distinct(boxes, scores, settings['nms_iou'])[:settings['max_people']]
        keypoints = np.array(keypoints[keep], np.float32)
        keypoints[keypoints[..., 2] < settings['keypoint_threshold']] = 0
        return make_found(keypoints, scores[keep], boxes[keep])

    def agrees(self, expected, found, precision):
        """See Decoder.agrees: every clear person of ONNX Runtime must be found, and no other."""
        return found_differ(self, expected, found)


def best(scores: np.ndarray, lowest: float, most: int) -> np.ndarray:
    """Return the indices of at most `most` scores from `lowest` up, best first.

    NMS of thousands of candidates would take longer than the network.
    """
    keep = np.flatnonzero(scores >= lowest)
    return keep[np.argsort(-scores[keep], kind='stable')][:most]


def to_boxes(corners: np.ndarray) -> np.ndarray:
    """Return corners (N, 4) x1 y1 x2 y2 as left, top, width, height, float64."""
    corners = corners.astype(np.float64)
    return np.concatenate([corners[:, :2], corners[:, 2:] - corners[:, :2]], 1)


def distinct(boxes: np.ndarray, scores: np.ndarray, iou: float) -> np.ndarray:
    """Return the indices that non-maximum suppression keeps, best first."""
    if not len(boxes):
        return np.zeros(0, int)
    kept = cv2.dnn.NMSBoxes(boxes.tolist(), scores.astype(float).tolist(), 0.0, iou)
    return np.array(kept, int).reshape(-1)


def sigmoid(logits: np.ndarray) -> np.ndarray:
    """Return 1 / (1 + exp(-x)) without overflow."""
    return 1 / (1 + np.exp(-np.clip(logits, -50, 50)))


def found_differ(decoder: Decoder, expected, found) -> str:
    """Compare what a decoder finds in two engines' outputs (N, ...); return '' or what differs."""
    for row in range(len(next(iter(expected.values())))):
        one, other = (decoder.decode({name: array[row] for name, array in outputs.items()})
                      for outputs in (expected, found))
        worst = _missing(one, other, 'is lost') or _missing(other, one, 'is new')
        if worst:
            return worst
    return ''


def _missing(one, other, word):
    """Return the clear box of `one` that `other` lacks within a part of its size, as text."""
    for box, score in zip(one.boxes, one.scores):
        if score < _CLEAR + 0.3:
            continue
        near = np.abs(other.boxes - box).max(1) <= _NEAR * max(box[2:].max(), 1) \
            if len(other.boxes) else np.zeros(0, bool)
        if not (near & (np.abs(other.scores - score) <= _CLEAR)).any():
            return 'the box {} with score {:.2f} {}'.format(
                [round(float(value), 1) for value in box], score, word)
    return ''
