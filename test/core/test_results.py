# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Result files: whole or absent, valid JSON always, and coordinates as each form promises."""
import csv
import json

import numpy as np
from pose_ros.core.errors import PoseRosError
from pose_ros.core.people import make_people, no_people
from pose_ros.core.results import image_id_of, open_results
from pose_ros.core.frame import Frame
from pose_ros.core.topology import get_topology
import pytest

COCO_17, COCO_18 = get_topology('coco_17'), get_topology('coco_18')


def frame(index=0, name='photo.jpg', time_s=None, width=32, height=24):
    """Build a black frame."""
    return Frame(np.zeros((height, width, 3), np.uint8), time_s, index=index, name=name)


def people(topology, count=1, track_ids=None):
    """Build people with all keypoints, at different places."""
    keypoints = np.zeros((count, topology.size, 3), np.float32)
    keypoints[..., 0] = np.arange(topology.size) + 100 * np.arange(count)[:, None]
    keypoints[..., 1] = 2 * np.arange(topology.size) + 1000
    keypoints[..., 2] = 0.5
    return make_people(keypoints, np.linspace(0.75, 0.25, count), track_ids)


def written(path, form, topology, *items):
    """Write (frame, people) items and read the file back, strictly."""
    def refuse(constant):
        raise AssertionError('{} is no JSON'.format(constant))
    with open_results(str(path), form, topology, 'a model') as results:
        for item in items:
            results.add(*item)
    return json.loads(path.read_text(), parse_constant=refuse)


def test_frames_results_are_complete(tmp_path):
    """One record per frame, with the format of the skeletons stated once."""
    data = written(tmp_path / 'r.json', 'json', COCO_18,
                   (frame(3, 'clip_000003', 0.1), people(COCO_18, 2, [5, -1])),
                   (frame(4, 'clip_000004', 0.2), no_people(COCO_18)))
    assert data['model'] == 'a model'
    assert data['topology'] == {'name': 'coco_18', 'keypoint_names': list(COCO_18.keypoint_names),
                                'limbs': [list(limb) for limb in COCO_18.limbs]}
    first, second = data['frames']
    assert {key: first[key] for key in first if key != 'people'} == {
        'index': 3, 'name': 'clip_000003', 'time_s': 0.1, 'width': 32, 'height': 24}
    assert second['index'] == 4 and second['people'] == []
    one, other = first['people']
    assert one['track_id'] == 5 and other['track_id'] == -1
    assert one['score'] == 0.75 and other['score'] == 0.25
    assert one['bbox'] == [0, 1000, 17, 34] and other['bbox'] == [100, 1000, 17, 34]
    assert one['keypoints'][3] == [3, 1006, 0.5] and len(one['keypoints']) == 18


def test_unknown_values_are_null(tmp_path):
    """A missing keypoint, the box of nobody's keypoints, the time of an image."""
    keypoints = np.full((1, 18, 3), np.nan, np.float32)
    keypoints[..., 2] = 0
    record = written(tmp_path / 'r.json', 'json', COCO_18,
                     (frame(), make_people(keypoints, [0.5])))['frames'][0]
    assert record['time_s'] is None
    assert record['people'][0]['bbox'] is None and record['people'][0]['keypoints'] == [None] * 18


@pytest.mark.parametrize('form', ['json', 'coco'])
def test_nan_never_reaches_the_file(tmp_path, form):
    """Not even from people that were not made by make_people."""
    keypoints = people(COCO_17).keypoints
    keypoints[0, 4] = np.nan, 7, 0.5
    broken = people(COCO_17)._replace(keypoints=keypoints, scores=np.array([np.nan], np.float32))
    data = written(tmp_path / 'r.json', form, COCO_17, (frame(), broken))
    if form == 'coco':
        assert data[0]['keypoints'][12:15] == [0, 0, 0] and data[0]['score'] is None
    else:
        person = data['frames'][0]['people'][0]
        assert person['keypoints'][4] is None and person['score'] is None


def test_coco_has_17_keypoints_with_unchanged_coordinates(tmp_path):
    """COCO's order of keypoints, coordinates as they are."""
    person = people(COCO_18)
    person.keypoints[0, COCO_18.index('left_ear')] = np.nan, np.nan, 0
    data = written(tmp_path / 'r.json', 'coco', COCO_18, (frame(name='000000000192.jpg'), person))
    assert len(data) == 1 and set(data[0]) == {'image_id', 'category_id', 'keypoints', 'score'}
    assert data[0]['image_id'] == 192 and data[0]['category_id'] == 1 and data[0]['score'] == 0.75
    keypoints = np.reshape(data[0]['keypoints'], (17, 3))
    for keypoint, name in enumerate(COCO_17.keypoint_names):
        source = COCO_18.index(name)
        expected = [0, 0, 0] if name == 'left_ear' else [source, 2 * source + 1000, 0.5]
        assert keypoints[keypoint].tolist() == expected


def test_coco_leaves_out_people_without_a_coco_keypoint(tmp_path):
    """A lone neck would be a person at 0, 0."""
    keypoints = np.zeros((2, 18, 3), np.float32)
    keypoints[0, COCO_18.index('neck')] = 5, 5, 0.5
    keypoints[1, COCO_18.index('nose')] = 6, 6, 0.5
    data = written(tmp_path / 'r.json', 'coco', COCO_18,
                   (frame(), make_people(keypoints, [0.9, 0.8])))
    assert [record['score'] for record in data] == [0.8]


