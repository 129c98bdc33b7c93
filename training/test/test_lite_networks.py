# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""The networks on EfficientNet-Lite0: sizes, state names, the ImageNet classifier."""
from exportable import run, with_statistics
import numpy as np
import pytest
import torch

from pose_ros.core.bundled import model_file
from pose_ros.core.card_files import load_card
from pose_training.checkpoint import load_checkpoint, save_checkpoint
from pose_training.cli.main import main
from pose_training.errors import NetworkError, WeightsError
from pose_training.exporters.export import export, ExportOptions
from pose_training.importers.formats import import_network
from pose_training.models import create_model
from pose_training.models.cost import count_parameters
from pose_training.models.efficientnet_lite import published_names, STAGES


def test_parameters_are_those_of_the_stages_counted_by_hand():
    backbone = 3 * 9 * 32 + 2 * 32
    inputs = 32
    for expansion, outputs, blocks, _, kernel in STAGES:
        for _ in range(blocks):
            wide = inputs * expansion
            backbone += (expansion > 1) * (inputs * wide + 2 * wide) \
                + kernel ** 2 * wide + 2 * wide + wide * outputs + 2 * outputs
            inputs = outputs
    with torch.device('meta'):
        crop, detector = create_model('lite_pose_crop'), create_model('lite_person_detector')
    assert count_parameters(crop.trunk) == count_parameters(detector.trunk) == backbone
    all_people = create_model('lite_bottom_up')
    assert count_parameters(all_people.trunk) == backbone
    assert count_parameters(crop) == 2615793 and count_parameters(detector) == 2445711
    # What the file may weigh, stored as float16: 6 MB.
    assert count_parameters(all_people) == 2956978


def test_branches_exchange_what_the_paths_between_them_compute():
    """Sums that are doubled step by step equal those of branches that are repeated at once."""
    torch.manual_seed(0)
    network = with_statistics(create_model('lite_hr_crop', width=8).eval(), (64, 64))
    exchange, channels = network.parts[-1], [8, 16, 32, 64]
    branches = [torch.rand(1, count, 16 >> place, 16 >> place)
                for place, count in enumerate(channels)]
    with torch.no_grad():
        inner = [block(features) for block, features in zip(exchange.blocks, branches)]
        for target, found in enumerate(exchange(branches)):
            total = sum(path(features).repeat_interleave(1 << max(0, source - target), 2)
                        .repeat_interleave(1 << max(0, source - target), 3)
                        for source, (path, features) in enumerate(
                            zip(exchange.paths[target], inner)))
            assert torch.allclose(found, total.relu(), atol=1e-5)
    with torch.device('meta'):
        assert count_parameters(create_model('lite_hr_crop')) == 1785041


def test_outputs_have_the_strides_of_the_family():
    crop = create_model('lite_pose_crop', width=.25).eval()
    maps = crop(torch.zeros(2, 3, 64, 96))[-1]['heatmaps']
    assert maps.shape == (2, 17, 16, 24)
    fine = create_model('lite_hr_crop', width=8).eval()
    maps = fine(torch.zeros(2, 3, 64, 96))[-1]['heatmaps']
    assert maps.shape == (2, 17, 16, 24) and fine.family.grid == 'corner'
    stages = create_model('lite_bottom_up', width=.25).eval()(torch.zeros(2, 3, 64, 96))
    assert [{name: tuple(maps.shape) for name, maps in stage.items()} for stage in stages] == [
        {'heatmaps': (2, 19, 8, 12), 'pafs': (2, 38, 8, 12)}] * 2
    detector = create_model('lite_person_detector', width=.25).eval()
    outputs = detector(torch.zeros(2, 3, 64, 96))[-1]
    assert {name: tuple(value.shape) for name, value in outputs.items()} == {
        'stride_8': (2, 5, 8, 12), 'stride_16': (2, 5, 4, 6), 'stride_32': (2, 5, 2, 3)}
    assert detector.family.exported(outputs)['output'].shape == (2, 5, 96 + 24 + 6)


@pytest.mark.parametrize('name, size, dynamic', [
    ('lite_pose_crop', (48 * 2, 64 * 2), False), ('lite_person_detector', (128, 96), False),
    ('lite_person_detector', (128, 96), True), ('lite_bottom_up', (128, 96), True),
    ('lite_hr_crop', (96, 128), True)])
def test_the_exported_file_computes_what_the_network_does(tmp_path, name, size, dynamic):
    torch.manual_seed(0)
    width = 8 if name == 'lite_hr_crop' else .25
    network = with_statistics(create_model(name, width=width).eval(), size)
    path = str(tmp_path / 'model.onnx')
    card = export(network, path, ExportOptions(size, dynamic=dynamic, batch='dynamic'))
    assert card.provenance['parity']['difference'] < 1e-4
    if dynamic:
        size = (64, 160)
    image = torch.randn(3, 3, size[1], size[0])
    with torch.no_grad():
        wanted = network.family.exported(network(image)[-1])['output']
    found = torch.from_numpy(run(path, image.numpy()))
    assert found.shape == wanted.shape
    assert torch.allclose(found, wanted, atol=1e-4 * float(wanted.abs().max()))
    if name == 'lite_person_detector':
        assert card.task == 'detection' and card.topology is None
        assert card.decoder == ('boxes', {'format': 'distances', 'tensor': 'output',
                                          'strides': [8, 16, 32]}, {})
        assert (card.input.align, card.input.pad_value) == ('top_left', 114)
    elif name == 'lite_bottom_up':
        assert (card.decoder.type, card.decoder.outputs['stride']) == ('paf', 8)
        assert (card.input.fit, card.topology.name) == ('letterbox', 'coco_18')
    else:
        grid, padding = {'lite_pose_crop': ('half_pixel', 1.1),
                         'lite_hr_crop': ('corner', 1.25)}[name]
        assert card.decoder.outputs['grid'] == grid
        assert (card.input.fit, card.input.padding) == ('crop', padding)


