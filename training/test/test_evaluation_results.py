# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""`pose-train evaluate`: given boxes, tracking of videos, and the result files of benchmarks."""
import json

from evaluated import annotation, changed, SIDE, symmetric_person, write_dataset, write_model
import numpy as np
import pytest
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from pose_ros.core.people import make_people
from pose_ros.core.topology import get_topology
from pose_training.cli.main import main
from pose_training.convert.posetrack import posetrack_topology
from pose_training.evaluation.detections import Detections
from pose_training.evaluation.labels import read_labels
from pose_training.evaluation.result_files import write_results
from pose_training.exporters.export import export, ExportOptions
from pose_training.mat_file import items, read_mat
from pose_training.models import create_model

PERSON = symmetric_person()
WHITE, BLACK = (np.full((SIDE, SIDE, 3), shade, np.uint8) for shade in (255, 0))
TRACK = posetrack_topology()


def evaluate(folder, *words, code=0):
    """Run the command; return the first result."""
    path = folder / 'figures.json'
    assert main(['evaluate', *map(str, words), '--backend', 'onnxruntime', '--threads', '1',
                 '--json', str(path)]) == code
    return json.loads(path.read_text())['results'][0] if code == 0 else None


@pytest.fixture(scope='module')
def model(tmp_path_factory):
    """Write a network that finds one symmetric person in white images."""
    return write_model(tmp_path_factory.mktemp('model') / 'known.onnx', PERSON)


@pytest.fixture(scope='module')
def crops(tmp_path_factory):
    """Write a network of crops whose peaks are all at one place."""
    network = create_model('lite_pose_crop', width=.25).eval()
    network.head.weight.data.zero_()
    network.head.bias.data.fill_(.8)
    path = tmp_path_factory.mktemp('crops') / 'crops.onnx'
    export(network, str(path), ExportOptions((96, 128)))
    return str(path)


def posed(names):
    """Return the person's points in an order of keypoints; those that COCO lacks at the nose."""
    own = dict(zip(get_topology('coco_17').keypoint_names, PERSON))
    return np.array([own.get(name, own['nose']) for name in names])


@pytest.fixture
def video(tmp_path):
    """Write a sequence of five labelled frames and one without labels, not in order."""
    points = posed(TRACK.keypoint_names)
    path = write_dataset(
        tmp_path / 'video', {'{}.png'.format(number): WHITE for number in range(6)},
        [annotation(number, points, track_id=4, bbox_head=[80, 20, 16, 16])
         for number in range(5)], 'video.json', names=TRACK.keypoint_names)

    def number(data):
        for image, frame in zip(data['images'], (3, 0, 1, 2, 4, 5)):
            image.update(sequence='walk', frame=frame, is_labeled=frame != 5, id=70 + frame)
        for entry, frame in zip(data['annotations'], (3, 0, 1, 2, 4)):
            entry['image_id'] = 70 + frame
    return changed(path, number)


def test_tracking_of_a_video(model, video, tmp_path, capsys):
    results = tmp_path / 'results'
    found = evaluate(tmp_path, model, '--data', video, '--tracking', '--results', results,
                     '--format', 'posetrack')
    # An id comes with the second frame, the last one does not count: 3 of 4; the network has
    # neither head_top nor head_bottom.
    table = found['tables']['MOTA']
    assert table['shoulder'] == table['ankle'] == pytest.approx(.75)
    assert table['head'] == pytest.approx(.25) and table['total'] == pytest.approx(.65)
    assert found['figures']['PoseTrack AP'] == pytest.approx(13 / 15)
    assert found['figures']['images'] == 5 and found['figures']['found_people'] == 5
    assert found['figures']['images_left_out'] == 0
    text = capsys.readouterr().out
    assert 'MOTA' in text and 'shoulder' in text and 'wrote the people found to' in text
    written = json.loads((results / 'walk.json').read_text())
    assert [image['id'] for image in written['images']] == [73, 70, 71, 72, 74, 75]
    assert sorted(entry['image_id'] for entry in written['annotations']) == [71, 72, 73, 74, 75]
    assert {entry['track_id'] for entry in written['annotations']} == {1}
    first = written['annotations'][0]
    np.testing.assert_allclose(np.array(first['keypoints']).reshape(17, 3)[5, :2],
                               posed(TRACK.keypoint_names)[5], atol=1)
    assert first['keypoints'][3:9] == [0] * 6 and first['scores'][1] == 0.


def test_without_tracking_ids_count_within_a_frame(model, video, tmp_path):
    found = evaluate(tmp_path, model, '--data', video, '--results', tmp_path / 'r', '--format',
                     'posetrack')
    assert 'MOTA' not in found['figures'] and 'PoseTrack AP' in found['figures']
    written = json.loads((tmp_path / 'r' / 'walk.json').read_text())
    assert {entry['track_id'] for entry in written['annotations']} == {0}
    assert len(written['annotations']) == 6


def test_results_of_coco_give_the_same_figures(model, tmp_path):
    data = write_dataset(tmp_path / 'people', {'0.png': WHITE, '1.png': WHITE, '2.png': BLACK}, [
        annotation(number, PERSON, id=number + 1, category_id=3) for number in range(3)],
        'val.json', category=3)
    found = evaluate(tmp_path, model, '--data', data, '--results', tmp_path / 'r.json')
    truth = COCO(data)
    evaluation = COCOeval(truth, truth.loadRes(str(tmp_path / 'r.json')), 'keypoints')
    evaluation.evaluate()
    evaluation.accumulate()
    evaluation.summarize()
    assert evaluation.stats[0] == pytest.approx(found['figures']['AP']) == 67 / 101


