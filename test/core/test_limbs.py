# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Limb scores against a plain loop over samples, and people joined from given limbs."""
import numpy as np
import pytest

from pose_ros.core.decoders.limbs import assemble, LimbScorer, LimbTable, ScoredLimbs
from pose_ros.core.decoders.peaks import Peaks
from pose_ros.core.topology import make_topology

CHAIN = make_topology('chain', ['a', 'b', 'c', 'd'], [(0, 1), (1, 2), (2, 3)])
LIMBS = ((0, 1, 0), (1, 2, 2), (2, 3, 4), (0, 3, 6))  # the last one is not drawn: auxiliary
SETTINGS = dict(limb_samples=10, limb_threshold=0.05, limb_support=0.7, limb_length=0.5)
HEIGHT, WIDTH = 30, 40


def random_peaks(counts, seed=0):
    random = np.random.RandomState(seed)
    total = sum(counts)
    return Peaks(np.float32(random.uniform(0, WIDTH - 1, total)),
                 np.float32(random.uniform(0, HEIGHT - 1, total)),
                 np.float32(random.uniform(0.1, 1, total)), np.cumsum([0] + list(counts)))


def smooth_pafs(seed=0):
    random = np.random.RandomState(seed)
    coarse = random.uniform(-1, 1, (8, 4, 5))
    return np.float32(coarse.repeat(8, 1).repeat(8, 2)[:, :HEIGHT, :WIDTH])


def bilinear(image, x, y):
    left, top = min(int(x), WIDTH - 2), min(int(y), HEIGHT - 2)
    fx, fy = x - left, y - top
    return ((image[top, left] * (1 - fx) + image[top, left + 1] * fx) * (1 - fy)
            + (image[top + 1, left] * (1 - fx) + image[top + 1, left + 1] * fx) * fy)


def place(peaks, number):
    return np.array((peaks.x[number], peaks.y[number]), np.float64)


def plain_score(pafs, channels, start, end, settings):
    """Score and supporting fraction of one candidate, sample by sample."""
    vector = np.float64(end) - start
    length = np.hypot(*vector)
    along = []
    for k in range(settings['limb_samples']):
        x, y = start + (k + 0.5) / settings['limb_samples'] * vector
        along.append((bilinear(pafs[channels[0]], x, y) * vector[0]
                      + bilinear(pafs[channels[1]], x, y) * vector[1]) / length)
    penalty = min(0, settings['limb_length'] * HEIGHT / length - 1)
    return np.mean(along) + penalty, np.mean(np.array(along) > settings['limb_threshold'])


@pytest.mark.parametrize('axis_order', ['xy', 'yx'])
@pytest.mark.parametrize('changes', [
    {}, {'limb_samples': 3}, {'limb_threshold': 0.3}, {'limb_support': 0.0}, {'limb_length': 5.0}])
def test_scores_are_those_of_a_plain_loop(axis_order, changes):
    settings = dict(SETTINGS, **changes)
    peaks, pafs = random_peaks((7, 5, 0, 9)), smooth_pafs()
    table = LimbTable.make(LIMBS, axis_order, CHAIN)
    found = LimbScorer(table).score(peaks, pafs, settings)
    scores = {(limb, a, b): score for limb, a, b, score in
              zip(*(array.tolist() for array in found))}
    assert len(scores) > 5
    for number, (parent, child, channel) in enumerate(LIMBS):
        channels = (channel, channel + 1) if axis_order == 'xy' else (channel + 1, channel)
        for a in range(peaks.starts[parent], peaks.starts[parent + 1]):
            for b in range(peaks.starts[child], peaks.starts[child + 1]):
                score, support = plain_score(pafs, channels, place(peaks, a), place(peaks, b),
                                             settings)
                found_score = scores.pop((number, a, b), None)
                if found_score is not None:
                    assert found_score == pytest.approx(score, abs=0.02)  # 1/32 cell per sample
                else:  # refused for a reason, but for rounding
                    assert score < 0.02 or support < settings['limb_support'] + 0.11
    assert not scores


def test_order_is_by_limb_then_best_first():
    table = LimbTable.make(LIMBS, 'xy', CHAIN)
    found = LimbScorer(table).score(random_peaks((9, 9, 9, 9)), smooth_pafs(), SETTINGS)
    assert (np.diff(found.limb) >= 0).all()
    for limb in range(4):
        assert (np.diff(found.scores[found.limb == limb]) <= 0).all()
    assert found.scores.min() > 0


def test_auxiliary_limbs_are_those_that_are_not_drawn():
    assert LimbTable.make(LIMBS, 'xy', CHAIN).auxiliary == (False, False, False, True)


def test_more_pairs_than_one_image_of_opencv_holds():
    """Each pair's score depends on that pair alone, however many there are."""
    table = LimbTable.make(LIMBS, 'xy', CHAIN)
    many, pafs = random_peaks((128, 128, 128, 128)), smooth_pafs()
    assert 4 * 128 * 128 > 2 ** 15
    found = LimbScorer(table).score(many, pafs, SETTINGS)
    last = many.starts[3] + 127
    chosen = found.child == last
    assert chosen.sum() > 5 and set(found.limb[chosen].tolist()) == {2, 3}
    for limb, parent, score in zip(found.limb[chosen], found.parent[chosen], found.scores[chosen]):
        expected, _ = plain_score(pafs, (2 * limb, 2 * limb + 1), place(many, parent),
                                  place(many, last), SETTINGS)
        assert score == pytest.approx(expected, abs=0.02)


