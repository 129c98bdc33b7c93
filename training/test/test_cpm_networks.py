# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Convolutional pose machines: published counts, options, and outputs of single operations."""
import numpy as np
import pytest
import torch

import cpm_files
from exportable import operators, run
from pose_training.errors import ExportError, NetworkError
from pose_training.exporters.export import export, ExportOptions
from pose_training.models import create_model
from pose_training.models.cost import count_multiply_adds, count_parameters
from pose_training.models.cpm import center_map

SMALL = {'stages': 2, 'width': .125}


@pytest.mark.parametrize('name, stages, parameters, cost, side', [
    ('cpm_body', 6, 29852058, 88.4, 368), ('cpm_body_slim', 6, 29852058, 88.4, 368),
    ('cpm_hand', 6, 36832324, 103.2, 368), ('cpm_hand', 3, 24316162, 37.1, 256),
    ('cpm_hand_slim', 6, 36832324, 103.2, 368), ('cpm_hand_v2', 3, 24316162, 32.5, 128)])
def test_parameters_and_cost_are_the_published_ones(name, stages, parameters, cost, side):
    with torch.device('meta'):
        network = create_model(name, stages=stages)
    assert count_parameters(network) == parameters
    assert round(count_multiply_adds(network, side, side) / 1e9, 1) == cost


@pytest.mark.parametrize('width, height', [(368, 368), (64, 48), (256, 136)])
def test_the_map_of_the_center(width, height):
    found = center_map(width, height, 21, 8)
    np.testing.assert_allclose(found, cpm_files.center_map(width, height), atol=1e-6)
    assert found.shape == (height // 8, width // 8) and found.dtype == np.float32


def test_the_map_of_the_center_is_largest_in_the_middle():
    found = center_map(368, 368, 21, 8)
    # Cell 22 has the pixels 176 to 184, cell 23 those from 184 to 192: both begin at the middle.
    one_way = np.exp(-np.arange(9) ** 2 / (2. * 21 ** 2)).mean()
    np.testing.assert_allclose(found[22:24, 22:24], one_way ** 2, rtol=1e-6)
    assert found.max() < one_way ** 2 + 1e-6 and found[0, 0] < 1e-10


@pytest.mark.parametrize('stages', [2, 3, 9])
def test_every_stage_yields_all_heatmaps(stages):
    network = create_model('cpm_hand', width=.125, stages=stages)
    found = network(torch.zeros(2, 3, 32, 48))
    assert [tuple(stage['heatmaps'].shape) for stage in found] == [(2, 22, 4, 6)] * stages


def test_stride_4_has_maps_of_twice_the_size():
    network = create_model('cpm_hand_v2', **SMALL)
    assert network.stride == 4
    assert network(torch.zeros(1, 3, 32, 48))[-1]['heatmaps'].shape == (1, 22, 8, 12)


def test_rectified_heatmaps_are_never_negative():
    plain, slim = (create_model(name, **SMALL) for name in ('cpm_body', 'cpm_body_slim'))
    slim.load_state_dict(plain.state_dict())
    image = torch.randn(1, 3, 64, 64)
    with torch.no_grad():
        found, rectified = plain(image), slim(image)
    assert min(stage['heatmaps'].min() for stage in found) < 0
    assert min(stage['heatmaps'].min() for stage in rectified) == 0
    torch.testing.assert_close(rectified[0]['heatmaps'], found[0]['heatmaps'].clamp(min=0))


def test_gray_is_the_luma_of_the_channels_in_their_order():
    color, gray = create_model('cpm_hand', **SMALL), create_model('cpm_hand', gray=True, **SMALL)
    state = color.state_dict()
    state['conv1_1.weight'] = gray.state_dict()['conv1_1.weight'] * torch.tensor(
        [.299, .587, .114]).view(1, 3, 1, 1)
    gray.load_state_dict({name: value if name == 'conv1_1.weight' else state[name]
                          for name, value in gray.state_dict().items()})
    color.load_state_dict(state)
    image = torch.randn(1, 3, 32, 32)
    with torch.no_grad():
        torch.testing.assert_close(gray(image)[-1]['heatmaps'], color(image)[-1]['heatmaps'])


@pytest.mark.parametrize('name, options', [
    ('cpm_body', {}), ('cpm_body_slim', {'gray': True}), ('cpm_hand_v2', {})])
@pytest.mark.parametrize('batch', [1, 'dynamic'])
def test_the_exported_file_needs_the_image_alone(tmp_path, name, options, batch):
    network, path = create_model(name, **SMALL, **options).eval(), tmp_path / 'a.onnx'
    card = export(network, str(path), ExportOptions((96, 64), batch=batch))
    image = torch.randn(1 if batch == 1 else 3, 3, 64, 96)
    with torch.no_grad():
        wanted = network(image)[-1]['heatmaps'].numpy()
    np.testing.assert_allclose(run(path, image), wanted, atol=1e-5)
    assert card.decoder.type == 'heatmap'
    assert set(operators(path)) <= {'Conv', 'Relu', 'MaxPool', 'Concat', 'Add'}


def test_only_the_network_of_bodies_has_a_fixed_size(tmp_path):
    options = ExportOptions((64, 64), dynamic=True)
    with pytest.raises(ExportError, match='knows the center of its image'):
        export(create_model('cpm_body', **SMALL), str(tmp_path / 'a.onnx'), options)
    network = create_model('cpm_hand', **SMALL).eval()
    export(network, str(tmp_path / 'a.onnx'), options)
    image = torch.randn(1, 3, 80, 40)
    with torch.no_grad():
        wanted = network(image)[-1]['heatmaps'].numpy()
    np.testing.assert_allclose(run(tmp_path / 'a.onnx', image), wanted, atol=1e-5)


@pytest.mark.parametrize('name, options, word', [
    ('cpm_body', {'stages': 1}, '2 to 64 stages'), ('cpm_hand', {'stride': 16}, 'is 4 or 8'),
    ('cpm_body', {'radius': 0}, 'radius'), ('cpm_hand', {'gray': 1}, 'gray'),
    ('cpm_body', {'stride': 4}, 'stride'), ('cpm_hand', {'stages': 40}, 'at most'),
    ('cpm_hand', {'width': 0}, 'width')])
def test_invalid_options_are_named(name, options, word):
    with pytest.raises(NetworkError, match=word):
        create_model(name, **options)
