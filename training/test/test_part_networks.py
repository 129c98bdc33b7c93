# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Part detectors: counts of the published networks, TensorFlow's padding, stages, options."""
from exportable import with_statistics
import numpy as np
import pytest
import torch

from pose_ros.core.card_files import load_card
from pose_training.errors import NetworkError
from pose_training.exporters.export import export, ExportOptions
from pose_training.importers.formats import import_network
from pose_training.models import create_model
from pose_training.models.atrous_resnet import AtrousResNet, SamePool
from pose_training.models.cost import count_parameters
from pose_training.models.pair_tables import ordered, PairTables, unordered
from pose_training.models.part_detector import DoubledHead

PEOPLE_14 = {'name': 'people_14', 'keypoint_names': ['k{}'.format(k) for k in range(14)],
             'limbs': [[0, 1]]}


@pytest.mark.parametrize('name, topology, parameters', [
    ('part_detector_r50', PEOPLE_14, 24282218), ('part_detector_r101', PEOPLE_14, 43274346),
    ('part_detector_r152', PEOPLE_14, 58917994), ('part_pairwise_r50', 'coco_17', 34475667),
    ('part_pairwise_r101', 'coco_17', 53467795)])
def test_parameters_are_those_of_the_published_networks(name, topology, parameters):
    with torch.device('meta'):
        assert count_parameters(create_model(name, topology, intermediate=0)) == parameters


def test_the_head_of_the_intermediate_supervision_is_that_of_the_published_network():
    with torch.device('meta'):
        network = create_model('part_detector_r101')
    assert count_parameters(network.intermediate) == 156689
    assert create_model('part_detector_r50').intermediate is None


def test_a_head_has_the_padding_of_tensorflow():
    head = DoubledHead(1, 1)
    with torch.no_grad():
        head.weight[0, 0] = torch.tensor([[1., 10, 100], [2, 20, 200], [3, 30, 300]])
        found = head(torch.tensor([[[[1., 2], [0, 0]]]]))[0, 0]
    # SAME of a 3x3 kernel with stride 2: input cell i reaches the output cells 2 i to 2 i + 2.
    assert found[:2].tolist() == [[1, 10, 100 + 2, 20], [2, 20, 200 + 4, 40]]
    assert found[2].tolist() == [3, 30, 300 + 6, 60] and found.shape == (4, 4)
    usual = torch.nn.functional.conv_transpose2d(
        torch.tensor([[[[1., 2], [0, 0]]]]), head.weight, None, 2, 1, 1)[0, 0]
    assert torch.equal(usual[:3, :3], found[1:, 1:])  # one cell further up and left


@pytest.mark.parametrize('sides, expected', [
    ((4, 6), [[14, 16, 17], [20, 22, 23]]),   # even: rows 0 to 2, then 2 and 3
    ((3, 5), [[6, 8, 9], [11, 13, 14]])])     # odd: rows 0 and 1, then 1 and 2
def test_the_pooling_has_the_padding_of_tensorflow(sides, expected):
    image = torch.arange(sides[0] * sides[1]).float().reshape(1, 1, *sides)
    assert SamePool()(image)[0, 0].tolist() == expected


@pytest.mark.parametrize('form, strides, dilations', [
    ('slim', {'layer1.2': 2, 'layer2.3': 2}, {'layer4.0': 2, 'layer4.1': 2, 'layer4.2': 2}),
    ('torch', {'layer2.0': 2, 'layer3.0': 2}, {'layer4.1': 2, 'layer4.2': 2})])
def test_strides_and_dilations_are_in_the_blocks_of_the_original(form, strides, dilations):
    with torch.device('meta'):
        trunk = AtrousResNet('resnet50', form)
        middle, last = trunk.eval()(torch.zeros(1, 3, 64, 96))
    assert middle.shape == (1, 1024, 4, 6) and last.shape == (1, 2048, 4, 6)
    found = {name[:-len('.conv2')]: layer for name, layer in trunk.named_modules()
             if name.endswith('.conv2')}
    assert {name: layer.stride[0] for name, layer in found.items()
            if layer.stride[0] > 1} == strides
    assert {name: layer.dilation[0] for name, layer in found.items()
            if layer.dilation[0] > 1} == dilations


