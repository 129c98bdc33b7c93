# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""People keep their keypoints, by name, across skeleton formats."""
import numpy as np
from pose_ros.core.convert import convert_people
from pose_ros.core.errors import PoseRosError
from pose_ros.core.people import make_people, no_people
from pose_ros.core.topology import get_topology, TOPOLOGIES
import pytest


def one_person(topology, **points):
    """Build a person with only the named keypoints (x, y, score)."""
    keypoints = np.zeros((1, topology.size, 3), np.float32)
    for name, point in points.items():
        keypoints[0, topology.index(name)] = point
    return make_people(keypoints, [0.75], [7])


def keypoint_of(people, topology, name):
    """Return x, y, score of the first person's keypoint."""
    return people.keypoints[0, topology.index(name)].tolist()


def everybody(topology, count=3):
    """Build people with every keypoint at its own place."""
    keypoints = np.arange(count * topology.size * 3, dtype=np.float32).reshape(count, -1, 3)
    keypoints[..., 2] = 0.25 + keypoints[..., 0] / keypoints.size / 2
    return make_people(keypoints, np.linspace(1, 0.5, count))


def test_the_same_format_is_left_alone():
    """Nothing is copied or lost when there is nothing to convert."""
    topology = get_topology('coco_18')
    people = everybody(topology)
    assert convert_people(people, topology, topology) is people


def test_keypoints_are_matched_by_name():
    """COCO-18 and COCO-17 order the same keypoints differently."""
    source, target = get_topology('coco_18'), get_topology('coco_17')
    people = everybody(source)
    answer = convert_people(people, source, target)
    assert answer.keypoints.shape == (3, 17, 3)
    for keypoint, name in enumerate(target.keypoint_names):
        np.testing.assert_array_equal(answer.keypoints[:, keypoint],
                                      people.keypoints[:, source.keypoint_names.index(name)])
    np.testing.assert_array_equal(answer.scores, people.scores)


def test_track_ids_and_scores_stay_with_their_people():
    """The people are the same people."""
    source, target = get_topology('coco_17'), get_topology('body_25')
    answer = convert_people(one_person(source, nose=(3, 4, 0.5)), source, target)
    assert answer.track_ids.tolist() == [7] and answer.scores.tolist() == [0.75]
    assert keypoint_of(answer, target, 'nose') == [3, 4, 0.5]


@pytest.mark.parametrize('target_name, name, side', [
    ('coco_18', 'neck', 'shoulder'), ('trt_pose_18', 'neck', 'shoulder'),
    ('body_25', 'mid_hip', 'hip'), ('mpii_16', 'pelvis', 'hip')])
def test_middle_keypoints_are_midpoints_with_the_lower_score(target_name, name, side):
    """Halfway between the shoulders or hips, with the lower of their scores."""
    source, target = get_topology('coco_17'), get_topology(target_name)
    people = one_person(source, **{'left_' + side: (10, 20, 0.5), 'right_' + side: (30, 60, 0.25)})
    answer = convert_people(people, source, target)
    assert keypoint_of(answer, target, name) == [20, 40, 0.25]


def test_a_midpoint_needs_both_parents():
    """One shoulder does not make a neck; the shoulder itself stays."""
    source, target = get_topology('coco_17'), get_topology('coco_18')
    answer = convert_people(one_person(source, left_shoulder=(10, 20, 0.5)), source, target)
    neck = keypoint_of(answer, target, 'neck')
    assert np.isnan(neck[:2]).all() and neck[2] == 0
    assert answer.detected().sum() == 1


def test_a_neck_of_the_source_is_kept():
    """The neck of the network replaces the midpoint, even if it is missing."""
    source, target = get_topology('coco_18'), get_topology('trt_pose_18')
    shoulders = {'left_shoulder': (10, 20, 0.5), 'right_shoulder': (30, 60, 0.5)}
    seen = convert_people(one_person(source, neck=(1, 2, 0.75), **shoulders), source, target)
    assert keypoint_of(seen, target, 'neck') == [1, 2, 0.75]
    unseen = convert_people(one_person(source, **shoulders), source, target)
    assert keypoint_of(unseen, target, 'neck')[2] == 0


def test_keypoints_that_the_source_lacks_are_missing():
    """MPII has no eyes."""
    source, target = get_topology('mpii_16'), get_topology('coco_17')
    answer = convert_people(everybody(source), source, target)
    found = answer.detected()
    names = np.array(target.keypoint_names)
    assert set(names[~found.any(0)]) == {'nose', 'left_eye', 'right_eye', 'left_ear', 'right_ear'}
    assert np.isnan(answer.keypoints[~found][:, :2]).all()


def test_no_people_stay_no_people():
    """The empty result has the shape of the target."""
    answer = convert_people(no_people(get_topology('coco_18')), get_topology('coco_18'),
                            get_topology('coco_17'))
    assert answer.keypoints.shape == (0, 17, 3) and answer.count == 0


def test_formats_without_a_common_keypoint_are_refused():
    """A hand has no keypoint of a body; an empty result would hide the error."""
    with pytest.raises(PoseRosError, match='hand_21.*coco_17.*no keypoint'):
        convert_people(everybody(get_topology('hand_21')), get_topology('hand_21'),
                       get_topology('coco_17'))


@pytest.mark.parametrize('name', sorted(set(TOPOLOGIES) - {'hand_21', 'face_70'}))
def test_conversion_to_coco_18_and_back(name):
    """Keypoints of both formats come back exactly."""
    source, middle = get_topology(name), get_topology('coco_18')
    shared = [k for k, keypoint in enumerate(source.keypoint_names)
              if keypoint in middle.keypoint_names]
    assert len(shared) >= 12
    people = everybody(source)
    back = convert_people(convert_people(people, source, middle), middle, source)
    np.testing.assert_allclose(back.keypoints[:, shared], people.keypoints[:, shared])
