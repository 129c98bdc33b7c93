# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Local maxima: where they are, to a fraction of a cell, and which of them count."""
import numpy as np
import pytest

from pose_ros.core.decoders.peaks import PeakFinder

SETTINGS = dict(sigma=0.0, threshold=0.05, radius=1.5)


def gaussian(x, y, sigma=1.5, height=16, width=20):
    rows, columns = np.mgrid[:height, :width]
    squared = (columns - x) ** 2 + (rows - y) ** 2
    return np.exp(-squared / (2.0 * sigma * sigma)).astype(np.float32)


def find(heatmaps, **changes):
    heatmaps = np.asarray(heatmaps, np.float32)
    heatmaps = heatmaps if heatmaps.ndim == 3 else heatmaps[None]
    return PeakFinder(heatmaps.shape).find(heatmaps, **dict(SETTINGS, **changes))


def test_empty_maps():
    peaks = find(np.zeros((3, 16, 20)))
    assert len(peaks.x) == len(peaks.y) == len(peaks.scores) == 0
    assert peaks.starts.tolist() == [0, 0, 0, 0]


@pytest.mark.parametrize('sigma', [0.0, 1.0])
def test_gaussians_are_found_to_a_fraction_of_a_cell(sigma):
    random = np.random.RandomState(0)
    for x, y in random.uniform((5, 5), (14, 10), (200, 2)):
        peaks = find(gaussian(x, y), sigma=sigma)
        assert len(peaks.x) == 1
        # The parabola through the logarithm is exact; the blur's cut-off tail costs a little.
        assert abs(peaks.x[0] - x) < (0.01 if sigma else 1e-4)
        assert abs(peaks.y[0] - y) < (0.01 if sigma else 1e-4)
        # The score is the heatmaps of the nearest cell, not of the blurred map.
        assert peaks.scores[0] == gaussian(x, y)[int(round(y)), int(round(x))]


def test_keypoints_are_separate_and_best_first():
    heatmaps = np.zeros((4, 16, 20), np.float32)
    heatmaps[0] = 0.5 * gaussian(3, 3) + 0.9 * gaussian(15, 12)
    heatmaps[2] = np.maximum(0.3 * gaussian(4, 12),
                             np.maximum(gaussian(10, 3), 0.6 * gaussian(16, 9)))
    heatmaps[3] = gaussian(7, 7)
    peaks = find(heatmaps)
    assert peaks.starts.tolist() == [0, 2, 2, 5, 6]
    assert np.round(peaks.x).tolist() == [15, 3, 10, 16, 4, 7]
    assert np.round(peaks.y).tolist() == [12, 3, 3, 9, 12, 7]
    assert peaks.scores.tolist() == pytest.approx([0.9, 0.5, 1.0, 0.6, 0.3, 1.0], abs=1e-3)


def test_adjacent_rows_of_two_keypoints_are_separate():
    """The last row of one map and the first row of the next are no neighbors."""
    heatmaps = np.zeros((2, 16, 20), np.float32)
    heatmaps[0, 15, 10], heatmaps[1, 0, 10] = 0.5, 0.9
    peaks = find(heatmaps)
    assert peaks.starts.tolist() == [0, 1, 2]
    assert peaks.scores.tolist() == pytest.approx([0.5, 0.9])
    peaks = find(heatmaps, sigma=1.0)
    assert peaks.starts.tolist() == [0, 1, 2]
    assert (peaks.x.tolist(), peaks.y.tolist()) == ([10, 10], [15, 0])


@pytest.mark.parametrize('x, y', [
    (0, 0), (19, 0), (0, 15), (19, 15), (10, 0), (0, 8), (19, 8), (10, 15)])
def test_peaks_on_the_border(x, y):
    for sigma in (0.0, 1.0):
        peaks = find(gaussian(x, y), sigma=sigma)
        assert peaks.x.tolist() == pytest.approx([x], abs=1e-3)
        assert peaks.y.tolist() == pytest.approx([y], abs=1e-3)


def test_a_maximum_beyond_the_border_is_found_at_the_border():
    peaks = find(gaussian(-1.5, 7.3))
    assert peaks.x.tolist() == [0]
    assert peaks.y[0] == pytest.approx(7.3, abs=1e-4)


def test_a_ridge_that_leaves_the_map_gives_one_peak():
    peaks = find(gaussian(22, 8))
    assert len(peaks.x) == 1 and peaks.x[0] == 19


def test_threshold_is_exclusive_and_applies_to_the_blurred_map():
    heatmaps = 0.5 * gaussian(8, 8)
    assert len(find(heatmaps, threshold=0.499).x) == 1
    assert len(find(heatmaps, threshold=0.5).x) == 0
    spike = np.zeros((16, 20), np.float32)
    spike[8, 8] = 0.2
    assert len(find(spike).x) == 1
    assert len(find(spike, sigma=1.0).x) == 0  # 0.2 / (2 pi) = 0.03