def test_a_file_without_people_is_valid(tmp_path):
    """Neither frames nor people: still JSON."""
    assert written(tmp_path / 'a.json', 'coco', COCO_17) == []
    assert written(tmp_path / 'b.json', 'json', COCO_17)['frames'] == []


@pytest.mark.parametrize('name, image_id', [
    ('000000000192.jpg', 192), ('COCO_val2014_000000000192.jpg', 192), ('p1.png', 1),
    ('walk.avi_000012', 12), ('my.clip_000007', 7), ('v2.clip_000007', 7), ('portrait.jpg', 40),
    ('21_huge_4000px.jpg', 4000), ('folder9/portrait.jpg', 40)])
def test_image_id_is_the_last_number_in_the_name(name, image_id):
    """COCO's file names end in it; without a number the place counts."""
    assert image_id_of(name, 40) == image_id


def test_two_images_with_one_id_are_refused(tmp_path):
    """Their people would be mixed without a word; the first image's stay."""
    path = tmp_path / 'r.json'
    with open_results(str(path), 'coco', COCO_17, 'm') as results:
        results.add(frame(0, 'a_7.jpg'), people(COCO_17))
        with pytest.raises(PoseRosError, match='b_07.jpg.*image_id 7'):
            results.add(frame(1, 'b_07.jpg'), people(COCO_17))
    assert len(json.loads(path.read_text())) == 1


def test_the_file_appears_only_when_it_is_complete(tmp_path):
    """Readers never get half a file, and an error keeps the earlier file."""
    path = tmp_path / 'r.json'
    path.write_text('earlier')
    with pytest.raises(RuntimeError):
        with open_results(str(path), 'json', COCO_17, 'm') as results:
            results.add(frame(), people(COCO_17))
            assert path.read_text() == 'earlier'
            raise RuntimeError('stop')
    assert path.read_text() == 'earlier'
    assert [entry.name for entry in tmp_path.iterdir()] == ['r.json']


def test_a_link_stays_a_link(tmp_path):
    """The file behind it is replaced, not the link."""
    (tmp_path / 'real').mkdir()
    link = tmp_path / 'link.json'
    link.symlink_to(tmp_path / 'real' / 'r.json')
    assert written(link, 'coco', COCO_17) == []
    assert link.is_symlink() and (tmp_path / 'real' / 'r.json').is_file()


@pytest.mark.parametrize('place, reason', [
    ('absent/r.json', 'there is no folder'), ('', 'not a file')])
def test_an_unwritable_path_is_named(tmp_path, place, reason):
    """Before the first frame, and without a file left behind."""
    with pytest.raises(PoseRosError, match='cannot write .*' + reason):
        open_results(str(tmp_path / place), 'json', COCO_17, 'm')
    assert list(tmp_path.iterdir()) == []


def test_unknown_form(tmp_path):
    """The message lists the known ones."""
    with pytest.raises(PoseRosError, match="'xml'.*json, csv, coco"):
        open_results(str(tmp_path / 'r'), 'xml', COCO_17, 'm')


def test_csv_has_one_row_per_keypoint_that_was_found(tmp_path):
    """Names are quoted where they have to be; what is unknown is empty."""
    found = people(COCO_17, 2, [5, -1])
    found.keypoints[0, 1:] = np.nan, np.nan, 0
    found.positions[0, 0] = 0.5, -0.25, 2
    found.parts['left_hand'] = np.zeros((2, 21, 3), np.float32)
    found.parts['left_hand'][1, 4] = 7, 8, 0.5
    with open_results(str(tmp_path / 'r.csv'), 'csv', COCO_17, 'm') as results:
        results.add(frame(3, 'a,"b".png', 0.1), found)
        results.add(frame(4, 'c.png')._replace(source='/front'), no_people(COCO_17))
        results.add(frame(5, 'd.png')._replace(source='/front'), found.select([0]))
    with open(str(tmp_path / 'r.csv'), newline='') as stream:
        rows = list(csv.DictReader(stream))
    assert len(rows) == 1 + 17 + 1 + 1
    assert dict(rows[0]) == {
        'index': '3', 'name': 'a,"b".png', 'source': '', 'time_s': '0.1', 'person': '0',
        'track_id': '5', 'person_score': '0.75', 'part': 'body', 'keypoint': 'nose', 'x': '0.0',
        'y': '1000.0', 'score': '0.5', 'x_m': '0.5', 'y_m': '-0.25', 'z_m': '2.0'}
    assert [rows[2][key] for key in ('person', 'track_id', 'keypoint', 'x', 'z_m')] == [
        '1', '-1', 'left_eye', '101.0', '']
    assert [rows[18][key] for key in ('part', 'keypoint', 'x', 'y', 'z_m')] == [
        'left_hand', 'thumb_4', '7.0', '8.0', '']
    assert [rows[19][key] for key in ('index', 'source', 'time_s')] == ['5', '/front', '']


def test_positions_are_written_for_frames_with_depth(tmp_path):
    """Null where unknown."""
    found = people(COCO_17)
    found.positions[0, 0] = 0.5, -0.25, 2
    deep = frame()._replace(depth=np.ones((24, 32), np.float32), source='/front')
    first, second = written(tmp_path / 'r.json', 'json', COCO_17, (frame(), found),
                            (deep, found))['frames']
    assert 'positions' not in first['people'][0] and 'source' not in first
    assert second['people'][0]['positions'] == [[0.5, -0.25, 2]] + [None] * 16
    assert second['source'] == '/front'