def classifier(folder, **changes):
    """Write a file with the names and shapes of the published classifier; return its path."""
    state = create_model('lite_pose_crop').trunk.state_dict()
    published = {'_fc.weight': torch.zeros(3)}
    for here, there in published_names():
        for part in ('weight', 'bias', 'running_mean', 'running_var'):
            if '{}.{}'.format(here, part) in state:
                published['{}.{}'.format(there, part)] = state['{}.{}'.format(here, part)]
    torch.save({**published, **changes}, folder / 'lite0.pth')
    return str(folder / 'lite0.pth'), state


@pytest.mark.parametrize('name', ['lite_pose_crop', 'lite_person_detector', 'lite_bottom_up'])
def test_the_classifier_becomes_a_backbone_with_its_license(tmp_path, name):
    path, state = classifier(tmp_path)
    out = str(tmp_path / 'start.pt')
    assert main(['import', 'efficientnet-lite', path, '--model', name, '-o', out]) == 0
    network, provenance = load_checkpoint(out)
    for key, value in network.trunk.state_dict().items():
        if not key.endswith('num_batches_tracked'):
            assert torch.equal(value, state[key]), key
    assert provenance['backbone'] == {'network': 'EfficientNet-Lite0', 'trained_on': 'ImageNet',
                                      'license': 'Apache-2.0'}
    again, _ = import_network('efficientnet-lite', path, name)
    assert all(torch.equal(value, again.state_dict()[key])
               for key, value in network.state_dict().items())


def test_a_network_of_crops_gives_the_layers_it_shares(tmp_path):
    torch.manual_seed(0)
    crop = with_statistics(create_model('lite_pose_crop').eval(), (96, 64))
    path, out = str(tmp_path / 'crop.onnx'), str(tmp_path / 'start.pt')
    export(crop, path, ExportOptions((96, 64)), {'name': 'mine', 'license': 'MIT'})
    assert main(['import', 'onnx', path, '--model', 'lite_bottom_up', '-o', out]) == 0
    network, provenance = load_checkpoint(out)
    assert provenance['backbone'] == {'network': 'lite_pose_crop', 'trained_as': 'mine',
                                      'license': 'MIT'}
    image = torch.randn(1, 3, 64, 96)
    with torch.no_grad():
        for mine, its in zip(network.trunk(image), crop.trunk(image)):
            assert torch.allclose(mine, its, atol=1e-4 * float(its.abs().max()))
        coarse = crop.trunk(image)[-1]
        assert torch.allclose(network.lateral[0](coarse), crop.lateral[0](coarse), rtol=1e-3,
                              atol=1e-3)
    again, _ = import_network('onnx', path, 'lite_bottom_up')
    assert all(torch.equal(value, again.state_dict()[key])
               for key, value in network.state_dict().items())
    with pytest.raises(WeightsError, match="not exported from lite_person_detector, but from "
                                           "'lite_pose_crop'"):
        import_network('onnx', path, 'lite_person_detector')


@pytest.mark.parametrize('model, network', [
    ('pose_crop', 'lite_pose_crop'), ('pose_crop', 'lite_bottom_up'),
    ('person_detector', 'lite_person_detector')])
def test_the_bundled_pair_opens_again_to_train_on(model, network):
    found, _ = import_network('onnx', model_file(model), network)
    card = load_card(model_file(model))
    image = torch.randn(1, 3, card.input.height, card.input.width).numpy()
    if network == 'lite_bottom_up':
        crop, _ = import_network('onnx', model_file(model), 'lite_pose_crop')
        with torch.no_grad():
            levels = found.trunk(torch.from_numpy(image)), crop.trunk(torch.from_numpy(image))
        assert all(torch.equal(mine, its) for mine, its in zip(*levels))
        return
    with torch.no_grad():
        wanted = found.family.exported(found(torch.from_numpy(image))[-1])['output'].numpy()
    assert np.abs(run(model_file(model), image) - wanted).max() < 1e-3 * np.abs(wanted).max()


def test_another_file_is_no_classifier(tmp_path):
    torch.save({'weight': torch.zeros(3)}, tmp_path / 'x.pth')
    with pytest.raises(WeightsError, match="no tensor '_conv_stem.weight'"):
        import_network('efficientnet-lite', str(tmp_path / 'x.pth'), 'lite_pose_crop')


def test_a_plain_state_and_a_checkpoint_have_the_same_weights(tmp_path):
    network = create_model('lite_person_detector').eval()
    torch.save({'state': network.state_dict(), 'facts': {}}, tmp_path / 'plain.pt')
    save_checkpoint(str(tmp_path / 'own.pt'), network)
    for file in ('plain.pt', 'own.pt'):
        found, _ = import_network('torch', str(tmp_path / file), 'lite_person_detector')
        assert all(torch.equal(value, found.state_dict()[key])
                   for key, value in network.state_dict().items())


@pytest.mark.parametrize('name, options', [
    ('lite_pose_crop', {'width': 0}), ('lite_pose_crop', {'neck': [8, 8]}),
    ('lite_bottom_up', {'neck': [8, 8, 0]}), ('lite_bottom_up', {'stages': 4}),
    ('lite_hr_crop', {'width': 0}), ('lite_hr_crop', {'exchanges': [2, 4]}),
    ('lite_hr_crop', {'exchanges': [2, 0, 2]}),
    ('lite_person_detector', {'width': 'x'}), ('lite_person_detector', {'topology': 'coco_17'})])
def test_invalid_options_are_rejected(name, options):
    with pytest.raises(NetworkError):
        create_model(name, **options)
