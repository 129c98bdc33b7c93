# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Weights of Simple Baselines in files of three publishers, against an independent evaluation."""
import json
from pathlib import Path

from baseline_files import (BLOCKS, evaluate_tf, evaluate_torch, of_mmpose, of_tensorflow,
                            torch_state)
import cv2
import numpy as np
import pytest
from tf_tables import write_checkpoint
import torch

from pose_ros.cli.main import main as robot
from pose_ros.core import PoseEstimator
from pose_training.checkpoint import load_checkpoint
from pose_training.cli.main import main
from pose_training.errors import WeightsError
from pose_training.exporters.cards import make_card
from pose_training.exporters.export import ExportOptions
from pose_training.exporters.synthetic_image import draw_image
from pose_training.importers.formats import import_network
from pose_training.importers.matching import Weights
from pose_training.importers.simple_baseline import named
from pose_training.models import create_model
from pose_training.models import resnet as resnets
from pose_training.models.folding import fuse

R50 = 'simple_baseline_r50'
POSETRACK = str(Path(__file__).parents[1] / 'configs' / 'topologies' / 'posetrack_17.yaml')


@pytest.fixture(autouse=True)
def short(monkeypatch):
    """Make of ResNet-50 one of few blocks."""
    monkeypatch.setitem(resnets.RESNETS, 'resnet50', (True, BLOCKS))


def microsoft(folder, keypoints=17, **options):
    state = torch_state(keypoints, **options)
    content = {'epoch': 140, 'model': 'pose_resnet', 'perf': .7, 'optimizer': {'state': {}},
               'state_dict': {'module.' + name: value for name, value in state.items()}}
    torch.save(content, folder / 'checkpoint.pth.tar')
    return str(folder / 'checkpoint.pth.tar'), state


def close(found, wanted, tolerance=1e-5):
    scale = float(abs(wanted).max())
    assert found.shape == wanted.shape and scale > .1
    assert float(abs(found - wanted).max()) < tolerance * scale


@pytest.mark.parametrize('stride_first', [False, True])
@torch.no_grad()
def test_a_file_of_microsoft(tmp_path, stride_first):
    path, state = microsoft(tmp_path, 16)
    network, provenance = import_network('torch', path, R50, {
        'topology': 'mpii_16', **({'stride_first': True} if stride_first else {})})
    image = torch.randn(2, 3, 64, 96)
    wanted = evaluate_torch(state, image, stride_first=stride_first)
    close(network(image)[-1]['heatmaps'], wanted)
    close(fuse(network)(image)[-1]['heatmaps'], wanted)
    other = evaluate_torch(state, image, stride_first=not stride_first)
    assert abs(other - wanted).max() > .1 * wanted.abs().max()
    card = make_card(network, ExportOptions(), provenance)
    assert (card.input.color, card.license, card.topology.name) == ('bgr', 'MIT', 'mpii_16')
    assert card.decoder.outputs == {'tensor': 'output', 'channels': list(range(16)),
                                    'grid': 'corner'}


@pytest.mark.parametrize('head', ['keypoint_head', 'head'])
@torch.no_grad()
def test_a_file_of_mmpose(tmp_path, head):
    state = torch_state(17)
    torch.save({'meta': {'mmpose_version': '0.29'}, 'state_dict': of_mmpose(state, head)},
               tmp_path / 'res50.pth')
    network, provenance = import_network('torch', str(tmp_path / 'res50.pth'), R50)
    image = torch.randn(1, 3, 96, 64)
    close(network(image)[-1]['heatmaps'], evaluate_torch(state, image))
    card = make_card(network, ExportOptions(), provenance)
    assert (card.input.color, card.license, card.decoder.outputs['grid']) == (
        'rgb', 'Apache-2.0', 'corner')


@torch.no_grad()
def test_a_checkpoint_of_tensorflow(tmp_path):
    state = torch_state(17, deconvolutions=(32, 24, 16))
    variables = of_tensorflow(state)
    more = {'out/weights/Adam': np.zeros((1, 1, 16, 17), np.float32),
            'beta1_power': np.float32([.9]), 'global_step': np.array([9], np.int64)}
    prefix = str(write_checkpoint(tmp_path / 'snapshot_140.ckpt', {**variables, **more}))
    network, provenance = import_network('tf-checkpoint', prefix, R50,
                                         {'deconvolutions': [32, 24, 16]})
    image = torch.randn(1, 3, 64, 96)
    wanted = evaluate_tf(variables, image.permute(0, 2, 3, 1).numpy())
    found = network(image)[-1]['heatmaps'].permute(0, 2, 3, 1).numpy()
    close(found, wanted)
    card = make_card(network, ExportOptions(), provenance)
    assert card.decoder.outputs['peak'] == 255. and card.license.startswith('none stated')
    assert 'deconvolutions' in card.provenance['options']


def test_every_variable_of_the_published_depths_has_a_place(monkeypatch):
    monkeypatch.setitem(resnets.RESNETS, 'resnet50', (True, (3, 4, 6, 3)))
    for depth, blocks in ((50, (3, 4, 6, 3)), (101, (3, 4, 23, 3)), (152, (3, 8, 36, 3))):
        with torch.device('meta'):
            own = {name: tuple(value.shape) for name, value in create_model(
                'simple_baseline_r{}'.format(depth)).state_dict().items()
                if not name.endswith('num_batches_tracked')}
        assert len(own) == {50: 282, 101: 537, 152: 792}[depth]
        assert sum(blocks) == {50: 16, 101: 33, 152: 50}[depth]
        published = {name.replace('trunk.', ''): value for name, value in own.items()}
        published = {_published(name): np.empty(shape, np.float32)
                     for name, shape in published.items()}
        found = named(Weights(published), 'x')
        assert {name: value.shape for name, value in found.tensors.items()} == own
        assert found.options == {'convention': 'microsoft'}


