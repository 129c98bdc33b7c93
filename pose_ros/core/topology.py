# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Skeleton formats as data: keypoint names, limbs, mirror pairs, OKS constants, colors.

Left and right are as seen by the person. Orders follow the published networks: COCO-17 (COCO
keypoint challenge), COCO-18 and BODY-25 and MPI-15 (OpenPose), MPII-16 (MPII Human Pose),
trt_pose-18 (COCO-17 with a neck), CPM-14 (convolutional pose machines, Wei et al.), HAND-21 and
FACE-70 (OpenPose).
"""
import colorsys
import functools
from operator import index
from typing import Dict, NamedTuple, Optional, Tuple

from pose_ros.core.errors import PoseRosError
from pose_ros.core.quoting import quoted

CUSTOM_FORMAT_ID = 100
_LONGEST_NAME = 100  # characters


class Topology(NamedTuple):
    """A skeleton format.

    `limbs` are the (parent, child) pairs to draw. `mirror[k]` is the index of the left/right
    counterpart of keypoint k (k itself in the middle of the body). `sigmas` are the OKS constants
    per keypoint: the tolerance of keypoint k on a person of area A is 2 * sigma * sqrt(A).
    """

    name: str
    format_id: int
    keypoint_names: Tuple[str, ...]
    limbs: Tuple[Tuple[int, int], ...]
    mirror: Tuple[int, ...]
    sigmas: Tuple[float, ...]

    @property
    def size(self) -> int:
        """Return the number of keypoints."""
        return len(self.keypoint_names)

    def index(self, keypoint_name: str) -> Optional[int]:
        """Return the index of a keypoint by name, None if the format lacks it."""
        names = self.keypoint_names
        return names.index(keypoint_name) if keypoint_name in names else None

    def limb_colors(self) -> Tuple[Tuple[int, int, int], ...]:
        """Return one BGR color (0..255) per limb, spread over the hue circle."""
        return _hues(len(self.limbs))

    def keypoint_colors(self) -> Tuple[Tuple[int, int, int], ...]:
        """Return one BGR color (0..255) per keypoint: that of a limb that ends there."""
        ending = {}
        for color, (parent, child) in zip(self.limb_colors(), self.limbs):
            ending.setdefault(child, color)
            ending.setdefault(parent, color)
        return tuple(ending.get(k, (255, 255, 255)) for k in range(self.size))


@functools.lru_cache(maxsize=None)
def _hues(count):
    rgb = (colorsys.hsv_to_rgb(i / float(count or 1), 1.0, 1.0) for i in range(count))
    return tuple((int(255 * b), int(255 * g), int(255 * r)) for r, g, b in rgb)


# COCO's constants (cocoapi, cocoeval.py). A keypoint that COCO lacks has that of a similar one.
_SIGMAS = {
    'nose': .026, 'eye': .025, 'ear': .035, 'shoulder': .079, 'elbow': .072, 'wrist': .062,
    'hip': .107, 'knee': .087, 'ankle': .089, 'neck': .079, 'upper_neck': .079, 'head': .079,
    'head_top': .079, 'head_bottom': .079, 'chest': .107, 'thorax': .079, 'pelvis': .107,
    'mid_hip': .107, 'big_toe': .089, 'small_toe': .089, 'heel': .089}
_OTHER_SIGMA = .05  # hands, faces, and unknown keypoints of custom models


def _sigma(keypoint_name):
    bare = keypoint_name.replace('left_', '').replace('right_', '')
    return _SIGMAS.get(bare, _OTHER_SIGMA)


def _counterpart(keypoint_name):
    if keypoint_name.startswith('left_'):
        return 'right_' + keypoint_name[5:]
    if keypoint_name.startswith('right_'):
        return 'left_' + keypoint_name[6:]
    return keypoint_name


def make_topology(name, keypoint_names, limbs, format_id=CUSTOM_FORMAT_ID,
                  mirror=None) -> Topology:
    """Build and check a topology; mirror pairs come from `left_`/`right_` names unless given."""
    names = tuple(keypoint_names) if isinstance(keypoint_names, (list, tuple)) else ()
    where = 'topology {}'.format(quoted(name))
    if not all(isinstance(word, str) and 0 < len(word) <= _LONGEST_NAME and word.isprintable()
               for word in (name,) + names):
        raise PoseRosError('{}: its name and keypoint_names must be words of at most {} printable '
                           'characters'.format(where, _LONGEST_NAME))
    if not names or len(names) > 255 or len(set(names)) != len(names):
        raise PoseRosError(
            '{}: keypoint_names must be 1 to 255 different words'.format(where))
    try:
        limbs = tuple((_index(a), _index(b)) for a, b in limbs)
        mirror = None if mirror is None else tuple(_index(k) for k in mirror)
    except (TypeError, ValueError):
        raise PoseRosError('{}: limbs must be pairs of whole numbers, and mirror a list of '
                           'them'.format(where))
    if any(not 0 <= k < len(names) for limb in limbs for k in limb):
        raise PoseRosError('{}: a limb names a keypoint outside 0..{}'.format(
            where, len(names) - 1))
    if len({frozenset(limb) for limb in limbs}) < len(limbs) or any(a == b for a, b in limbs):
        raise PoseRosError('{}: each of its limbs must join two different keypoints, and no two '
                           'limbs the same ones'.format(where))
    if mirror is None:
        place = {keypoint: k for k, keypoint in enumerate(names)}
        mirror = tuple(place.get(_counterpart(keypoint), k) for k, keypoint in enumerate(names))
    if len(mirror) != len(names) or any(
            not 0 <= k < len(names) or mirror[k] != i for i, k in enumerate(mirror)):
        raise PoseRosError('{}: mirror must pair keypoints both ways'.format(where))
    return Topology(name, format_id, names, limbs, mirror, tuple(_sigma(k) for k in names))


def _index(value):
    if isinstance(value, bool):
        raise TypeError('true and false are no indices')
    return index(value)


def _sided(text):
    """Expand 'l_' and 'r_', which keep the table below readable."""
    return tuple(word.replace('l_', 'left_', 1) if word.startswith('l_')
                 else word.replace('r_', 'right_', 1) if word.startswith('r_') else word
                 for word in text.split())


def _pairs(text):
    return tuple(tuple(int(k) for k in pair.split('-')) for pair in text.split())


_COCO_17 = _sided('nose l_eye r_eye l_ear r_ear l_shoulder r_shoulder l_elbow r_elbow l_wrist '
                  'r_wrist l_hip r_hip l_knee r_knee l_ankle r_ankle')
_COCO_17_LIMBS = '15-13 13-11 16-14 14-12 11-12 5-11 6-12 5-6 5-7 6-8 7-9 8-10 1-2 0-1 0-2 1-3 2-4'

_HAND_21 = ('wrist',) + tuple('{}_{}'.format(finger, number)
                              for finger in ('thumb', 'index', 'middle', 'ring', 'little')
                              for number in (1, 2, 3, 4))
_HAND_21_LIMBS = tuple((0 if number == 0 else 4 * finger + number, 4 * finger + number + 1)
                       for finger in range(5) for number in range(4))

# Open and closed runs of landmarks: jaw, brows, nose bridge and base, eyes, outer and inner lips.
_FACE_RUNS = ((0, 16, False), (17, 21, False), (22, 26, False), (27, 30, False), (31, 35, False),
              (36, 41, True), (42, 47, True), (48, 59, True), (60, 67, True))
FACE_RANGES = {'jaw': (0, 16), 'brows': (17, 26), 'nose': (27, 35), 'eyes': (36, 47),
               'mouth': (48, 67), 'pupils': (68, 69)}


def _face_names():
    ranges = sorted(FACE_RANGES.items(), key=lambda item: item[1])
    return tuple('{}_{}'.format(part, k - first)
                 for part, (first, last) in ranges for k in range(first, last + 1))


def _face_limbs():
    limbs = []
    for first, last, closed in _FACE_RUNS:
        limbs += [(k, k + 1) for k in range(first, last)] + ([(last, first)] if closed else [])
    return tuple(limbs)


def _face_mirror():
    """Return the left/right counterparts of the iBUG 68 landmarks and the two pupils."""
    counterparts = {k: 16 - k for k in range(17)}
    pairs = ('17-26 18-25 19-24 20-23 21-22 31-35 32-34 36-45 37-44 38-43 39-42 40-47 41-46 48-54 '
             '49-53 50-52 55-59 56-58 60-64 61-63 65-67 68-69')
    for a, b in _pairs(pairs):
        counterparts[a], counterparts[b] = b, a
    return tuple(counterparts.get(k, k) for k in range(70))


TOPOLOGIES: Dict[str, Topology] = {topology.name: topology for topology in (
    make_topology('coco_17', _COCO_17, _pairs(_COCO_17_LIMBS), 1),
    make_topology('coco_18', _sided(
        'nose neck r_shoulder r_elbow r_wrist l_shoulder l_elbow l_wrist r_hip r_knee r_ankle '
        'l_hip l_knee l_ankle r_eye l_eye r_ear l_ear'), _pairs(
        '1-2 1-5 2-3 3-4 5-6 6-7 1-8 8-9 9-10 1-11 11-12 12-13 1-0 0-14 14-16 0-15 15-17'), 2),
    make_topology('body_25', _sided(
        'nose neck r_shoulder r_elbow r_wrist l_shoulder l_elbow l_wrist mid_hip r_hip r_knee '
        'r_ankle l_hip l_knee l_ankle r_eye l_eye r_ear l_ear l_big_toe l_small_toe l_heel '
        'r_big_toe r_small_toe r_heel'), _pairs(
        '1-8 1-2 1-5 2-3 3-4 5-6 6-7 8-9 9-10 10-11 8-12 12-13 13-14 1-0 0-15 15-17 0-16 16-18 '
        '14-19 19-20 14-21 11-22 22-23 11-24'), 3),
    make_topology('mpi_15', _sided(
        'head neck r_shoulder r_elbow r_wrist l_shoulder l_elbow l_wrist r_hip r_knee r_ankle '
        'l_hip l_knee l_ankle chest'), _pairs(
        '0-1 1-2 2-3 3-4 1-5 5-6 6-7 1-14 14-8 8-9 9-10 14-11 11-12 12-13'), 4),
    make_topology('mpii_16', _sided(
        'r_ankle r_knee r_hip l_hip l_knee l_ankle pelvis thorax upper_neck head_top '
        'r_wrist r_elbow r_shoulder l_shoulder l_elbow l_wrist'), _pairs(
        '0-1 1-2 2-6 6-3 3-4 4-5 6-7 7-8 8-9 10-11 11-12 12-7 7-13 13-14 14-15'), 5),
    make_topology('trt_pose_18', _COCO_17 + ('neck',), _pairs(
        '15-13 13-11 16-14 14-12 11-12 5-7 6-8 7-9 8-10 1-2 0-1 0-2 1-3 2-4 17-0 17-5 17-6 17-11 '
        '17-12'), 6),
    make_topology('cpm_14', _sided(
        'head_top neck r_shoulder r_elbow r_wrist l_shoulder l_elbow l_wrist r_hip r_knee r_ankle '
        'l_hip l_knee l_ankle'), _pairs(
        '0-1 1-2 2-3 3-4 1-5 5-6 6-7 1-8 8-9 9-10 1-11 11-12 12-13'), 9),
    make_topology('hand_21', _HAND_21, _HAND_21_LIMBS, 50),
    make_topology('face_70', _face_names(), _face_limbs(), 51, _face_mirror()),
)}


def get_topology(name: str) -> Topology:
    """Return a bundled topology by name; PoseRosError lists the known ones."""
    if name not in TOPOLOGIES:
        raise PoseRosError('unknown topology {}; known: {}. A model card may define its own '
                           'instead.'.format(quoted(name), ', '.join(sorted(TOPOLOGIES))))
    return TOPOLOGIES[name]


def part_topology(name: str) -> Topology:
    """Return the topology of a part of People: left_hand, right_hand or face."""
    return TOPOLOGIES['face_70' if name == 'face' else 'hand_21']
