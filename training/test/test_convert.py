# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""`pose-train convert`: MPII, PoseTrack, FreiHAND and 300W to COCO keypoint files."""
import json
from types import SimpleNamespace

import cv2
from mat_files import MPII, rect, write_release
import numpy as np
import pytest

from pose_ros.core.topology import get_topology
from pose_training.cli.main import main
from pose_training.data.annotations import read_dataset

POINTS = {number: (20 + 10 * number, 30 + 8 * number) for number in range(16)}


def images(folder, *names, size=(200, 180)):
    """Write gray images of (width, height)."""
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(folder / name), np.full((size[1], size[0], 3), 90, np.uint8))


def convert(folder, *words, code=0):
    """Run the command; return what it wrote."""
    out = folder / 'out' / 'labels.json'
    out.parent.mkdir(exist_ok=True)
    assert main(['convert', *map(str, words), '-o', str(out)]) == code
    return json.loads(out.read_text()) if code == 0 else None


def keypoints(annotation):
    """Return the keypoints of an annotation, (K, 3)."""
    return np.array(annotation['keypoints']).reshape(-1, 3)


@pytest.fixture
def release(tmp_path):
    """Write a dataset of MPII's form: two training images of three, and one for testing."""
    images(tmp_path / 'images', 'a.jpg', 'b.jpg', 'c.jpg')
    partly = {0: (50, 60), 9: (70, 21)}
    return write_release(tmp_path / 'mpii.mat', [
        ('a.jpg', [rect(POINTS), rect(partly, visible={0: '0'}, objpos=(61, 71))], True),
        ('b.jpg', [rect({}, scale=.5, objpos=(101, 91))], True),
        ('gone.jpg', [rect(POINTS)], True), ('empty.jpg', [], True),
        ('c.jpg', [rect({}, scale=.25, objpos=(41, 51))], False)])


def test_mpii(tmp_path, release, capsys):
    data = convert(tmp_path, 'mpii', release, '--images', tmp_path / 'images', '--check',
                   tmp_path / 'look.png')
    assert [image['file_name'] for image in data['images']] == ['../images/a.jpg',
                                                                '../images/b.jpg']
    assert [(image['width'], image['height'], image['mpii_image'])
            for image in data['images']] == [(200, 180, 1), (200, 180, 2)]
    assert data['categories'][0]['keypoints'] == list(MPII.keypoint_names)
    first, second, third = data['annotations']
    np.testing.assert_allclose(keypoints(first)[:, :2], np.array(list(POINTS.values())) - 1)
    assert (keypoints(first)[:, 2] == 2).all() and first['num_keypoints'] == 16
    assert first['bbox_head'] == [10, 20, 30, 40] and first['mpii_person'] == 1
    # From 9.5 to 169.5 and 19.5 to 149.5 with the head, a tenth more on each side, cut at 0.
    np.testing.assert_allclose(first['bbox'], [0, 6.5, 185.5, 156])
    np.testing.assert_array_equal(keypoints(second)[[0, 9, 1]], [(49, 59, 1), (69, 20, 2),
                                                                 (0, 0, 0)])
    assert third['num_keypoints'] == 0  # a square of 100 px around its place
    assert third['bbox'] == [50, 40, 100, 100]
    text = capsys.readouterr().out
    assert '2 images, 2 people with keypoints, 1 regions and people without keypoints' in text
    assert 'left out: 1 images that are not there, such as ' in text
    assert 'left out: 1 images without people, such as empty.jpg' in text
    assert cv2.imread(str(tmp_path / 'look.png')).shape[1] == 4 * 512
    sample = read_dataset(str(tmp_path / 'out' / 'labels.json'), MPII)[0]
    assert len(sample.people) == 2 and not sample.all_people_annotated


def test_mpii_test_split_and_people_of_a_list(tmp_path, release):
    folder = tmp_path / 'images'
    test = convert(tmp_path, 'mpii', release, '--images', folder, '--split', 'test')
    assert [image['mpii_image'] for image in test['images']] == [5]
    assert test['annotations'][0]['bbox'] == [15, 25, 50, 50]
    person = SimpleNamespace(image='a.jpg', center=[61., 71.], scale=1.5, joints_vis=[1] * 16)
    person.joints = [[1, 1]] * 16
    (tmp_path / 'list.json').write_text(json.dumps([vars(person)]))
    chosen = convert(tmp_path, 'mpii', release, '--images', folder, '--people',
                     tmp_path / 'list.json')
    assert [entry['mpii_person'] for entry in chosen['annotations']] == [2]
    assert len(chosen['images']) == 1
    person.joints[3], person.joints_vis[0] = [31, 41], 0
    (tmp_path / 'list.json').write_text(json.dumps([vars(person)] * 2))
    listed = convert(tmp_path, 'mpii', tmp_path / 'list.json', '--images', folder)
    assert len(listed['images']) == 1 and len(listed['annotations']) == 2
    np.testing.assert_array_equal(keypoints(listed['annotations'][0])[[0, 3]],
                                  [(0, 0, 0), (30, 40, 2)])


