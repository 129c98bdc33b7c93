# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""`pose-train convert deeplabcut`: MATLAB files, projects, CollectedData files."""
import json

import cv2
from mat_files import struct
import numpy as np
import pytest
from scipy.io import savemat
import yaml

from pose_training.cli.main import main
from pose_training.importers.pose_cfg import PEOPLE_14

HEADER = ('scorer,me,me,me,me,me,me\nbodyparts,Nose,Nose,L-Paw,L-Paw,Tail tip,Tail tip\n'
          'coords,x,y,x,y,x,y\n')


def images(*paths):
    """Write images of 64 x 48 px."""
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(path), np.full((48, 64, 3), 90, np.uint8))


def convert(folder, *words, code=0):
    """Run the command; return what it wrote."""
    out = folder / 'labels.json'
    assert main(['convert', 'deeplabcut', *map(str, words), '-o', str(out)]) == code
    return json.loads(out.read_text()) if code == 0 else None


def keypoints(annotation):
    return np.array(annotation['keypoints']).reshape(-1, 3).tolist()


def cell(*arrays):
    """Return a (1, N) cell."""
    cells = np.empty((1, len(arrays)), object)
    for place, array in enumerate(arrays):
        cells[0, place] = np.array(array, np.int32)
    return cells


def test_a_matlab_file_of_people(tmp_path):
    images(tmp_path / 'data' / 'a.png', tmp_path / 'data' / 'b.png')
    size, path = np.array([[3, 48, 64]]), tmp_path / 'dataset.mat'
    savemat(str(path), {'dataset': struct(
        {'image': '/elsewhere/data/a.png', 'size': size,
         'joints': cell([[0, 11, 21], [13, 31, 41]], [[2, 5, 6]])},
        {'image': np.array(['data', 'b.png']), 'size': size, 'joints': cell([[5, 1, 1]])},
        {'image': 'gone.png', 'size': size, 'joints': cell([[5, 1, 1]])})})
    data = convert(tmp_path, path, '--images', tmp_path, '--first-pixel', 1)
    assert [image['file_name'] for image in data['images']] == ['data/a.png', 'data/b.png']
    [category] = data['categories']
    assert category['keypoints'] == list(PEOPLE_14.keypoint_names)
    assert category['name'] == 'person'
    assert [annotation['image_id'] for annotation in data['annotations']] == [1, 1, 2]
    first = keypoints(data['annotations'][0])
    assert (first[0], first[13], first[1]) == ([10, 20, 2], [30, 40, 2], [0, 0, 0])
    assert keypoints(data['annotations'][1])[2] == [4, 5, 2]


def test_a_matlab_file_has_the_names_of_its_configuration(tmp_path, capsys):
    images(tmp_path / 'a.png')
    path = tmp_path / 'dataset.mat'
    savemat(str(path), {'dataset': struct({
        'image': 'a.png', 'size': np.array([[3, 48, 64]]), 'joints': cell([[1, 11, 21]])})})
    convert(tmp_path, path, code=1)
    assert 'the network has 2 keypoints' in capsys.readouterr().err
    (tmp_path / 'pose_cfg.yaml').write_text(yaml.safe_dump(
        {'all_joints': [[0], [1], [2]], 'all_joints_names': ['nose', 'L-paw', 'tail']}))
    data = convert(tmp_path, path)
    assert data['categories'][0]['keypoints'] == ['nose', 'left_paw', 'tail']
    assert keypoints(data['annotations'][0])[1] == [11, 21, 2]
    (tmp_path / 'config.yaml').write_text('bodyparts: [nose]')
    convert(tmp_path, path, '--pose-cfg', tmp_path / 'config.yaml', code=1)
    assert 'has a keypoint 1, but only 1 names: nose' in capsys.readouterr().err


