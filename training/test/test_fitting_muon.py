# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Muon: orthogonal steps where they suit, AdamW's elsewhere."""
from figures import run_data, TINY, write_figures
import pytest
import torch
from torch import nn

from pose_training.errors import ConfigError
from pose_training.fitting.config import build
from pose_training.fitting.fit import fit
from pose_training.fitting.interruption import Interrupted
from pose_training.fitting.module import PoseModule
from pose_training.fitting.muon import hidden_weights, Muon, orthogonal
from pose_training.fitting.settings import RunConfig
from pose_training.models import create_model

pytestmark = pytest.mark.fitting


@pytest.mark.parametrize('shape', [(8, 72), (72, 8), (40, 40), (1, 5)])
def test_the_orthogonal_factor_of_a_matrix(shape):
    matrix = torch.randn(shape, generator=torch.Generator().manual_seed(1))
    left, sizes, right = torch.linalg.svd(matrix, full_matrices=False)
    matrix = left @ torch.diag(torch.linspace(1, 3, len(sizes))) @ right
    found = orthogonal(matrix).float()
    assert found.shape == shape
    found_sizes = torch.linalg.svdvals(found)
    assert .6 < found_sizes.min() and found_sizes.max() < 1.3
    wanted = left @ right
    assert (found * wanted).sum() / found.norm() / wanted.norm() > .98


def steps(optimizer, weights, targets, count=4):
    """Pull weights to targets, and return where they are in the end."""
    for _ in range(count):
        loss = sum(((weight - target) ** 2).sum() for weight, target in zip(weights, targets))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return [weight.detach() for weight in weights]


@pytest.mark.skipif(not hasattr(torch.optim, 'Muon'), reason='this PyTorch has no Muon')
def test_matrices_move_as_with_the_muon_of_pytorch():
    start, target = torch.randn(2, 12, 30, generator=torch.Generator().manual_seed(2))
    own, other = nn.Parameter(start.clone()), nn.Parameter(start.clone())
    optimizer = Muon([{'params': [own], 'orthogonal': True, 'weight_decay': .1}], lr=.01)
    reference = torch.optim.Muon([other], lr=.01, weight_decay=.1,
                                 adjust_lr_fn='match_rms_adamw')
    found, = steps(optimizer, [own], [target])
    wanted, = steps(reference, [other], [target])
    assert (found - start).abs().max() > .01
    assert torch.allclose(found, wanted, atol=1e-6)


def test_a_convolution_moves_as_the_matrix_of_its_outputs():
    start, target = torch.randn(2, 6, 4, 3, 3, generator=torch.Generator().manual_seed(3))
    kernel, matrix = nn.Parameter(start.clone()), nn.Parameter(start.flatten(1).clone())
    moved = [steps(Muon([{'params': [weight], 'orthogonal': True}], lr=.01), [weight],
                   [target.view(weight.shape)])[0] for weight in (kernel, matrix)]
    assert torch.equal(moved[0].flatten(1), moved[1])


def test_other_groups_move_as_with_adamw():
    random = torch.Generator().manual_seed(4)
    starts, targets = ([torch.randn(5, 4, generator=random) for _ in range(2)] for _ in range(2))
    own, other = ([nn.Parameter(start.clone()) for start in starts] for _ in range(2))
    found = steps(Muon([{'params': own[:1], 'orthogonal': True, 'lr': .1},
                        {'params': own[1:], 'orthogonal': False}], lr=.02), own, targets)
    wanted = steps(torch.optim.AdamW(other, lr=.02), other, targets)
    assert torch.equal(found[1], wanted[1])
    assert not torch.allclose(found[0], wanted[0])


def test_weights_of_convolutions_before_norms_are_hidden():
    network = create_model('repvgg_fpn', **TINY)
    hidden = hidden_weights(network)
    named = dict(network.named_parameters())
    assert 'backbone.0.0.dense.0.weight' in hidden and 'pyramid.lateral.1.0.weight' in hidden
    outputs = {name for name, weight in named.items() if weight.ndim == 4} - hidden
    assert {named[name].shape[0] for name in outputs} == {57} and len(outputs) == 2
    depthwise = nn.Sequential(nn.Conv2d(4, 4, 3, groups=4, bias=False), nn.BatchNorm2d(4))
    assert not hidden_weights(depthwise)


def config(folder, **changes):
    """Return a run of 3 epochs of 3 steps with Muon."""
    return build(RunConfig, run_data(folder, str(folder / 'data' / 'figures.json'),
                                     optimizer__name='muon', optimizer__epochs=3, **changes), '')


def test_a_run_with_muon_learns_and_continues_exactly(tmp_path, monkeypatch):
    write_figures(tmp_path / 'data')
    states = []
    for name, stop in (('whole', None), ('stopped', 5)):
        run = config(tmp_path, output=str(tmp_path / name))
        if stop:
            original = PoseModule.training_step

            def training_step(self, batch, batch_idx):
                if self.trainer.global_step == stop:
                    raise Interrupted('for the test')
                return original(self, batch, batch_idx)
            with monkeypatch.context() as patched, pytest.raises(Interrupted):
                patched.setattr(PoseModule, 'training_step', training_step)
                fit(run)
        fit(run)
        states.append(torch.load(tmp_path / name / 'snapshots' / 'last.ckpt', weights_only=True))
    whole, stopped = (state['current_model_state'] for state in states)
    assert all(torch.equal(stopped[name], value) for name, value in whole.items())
    kept = [set(state) for state in states[0]['optimizer_states'][0]['state'].values()]
    assert {'momentum'} in kept and {'step', 'exp_avg', 'exp_avg_sq'} in kept


def test_muon_is_rejected_for_networks_without_norms(tmp_path):
    write_figures(tmp_path / 'data')
    with pytest.raises(ConfigError, match='mpi_faster has none; choose adamw'):
        fit(config(tmp_path, model={'name': 'mpi_faster', 'topology': 'mpi_15'}))
    with pytest.raises(ConfigError, match='one of adamw, muon, sgd'):
        fit(config(tmp_path)._replace(
            optimizer=config(tmp_path).optimizer._replace(name='lion')))