def frame(name, number, labeled=True):
    """Return an image entry of PoseTrack 2018."""
    return {'file_name': name, 'id': number, 'is_labeled': labeled, 'vid_id': '000001',
            'ignore_regions_x': [[0, 10, 10]], 'ignore_regions_y': [[0, 0, 10]]}


def posetrack(tmp_path):
    """Write a sequence of PoseTrack 2018 of three frames, the last without labels."""
    names = ['images/val/000001_mpii/00000{}.jpg'.format(number) for number in (0, 1, 4)]
    images(tmp_path, *names)
    person = {'image_id': 10000010000, 'track_id': 3, 'category_id': 1, 'scores': [],
              'bbox': [30, 40, 50, 60], 'bbox_head': [40, 41, 9, 12],
              'keypoints': [50, 60, 1] * 3 + [0, 0, 0] * 2 + [70, 80, 1] * 12}
    (tmp_path / 'annotations' / 'val').mkdir(parents=True)
    (tmp_path / 'annotations' / 'val' / '000001_mpii.json').write_text(json.dumps({
        'images': [frame(name, 10000010000 + number, number < 2) for name, number in
                   zip(names, (0, 1, 4))],
        'annotations': [person, dict(person, image_id=10000010001, keypoints=[0] * 51)],
        'categories': []}))
    return tmp_path / 'annotations' / 'val'


def test_posetrack_2018(tmp_path, capsys):
    folder = posetrack(tmp_path)
    data = convert(tmp_path, 'posetrack', folder)
    assert [(image['id'], image['sequence'], image['frame']) for image in data['images']] == [
        (10000010000, '000001_mpii', 0), (10000010001, '000001_mpii', 1)]
    region, person, other = data['annotations']
    assert region['iscrowd'] == 1 and region['segmentation'] == [[0, 0, 10, 0, 10, 10]]
    assert person['track_id'] == 3 and person['bbox_head'] == [40, 41, 9, 12]
    assert person['num_keypoints'] == 15 and person['bbox'] == [30, 40, 50, 60]
    assert keypoints(person)[2].tolist() == [50, 60, 2] and other['iscrowd'] == 1
    text = capsys.readouterr().out
    assert 'left out: 1 frames without labels' in text
    assert 'left out: 1 people without keypoints' in text
    every = convert(tmp_path, 'posetrack', folder, '--all-frames')
    assert [image['is_labeled'] for image in every['images']] == [True, True, False]
    topology = get_topology('coco_17')
    assert len(read_dataset(str(tmp_path / 'out' / 'labels.json'), topology)) == 2


def test_posetrack_2017(tmp_path):
    images(tmp_path, 'images/bonn/000342_mpii/00000001.jpg')
    point = {'id': [0], 'x': [101], 'y': [120], 'is_visible': [0]}
    (tmp_path / 'val').mkdir()
    (tmp_path / 'val' / '342.json').write_text(json.dumps({'annolist': [{
        'image': [{'name': 'images/bonn/000342_mpii/00000001.jpg'}],
        'annorect': [{'x1': [62], 'y1': [9], 'x2': [68], 'y2': [17], 'track_id': [7],
                      'annopoints': [{'point': [point, dict(point, id=[14], y=[20])]}]}],
        'ignore_regions': [{'point': [{'x': [1], 'y': [2]}, {'x': [5], 'y': [2]},
                                      {'x': [5], 'y': [8]}]}]}]}))
    data = convert(tmp_path, 'posetrack', tmp_path / 'val', '--images', tmp_path)
    region, person = data['annotations']
    assert region['segmentation'] == [[1, 2, 5, 2, 5, 8]]
    names = data['categories'][0]['keypoints']
    assert keypoints(person)[names.index('right_ankle')].tolist() == [101, 120, 2]
    assert keypoints(person)[names.index('head_top')].tolist() == [101, 20, 2]
    assert person['bbox_head'] == [62, 9, 6, 8] and person['track_id'] == 7
    # 101 px of height, 15 % more on each side.
    np.testing.assert_allclose(person['bbox'], [100.35, 19.5 - 15.15, 1.3, 131.3], atol=.01)
    assert data['images'][0]['sequence'] == '000342_mpii' and data['images'][0]['frame'] == 1


