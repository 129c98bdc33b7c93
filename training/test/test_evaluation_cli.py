# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""`pose-train evaluate` and `evaluate()`, with networks that find a known person."""
import json

import cv2
import numpy as np
import pytest

from evaluated import annotation, COCO, SIDE, symmetric_person, write_dataset, write_model
from pose_ros.core import PoseEstimator
from pose_ros.core.errors import PoseRosError
from pose_ros.core.files import sha256
from pose_ros.core.people import make_people
from pose_training.cli.main import main
from pose_training.errors import ConfigError, DataError
from pose_training.evaluation.detections import detect
from pose_training.evaluation.evaluate import evaluate
from pose_training.evaluation.labels import read_labels

PERSON = symmetric_person()
ASIDE = PERSON * .6 + (30, 20)
WHITE, BLACK = (np.full((SIDE, SIDE, 3), shade, np.uint8) for shade in (255, 0))
ENGINE = {'backend': 'onnxruntime', 'threads': 1}


def command(*arguments):
    """Run the command line; return its exit code."""
    return main(['evaluate', *map(str, arguments), '--backend', 'onnxruntime', '--threads', '1'])


@pytest.fixture(scope='module')
def model(tmp_path_factory):
    """Write a network that finds one symmetric person in white images."""
    return write_model(tmp_path_factory.mktemp('model') / 'known.onnx', PERSON)


@pytest.fixture(scope='module')
def dynamic(tmp_path_factory):
    """Write a network of any size that finds a person on one side of white images."""
    return write_model(tmp_path_factory.mktemp('model') / 'dynamic.onnx', ASIDE, dynamic=True)


@pytest.fixture
def data(tmp_path):
    """Write a dataset: two people are found, one labelled person is not."""
    return write_dataset(tmp_path / 'people', {'0.png': WHITE, '1.png': WHITE, '2.png': BLACK}, [
        annotation(0, PERSON), annotation(1, PERSON), annotation(2, PERSON)], 'val.json')


@pytest.fixture
def empty(tmp_path):
    """Write images without people; in one of four the network finds a person."""
    write_dataset(tmp_path / 'empty', {'0.png': BLACK, '1.png': WHITE, '2.jpg': BLACK,
                                       '3.png': BLACK}, [])
    return str(tmp_path / 'empty')


def test_all_of_it_from_the_command_line(model, data, empty, tmp_path, capsys):
    figures, drawn = tmp_path / 'figures.json', tmp_path / 'drawn'
    assert command(model, '--data', data, empty, '--json', figures, '--failures', drawn) == 0
    text = capsys.readouterr().out
    assert ("single scale; no flip; aspect kept (letterbox 192x192); COCO's OKS AP, at most 20 "
            'people per image; PCK within 0.2 of the torso') in text
    rows = {line[:20].strip(): line[20:].split() for line in text.splitlines()}
    assert rows['AP'] == ['0.663', '-']  # precision 1 up to 2 of 3: 67 of 101 points
    assert rows['PCK@0.2'] == ['0.667', '-'] and rows['left/right swapped'] == ['0.000', '-']
    assert rows['people labelled'] == ['3', '0'] and rows['people found'] == ['2', '1']
    assert rows['empty images'] == ['0', '4']
    assert rows['... none found'] == ['-', '0.750']
    assert rows['left_wrist'] == ['3', '0.667', '0.000']
    assert float(rows['ms median'][0]) <= float(rows['ms 90th percentile'][0])
    assert [path.name for path in (drawn / 'val').iterdir()] == ['001_oks_0.00_2.jpg']
    assert [path.name[:10] for path in (drawn / 'empty').iterdir()] == ['001_empty_']
    written = json.loads(figures.read_text())
    assert written['sha256'] == sha256(model) and written['network_input'] == [SIDE, SIDE]
    assert written['engine']['backend'] == 'onnxruntime'
    first, second = written['results']
    assert first['figures']['AP'] == pytest.approx(67 / 101)
    assert (first['name'], first['data'], len(first['failures'])) == ('val', data, 1)
    assert first['keypoints'][0] == {'name': 'nose', 'labelled': 3, 'found': 2 / 3, 'swapped': 0.}
    assert second['figures']['AP'] is None and second['figures']['empty_images_clean'] == .75