def test_the_intermediate_stage_is_only_for_training():
    network = create_model('part_pairwise_r50', intermediate=4)
    assert network.trunk._tap == 4
    image = torch.randn(2, 3, 32, 48)
    early, last = network.train()(image)
    assert list(early) == ['scores'] and early['scores'].shape == (2, 17, 4, 6)
    assert [tuple(last[name].shape) for name in ('scores', 'offsets', 'pairwise')] == [
        (2, 17, 4, 6), (2, 34, 4, 6), (2, 544, 4, 6)]
    assert len(network.eval()(image)) == 1


@pytest.mark.parametrize('options, words', [
    ({'backbone': 'resnet18'}, 'one of resnet50, resnet101, resnet152'),
    ({'form': 'tf'}, 'one of slim, torch'), ({'groups': 7}, 'one of 0, 32'),
    ({'intermediate': 7}, 'from 1 to 6, or 0, not 7'), ({'linear_scores': 1}, 'true or false'),
    ({'stages': 2}, 'stages')])
def test_invalid_options_are_named(options, words):
    with pytest.raises(NetworkError, match=words):
        create_model('part_detector_r50', **options)
    with pytest.raises(NetworkError, match='`neck` is a list of 3 numbers'):
        create_model('lite_part_detector', neck=[8])


def test_pairs_are_numbered_as_in_the_decoder():
    assert [ordered(a, b, 4) for a in range(4) for b in range(4) if a != b] == list(range(12))
    tables = PairTables(3)
    assert not tables.measured and unordered(3) == [(0, 1), (0, 2), (1, 2)]
    tables.set_statistics(np.arange(12).reshape(6, 2), np.full((6, 2), 2.))
    tables.set_model(1, 2, np.arange(8), np.arange(8) + 8, np.arange(9) / 3)
    facts = tables.facts()
    assert tables.measured and facts['pairwise_mean'][1] == [2, 3]
    assert facts['pairs'] == [{'keypoints': [1, 2], 'low': list(range(8)),
                               'high': list(range(8, 16)),
                               'weights': [float('{:.7g}'.format(k / 3)) for k in range(9)]}]
    again = PairTables(3)
    again.set_facts(facts)
    assert again.facts() == facts
    for wrong in (np.zeros((6, 2)), np.full((6, 2), np.nan), np.ones((5, 2))):
        with pytest.raises(NetworkError, match='above 0'):
            tables.set_statistics(np.zeros((6, 2)), wrong)
    with pytest.raises(NetworkError, match='9 weights'):
        tables.set_model(0, 1, np.zeros(8), np.zeros(8), np.zeros(8))


@pytest.mark.parametrize('name, options, size', [
    ('lite_part_detector', {'width': .25}, (96, 64)),
    ('lite_part_pairwise', {'width': .25}, (96, 64)),
    ('part_detector_r50', {}, (48, 32)), ('deeplabcut_r50', {}, (48, 32))])
def test_an_exported_file_computes_what_the_network_does(tmp_path, name, options, size):
    torch.manual_seed(0)
    network = with_statistics(create_model(name, **options).eval(), size)
    if network.pairs is not None:
        network.pairs.set_statistics(np.ones((272, 2)), np.full((272, 2), 3.))
        network.pairs.set_model(2, 5, np.zeros(8), np.ones(8), np.ones(9))
    path = str(tmp_path / 'model.onnx')
    card = export(network, path, ExportOptions(size, dynamic='lite' in name))
    outputs = load_card(path).decoder.outputs
    assert card.decoder.type == network.family.name and outputs['score_kind'] == 'logit'
    assert (outputs['offset_scale'], outputs['stride']) == (7.2801, 8)
    if network.pairs is not None:
        assert outputs['pairwise_std'][7] == [3, 3] and outputs['pairs'][0]['keypoints'] == [2, 5]
        again = import_network('onnx', path, name)[0]
        assert again.pairs.facts() == network.pairs.facts()


def test_probabilities_are_not_trained_as_logits():
    network = create_model('deeplabcut_r50', linear_scores=True)
    assert network.card_facts() == {'score_kind': 'probability'}
    with pytest.raises(NetworkError, match='cannot be trained'):
        network.train()(torch.zeros(2, 3, 32, 32))
