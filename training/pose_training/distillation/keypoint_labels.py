# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Add keypoints that single-person networks find in labelled boxes to the labels."""
import hashlib
import os
from typing import Callable, List, Optional, Sequence

import numpy as np

from pose_ros.core.convert import convert_people
from pose_ros.core.errors import ImageError
from pose_ros.core.image_size import MAX_PIXELS
from pose_ros.core.people import make_people
from pose_ros.core.reading import LARGEST_LABELS, open_regular
from pose_ros.core.topology import Topology
from pose_training.data.annotations import Sample
from pose_training.data.images import read_oriented
from pose_training.distillation.single_person import person_crop, SinglePersonTeacher
from pose_training.distillation.tflite import TfliteTeacher
from pose_training.errors import DataError
from pose_ros.core.files import atomic_write

_ENOUGH = 1 / 3  # share of found keypoints from which a box without labels becomes a person


def load_single_person_teacher(path: str) -> SinglePersonTeacher:
    """Load a single-person network by its file's ending; DataError for an unknown ending."""
    if path.lower().endswith('.tflite'):
        return TfliteTeacher(path)
    raise DataError('{}: single-person teachers are .tflite files (MoveNet, EfficientPose)'.format(
        path))


def add_keypoints(samples: Sequence[Sample], teachers: Sequence[SinglePersonTeacher],
                  topology: Topology,
                  confidence: float, cache: Optional[str] = None,
                  progress: Callable = iter, max_pixels: int = MAX_PIXELS) -> List[Sample]:
    """Return the samples with the keypoints added that teachers find with `confidence` (0 to 1).

    A labelled person gets the keypoints that have no label (where the dataset labels every
    visible keypoint, only those that it never labels). A box without any label becomes a person
    if a third of the keypoints are found in it. The other keypoints stay unlabelled. Predictions
    are kept in the folder `cache`.
    """
    predictions = CachedPredictions(teachers, topology, cache, max_pixels)
    found = [_completed(sample, predictions, confidence) for sample in progress(samples)]
    predictions.close()
    return found


def _completed(sample: Sample, predictions, confidence) -> Sample:
    boxed = [person for person in sample.ignored
             if person.get('bbox') and not person.get('iscrowd')]
    boxes = np.concatenate([sample.boxes, np.array(
        [person['bbox'] for person in boxed], np.float32).reshape(-1, 4)])
    if not len(boxes):
        return sample
    points = predictions.get(sample, boxes)
    points = np.where(points[..., 2:] >= confidence, points, 0)
    points[..., 2] = points[..., 2] > 0  # as if occluded: labelled, with less certainty
    people, count = sample.people.copy(), len(sample.people)
    missing = people[..., 2] <= 0
    if sample.all_visible_keypoints_annotated:
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
        # A keypoint that only teachers can label may be visible and not found.
        all_visible_keypoints_annotated=sample.all_visible_keypoints_annotated
        and not new.any() and bool((labelled == sample.labelled).all()))


class CachedPredictions:
    """Keypoints by box, of the most confident teacher for each; kept in one file."""

    def __init__(self, teachers, topology, cache, max_pixels):
        self._teachers, self._topology, self._max_pixels = teachers, topology, max_pixels
        self._path, self._known, self._fresh = None, {}, False
        if cache:
            names = repr([topology.keypoint_names] + [teacher.identity for teacher in teachers])
            self._path = os.path.join(cache, 'points_{}.npz'.format(
                hashlib.sha256(names.encode()).hexdigest()[:16]))
            self._known = _load(self._path)

    def get(self, sample: Sample, boxes: np.ndarray) -> np.ndarray:
        """Return (P, K, 3) x, y in the sample's pixels, confidence."""
        facts = repr((os.path.basename(sample.path), sample.size, boxes.tolist()))
        key = hashlib.sha256(facts.encode()).hexdigest()[:32]
        if key not in self._known:
            self._known[key], self._fresh = self._predict(sample, boxes), True
        return self._known[key]

    def _predict(self, sample, boxes):
        nothing = np.zeros((len(boxes), self._topology.size, 3), np.float32)
        try:
            image = read_oriented(sample.path, sample.size, self._max_pixels)
        except ImageError:
            return nothing  # the training reports it when it reads the image
        # A dataset may have been labelled on larger copies of its images.
        factor = np.divide(image.shape[1::-1], sample.size) if sample.size else np.ones(2)
        found = np.array([self._predict_person(image, box * np.tile(factor, 2)) for box in boxes],
                         np.float32)
        there = found[..., 2:] > 0
        found[..., :2] = np.where(there, (found[..., :2] + .5) / factor - .5, 0)
        return found

    def _predict_person(self, image, box):
        best = np.zeros((self._topology.size, 3), np.float32)
        for teacher in self._teachers:
            crop, corner = person_crop(image, box)
            points = teacher.keypoints(crop)
            points[:, :2] += corner
            people = make_people(points[None], np.ones(1))
            points = np.nan_to_num(convert_people(
                people, teacher.topology, self._topology).keypoints[0], nan=0.)
            best = np.where(points[:, 2:] > best[:, 2:], points, best)
        return best

    def close(self):
        """Write the file if it has new entries."""
        if not (self._path and self._fresh):
            return
        try:
            os.makedirs(os.path.dirname(self._path), exist_ok=True)
            with atomic_write(self._path, follow_links=False) as stream:
                np.savez_compressed(stream, **self._known)
        except OSError as error:
            raise DataError('cannot write {}: {}'.format(self._path, error)) from error


def _load(path):
    try:
        with open_regular(path, LARGEST_LABELS) as stream, \
                np.load(stream, allow_pickle=False) as kept:
            return {name: kept[name] for name in kept.files}
    except (OSError, ValueError, EOFError):
        return {}  # missing or damaged: predicted again
