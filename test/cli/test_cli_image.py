# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""`pose-ros image`: images in, people out as text, JSON and drawings."""
import json
import re

import cv2
import numpy as np
from pose_ros.core import PoseEstimator
import pytest


def load(path):
    """Read a JSON file."""
    with open(str(path)) as stream:
        return json.load(stream)


def test_one_line_per_image_and_a_summary(pose_ros, tiny_model, images):
    """Without an output the people are at least counted."""
    answer = pose_ros('image', images, '--model', tiny_model)
    first, second, summary = answer.out.splitlines()
    assert answer.code == 0
    assert re.match(r'a\.png: 2 people \(scores 0\.\d\d, 0\.\d\d\)$', first)
    assert second == 'b.png: no people'
    assert re.match(r'2 frames, 2 people found; median ms: pose.preprocess [\d.]+, '
                    r'pose.network [\d.]+, pose.decode [\d.]+, bottom_up [\d.]+, '
                    r'selection [\d.]+, total [\d.]+$', summary)
    assert answer.err.startswith('tiny by ')


def test_quiet_prints_nothing(pose_ros, tiny_model, images):
    """Neither on stdout nor on stderr."""
    assert pose_ros('image', images, '--model', tiny_model, '--quiet') == (0, '', '')


def test_json_has_the_people_of_the_estimator(pose_ros, tiny_model, tiny_people, images, tmp_path):
    """They are at the places where they were drawn."""
    answer = pose_ros('image', images, '--model', tiny_model, '--json', tmp_path / 'r.json')
    data = load(tmp_path / 'r.json')
    assert answer.code == 0 and data['model'] == 'tiny'
    assert [(frame['index'], frame['name'], len(frame['people'])) for frame in data['frames']] == [
        (0, 'a.png', 2), (1, 'b.png', 0)]
    expected = PoseEstimator(tiny_model)(cv2.imread(str(images / 'a.png')))
    found = np.array([person['keypoints'] for person in data['frames'][0]['people']])
    np.testing.assert_allclose(found, expected.keypoints, atol=2e-3)
    left_first = found[np.argsort(found[:, 1, 0]), :, :2]
    assert np.abs(left_first - tiny_people).max() < 2.0
    assert data['frames'][0]['time_s'] is None


def test_coco_results(pose_ros, tiny_model, tmp_path):
    """One record per person, with the image's own id."""
    path = tmp_path / 'COCO_val2014_000000000192.png'
    cv2.imwrite(str(path), np.full((128, 160, 3), (255, 0, 0), np.uint8))
    answer = pose_ros('image', path, '--model', tiny_model,
                      '--coco', tmp_path / 'r.json')
    records = load(tmp_path / 'r.json')
    assert answer.code == 0 and [record['image_id'] for record in records] == [192, 192]
    assert all(len(record['keypoints']) == 51 for record in records)


def test_a_repeated_image_id_is_one_failure(pose_ros, tiny_model, images, tmp_path):
    """The first image keeps its people; the exit code is 1."""
    for name in ('x1.png', 'y1.png'):
        (tmp_path / name).write_bytes((images / 'a.png').read_bytes())
    answer = pose_ros('image', tmp_path / 'x1.png', tmp_path / 'y1.png', '--model', tiny_model,
                       '--coco', tmp_path / 'r.json')
    assert answer.code == 1 and 'y1.png' in answer.err and 'image_id 1' in answer.err
    assert len(load(tmp_path / 'r.json')) == 2
    assert answer.out.startswith('1 frame, 2 people found, 1 failed')


def test_one_image_is_drawn_to_a_file(pose_ros, tiny_model, images, tmp_path):
    """The drawing has the image's size, and colors that the image lacks."""
    target = tmp_path / 'drawn.png'
    answer = pose_ros('image', images / 'a.png', '--model', tiny_model, '--output', target)
    drawn = cv2.imread(str(target))
    assert answer.code == 0 and drawn.shape == (128, 160, 3)
    assert (drawn[..., 1:].max(-1) > 100).sum() > 100
    assert cv2.imread(str(images / 'a.png'))[..., 1:].max() == 0


def test_labels_can_be_left_out(pose_ros, tiny_model, images, tmp_path):
    """White text is the only white there is."""
    white = []
    for name, option in (('with.png', []), ('without.png', ['--no-labels'])):
        pose_ros('image', images / 'a.png', '--model', tiny_model, '--output', tmp_path / name,
                 *option)
        white.append((cv2.imread(str(tmp_path / name)).min(-1) > 200).sum())
    assert white[0] > 20 and white[1] == 0


def test_many_images_are_drawn_into_a_folder(pose_ros, tiny_model, images, tmp_path):
    """The folder is made, and images of one name do not replace each other."""
    other = tmp_path / 'other'
    other.mkdir()
    cv2.imwrite(str(other / 'a.png'), np.zeros((50, 60, 3), np.uint8))
    target = tmp_path / 'drawn' / 'here'
    answer = pose_ros('image', images, other / 'a.png', '--model', tiny_model,
                      '--output', target)
    drawn = {path.name: cv2.imread(str(path)).shape for path in target.iterdir()}
    assert answer.code == 0
    assert drawn == {'a.png': (128, 160, 3), 'b.png': (128, 160, 3), 'a_2.png': (50, 60, 3)}


