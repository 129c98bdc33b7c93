# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""`pose-ros bag`: what is read, what is written, and what a killed or damaged run leaves."""
import json
import os
from pathlib import Path
import signal
import subprocess
import sys

import cv2
import numpy as np
import pytest

pytest.importorskip('rosbags', reason='rosbags needs Python 3.10 or newer')
pytest.importorskip('mcap')
import bag_files as bags
from pose_ros.core.errors import EngineError
from pose_ros.core.estimator import PoseEstimator

FRONT, BACK = '/front/image_raw', '/back/image_raw'
DIGEST = 'RIHS01_a815738fe3d9bbdc7043f8b6715e705d34df3468c04a424e256b45700032d6f1'


@pytest.fixture
def run(pose_ros, tiny_model):
    """Run `pose-ros bag` with the tiny network."""
    def run(*arguments):
        return pose_ros('bag', '--model', tiny_model, '--backend', 'onnxruntime', *arguments)
    return run


def of_topic(messages, topic):
    return [(time, message) for name, time, message in messages if name == topic]


@pytest.mark.parametrize('storage', ['mcap', 'sqlite3'])
@pytest.mark.parametrize('kind', [bags.raw, bags.compressed])
def test_skeletons_are_those_of_the_estimator(run, tiny_model, tmp_path, storage, kind):
    bags.write_bag(tmp_path / 'walk', bags.walk(kind=kind), storage)
    out = tmp_path / ('people' + bags.ENDINGS[storage])
    answer = run(tmp_path / 'walk', '-o', out)
    assert answer.code == 0, answer.err
    assert '6 frames, 10 people found' in answer.out
    types, messages = bags.read_bag(out)
    assert types == {'/pose/topology': 'pose_ros/msg/SkeletonTopology',
                     '/pose/skeletons': 'pose_ros/msg/SkeletonArray'}
    estimator = PoseEstimator(tiny_model, backend='onnxruntime', tracking=True)
    for number, (time, array) in enumerate(of_topic(messages, '/pose/skeletons')):
        stamp = bags.START + number * bags.STEP
        assert time == stamp + 1000
        assert repr(array.header) == repr(bags.header(stamp))
        assert (array.image_width, array.image_height) == (160, 128)
        frame = estimator_frame(bags.blue(255 if number < 5 else 0), stamp)
        people = estimator(frame)
        assert len(array.skeletons) == people.count
        for person, skeleton in enumerate(array.skeletons):
            assert skeleton.track_id == people.track_ids[person]
            assert skeleton.confidence == people.scores[person]
            assert skeleton.left_hand == []
            np.testing.assert_array_equal(
                [(point.x, point.y, point.confidence) for point in skeleton.keypoints],
                people.keypoints[person])
            assert np.isnan(skeleton.keypoints[0].position.x)
    topology, = of_topic(messages, '/pose/topology')
    assert topology[1].name == 'coco_18' and topology[0] == bags.START + 1000
    assert not [name for name in os.listdir(str(tmp_path)) if 'journal' in name or '.pose' in name]


