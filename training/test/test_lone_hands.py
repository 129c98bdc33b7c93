# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Images of hands without people: outlines, places, the same images for a seed, and errors."""
import json

import cv2
import numpy as np
import pytest

from pose_ros.core.topology import get_topology
from pose_training.cli.main import main
from pose_training.data.hand_cuts import cut_hand, REACH, with_forearm, WRIST
from pose_training.data.lone_hands import cut_hands, LoneHands, read_backgrounds
from pose_training.errors import DataError

NAMES = get_topology('hand_21').keypoint_names
SKIN, WALL = (120, 160, 220), (90, 40, 20)


def hand(size=100., wrist=(160., 200.), turn=0.):
    """Return the keypoints (21, 2) of an open hand; at turn 0 the fingers point up."""
    angles = np.radians([-50, -20, 0, 15, 30])
    shares = np.array([[.25, .4, .55, .7], *[[.5, .7, .85, 1.]] * 4])
    rays = np.stack([np.sin(angles), -np.cos(angles)], -1)
    points = np.concatenate([np.zeros((1, 2)), (rays[:, None] * shares[..., None]).reshape(-1, 2)])
    turning = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    return points @ turning.T * size + wrist


def drawing(points, down=(0, 1)):
    """Draw a hand and a forearm of 60 px before a wall, (320, 320, 3)."""
    image = np.full((320, 320, 3), WALL, np.uint8)
    wrist = points[0].astype(int)
    for first in range(1, 21, 4):
        limbs = np.concatenate([points[:1], points[first:first + 4]])
        cv2.polylines(image, [limbs.astype(int)], False, SKIN, 14)
    palm = points[[0, 1, 5, 9, 13, 17]].astype(np.float32)
    cv2.fillConvexPoly(image, cv2.convexHull(palm).astype(int), SKIN)
    cv2.line(image, tuple(wrist), tuple(int(v) for v in wrist + 60 * np.array(down)), SKIN, 30)
    return image


def write_hands(folder, hands, names=NAMES):
    """Write an image and its labels; return the path of the labels."""
    cv2.imwrite(str(folder / 'a.png'), drawing(hand()))
    entries = []
    for number, points in enumerate(hands):
        keypoints = np.column_stack([points, np.full(len(points), 2)]).ravel()
        entries.append({'id': number, 'image_id': 1, 'category_id': 1, 'iscrowd': 0,
                        'bbox': [0, 0, 320, 320], 'keypoints': keypoints.tolist(),
                        'num_keypoints': len(points)})
    path = folder / 'hands.json'
    path.write_text(json.dumps({
        'images': [{'id': 1, 'file_name': 'a.png', 'width': 320, 'height': 320}],
        'categories': [{'id': 1, 'name': 'person', 'keypoints': list(names), 'skeleton': []}],
        'annotations': entries}))
    return str(path)


@pytest.mark.parametrize('turn', [0., 2.])
def test_a_hand_is_cut_out_upright(turn):
    points = hand(turn=turn)
    cut = cut_hand(drawing(points, (-np.sin(turn), np.cos(turn))), points)
    assert cut.shape == (320, 256, 4) and cut.dtype == np.uint8
    solid = cut[..., 3] > 250
    wrong = np.abs(cut[solid][:, :3].astype(int) - SKIN).max(-1) > 40
    assert wrong.mean() < .01  # almost no wall within the outline
    assert solid[WRIST[1] - 3, WRIST[0]] and solid[WRIST[1] + 40, WRIST[0]]
    tips = np.flatnonzero(solid.any(1))[0]
    assert abs(WRIST[1] - tips - REACH) < 20  # the longest finger, above the wrist
    assert not solid[:, :10].any() and not solid[:, -10:].any()


def test_small_hands_and_plain_images_give_no_cut():
    assert cut_hand(drawing(hand(40.)), hand(40.)) is None
    outside = hand(wrist=(5000., 5000.))
    assert cut_hand(drawing(hand()), outside) is None


