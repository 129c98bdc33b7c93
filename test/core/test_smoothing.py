# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest

from pose_ros.core.errors import PoseRosError
from pose_ros.core.frame import Frame
from pose_ros.core.people import UNTRACKED, make_people
from pose_ros.core.stages import Smoothing

IMAGE = np.zeros((480, 640, 3), np.uint8)
HEIGHT = 300.0
METHODS = ('one_euro', 'kalman')
RATE = 30.0


def smoothing(method, **settings):
    stage = Smoothing(method)
    stage.configure(**settings)
    return stage


def one(point, score=0.8, track_id=1, parts=None):
    """A person of 300 px with a third keypoint at the point, None for a missing one."""
    keypoints = np.zeros((1, 3, 3))
    keypoints[0, :2] = [(100, 50, 0.8), (200, 50 + HEIGHT, 0.8)]
    if point is not None:
        keypoints[0, 2] = tuple(point) + (score,)
    return make_people(keypoints, [0.8], track_ids=[track_id], parts=parts)


def step(stage, time_s, *arguments, **options):
    found, = stage([Frame(IMAGE, time_s)], [one(*arguments, **options)])
    return found.keypoints[0, 2]


def filtered(stage, points, rate=RATE):
    return np.array([step(stage, k / rate, point)[:2] for k, point in enumerate(points)])


def still(seconds=8, std=1.5):
    random = np.random.RandomState(0)
    return (320, 240) + random.normal(0, std, (int(seconds * RATE), 2))


def wave(seconds=8, amplitude=45.0):
    """A wave of 1 Hz along x."""
    times = np.arange(int(seconds * RATE)) / RATE
    return times, np.stack([320 + amplitude * np.sin(2 * np.pi * times), 240 + 0 * times], 1)


def lag(times, values):
    """Delay [frames] of the sine of 1 Hz in values, from its phase after one second."""
    later = times >= 1
    phase = np.angle((values[later] * np.exp(-2j * np.pi * times[later])).sum()) + np.pi / 2
    return -phase / (2 * np.pi) * RATE


@pytest.mark.parametrize('method, most', [('one_euro', 0.5), ('kalman', 0.75)])
def test_a_still_keypoint_trembles_less(method, most):
    points = still()
    result = filtered(smoothing(method), points)
    assert result[30:].std(0).mean() < most * points[30:].std(0).mean()
    assert abs(result[30:].mean(0) - (320, 240)).max() < 0.5


@pytest.mark.parametrize('method, most', [('one_euro', 1.5), ('kalman', 0.5)])
def test_a_wave_is_followed_closely(method, most):
    times, points = wave()
    result = filtered(smoothing(method), points)
    assert -0.1 < lag(times, result[:, 0] - 320) < most
    assert result[30:, 0].max() - 320 == pytest.approx(45, rel=0.15)


def test_lag_of_a_delayed_wave_is_its_delay():
    times, points = wave()
    assert lag(times[2:], points[:-2, 0] - 320) == pytest.approx(2, abs=0.05)


@pytest.mark.parametrize('method', METHODS)
def test_a_first_measurement_is_taken_as_it_is(method):
    assert step(smoothing(method), 5.0, (300, 200)).tolist() == pytest.approx([300, 200, 0.8])


@pytest.mark.parametrize('method', METHODS)
def test_half_the_size_is_filtered_alike(method):
    points = still(2)
    stage = smoothing(method)
    small = []
    for k, point in enumerate(points):
        people = one(point)
        halved = people._replace(keypoints=people.keypoints * np.float32([.5, .5, 1]),
                                 boxes=people.boxes / 2)
        small.append(stage([Frame(IMAGE, k / RATE)], [halved])[0].keypoints[0, 2, :2])
    np.testing.assert_allclose(2 * np.array(small), filtered(smoothing(method), points), atol=1e-3)


@pytest.mark.parametrize('method', METHODS)
def test_uncertain_measurements_weigh_less(method):
    moved = {}
    for score in (0.1, 0.8):
        stage = smoothing(method)
        for k in range(10):
            step(stage, k / RATE, (300, 200))
        moved[score] = step(stage, 10 / RATE, (310, 200), score=score)[0] - 300
    assert 0 < moved[0.1] < 0.7 * moved[0.8] < 10


@pytest.mark.parametrize('method, expected', [('one_euro', 300), ('kalman', 300)])
def test_a_short_gap_is_filled_with_falling_confidence(method, expected):
    stage = smoothing(method, bridge=0.2)
    for k in range(10):
        step(stage, 0.1 * k, (300, 200))
    x, y, score = step(stage, 1.0, None)
    assert (x, y) == pytest.approx((expected, 200), abs=0.5) and score == pytest.approx(0.4)
    assert step(stage, 1.15, None)[2] == 0
    assert np.isnan(step(stage, 1.16, None)[:2]).all()
    assert step(stage, 1.2, (400, 300)).tolist() == pytest.approx([400, 300, 0.8])


def test_without_bridge_a_missing_keypoint_is_missing():
    stage = smoothing('kalman', bridge=0.0)
    step(stage, 0, (300, 200))
    assert step(stage, 0.01, None)[2] == 0


