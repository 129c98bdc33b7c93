# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""`pose-train label`: a dataset of images without labels, by tiny networks."""
import json

import cv2
from figures import write_figures
import numpy as np
import pytest
import torch

from pose_ros.core.topology import get_topology
from pose_training.cli.main import main
from pose_training.data.annotations import read_dataset
from pose_training.exporters.export import export, ExportOptions
from pose_training.models import create_model

COCO = get_topology('coco_17')


@pytest.fixture
def networks(tmp_path):
    """Write a detector of one fixed box and a network of crops with fixed peaks."""
    torch.manual_seed(0)
    detector = create_model('lite_person_detector', width=.25).eval()
    with torch.no_grad():
        for score, box in zip(detector.score, detector.box):
            score.weight.zero_()
            box.weight.zero_()
            box.bias.copy_(torch.log(torch.tensor([.3] * 4)))
        detector.score[2].bias.fill_(3.)  # each of the cells of 32 px
    crop = create_model('lite_pose_crop', width=.25).eval()
    with torch.no_grad():
        crop.head.weight.zero_()
        crop.head.bias.copy_(torch.linspace(.05, .85, 17))
    paths = []
    for network, size in ((detector, (64, 64)), (crop, (96, 128))):
        paths.append(str(tmp_path / network.recipe.name) + '.onnx')
        export(network, paths[-1], ExportOptions(size))
    return paths


def label(folder, networks, *words):
    """Label a folder and return what is written."""
    out = folder / 'labels.json'
    assert main(['label', str(folder / 'photos'), '-o', str(out), '--detector', networks[0],
                 '--model', networks[1], '--quiet', *words]) == 0
    return json.loads(out.read_text()), str(out)


def test_people_are_written_with_the_confidences_of_their_keypoints(tmp_path, networks):
    write_figures(tmp_path / 'photos', count=2, side=96)
    data, path = label(tmp_path, networks, '--set', 'detector.nms_iou=0.1',
                       '--set', 'selection.min_score=0', '--set', 'selection.min_keypoints=1')
    assert data['info']['complete'] is False
    assert [entry['name'] for entry in data['info']['labelled_by']] == [
        'lite_person_detector', 'lite_pose_crop']
    assert [image['file_name'] for image in data['images']] == [
        'photos/figures_0.png', 'photos/figures_1.png']
    assert data['annotations'] and len(data['annotations'][0]['conf']) == 17
    one = data['annotations'][0]
    np.testing.assert_allclose(one['conf'], np.linspace(.05, .85, 17), atol=2e-3)
    labelled = np.array(one['keypoints']).reshape(17, 3)[:, 2]
    np.testing.assert_array_equal(labelled, 2 * (np.array(one['conf']) >= .3))
    assert one['num_keypoints'] == int((labelled > 0).sum())
    samples = read_dataset(path, COCO)
    assert not samples[0].all_people_annotated
    np.testing.assert_allclose(samples[0].confidences[0], one['conf'], atol=1e-6)


def test_images_that_cannot_be_read_are_left_out(tmp_path, networks, capsys, caplog):
    (tmp_path / 'photos').mkdir()
    cv2.imwrite(str(tmp_path / 'photos' / 'a.png'), np.zeros((64, 64, 3), np.uint8))
    (tmp_path / 'photos' / 'b.png').write_bytes(b'nothing')
    data, _ = label(tmp_path, networks, '--mirror-test')
    assert [image['file_name'] for image in data['images']] == ['photos/a.png']
    assert '1 of its 2 images cannot be used, and are left out: ' in caplog.text
    assert 'b.png cannot be decoded' in caplog.text
    assert main(['label', str(tmp_path / 'photos'), '-o', str(tmp_path / 'x.json'),
                 '--detector', networks[0], '--model', networks[1], '--max-pixels', '4095']) == 1
    assert 'more than the limit' in capsys.readouterr().err
    (tmp_path / 'photos' / 'a.png').unlink()
    assert main(['label', str(tmp_path / 'photos'), '-o', str(tmp_path / 'x.json'),
                 '--detector', networks[0], '--model', networks[1]]) == 1
    assert 'none of its 1 images can be used' in capsys.readouterr().err


def test_boxes_of_people_without_labels_are_added(tmp_path, networks, capsys):
    path = write_figures(tmp_path, count=1, side=96)
    data = json.loads(open(path).read())
    # The detector finds boxes of 28.8 px about the centers of its four cells: one is known.
    data['annotations'][0].update(bbox=[9.6, 9.6, 28.8, 28.8], keypoints=[0] * 51)
    open(path, 'w').write(json.dumps(data))
    out = str(tmp_path / 'complete.json')
    words = ['add-boxes', path, '-o', out, '--detector', networks[0]]
    assert main(words + ['--sure', '0.9']) == 0
    assert 'wrote 4 annotations' in capsys.readouterr().out
    found = json.loads(open(out).read())
    assert found['info']['complete'] and found['info']['boxes_by'][0]['license'] == 'Apache-2.0'
    added = sorted((entry for entry in found['annotations'][1:]), key=lambda one: one['bbox'])
    np.testing.assert_allclose([one['bbox'] for one in added], [
        [9.6, 57.6, 28.8, 28.8], [57.6, 9.6, 28.8, 28.8], [57.6, 57.6, 28.8, 28.8]], atol=.11)
    assert all(one['score'] == pytest.approx(1 / (1 + np.exp(-3)), abs=1e-3) for one in added)
    assert [one['iscrowd'] for one in added] == [0, 0, 0]
    assert main(words + ['--sure', '0.99', '--unsure', '0.9']) == 0
    found = json.loads(open(out).read())
    assert [one['iscrowd'] for one in found['annotations']] == [0, 1, 1, 1]
    [sample] = read_dataset(out, COCO)
    assert sample.all_people_annotated and len(sample.ignored) == 4
    assert main(['add-boxes', path, '-o', path, '--detector', networks[0]]) == 1
    assert 'must be another file in the folder' in capsys.readouterr().err
    assert main(['add-boxes', path, '-o', out, '--detector', networks[1]]) == 1
    assert 'is a model for pose, not for detection' in capsys.readouterr().err


def test_boxes_are_added_to_images_in_another_folder_without_damaged_ones(tmp_path, networks,
                                                                          caplog):
    path = write_figures(tmp_path / 'photos', count=2, side=96)
    (tmp_path / 'photos' / 'figures_1.png').write_bytes(b'nothing')
    (tmp_path / 'annotations').mkdir()
    moved, out = tmp_path / 'annotations' / 'labels.json', str(tmp_path / 'complete.json')
    moved.write_text(open(path).read())
    words = ['add-boxes', str(moved), '-o', out, '--detector', networks[0]]
    assert main(words) == 1
    assert main(words + ['--images', str(tmp_path / 'photos')]) == 0
    assert '1 of its 2 images cannot be used, and are left out: ' in caplog.text
    found = json.loads(open(out).read())
    assert [image['file_name'] for image in found['images']] == ['figures_0.png']
    assert {entry['image_id'] for entry in found['annotations']} == {0}
    assert len(found['annotations']) > 1
    [sample] = read_dataset(out, COCO, images=str(tmp_path / 'photos'))
    assert len(sample.people) == 1