def test_a_forearm_continues_to_the_lower_edge():
    points = hand()
    cut = cut_hand(drawing(points), points)
    long = with_forearm(cut, np.random.RandomState(0))
    assert long.shape == (640, 256, 4)
    rows = (long[..., 3] > 250).any(1)
    top = np.flatnonzero(rows)[0]
    assert rows[top:-1].all()
    arm = long[400:, :, :3][long[400:, :, 3] > 250].astype(int)
    assert (arm[:, 2] > arm[:, 0]).all()  # of the hand's color, darker
    np.testing.assert_array_equal(long[:200, :, :3], cut[:200, :, :3])


def test_a_seed_gives_the_same_images(tmp_path):
    cuts = cut_hands(write_hands(tmp_path, [hand(), hand(30.), hand(90.)]))
    assert len(cuts) == 2  # one hand is too small
    behind = [np.full((100, 150, 3), (0, 250, 0), np.uint8)]
    first, second, other = (LoneHands(cuts, behind, seed) for seed in (1, 1, 2))
    pairs = [(first.draw(), second.draw()) for _ in range(12)]
    for one, two in pairs:
        np.testing.assert_array_equal(one, two)
    assert any(image.shape != other.draw().shape for image, _ in pairs)
    green = [(image == behind[0][0, 0]).all(-1).mean() for image, _ in pairs]
    assert max(green) > .3 and min(green) == 0  # images and smooth colors
    skin = [np.abs(image.astype(float) - SKIN).max(-1) < 70 for image, _ in pairs]
    assert sum(mask.mean() > .01 for mask in skin) >= 8


def test_the_command_writes_images_without_people(tmp_path, capsys):
    path = write_hands(tmp_path, [hand()], ['k{}'.format(k) for k in range(21)])  # in order
    words = ['lone-hands', path, '-o', str(tmp_path / 'arms'), '--count', '3', '--seed', '4']
    assert main(words) == 0
    assert 'wrote 3 images' in capsys.readouterr().out
    files = sorted((tmp_path / 'arms').iterdir())
    assert [file.name for file in files] == ['0000.jpg', '0001.jpg', '0002.jpg']
    drawn = LoneHands(cut_hands(path), [], 4).draw()
    read = cv2.imread(str(files[0]))
    assert read.shape == drawn.shape and np.abs(read.astype(int) - drawn).mean() < 4
    assert main(words[:3] + [str(tmp_path), '--backgrounds', str(tmp_path)]) == 2
    assert 'would overwrite the input' in capsys.readouterr().err


def test_images_that_cannot_be_read_are_left_out(tmp_path, caplog):
    path = write_hands(tmp_path, [hand()])
    data = json.loads((tmp_path / 'hands.json').read_text())
    data['images'].append({'id': 2, 'file_name': 'cut.jpg', 'width': 320, 'height': 320})
    data['annotations'].append(dict(data['annotations'][0], id=9, image_id=2))
    (tmp_path / 'hands.json').write_text(json.dumps(data))
    (tmp_path / 'cut.jpg').write_bytes(b'not an image')
    assert len(cut_hands(path)) == 1
    assert '1 of its 2 images cannot be used' in caplog.text
    assert [image.shape for image in read_backgrounds(str(tmp_path))] == [(320, 320, 3)]
    (tmp_path / 'a.png').write_bytes(b'')
    with pytest.raises(DataError, match='none of its 2 images can be used'):
        read_backgrounds(str(tmp_path))
    with pytest.raises(DataError, match='none of its 2 images can be used'):
        cut_hands(path)


@pytest.mark.parametrize('seed', ['-1', '4294967296', 'x'])
def test_a_seed_that_numpy_does_not_take(capsys, seed):
    assert main(['lone-hands', 'hands.json', '-o', 'arms', '--seed', seed]) == 2
    assert '--seed' in capsys.readouterr().err


def test_labels_of_bodies_and_files_without_large_hands_are_errors(tmp_path):
    with pytest.raises(DataError, match='has no hand that is large enough'):
        cut_hands(write_hands(tmp_path, [hand(30.)]))
    with pytest.raises(DataError, match='has 17 keypoints, not the 21 of a hand'):
        cut_hands(write_hands(tmp_path, [hand()[:17]], get_topology('coco_17').keypoint_names))
