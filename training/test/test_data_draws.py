# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Sampling of crops, and mosaics of four."""
import cv2
import numpy as np
import pytest

from coco_files import coco, person, write
from pose_ros.core.topology import get_topology
from pose_training.data.annotations import read_dataset
from pose_training.data.dataset import CropSpec, CropSampler, PoseDataset
from pose_training.data.geometry import CropRange
from pose_training.data.mosaic import draw_tiles
from pose_training.errors import ConfigError, DataError
from pose_training.families.registry import make_family

COCO_18, FAMILY = get_topology('coco_18'), make_family('paf', 'coco_18')
MOSAIC = CropRange(background=0., mosaic=1.)


def images(folder):
    """Return four samples of one person each, in images of noise."""
    files = ['{}.png'.format(number) for number in range(4)]
    return read_dataset(write(folder, coco([person(number) for number in range(1, 5)],
                                           files=files)), COCO_18)


def crops(samples, geometry, soft=None):
    """Return crops of 128 x 96 pixels."""
    return PoseDataset(samples, CropSpec((128, 96), 8, FAMILY, geometry), soft=soft)


def test_tiles_are_on_the_grid_and_fill_the_crop():
    for seed in range(50):
        (a, b), (c, d), (e, f), (g, h) = draw_tiles((64, 48), 8, np.random.default_rng(seed))
        assert (a + c, b + f) == (64, 48) and (a, c, b, d) == (e, g, d, b) and (f, h) == (h, f)
        assert all(side % 8 == 0 and side > 0 for side in (a, b, c, d, e, f, g, h))
    assert draw_tiles((64, 8), 8, np.random.default_rng(0)) == [(64, 8)]


def test_a_mosaic_is_four_crops_with_their_own_targets(tmp_path):
    colors = [(40, 40, 40), (90, 90, 90), (140, 140, 140), (190, 190, 190)]
    samples = images(tmp_path)
    for index, color in enumerate(colors):
        cv2.imwrite(samples[index].path, np.full((80, 100, 3), color, np.uint8))
    labelled = np.ones(18, bool)
    labelled[4] = False
    samples[3] = samples[3]._replace(labelled=labelled, all_people_annotated=False)
    geometry = MOSAIC._replace(height=(4., 4.), rotation=0., shift=0., free=0., flip=0.)
    complete = []

    class Soft:
        def targets(self, key, crop, hard):
            complete.append(crop.complete)
            return hard
    dataset = crops(samples, geometry, Soft())  # tiles end before images do
    seen = set()
    for variant in range(12):
        crop, targets = dataset.draw(0, variant)
        gray = crop.image[..., 0]
        across = np.flatnonzero(np.diff(gray[0].astype(int))) + 1
        down = np.flatnonzero(np.diff(gray[:, 0].astype(int))) + 1
        assert all(len(seams) <= 1 and (seams % 8 == 0).all() for seams in (across, down))
        tones = {int(gray[y, x]) for y in (0, -1) for x in (0, -1)}
        assert set(np.unique(gray)) == tones and colors[0][0] in tones
        seen |= tones
        # Only the tile of the last image has no weight for the right wrist.
        without = np.kron(targets.weights[4] == 0, np.ones((8, 8), bool))
        assert np.array_equal(without, gray == 190)
        assert targets.maps.shape == (57, 12, 16) and len(crop.people) == 4
        assert complete[-1] == (190 not in tones)
        assert crop.labelled[4] == (190 not in tones)
    assert seen == {40, 90, 140, 190}


def test_people_do_not_reach_over_the_seams_of_a_mosaic(tmp_path):
    dataset = crops(images(tmp_path), MOSAIC._replace(height=(1., 1.)))
    for variant in range(10):
        crop, targets = dataset.draw(0, variant)
        heatmaps = targets.maps[:18]
        for keypoint in range(18):
            there = crop.people[:, keypoint, 2] > 0
            cells = (crop.people[there, keypoint, :2] + .5) // 8
            for x, y in cells.astype(int):
                assert heatmaps[keypoint, y, x] > .5  # each remaining keypoint is drawn


def test_draws_follow_the_weights_and_repeat_by_the_epoch():
    draws = CropSampler(np.array([1., 3., 0.]), 2000, 5, seed=3)
    first = list(draws)
    assert len(first) == len(draws) == 2000 and list(draws) == first
    counts = np.bincount([draw.sample for draw in first], minlength=3)
    assert counts[2] == 0 and 430 < counts[0] < 570
    assert {draw.variant for draw in first} == {0, 1, 2, 3, 4}
    assert len({draw.seed for draw in first}) == 2000
    draws.set_epoch(1)
    assert list(draws) != first
    draws.set_epoch(0)
    assert list(draws) == first


def test_processes_share_the_draws_of_each_batch():
    whole = list(CropSampler(np.ones(9), 24, 5))
    parts = [list(CropSampler(np.ones(9), 24, 5, rank=rank, ranks=2)) for rank in (0, 1)]
    assert [len(part) for part in parts] == [12, 12]
    for batch in range(3):  # of 8 crops, 4 for each
        of_both = parts[0][batch * 4:][:4] + parts[1][batch * 4:][:4]
        assert sorted(of_both) == sorted(whole[batch * 8:][:8])


@pytest.mark.parametrize('weights', [[], [0., 0.], [1., -1.], [1., float('nan')]])
def test_weights_must_be_shares(weights):
    with pytest.raises(DataError, match='weights of the datasets'):
        CropSampler(np.array(weights), 10, 1)
    with pytest.raises(ConfigError, match='1 crops in an epoch'):
        CropSampler(np.ones(2), 1, 1, ranks=2)
