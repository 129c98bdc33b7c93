# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Joints that single-person networks find in labelled boxes, added to what is labelled."""
import abc
import hashlib
import os
from typing import Callable, List, Optional, Sequence

import cv2
import numpy as np

from pose_ros.core.convert import convert_people
from pose_ros.core.errors import ImageError
from pose_ros.core.people import make_people
from pose_ros.core.sources.images import read_image
from pose_ros.core.topology import Topology
from pose_training.data.annotations import Sample
from pose_training.errors import DataError
from pose_training.whole_file import whole_file

_MARGIN = 1.3   # a crop is this much longer than the longer side of the box
_ENOUGH = 1 / 3  # of its joints make a person of a box that had none


class PointTeacher(abc.ABC):
    """A network that finds the joints of one person who fills most of a picture.

    `topology` says which joints; `identity` tells its weights from others.
    """

    topology: Topology
    identity: str

    @abc.abstractmethod
    def keypoints(self, crop: np.ndarray) -> np.ndarray:
        """Return (K, 3) x, y [px], confidence (0 to 1) for an (H, W, 3) uint8 BGR picture."""


def load_point_teacher(path: str) -> PointTeacher:
    """Load a single-person network by its file's ending; DataError for one that is not known."""
    if path.endswith('.tflite'):
        from pose_training.distillation.tflite import TflitePoints
        return TflitePoints(path)
    raise DataError('{}: single-person teachers are .tflite files (MoveNet, EfficientPose)'.format(
        path))


def add_joints(samples: Sequence[Sample], teachers: Sequence[PointTeacher], topology: Topology,
               confidence: float, cache: Optional[str] = None,
               progress: Callable = iter) -> List[Sample]:
    """Return the samples with the joints in which teachers are confident added.

    Of a labelled person, joints without a label are added (where the dataset labels every joint
    that is to be seen, only those that it never labels); a box without any label becomes a person
    if enough joints are found in it. What stays without a label is still unknown. What the
    teachers said is kept in the folder `cache`.
    """
    said = _Said(teachers, topology, cache)
    found = [_completed(sample, said, confidence) for sample in progress(samples)]
    said.close()
    return found


def _completed(sample: Sample, said, confidence) -> Sample:
    boxed = [person for person in sample.ignored
             if person.get('bbox') and not person.get('iscrowd')]
    boxes = np.concatenate([sample.boxes, np.array(
        [person['bbox'] for person in boxed], np.float32).reshape(-1, 4)])
    if not len(boxes):
        return sample
    points = said.of(sample, boxes)
    points = np.where(points[..., 2:] >= confidence, points, 0)
    points[..., 2] = points[..., 2] > 0  # as if occluded: labelled, with less certainty
    people, count = sample.people.copy(), len(sample.people)
    missing = people[..., 2] <= 0
    if sample.thorough:
        missing &= ~sample.labelled
    people[missing] = points[:count][missing]
    new = (points[count:, :, 2] > 0).mean(1) >= _ENOUGH
    gone = {id(person) for person, is_new in zip(boxed, new) if is_new}
    people = np.concatenate([people, points[count:][new]]).astype(np.float32)
    labelled = sample.labelled | (people[..., 2] > 0).any(0)
    return sample._replace(
        people=people, boxes=np.concatenate([boxes[:count], boxes[count:][new]]),
        ignored=tuple(person for person in sample.ignored if id(person) not in gone),
        labelled=labelled,
        # A joint that only teachers look for may well be there and not found.
        thorough=sample.thorough and not new.any() and (labelled == sample.labelled).all())


class _Said:
    """What the teachers say of boxes, best confidence of all; remembered in one file."""

    def __init__(self, teachers, topology, cache):
        self._teachers, self._topology = teachers, topology
        self._path, self._known, self._fresh = None, {}, False
        if cache:
            names = repr([topology.name] + [teacher.identity for teacher in teachers])
            self._path = os.path.join(cache, 'points_{}.npz'.format(
                hashlib.sha256(names.encode()).hexdigest()[:16]))
            self._known = _load(self._path)

    def of(self, sample: Sample, boxes: np.ndarray) -> np.ndarray:
        """Return (P, K, 3) x, y in the sample's pixels, confidence."""
        facts = repr((os.path.basename(sample.path), sample.size, boxes.tolist()))
        key = hashlib.sha256(facts.encode()).hexdigest()[:32]
        if key not in self._known:
            self._known[key], self._fresh = self._ask(sample, boxes), True
        return self._known[key]

    def _ask(self, sample, boxes):
        nothing = np.zeros((len(boxes), self._topology.size, 3), np.float32)
        try:
            image = read_image(sample.path)
        except ImageError:
            return nothing  # whoever reads the photographs for training tells of it
        # A dataset may have been labelled on larger copies of its photographs.
        factor = np.divide(image.shape[1::-1], sample.size) if sample.size else np.ones(2)
        found = np.array([self._look(image, box * np.tile(factor, 2)) for box in boxes],
                         np.float32)
        there = found[..., 2:] > 0
        found[..., :2] = np.where(there, (found[..., :2] + .5) / factor - .5, 0)
        return found

    def _look(self, image, box):
        best = np.zeros((self._topology.size, 3), np.float32)
        for teacher in self._teachers:
            crop, corner = cut_out(image, box)
            points = teacher.keypoints(crop)
            points[:, :2] += corner
            people = make_people(points[None], np.ones(1))
            points = np.nan_to_num(convert_people(
                people, teacher.topology, self._topology).keypoints[0], nan=0.)
            best = np.where(points[:, 2:] > best[:, 2:], points, best)
        return best

    def close(self):
        """Write the file if there is anything new in it."""
        if not (self._path and self._fresh):
            return
        try:
            os.makedirs(os.path.dirname(self._path), exist_ok=True)
            with whole_file(self._path) as stream:
                np.savez_compressed(stream, **self._known)
        except OSError as error:
            raise DataError('cannot write {}: {}'.format(self._path, error)) from error


def cut_out(image: np.ndarray, box: np.ndarray):
    """Return a square picture about a box (left, top, width, height), and its corner (x, y).

    What lies outside the image is gray.
    """
    side = max(8, int(round(_MARGIN * max(box[2:]))))
    left, top = (int(round(start + length / 2 - side / 2)) for start, length in
                 zip(box[:2], box[2:]))
    height, width = image.shape[:2]
    inside = image[max(top, 0):max(top + side, 0), max(left, 0):max(left + side, 0)]
    above, before = min(max(-top, 0), side), min(max(-left, 0), side)
    crop = cv2.copyMakeBorder(inside, above, side - above - inside.shape[0], before,
                              side - before - inside.shape[1], cv2.BORDER_CONSTANT,
                              value=(128, 128, 128)) if inside.size else \
        np.full((side, side, 3), 128, np.uint8)
    return crop, np.array([left, top], np.float32)


def _load(path):
    try:
        with np.load(path, allow_pickle=False) as kept:
            return {name: kept[name] for name in kept.files}
    except (OSError, ValueError, EOFError):
        return {}  # not there yet, or damaged: it is made again
