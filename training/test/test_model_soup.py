# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""`pose-train average`: the mean of checkpoints."""
from figures import TINY
import pytest
import torch

from pose_training.checkpoint import load_checkpoint, save_checkpoint
from pose_training.cli.main import main
from pose_training.models import create_model


def write(folder, name, value, topology='coco_18', **provenance):
    """Write a network all of whose numbers are one value, and return its path."""
    network = create_model('repvgg_fpn', topology, stages=1, **TINY)
    with torch.no_grad():
        for part in network.state_dict().values():
            part.fill_(value)
    save_checkpoint(str(folder / name), network, provenance)
    return str(folder / name)


def test_weights_and_statistics_are_averaged(tmp_path, capsys):
    paths = [write(tmp_path, '{}.pt'.format(value), value, crops=value) for value in (1, 2, 6)]
    output = str(tmp_path / 'mean.pt')
    assert main(['average', *paths, '-o', output]) == 0
    assert 'wrote {}'.format(output) in capsys.readouterr().out
    network, provenance = load_checkpoint(output)
    state = network.state_dict()
    for name, value in state.items():
        assert (value == (3 if value.is_floating_point() else 1)).all(), name
    assert any(name.endswith('running_var') for name in state)
    assert provenance == {'mean_of': {path: {'crops': value}
                                      for path, value in zip(paths, (1, 2, 6))}}


def test_shares_weigh_the_checkpoints(tmp_path, capfd):
    paths = [write(tmp_path, '{}.pt'.format(value), value) for value in (1, 5)]
    words = ['average', *paths, '-o', str(tmp_path / 'mean.pt'), '--shares']
    assert main(words + ['3', '1']) == 0
    network, provenance = load_checkpoint(str(tmp_path / 'mean.pt'))
    assert all((value == 2).all() for value in network.parameters())
    assert provenance['shares'] == [3, 1]
    for shares in (['1'], ['1', '0'], ['1', 'nan'], ['-1', '2']):
        assert main(words + shares) == 1
        assert 'a mean of 2 checkpoints needs 2 positive shares' in capfd.readouterr().err


@pytest.mark.parametrize('topologies, error', [
    (['coco_18'], 'a mean needs two checkpoints'),
    (['coco_18', 'body_25'], 'only networks of one kind have a mean')])
def test_different_networks_have_no_mean(tmp_path, capfd, topologies, error):
    paths = [write(tmp_path, '{}.pt'.format(topology), 1, topology) for topology in topologies]
    assert main(['average', *paths, '-o', str(tmp_path / 'mean.pt')]) == 1
    assert error in capfd.readouterr().err
    assert not (tmp_path / 'mean.pt').exists()
