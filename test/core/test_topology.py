# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Skeleton formats against the orders that their authors published."""
import pytest

from pose_ros.core.errors import PoseRosError
from pose_ros.core.topology import CUSTOM_FORMAT_ID, get_topology, make_topology, TOPOLOGIES

# Written out in the publishers' own order (COCO keypoint challenge; OpenPose's part tables; MPII's
# annotation order; trt_pose's human_pose.json; the configuration of the pose machines), so that a
# slip in the shorthand of the code shows.
COCO_17 = (
    'nose', 'left_eye', 'right_eye', 'left_ear', 'right_ear', 'left_shoulder', 'right_shoulder',
    'left_elbow', 'right_elbow', 'left_wrist', 'right_wrist', 'left_hip', 'right_hip', 'left_knee',
    'right_knee', 'left_ankle', 'right_ankle')
ORDERS = {
    'coco_17': COCO_17,
    'coco_18': (
        'nose', 'neck', 'right_shoulder', 'right_elbow', 'right_wrist', 'left_shoulder',
        'left_elbow', 'left_wrist', 'right_hip', 'right_knee', 'right_ankle',
        'left_hip', 'left_knee', 'left_ankle',
        'right_eye', 'left_eye', 'right_ear', 'left_ear'),
    'body_25': (
        'nose', 'neck', 'right_shoulder', 'right_elbow', 'right_wrist', 'left_shoulder',
        'left_elbow', 'left_wrist', 'mid_hip', 'right_hip', 'right_knee', 'right_ankle',
        'left_hip', 'left_knee',
        'left_ankle', 'right_eye', 'left_eye', 'right_ear', 'left_ear', 'left_big_toe',
        'left_small_toe', 'left_heel', 'right_big_toe', 'right_small_toe', 'right_heel'),
    'mpi_15': (
        'head', 'neck', 'right_shoulder', 'right_elbow', 'right_wrist', 'left_shoulder',
        'left_elbow', 'left_wrist', 'right_hip', 'right_knee', 'right_ankle', 'left_hip',
        'left_knee', 'left_ankle', 'chest'),
    'mpii_16': (
        'right_ankle', 'right_knee', 'right_hip', 'left_hip', 'left_knee', 'left_ankle', 'pelvis',
        'thorax', 'upper_neck', 'head_top', 'right_wrist', 'right_elbow', 'right_shoulder',
        'left_shoulder', 'left_elbow', 'left_wrist'),
    'trt_pose_18': COCO_17 + ('neck',),
    'cpm_14': (
        'head_top', 'neck', 'right_shoulder', 'right_elbow', 'right_wrist', 'left_shoulder',
        'left_elbow', 'left_wrist', 'right_hip', 'right_knee', 'right_ankle', 'left_hip',
        'left_knee', 'left_ankle'),
}
# Body formats are trees or nearly so: every keypoint hangs on a limb. The numbers are format ids.
IDS = {'coco_17': 1, 'coco_18': 2, 'body_25': 3, 'mpi_15': 4, 'mpii_16': 5, 'trt_pose_18': 6,
       'cpm_14': 9, 'hand_21': 50, 'face_70': 51}
LIMB_COUNTS = {'coco_17': 17, 'coco_18': 17, 'body_25': 24, 'mpi_15': 14, 'mpii_16': 15,
               'trt_pose_18': 19, 'cpm_14': 13, 'hand_21': 20, 'face_70': 63}
COCO_SIGMAS = (.026, .025, .025, .035, .035, .079, .079, .072, .072, .062, .062, .107, .107, .087,
               .087, .089, .089)


def test_formats_and_their_ids():
    assert {name: topology.format_id for name, topology in TOPOLOGIES.items()} == IDS
    assert {name: topology.size for name, topology in TOPOLOGIES.items()} == {
        'coco_17': 17, 'coco_18': 18, 'body_25': 25, 'mpi_15': 15, 'mpii_16': 16,
        'trt_pose_18': 18, 'cpm_14': 14, 'hand_21': 21, 'face_70': 70}


@pytest.mark.parametrize('name', sorted(ORDERS))
def test_order_is_the_published_one(name):
    assert get_topology(name).keypoint_names == ORDERS[name]


@pytest.mark.parametrize('name', sorted(TOPOLOGIES))
def test_mirror_swaps_left_and_right_and_nothing_else(name):
    topology = get_topology(name)
    assert [topology.mirror[k] for k in topology.mirror] == list(range(topology.size))
    if name == 'face_70':
        return
    for keypoint, twin in zip(topology.keypoint_names, topology.mirror):
        other = topology.keypoint_names[twin]
        if keypoint.startswith('left_'):
            assert other == 'right_' + keypoint[5:]
        elif keypoint.startswith('right_'):
            assert other == 'left_' + keypoint[6:]
        else:
            assert other == keypoint


