# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Skeletons of the user's own: from a dataset or a file to a network that runs."""
import json
import logging
import shutil

import cv2
import numpy as np
import pytest
import yaml

from figures import TINY, write_run
from pose_ros.cli.main import main as robot
from pose_ros.core import PoseEstimator
from pose_ros.core.card_files import load_card
from pose_ros.core.topology import get_topology
from pose_training.checkpoint import load_checkpoint
from pose_training.cli.main import main
from pose_training.data.annotations import read_dataset
from pose_training.distillation.pseudo_labels import label_images
from pose_training.errors import ConfigError
from pose_training.exporters.export import export, ExportOptions
from pose_training.families.topologies import as_topology, find_topology
from pose_training.fitting.config import build, load_config
from pose_training.fitting.network import make_network
from pose_training.fitting.settings import RunConfig
from pose_training.models import create_model

NAMES = ('nose', 'withers', 'tail_base', 'left_paw', 'right_paw')
LIMBS = ((0, 1), (1, 2), (1, 3), (1, 4))
OBJECT = {'name': 'dog', 'keypoint_names': list(NAMES), 'limbs': [list(limb) for limb in LIMBS]}
POINTS = [(50 + 30 * k, 100 + 10 * k) for k in range(5)]


def write_dogs(folder, count=4):
    """Write images of dogs of five keypoints, and their COCO file; return its path."""
    random = np.random.default_rng(0)
    folder.mkdir()
    images, annotations = [], []
    for number in range(count):
        pixels = random.integers(0, 255, (240, 320, 3)).astype(np.uint8)
        cv2.imwrite(str(folder / '{}.jpg'.format(number)), pixels)
        images.append({'id': number, 'file_name': '{}.jpg'.format(number), 'width': 320,
                       'height': 240})
        annotations.append({
            'id': number, 'image_id': number, 'category_id': 1, 'num_keypoints': 5, 'iscrowd': 0,
            'keypoints': [value for x, y in POINTS for value in (x, y, 2)],
            'bbox': [50, 100, 120, 40], 'area': 4800})
    category = {'id': 1, 'name': 'dog', 'keypoints': list(NAMES),
                'skeleton': [[a + 1, b + 1] for a, b in LIMBS]}
    (folder / 'labels.json').write_text(json.dumps(
        {'images': images, 'annotations': annotations, 'categories': [category]}))
    return str(folder / 'labels.json')


@pytest.fixture
def dogs(tmp_path):
    """Write a dataset of dogs, and return its path."""
    return write_dogs(tmp_path / 'dogs')


def assert_dog(topology):
    assert (topology.name, topology.keypoint_names, topology.limbs, topology.mirror) == (
        'dog', NAMES, LIMBS, (0, 1, 2, 4, 3))


@pytest.mark.fitting
def test_a_skeleton_of_a_dataset_is_trained_exported_and_run(tmp_path, dogs, capsys):
    config = write_run(tmp_path, dogs, model__topology='dataset', optimizer__epochs=1,
                       optimizer__crops_per_epoch=4, optimizer__batch=2)
    assert main(['view', config, '-o', str(tmp_path / 'samples'), '--count', '1']) == 0
    assert main(['fit', config]) == 0
    weights, model = str(tmp_path / 'run' / 'network.pt'), str(tmp_path / 'dog.onnx')
    assert_dog(load_checkpoint(weights)[0].family.topology)
    assert main(['export', weights, '-o', model, '--size', '96x96']) == 0
    assert_dog(load_card(model).topology)
    assert main(['verify', model, '--weights', weights]) == 0
    shutil.copy(model, str(tmp_path / 'DOG'))
    shutil.copy(weights, str(tmp_path / 'NETWORK.PT'))
    assert main(['info', str(tmp_path / 'DOG')]) == 0
    assert main(['export', str(tmp_path / 'NETWORK.PT'), '-o', str(tmp_path / 'DOG.ONNX')]) == 0
    assert_dog(load_card(str(tmp_path / 'DOG.ONNX')).topology)
    assert main(['info', weights]) == 0 and 'repvgg_fpn for dog, ' in capsys.readouterr().out
    assert main(['import', 'onnx', model, '--model', 'repvgg_fpn', '-o',
                 str(tmp_path / 'again.pt')]) == 0
    assert_dog(load_checkpoint(str(tmp_path / 'again.pt'))[0].family.topology)
    assert main(['evaluate', model, '--data', dogs, '--flip', '--json',
                 str(tmp_path / 'figures.json')]) == 0
    [result] = json.loads((tmp_path / 'figures.json').read_text())['results']
    assert [keypoint['name'] for keypoint in result['keypoints']] == list(NAMES)
    assert result['figures']['labelled_people'] == 4
    assert main(['clean', dogs, '--teacher', model, '--least', '0', '-o',
                 str(tmp_path / 'dogs' / 'clean.json')]) == 0
    assert robot(['image', str(tmp_path / 'dogs' / '0.jpg'), '--model', model, '--json',
                  str(tmp_path / 'found.json')]) == 0
    found = json.loads((tmp_path / 'found.json').read_text())
    assert found['topology'] == {'name': 'dog', 'keypoint_names': list(NAMES),
                                 'limbs': [list(limb) for limb in LIMBS]}


