# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
import logging

from crowds import crowd, person
import numpy as np
import pytest
from scenes import FALSE, IMAGE, scene, scenes, score, track, walk

from pose_ros.core.errors import PoseRosError
from pose_ros.core.frame import Frame
from pose_ros.core.people import UNTRACKED, make_people, no_people
from pose_ros.core.stages import Tracking
from pose_ros.core.topology import get_topology

TOPOLOGY = get_topology('coco_17')
NAN = float('nan')
SCENES = dict(scenes())
# Least MOTA and IDF1, most switches. MOTA lacks the first frame of each person, without an id.
EXPECTED = {
    'crossing': (0.99, 0.99, 0), 'crossing, 5 Hz': (0.95, 0.97, 0),
    'crossing, 2 Hz': (0.87, 0.93, 0), 'three in a row, one behind': (0.98, 0.99, 0),
    'both hidden for 0.9 s': (0.98, 0.99, 0), 'leaving, others enter': (0.96, 0.98, 0),
    '10 wander, 5 % missed, false ones': (0.92, 0.8, 14), '10 wander, 5 Hz': (0.9, 0.82, 10),
    '100 wander, 10 Hz': (0.91, 0.86, 80)}


def tracking(**settings):
    stage = Tracking(TOPOLOGY)
    stage.configure(**settings)
    return stage


def ids_of(stage, time_s, *people, source=''):
    found = stage([Frame(IMAGE, time_s, source)], [crowd(*people) if people else
                                                  no_people(TOPOLOGY)])
    return found[0].track_ids.tolist()


@pytest.fixture
def warnings(caplog, monkeypatch):
    logger = logging.getLogger('pose_ros')
    # A node in another test may have changed where its records go.
    monkeypatch.setattr(logger, 'handlers', [caplog.handler])
    monkeypatch.setattr(logger, 'propagate', False)
    return lambda: [record.getMessage() for record in caplog.records]


@pytest.mark.parametrize('name', sorted(EXPECTED))
def test_scene(name):
    steps = SCENES[name]
    result = score(steps, track(tracking(), steps))
    mota, idf1, switches = EXPECTED[name]
    assert result.mota >= mota and result.idf1 >= idf1 and result.switches <= switches, result


def test_score_counts_a_switch_of_two_people():
    steps = scene([walk((200, 100), (0, 0)), walk((900, 100), (0, 0))], 1, 10)
    swapped = [1 + (step.truth if k < 5 else 1 - step.truth) for k, step in enumerate(steps)]
    assert score(steps, [1 + step.truth for step in steps]) == (1, 1, 0, 2)
    assert score(steps, swapped) == pytest.approx((0.9, 0.5, 2, 2))


def test_score_counts_missing_and_false_people():
    steps = scene([walk((200, 100), (0, 0))], 1, 10, false=1, seed=2)
    false = sum((step.truth == FALSE).sum() for step in steps)
    ids = [np.where(step.truth == FALSE, 5, UNTRACKED) for step in steps]
    assert false > 0
    assert score(steps, ids).mota == pytest.approx(1 - (10 + false) / 10.0)


def test_an_id_comes_with_the_second_frame():
    stage = tracking()
    assert ids_of(stage, 0, person(0)) == [UNTRACKED]
    assert ids_of(stage, 0.1, person(0)) == [1]
    assert stage.counters == {'ids': 1, 'restarts': 0}
    assert ids_of(tracking(min_frames=1), 0, person(0), person(300)) == [1, 2]


def test_a_person_that_flickers_gets_no_id():
    stage = tracking()
    for k in range(6):
        assert ids_of(stage, k * 0.1, *[person(0)] * (k % 2)) == [UNTRACKED] * (k % 2)


def test_ids_follow_places_not_the_order_of_the_list():
    stage = tracking(min_frames=1)
    left, right = person(0), person(300)
    assert ids_of(stage, 0, left, right) == [1, 2]
    assert ids_of(stage, 0.1, right, left) == [2, 1]


def test_two_people_that_change_places_in_one_frame_stay_two():
    stage = tracking(min_frames=1)
    one, two = person(0, size=100), person(300, size=140)
    ids_of(stage, 0, one, two)
    changed = ids_of(stage, 1 / 30., person(300, size=100), person(0, size=140))
    assert sorted(changed) == [1, 2]


def test_ids_are_never_used_twice():
    stage = tracking(min_frames=1, keep_lost=0.5)
    seen = set()
    for k in range(5):
        number, = ids_of(stage, 2.0 * k, person(0))
        assert number not in seen
        seen.add(number)
        ids_of(stage, 2.0 * k + 1)


def test_a_lost_person_keeps_its_id_for_keep_lost():
    for absent, expected in ((0.4, 1), (0.8, 2)):
        stage = tracking(min_frames=1, keep_lost=0.5)
        ids_of(stage, 0, person(50))
        ids_of(stage, 0.1)
        ids_of(stage, absent - 0.05)
        assert ids_of(stage, absent, person(50)) == [expected]