def estimator_frame(image, stamp):
    from pose_ros.core.frame import Frame
    return Frame(image, stamp // 10 ** 9 + stamp % 10 ** 9 * 1e-9, FRONT)


def test_two_cameras_have_topics_and_ids_of_their_own(run, tmp_path):
    bags.write_bag(tmp_path / 'walk', bags.in_time(
        bags.walk(), bags.walk(4, BACK, 500), bags.walk(6, FRONT + '/compressed', 7,
                                                        bags.compressed)))
    answer = run(tmp_path / 'walk', '-o', tmp_path / 'people', '--json', tmp_path / 'p.json')
    assert answer.code == 0, answer.err
    types, messages = bags.read_bag(tmp_path / 'people')
    assert set(types) == {'/pose/topology', '/pose/front/skeletons', '/pose/back/skeletons'}
    for name, count in (('front', 6), ('back', 4)):
        arrays = of_topic(messages, '/pose/{}/skeletons'.format(name))
        assert len(arrays) == count
        assert [skeleton.track_id for skeleton in arrays[count - 2][1].skeletons] == [1, 2]
    times = [time for _, time, _ in messages]
    assert times == sorted(times)
    frames = json.loads((tmp_path / 'p.json').read_text())['frames']
    assert [frame['index'] for frame in frames] == list(range(10))
    assert [frame['source'] for frame in frames[:2]] == [FRONT, BACK]
    assert frames[1]['name'] == 'back_image_raw_000001'
    assert frames[2]['time_s'] == 1700000000.1


def test_one_topic_of_several(run, tmp_path):
    bags.write_bag(tmp_path / 'walk', bags.in_time(bags.walk(), bags.walk(4, BACK, 500)))
    answer = run(tmp_path / 'walk', '-o', tmp_path / 'back.db3', '--topic', BACK,
                 '--max-frames', 2)
    assert answer.code == 0, answer.err
    types, messages = bags.read_bag(tmp_path / 'back.db3')
    assert set(types) == {'/pose/topology', '/pose/skeletons'}
    assert len(of_topic(messages, '/pose/skeletons')) == 2


def test_keeps_topics_bit_for_bit_also_of_unknown_types(run, tmp_path):
    source = bags.in_time(bags.walk(), [('/odd', bags.START + 5, bags.odd(0))],
                          [('/front/camera_info', bags.START, bags.camera_info(bags.START))])
    bags.write_bag(tmp_path / 'walk', source)
    answer = run(tmp_path / 'walk', '-o', tmp_path / 'all', '--keep', 'all', '--overlay')
    assert answer.code == 0, answer.err
    types, messages = bags.read_bag(tmp_path / 'all')
    assert types['/odd'] == bags.OTHER and types[FRONT] == bags.KINDS['Image']
    assert of_topic(messages, '/odd')[0][1].value == 1.5
    np.testing.assert_array_equal(of_topic(messages, FRONT)[0][1].data, bags.blue().reshape(-1))
    drawn = of_topic(messages, '/pose/overlay/compressed')
    assert len(drawn) == 6
    image = cv2.imdecode(drawn[0][1].data, cv2.IMREAD_COLOR)
    assert image.shape == (128, 160, 3)
    assert np.abs(image.astype(int) - bags.blue()).max() > 100  # limbs
    answer = run(tmp_path / 'walk', '-o', tmp_path / 'some', '--keep', '/odd')
    assert set(bags.read_bag(tmp_path / 'some')[0]) == {'/odd', '/pose/topology',
                                                        '/pose/skeletons'}


def test_depth_and_unused_topics_are_no_cameras(run, tmp_path):
    depth = np.full((128, 160), 900, np.uint16)
    bags.write_bag(tmp_path / 'walk', bags.in_time(
        bags.walk(), [('/depth/image_raw', bags.START, bags.raw(depth, 0, '16UC1'))],
        [('/d/image/compressedDepth', bags.START, bags.compressed(
            depth, 0, form='16UC1; compressedDepth png'))]))
    answer = run(tmp_path / 'walk', '-o', tmp_path / 'people')
    assert answer.code == 0, answer.err
    assert set(bags.read_bag(tmp_path / 'people')[0]) == {'/pose/topology', '/pose/skeletons'}


def test_a_bag_without_images_lists_its_topics(run, tmp_path):
    bags.write_bag(tmp_path / 'bag', [('/odd', 1, bags.odd(0))])
    answer = run(tmp_path / 'bag', '-o', tmp_path / 'people')
    assert answer.code == 1
    assert 'no topic with color images; its topics: /odd (my_msgs/msg/Odd)' in answer.err
    bags.write_bag(tmp_path / 'walk', bags.walk(1))
    for options in (('--topic', '/rear'), ('--keep', '/rear')):
        answer = run(tmp_path / 'walk', '-o', tmp_path / 'people', *options)
        assert answer.code == 1 and '/rear' in answer.err and FRONT in answer.err
    assert not (tmp_path / 'people').exists()


def test_bad_images_are_reported_and_the_others_processed(run, tmp_path):
    messages = bags.walk()
    messages[1] = messages[1][:2] + (bags.raw(bags.blue(), 0, data=np.zeros(3, np.uint8)),)
    messages[2] = messages[2][:2] + (bags.raw(bags.blue(), 0, encoding='odd9'),)
    bags.write_bag(tmp_path / 'walk', messages)
    answer = run(tmp_path / 'walk', '-o', tmp_path / 'people')
    assert answer.code == 1
    assert '4 frames, 6 people found, 2 failed' in answer.out
    assert FRONT + ": the 160 x 128 'bgr8' image has 3 bytes of data" in answer.err
    assert len(of_topic(bags.read_bag(tmp_path / 'people')[1], '/pose/skeletons')) == 4


def test_outputs_are_checked(run, tmp_path):
    path = bags.write_bag(tmp_path / 'walk', bags.walk(1))
    (tmp_path / 'there').mkdir()
    for out, code, text in ((path, 2, 'would overwrite the input'), ('/no/such.mcap', 1, 'folder'),
                            (tmp_path / 'there', 1, 'already a'),):
        answer = run(tmp_path / 'walk', '-o', out)
        assert answer.code == code and text in answer.err, answer.err
    answer = run(tmp_path / 'walk', '-o', tmp_path / 'a.mcap', '--storage', 'sqlite3')
    assert answer.code == 2 and 'its ending is that of mcap' in answer.err
    assert path.read_bytes()[:5] == b'\x89MCAP'
    assert sorted(os.listdir(str(tmp_path))) == ['there', 'walk']


@pytest.mark.parametrize('content', [None, b'', b'text', b'\x89MCAP0\r\n'])
def test_no_bag(run, tmp_path, content):
    path = tmp_path / 'bag.mcap'
    if content is not None:
        path.write_bytes(content)
    answer = run(path, '-o', tmp_path / 'people')
    assert answer.code == 1 and str(path) in answer.err
    assert not (tmp_path / 'people').exists()
    answer = run(tmp_path, '-o', tmp_path / 'people')
    assert answer.code == 1


def test_without_the_library_the_error_names_the_pip_command(run, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, 'rosbags.rosbag2', None)
    answer = run(tmp_path / 'walk', '-o', tmp_path / 'people')
    assert answer.code == 1
    assert "pip install 'rosbags>=0.11' mcap" in answer.err


KILLED = '''
import os, signal, sys
from pose_ros.cli.main import main
from pose_ros.core.estimator import PoseEstimator
find = PoseEstimator.find
def killed(self, frames, people=None):
    if frames[0].index == 7:
        os.kill(os.getpid(), signal.SIGKILL)
    return find(self, frames, people)
PoseEstimator.find = killed
main(sys.argv[1:])
'''


def test_a_killed_run_continues_to_equal_results(run, tmp_path, tiny_model):
    bags.write_bag(tmp_path / 'walk', bags.in_time(bags.walk(), bags.walk(6, BACK, 500)))
    whole, out = tmp_path / 'whole' / 'people.mcap', tmp_path / 'people.mcap'
    whole.parent.mkdir()
    options = '--smoothing', 'one_euro', '--overlay'
    assert run(tmp_path / 'walk', '-o', whole, *options).code == 0
    done = subprocess.run(
        [sys.executable, '-c', KILLED, 'bag', str(tmp_path / 'walk'), '-o', str(out), '--model',
         tiny_model, '--backend', 'onnxruntime'] + list(options),
        env=dict(os.environ, PYTHONPATH=str(Path(__file__).parents[2])))
    assert done.returncode == -signal.SIGKILL and not out.exists()
    journal = Path(str(out) + '.journal')
    text = journal.read_bytes()
    assert text.count(b'\n') == 2 + 7  # the header, the temporary folder, and seven frames
    journal.write_bytes(text[:-30])  # the power failed, too
    answer = run(tmp_path / 'walk', '-o', out, *options)
    assert answer.code == 0 and 'continues after 6 frames' in answer.err
    assert out.read_bytes() == whole.read_bytes()
    assert sorted(os.listdir(str(tmp_path))) == ['people.mcap', 'walk', 'whole']


def test_a_signal_leaves_the_journal_alone(run, tmp_path, monkeypatch):
    bags.write_bag(tmp_path / 'walk', bags.walk())
    find = PoseEstimator.find

    def interrupted(self, frames, people=None):
        if frames[0].index == 3:
            os.kill(os.getpid(), signal.SIGTERM)
        return find(self, frames, people)
    out = tmp_path / 'people'
    with monkeypatch.context() as patch:
        patch.setattr(PoseEstimator, 'find', interrupted)
        answer = run(tmp_path / 'walk', '-o', out, '--csv', tmp_path / 'p.csv')
    assert answer.code == 130 and 'the same command continues' in answer.err
    assert sorted(os.listdir(str(tmp_path))) == ['people.journal', 'walk']
    answer = run(tmp_path / 'walk', '-o', out, '--csv', tmp_path / 'p.csv')
    assert answer.code == 0 and 'continues after 4 frames' in answer.err
    assert len(of_topic(bags.read_bag(out)[1], '/pose/skeletons')) == 6
    assert (tmp_path / 'p.csv').read_text().count('\n') == 1 + 10 * 18


def test_a_network_that_fails_ends_the_run_and_leaves_the_journal(run, tmp_path, monkeypatch):
    bags.write_bag(tmp_path / 'walk', bags.walk())
    find = PoseEstimator.find

    def failing(self, frames, people=None):
        if frames[0].index == 3:
            raise EngineError('the GPU is lost')
        return find(self, frames, people)
    with monkeypatch.context() as patch:
        patch.setattr(PoseEstimator, 'find', failing)
        answer = run(tmp_path / 'walk', '-o', tmp_path / 'people')
    assert answer.code == 1 and 'the GPU is lost' in answer.err
    assert sorted(os.listdir(str(tmp_path))) == ['people.journal', 'walk']
    answer = run(tmp_path / 'walk', '-o', tmp_path / 'people')
    assert answer.code == 0 and 'continues after 3 frames' in answer.err


def test_a_journal_of_other_options_is_not_used(run, tmp_path, monkeypatch):
    bags.write_bag(tmp_path / 'walk', bags.walk())
    out = tmp_path / 'people.mcap'
    journal = Path(str(out) + '.journal')
    journal.write_text('dear diary\n')
    answer = run(tmp_path / 'walk', '-o', out)
    assert answer.code == 1 and 'is no journal' in answer.err
    assert journal.read_text() == 'dear diary\n'
    journal.unlink()
    with monkeypatch.context() as patch:
        patch.setattr(PoseEstimator, 'follow', lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        assert run(tmp_path / 'walk', '-o', out).code == 130
    answer = run(tmp_path / 'walk', '-o', out, '--set', 'min_score=0.9')
    assert answer.code == 0 and 'begins anew' in answer.err


@pytest.mark.parametrize('storage', ['mcap', 'sqlite3'])
def test_a_cut_bag_has_its_own_exit_code(run, tmp_path, storage):
    path = bags.write_bag(tmp_path / 'walk', bags.walk(40), storage)
    content = path.read_bytes()
    path.write_bytes(content[:len(content) // 2])
    answer = run(tmp_path / 'walk', '-o', tmp_path / 'people')
    assert answer.code == 3
    assert 'the bag is damaged: ' + str(path) in answer.err
    arrays = of_topic(bags.read_bag(tmp_path / 'people')[1], '/pose/skeletons')
    assert 10 <= len(arrays) <= 20
    assert all(len(array.skeletons) == 2 for _, array in arrays)
