# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Compare labels with a teacher: keep, mirror or drop them."""
import collections
import copy
import os
from typing import Any, Callable, Dict, NamedTuple, Tuple

import numpy as np

from pose_ros.core.topology import make_topology, Topology
from pose_training.data.annotations import read_samples, Sample
from pose_training.data.coco import box_of, CocoFile, is_labelled
from pose_training.data.geometry import place, scaled, warp
from pose_training.data.images import ImageReader
from pose_training.errors import DataError
from pose_training.families.family import Family

OUTCOMES = ('label', 'mirror', 'drop', 'unjudged')
_CLEARLY = 1.5   # least ratio to mirror labels: most labels are right, and teachers err, too
_FILLED = .75    # side of the person's box over that of the teacher's input
_MAX_SIDE = 2048  # px; a teacher's input of a person is smaller


class Agreement(NamedTuple):
    """Agreement of a teacher with a person's labels, and with the mirrored labels.

    Each is the mean over the labelled keypoints of the teacher's heatmap at the keypoint, 0 to 1;
    `keypoints` is the number of labelled keypoints that the teacher has, too.
    """

    label: float
    mirror: float
    keypoints: int = 1

    def choose(self, least: float) -> str:
        """Return 'label', 'mirror', 'drop' (both below `least`) or 'unjudged' (no keypoints)."""
        if not self.keypoints:
            return 'unjudged'
        if self.mirror >= max(least, _CLEARLY * self.label):
            return 'mirror'
        return 'label' if self.label >= least else 'drop'


class LabelChecker:
    """Runs a teacher on single people; `size` is the teacher's crop (width, height) [px].

    `teacher` has `maps(image)` and `known()`, as Teacher in teacher.py.
    """

    def __init__(self, teacher, family: Family, size: Tuple[int, int], stride: int):
        self._teacher, self._size, self._stride = teacher, size, stride
        self._family, self._mirror = family, list(family.topology.mirror)
        known = family.keypoint_maps(teacher.known())
        self._known = known & known[self._mirror]

    def judge(self, image: np.ndarray, sample: Sample, person: int) -> Agreement:
        """Compare the labels of one person; the person fills three quarters of the crop."""
        crop = warp(image, None, sample, self._matrix(sample.boxes[person]), self._size,
                    border=128)
        heatmaps = self._family.keypoint_maps(self._teacher.maps(crop.image))
        keypoints = crop.people[person]
        inside = ((keypoints[:, :2] > -.5) & (keypoints[:, :2] < np.array(self._size) - .5)).all(1)
        there = (keypoints[:, 2] > 0) & self._known & inside
        return Agreement(self._agreement(heatmaps, keypoints, there),
                         self._agreement(heatmaps[self._mirror], keypoints, there),
                         int(there.sum()))

    def _matrix(self, box):
        x, y, w, h = box
        scale = _FILLED * min(self._size[0] / max(w, 1), self._size[1] / max(h, 1))
        return place((x + w / 2, y + h / 2), np.array(self._size) / 2, 0, (scale, scale))

    def _agreement(self, heatmaps, keypoints, there):
        if not there.any():
            return 0.
        cells = np.rint((keypoints[there, :2] + .5) / self._stride - .5).astype(int)
        # A label may be a cell off: the best of the neighborhood counts.
        padded = np.pad(heatmaps[there], ((0, 0), (1, 1), (1, 1)))
        best = [padded[np.arange(len(cells)),
                       (cells[:, 1] + dy).clip(0, padded.shape[1] - 1),
                       (cells[:, 0] + dx).clip(0, padded.shape[2] - 1)]
                for dy in (0, 1, 2) for dx in (0, 1, 2)]
        return float(np.max(best, axis=0).mean())


class Cleaned(NamedTuple):
    """A cleaned dataset as COCO data, the number of people by outcome, and of files left out."""

    data: Dict[str, Any]
    counts: Dict[str, int]
    left_out: int


def clean(file: CocoFile, judge: LabelChecker, topology: Topology, least: float,
          output_folder: str, progress: Callable = iter) -> Cleaned:
    """Compare every labelled person with a teacher.

    A person is kept, mirrored, or loses all keypoints; training then treats the person as
    unlabelled, and not as background. Images in which no labelled person remains are left out,
    and images that cannot be read, too. File names become relative to `output_folder`. Raises
    DataError if no image remains.
    """
    samples = read_samples(file, topology)
    reader = ImageReader(samples, _MAX_SIDE)
    counts = collections.Counter({outcome: 0 for outcome in OUTCOMES})
    images, changed = [], {}
    for index in progress(range(len(samples))):
        entry = file.images[index]
        found = [person for person in file.people.get(entry['id'], ()) if is_labelled(person)]
        image = reader.read(index)
        if image is None:
            continue
        outcomes = _outcomes(image, scaled(samples[index], image.shape[1::-1]), judge, least)
        counts.update(outcomes)
        if found and set(outcomes) == {'drop'}:
            continue
        for person, outcome in zip(found, outcomes):
            changed[id(person)] = _CHANGES[outcome](person, file.keypoint_names)
        images.append({**entry, 'file_name': os.path.relpath(samples[index].path, output_folder)})
    if not images:
        raise DataError('{}: none of its {} images remains (people by outcome: {}); check that '
                        'the teacher is the right one'.format(
                            file.path, len(samples), dict(counts)))
    ids = {image['id'] for image in images}
    kept = [changed.get(id(annotation), annotation) for annotation in file.data['annotations']
            if annotation['image_id'] in ids]
    return Cleaned({**file.data, 'images': images, 'annotations': kept}, dict(counts),
                   len(samples) - len(images))


def _outcomes(image, sample, judge, least):
    return [judge.judge(image, sample, person).choose(least)
            for person in range(len(sample.people))]


def mirrored(annotation: Dict[str, Any], names) -> Dict[str, Any]:
    """Return a COCO annotation with left and right keypoints exchanged."""
    order = list(make_topology('dataset', names, ()).mirror)
    changed = copy.deepcopy(annotation)
    keypoints = [annotation['keypoints'][3 * k:3 * k + 3] for k in order]
    changed['keypoints'] = [number for keypoint in keypoints for number in keypoint]
    return changed


def unlabelled(annotation: Dict[str, Any], names) -> Dict[str, Any]:
    """Return a COCO annotation without keypoints; a missing box becomes that of its keypoints."""
    changed = copy.deepcopy(annotation)
    changed['bbox'] = [float(value) for value in box_of(annotation)]
    changed['keypoints'], changed['num_keypoints'] = [0] * (3 * len(names)), 0
    return changed


def _same(annotation, names):
    return annotation


_CHANGES = {'label': _same, 'unjudged': _same, 'mirror': mirrored, 'drop': unlabelled}
