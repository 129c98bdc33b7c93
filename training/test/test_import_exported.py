# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Exported files of the project's own network, opened again to train on."""
import copy
import json
from pathlib import Path

from exportable import final_maps, SIZE, tiny_student
from figures import write_figures, write_run
import numpy as np
import onnx
import pytest
import torch
from torch import nn

from pose_ros.core.card import CARD_KEY
from pose_ros.core.card_files import load_card
from pose_ros.core.errors import ModelError, PoseRosError
from pose_ros.core.onnx_file import with_metadata
from pose_training.checkpoint import load_checkpoint
from pose_training.cli.main import main
from pose_training.errors import WeightsError
from pose_training.exporters.export import export, ExportOptions
from pose_training.fitting.norms import settle_norms
from pose_training.importers.formats import import_network
from pose_training.models import create_model


@pytest.fixture
def exported(tmp_path):
    """Return the path of an exported network."""
    path = str(tmp_path / 'network.onnx')
    export(tiny_student(), path, ExportOptions(size=SIZE))
    return path


def test_an_exported_network_is_a_network_again(exported):
    network, provenance = import_network('onnx', exported, 'repvgg_fpn')
    wanted = tiny_student()
    image = torch.randn(2, 3, 64, 96)
    np.testing.assert_allclose(final_maps(network, image.numpy()),
                               final_maps(wanted, image.numpy()), atol=1e-5)
    assert network.recipe == wanted.recipe
    assert set(network.state_dict()) == set(wanted.state_dict())
    assert provenance['weights'] == 'network.onnx' and len(provenance['weights_sha256']) == 64
    # Not only equal, but also trainable: it has norms and identities.
    assert any(isinstance(layer, nn.BatchNorm2d) for layer in network.modules())


@pytest.mark.parametrize('options', [{'precision': 'fp16'}, {'half_weights': True}])
def test_files_with_weights_in_float16(tmp_path, options):
    path, image = str(tmp_path / 'half.onnx'), torch.randn(2, 3, 64, 96).numpy()
    export(tiny_student(), path, ExportOptions(size=SIZE, **options))
    found, wanted = (final_maps(network, image) for network in (
        import_network('onnx', path, 'repvgg_fpn')[0], tiny_student()))
    assert 0 < np.abs(found - wanted).max() < 3e-3 * np.ptp(wanted)


def test_a_network_that_was_cut_has_the_stages_that_are_left(tmp_path):
    path, image = str(tmp_path / 'cut.onnx'), torch.randn(1, 3, 64, 96)
    export(tiny_student(), path, ExportOptions(size=SIZE, stages=1))
    network, _ = import_network('onnx', path, 'repvgg_fpn')
    assert network.recipe.options['stages'] == len(network.stages) == 1
    with torch.no_grad():
        found, wanted = network(image)[-1]['heatmaps'], tiny_student()(image)[0]['heatmaps']
    assert torch.allclose(found, wanted, atol=1e-4)


def test_it_can_be_trained_on(exported, tmp_path):
    weights = str(tmp_path / 'network.pt')
    assert main(['import', 'onnx', exported, '--model', 'repvgg_fpn', '-o', weights]) == 0
    config = write_run(tmp_path, write_figures(tmp_path / 'data'), optimizer__norm='frozen',
                       optimizer__lr=1e-12, model={'checkpoint': weights})
    assert main(['fit', config]) == 0
    trained, provenance = load_checkpoint(str(tmp_path / 'run' / 'network.pt'))
    image = torch.randn(1, 3, 64, 96).numpy()
    np.testing.assert_allclose(final_maps(trained, image), final_maps(tiny_student(), image),
                               atol=1e-4)
    assert provenance['began_with'] == weights


def test_recalibrated_norms_compute_the_same_and_can_be_trained(exported, tmp_path):
    network, _ = import_network('onnx', exported, 'repvgg_fpn')
    images = torch.rand(6, 3, 64, 96) * 4 - 2
    before = final_maps(network, images.numpy())
    untouched = copy.deepcopy(network).train()(images)[-1]['heatmaps'].detach().numpy()
    settle_norms(network, images)
    assert not network.training
    np.testing.assert_allclose(final_maps(network, images.numpy()), before, atol=1e-4)
    learning = network.train()(images)[-1]['heatmaps'].detach().numpy()
    wanted = before[:, :learning.shape[1]]
    assert np.abs(learning - wanted).max() < 1e-3 < np.abs(untouched - wanted).max()


def test_a_run_settles_the_norms_once(exported, tmp_path):
    weights = str(tmp_path / 'network.pt')
    assert main(['import', 'onnx', exported, '--model', 'repvgg_fpn', '-o', weights]) == 0
    config = write_run(tmp_path, write_figures(tmp_path / 'data'), optimizer__lr=1e-12,
                       optimizer__ema_decay=0., optimizer__weight_decay=0.,
                       model={'checkpoint': weights, 'bn_calibration_crops': 6})
    assert main(['fit', config]) == 0
    trained = load_checkpoint(str(tmp_path / 'run' / 'network.pt'))[0].state_dict()
    start = load_checkpoint(weights)[0].state_dict()
    name = 'backbone.0.0.dense.1.'
    assert torch.all(start[name + 'weight'] == 1)
    assert not torch.allclose(trained[name + 'weight'], start[name + 'weight'], atol=.01)
    assert main(['fit', config, '--resume', 'optimizer.epochs=3']) == 0
    again = load_checkpoint(str(tmp_path / 'run' / 'network.pt'))[0].state_dict()
    assert torch.allclose(again[name + 'weight'], trained[name + 'weight'], atol=1e-6)


def test_other_files_are_rejected(exported, tmp_path):
    with pytest.raises(WeightsError, match='not published as onnx'):
        import_network('onnx', exported, 'cmu')
    half, changed = (str(tmp_path / name) for name in ('h.onnx', 'c.onnx'))
    content = Path(exported).read_bytes()
    card = json.loads(load_card(exported).to_json())
    card['provenance']['options']['stages'] = 3
    Path(changed).write_bytes(with_metadata(content, CARD_KEY, json.dumps(card)))
    with pytest.raises(WeightsError, match="lacks the tensor 'stages.2.*unchanged fp32 and fp16"):
        import_network('onnx', changed, 'repvgg_fpn')
    Path(half).write_bytes(content[:len(content) // 2])
    with pytest.raises(ModelError, match='is not a complete ONNX file'):
        import_network('onnx', half, 'repvgg_fpn')


def test_a_file_of_another_network_is_rejected(tmp_path):
    path = str(tmp_path / 'other.onnx')
    export(create_model('mobilenet_v2_small').eval(), path, ExportOptions(size=(64, 64)))
    with pytest.raises(WeightsError,
                       match="not exported from repvgg_fpn, but from 'mobilenet"):
        import_network('onnx', path, 'repvgg_fpn')


def test_weights_in_a_foreign_file_are_not_read(exported, tmp_path, monkeypatch):
    """A file of that name in the current folder became weights once."""
    model = onnx.load(exported)
    onnx.save(model, exported, save_as_external_data=True, location='foreign.bin',
              size_threshold=0)
    (tmp_path / 'elsewhere').mkdir()
    (tmp_path / 'foreign.bin').rename(tmp_path / 'elsewhere' / 'foreign.bin')
    monkeypatch.chdir(tmp_path / 'elsewhere')
    with pytest.raises(PoseRosError, match='network.onnx'):
        import_network('onnx', exported, 'repvgg_fpn')
    assert main(['info', exported]) == 1
    assert main(['verify', exported]) == 1