def test_quiet_prints_nothing_and_the_settings_of_the_decoder_count(model, data, tmp_path, capsys):
    path = tmp_path / 'figures.json'
    assert command(model, '--data', data, '--json', path, '--quiet',
                   '--set', 'min_score=1') == 0
    assert capsys.readouterr().out == ''
    written = json.loads(path.read_text())
    assert written['settings']['selection.min_score'] == 1
    assert written['results'][0]['figures']['AP'] == 0.


def test_the_card_can_be_replaced(model, data, tmp_path, capsys):
    other = json.loads(PoseEstimator(model, **ENGINE).card.to_json())
    other['name'], other['input']['fit'] = 'renamed', 'stretch'
    (tmp_path / 'card.json').write_text(json.dumps(other))
    assert command(model, '--data', data, '--card', tmp_path / 'card.json') == 0
    text = capsys.readouterr().out
    assert 'renamed by onnxruntime' in text and 'aspect not kept (stretched to 192x192)' in text


def test_a_mirror_image_of_a_symmetric_person_changes_nothing(model, data):
    plain, = evaluate(model, data, **ENGINE)
    mirrored, = evaluate(model, data, flip=True, **ENGINE)
    assert 'mean with the mirrored image' in mirrored.protocol
    assert plain.figures['AP'] == mirrored.figures['AP'] == pytest.approx(67 / 101)
    assert plain.figures['PCK'] == mirrored.figures['PCK'] == pytest.approx(2 / 3)


def test_scales_and_another_size_find_the_same_person(dynamic, tmp_path, capsys):
    image = np.full((200, 200, 3), 255, np.uint8)
    points = (ASIDE + .5) * 200 / SIDE - .5
    data = write_dataset(tmp_path / 'one', {'0.png': image}, [annotation(0, points)])
    for options in ((), ('--scales', '1', '1.5', '2'), ('--size', '256x256'),
                    ('--size', '256x256', '--scales', '0.75')):
        path = tmp_path / 'figures.json'
        assert command(dynamic, '--data', data, '--json', path, *options) == 0
        result, = json.loads(path.read_text())['results']
        assert result['figures']['AP'] > .9 and result['figures']['PCK'] == 1.
    text = capsys.readouterr().out
    assert 'mean of the scales 1, 1.5, 2; no flip; aspect kept (letterbox 192x192)' in text
    assert 'mean of the scales 0.75; no flip; aspect kept (letterbox 256x256)' in text


def test_the_function_takes_a_loaded_estimator_and_leaves_it_open(model, data):
    estimator = PoseEstimator(model, **ENGINE)
    evaluate(estimator, data, flip=True)
    found, = evaluate(estimator, data)
    assert found.figures['labelled_people'] == 3 and found.keypoints[0].name == 'nose'
    assert estimator(WHITE).count == 1
    with pytest.raises(ConfigError, match='backend, threads cannot be changed'):
        evaluate(estimator, data, **ENGINE)
    estimator.close()


def test_settings_of_the_decoder_are_the_functions_too(model, data):
    assert evaluate(model, data, settings={'min_score': 1.}, **ENGINE)[0].figures['AP'] == 0.


def test_people_without_keypoints_of_the_dataset_are_dropped(tmp_path):
    path = write_dataset(tmp_path, {'0.png': WHITE}, [], names=['nose', 'left_wrist'])
    points = PERSON[None].repeat(2, 0)
    keypoints = np.concatenate([points, np.ones_like(points[..., :1])], -1)
    keypoints[0, [0, 9], 2] = 0
    people = make_people(keypoints, [.9, .8])
    found = detect(type('Model', (), {'__call__': lambda self, image: people,
                                      'topology': COCO})(), read_labels(path))
    assert found.people[0].scores == pytest.approx([.8])
    np.testing.assert_allclose(found.people[0].keypoints[0, :, :2], PERSON[[0, 9]])


