# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Labels held against a teacher: right, left and right exchanged, or wrong."""
import collections
import copy
import os
from typing import Any, Callable, Dict, NamedTuple, Tuple

import numpy as np

from pose_ros.core.topology import get_topology, make_topology
from pose_training.data.annotations import read_samples, Sample
from pose_training.data.coco import box_of, CocoFile, is_labelled
from pose_training.data.geometry import place, scaled, warp
from pose_training.data.photographs import Photographs
from pose_training.errors import DataError
from pose_training.families.family import Family

OUTCOMES = ('label', 'mirror', 'drop', 'unjudged')
_CLEARLY = 1.5   # better must a mirror image agree: most labels are right, and teachers err too
_FILLED = .75    # of the teacher's picture by the box of the person
_MAX_SIDE = 2048  # px; more of a photograph than a teacher can see of a person


class Agreement(NamedTuple):
    """How far a teacher agrees with a person's labels, and with their mirror image.

    Each is the mean over the labelled joints of the teacher's heatmap at the joint, 0 to 1;
    `joints` is how many labelled joints the teacher knows.
    """

    label: float
    mirror: float
    joints: int = 1

    def choose(self, least: float) -> str:
        """Return 'label', 'mirror', 'drop' if neither agrees at `least` that well, 'unjudged'."""
        if not self.joints:
            return 'unjudged'
        if self.mirror >= max(least, _CLEARLY * self.label):
            return 'mirror'
        return 'label' if self.label >= least else 'drop'


class LabelChecker:
    """Asks a teacher about single people; `size` is the teacher's crop (width, height) [px].

    `teacher` has `maps(image)` and `known()`, as Teacher in teacher.py.
    """

    def __init__(self, teacher, family: Family, size: Tuple[int, int], stride: int):
        self._teacher, self._size, self._stride = teacher, size, stride
        self._family, self._mirror = family, list(family.topology.mirror)
        known = family.keypoint_maps(teacher.known())
        self._known = known & known[self._mirror]

    def judge(self, image: np.ndarray, sample: Sample, person: int) -> Agreement:
        """Look at one person of a photograph, cut out at three quarters of the crop."""
        crop = warp(image, None, sample, self._matrix(sample.boxes[person]), self._size,
                    border=128)
        heat = self._family.keypoint_maps(self._teacher.maps(crop.image))
        joints = crop.people[person]
        inside = ((joints[:, :2] > -.5) & (joints[:, :2] < np.array(self._size) - .5)).all(1)
        there = (joints[:, 2] > 0) & self._known & inside
        return Agreement(self._agreement(heat, joints, there),
                         self._agreement(heat[self._mirror], joints, there), int(there.sum()))

    def _matrix(self, box):
        x, y, w, h = box
        scale = _FILLED * min(self._size[0] / max(w, 1), self._size[1] / max(h, 1))
        return place((x + w / 2, y + h / 2), np.array(self._size) / 2, 0, (scale, scale))

    def _agreement(self, heat, joints, there):
        if not there.any():
            return 0.
        cells = np.rint((joints[there, :2] + .5) / self._stride - .5).astype(int)
        # A label may be a cell off: the best of the neighborhood counts.
        padded = np.pad(heat[there], ((0, 0), (1, 1), (1, 1)))
        best = [padded[np.arange(len(cells)),
                       (cells[:, 1] + dy).clip(0, padded.shape[1] - 1),
                       (cells[:, 0] + dx).clip(0, padded.shape[2] - 1)]
                for dy in (0, 1, 2) for dx in (0, 1, 2)]
        return float(np.max(best, axis=0).mean())


class Cleaned(NamedTuple):
    """A cleaned dataset as COCO data, how many people came out how, and files left out."""

    data: Dict[str, Any]
    counts: Dict[str, int]
    left_out: int


def clean(file: CocoFile, folder: str, judge: LabelChecker, topology_name: str, least: float,
          output_folder: str, progress: Callable = iter) -> Cleaned:
    """Hold every labelled person against a teacher.

    A person is kept, mirrored, or keeps no joint: then whoever trains on the file takes it for
    unlabelled, and not for background. A photograph of which nobody labelled is left is left out,
    and so is one that cannot be read. File names become relative to `output_folder`. Raises
    DataError if nothing is left.
    """
    samples = read_samples(file, get_topology(topology_name), folder)
    photographs = Photographs(samples, _MAX_SIDE)
    counts = collections.Counter({outcome: 0 for outcome in OUTCOMES})
    images, changed = [], {}
    for index in progress(range(len(samples))):
        entry = file.images[index]
        found = [person for person in file.people.get(entry['id'], ()) if is_labelled(person)]
        image = photographs.read(index)
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
        raise DataError('{}: nothing is left of its {} photographs: {}; is it the right '
                        'teacher?'.format(file.path, len(samples), dict(counts)))
    ids = {image['id'] for image in images}
    kept = [changed.get(id(annotation), annotation) for annotation in file.data['annotations']
            if annotation['image_id'] in ids]
    return Cleaned({**file.data, 'images': images, 'annotations': kept}, dict(counts),
                   len(samples) - len(images))


def _outcomes(image, sample, judge, least):
    return [judge.judge(image, sample, person).choose(least)
            for person in range(len(sample.people))]


def mirrored(annotation: Dict[str, Any], names) -> Dict[str, Any]:
    """Return a COCO annotation with left and right joints exchanged."""
    order = list(make_topology('dataset', names, ()).mirror)
    changed = copy.deepcopy(annotation)
    joints = [annotation['keypoints'][3 * k:3 * k + 3] for k in order]
    changed['keypoints'] = [number for joint in joints for number in joint]
    return changed


def unlabelled(annotation: Dict[str, Any], names) -> Dict[str, Any]:
    """Return a COCO annotation without any joint; its box stays, or becomes that of its joints."""
    changed = copy.deepcopy(annotation)
    changed['bbox'] = [float(value) for value in box_of(annotation)]
    changed['keypoints'], changed['num_keypoints'] = [0] * (3 * len(names)), 0
    return changed


def _same(annotation, names):
    return annotation


_CHANGES = {'label': _same, 'unjudged': _same, 'mirror': mirrored, 'drop': unlabelled}