def test_a_project_of_one_animal(tmp_path):
    videos = tmp_path / 'project' / 'labeled-data'
    images(videos / 'v1' / 'img1.png', videos / 'v1' / 'img2.png', videos / 'v2' / 'img1.png')
    (tmp_path / 'project' / 'config.yaml').write_text(yaml.safe_dump({
        'Task': 'Lizard', 'bodyparts': ['Nose', 'Tail tip', 'L-Paw'],
        'skeleton': [['Nose', 'Tail tip']]}))
    (videos / 'v1' / 'CollectedData_me.csv').write_text(
        HEADER + 'labeled-data/v1/img1.png,1.5,2,3,4,5,6\nlabeled-data/v1/img2.png,7,8,,,9,10\n'
        'labeled-data/v1/none.png,7,8,,,9,10\n')
    (videos / 'v1' / 'CollectedData_me.h5').write_bytes(b'not read')
    (videos / 'v2' / 'CollectedData_me.csv').write_text(
        HEADER.replace('scorer', 'scorer,,').replace('bodyparts', 'bodyparts,,').replace(
            'coords', 'coords,,') + 'labeled-data,v2,img1.png,11,12,13,14,,\n')
    data = convert(tmp_path, tmp_path / 'project', '--check', tmp_path / 'look.png')
    [category] = data['categories']
    assert category['keypoints'] == ['nose', 'tail_tip', 'left_paw']
    assert category['skeleton'] == [[1, 2]] and category['name'] == 'animal'
    assert [image['file_name'] for image in data['images']] == [
        'project/labeled-data/v1/img1.png', 'project/labeled-data/v1/img2.png',
        'project/labeled-data/v2/img1.png']
    assert [keypoints(annotation) for annotation in data['annotations']] == [
        [[1.5, 2, 2], [5, 6, 2], [3, 4, 2]], [[7, 8, 2], [9, 10, 2], [0, 0, 0]],
        [[11, 12, 2], [0, 0, 0], [13, 14, 2]]]
    assert (tmp_path / 'look.png').stat().st_size > 1000
    one = convert(tmp_path, videos / 'v1' / 'CollectedData_me.h5')
    assert one['annotations'] == data['annotations'][:2]


def test_several_animals(tmp_path):
    images(tmp_path / 'p' / 'labeled-data' / 'v' / 'a.png')
    path = tmp_path / 'p' / 'labeled-data' / 'v' / 'CollectedData_me.csv'
    path.write_text('scorer,me,me,me,me,me,me\nindividuals,one,one,two,two,two,two\n'
                    'bodyparts,nose,nose,nose,nose,tail,tail\ncoords,x,y,x,y,x,y\n'
                    'labeled-data/v/a.png,1,2,3,4,,\n')
    data = convert(tmp_path, path)
    assert [keypoints(annotation) for annotation in data['annotations']] == [
        [[1, 2, 2], [0, 0, 0]], [[3, 4, 2], [0, 0, 0]]]


@pytest.mark.parametrize('text, words', [
    ('a,b\n1,2\n', 'its first rows are not scorer'),
    (HEADER + 'a.png,1,x,3,4,5,6\n', "'x' is no number"),
    (HEADER.replace('x,y,x,y,x,y', 'x,y,x,x,x,y') + 'a.png,1,2\n', 'one x and one y'),
    (HEADER + 'a.png,1,2,3,4,5,6\n', 'images that are not there')])
def test_invalid_tables_are_named(tmp_path, capsys, text, words):
    path = tmp_path / 'CollectedData_me.csv'
    path.write_text(text)
    convert(tmp_path, path, code=1)
    assert words in capsys.readouterr().err


def test_other_files_are_named(tmp_path, capsys):
    savemat(str(tmp_path / 'other.mat'), {'dataset': np.zeros(3)})
    for path, words in ((tmp_path / 'other.mat', 'no struct array `dataset`'),
                        (tmp_path, 'no project of DeepLabCut'),
                        (tmp_path / 'gone.mat', 'cannot read'),
                        (tmp_path / 'CollectedData_me.h5', 'has no CollectedData_me.csv beside')):
        convert(tmp_path, path, code=1)
        assert words in capsys.readouterr().err


def test_the_published_examples(tmp_path, shared):
    formats = shared / 'data' / 'formats'
    data = convert(tmp_path, formats / 'deeplabcut')
    assert len(data['images']) == len(data['annotations']) == 2
    assert data['categories'][0]['keypoints'] == ['hand', 'finger1', 'tongue', 'joystick1',
                                                  'joystick2']
    assert data['annotations'][0]['keypoints'][:3] == [185.252, 610.362, 2]
    images(tmp_path / 'im00005_1.png')
    data = convert(tmp_path, formats / 'deepercut' / 'dataset_example.mat', '--images', tmp_path)
    assert keypoints(data['annotations'][0])[0] == [175, 261, 2]
