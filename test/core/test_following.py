# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""One person is followed without a detector: crops around the keypoints of the frame before."""
import numpy as np
import pytest

from painted import assert_found, detector, paint, pose
from pose_ros.core import PoseEstimator, PoseRosError
from pose_ros.core.frame import Frame
from pose_ros.core.people import make_people, people_in_boxes
from pose_ros.core.stages.following import Follower
from pose_ros.core.topology import get_topology

TOPOLOGY = get_topology('coco_17')
WHOLE = people_in_boxes([(0, 0, 640, 480)], TOPOLOGY)


def frame(source='', size=(640, 480)):
    return Frame(np.zeros(size[::-1] + (3,), np.uint8), source=source)


def person(left=200., top=100., width=100., height=200.):
    keypoints = np.zeros((1, 17, 3))
    keypoints[0, 0], keypoints[0, 1] = (left, top, .9), (left + width, top + height, .9)
    return make_people(keypoints, [.9])


def place(follower, where=None):
    return follower.place(where or frame(), WHOLE).boxes[0].tolist()


def test_the_box_is_around_the_keypoints_and_changes_its_size_slowly():
    follower = Follower()
    assert place(follower) == [0, 0, 640, 480]
    follower.update(frame(), person(), np.array([.9]))
    assert place(follower) == pytest.approx([190, 80, 120, 240])
    follower.update(frame(), person(width=50., height=100.), np.array([.9]))
    # The middle follows at once: 225, 150. The size is the mean of the old and the new one.
    assert place(follower) == pytest.approx([225 - 45, 150 - 90, 90, 180])


def test_following_begins_at_a_higher_score_than_it_ends():
    follower = Follower()
    follower.update(frame(), person(), np.array([.3]))
    assert place(follower) == [0, 0, 640, 480]
    follower.update(frame(), person(), np.array([.4]))
    follower.update(frame(), person(), np.array([.3]))
    assert place(follower) == pytest.approx([190, 80, 120, 240])
    follower.update(frame(), person(), np.array([.2]))
    assert place(follower) == [0, 0, 640, 480]
    follower.update(frame(), person(), np.array([.3]))
    assert place(follower) == [0, 0, 640, 480]


def test_each_source_is_followed_alone_and_a_new_size_of_frames_starts_again():
    follower = Follower()
    follower.update(frame('left'), person(), np.array([.9]))
    assert place(follower, frame('right')) == [0, 0, 640, 480]
    assert place(follower, frame('left')) == pytest.approx([190, 80, 120, 240])
    follower.update(frame('left', (320, 240)), person(), np.array([.3]))
    assert place(follower, frame('left')) == [0, 0, 640, 480]


def test_a_frame_of_another_size_is_searched_as_a_whole():
    follower = Follower()
    follower.update(frame(), person(), np.array([.9]))
    small = people_in_boxes([(0, 0, 320, 240)], TOPOLOGY)
    assert follower.place(frame(size=(320, 240)), small).boxes[0].tolist() == [0, 0, 320, 240]


def test_boxes_that_are_given_are_not_replaced():
    follower = Follower()
    follower.update(frame(), person(), np.array([.9]))
    given = people_in_boxes([(10, 10, 50, 50)], TOPOLOGY)
    assert follower.place(frame(), given).boxes.tolist() == given.boxes.tolist()


def test_a_small_person_in_a_video_is_found_more_exactly():
    """The whole frame is scaled down to 96 px; the crops that follow are scaled up."""
    estimator = PoseEstimator.of_network(pose())
    estimator.configure(follow=True)
    errors, widths = [], []
    for step in range(8):
        image, dots = paint([(300 + 4 * step, 150, 120, 180)])
        people = estimator.run([Frame(image, source='video')])[0]
        assert people.count == 1
        errors.append(np.abs(people.keypoints[0, :, :2] - dots[0]).max())
        widths.append(people.boxes[0, 2])
    assert widths[0] == 640 and max(widths[1:]) < 200
    assert max(errors[3:]) < 1.5
    assert_found(people, dots, [(328, 150, 120, 180)])
    assert estimator.run([Frame(image, source='another')])[0].boxes[0, 2] == 640


def test_a_detector_follows_by_itself():
    estimator = PoseEstimator.of_network(pose(), detector())
    with pytest.raises(PoseRosError, match='follow must stay false with a detector: detector_int'):
        estimator.configure(follow=True)