def test_negative_and_tiny_values_are_no_peaks():
    random = np.random.RandomState(1)
    assert len(find(-random.rand(16, 20)).x) == 0
    assert len(find(1e-3 * random.rand(16, 20), threshold=0.0).x) > 10
    assert len(find(1e-3 * random.rand(16, 20)).x) == 0


def test_radius_keeps_the_best_of_a_keypoint():
    heatmaps = np.zeros((2, 16, 20), np.float32)
    heatmaps[0, 8, 4], heatmaps[0, 8, 7], heatmaps[1, 8, 5] = 0.6, 0.9, 0.4
    assert find(heatmaps, radius=2.9).scores.tolist() == pytest.approx([0.9, 0.6, 0.4])
    near = find(heatmaps, radius=3.5)
    assert near.scores.tolist() == pytest.approx([0.9, 0.4])  # another keypoint is not concerned
    assert near.starts.tolist() == [0, 1, 2]
    assert near.x.tolist() == [7, 5]


def test_without_radius_all_stay():
    heatmaps = np.zeros((16, 20), np.float32)
    heatmaps[8, 4:9:2] = (0.6, 0.9, 0.7)
    assert len(find(heatmaps, radius=0.0).x) == 3


@pytest.mark.parametrize('width, height', [(2, 1), (1, 2), (2, 2), (3, 3), (20, 1), (5, 4)])
def test_a_plateau_is_one_peak(width, height):
    heatmaps = np.zeros((16, 20), np.float32)
    heatmaps[5:5 + height, :width] = 0.7
    peaks = find(heatmaps)
    assert len(peaks.x) == 1
    assert 0 <= peaks.x[0] <= width - 1 and 5 <= peaks.y[0] <= 4 + height


def test_two_equal_cells_are_one_peak_between_them():
    heatmaps = gaussian(7.5, 8)
    assert heatmaps[8, 7] == heatmaps[8, 8]
    peaks = find(heatmaps)
    assert peaks.x.tolist() == pytest.approx([7.5], abs=1e-4)


def test_constant_map():
    assert len(find(np.full((16, 20), 0.7)).x) == 1


def test_at_most_the_128_best_peaks_of_a_keypoint():
    heatmaps = np.zeros((2, 60, 60), np.float32)
    levels = np.random.RandomState(0).permutation(400) / 400.0 + 0.2
    heatmaps[1, 1::3, 1::3] = levels.reshape(20, 20)
    peaks = find(heatmaps)
    assert peaks.starts.tolist() == [0, 0, 128]
    assert peaks.scores.tolist() == pytest.approx(np.sort(levels)[:-129:-1].tolist())
    assert len(find(np.full((3, 16, 20), 0.7), radius=0.0).x) == 3 * 128


def test_offsets_stay_within_the_cell():
    random = np.random.RandomState(2)
    heatmaps = random.rand(5, 16, 20) * (random.rand(5, 16, 20) > 0.7) - 0.1
    finder = PeakFinder(heatmaps.shape)
    peaks = finder.find(np.float32(heatmaps), **dict(SETTINGS, radius=0.0))
    keypoint = np.repeat(np.arange(5), np.diff(peaks.starts))
    assert len(keypoint) > 100
    rows, columns = np.round(peaks.y).astype(int), np.round(peaks.x).astype(int)
    cells = np.float32(heatmaps)[keypoint, rows, columns]
    exact_half = (np.abs(peaks.x % 1 - 0.5) < 1e-3) | (np.abs(peaks.y % 1 - 0.5) < 1e-3)
    assert (np.abs(cells - peaks.scores)[~exact_half] == 0).all()
    assert (peaks.x >= 0).all() and (peaks.x <= 19).all()
    assert (peaks.y >= 0).all() and (peaks.y <= 15).all()


def test_finder_may_be_used_again():
    finder = PeakFinder((1, 16, 20))
    first = finder.find(gaussian(5, 5)[None], 1.0, 0.05, 1.5)
    kept = [array.copy() for array in first]
    finder.find(gaussian(12, 9)[None], 1.0, 0.05, 1.5)
    for array, copy in zip(first, kept):
        assert np.array_equal(array, copy)
    assert len(finder.find(np.zeros((1, 16, 20), np.float32), 1.0, 0.05, 1.5).x) == 0
    again = finder.find(gaussian(5, 5)[None], 1.0, 0.05, 1.5)
    for array, copy in zip(again, kept):
        assert np.array_equal(array, copy)


def test_maps_of_one_row_or_column():
    for shape in ((2, 1, 20), (2, 16, 1), (2, 1, 1)):
        heatmaps = np.zeros(shape, np.float32)
        heatmaps[1, shape[1] // 2, shape[2] // 2] = 0.8
        peaks = find(heatmaps)
        assert peaks.starts.tolist() == [0, 0, 1]
        assert (peaks.x.tolist(), peaks.y.tolist()) == ([shape[2] // 2], [shape[1] // 2])
