# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Labels of every pipeline are written, looked at and learned from: label, view, fit, evaluate."""
import json

import cv2
from evaluated import SIDE, symmetric_person, write_model
from figures import write_figures, write_run
import numpy as np
import pytest
import torch

from pose_training.cli.main import main
from pose_training.exporters.export import export, ExportOptions
from pose_training.models import create_model

PERSON = symmetric_person()
BOX = [30, 20, 120, 150]


def known(folder):
    """Write a bottom-up network that finds one person in white images."""
    return ['--model', write_model(folder / 'known.onnx', PERSON)]


def crops(folder):
    """Write a network of crops whose peaks lie on a diagonal."""
    network = create_model('lite_pose_crop', width=.25).eval()
    network.head.weight.data.zero_()
    network.head.bias.data.copy_(torch.linspace(.5, .9, 17))
    export(network, str(folder / 'crops.onnx'), ExportOptions((96, 128)))
    return ['--model', str(folder / 'crops.onnx')]


def detected(folder):
    """Write a detector of one box in each cell of 32 px, too."""
    network = create_model('lite_person_detector', width=.25).eval()
    for score, box in zip(network.score, network.box):
        score.weight.data.zero_()
        box.weight.data.zero_()
        box.bias.data.copy_(torch.log(torch.tensor([.5] * 4)))
    network.score[2].bias.data.fill_(3.)
    export(network, str(folder / 'detector.onnx'), ExportOptions((64, 64)))
    return crops(folder) + ['--detector', str(folder / 'detector.onnx')]


def given(folder):
    """Write boxes of people for the images, by the numbers in their names."""
    (folder / 'boxes.json').write_text(json.dumps([
        {'image_id': number, 'category_id': 1, 'bbox': BOX, 'score': .9} for number in range(2)]))
    return crops(folder) + ['--boxes', str(folder / 'boxes.json')]


@pytest.fixture
def photos(tmp_path):
    """Write two white images."""
    (tmp_path / 'photos').mkdir()
    for number in range(2):
        cv2.imwrite(str(tmp_path / 'photos' / '{}.png'.format(number)),
                    np.full((SIDE, SIDE, 3), 255, np.uint8))
    return str(tmp_path / 'photos')


@pytest.mark.fitting
@pytest.mark.parametrize('pipeline', [known, detected, given])
def test_labels_are_looked_at_and_learned_from(tmp_path, photos, pipeline, capsys):
    labels = str(tmp_path / 'labels.json')
    assert main(['label', photos, '-o', labels, *pipeline(tmp_path), '--backend', 'onnxruntime',
                 '--threads', '1', '--set', 'selection.min_keypoints=1', '--set',
                 'selection.min_score=0.01']) == 0
    data = json.loads((tmp_path / 'labels.json').read_text())
    assert len(data['images']) == 2 and len(data['annotations']) >= 2
    assert {entry['image_id'] for entry in data['annotations']} == {1, 2}
    assert all(entry['num_keypoints'] >= 12 for entry in data['annotations'])
    config = write_run(tmp_path, labels, optimizer__epochs=1, optimizer__crops_per_epoch=4,
                       optimizer__batch=2, data__size=[64, 64])
    assert main(['view', config, '--data', labels, '-o', str(tmp_path / 'samples'), '--count',
                 '1']) == 0
    assert cv2.imread(str(tmp_path / 'samples' / '0000.png')).shape[1] == 4 * 512
    assert main(['fit', config]) == 0
    model = str(tmp_path / 'student.onnx')
    assert main(['export', str(tmp_path / 'run' / 'network.pt'), '-o', model,
                 '--size', '64x64']) == 0
    assert main(['evaluate', model, '--data', labels, '--backend', 'onnxruntime']) == 0
    rows = {line[:20].strip(): line[20:].split() for line in capsys.readouterr().out.splitlines()}
    assert rows['people labelled'] == [str(len(data['annotations']))]


def test_the_labels_of_a_known_network_are_where_it_finds_them(tmp_path, photos):
    labels = tmp_path / 'labels.json'
    assert main(['label', photos, '-o', str(labels), *known(tmp_path), '--quiet']) == 0
    first = json.loads(labels.read_text())['annotations'][0]
    points = np.array(first['keypoints']).reshape(-1, 3)
    keypoints = json.loads(labels.read_text())['categories'][0]['keypoints']
    np.testing.assert_allclose(points[keypoints.index('left_wrist'), :2],
                               PERSON[9], atol=1)


def test_given_boxes_belong_to_their_images(tmp_path, photos, capsys):
    options = given(tmp_path)
    ids = {'images': [{'id': 0, 'file_name': '1.png'}, {'id': 7, 'file_name': '0.png'}],
           'annotations': [], 'categories': []}
    (tmp_path / 'ids.json').write_text(json.dumps(ids))
    labels = tmp_path / 'labels.json'
    words = ['label', photos, '-o', str(labels), '--quiet', '--set', 'selection.min_score=0.01',
             '--annotations', str(tmp_path / 'ids.json')]
    assert main([*words, *options]) == 0
    assert [entry['image_id'] for entry in json.loads(labels.read_text())['annotations']] == [2]
    assert main([*words, *known(tmp_path), *options[2:]]) == 1
    assert 'takes whole images' in capsys.readouterr().err
    assert main([*words, *options[:2]]) == 1
    assert '--annotations is for the boxes' in capsys.readouterr().err
    (tmp_path / 'boxes.json').write_text('[]')
    assert main([*words, *options]) == 1
    assert 'has boxes for none of these images' in capsys.readouterr().err
    write_figures(tmp_path / 'more', count=1)
    assert main([*words[:4], *options, '--detector', 'x.onnx']) == 1
    assert 'replace those of a detector' in capsys.readouterr().err
