# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Bags that are whole, cut, damaged, without an index; and what is in their topics."""
import json
import os
import sqlite3
import struct

import numpy as np
import pytest

pytest.importorskip('rosbags', reason='rosbags needs Python 3.10 or newer')
pytest.importorskip('mcap')
import bag_files as bags
from pose_ros.core.bags.cameras import find_cameras
from pose_ros.core.bags.definitions import BagTypes
from pose_ros.core.bags.journal import Entry, Journal
from pose_ros.core.bags.reader import Bag, BagError
from pose_ros.core.bags.stored import Stored, Topic
from pose_ros.core.bags.writer import BagWriter, remove_leftover
from pose_ros.core.errors import OutputError
from pose_ros.core.image_size import MAX_PIXELS
from pose_ros.core.people import make_people

TOPIC = '/front/image_raw'
ALL = {TOPIC, '/back/image_raw'}
COUNT = 60


@pytest.fixture(scope='session')
def types():
    return BagTypes()


@pytest.fixture(params=['mcap', 'sqlite3'])
def walk(tmp_path, request):
    """Two cameras with many images, in a folder; the path of its file."""
    return bags.write_bag(tmp_path / 'walk', bags.in_time(
        bags.walk(COUNT), bags.walk(COUNT, '/back/image_raw', 500)), request.param)


def times(path, topics=ALL):
    """Return the times of all messages that can be read, and the damage."""
    with Bag(str(path)) as bag:
        assert {topic.name for topic in bag.topics} == ALL
        return [message.time for message in bag.messages(topics)], bag.damage


def test_whole_bags(walk):
    for path in (walk.parent, walk):
        found, damage = times(path)
        assert damage == [] and len(found) == 2 * COUNT and found == sorted(found)
        assert len(times(path, {TOPIC})[0]) == COUNT
    with Bag(str(walk)) as bag:
        topic, = [topic for topic in bag.topics if topic.name == TOPIC]
        assert topic.messages == COUNT and topic.type == 'sensor_msgs/msg/Image'
        assert topic.definition.startswith('std_msgs/Header header\n')
        first = bag.first(TOPIC)
        assert first.time == bags.START + 1000 and bag.first('/none') is None