@pytest.mark.fitting
def test_packed_images_carry_their_skeleton(tmp_path, dogs):
    config = write_run(tmp_path, dogs, 'crops.yaml', model={
        'name': 'lite_pose_crop', 'topology': 'dataset', 'options': {'width': .25}},
        data__size=[64, 64], optimizer__batch=2)
    assert main(['pack', config, '-o', str(tmp_path / 'packed')]) == 0
    (tmp_path / 'dogs' / 'labels.json').unlink()  # the other machine has the two files only
    assert main(['fit-packed', config, '--pack', str(tmp_path / 'packed'), '--steps', '1']) == 0
    network = load_checkpoint(str(tmp_path / 'run' / 'network.pt'))[0]
    assert_dog(network.family.topology)
    model = str(tmp_path / 'crop.onnx')
    export(network, model, ExportOptions((64, 64)))
    estimator = PoseEstimator(model, 'onnxruntime')
    assert_dog(estimator.topology)
    estimator.configure(**{'pose.keypoint_threshold': 0., 'selection.min_keypoints': 1,
                           'selection.min_score': 0.})
    assert estimator(np.zeros((64, 64, 3), np.uint8)).keypoints.shape[1] == 5
    labels = label_images(estimator, [str(tmp_path / 'dogs' / '0.jpg')], str(tmp_path), .001)
    assert labels['categories'] == [{'id': 1, 'name': 'dog', 'keypoints': list(NAMES),
                                     'skeleton': [[a + 1, b + 1] for a, b in LIMBS]}]


@pytest.mark.parametrize('name, write', [
    ('dog.yaml', yaml.safe_dump), ('dog.json', json.dumps), ('dog.YML', json.dumps)])
def test_a_skeleton_may_be_in_a_file(tmp_path, dogs, name, write):
    path = tmp_path / name
    path.write_text(write(OBJECT))
    config = load_config(write_run(tmp_path, dogs, model__topology=str(path)))
    assert_dog(make_network(config).family.topology)


@pytest.mark.parametrize('content, words', [
    ({'name': 'dog'}, "missing key 'keypoint_names'"),
    (dict(OBJECT, keypoints=3), "unknown key 'keypoints'"),
    (dict(OBJECT, name='coco_17'), "'coco_17' is one of this package, with other keypoints"),
    (dict(OBJECT, limbs=[[0, 9]]), 'a limb names a keypoint outside 0..4'),
    ('[', 'while parsing'), ([1], 'an object with the keys'), ('coco_99', 'unknown topology')])
def test_an_invalid_file_is_named(tmp_path, content, words):
    path = tmp_path / 'dog.yaml'
    path.write_text(content if isinstance(content, str) else yaml.safe_dump(content))
    with pytest.raises(ConfigError, match='cannot read the topology .*dog.yaml') as error:
        find_topology(str(path))
    assert words in str(error.value)


def test_a_skeleton_of_this_package_is_found_by_its_name_and_its_content():
    assert find_topology('coco_17') is get_topology('coco_17')
    coco = get_topology('coco_17')
    same = {'name': 'coco_17', 'keypoint_names': list(coco.keypoint_names), 'limbs': coco.limbs}
    assert as_topology(same) is coco
    with pytest.raises(ConfigError, match='it is `dataset`, a file .*, or one of body_25, '):
        find_topology('coco17')
    with pytest.raises(ConfigError, match='cannot read the topology none.yaml'):
        find_topology('none.yaml')


def test_a_dataset_of_a_known_skeleton_is_that_of_this_package(tmp_path):
    from figures import write_figures
    path = write_figures(tmp_path, 1)
    config = load_config(write_run(tmp_path, path, model__topology='dataset'))
    assert make_network(config).recipe.topology == 'coco_17'
    with pytest.raises(ConfigError, match='needs a dataset with labels'):
        make_network(build(RunConfig, {'model': {'topology': 'dataset'}}, 'a test'))


def test_keypoints_that_the_network_does_not_have_are_named(dogs, caplog):
    with caplog.at_level(logging.WARNING):
        [sample, *_] = read_dataset(dogs, get_topology('coco_18'))
    assert len(sample.people) == 1 and (sample.people[0, :, 2] > 0).sum() == 1
    assert '4 of its 5 keypoints are not in coco_18 and are left out: withers, tail_base, ' \
        'left_paw, right_paw' in caplog.text


def test_a_skeleton_without_limbs_has_heatmaps_of_one_subject(tmp_path):
    network = create_model('repvgg_fpn', dict(OBJECT, limbs=[]), **dict(TINY, stages=1)).eval()
    export(network, str(tmp_path / 'points.onnx'), ExportOptions((64, 64)))
    estimator = PoseEstimator(str(tmp_path / 'points.onnx'), 'onnxruntime')
    assert estimator.card.decoder.type == 'heatmap' and estimator.topology.limbs == ()
    assert estimator(np.zeros((64, 64, 3), np.uint8)).keypoints.shape[1:] == (5, 3)