def _published(name):
    """Return the name of Microsoft's repository."""
    if not name.startswith('deconv_layers.'):
        return name
    _, layer, place, last = name.split('.')
    return 'deconv_layers.{}.{}'.format(3 * int(layer) + int(place), last)


def test_a_file_with_other_keypoints_or_a_layer_twice_is_refused(tmp_path):
    path, state = microsoft(tmp_path, 16)
    with pytest.raises(WeightsError, match=r'final_layer.bias is \(16,\), not \(17,\)'):
        import_network('torch', path, R50)
    torch.save({**state, **of_mmpose({'conv1.weight': state['conv1.weight']}, 'head')}, path)
    with pytest.raises(WeightsError, match='holds the layer trunk.conv1.weight twice'):
        import_network('torch', path, R50)


def test_the_command_line_takes_keypoints_and_options(tmp_path):
    path, state = microsoft(tmp_path, 17, deconvolutions=(16, 16, 8))
    out = str(tmp_path / 'start.pt')
    assert main(['import', 'torch', path, '--model', R50, '--topology', POSETRACK, '--option',
                 'deconvolutions=[16, 16, 8]', '-o', out]) == 0
    network, provenance = load_checkpoint(out)
    assert network.family.topology.name == 'posetrack_17'
    assert network.family.topology.mirror == (
        0, 1, 2, 4, 3, 6, 5, 8, 7, 10, 9, 12, 11, 14, 13, 16, 15)
    assert network.recipe.options['convention'] == 'microsoft'
    assert torch.equal(network.deconv_layers[2][0].weight, state['deconv_layers.6.weight'])


def test_an_imported_network_runs_on_the_robot(tmp_path):
    """Scores are shares of the peak 255; without a detector the whole image is the box."""
    state = torch_state(17, deconvolutions=(16, 16, 8))
    state['conv1.weight'] /= 600  # its input is up to 255
    state['final_layer.bias'] += 100
    prefix = str(write_checkpoint(tmp_path / 'snapshot_3.ckpt', of_tensorflow(state)))
    model, image, boxes, out = (str(tmp_path / name) for name in ('a.onnx', '7.png', 'boxes.json',
                                                                  'a.json'))
    assert main(['import', 'tf-checkpoint', prefix, '--model', R50, '--size', '64x96', '--option',
                 'deconvolutions=[16, 16, 8]', '-o', model]) == 0
    assert main(['verify', model]) == 0
    cv2.imwrite(image, draw_image(120, 90, 1))
    Path(boxes).write_text(json.dumps([
        {'image_id': 7, 'category_id': 1, 'bbox': box, 'score': .9}
        for box in ([10, 10, 50, 70], [60, 5, 40, 80])]))
    assert robot(['image', image, '--model', model, '--boxes', boxes, '--json', out]) == 0
    frame, = json.loads(Path(out).read_text())['frames']
    assert len(frame['people']) == 2
    estimator, seen = PoseEstimator(model), []
    infer = estimator.network.engine.infer

    def watched(batch):
        seen.append((batch.copy(), infer(batch)))
        return seen[-1][1]
    estimator.network.engine.infer = watched
    found = estimator(cv2.imread(image))
    (batch, outputs), = seen
    scores, peaks = found.keypoints[0, :, 2], outputs['output'][0].max((1, 2)) / 255
    inside = scores > 0  # the others lie beyond the image
    assert inside.sum() > 12 and .3 < peaks.mean() < .7
    assert scores[inside] == pytest.approx(peaks[inside].clip(0, 1))
    wanted = evaluate_tf(of_tensorflow(state), batch.transpose(0, 2, 3, 1))
    close(outputs['output'].transpose(0, 2, 3, 1), wanted)
    black = batch[0, :, 0, 0]  # beyond the image, before the means are subtracted
    assert black.tolist() == pytest.approx([-123.68, -116.78, -103.94], abs=1e-4)
    estimator.close()


def test_a_classifier_becomes_a_backbone(tmp_path):
    state = {name: value for name, value in torch_state(17).items()
             if not name.startswith(('deconv', 'final'))}
    path, out = str(tmp_path / 'resnet50.pth'), str(tmp_path / 'start.pt')
    torch.save({**state, 'fc.weight': torch.zeros(10, 2048), 'fc.bias': torch.zeros(10)}, path)
    assert main(['import', 'resnet', path, '--model', R50, '-o', out]) == 0
    network, provenance = load_checkpoint(out)
    assert torch.equal(network.trunk.layer4[0].conv2.weight, state['layer4.0.conv2.weight'])
    assert provenance['backbone']['network'] == 'ResNet-50'
    assert network.family.grid == 'half_pixel'
    again, _ = import_network('resnet', path, R50)
    assert torch.equal(again.deconv_layers[0][0].weight, network.deconv_layers[0][0].weight)
    torch.save({name: value for name, value in state.items() if name != 'bn1.bias'}, path)
    with pytest.raises(WeightsError, match="no tensor 'bn1.bias' .* ResNet-50"):
        import_network('resnet', path, R50)
    torch.save({**state, 'layer3.9.conv1.weight': torch.zeros(1)}, path)
    with pytest.raises(WeightsError, match='a deeper one'):
        import_network('resnet', path, R50)