def test_a_cut_file_is_read_up_to_the_cut(walk):
    whole, _ = times(walk)
    content = walk.read_bytes()
    walk.write_bytes(content[:len(content) * 2 // 3])
    for path in (walk.parent, walk):
        found, damage = times(path)
        assert found == whole[:len(found)] and 65 <= len(found) <= 80
        assert damage and str(walk) in damage[0]


def test_bytes_in_the_middle_are_lost_alone(walk):
    whole, _ = times(walk)
    content = bytearray(walk.read_bytes())
    place = len(content) // 2 // 4096 * 4096  # where a page names the one with its rest
    if walk.suffix == '.mcap':  # the length of a record
        place = content.index(struct.pack('<QQ', whole[COUNT], whole[COUNT])) - 14
    content[place:place + 8] = b'\xff' * 8
    walk.write_bytes(bytes(content))
    found, damage = times(walk.parent)
    # An MCAP file loses a chunk, about 1 MiB, and SQLite a message.
    assert set(found) <= set(whole) and 2 * COUNT - 18 <= len(found) < 2 * COUNT
    assert damage and found[-1] == whole[-1] and found == sorted(found)


def test_a_broken_index_loses_nothing(walk):
    whole, _ = times(walk)
    if walk.suffix == '.mcap':
        content = bytearray(walk.read_bytes())
        content[-2000:-37] = b'\x77' * 1963
        walk.write_bytes(bytes(content))
    else:
        with sqlite3.connect(str(walk)) as database:
            root, = database.execute("SELECT rootpage FROM sqlite_master WHERE type = 'index'"
                                     ).fetchone()
            size, = database.execute('PRAGMA page_size').fetchone()
        content = bytearray(walk.read_bytes())
        content[(root - 1) * size:root * size] = b'\x77' * size
        walk.write_bytes(bytes(content))
    for path in (walk.parent, walk):
        found, damage = times(path)
        assert found == whole and damage


def test_metadata_missing_or_broken(walk):
    metadata = walk.parent / 'metadata.yaml'
    text = metadata.read_text()
    metadata.unlink()
    with Bag(str(walk.parent)) as bag:
        assert len(list(bag.messages(ALL))) == 2 * COUNT
        assert bag.damage == [] and 'has no metadata.yaml' in bag.notes[0]
    for broken in (text[:len(text) // 2], 'a: [', '', text.replace('version: 8', 'version: 99')):
        metadata.write_text(broken)
        found, damage = times(walk.parent)
        assert len(found) == 2 * COUNT and len(damage) == 1 and str(walk.parent) in damage[0]


@pytest.mark.parametrize('content', [b'', b'x' * 5000])
def test_nothing_to_read(walk, content):
    walk.write_bytes(content)
    for path in (walk.parent, walk):
        with pytest.raises(BagError, match='walk'):
            Bag(str(path))


def test_no_regular_file(tmp_path):
    os.mkfifo(str(tmp_path / 'pipe.mcap'))
    for path in (tmp_path / 'pipe.mcap', tmp_path):
        with pytest.raises(OSError, match='pipe'):
            Bag(str(path))


def test_frames_have_camera_stamp_and_source(tmp_path, types):
    bags.write_bag(tmp_path / 'bag', [
        (TOPIC, 5, bags.raw(np.full((128, 160), 7, np.uint8), bags.START + 250000000, 'mono8')),
        ('/front/camera_info', 6, bags.camera_info(0, focal=120.0)),
        ('/back/image_raw', 7, bags.raw(bags.blue(), 0))])
    with Bag(str(tmp_path / 'bag')) as bag:
        front, back = find_cameras(bag, [TOPIC, '/back/image_raw'], types, MAX_PIXELS)
        assert (front.results, back.results) == ('/pose/front/', '/pose/back/')
        assert front.info_topic == '/front/camera_info'
        message = front.message(bag.first(TOPIC))
        assert front.frame(message, 0).camera is None
        front.calibrate(bag.first(front.info_topic))
        frame = front.frame(message, 3)
        assert frame.camera.fx == 120 and frame.source == TOPIC and frame.index == 3
        assert frame.time_s == 1700000000.25 and frame.image[5, 5].tolist() == [7, 7, 7]
        blank = front.blank(message, 3, 160, 128)
        assert blank._replace(image=0) == frame._replace(image=0) and blank.size == (160, 128)
        assert np.isnan(back.frame(back.message(bag.first('/back/image_raw')), 0).time_s)
        front.calibrate(Stored('/front/camera_info', 8, b'\0\1\0\0'))
        assert front.frame(message, 4).camera is None


def test_hashes_and_definitions(types):
    text, digest = types.described('pose_ros/msg/SkeletonTopology')
    assert digest == 'RIHS01_44116e8f32e04ae23e41dd7893eb670e2781e01ae367cd5a40cca8472609ae10'
    assert 'string[] keypoint_names' in text
    odd = types.completed(Topic('/odd', bags.OTHER, 1, bags.OTHER_TEXT))
    assert odd.digest.startswith('RIHS01_') and odd.definition == bags.OTHER_TEXT
    assert types.completed(Topic('/odd', bags.OTHER, 1, 'no [definition')).digest == ''
    assert types.described('no/msg/Type') == ('', '')
    with pytest.raises(Exception, match='none of|are no'):
        types.decode(b'\0\1\0\0\1', 'sensor_msgs/msg/Image')


def test_leftovers_are_removed_by_name(tmp_path):
    (tmp_path / '.pose_ros_abcd1234' / 'people').mkdir(parents=True)
    (tmp_path / 'other').mkdir()
    (tmp_path / '.pose_ros_link1234').symlink_to(tmp_path / 'other')
    for name in ('other', '..', '.pose_ros_', '.pose_ros_link1234', '.pose_ros_/../other',
                 '.pose_ros_abcd1234', '.pose_ros_abcd1234'):
        remove_leftover(str(tmp_path / 'people.mcap'), name)
    assert sorted(os.listdir(str(tmp_path))) == ['.pose_ros_link1234', 'other']


def test_an_unfinished_bag_leaves_nothing(tmp_path):
    for name in ('bag.mcap', 'bag'):
        with pytest.raises(KeyError):
            with BagWriter(str(tmp_path / name)) as writer:
                writer.write('/none', 1, b'')
    assert os.listdir(str(tmp_path)) == []


def test_a_journal_returns_what_it_was_given(tmp_path):
    path = str(tmp_path / 'journal')
    random = np.random.RandomState(0)
    keypoints = random.rand(2, 5, 3).astype(np.float32)
    keypoints[0, 0] = np.nan, np.nan, 0
    people = make_people(keypoints, random.rand(2), parts={
        'face': random.rand(2, 3, 3).astype(np.float32)})
    entries = [Entry(people, (64, 48)), Entry(error='bad'), Entry(people.select([]), (64, 48))]
    with Journal(path, {'a': 1}) as journal:
        assert journal.take(0) is None
        for number, entry in enumerate(entries):
            journal.add([TOPIC, number], entry)
    with Journal(path, {'a': 1}) as journal:
        assert journal.found == 3
        for number, entry in enumerate(entries):
            found = journal.take((TOPIC, number))
            assert (found.size, found.error) == (entry.size, entry.error)
            for before, after in zip(entry.people or (), found.people or ()):
                np.testing.assert_equal(after, before)
        assert journal.take(0) is None
        journal.note_folder('.pose_ros_abcd1234')
    with Journal(path, {'a': 1}) as journal:
        assert journal.found == 3 and journal.folders == ['.pose_ros_abcd1234']
        journal.add([TOPIC, 3], entries[1])
    with Journal(path, {'a': 1}) as journal:
        assert [journal.take([TOPIC, number]).error for number in range(4)] == [
            '', 'bad', '', 'bad']
    with Journal(path, {'a': 1}) as journal, pytest.raises(OutputError, match='this input'):
        journal.take(['/other', 0])
    with Journal(path, {'a': 1}, restart=True) as journal:
        assert journal.found == 0 and journal.take(0) is None
    with Journal(path, {'a': 2}) as journal:
        assert journal.is_other
    os.symlink(path, path + 'link')
    with pytest.raises(OutputError, match='link'):
        Journal(path + 'link', {'a': 2})
    assert json.loads(open(path).readline().partition(' ')[2])['key'] == {'a': 2}


@pytest.mark.parametrize('storage, mode', [
    ('mcap', 'FILE'), ('mcap', 'MESSAGE'), ('mcap', 'STORAGE'), ('sqlite3', 'FILE'),
    ('sqlite3', 'MESSAGE')])
def test_compressed_bags(tmp_path, storage, mode):
    walk = bags.write_bag(tmp_path / 'walk', bags.in_time(
        bags.walk(), bags.walk(6, '/back/image_raw', 500)), storage, mode)
    found, damage = times(walk.parent)
    assert len(found) == 12 and damage == []


def test_files_of_a_split_bag_follow_each_other(tmp_path):
    for number in (10, 2):  # as the recorder numbers them
        messages = bags.in_time(*(bags.walk(3, topic, number * 10 ** 9) for topic in ALL))
        bags.write_bag(tmp_path / str(number), messages).rename(
            tmp_path / 'walk_{}.mcap'.format(number))
    found, damage = times(tmp_path)
    assert len(found) == 12 and found == sorted(found) and damage == []
