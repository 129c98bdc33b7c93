# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""`pose-train convert labels-txt`: both published orders, offsets, and lines that are wrong."""
import json

import cv2
import numpy as np
import pytest

from pose_ros.core.topology import get_topology
from pose_training.cli.main import main
from pose_training.data.annotations import read_dataset

HAND = get_topology('hand_21')
# x, y of the wrist, then of each finger from its palm to its tip, in the order of hand_21.
POINTS = np.array([(60, 90)] + [(20 + 18 * finger, 80 - 15 * number) for finger in range(5)
                                for number in range(1, 5)], float)
BOX = (10, 12, 110, 99)  # left, top, right, bottom
AUTHOR = ['--coordinates', 'xy', '--skip', '1', '--order',
          '0,4,3,2,1,8,7,6,5,12,11,10,9,16,15,14,13,20,19,18,17']


def line(name, box, points):
    """Return a line of labels.txt."""
    numbers = np.concatenate([box, np.ravel(points)])
    return ' '.join([name, *map('{:g}'.format, numbers)])


def write(folder, *lines, person='person_0', images=('a.jpg',), newline='\n'):
    """Write a dataset of one person."""
    (folder / person / 'imgs').mkdir(parents=True, exist_ok=True)
    for name in images:
        cv2.imwrite(str(folder / person / 'imgs' / name), np.full((100, 120, 3), 90, np.uint8))
    (folder / person / 'labels.txt').write_text(newline.join(lines))


def convert(folder, *words, code=0):
    """Run the command; return what it wrote."""
    out = folder / 'labels.json'
    assert main(['convert', 'labels-txt', str(folder / 'data'), '-o', str(out), *words]) == code
    return json.loads(out.read_text()) if code == 0 else None


def check(data):
    (annotation,) = data['annotations']
    np.testing.assert_array_equal(np.reshape(annotation['keypoints'], (21, 3)),
                                  np.column_stack([POINTS, np.full(21, 2)]))
    assert annotation['bbox'] == [10, 12, 100, 87]
    assert data['categories'][0]['keypoints'] == list(HAND.keypoint_names)


def test_the_order_of_the_readme_is_the_default(tmp_path):
    left, top, right, bottom = BOX
    write(tmp_path / 'data', line('a.jpg', (top, left, bottom, right), POINTS[:, ::-1]))
    check(convert(tmp_path, '--check', str(tmp_path / 'look.png')))
    assert cv2.imread(str(tmp_path / 'look.png')).shape[1] >= 512
    (sample,) = read_dataset(str(tmp_path / 'labels.json'), HAND)
    np.testing.assert_array_equal(sample.people[0, :, :2], POINTS)


def test_the_order_of_the_script(tmp_path):
    """An unused pair, the wrist, then every finger from its tip to its palm; x before y."""
    fingers = POINTS[1:].reshape(5, 4, 2)[:, ::-1].reshape(20, 2)
    points = np.concatenate([[(7, 7)], POINTS[:1], fingers])
    write(tmp_path / 'data', line('a.jpg', (110, 99, 10, 12), points))  # corners in any order
    check(convert(tmp_path, *AUTHOR))


def test_people_skeletons_offsets_and_what_is_left_out(tmp_path, capsys):
    body = np.array([(2 * k + 1, 3 * k + 1) for k in range(14)], float)
    body[13] = np.nan
    body[12] = (121.5, 40)  # beyond the last pixel, with the offset
    rows = [line('a.jpg', (1, 1, 60, 70), body), '', line('gone.jpg', (1, 1, 60, 70), body),
            line('b.jpg', (1, 1, 60, 70), body + 500)]
    write(tmp_path / 'data', *rows, images=('a.jpg', 'b.jpg'), newline='\r\n')
    write(tmp_path / 'data', line('a.jpg', (1, 1, 60, 70), body), person='person_1')
    data = convert(tmp_path, '--topology', 'cpm_14', '--coordinates', 'xy', '--offset', '-1')
    assert [image['file_name'] for image in data['images']] == [
        'data/person_0/imgs/a.jpg', 'data/person_0/imgs/b.jpg', 'data/person_1/imgs/a.jpg']
    first, second = data['annotations']
    found = np.reshape(first['keypoints'], (14, 3))
    np.testing.assert_array_equal(found[:12, :2], body[:12] - 1)
    assert found[12:].tolist() == [[0, 0, 0], [0, 0, 0]] and first['num_keypoints'] == 12
    assert first['bbox'] == [0, 0, 59, 69] and second['image_id'] == 3
    assert data['categories'][0]['name'] == 'person'
    text = capsys.readouterr().out
    assert '1 images that are not there' in text and '1 labels outside their image' in text


@pytest.mark.parametrize('text, words, message', [
    ('a.jpg 1 2 3', (), 'line 1 has 3 numbers after the name'),
    ('\na.jpg 1 2 3 x', (), 'line 2: could not convert'),
    ('a.jpg 1 2 3 4' + ' 5' * 42, ('--skip', '1'), 'at least 22 pairs'),
    ('a.jpg' + ' 5' * 46, ('--order', '0,1'), '--order needs 21 different numbers'),
    ('a.jpg' + ' 5' * 46, ('--order', '0,x'), 'not a list of whole numbers'),
    ('a.jpg' + ' 5' * 46, ('--skip', '-1'), '--skip is 0 or more'),
    ('', (), 'there is nothing to convert'),
    ('a.jpg' + ' 5' * 46, ('--topology', 'elephant'), 'unknown topology')])
def test_faults_are_named(tmp_path, capsys, text, words, message):
    write(tmp_path / 'data', text)
    convert(tmp_path, *words, code=1)
    assert message in capsys.readouterr().err
    assert not (tmp_path / 'labels.json').exists()


def test_a_folder_without_labels(tmp_path, capsys):
    (tmp_path / 'data').mkdir()
    convert(tmp_path, code=1)
    assert 'there is no' in capsys.readouterr().err
