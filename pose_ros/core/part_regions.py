# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Where the hands and the face of a person are, from the keypoints of the body.

The rules are those of OpenPose (src/openpose/hand/handDetector.cpp, face/faceDetector.cpp), with
what is missing left out where that is possible.
"""
import math
from typing import Dict, List, NamedTuple, Optional

import numpy as np

from pose_ros.core.topology import Topology

HANDS = ('left_hand', 'right_hand')
FACE = 'face'


class Place(NamedTuple):
    """A square: `center` (x, y) and `side` [px], `angle` [rad] clockwise by which it is turned.

    Turned by `angle`, fingers that continue the forearm point up, and eyes are level.
    """

    center: np.ndarray
    side: float
    angle: float


def hand_place(points: Dict[str, np.ndarray], side: str) -> Optional[Place]:
    """Return the place of a hand ('left' or 'right'), None without its wrist and elbow.

    points: (2,) px by the names of the keypoints that were found. The center lies a third of the
    forearm beyond the wrist, the side is 1.5 times the longer of the forearm and 0.9 upper arms.
    """
    wrist, elbow, shoulder = (points.get('{}_{}'.format(side, name))
                              for name in ('wrist', 'elbow', 'shoulder'))
    if wrist is None or elbow is None:
        return None
    forearm = wrist - elbow
    length = float(np.hypot(*forearm))
    upper = 0.9 * float(np.hypot(*(elbow - shoulder))) if shoulder is not None else 0.0
    return Place(wrist + 0.33 * forearm, 1.5 * max(length, upper),
                 math.atan2(forearm[0], -forearm[1]))


def face_place(points: Dict[str, np.ndarray]) -> Optional[Place]:
    """Return the place of the face, None if too little of the head was found.

    points: as in hand_place. The mean of up to three estimates: 2 times nose to neck, 3 times the
    distance of the eyes, 2 times that of the ears. In profile, with one eye and one ear, the first
    is 0.85 times nose to eye, to ear and to neck together.
    """
    found: List[tuple] = []
    nose, neck = points.get('nose'), _neck(points)
    eyes = [points.get(name) for name in ('right_eye', 'left_eye')]
    ears = [points.get(name) for name in ('right_ear', 'left_ear')]
    if nose is not None and neck is not None:
        found.append(_profile(nose, neck, eyes, ears)
                     or ((nose + neck) / 2, 2 * _apart(nose, neck)))
    for pair, factor in ((eyes, 3.0), (ears, 2.0)):
        if pair[0] is not None and pair[1] is not None:
            found.append(((pair[0] + pair[1]) / 2, factor * _apart(*pair)))
    if not found:
        return None
    center = np.mean([each[0] for each in found], 0)
    return Place(center, float(np.mean([each[1] for each in found])), _roll(eyes, ears))


def found_points(keypoints: np.ndarray, topology: Topology) -> Dict[str, np.ndarray]:
    """Return the found keypoints (K, 3) of one person by name, (2,) float64 px."""
    return {name: point[:2].astype(np.float64)
            for name, point in zip(topology.keypoint_names, keypoints) if point[2] > 0}


def _neck(points):
    if 'neck' in points:
        return points['neck']
    left, right = points.get('left_shoulder'), points.get('right_shoulder')
    return None if left is None or right is None else (left + right) / 2


def _profile(nose, neck, eyes, ears):
    """Return center and side of a face seen from the side, None of one seen from the front."""
    for eye, ear, other_eye, other_ear in ((eyes[0], ears[0], eyes[1], ears[1]),
                                           (eyes[1], ears[1], eyes[0], ears[0])):
        if eye is not None and ear is not None and (other_eye is None or other_ear is None):
            side = 0.85 * (_apart(nose, eye) + _apart(nose, ear) + _apart(neck, nose))
            return (eye + ear + nose) / 3, side
    return None


def _apart(one, other):
    return float(np.hypot(*(one - other)))


def _roll(eyes, ears):
    """Return the angle by which the line from the right to the left eye, or ear, falls."""
    for right, left in (eyes, ears):
        if right is not None and left is not None:
            return math.atan2(left[1] - right[1], left[0] - right[0])
    return 0.0