def test_a_bad_image_does_not_stop_the_others(pose_ros, tiny_model, images, tmp_path):
    """It is reported and counted, and the exit code is 1; all other images have results."""
    (images / 'aa.jpg').write_bytes(b'\xff\xd8\xff nothing')
    broken = tmp_path / 'broken.png'
    broken.write_bytes((images / 'a.png').read_bytes()[:-20])
    answer = pose_ros('image', tmp_path / 'absent.png', broken, images, '--model', tiny_model,
                      '--json', tmp_path / 'r.json')
    assert answer.code == 1
    assert "no file or folder '{}'".format(tmp_path / 'absent.png') in answer.err
    assert 'broken.png is cut short' in answer.err and 'Traceback' not in answer.err
    assert answer.out.startswith('2 frames, 2 people found, 3 failed')
    assert [(frame['index'], frame['name']) for frame in load(tmp_path / 'r.json')['frames']] == [
        (0, 'a.png'), (1, 'b.png')]


def test_a_network_that_fails_on_one_image(pose_ros, make_model, images, tmp_path):
    """NaN for a green image: that one fails, by name."""
    cv2.imwrite(str(images / 'aa.png'), np.full((128, 160, 3), (255, 255, 0), np.uint8))
    answer = pose_ros('image', images, '--model', make_model(nan=True))
    assert answer.code == 1 and answer.out.splitlines()[:2] == [
        line for line in answer.out.splitlines() if line.startswith(('a.png', 'b.png'))]
    assert 'pose-ros: error: aa.png: the network output' in answer.err
    assert '2 frames, 2 people found, 1 failed' in answer.out


def test_a_folder_without_a_readable_image(pose_ros, tiny_model, tmp_path):
    """The number of failures is the number of images."""
    for name in ('a.jpg', 'b.png'):
        (tmp_path / name).write_bytes(b'')
    answer = pose_ros('image', tmp_path, '--model', tiny_model)
    assert answer.code == 1 and 'none of the 2 images' in answer.err
    assert answer.out.startswith('0 frames, 0 people found, 2 failed')


def test_a_video_is_not_an_image(pose_ros, tiny_model, video):
    """The message names the command that reads it."""
    answer = pose_ros('image', video, '--model', tiny_model)
    assert answer.code == 1 and 'clip.avi is not an image; pose-ros video' in answer.err


def test_max_frames(pose_ros, tiny_model, images, tmp_path):
    """The rest is not even read."""
    answer = pose_ros('image', images, tmp_path / 'absent', '--model', tiny_model,
                      '--max-frames', 1)
    assert answer.code == 0 and answer.out.splitlines()[1].startswith('1 frame, 2 people')


@pytest.mark.parametrize('output, reason', [
    ('drawn.png', 'there may be many'), ('drawn.gif', 'must end in'),
    ('images', 'would overwrite')])
def test_invalid_outputs(pose_ros, tiny_model, images, tmp_path, output, reason):
    """A wrong command line: exit code 2 before any work, and nothing is written."""
    answer = pose_ros('image', images, '--model', tiny_model, '--output', tmp_path / output)
    assert answer.code == 2 and reason in answer.err and answer.out == ''
    assert sorted(path.name for path in tmp_path.iterdir()) == ['images']


def test_output_must_not_overwrite_the_input(pose_ros, tiny_model, images):
    """Nor through another spelling of its path."""
    before = (images / 'a.png').read_bytes()
    answer = pose_ros('image', images / 'a.png', '--model', tiny_model, '--output',
                      images / '..' / 'images' / 'a.png')
    assert answer.code == 2 and 'would overwrite' in answer.err
    assert (images / 'a.png').read_bytes() == before


def test_without_a_model_the_bundled_one_runs(pose_ros, tmp_path):
    """On an image of a person."""
    pytest.importorskip('onnxruntime')
    data = pytest.importorskip('skimage.data')
    path = str(tmp_path / 'astronaut.png')
    cv2.imwrite(path, data.astronaut()[..., ::-1])
    answer = pose_ros('image', path, '--output', tmp_path / 'drawn.png')
    assert answer.code == 0 and '1 frame, 1 person found' in answer.out
    drawn = cv2.imread(str(tmp_path / 'drawn.png'))
    assert (drawn != cv2.imread(path)).any(2).sum() > 500


def test_real_weights_find_the_skier(pose_ros, real_model, shared, tmp_path):
    """The card is found by the file's hash; the keypoints are at the place of the skier."""
    skier = shared / 'data' / 'demo' / '01_single_skier.jpg'
    answer = pose_ros('image', skier, '--model', real_model, '--json', tmp_path / 'r.json')
    frame, = load(tmp_path / 'r.json')['frames']
    assert answer.code == 0 and len(frame['people']) == 1
    x, y, width, height = frame['people'][0]['bbox']
    assert 280 < x < x + width < 500 and 45 < y < y + height < 390
    right_hand = frame['people'][0]['keypoints'][4]
    assert abs(right_hand[0] - 295) < 20 and abs(right_hand[1] - 183) < 20


def test_images_above_the_limit_are_reported(pose_ros, tiny_model, tmp_path):
    path = str(tmp_path / 'large.png')
    cv2.imwrite(path, np.zeros((60, 80, 3), np.uint8))
    answer = pose_ros('image', path, '--model', tiny_model, '--max-pixels', '4000')
    assert answer.code == 1
    assert 'large.png has 80 x 60 px, more than the limit' in answer.err
    assert pose_ros('image', path, '--model', tiny_model, '--max-pixels', '4800').code == 0