def test_boxes_of_a_file_of_detections(crops, tmp_path, capsys):
    left, right = PERSON * .4 + 5, PERSON * .4 + (110, 20)
    data = write_dataset(tmp_path / 'people', {'7.png': WHITE, '8.png': WHITE}, [
        annotation(0, left), annotation(1, right)])

    def renumber(content):
        for image, number in zip(content['images'], (7, 8)):
            image['id'] = number
        for entry in content['annotations']:
            entry['image_id'] += 7
    changed(data, renumber)
    boxes = tmp_path / 'human_detection.json'
    boxes.write_text(json.dumps([
        {'image_id': 8, 'category_id': 1, 'bbox': [110, 20, 60, 80], 'score': .5},
        {'image_id': 8, 'category_id': 17, 'bbox': [0, 0, 60, 80], 'score': .9},
        {'image_id': 8, 'category_id': 1, 'bbox': [60, 60, 50, 50], 'score': .25}]))
    found = evaluate(tmp_path, crops, '--data', data, '--boxes', boxes, '--results',
                     tmp_path / 'r.json', '--set', 'selection.min_score=0')
    assert found['figures']['found_people'] == 2
    assert 'crops of the boxes of {} (96x128)'.format(boxes) in capsys.readouterr().out
    first, second = json.loads((tmp_path / 'r.json').read_text())
    # The score of a box counts: both crops have the same peaks.
    assert first['image_id'] == 8 and first['score'] == pytest.approx(2 * second['score'],
                                                                      rel=1e-3)
    boxes.write_text(json.dumps([{'image_id': 9, 'bbox': [0, 0, 9, 9], 'score': 1}]))
    evaluate(tmp_path, crops, '--data', data, '--boxes', boxes, code=1)
    assert 'given boxes for none of the images' in capsys.readouterr().err
    boxes.write_text('{}')
    evaluate(tmp_path, crops, '--data', data, '--boxes', boxes, code=1)
    assert 'holds no list of detections' in capsys.readouterr().err


def test_results_of_mpii_are_in_the_places_of_their_people(tmp_path):
    names = get_topology('mpii_16').keypoint_names
    points = posed(names)
    path = write_dataset(tmp_path / 'set', {'b.png': BLACK, 'a.png': BLACK}, [
        annotation(1, points, mpii_person=2), annotation(1, points, mpii_person=1),
        annotation(0, points)], names=names)

    def number(data):
        data['images'][0]['mpii_image'], data['images'][1]['mpii_image'] = 9, 4
    labels = read_labels(changed(path, number))
    keypoints = np.column_stack([points, np.ones(16)])
    keypoints[3] = 0
    people = {0: make_people(np.zeros((0, 16, 3)), []),
              1: make_people([keypoints, keypoints + (5, 0, 0)], [.9, .8], [0, 1])}
    out = str(tmp_path / 'pred.mat')
    write_results(Detections(labels, people, [.01], True, {}, tuple(labels.images)), out, 'mpii')
    first, second = items(read_mat(out, 'pred')['pred'])
    assert (first.image.name, second.image.name) == ('a.png', 'b.png')
    assert items(second.annorect) == []
    one, two = items(first.annorect)
    point = items(two.annopoints.point)[0]
    assert (point.x, point.y, point.id, point.score) == (points[0, 0] + 1, points[0, 1] + 1, 0, 1)
    assert items(one.annopoints.point)[0].x == points[0, 0] + 6
    assert [each.id for each in items(two.annopoints.point)] == [0, 1, 2, *range(4, 16)]


def test_boxes_of_a_test_set_without_keypoints(crops, tmp_path):
    data = write_dataset(tmp_path / 'set', {'0.png': WHITE}, [
        {'image_id': 0, 'category_id': 1, 'bbox': [20, 30, 60, 80], 'mpii_person': 1}])
    evaluate(tmp_path, crops, '--data', data, '--boxes', 'truth', '--results',
             tmp_path / 'pred.mat', '--format', 'mpii')
    assert len(items(items(read_mat(str(tmp_path / 'pred.mat'), 'pred')['pred'])[0].annorect)) == 1


def test_faults_are_explained(model, crops, tmp_path, capsys):
    data = write_dataset(tmp_path / 'set', {'0.png': WHITE}, [annotation(0, PERSON)])
    evaluate(tmp_path, model, '--data', data, '--tracking', code=1)
    assert 'tracking is for videos' in capsys.readouterr().err
    evaluate(tmp_path, model, '--data', data, '--results', tmp_path / 'r', '--format',
             'posetrack', code=1)
    assert 'result files of PoseTrack are for videos' in capsys.readouterr().err
    evaluate(tmp_path, model, '--data', data, data, '--results', tmp_path / 'r.json', code=1)
    assert 'a result file is for one dataset' in capsys.readouterr().err
    evaluate(tmp_path, model, '--data', data, '--results', data, code=2)
    assert 'would overwrite the input' in capsys.readouterr().err
    evaluate(tmp_path, model, '--data', data, '--boxes', data, code=1)
    assert 'takes whole images: boxes are for a network of crops' in capsys.readouterr().err
    evaluate(tmp_path, model, '--data', data, '--fps', '0', code=2)
