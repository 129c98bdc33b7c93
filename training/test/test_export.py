# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""From a network to a file that the robot runs."""
import json
from collections import Counter
from pathlib import Path

import cv2
import numpy as np
import onnx
import pytest
import torch
from exportable import (final_maps, odd_network, operators, OddNetwork, run, SIZE, tiny_student,
                        with_statistics)

import pose_ros.core
from pose_ros.core.card_files import load_card
from pose_ros.core.estimator import PoseEstimator
from pose_training.errors import ExportError, NetworkError
from pose_training.exporters import export as export_module
from pose_training.exporters.cards import make_card
from pose_training.exporters.export import export, ExportOptions
from pose_training.exporters.parity import verify
from pose_training.exporters.synthetic_image import draw_image
from pose_training.exporters.tracing import trace
from pose_training.importers.formats import import_network
from pose_training.models import create_model

SMALL = ExportOptions(size=SIZE)
BUNDLED = Path(pose_ros.core.__file__).parents[1] / 'models' / 'mobilenet_v2_small.json'


def random_input(batch=1, size=SIZE):
    return torch.randn(batch, 3, size[1], size[0]).numpy()


def test_a_file_computes_what_the_network_does(tmp_path):
    network, path = tiny_student(), tmp_path / 'a.onnx'
    export(network, str(path), SMALL)
    image = random_input()
    maps, expected = run(path, image), final_maps(network, image)
    assert maps.shape == (1, 57, 8, 12)
    np.testing.assert_allclose(maps, expected, atol=1e-4 * np.abs(expected).max())


def test_the_file_has_the_agreed_form(tmp_path):
    path = tmp_path / 'a.onnx'
    export(tiny_student(), str(path), SMALL)
    model = onnx.load(str(path))
    assert model.ir_version <= 8
    assert [(item.domain, item.version) for item in model.opset_import] == [('', 13)]
    image, output = model.graph.input, model.graph.output
    assert [(item.name, item.type.tensor_type.elem_type) for item in (*image, *output)] == [
        ('image', onnx.TensorProto.FLOAT), ('output', onnx.TensorProto.FLOAT)]
    assert [dim.dim_value for dim in output[0].type.tensor_type.shape.dim] == [1, 57, 8, 12]
    # 5 blocks of the backbone, 3 laterals, 2 smoothings; 2 blocks and 2 1x1 per stage, and a first
    # layer of the second: nothing beside what one convolution each needs, and no batch norm or
    # split is left.
    kinds = operators(path)
    assert kinds.count('Conv') == 5 + 3 + 2 + 4 + 5
    assert set(kinds) == {'Conv', 'Relu', 'Resize', 'Add', 'Concat'}
    assert kinds.count('Concat') == 1


def test_an_estimator_runs_the_file(tmp_path):
    path = tmp_path / 'a.onnx'
    card = export(tiny_student(), str(path), SMALL, {'source': 'a test', 'seed': 3})
    assert load_card(str(path)) == card
    estimator = PoseEstimator(str(path), backend='onnxruntime')
    people = estimator(np.full((50, 70, 3), 90, np.uint8))
    assert people.keypoints.shape[1:] == (18, 3)
    assert (estimator.card.input.width, estimator.card.input.height) == SIZE
    assert card.provenance['source'] == 'a test' and card.provenance['seed'] == 3
    assert card.provenance['network'] == 'repvgg_fpn'


def test_exporting_leaves_the_network_as_it_was(tmp_path):
    network = tiny_student().train()
    before = {name: value.clone() for name, value in network.state_dict().items()}
    export(network, str(tmp_path / 'a.onnx'), SMALL)
    assert network.training and all(module.training for module in network.modules())
    assert all(torch.equal(before[name], value) for name, value in network.state_dict().items())


def test_normalization_can_go_into_the_graph(tmp_path, monkeypatch):
    network, path = odd_network(monkeypatch), tmp_path / 'a.onnx'
    card = export(network, str(path), ExportOptions(normalize=True))
    assert (card.input.scale, card.input.mean, card.input.std) == (1.0, (0.,) * 3, (1.,) * 3)
    assert card.input.color == 'rgb'
    pixels = np.random.default_rng(0).integers(0, 256, (1, 3, 64, 96)).astype(np.float32)
    mean, std = (np.array(values, np.float32).reshape(1, 3, 1, 1)
                 for values in ((.4, .5, .6), (.2, .25, .3)))
    expected = final_maps(network, (pixels / 255 - mean) / std)
    np.testing.assert_allclose(run(path, pixels), expected, atol=1e-4 * np.abs(expected).max())
    plain = export(network, str(path), ExportOptions())
    assert plain.input.mean == (.4, .5, .6) and plain.input.std == (.2, .25, .3)


