# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""The bundled models: their cards are correct, and they are opened and exported again."""
import os

import numpy as np
import onnx
import pytest
import torch

from exportable import final_maps
from pose_ros.core.card_files import load_card
from pose_ros.core.bundled import int8_file, model_file
from pose_ros.core.engines.half_weights import read_for_tensorrt
from pose_training.cli.main import main
from pose_training.evaluation.evaluate import evaluate
from pose_training.exporters.export import export, ExportOptions
from pose_training.exporters.operators import check_model
from pose_training.importers.formats import import_network

SETS = ('coco_dev', 'fashion_dev', 'lspet_dev', 'pfg_dev')


@pytest.fixture(scope='module')
def network():
    """Return the network that was exported."""
    return import_network('onnx', model_file('bottom_up'), 'repvgg_fpn')[0]


def test_the_file_is_valid_and_agrees_with_its_network():
    assert main(['verify', model_file('bottom_up')]) == 0
    model = onnx.load(model_file('bottom_up'))
    check_model(model)
    assert model.ir_version <= 8 and model.opset_import[0].version == 13


def test_it_opens_again_to_train_on(network):
    spec = load_card(model_file('bottom_up')).input
    image = torch.randn(1, 3, spec.height, spec.width).numpy()
    onnxruntime = pytest.importorskip('onnxruntime')
    session = onnxruntime.InferenceSession(model_file('bottom_up'),
                                           providers=['CPUExecutionProvider'])
    wanted, = session.run(None, {'image': image})
    np.testing.assert_allclose(final_maps(network, image), wanted, atol=1e-4)


def test_a_variant_in_float16_is_made_from_it(network, tmp_path):
    path, spec = tmp_path / 'half.onnx', load_card(model_file('bottom_up')).input
    export(network, str(path), ExportOptions(size=(spec.width, spec.height), precision='fp16'))
    assert path.stat().st_size < 3.2e6


def test_accuracy_is_that_of_the_card(shared):
    """The figures are measured again; engines and processors differ by little."""
    measured = load_card(model_file('bottom_up')).provenance['measured']
    folder = shared / 'data' / 'dev'
    paths = [str(folder / (name + '.json')) for name in SETS]
    found = evaluate(model_file('bottom_up'), paths, threads=1)
    assert [result.name for result in found] == list(SETS)
    for result in found:
        assert result.protocol == measured['protocol']
        assert result.figures['AP'] == pytest.approx(measured[result.name]['AP'], abs=.02)
        assert result.figures['swapped'] < .1


@pytest.mark.parametrize('name, network', [
    ('pose_crop', 'lite_pose_crop'), ('person_detector', 'lite_person_detector')])
def test_the_default_pair_is_exported_for_tensorrt(name, network, tmp_path, capsys):
    """Its files are valid; in fp32 and fp16 each operator is one that TensorRT 8.2 reads."""
    path, weights = model_file(name), str(tmp_path / 'network.pt')
    assert main(['verify', name]) == main(['verify', int8_file(path)]) == 0
    assert 'all supported by TensorRT 8.2' in capsys.readouterr().out
    assert main(['import', 'onnx', path, '--model', network, '-o', weights]) == 0
    sizes = []
    for precision in ('fp32', 'fp16'):
        exported = str(tmp_path / (precision + '.onnx'))
        assert main(['export', weights, '-o', exported, '--precision', precision]) == 0
        check_model(onnx.load(exported))
        sizes.append(os.path.getsize(exported))
    assert sizes[1] < .52 * sizes[0]


@pytest.mark.parametrize('name', ['pose_crop', 'person_detector'])
def test_tensorrt_gets_weights_that_it_reads(name):
    """As the robot gives the file to TensorRT: no weight is made by a node."""
    model = onnx.load_model_from_string(read_for_tensorrt(model_file(name)))
    assert not {node.domain for node in model.graph.node} - {'', 'ai.onnx'}
    # ONNX Runtime lists its own operators too, although the file has none of them.
    opset = [item for item in model.opset_import if not item.domain]
    del model.opset_import[:]
    model.opset_import.extend(opset)
    check_model(model)
    assert 'Cast' not in {node.op_type for node in model.graph.node}
