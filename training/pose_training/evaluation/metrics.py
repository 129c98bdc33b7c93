# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Figures: COCO's AP and AR, PCK per keypoint, exchanged left and right, time per image."""
import contextlib
import io
from typing import Any, Dict, List, NamedTuple, Optional, Sequence

import numpy as np
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from pose_ros.core.topology import Topology
from pose_training.evaluation.detections import coco_results, Detections
from pose_training.evaluation.labels import Labels
from pose_training.evaluation.matching import labelled_keypoints, match

AP_NAMES = ('AP', 'AP50', 'AP75', 'AP_medium', 'AP_large', 'AR', 'AR50', 'AR75', 'AR_medium',
            'AR_large')
PCK_OF = ('torso', 'extent')


class Pck(NamedTuple):
    """Within `share` of what a keypoint is found.

    'torso': the longer diagonal of the torso, half of the box where that is not labelled;
    'extent': the longest side of the rectangle of the labelled keypoints (DeeperCut).
    """

    share: float = .2
    of: str = 'torso'


class KeypointFigures(NamedTuple):
    """Figures of one keypoint.

    `labelled` is the number of its labels, `found` the share that the matched person has within
    the tolerance (PCK), `swapped` the share where its left/right twin is there instead; None
    without labels.
    """

    name: str
    labelled: int
    found: Optional[float]
    swapped: Optional[float]


def average_precision(detections: Detections) -> Dict[str, Optional[float]]:
    """Return COCO's ten keypoint figures (OKS 0.5 to 0.95, at most 20 people an image).

    None if the dataset has no people (of that size).
    """
    return coco_figures(detections.labels, coco_results(detections), 'keypoints', AP_NAMES)


def coco_figures(labels: Labels, results: List[Dict[str, Any]], kind: str,
                 names: Sequence[str]) -> Dict[str, Optional[float]]:
    """Return the figures of COCO's evaluation of a kind ('keypoints', 'bbox') by `names`.

    `results` is the list that COCO's evaluation reads. None if there is nothing to measure.
    """
    truth, found = COCO(), COCO()
    truth.dataset = {'info': {}, 'images': [{'id': image.id} for image in labels.images],
                     'categories': [{'id': labels.category}],
                     # Copies, because the evaluation writes notes into them.
                     'annotations': [dict(annotation) for annotation in labels.annotations]}
    with contextlib.redirect_stdout(io.StringIO()):
        truth.createIndex()
        if results:  # loadRes fails for an empty list
            found = truth.loadRes(results)
        evaluation = COCOeval(truth, found, kind)
        if kind == 'keypoints':
            evaluation.params.kpt_oks_sigmas = np.array(labels.topology.sigmas)
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    # COCO's -1 means that there was nothing to measure.
    return {name: None if value < 0 else float(value)
            for name, value in zip(names, evaluation.stats)}


def keypoint_figures(detections: Detections, pck: Pck = Pck()) -> List[KeypointFigures]:
    """Return PCK per keypoint."""
    topology = detections.labels.topology
    mirror = list(topology.mirror)
    counts = np.zeros((3, topology.size))
    for image_id, annotations in detections.labels.people().items():
        people = detections.people[image_id]
        for annotation, person, _ in match(annotations, people, topology):
            truth = labelled_keypoints(annotation)
            there = truth[:, 2] > 0
            counts[0] += there
            if person is not None:
                radius = pck.share * (_extent(truth) if pck.of == 'extent' else reach(
                    truth, annotation['bbox'], topology))
                points = people.keypoints[person, :, :2]
                near = np.linalg.norm(points - truth[:, :2], axis=-1) < radius
                twin = np.linalg.norm(points[mirror] - truth[:, :2], axis=-1) < radius
                counts[1:] += there & near, there & twin & ~near
    return [KeypointFigures(name, int(total), *(count / total if total else None for count in few))
            for name, (total, *few) in zip(topology.keypoint_names, counts.T.tolist())]


def reach(truth: np.ndarray, box, topology: Topology) -> float:
    """Return the longer diagonal of the torso [px], or half the box where that is not labelled."""
    diagonals = []
    for names in (('left_shoulder', 'right_hip'), ('right_shoulder', 'left_hip')):
        ends = [topology.index(name) for name in names]
        if None not in ends and (truth[ends, 2] > 0).all():
            diagonals.append(float(np.linalg.norm(truth[ends[0], :2] - truth[ends[1], :2])))
    return max(diagonals) if diagonals else max(box[2], box[3]) / 2.


def _extent(truth):
    """Return the longest side of the rectangle of the labelled keypoints [px]."""
    return float(np.ptp(truth[truth[:, 2] > 0, :2], axis=0).max())


def figures(detections: Detections, keypoint_list: List[KeypointFigures]) -> Dict[str, Any]:
    """Return all figures of a run, without those of single keypoints, as JSON data.

    Shares are 0 to 1; None if there was nothing to measure.
    """
    labels = detections.labels
    total = sum(keypoint.labelled for keypoint in keypoint_list)
    found, swapped = (sum(getattr(keypoint, name) * keypoint.labelled for keypoint in keypoint_list
                          if keypoint.labelled) / total if total else None
                      for name in ('found', 'swapped'))
    empty = labels.empty_images()
    clean = [not detections.people[image_id].count for image_id in empty]
    median, slow = 1e3 * np.percentile(detections.seconds, (50, 90))
    return dict(average_precision(detections), PCK=found, swapped=swapped,
                images=len(labels.images), images_left_out=labels.left_out,
                labelled_people=sum(map(len, labels.people().values())),
                found_people=sum(people.count for people in detections.people.values()),
                empty_images=len(empty),
                empty_images_clean=sum(clean) / len(clean) if clean else None,
                milliseconds_median=float(median), milliseconds_p90=float(slow))