@pytest.mark.parametrize('odd', [False, True])
def test_a_dynamic_file_takes_every_size_and_batch(odd, tmp_path, monkeypatch):
    network = odd_network(monkeypatch) if odd else tiny_student()
    path = tmp_path / 'a.onnx'
    export(network, str(path), ExportOptions(size=SIZE, dynamic=True))
    for batch, size in ((1, SIZE), (2, (160, 96)), (3, (32, 64))):
        image = random_input(batch, size)
        expected = final_maps(network, image)
        assert expected.shape == (batch, 57, size[1] // 8, size[0] // 8)
        np.testing.assert_allclose(run(path, image), expected,
                                   atol=1e-4 * np.abs(expected).max())
    model = onnx.load(str(path))
    assert [[dim.dim_param or dim.dim_value for dim in item.type.tensor_type.shape.dim]
            for item in (*model.graph.input, *model.graph.output)] == [
                ['n', 3, 'h', 'w'], ['n', 57, 'h8', 'w8']]


def test_padding_and_copies_are_gone(tmp_path, monkeypatch):
    path = tmp_path / 'a.onnx'
    export(odd_network(monkeypatch), str(path))
    assert operators(path) == ['Conv', 'InstanceNormalization', 'Pad', 'Sub', 'Clip', 'Conv',
                               'Relu', 'BatchNormalization', 'Relu', 'Conv']
    pads = [node.attribute for node in onnx.load(str(path)).graph.node if node.op_type == 'Conv']
    assert [list(item.ints) for item in pads[0] if item.name == 'pads'] == [[0, 0, 1, 1]]


@pytest.mark.parametrize('stages', [1, 2, 3])
def test_a_file_can_end_after_any_stage(stages, tmp_path):
    network, path = tiny_student(stages=3), tmp_path / 'a.onnx'
    card = export(network, str(path), ExportOptions(size=SIZE, stages=stages))
    image = random_input()
    with torch.no_grad():
        maps = network(torch.as_tensor(image))[stages - 1]
    expected = np.concatenate([part.numpy() for part in maps.values()], 1)
    np.testing.assert_allclose(run(path, image), expected, atol=1e-4 * np.abs(expected).max())
    assert card.provenance['options']['stages'] == stages
    assert operators(path).count('Conv') == 5 + 3 + 2 + stages * 5 - 1


def test_a_network_without_pafs_gets_a_card_of_heatmaps(tmp_path):
    path = tmp_path / 'a.onnx'
    card = export(tiny_student('hand_21'), str(path), SMALL)
    assert card.decoder.type == 'heatmap' and card.topology.name == 'hand_21'
    assert card.decoder.outputs == {
        'tensor': 'output', 'channels': list(range(21)), 'grid': 'half_pixel'}
    assert run(path, random_input()).shape == (1, 22, 8, 12)


@pytest.mark.parametrize('name', ['cmu', 'mobilenet_v2_small'])
def test_the_card_has_the_limbs_of_the_published_one(name):
    with torch.device('meta'):
        network = create_model(name)
    written = json.loads(make_card(network, ExportOptions(), {}).to_json())
    published = json.loads(BUNDLED.read_text())
    assert written['decoder']['outputs'] == published['decoder']['outputs']
    assert written['topology'] == published['topology'] == 'coco_18'
    if name == 'mobilenet_v2_small':
        assert written['input'] == published['input']
        assert (written['name'], written['license']) == (name, published['license'])


def test_the_card_of_trt_pose_reads_its_pafs_y_first():
    with torch.device('meta'):
        card = make_card(create_model('trt_pose_resnet18'), ExportOptions(), {})
    # Limb 0 of human_pose.json joins ankle and knee (15, 13); no background comes before.
    assert card.decoder.outputs['pafs']['axis_order'] == 'yx'
    assert card.decoder.outputs['pafs']['limbs'][0] == [15, 13, 18]
    assert card.decoder.outputs['heatmaps']['background'] is None
    assert card.decoder.outputs['stride'] == 4


def test_provenance_can_replace_the_words_of_the_card():
    card = make_card(tiny_student(), SMALL, {'name': 'mine', 'version': '2.1', 'license': 'MIT',
                                             'accuracy': 'AP 50'})
    assert (card.name, card.version, card.license) == ('mine', '2.1', 'MIT')
    assert card.provenance['accuracy'] == 'AP 50' and 'name' not in card.provenance


@pytest.mark.parametrize('options, error, words', [
    (ExportOptions(size=(100, 64)), ExportError, 'multiples of 32, not 100x64'),
    (ExportOptions(size=(0, 64)), ExportError, 'multiples of 32'),
    (ExportOptions(size=SIZE, precision='bf16'), ExportError, "unknown precision 'bf16'"),
    (ExportOptions(size=SIZE, precision='int8'), ExportError, 'needs images'),
    (ExportOptions(size=SIZE, stages=3), ExportError, 'has fewer stages'),
    (ExportOptions(size=SIZE, stages=9), NetworkError, '1 to 3 stages'),
])
def test_invalid_exports_are_errors_and_write_nothing(options, error, words, tmp_path):
    with pytest.raises(error, match=words):
        export(tiny_student(), str(tmp_path / 'a.onnx'), options)
    assert not list(tmp_path.iterdir())


def test_a_network_outside_the_registry_is_rejected(tmp_path):
    with pytest.raises(ExportError, match='OddNetwork without a recipe'):
        export(OddNetwork(19, 38, 1), str(tmp_path / 'a.onnx'), SMALL)


def test_a_wrong_graph_is_never_written_over_a_good_file(tmp_path, monkeypatch):
    path = tmp_path / 'a.onnx'
    path.write_bytes(b'good')
    wrong = tiny_student(seed=1)
    monkeypatch.setattr(export_module, 'trace', lambda network, *arguments: trace(
        wrong, *arguments))
    with pytest.raises(ExportError, match='does not agree with its PyTorch network'):
        export(tiny_student(), str(path), SMALL)
    assert path.read_bytes() == b'good' and len(list(tmp_path.iterdir())) == 1


def test_a_folder_that_is_not_there_is_named(tmp_path):
    with pytest.raises(ExportError, match='missing/a.onnx: there is no folder'):
        export(tiny_student(), str(tmp_path / 'missing' / 'a.onnx'), SMALL)


def test_progress_is_reported(tmp_path):
    lines = []
    export(tiny_student(), str(tmp_path / 'a.onnx'), SMALL, report=lines.append)
    assert lines[0] == 'tracing repvgg_fpn at 96x64' and 'correlate by 1.0000000' in lines[-1]


def test_a_network_that_cannot_be_traced_is_an_export_error(tmp_path, monkeypatch):
    network = with_statistics(odd_network(monkeypatch))
    network.second.forward = lambda features: 1 / 0
    with pytest.raises(ExportError, match="'odd' cannot be traced at 96x64: division by zero"):
        export(network, str(tmp_path / 'a.onnx'))


def test_the_published_network_becomes_its_known_onnx_file(shared, tmp_path):
    path, known = str(tmp_path / 'a.onnx'), str(shared / 'weights' / 'mobilenet_v2_small.onnx')
    network, provenance = import_network(
        'tf-graph', str(shared / 'weights' / 'tf_pose_mobilenet_v2_small_graph_opt.pb'),
        'mobilenet_v2_small')
    card = export(network, path, provenance=provenance)
    assert card.provenance['weights_sha256'] == provenance['weights_sha256']
    # As many of each operator as in the file that was converted by hand, so it is as fast.
    assert Counter(operators(path)) == Counter(operators(known))
    for name in ('p3', 'ski'):
        golden = np.load(str(shared / 'golden' / (name + '.npz')))
        image = np.moveaxis(golden['resized_bgr'], -1, 0)[None]
        maps, expected = run(path, image), run(known, image)
        assert np.abs(maps - expected).max() < 5e-3
        # What TensorFlow yielded, stored as float16.
        np.testing.assert_allclose(np.moveaxis(maps[0], 0, -1), golden['output'], atol=5e-3)


@pytest.mark.parametrize('batch, shape', [(2, 2), ('dynamic', 'n')])
def test_a_file_takes_batches(batch, shape, tmp_path):
    network, path = tiny_student(), tmp_path / 'a.onnx'
    card = export(network, str(path), ExportOptions(size=SIZE, batch=batch))
    model = onnx.load(str(path))
    assert [[dim.dim_param or dim.dim_value for dim in item.type.tensor_type.shape.dim]
            for item in (*model.graph.input, *model.graph.output)] == [
                [shape, 3, SIZE[1], SIZE[0]], [shape, 57, SIZE[1] // 8, SIZE[0] // 8]]
    assert card.provenance['export']['batch'] == batch
    image = random_input(2)
    expected = final_maps(network, image)
    np.testing.assert_allclose(run(path, image), expected, atol=1e-4 * np.abs(expected).max())
    assert verify(str(path), network).outputs.difference < 1e-5
    assert verify(str(path)).outputs.difference < 1e-5
    without = card._replace(provenance=dict(card.provenance, export=None, parity=None))
    alone = make_card(network, ExportOptions(size=SIZE), {})
    assert without == alone._replace(provenance=without.provenance)


@pytest.mark.parametrize('options', [{'batch': 0}, {'batch': 10 ** 9}, {'batch': 'many'},
                                     {'batch': 2, 'dynamic': True}])
def test_invalid_batches_are_rejected(options, tmp_path):
    with pytest.raises(ExportError, match='batch'):
        export(tiny_student(), str(tmp_path / 'a.onnx'), ExportOptions(size=SIZE, **options))


def test_int8_and_fp16_files_take_a_fixed_batch(tmp_path):
    for precision in ('fp16', 'int8'):
        path, images = tmp_path / (precision + '.onnx'), []
        if precision == 'int8':
            images = [str(tmp_path / 'a.png')]
            cv2.imwrite(images[0], draw_image(*SIZE))
        network = tiny_student()
        with torch.no_grad():
            for parameter in network.stages[-1][-1].parameters():
                parameter.mul_(.01)  # no people in noise
        export(network, str(path), ExportOptions(size=SIZE, precision=precision, batch=2,
                                                 calibration=images))
        assert run(path, random_input(2)).shape[0] == 2
