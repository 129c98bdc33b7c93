# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""The restated original: its known quirks, without any golden file."""
import models
import numpy as np
import paf_exact
from paf_exact import ExactPafDecoder, find_peaks
import pytest


def test_people_at_the_positions_of_the_original(tiny_people):
    """Indices of the four times enlarged map, without the half cell."""
    found = ExactPafDecoder(models.tiny_card()).decode(
        {'output': models.draw_maps(tiny_people)})
    keypoints = models.matched(found, tiny_people)
    difference = keypoints[..., :2] - tiny_people
    assert np.abs(difference).max() < 4.5  # half a stride, and the missing half cell
    assert (keypoints[..., :2] % 2 == 0).all()
    assert ExactPafDecoder(models.tiny_card()).decode(
        {'output': models.draw_maps([])}).count == 0


def test_ties_are_all_kept():
    """Far from any border a constant map is one plateau: each cell of it is a peak."""
    peaks = find_peaks(np.full((2, 100, 100), 0.5, np.float32))
    middle = [peak for peak in peaks if 30 <= peak[1] < 70 and 30 <= peak[2] < 70]
    assert len(middle) == 2 * 40 * 40
    assert {peak[3] for peak in middle} == {0.5} and {peak[0] for peak in middle} == {0, 1}


def test_score_is_the_heatmap_before_smoothing():
    heatmaps = np.zeros((1, 100, 100), np.float32)
    heatmaps[0, 40:52, 40:52] = 1
    peaks = find_peaks(heatmaps)
    assert peaks and all(44 <= x <= 47 and 44 <= y <= 47 and score == 1.0
                         for _, x, y, score in peaks)


def test_kernel_is_symmetric_and_sums_to_one():
    kernel = paf_exact._kernel()
    assert len(kernel) == 25 and kernel.sum() == pytest.approx(1)
    assert np.allclose(kernel, kernel[::-1])
    # As wide as the original's: the square root of a normal distribution is one sqrt(2) wider.
    width = np.sqrt((kernel * (np.arange(25) - 12) ** 2).sum())
    assert width == pytest.approx(5.19, abs=0.01)


@pytest.mark.parametrize('supported, score', [(6, None), (7, 0.7), (10, 1.0)])
def test_a_limb_needs_seven_of_ten_samples(supported, score):
    paf = np.zeros((2, 10, 101), np.float32)
    paf[0, :, :10 * supported] = 1  # samples fall on columns 0, 10, ... 90
    assert paf_exact._limb_score(0, 20, 400, 20, paf, 1000) == (score and pytest.approx(score))


def test_long_limbs_lose_score():
    paf = np.ones((2, 10, 101), np.float32)
    assert paf_exact._limb_score(0, 20, 400, 20, paf, 600) == pytest.approx(1 + 0.5 * 1.5 - 1)
    assert paf_exact._limb_score(0, 20, 400, 20, -paf, 600) is None


def row(members, score=1.0):
    filled = [-1] * 4
    for keypoint, peak in members.items():
        filled[keypoint] = peak
    return filled + [score, len(members)]


def test_peak_zero_never_counts_as_a_member():
    """Fragments that share a keypoint merge nevertheless if one of the two is peak 0."""
    peaks = [(0, 0, 0, 0.5)] * 8
    shared = [row({0: 2, 1: 3}), row({0: 4, 2: 5})]
    paf_exact._add(shared, (1, 2, 0), (3, 5, 0.7), peaks, 4, True)
    assert len(shared) == 2  # refused: keypoint 0 is taken on both sides
    merged = [row({0: 0, 1: 3}), row({0: 4, 2: 5})]
    paf_exact._add(merged, (1, 2, 0), (3, 5, 0.7), peaks, 4, True)
    assert len(merged) == 1
    assert merged[0][1:3] == [3, 5] and merged[0][-1] == 4
    assert merged[0][-2] == pytest.approx(2.7)
