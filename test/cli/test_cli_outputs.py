# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Outputs of `pose-ros`: never an input, whole or absent, on stdout if so wished."""
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import cv2
from disk import full_disk, tiny_disk
import numpy as np
import pytest
from vfr import TIMES, write_vfr

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def files(tmp_path, tiny_model, images, video, monkeypatch):
    """Inputs of every kind, and other names of them, in the current folder."""
    monkeypatch.chdir(tmp_path)
    shutil.copy(tiny_model, 'net.onnx')
    Path('net.onnx.json').write_text('{}')
    Path('card.json').write_text('{}')
    Path('labels.json').write_text('{"images": []}')
    for name in ('images/a.png', video):
        os.link(name, 'hard_' + os.path.basename(name))
        os.symlink(name, 'soft_' + os.path.basename(name))
    return tmp_path


MODEL = ['--model', 'net.onnx', '--quiet']
COCO = ['--annotations', 'labels.json']
IMAGE, VIDEO = ['image', 'images/a.png'] + MODEL, ['video', 'clip.avi'] + MODEL
FOLDER, BENCH = ['image', 'images'] + MODEL, ['bench', 'images/a.png', '--repeat', '1'] + MODEL


@pytest.mark.parametrize('words', [
    IMAGE + ['--json', 'images/a.png'], IMAGE + ['--json', 'hard_a.png'],
    IMAGE + ['--json', 'soft_a.png'], IMAGE + ['--json', 'net.onnx'],
    IMAGE + ['--json', 'net.onnx.json'], IMAGE + ['--json', 'card.json', '--card', 'card.json'],
    IMAGE + ['--coco', 'labels.json'] + COCO, IMAGE + ['--output', 'soft_a.png'],
    IMAGE + ['--output', 'hard_a.png'], FOLDER + ['--json', 'images/a.png'],
    FOLDER + ['--json', 'hard_a.png'], FOLDER + ['--output', 'images/'],
    VIDEO + ['--json', 'clip.avi'], VIDEO + ['--json', 'hard_clip.avi'],
    VIDEO + ['--output', 'soft_clip.avi'], VIDEO + ['--output', 'hard_clip.avi'],
    ['video', 'images'] + MODEL + ['--json', 'images/b.png'],
    BENCH + ['--json', 'images/a.png'], BENCH + ['--json', 'net.onnx'],
    ['bench', 'clip.avi'] + MODEL + ['--json', 'clip.avi'],
    ['build-engine', 'net.onnx', '-o', 'net.engine', '--card', 'net.engine.json']],
    ids=lambda words: ' '.join(words))
def test_no_output_is_an_input(pose_ros, files, words):
    Path('net.engine.json').write_text('{}')
    before = {str(path): path.read_bytes() for path in files.rglob('*') if path.is_file()}
    answer = pose_ros(*words)
    assert answer.code == 2 and 'would overwrite the input' in answer.err
    assert before == {str(path): path.read_bytes() for path in files.rglob('*') if path.is_file()}


@pytest.mark.parametrize('words', [
    IMAGE + ['--json', 'out.png', '--output', './out.png'],
    VIDEO + ['--json', 'out.avi', '--output', 'out.avi'],
    VIDEO + ['--json', 'images/../out.avi', '--output', 'out.avi'],
    VIDEO + ['--json', '-', '--csv', '-'], VIDEO + ['--json', 'out.a', '--coco', 'out.a']],
    ids=lambda words: ' '.join(words))
def test_two_outputs_are_two_files(pose_ros, files, words):
    answer = pose_ros(*words)
    assert answer.code == 2 and 'is also the file of --json' in answer.err
    assert not list(files.glob('out.*'))