def test_freihand(tmp_path, capsys):
    images(tmp_path / 'training' / 'rgb', *('{:08d}.jpg'.format(n) for n in range(5)),
           size=(224, 224))
    camera = [[400., 0, 112], [0, 400, 110], [0, 0, 1]]
    points = [[.001 * k, -.002 * k, .5] for k in range(21)]
    behind = [[0, 0, -.5]] * 21
    (tmp_path / 'training_xyz.json').write_text(json.dumps([points, behind]))
    (tmp_path / 'training_K.json').write_text(json.dumps([camera, camera]))
    data = convert(tmp_path, 'freihand', tmp_path, '--backgrounds', 2)
    assert [image['file_name'][-12:] for image in data['images']] == [
        '{:08d}.jpg'.format(n) for n in range(4)]
    assert data['categories'][0]['keypoints'][20] == 'little_4'
    assert [annotation['image_id'] for annotation in data['annotations']] == [1, 3]
    # x = 400 * .001 k / .5 + 112
    np.testing.assert_allclose(keypoints(data['annotations'][0])[10], [120, 94, 2], atol=1e-3)
    text = capsys.readouterr().out
    assert '2 hands' in text and 'left out: 2 hands with a point behind the camera' in text
    assert 'left out: 1 images with further backgrounds' in text


def test_300w(tmp_path, capsys):
    images(tmp_path / 'helen', 'x_1.jpg', 'x_2.png')
    text = 'version: 1\nn_points: 68\n{\n%s\n}\n' % '\n'.join(
        '{} {}'.format(10.5 + k, 20 + k) for k in range(68))
    for name in ('x_1', 'x_2', 'gone'):
        (tmp_path / 'helen' / (name + '.pts')).write_text(text)
    data = convert(tmp_path, '300w', tmp_path)
    assert len(data['images']) == len(data['annotations']) == 2
    face = keypoints(data['annotations'][0])
    np.testing.assert_allclose(face[[0, 67]], [(9.5, 19, 2), (76.5, 86, 2)])
    assert (face[68:] == 0).all()
    assert tuple(data['categories'][0]['keypoints']) == get_topology('face_70').keypoint_names
    assert 'left out: 1 .pts files without an image beside them' in capsys.readouterr().out
    sample = read_dataset(str(tmp_path / 'out' / 'labels.json'), get_topology('face_70'))[0]
    assert sample.labelled.sum() == 68


def refused(tmp_path, capsys, *words):
    """Return the error line of a conversion."""
    convert(tmp_path, *words, code=1)
    assert not (tmp_path / 'out' / 'labels.json').exists()
    return capsys.readouterr().err


def test_bad_files_are_explained(tmp_path, release, capsys):
    folder = tmp_path / 'images'
    bad = tmp_path / 'bad.json'
    bad.write_text('[{"image": "a.jpg"}]')
    assert 'is not a list of people' in refused(tmp_path, capsys, 'mpii', bad, '--images', folder)
    assert 'is not a readable MATLAB file: it has no header' in refused(
        tmp_path, capsys, 'mpii', __file__, '--images', folder)
    assert 'no file of PoseTrack 2017 or 2018' in refused(tmp_path, capsys, 'posetrack', bad)
    assert 'has no .json files' in refused(tmp_path, capsys, 'posetrack', folder)
    assert 'cannot read' in refused(tmp_path, capsys, 'freihand', tmp_path)
    assert 'has no .pts files' in refused(tmp_path, capsys, '300w', folder)
    (folder / 'a.pts').write_text('version: 1\nn_points: 2\n{\n1 2\n3 4\n}')
    assert 'it has 2 points' in refused(tmp_path, capsys, '300w', folder)
    empty = write_release(tmp_path / 'gone.mat', [('gone.jpg', [rect(POINTS)], True)])
    assert 'there is nothing to convert: 1 images that are not there' in refused(
        tmp_path, capsys, 'mpii', empty, '--images', folder)


def test_no_input_is_overwritten(tmp_path, release, capsys):
    before = open(release, 'rb').read()
    folder = str(tmp_path / 'images')
    assert main(['convert', 'mpii', release, '--images', folder, '-o', release]) == 2
    assert 'would overwrite the input' in capsys.readouterr().err
    assert main(['convert', 'mpii', release, '--images', folder, '-o',
                 str(tmp_path / 'x.json'), '--check', folder + '/b.jpg']) == 2
    assert open(release, 'rb').read() == before


def test_real_files(tmp_path, shared):
    formats = shared / 'data' / 'formats'
    data = convert(tmp_path, 'posetrack', formats / 'posetrack18' / 'annotations' / 'val')
    assert len(data['images']) == 3
    assert sum(entry['num_keypoints'] > 0 for entry in data['annotations']) == 14
    whole = json.loads((formats / 'posetrack18' / 'annotations' / 'test_posetrack18_val.json')
                       .read_text())
    assert sorted(entry['num_keypoints'] for entry in data['annotations']
                  if not entry['iscrowd']) == sorted(entry['num_keypoints']
                                                     for entry in whole['annotations'])
    data = convert(tmp_path, 'mpii', formats / 'mpii' / 'test_mpii.json', '--images',
                   formats / 'mpii')
    assert len(data['images']) == len(data['annotations']) == 5
