# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Simple Baselines: cost, layers, and the weights of three publishers."""
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
from pose_ros.core.card import InputSpec
from pose_training.checkpoint import load_checkpoint
from pose_training.cli.main import main
from pose_training.errors import NetworkError, WeightsError
from pose_training.exporters.cards import make_card
from pose_training.exporters.export import ExportOptions
from pose_training.exporters.synthetic_image import draw_image
from pose_training.importers.formats import import_network
from pose_training.importers.matching import Weights
from pose_training.importers.simple_baseline import named
from pose_training.models import create_model
from pose_training.models import resnet as resnets
from pose_training.models.cost import count_multiply_adds, count_parameters
from pose_training.models.folding import fuse
from pose_training.models.normalization import Normalization
from pose_training.models.registry import convention_of

R50 = 'simple_baseline_r50'
POSETRACK = str(Path(__file__).parents[1] / 'configs' / 'topologies' / 'posetrack_17.yaml')


@pytest.fixture
def short(monkeypatch):
    """Make of ResNet-50 one of few blocks."""
    monkeypatch.setitem(resnets.RESNETS, 'resnet50', (True, BLOCKS))


@pytest.mark.parametrize('depth, parameters, small, large', [
    (50, 33999697, 5.43, 12.21), (101, 52991825, 9.06, 20.39), (152, 68635473, 12.70, 28.57)])
def test_cost_is_that_of_the_published_networks(depth, parameters, small, large):
    with torch.device('meta'):
        network = create_model('simple_baseline_r{}'.format(depth))
        of_mpii = create_model('simple_baseline_r{}'.format(depth), 'mpii_16')
    assert count_parameters(network) == parameters
    assert count_parameters(of_mpii) == parameters - 257
    for size, wanted in (((192, 256), small), ((288, 384), large)):
        assert round(count_multiply_adds(network, *size) / 1e9, 2) == wanted


def test_cost_of_the_light_one():
    with torch.device('meta'):
        light, crop = create_model('lite_simple_baseline'), create_model('lite_pose_crop')
    widths = (192, 128, 96, 64)
    head = sum(16 * a * b + 2 * b for a, b in zip(widths, widths[1:])) + 64 * 17 + 17
    assert count_parameters(light) == count_parameters(crop.trunk) + head == 3043217
    assert count_multiply_adds(light, 192, 256) == 463065600