def test_a_weak_person_is_followed_but_gets_no_new_id():
    stage = tracking(min_frames=1)
    weak = person(50, score=0.22)
    assert ids_of(stage, 0, weak) == [UNTRACKED]
    assert ids_of(stage, 0.1, person(50)) == [1]
    assert ids_of(stage, 0.2, weak) == [1]


def test_strong_people_are_matched_before_weak_ones():
    stage = tracking(min_frames=1)
    ids_of(stage, 0, person(50))
    assert ids_of(stage, 0.1, person(50, score=0.25), person(54)) == [UNTRACKED, 1]


def test_upper_and_lower_body_are_one_person():
    """Boxes decide where keypoints are not shared."""
    stage = tracking(min_frames=1)
    lower = person(50)
    lower[:9] = 0
    assert ids_of(stage, 0, person(50, found=9)) == [1]
    assert ids_of(stage, 0.1, lower) == [1]


def test_cameras_have_ids_of_their_own():
    stage = tracking(min_frames=1)
    assert ids_of(stage, 0, person(0), source='front') == [1]
    assert ids_of(stage, 9, person(500), person(0), source='rear') == [1, 2]
    assert ids_of(stage, 0.1, person(0), source='front') == [1]


def test_frames_of_one_camera_in_one_batch_follow_each_other():
    stage = tracking()
    frames = [Frame(IMAGE, 0.1 * k) for k in range(3)]
    people = stage(frames, [crowd(person(5.0 * k)) for k in range(3)])
    assert [persons.track_ids.tolist() for persons in people] == [[UNTRACKED], [1], [1]]


@pytest.mark.parametrize('later, text', [
    (3.0, 'time jumped back by 97.000 s'), (500.0, 'no frame for 400.000 s'),
    (NAN, 'stamps end')])
def test_a_jump_of_time_begins_anew_and_is_logged_once(later, text, warnings):
    stage = tracking(min_frames=1)
    assert ids_of(stage, 100, person(0)) == [1]
    assert ids_of(stage, later, person(0)) == [2]
    assert ids_of(stage, later + 0.1, person(0)) == [2]
    assert warnings() == ['tracking starts anew: ' + text]
    assert stage.counters['restarts'] == 1


def test_a_jump_names_the_camera(warnings):
    stage = tracking()
    ids_of(stage, 9, source='front')
    ids_of(stage, 1, source='front')
    assert warnings() == ['tracking of front starts anew: time jumped back by 8.000 s']


def test_without_stamps_frames_follow_each_other(warnings):
    stage = tracking(min_frames=1)
    assert [ids_of(stage, NAN, person(3.0 * k)) for k in range(40)] == [[1]] * 40
    for _ in range(31):
        ids_of(stage, NAN)
    assert ids_of(stage, NAN, person(117)) == [2]
    assert warnings() == [] and stage.counters['restarts'] == 0


def test_a_late_frame_and_a_repeated_stamp_are_no_jump():
    stage = tracking(min_frames=1)
    assert [ids_of(stage, time_s, person(0)) for time_s in (1, 1.1, 1.05, 1.1, 1.1, 1.2)] \
        == [[1]] * 6
    assert stage.counters['restarts'] == 0


def test_people_without_order_stay_bounded():
    """100 people at new places in each frame."""
    stage, random = tracking(min_frames=1, keep_lost=10.0), np.random.RandomState(0)
    for k in range(8):
        keypoints = np.dstack([random.uniform(0, 1000, (100, 17, 2)), np.ones((100, 17))])
        found, = stage([Frame(IMAGE, k / 30.0)], [make_people(keypoints, np.ones(100))])
        assert len(set(found.track_ids.tolist())) == 100
    assert len(stage._memories[''].tracks.ids) <= 400


def test_people_are_passed_on_in_their_order():
    stage = tracking(min_frames=1)
    people = crowd(person(300), person(0))
    found, = stage([Frame(IMAGE, 0)], [people])
    np.testing.assert_array_equal(found.keypoints, people.keypoints)
    assert found.track_ids.dtype == np.int32 and people.track_ids.tolist() == [UNTRACKED] * 2


def test_an_invalid_setting_is_named():
    with pytest.raises(PoseRosError, match='keep_lost'):
        Tracking(TOPOLOGY).configure(keep_lost=-1.0)


def test_a_source_that_is_forgotten_begins_anew():
    stage = tracking(min_frames=1)
    for source in ('front', 'rear'):
        ids_of(stage, 0.0, person(300, 200), source=source)
    stage.forget('front')
    stage.forget('never seen')
    assert ids_of(stage, 0.1, person(900, 200), source='front') == [1]
    assert ids_of(stage, 0.1, person(900, 200), source='rear') == [2]