def test_two_keypoints_in_one_place_are_no_limb():
    peaks = Peaks(np.float32([5, 5]), np.float32([5, 5]), np.float32([1, 1]),
                  np.array([0, 1, 2, 2, 2]))
    scorer = LimbScorer(LimbTable.make(LIMBS, 'xy', CHAIN))
    assert len(scorer.score(peaks, np.ones((8, 30, 40), np.float32), SETTINGS).limb) == 0


def join(*limbs):
    """Assemble (limb, parent peak, child peak, score); peaks 0-9 are of a, 10-19 of b, ..."""
    columns = zip(*limbs) if limbs else ((), (), (), ())
    table = LimbTable.make(LIMBS, 'xy', CHAIN)
    members, scores = assemble(ScoredLimbs(*(np.array(column) for column in columns)),
                               np.linspace(0.5, 0.9, 40), table, 4)
    return sorted(members.tolist()), scores


def test_nothing_to_join():
    members, scores = join()
    assert members == [] and len(scores) == 0


def test_a_chain_is_a_person():
    members, scores = join((0, 1, 11, 0.8), (1, 11, 21, 0.7), (2, 21, 31, 0.6))
    assert members == [[1, 11, 21, 31]]
    peak_scores = np.linspace(0.5, 0.9, 40)[[1, 11, 21, 31]]
    assert scores[0] == pytest.approx((peak_scores.sum() + 0.8 + 0.7 + 0.6) / 7)


def test_each_peak_is_used_once_per_limb_best_first():
    members, _ = join((0, 1, 11, 0.9), (0, 1, 12, 0.8), (0, 2, 11, 0.7), (0, 2, 12, 0.6))
    assert members == [[1, 11, -1, -1], [2, 12, -1, -1]]


def test_two_parents_of_one_child():
    members, _ = join((0, 1, 11, 0.9), (0, 2, 11, 0.8))
    assert members == [[1, 11, -1, -1]]


def test_a_found_keypoint_is_not_replaced():
    """The auxiliary limb finds another d for a person that has one already."""
    members, scores = join((0, 1, 11, 0.9), (1, 11, 21, 0.9), (2, 21, 31, 0.9), (3, 1, 32, 0.9))
    assert members == [[1, 11, 21, 31]]
    peak_scores = np.linspace(0.5, 0.9, 40)[[1, 11, 21, 31]]
    assert scores[0] == pytest.approx((peak_scores.sum() + 2.7) / 7)  # without the refused limb


def test_fragments_merge():
    members, scores = join((0, 1, 11, 0.9), (2, 21, 31, 0.8), (3, 1, 31, 0.6))
    assert members == [[1, 11, 21, 31]]
    peak_scores = np.linspace(0.5, 0.9, 40)[[1, 11, 21, 31]]
    assert scores[0] == pytest.approx((peak_scores.sum() + 0.9 + 0.8 + 0.6) / 7)


def test_merged_fragments_stay_one_person():
    """After b and c are linked, the other ends belong to that person too."""
    table_order = ((0, 1, 0), (2, 3, 4), (1, 2, 2), (0, 3, 6))
    table = LimbTable.make(table_order, 'xy', CHAIN)
    limbs = ((0, 1, 11, 0.9), (1, 21, 31, 0.8), (2, 11, 21, 0.7), (3, 1, 31, 0.6))
    members, scores = assemble(ScoredLimbs(*(np.array(column) for column in zip(*limbs))),
                               np.full(40, 0.5), table, 4)
    assert members.tolist() == [[1, 11, 21, 31]]
    assert scores[0] == pytest.approx((4 * 0.5 + 0.9 + 0.8 + 0.7 + 0.6) / 8)


def test_fragments_that_share_a_keypoint_do_not_merge():
    members, _ = join((0, 1, 11, 0.9), (0, 2, 12, 0.9), (1, 12, 22, 0.9), (2, 22, 32, 0.9),
                      (3, 1, 32, 0.9))
    assert members == [[1, 11, -1, -1], [2, 12, 22, 32]]


def test_a_refused_limb_uses_up_its_peaks():
    """The best d of the first person is another's; its second best is not taken instead."""
    members, _ = join((0, 1, 11, 0.9), (0, 2, 12, 0.9), (1, 12, 22, 0.9), (2, 22, 32, 0.9),
                      (3, 1, 32, 0.9), (3, 1, 33, 0.8))
    assert members == [[1, 11, -1, -1], [2, 12, 22, 32]]


def test_an_auxiliary_limb_completes_but_never_starts_a_person():
    assert join((3, 1, 31, 0.9))[0] == []
    assert join((0, 1, 11, 0.9), (3, 1, 31, 0.9))[0] == [[1, 11, -1, 31]]
