# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""The bundled model: its card is correct."""
import numpy as np
import onnx
import pytest
import torch

from exportable import final_maps
from pose_ros.core.card_files import load_card
from pose_ros.core.bundled import model_file
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
