# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Checkpoints of this package: saved networks are loaded again, invalid files are errors."""
import os

import numpy as np
import pytest
import torch

from pose_training import checkpoint
from pose_training.checkpoint import checkpoint_data, load_checkpoint, save_checkpoint
from pose_training.errors import NetworkError, WeightsError
from pose_training.models import create_model, networks
from pose_training.models.folding import fuse

SMALL = {'widths': (4, 4, 8, 8, 8), 'depths': (1, 1, 1, 1, 1), 'neck': 8, 'head': 8}


def small():
    """Build a small network of three stages."""
    return create_model('repvgg_fpn', 'body_25', stages=3, **SMALL)


def same(first, second):
    assert list(first) == list(second)
    return all(torch.equal(first[name], second[name]) for name in first)


def test_a_network_comes_back_as_it_was(tmp_path):
    network, path = small(), str(tmp_path / 'network.pt')
    network.train()(torch.randn(2, 3, 64, 64))
    save_checkpoint(path, network, {'epochs': 3, 'ap': .25, 'data': ['coco', 'mpii']})
    again, provenance = load_checkpoint(path)
    assert provenance == {'epochs': 3, 'ap': .25, 'data': ['coco', 'mpii']}
    assert same(again.state_dict(), network.state_dict())
    assert again.state_dict()['backbone.0.0.dense.1.num_batches_tracked'] == 1
    assert (again.recipe.name, again.recipe.topology) == ('repvgg_fpn', 'body_25')
    assert again.recipe.options == dict(network.recipe.options, widths=[4, 4, 8, 8, 8],
                                        depths=[1, 1, 1, 1, 1])
    assert not again.training
    image = torch.randn(1, 3, 64, 64)
    with torch.no_grad():
        for found, expected in zip(again(image), network.eval()(image)):
            assert torch.equal(found['pafs'], expected['pafs'])


def test_the_file_is_the_documented_dictionary(tmp_path):
    path = tmp_path / 'network.pt'
    save_checkpoint(str(path), small())
    data = torch.load(str(path), weights_only=True)
    assert {key: data[key] for key in data if key not in ('state_dict', 'options')} == {
        'format': 'pose_training', 'version': 1, 'name': 'repvgg_fpn', 'topology': 'body_25',
        'provenance': {}}
    assert data['options']['stages'] == 3
    assert os.listdir(str(tmp_path)) == ['network.pt']


def test_every_network_can_be_described_without_its_numbers():
    # checkpoint_data compares a network with one that is built on the meta device
    for name in networks():
        with torch.device('meta'):
            network = create_model(name)
        assert {tensor.device.type for tensor in network.state_dict().values()} == {'meta'}


def test_one_inside_the_checkpoint_of_a_trainer_is_found(tmp_path):
    network, path = small(), str(tmp_path / 'last.ckpt')
    torch.save({'epoch': 1, 'state_dict': {'network.a': torch.zeros(2)}, 'callbacks': {},
                'pose_training': checkpoint_data(network, {'epochs': 1})}, path)
    again, provenance = load_checkpoint(path)
    assert same(again.state_dict(), network.state_dict()) and provenance == {'epochs': 1}


def test_numbers_of_other_libraries_are_written_as_plain_ones(tmp_path):
    path = str(tmp_path / 'network.pt')
    save_checkpoint(path, small(), {'ap': np.float64(.5)})
    assert load_checkpoint(path)[1] == {'ap': .5}
    with pytest.raises(NetworkError, match='provenance of a checkpoint must be JSON.*float32'):
        save_checkpoint(path, small(), {'ap': np.float32(.5)})


def test_a_fused_network_is_not_saved():
    with pytest.raises(NetworkError, match='before it is fused'):
        checkpoint_data(fuse(small()))


def test_a_network_without_recipe_is_not_saved():
    with pytest.raises(NetworkError, match='Linear without a recipe.*create_model'):
        checkpoint_data(torch.nn.Linear(2, 2))


def test_an_old_file_survives_a_write_that_fails(tmp_path, monkeypatch):
    path = tmp_path / 'network.pt'
    save_checkpoint(str(path), small(), {'epochs': 1})

    def full_disk(data, file):
        file.write(b'half')
        raise OSError(28, 'No space left on device')

    monkeypatch.setattr(checkpoint.torch, 'save', full_disk)
    with pytest.raises(WeightsError, match='network.pt: No space left'):
        save_checkpoint(str(path), small(), {'epochs': 2})
    assert os.listdir(str(tmp_path)) == ['network.pt']
    assert load_checkpoint(str(path))[1] == {'epochs': 1}


def test_a_missing_folder_is_an_error(tmp_path):
    with pytest.raises(WeightsError, match='cannot write .*none.*there is no folder'):
        save_checkpoint(str(tmp_path / 'none' / 'network.pt'), small())


def test_a_link_stays_a_link(tmp_path):
    link = tmp_path / 'best.pt'
    link.symlink_to(tmp_path / 'epoch_3.pt')
    save_checkpoint(str(link), small(), {'epochs': 3})
    assert link.is_symlink() and load_checkpoint(str(tmp_path / 'epoch_3.pt'))[1] == {'epochs': 3}


def without(key):
    return lambda data: data.pop(key)


def with_(**values):
    return lambda data: data.update(values)


FIRST = 'backbone.0.0.dense.0.weight'


@pytest.mark.parametrize('change, error, reason', [
    (without('format'), WeightsError, 'is no checkpoint of this package; `pose-train import`'),
    (with_(version=2), WeightsError, 'checkpoint of version 2, and this program reads 1'),
    (without('version'), WeightsError, 'version None'),
    (without('options'), WeightsError, 'options missing or invalid'),
    (with_(options={1: 2}), WeightsError, 'options missing or invalid'),
    (with_(name=3, provenance=[]), WeightsError, 'name, provenance missing or invalid'),
    (with_(name='repvgg_fnp'), NetworkError,
     'network.pt: unknown network .repvgg_fnp.*repvgg_fpn'),
    (with_(topology='coco_99'), NetworkError, 'network.pt: .*coco_99'),
    (with_(options={'color': 1}), NetworkError, 'network.pt: .*color'),
    (with_(options={'stages': 9}), NetworkError, 'network.pt: .*1 to 3 stages, not 9'),
    (lambda data: data['state_dict'].pop(FIRST), WeightsError, 'does not fit.*Missing.*' + FIRST),
    (lambda data: data['state_dict'].update(extra=torch.ones(1)), WeightsError,
     'does not fit.*Unexpected.*extra'),
    (lambda data: data['state_dict'].update({FIRST: torch.ones(1)}), WeightsError,
     'does not fit.*size mismatch for ' + FIRST),
    (lambda data: data['state_dict'].update({FIRST: 'a word'}), WeightsError, FIRST + ' in its'),
    (with_(state_dict=[]), WeightsError, 'state_dict missing or invalid'),
])
def test_an_invalid_checkpoint_is_rejected(tmp_path, change, error, reason):
    data = checkpoint_data(small())
    change(data)
    path = str(tmp_path / 'network.pt')
    torch.save(data, path)
    with pytest.raises(error, match=reason) as caught:
        load_checkpoint(path)
    assert str(caught.value).startswith(path)


def test_a_network_of_another_shape_names_itself(tmp_path):
    path = str(tmp_path / 'state.pth')
    torch.save(small().state_dict(), path)
    with pytest.raises(WeightsError, match='is no checkpoint of this package'):
        load_checkpoint(path)