def test_a_published_network_on_images(shared):
    result, = evaluate(str(shared / 'weights' / 'mobilenet_v2_small.onnx'),
                       str(shared / 'data' / 'dev' / 'pfg_dev.json'), **ENGINE)
    assert .3 < result.figures['AP'] < .7 and .6 < result.figures['PCK'] < .95
    assert result.figures['swapped'] < .1 and result.figures['labelled_people'] == 20


def test_datasets_of_equal_names_are_numbered(model, data, tmp_path):
    other = write_dataset(tmp_path / 'other', {'0.png': WHITE}, [annotation(0, PERSON)],
                          'val.json')
    seen = []

    def progress(images):
        seen.append(len(images))
        return images
    results = evaluate(model, [data, other], failures=str(tmp_path / 'drawn'), progress=progress,
                       settings={'min_score': .1}, **ENGINE)
    assert [(result.name, result.figures['images']) for result in results] == [
        ('val', 3), ('val#2', 1)]
    assert seen == [3, 1]
    assert sorted(path.name for path in (tmp_path / 'drawn').iterdir()) == ['val', 'val#2']


def test_keypoints_that_the_model_lacks_are_missing_and_formats_must_share_one(model, tmp_path):
    names = list(COCO.keypoint_names[:16]) + ['tail']
    mixed = write_dataset(tmp_path / 'mixed', {'0.png': WHITE}, [annotation(0, PERSON)],
                          names=names)
    keypoints = evaluate(model, mixed, **ENGINE)[0].keypoints
    assert keypoints[15][1:] == (1, 1., 0.) and keypoints[16] == ('tail', 1, 0., 0.)
    strange = write_dataset(tmp_path / 'strange', {'0.png': WHITE}, [
        annotation(0, PERSON[:2])], names=['head', 'tail'])
    with pytest.raises(PoseRosError, match='share no'):
        evaluate(model, strange, **ENGINE)


def refused(capsys, *arguments, code=1):
    """Return the error line of a command."""
    assert command(*arguments) == code
    return capsys.readouterr().err.strip().splitlines()[-1]


def test_faults_are_explained(model, data, tmp_path, capsys):
    assert 'cannot read runs/network.pt' in refused(capsys, 'runs/network.pt', '--data', data)
    assert '--epoch is of the folder of a run' in refused(capsys, model, '--data', data, '--epoch',
                                                          '3')
    (tmp_path / 'run' / 'snapshots').mkdir(parents=True)
    (tmp_path / 'run' / 'snapshots' / 'epoch_0012.ckpt').write_bytes(b'')
    message = refused(capsys, str(tmp_path / 'run'), '--data', data, '--epoch', '3')
    assert 'epoch_0003.ckpt; the snapshots of this run are: epoch_0012.ckpt' in message
    assert 'there is no folder' in refused(capsys, model, '--data', data, '--json',
                                           tmp_path / 'absent' / 'figures.json')
    assert 'no model file' in refused(capsys, 'absent.onnx', '--data', data)
    assert 'cannot read the dataset' in refused(capsys, model, '--data', 'absent.json')
    assert "'0' is not a number above 0" in refused(capsys, model, '--data', data, '--scales', '0',
                                                    code=2)
    assert 'export --dynamic' in refused(capsys, model, '--data', data, '--scales', '1', '2')
    assert 'no setting' in refused(capsys, model, '--data', data, '--set', 'color=1', code=2)


def test_nothing_runs_before_all_datasets_are_checked(model, data, tmp_path):
    broken = write_dataset(tmp_path / 'broken', {'0.png': WHITE, '1.png': WHITE}, [])
    for name in ('0.png', '1.png'):
        (tmp_path / 'broken' / name).unlink()
    with pytest.raises(DataError, match='none of its 2 images is there'):
        evaluate(model, [data, broken], progress=lambda images: pytest.fail('it ran'), **ENGINE)
    cv2.imwrite(str(tmp_path / 'broken' / '1.png'), WHITE)
    (tmp_path / 'broken' / '1.png').write_bytes(
        (tmp_path / 'broken' / '1.png').read_bytes()[:-20])
    with pytest.raises(DataError, match='none of its 1 images can be used: .*1.png is cut sh'):
        evaluate(model, broken, **ENGINE)