def test_kalman_fills_a_gap_along_the_motion():
    stage = smoothing('kalman')
    for k in range(31):
        step(stage, k / RATE, (100 + 5 * k, 200))
    assert step(stage, 31 / RATE, None)[0] == pytest.approx(255, abs=1)
    assert step(stage, 32 / RATE, None)[0] == pytest.approx(260, abs=2)


@pytest.mark.parametrize('method', METHODS)
def test_a_filled_keypoint_outside_the_image_is_dropped(method):
    stage = smoothing(method)
    for k in range(10):
        step(stage, k / RATE, (500 + 15 * k, 200))
    for k in range(10, 15):
        x, _, score = step(stage, k / RATE, None)
        assert score == 0 or 0 <= x <= 639


@pytest.mark.parametrize('method', METHODS)
def test_another_id_and_a_jump_of_time_begin_anew(method):
    stage = smoothing(method)
    for k in range(10):
        step(stage, k / RATE, (300, 200))
    assert step(stage, 10 / RATE, (400, 300), track_id=2)[0] == 400
    assert step(stage, 11 / RATE, (500, 300), track_id=2)[0] < 500
    assert step(stage, 900.0, (100, 300), track_id=3)[0] == 100


@pytest.mark.parametrize('method', METHODS)
def test_untracked_people_pass_as_they_are(method):
    stage = smoothing(method)
    for k in range(5):
        point = (300 + 20 * (k % 2), 200)
        assert step(stage, k / RATE, point, track_id=UNTRACKED).tolist() \
            == pytest.approx(list(point) + [0.8])


@pytest.mark.parametrize('method', METHODS)
def test_people_in_any_order_and_after_an_absence(method):
    stage, alone = smoothing(method), smoothing(method)

    def both(time_s, *people):
        keypoints = np.concatenate([person.keypoints for person in people])
        ids = [int(person.track_ids[0]) for person in people]
        joined = make_people(keypoints, [0.8] * len(ids), track_ids=ids)
        found, = stage([Frame(IMAGE, time_s)], [joined])
        return {number: found.keypoints[k, 2] for k, number in enumerate(ids)}
    both(0, one((300, 200)), one((100, 100), track_id=7))
    both(0.1, one((110, 100), track_id=7), one((310, 200)))
    both(0.2, one((120, 100), track_id=7))
    result = both(0.3, one((130, 100), track_id=7), one((320, 200)))
    for time_s, x in ((0, 100), (0.1, 110), (0.2, 120)):
        step(alone, time_s, (x, 100), track_id=7)
    assert result[7].tolist() == pytest.approx(
        step(alone, 0.3, (130, 100), track_id=7).tolist())
    assert 300 < result[1][0] < 340


@pytest.mark.parametrize('method', METHODS)
def test_parts_are_filtered_too(method):
    stage, points = smoothing(method), still()
    hands = []
    for k, point in enumerate(points):
        hand = np.full((1, 21, 3), 0.8, np.float32)
        hand[..., :2] = point
        found, = stage([Frame(IMAGE, k / RATE)],
                       [one((320, 240), parts={'left_hand': hand})])
        assert found.parts['left_hand'].shape == (1, 21, 3)
        hands.append(found.parts['left_hand'][0, 20, :2])
    assert np.array(hands)[30:].std(0).mean() < 0.75 * points[30:].std(0).mean()


@pytest.mark.parametrize('method', METHODS)
def test_hostile_times_leave_finite_keypoints(method):
    stage = smoothing(method)
    for time_s in (5, 5, 5, 4.95, 1e-9, float('nan'), float('nan'), 3, 1e12, 1e12 + 1e-3, -5):
        assert np.isfinite(step(stage, time_s, (300, 200))).all()


def test_cameras_are_filtered_apart():
    stage, alone = smoothing('one_euro'), smoothing('one_euro')
    for k in range(5):
        front, rear = one((300 + 4 * k, 200)), one((100, 100))
        found = stage([Frame(IMAGE, k / RATE, 'front'), Frame(IMAGE, 50.0 - k, 'rear')],
                      [front, rear])
        expected = step(alone, k / RATE, (300 + 4 * k, 200))
        assert found[0].keypoints[0, 2].tolist() == expected.tolist()
        assert found[1].keypoints[0, 2].tolist() == pytest.approx([100, 100, 0.8])


def test_no_people_at_all():
    stage = smoothing('one_euro')
    people = one((1, 1)).select([])
    assert stage([Frame(IMAGE, 0)], [people])[0].count == 0
    assert stage([Frame(IMAGE, 0.1)], [one((300, 200))])[0].count == 1
    assert stage([Frame(IMAGE, 0.2)], [people])[0].count == 0


def test_settings_belong_to_the_method():
    assert set(Smoothing('one_euro').settings) == {'min_cutoff', 'beta', 'bridge'}
    assert set(Smoothing('kalman').settings) == {'acceleration', 'noise', 'bridge'}
    with pytest.raises(PoseRosError, match="unknown key 'beta'"):
        smoothing('kalman', beta=1.0)