def test_face_mirror_by_landmark():
    mirror = get_topology('face_70').mirror
    # Jaw ends, chin, brow ends, nose bridge, outer and inner eye corners, mouth corners, pupils.
    assert [mirror[k] for k in (0, 8, 17, 21, 27, 36, 39, 48, 51, 68)] == [
        16, 8, 26, 22, 27, 45, 42, 54, 51, 69]
    assert sum(k == twin for k, twin in enumerate(mirror)) == 10  # the landmarks on the axis


@pytest.mark.parametrize('name', sorted(TOPOLOGIES))
def test_limbs_join_different_keypoints_once_and_reach_every_keypoint(name):
    topology = get_topology(name)
    assert len(topology.limbs) == LIMB_COUNTS[name]
    assert len({frozenset(limb) for limb in topology.limbs}) == len(topology.limbs)
    assert all(a != b for a, b in topology.limbs)
    reached = {k for limb in topology.limbs for k in limb}
    missing = set(range(topology.size)) - reached
    assert missing == ({68, 69} if name == 'face_70' else set())  # pupils stand alone


@pytest.mark.parametrize('name', sorted(ORDERS))
def test_limbs_are_the_same_on_both_sides(name):
    topology = get_topology(name)
    limbs = {frozenset(limb) for limb in topology.limbs}
    assert {frozenset(topology.mirror[k] for k in limb) for limb in limbs} == limbs


def test_sigmas_are_cocos():
    assert get_topology('coco_17').sigmas == COCO_SIGMAS
    by_name = dict(zip(COCO_17, COCO_SIGMAS))
    eighteen = get_topology('coco_18')
    for name, sigma in zip(eighteen.keypoint_names, eighteen.sigmas):
        assert sigma == by_name.get(name, .079)


def test_colors_are_bgr_bytes_and_differ():
    topology = get_topology('coco_18')
    colors = topology.limb_colors()
    assert len(colors) == 17 and len(set(colors)) == 17
    assert colors[0] == (0, 0, 255)  # hue 0 is red, and blue comes first
    assert all(0 <= value <= 255 for color in colors for value in color)
    keypoints = topology.keypoint_colors()
    assert len(keypoints) == 18
    assert keypoints[4] == colors[topology.limbs.index((3, 4))]  # the wrist: the forearm's
    assert get_topology('face_70').keypoint_colors()[68] == (255, 255, 255)  # on no limb: white


def test_index_by_name():
    assert get_topology('coco_18').index('neck') == 1
    assert get_topology('coco_17').index('neck') is None


def test_unknown_format_lists_the_known_ones():
    with pytest.raises(PoseRosError) as error:
        get_topology('coco_19')
    assert "'coco_19'" in str(error.value) and 'coco_18' in str(error.value)


def test_custom_topology():
    topology = make_topology('dog', ['nose', 'left_paw', 'right_paw', 'tail'],
                             [[0, 1], (0, 2), [0, 3]])
    assert topology.format_id == CUSTOM_FORMAT_ID
    assert topology.mirror == (0, 2, 1, 3)
    assert topology.limbs == ((0, 1), (0, 2), (0, 3))
    assert topology.sigmas == (.026, .05, .05, .05)


def test_one_sided_names_mirror_to_themselves():
    assert make_topology('arm', ['left_elbow', 'right_wrist'], []).mirror == (0, 1)


@pytest.mark.parametrize('names, limbs, mirror, word', [
    ([], [], None, 'keypoint_names'),
    (['a', 'a'], [], None, 'keypoint_names'),
    (['k{}'.format(k) for k in range(256)], [], None, 'keypoint_names'),
    ('ab', [], None, 'keypoint_names'),
    (None, [], None, 'keypoint_names'),
    (['a', 3], [], None, 'keypoint_names'),
    (['a', ''], [], None, 'keypoint_names'),
    (['a', 'b'], [(0, 2)], None, 'limb'),
    (['a', 'b'], [(-1, 0)], None, 'limb'),
    (['a', 'b'], [(0, 1, 1)], None, 'limbs'),
    (['a', 'b'], [(0, .5)], None, 'limbs'),
    (['a', 'b'], 7, None, 'limbs'),
    (['a', 'b', 'c'], [], (1, 2, 0), 'mirror'),
    (['a', 'b'], [], (0,), 'mirror'),
    (['a', 'b'], [], (0, 2), 'mirror'),
    (['a', 'b'], [], ('a', 'b'), 'mirror'),
])
def test_bad_topologies_are_refused_by_name(names, limbs, mirror, word):
    with pytest.raises(PoseRosError) as error:
        make_topology('odd', names, limbs, mirror=mirror)
    assert "'odd'" in str(error.value) and word in str(error.value)


def test_the_name_must_be_a_word():
    with pytest.raises(PoseRosError, match='5'):
        make_topology(5, ['a'], [])


def test_largest_topology_is_accepted():
    assert make_topology('big', ['k{}'.format(k) for k in range(255)], []).size == 255