def test_a_link_in_the_output_folder_is_not_followed(pose_ros, files):
    """It leads to the input, which keeps its pixels."""
    before = Path('images/a.png').read_bytes()
    os.mkdir('drawn')
    os.symlink('../images/a.png', 'drawn/a.png')
    os.link('images/b.png', 'drawn/b.png')
    assert pose_ros(*FOLDER + ['--output', 'drawn']).code == 0
    assert Path('images/a.png').read_bytes() == before
    assert cv2.imread('drawn/a.png').shape == (128, 160, 3) and not os.path.islink('drawn/a.png')
    assert cv2.imread('images/b.png').max() == 0


def shell(command, tiny_model, folder):
    """Run a shell command with MODEL and POSE replaced, in a folder."""
    words = command.replace('POSE', '"{}" -m pose_ros.cli'.format(sys.executable))
    return subprocess.run(
        ['bash', '-c', words.replace('MODEL', '--model "{}"'.format(tiny_model))],
        cwd=str(folder), stdout=subprocess.PIPE, stderr=subprocess.PIPE, universal_newlines=True,
        env=dict(os.environ, PYTHONPATH=str(ROOT)), timeout=120)


@pytest.mark.parametrize('target', ['-', '/dev/stdout', 'out.json'])
def test_results_on_stdout_are_json_alone(tiny_model, images, tmp_path, target):
    """Also where the name is that of the file to which stdout goes; the summary is on stderr."""
    done = shell('POSE image images MODEL --json {} > out.json'.format(target), tiny_model,
                 tmp_path)
    assert done.returncode == 0, done.stderr
    found = json.loads((tmp_path / 'out.json').read_text())
    assert [len(frame['people']) for frame in found['frames']] == [2, 0]
    assert '2 frames, 2 people found' in done.stderr and not (tmp_path / '-').exists()


def test_figures_on_stdout_are_json_alone(pose_ros, tiny_model):
    answer = pose_ros('bench', '--model', tiny_model, '--repeat', 2, '--json', '-')
    assert json.loads(answer.out)['frames'] == 2 and 'end_to_end' in answer.err


@pytest.mark.parametrize('words, name', [
    ('--json log 2> log', 'stderr'), ('--output log.png > log.png 2>&1', 'stdout|stderr')])
def test_the_file_of_a_stream_is_no_drawing(tiny_model, images, tmp_path, words, name):
    done = shell('POSE image images/a.png MODEL ' + words, tiny_model, tmp_path)
    text, = [path.read_text() for path in tmp_path.iterdir() if path.name.startswith('log')]
    assert done.returncode == 2 and re.search('is also the file of ' + name, text)


@pytest.mark.parametrize('command', ['image images MODEL', 'image images MODEL --json -',
                                     'info MODELNAME', 'bench MODEL --repeat 1 --json -'])
def test_a_full_stdout_is_an_error(tiny_model, images, tmp_path, command):
    command = command.replace('MODELNAME', '"{}"'.format(tiny_model))
    done = shell('POSE {} > /dev/full'.format(command), tiny_model, tmp_path)
    assert done.returncode == 1 and 'No space left on device' in done.stderr
    assert 'Traceback' not in done.stderr and 'Exception ignored' not in done.stderr


@pytest.mark.parametrize('name', ['drawn.avi', 'drawn.mp4'])
def test_a_video_on_a_full_disk_is_reported_and_deleted(pose_ros, files, name):
    with full_disk(1500):
        answer = pose_ros(*VIDEO + ['--output', name])
    assert answer.code == 1 and 'cannot write {}'.format(name) in answer.err
    assert not list(files.glob('drawn*')) and not list(files.glob('.pose_ros_*'))


@pytest.mark.parametrize('words, missing', [
    (IMAGE + ['--output', 'drawn.png'], 'drawn.png'), (FOLDER + ['--output', 'drawn/'], 'a.png'),
    (FOLDER + ['--json', 'r.json'], 'r.json'), (VIDEO + ['--json', 'r.json'], 'r.json'),
    (BENCH + ['--json', 'r.json'], 'r.json')], ids=str)
