# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Drawings of crops: positions and colors."""
import cv2
import numpy as np
import pytest
import yaml

from coco_files import coco, person, write
from pose_ros.core.paf_layouts import map_layout
from pose_ros.core.topology import get_topology
from pose_training.cli.main import main
from pose_training.data.geometry import Crop
from pose_training.data.panels import (blend, blend_vectors, draw_labels, draw_weights, LEFT,
                                       RIGHT, sheet)
from pose_training.families.paf.targets import make_targets
from pose_training.families.registry import make_family

TOPOLOGY, LAYOUT = get_topology('coco_18'), map_layout('coco_18')
TINY = {'widths': [4, 8, 8, 8, 8], 'depths': [1, 1, 1, 1, 1], 'neck': 8, 'head': 8}
ZOOM = 8  # of crops 64 px wide


def crop(keypoints, known=None):
    """Return a crop of one person with keypoints {name: (x, y, label)}, on black."""
    people = np.zeros((1, 18, 3), np.float32)
    for name, keypoint in keypoints.items():
        people[0, TOPOLOGY.index(name)] = keypoint
    return Crop(np.zeros((48, 64, 3), np.uint8), people, np.ones(1),
                np.ones((48, 64), np.uint8) if known is None else known, np.ones(18, bool), None)


def color_at(image, x, y):
    """Return the color in the middle of a pixel of the crop."""
    return tuple(int(value) for value in image[y * ZOOM + ZOOM // 2, x * ZOOM + ZOOM // 2])


def test_left_and_right_have_colors_of_their_own():
    image = draw_labels(crop({'left_wrist': (50, 30, 2), 'right_wrist': (10, 30, 2),
                              'left_elbow': (50, 10, 2)}), TOPOLOGY)
    assert image.shape == (48 * ZOOM, 64 * ZOOM, 3)
    assert color_at(image, 50, 30) == LEFT and color_at(image, 10, 30) == RIGHT
    assert color_at(image, 50, 20) == LEFT  # the forearm
    assert color_at(image, 30, 30) == (0, 0, 0)


def test_occluded_keypoints_are_hollow_and_unlabelled_ones_not_drawn():
    image = draw_labels(crop({'left_wrist': (50, 30, 1), 'right_wrist': (10, 30, 0)}), TOPOLOGY)
    assert color_at(image, 50, 30) == (0, 0, 0)
    ring = image[30 * ZOOM:31 * ZOOM, 50 * ZOOM - 2:51 * ZOOM + 2]
    assert ring[..., 2].max() > 150 and ring[..., 0].max() == 0  # orange has no blue
    assert not image[..., 0].any()


def test_keypoints_far_outside_are_ignored():
    image = draw_labels(crop({'left_wrist': (1e9, -1e9, 2), 'left_elbow': (-500, 20, 2)}),
                        TOPOLOGY)
    assert image.shape == (48 * ZOOM, 64 * ZOOM, 3)


def test_heat_is_red_where_it_is_high_and_the_image_shows_elsewhere():
    image = np.full((48, 64, 3), 100, np.uint8)
    heatmaps = np.zeros((6, 8), np.float32)
    heatmaps[2, 5] = 1
    weights = np.ones((6, 8), np.float32)
    weights[4, 1] = 0
    image = blend(image, heatmaps, weights)
    blue, green, red = color_at(image, 44, 20)
    assert red > 100 and blue < 20 and green < 20
    assert color_at(image, 20, 20) == (70, 70, 70)
    assert color_at(image, 12, 36) != (70, 70, 70)


@pytest.mark.parametrize('order', ['xy', 'yx'])
def test_pafs_show_their_direction(order):
    pafs = np.zeros((4, 6, 8), np.float32)
    right, down = ((0, 2, 3), (1, 4, 6)) if order == 'xy' else ((1, 2, 3), (0, 4, 6))
    pafs[right] = pafs[down] = 1
    image = blend_vectors(np.zeros((48, 64, 3), np.uint8), pafs, order)
    blue, green, red = color_at(image, 28, 20)
    assert red > 180 and green < 20 and blue < 20
    blue, green, red = color_at(image, 52, 36)
    assert green > 180 and 80 < red < 120 and blue < 20  # a quarter round the circle from red
    assert color_at(image, 4, 4) == (0, 0, 0)


def test_weights_are_white_where_all_channels_count():
    weights = np.ones((4, 6, 8), np.float32)
    weights[:2, 2, 3] = 0
    weights[:, 5, 7] = 0
    image = draw_weights(np.zeros((48, 64, 3), np.uint8), weights)
    whole, half, none = (color_at(image, *at)[0] for at in ((4, 4), (28, 20), (60, 44)))
    assert whole == pytest.approx(191, abs=1) and half == pytest.approx(95, abs=1) and none == 0


def test_a_sheet_has_a_panel_for_everything():
    one = crop({'nose': (20, 20, 2), 'neck': (20, 40, 2)})
    targets = make_targets(one.people, one.labelled, one.known, LAYOUT, 8)
    image = sheet(one, targets, one.image, make_family('paf', 'coco_18'), 'a caption', heatmaps=7)
    # A caption, and three rows of four panels with a title each.
    assert image.shape == (18 + 3 * (18 + 48 * ZOOM), 4 * 64 * ZOOM, 3)
    first = image[18 + 18:18 + 18 + 48 * ZOOM, :64 * ZOOM]
    assert np.array_equal(first, draw_labels(one, TOPOLOGY))
    layout = map_layout('hand_21')
    hand = one._replace(people=np.zeros((0, 21, 3), np.float32), labelled=np.ones(21, bool))
    targets = make_targets(hand.people, hand.labelled, hand.known, layout, 8)
    assert sheet(hand, targets, hand.image, make_family('paf', 'hand_21'), '',
                 3).shape[1] == 4 * 64 * ZOOM


def configuration(folder, path):
    """Write the configuration of a small run."""
    config = {'model': {'name': 'repvgg_fpn', 'options': {**TINY, 'stages': 1}},
              'data': {'train': [{'path': path}], 'size': [64, 64]}}
    (folder / 'run.yaml').write_text(yaml.safe_dump(config))
    return str(folder / 'run.yaml')


def test_the_command_draws_the_crops_of_a_run(tmp_path, capsys):
    path = write(tmp_path, coco([person(), person(2)], files=('1.png', '2.png')))
    config = configuration(tmp_path, path)
    for folder, more in (('a', []), ('b', []), ('c', ['--seed', '5']),
                         ('d', ['data.size=[96,64]'])):
        words = ['view', config] + [word for word in more if '=' in word]
        words += ['-o', str(tmp_path / folder), '--count', '3']
        assert main(words + [word for word in more if '=' not in word]) == 0
    assert 'wrote 3 images to ' + str(tmp_path / 'a') in capsys.readouterr().out
    images = {folder: [cv2.imread(str(tmp_path / folder / '000{}.png'.format(number)))
                       for number in range(3)] for folder in 'abcd'}
    assert all(np.array_equal(a, b) for a, b in zip(images['a'], images['b']))
    assert not np.array_equal(images['a'][0], images['c'][0])
    assert images['a'][0].shape[1] == 4 * 512 and images['d'][0].shape[1] == 4 * 96 * 5


def test_the_command_takes_a_dataset_instead_of_a_configuration(tmp_path, capsys):
    path = write(tmp_path, coco([person(), person(2)], files=('1.png', '2.png')))
    (tmp_path / '2.png').write_bytes(b'')
    assert main(['view', '--data', path, '-o', str(tmp_path / 'out'), '--count', '8',
                 'data.size=[64,64]', 'model.topology=body_25']) == 0
    printed = capsys.readouterr().out
    assert len(list((tmp_path / 'out').iterdir())) == 8
    assert printed.splitlines()[-1] == 'unusable: ' + str(tmp_path / '2.png')


@pytest.mark.parametrize('words, error', [
    ([], 'name one configuration, or a dataset with --data'),
    (['a.yaml', 'b.yaml'], 'name one configuration'),
    (['seed=1'], 'name one configuration'),
    (['--data', 'nothing.json'], 'cannot read the dataset nothing.json')])
def test_the_command_rejects_invalid_arguments(tmp_path, capsys, words, error):
    assert main(['view', '-o', str(tmp_path / 'out')] + words) == 1
    assert error in capsys.readouterr().err
    assert not (tmp_path / 'out').exists()


def test_the_command_needs_a_dataset_in_the_configuration(tmp_path, capsys):
    (tmp_path / 'run.yaml').write_text('data: {size: [64, 64]}')
    assert main(['view', str(tmp_path / 'run.yaml'), '-o', str(tmp_path / 'out')]) == 1
    assert 'data.train names no dataset' in capsys.readouterr().err
