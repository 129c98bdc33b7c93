# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""The measures of PoseTrack: AP and MOTA of each keypoint, in units of the head's size.

Definition: github.com/leonid-pishchulin/poseval. As there, keypoints in regions to ignore do not
count, labelled or found, nor do frames without labels, nor, for MOTA, the last labelled frame of
a sequence. In contrast to it, a frame in which nothing is found has all its labels missed.
"""
from typing import Any, Dict, List, NamedTuple, Tuple

import cv2
import numpy as np

from pose_ros.core.people import UNTRACKED
from pose_training.evaluation.clear_mot import ClearMot
from pose_training.evaluation.detections import Detections
from pose_training.evaluation.matching import labelled_keypoints
from pose_training.evaluation.pckh import head_size

_WITHIN = .5  # of the head's size
GROUPS = {
    'head': ('head_top', 'head_bottom', 'nose'),
    **{name: ('left_' + name, 'right_' + name)
       for name in ('shoulder', 'elbow', 'wrist', 'hip', 'knee', 'ankle')}}
_NAMES = tuple(name for names in GROUPS.values() for name in names)


class _Scene(NamedTuple):
    """A frame: G labelled and P found people.

    `truth` (G, 15, 3), 0 in the last column without a label; `found` (P, 15, 3) with scores;
    `away` (P, G, 15): distances over the head's size, infinite where either is missing.
    """

    ids: List[int]
    truth: np.ndarray
    track_ids: np.ndarray
    found: np.ndarray
    away: np.ndarray


def has_tracks(detections: Detections) -> bool:
    """Return whether the labels are those of PoseTrack: its keypoints, ids and head boxes."""
    topology = detections.labels.topology
    return all(topology.index(name) is not None for name in _NAMES) and any(
        'track_id' in annotation and 'bbox_head' in annotation
        for annotation in detections.labels.annotations)


def posetrack_figures(detections: Detections) -> Tuple[Dict[str, Any], Dict[str, Dict]]:
    """Return the totals, and tables {measure: {group of keypoints: value}}; 0 to 1.

    Measures: PoseTrack AP, and, if people were tracked, MOTA, MOTP, precision and recall.
    """
    sequences = _sequences(detections)
    scenes = [scene for sequence in sequences for scene in sequence]
    tables = {'PoseTrack AP': _grouped([_keypoint_ap(scenes, k) for k in range(len(_NAMES))])}
    if any((people.track_ids != UNTRACKED).any() for people in detections.people.values()):
        figures = [_mot(sequences, k) for k in range(len(_NAMES))]
        for name, label in (('mota', 'MOTA'), ('motp', 'MOTP'), ('precision', 'track precision'),
                            ('recall', 'track recall')):
            tables[label] = _grouped([getattr(figure, name) for figure in figures])
    return {label: table['total'] for label, table in tables.items()}, tables


def _sequences(detections) -> List[List[_Scene]]:
    found: Dict[str, List[_Scene]] = {}
    labelled, ignored = detections.labels.people(), detections.labels.ignored()
    for image in detections.labels.images:
        people = detections.people[image.id]
        annotations = [each for each in labelled[image.id]
                       if 'track_id' in each and head_size(each)]
        # poseval asks whether there are labels before it looks at regions to ignore.
        if annotations:
            found.setdefault(image.sequence, []).append(_scene(
                annotations, people, ignored.get(image.id, ()), detections.labels.topology))
    return list(found.values())


def _scene(annotations, people, regions, topology) -> _Scene:
    places = [topology.index(name) for name in _NAMES]
    truth = np.array([labelled_keypoints(each)[places] for each in annotations])
    found = people.keypoints[:, places].astype(float)
    for points in (truth, found):
        points[_inside(points, regions)] = 0
    heads = np.array([head_size(each) for each in annotations])
    away = np.linalg.norm(found[:, None, :, :2] - truth[None, ..., :2], axis=-1) \
        / heads[:, None]
    both = (found[:, None, :, 2] > 0) & (truth[None, ..., 2] > 0)
    away = np.where(both, away, np.inf)
    seen, kept = ((points[..., 2] > 0).any(1) for points in (truth, found))
    return _Scene([each['track_id'] for each, any_left in zip(annotations, seen) if any_left],
                  truth[seen], people.track_ids[kept], found[kept], away[kept][:, seen])


def _inside(points, regions) -> np.ndarray:
    """Return a mask of the points (N, 15, 3) inside a polygon."""
    mask = np.zeros(points.shape[:2], bool)
    for outline in regions:
        polygon = np.array(outline, np.float32).reshape(-1, 1, 2)
        for place in zip(*np.nonzero(points[..., 2] > 0)):
            mask[place] |= cv2.pointPolygonTest(polygon, points[place][:2].tolist(), False) > 0
    return mask


def _owners(scene) -> np.ndarray:
    """Return the label that each found person belongs to, (P,); -1 for none.

    A found person may only belong to the label of which it has the most keypoints; of several,
    the best one does.
    """
    owners = np.full(len(scene.found), -1)
    if not len(scene.found) or not len(scene.ids):
        return owners
    shares = (scene.away <= _WITHIN).sum(2) / np.maximum((scene.truth[..., 2] > 0).sum(1), 1)
    best = shares.argmax(1)
    shares[np.arange(shares.shape[1]) != best[:, None]] = 0
    for label, person in enumerate(shares.argmax(0)):
        if shares[person, label] > 0:
            owners[person] = label
    return owners


def _keypoint_ap(scenes, k) -> float:
    """Return the AP of a keypoint over all frames; NaN without labels."""
    labels, scores, right = 0, [], []
    for scene in scenes:
        labels += int((scene.truth[:, k, 2] > 0).sum())
        owners = _owners(scene)
        for person in np.flatnonzero(scene.found[:, k, 2] > 0):
            scores.append(scene.found[person, k, 2])
            right.append(owners[person] >= 0
                         and scene.away[person, owners[person], k] <= _WITHIN)
    if not labels:
        return float('nan')
    order = np.argsort(np.array(scores))[::-1]
    hits = np.cumsum(np.array(right, float)[order])
    precision = hits / np.arange(1, len(hits) + 1)
    precision = np.maximum.accumulate(precision[::-1])[::-1]
    return float((np.diff(np.concatenate([[0.], hits / labels])) * precision).sum())


def _mot(sequences, k):
    counter = ClearMot()
    for scenes in sequences:
        counter.restart()
        for scene in scenes[:-1]:
            there = np.flatnonzero(scene.truth[:, k, 2] > 0)
            tracked = np.flatnonzero((scene.found[:, k, 2] > 0)
                                     & (scene.track_ids != UNTRACKED))
            away = scene.away[np.ix_(tracked, there, [k])][..., 0].T
            counter.update([scene.ids[row] for row in there],
                           scene.track_ids[tracked].tolist(),
                           np.where(away <= _WITHIN, away, np.inf))
    return counter.figures()


def _grouped(values) -> Dict[str, float]:
    """Return the means of the groups, and `total` of all keypoints, without those of NaN."""
    by_name = dict(zip(_NAMES, values))
    groups = {group: _mean([by_name[name] for name in names]) for group, names in GROUPS.items()}
    return dict(groups, total=_mean(values))


def _mean(values):
    known = [value for value in values if not np.isnan(value)]
    return float(np.mean(known)) if known else None