def test_a_full_disk_is_reported_and_leaves_no_part(pose_ros, files, words, missing):
    with full_disk(300):
        answer = pose_ros(*words)
    assert answer.code == 1 and missing in answer.err and 'File too large' in answer.err
    assert answer.err.count('pose-ros: error') == 1
    left = [str(path.relative_to(files)) for path in files.rglob('*') if path.is_file()]
    assert not [name for name in left if '.pose_ros' in name or name.startswith(('drawn', 'r.'))]


@pytest.mark.parametrize('name', ['drawn.avi', 'drawn.mp4', 'drawn.png', 'drawn/', 'r.json'])
def test_a_file_system_without_space(pose_ros, files, name):
    """The results on another disk are whole."""
    os.mkdir('tiny')
    video = name in ('drawn.avi', 'drawn.mp4')
    with tiny_disk(files / 'tiny') as disk:
        (disk / 'filler').write_bytes(bytes(65536 - 8192 * video))
        words = IMAGE if name in ('drawn.png', 'drawn/') else VIDEO
        option = '--json' if name == 'r.json' else '--output'
        answer = pose_ros(*words + [option, 'tiny/' + name])
        left = [path.name for path in disk.rglob('*') if path.is_file()]
        again = pose_ros(*words + ['--output', 'tiny/' + name, '--json', 'r.json']) \
            if video else None
    assert answer.code == 1 and left == ['filler'] and answer.err.count('pose-ros: error') == 1
    assert re.search('cannot write tiny/.*(No space left|the disk is full)', answer.err)
    if again:
        assert again.code == 1 and json.loads(Path('r.json').read_text())['frames']


def test_results_are_kept_if_the_drawing_fails(pose_ros, files, monkeypatch):
    """A writer that fails at the third frame ends the run; what was found is whole JSON."""
    from pose_ros.core.errors import OutputError
    from pose_ros.core.video import VideoRecorder
    plain = VideoRecorder.write

    def write(self, image, time_s=None):
        if self.frames == 2:
            self.discard()
            raise OutputError('cannot write drawn.avi: the disk is full')
        plain(self, image, time_s)
    monkeypatch.setattr(VideoRecorder, 'write', write)
    answer = pose_ros(*VIDEO + ['--output', 'drawn.avi', '--json', 'r.json'])
    assert answer.code == 1 and answer.err.count('the disk is full') == 1
    assert len(json.loads(Path('r.json').read_text())['frames']) == 3
    assert not os.path.exists('drawn.avi')


def test_times_of_a_variable_rate_are_in_json_and_in_the_drawn_video(pose_ros, tiny_model,
                                                                     tmp_path):
    path = write_vfr(tmp_path / 'uneven.mp4')
    answer = pose_ros('video', path, '--model', tiny_model, '--json', tmp_path / 'r.json',
                      '--output', tmp_path / 'drawn.avi', '--set', 'min_score=1')
    frames = json.loads((tmp_path / 'r.json').read_text())['frames']
    assert answer.code == 0
    assert [frame['time_s'] for frame in frames] == pytest.approx(TIMES, abs=2e-4)
    capture = cv2.VideoCapture(str(tmp_path / 'drawn.avi'))
    rate, shown = capture.get(cv2.CAP_PROP_FPS), []
    while True:
        done, image = capture.read()
        if not done:
            break
        shown.append(int(round((image.mean() - 7) / 10)))  # the index of the source
    assert rate == pytest.approx(30, abs=.1) and len(shown) == 65
    first = [shown.index(index) / rate for index in range(20)]
    assert first == pytest.approx(TIMES, abs=.6 / rate)


def test_frames_of_a_folder_are_in_natural_order(pose_ros, tiny_model, tmp_path):
    for number in range(1, 13):
        cv2.imwrite(str(tmp_path / 'frame_{}.png'.format(number)),
                    np.zeros((128, 160, 3), np.uint8))
    target = tmp_path / 'r.json'
    for command in ('image', 'video'):
        assert pose_ros(command, tmp_path, '--model', tiny_model, '--json', target).code == 0
        names = [frame['name'] for frame in json.loads(target.read_text())['frames']]
        assert names == ['frame_{}.png'.format(number) for number in range(1, 13)]


