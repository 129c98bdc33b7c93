# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""PCKh of MPII: the share of keypoints within a part of the head's size."""
from typing import Any, Dict, Optional, Tuple

import numpy as np

from pose_training.evaluation.detections import Detections
from pose_training.evaluation.matching import labelled_keypoints, match, owned

SHARES = (.5, .1)
_OF_DIAGONAL = .6  # of the head box (Andriluka et al., CVPR 2014; SC_BIAS of its evaluation)
_NOT_IN_MEAN = ('pelvis', 'thorax')  # of MPII's own mean


def head_size(annotation: Dict[str, Any]) -> Optional[float]:
    """Return the size of the head [px], 0.6 of the diagonal of `bbox_head`; None without one."""
    box = annotation.get('bbox_head')
    size = _OF_DIAGONAL * float(np.hypot(*box[2:4])) if box else 0.
    return size if size > 0 else None


def has_heads(detections: Detections) -> bool:
    """Return whether a labelled person has a head box."""
    return any(head_size(annotation) for people in detections.labels.people().values()
               for annotation in people)


def pckh_figures(detections: Detections) -> Tuple[Dict[str, Any], Dict[str, Dict]]:
    """Return the means by measure, and tables {measure: {keypoint: share}}; None without labels.

    People without a head box do not count. A keypoint that was not found is wrong. The mean is
    over all labels, without those of pelvis and thorax, as in MPII's evaluation.
    """
    topology = detections.labels.topology
    labelled = np.zeros(topology.size)
    within = np.zeros((len(SHARES), topology.size))
    for image_id, annotations in detections.labels.people().items():
        people = detections.people[image_id]
        pairs = owned(annotations, people) if detections.owned else match(
            annotations, people, topology)
        for annotation, person, _ in pairs:
            size, truth = head_size(annotation), labelled_keypoints(annotation)
            if not size:
                continue
            there = truth[:, 2] > 0
            labelled += there
            if person is not None:
                points = people.keypoints[person, :, :2]
                away = np.linalg.norm(points - truth[:, :2], axis=-1) / size
                within += there & (away <= np.array(SHARES)[:, None])
    counted = np.array([name not in _NOT_IN_MEAN for name in topology.keypoint_names])
    totals, tables = {}, {}
    for share, counts in zip(SHARES, within):
        label = 'PCKh@{:g}'.format(share)
        tables[label] = {name: _share(*pair) for name, pair in zip(
            topology.keypoint_names, zip(counts, labelled))}
        totals[label] = _share(counts[counted].sum(), labelled[counted].sum())
    return totals, tables


def _share(count, total):
    return float(count / total) if total else None