@pytest.mark.parametrize('size', [(96, 64), (64, 160)])
def test_maps_have_a_quarter_of_the_size(short, size):
    network = create_model(R50, 'mpii_16').eval()
    maps = network(torch.zeros(1, 3, size[1], size[0]))[-1]['heatmaps']
    assert maps.shape == (1, 16, size[1] // 4, size[0] // 4)
    assert network.size_multiple == 32 and network.stride == 4


# What the layers compute, in numbers (the traps of a conversion from TensorFlow).

def test_a_transposed_convolution_spreads_cell_i_over_2i_minus_1_to_2i_plus_2():
    layer = create_model('lite_simple_baseline', width=.25, deconvolutions=[1, 1, 1]
                         ).deconv_layers[1][0]
    with torch.no_grad():
        layer.weight.copy_(torch.outer(torch.tensor([1., 2., 3., 4.]), torch.tensor(
            [1., 10., 100., 1000.])).view(1, 1, 4, 4))
        spread = layer(torch.eye(3)[1].outer(torch.eye(3)[2]).view(1, 1, 3, 3))[0, 0]
    # Row 1, column 2 of 3: rows 1 to 4 of 6, columns 3 to 5 (the sixth would be column 6). The
    # kernel is not turned around.
    wanted = torch.zeros(6, 6)
    wanted[1:5, 3:6] = torch.outer(torch.tensor([1., 2., 3., 4.]), torch.tensor([1., 10., 100.]))
    assert torch.equal(spread, wanted)


def test_the_pool_has_a_zero_on_each_side_and_not_the_padding_same(short):
    pool = create_model(R50).trunk.maxpool
    row = torch.arange(1., 9).repeat(8, 1)[None, None]
    # SAME of TensorFlow has no zero before an even length: 3, 5, 7, 8.
    assert pool(row)[0, 0, 0].tolist() == [2., 4., 6., 8.]


def test_the_first_convolution_has_three_zeros_on_each_side(short):
    layer = create_model(R50).trunk.conv1
    with torch.no_grad():
        layer.weight.zero_()
        layer.weight[0, 0] = torch.arange(49.).view(7, 7)
        found = layer(torch.nn.functional.pad(torch.ones(1, 1, 1, 1), (0, 7, 0, 7, 0, 2)))
    # Pixel 0 is under row and column 3 of the kernel; with SAME it would be under 2.
    assert found[0, 0, 0, 0] == 3 * 7 + 3 and found[0, 0, 0, 1] == 3 * 7 + 1


def test_the_stride_is_in_the_3x3_convolution_unless_it_is_first(short):
    strides = {first: [(name, layer.stride[0]) for name, layer in create_model(
        R50, stride_first=first).trunk.layer3[0].named_modules() if hasattr(layer, 'kernel_size')]
        for first in (False, True)}
    assert strides == {
        False: [('conv1', 1), ('conv2', 2), ('conv3', 1), ('downsample.0', 2)],
        True: [('conv1', 2), ('conv2', 1), ('conv3', 1), ('downsample.0', 2)]}


# Files of the published forms.

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
def test_a_file_of_microsoft(short, tmp_path, stride_first):
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
def test_a_file_of_mmpose(short, tmp_path, head):
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
def test_a_checkpoint_of_tensorflow(short, tmp_path):
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


def test_every_variable_of_the_published_depths_has_a_place():
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


def test_the_norms_of_tensorflow_have_their_epsilon(short):
    norms = {convention: {(layer.eps, layer.momentum) for layer in create_model(
        R50, convention=convention).modules() if isinstance(layer, torch.nn.BatchNorm2d)}
        for convention in ('pose_ros', 'microsoft', 'tensorflow')}
    assert norms == {'pose_ros': {(1e-5, .1)}, 'microsoft': {(1e-5, .1)},
                     'tensorflow': {(1e-9, .01)}}


@pytest.mark.parametrize('convention, wanted', [
    ('pose_ros', [(30 / 255 - .485) / .229, (20 / 255 - .456) / .224, (10 / 255 - .406) / .225]),
    ('mmpose', [(30 / 255 - .485) / .229, (20 / 255 - .456) / .224, (10 / 255 - .406) / .225]),
    ('microsoft', [(10 / 255 - .485) / .229, (20 / 255 - .456) / .224, (30 / 255 - .406) / .225]),
    ('tensorflow', [10 - 123.68, 20 - 116.78, 30 - 103.94])])
def test_the_input_of_each_convention(convention, wanted):
    spec = InputSpec(**convention_of(R50, {'convention': convention}).input)
    pixel = torch.tensor([10, 20, 30], dtype=torch.uint8).view(1, 3, 1, 1)  # B, G, R
    assert Normalization(spec)(pixel).ravel().tolist() == pytest.approx(wanted, abs=1e-4)
    assert (spec.width, spec.height, spec.fit, spec.padding) == (192, 256, 'crop', 1.25)


@pytest.mark.parametrize('options, reason', [
    ({'convention': 'caffe'}, "`convention` is one of pose_ros, mmpose.*not 'caffe'"),
    ({'convention': ['mmpose']}, 'one of'), ({'backbone': 'resnet18'}, 'resnet50.*resnet152'),
    ({'stride_first': 1}, 'true or false'), ({'deconvolutions': [256, 256]}, 'list of 3 numbers')])
def test_invalid_options_are_named(options, reason):
    with pytest.raises(NetworkError, match=reason):
        create_model(R50, **options)


def test_a_file_with_other_keypoints_or_a_layer_twice_is_refused(short, tmp_path):
    path, state = microsoft(tmp_path, 16)
    with pytest.raises(WeightsError, match=r'final_layer.bias is \(16,\), not \(17,\)'):
        import_network('torch', path, R50)
    torch.save({**state, **of_mmpose({'conv1.weight': state['conv1.weight']}, 'head')}, path)
    with pytest.raises(WeightsError, match='holds the layer trunk.conv1.weight twice'):
        import_network('torch', path, R50)


def test_the_command_line_takes_keypoints_and_options(short, tmp_path):
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


def test_an_imported_network_runs_on_the_robot(short, tmp_path):
    """Scores are shares of the peak 255; without a detector the whole image is the box."""
    state = torch_state(17, deconvolutions=(16, 16, 8))
    state['conv1.weight'] /= 600  # its input is up to 255
    state['final_layer.bias'] += 100
    prefix = str(write_checkpoint(tmp_path / 'snapshot_3.ckpt', of_tensorflow(state)))
    model, image, boxes, out = (str(tmp_path / name) for name in ('a.onnx', '7.png', 'boxes.json',
                                                                  'a.json'))
    assert main(['import', 'tf-checkpoint', prefix, '--model', R50, '--size', '64x96', '--option',
                 'deconvolutions=[16, 16, 8]', '-o', model]) == 0
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


def test_a_classifier_becomes_a_backbone(short, tmp_path):
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