def write_labels(path, images, categories=()):
    path.write_text('\ufeff' + json.dumps({'images': images, 'categories': list(categories)}),
                    encoding='utf-8')
    return str(path)


def test_coco_ids_come_from_an_annotation_file(pose_ros, tiny_model, images, tmp_path):
    """Whatever the names say; people have the category of the file."""
    (images / 'a.png').rename(images / '7.png')
    labels = write_labels(tmp_path / 'labels.json', [
        {'id': 501, 'file_name': 'train\\7.png'}, {'id': 'b', 'file_name': 'b.jpg'}],
        [{'id': 3, 'name': 'dog', 'keypoints': ['nose']}, {'id': 4, 'name': 'person'}])
    answer = pose_ros('image', images, '--model', tiny_model, '--coco', '-',
                      '--annotations', labels)
    assert answer.code == 0, answer.err
    assert [(one['image_id'], one['category_id']) for one in json.loads(answer.out)] == [
        (501, 4), (501, 4)]


@pytest.mark.parametrize('listed, words', [
    ([{'id': 1, 'file_name': 'c.png'}], 'lists no image of this name'),
    ([{'id': 1, 'file_name': 'x/a.png'}, {'id': 2, 'file_name': 'y/a.png'},
      {'id': 3, 'file_name': 'b.png'}], 'lists several images of this name'),
    ([{'id': None, 'file_name': 'a.png'}], 'not a COCO annotation file')])
def test_images_without_an_id_are_failures(pose_ros, tiny_model, images, tmp_path, listed, words):
    labels = write_labels(tmp_path / 'labels.json', listed)
    answer = pose_ros('image', images, '--model', tiny_model, '--coco', tmp_path / 'r.json',
                      '--annotations', labels)
    assert answer.code == 1 and words in answer.err


@pytest.mark.parametrize('words', [[], ['--json', 'r.json']])
def test_annotations_need_coco_results(pose_ros, tiny_model, images, tmp_path, words):
    labels = write_labels(tmp_path / 'labels.json', [])
    answer = pose_ros('image', images, '--model', tiny_model, '--annotations', labels, *words)
    assert answer.code == 2 and '--annotations: it needs --coco' in answer.err


@pytest.mark.parametrize('name', ['drawn.mp4', 'drawn.png', 'r.json'])
def test_a_read_only_target_is_named_so(pose_ros, files, name):
    Path(name).write_text('earlier')
    Path(name).chmod(0o444)
    words = {'drawn.mp4': VIDEO + ['--output'], 'drawn.png': IMAGE + ['--output'],
             'r.json': IMAGE + ['--json']}[name]
    answer = pose_ros(*words + [name])
    assert answer.code in (1, 2) and 'the file is read-only' in answer.err
    assert Path(name).read_text() == 'earlier'


def test_a_video_of_an_odd_rate_is_drawn_as_mp4(pose_ros, tiny_model, tmp_path):
    path = str(tmp_path / 'odd.avi')
    writer = cv2.VideoWriter(path, cv2.VideoWriter_fourcc(*'MJPG'), 66.667, (160, 128))
    for _ in range(5):
        writer.write(np.zeros((128, 160, 3), np.uint8))
    writer.release()
    answer = pose_ros('video', path, '--model', tiny_model, '--output', tmp_path / 'drawn.mp4')
    capture = cv2.VideoCapture(str(tmp_path / 'drawn.mp4'))
    assert answer.code == 0 and capture.get(cv2.CAP_PROP_FRAME_COUNT) == 5
    assert capture.get(cv2.CAP_PROP_FPS) == pytest.approx(66.67)
