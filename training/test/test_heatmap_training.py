# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""What a training of networks of crops can choose: grid and peak, hard keypoints, keypoints."""
import numpy as np
import pytest
import torch

from pose_ros.core.card import parse_card
from pose_ros.core.decoders import create_decoder
from pose_ros.core.topology import get_topology, make_topology
from pose_training.checkpoint import save_checkpoint
from pose_training.data.geometry import Crop
from pose_training.distillation.resampling import Resampler
from pose_training.errors import ConfigError
from pose_training.exporters.cards import make_card
from pose_training.exporters.export import ExportOptions
from pose_training.families.registry import make_family
from pose_training.fitting.config import load_config
from pose_training.fitting.crops import crop_spec
from pose_training.fitting.module import PoseModule
from pose_training.fitting.network import make_network
from pose_training.fitting.norms import settle_norms
from pose_training.fitting.settings import DataConfig, OptimizerConfig, RunConfig
from pose_training.models import create_model

pytestmark = pytest.mark.fitting

LITE = {'width': .25, 'deconvolutions': [16, 16, 8]}
SIZE = (64, 96)


def family(**settings):
    return make_family('heatmap', 'coco_17', **settings)


def crop_of(points):
    """Return a crop with one person, keypoints (17, 2) px."""
    people = np.concatenate([points, np.full((17, 1), 2.)], 1)[None]
    fields = dict.fromkeys(Crop._fields)
    return Crop(**{**fields, 'image': np.zeros((SIZE[1], SIZE[0], 3), np.uint8),
                   'people': people, 'confidences': np.ones((1, 17))})


@pytest.mark.parametrize('grid, peak', [('half_pixel', 1.), ('corner', 1.), ('corner', 255.)])
def test_what_is_drawn_is_decoded_at_the_same_pixel(grid, peak):
    """A network that reproduces its targets finds the keypoints, by the decoder of the robot."""
    own = family(grid=grid, peak=peak)
    points = np.random.default_rng(0).uniform((20, 20), (44, 76), (17, 2))
    targets = own.targets(crop_of(points), crop_spec(DataConfig(size=SIZE, sigma=8.), own, 4))
    assert targets.maps.max() <= 1
    kind, outputs = own.decoder(4)
    assert outputs.get('peak', 1.) == peak and outputs['grid'] == grid
    network = create_model('lite_simple_baseline', **LITE)
    network.family = own
    card = make_card(network, ExportOptions(size=SIZE), {})
    decoder = create_decoder(parse_card(card.to_json(), 'a test'))
    found = decoder.decode({'output': targets.maps * np.float32(peak)})
    assert np.abs(found.keypoints[0, :, :2] - points).max() < .25
    assert found.keypoints[0, :, 2].min() > .8 and found.keypoints[0, :, 2].max() <= 1
    target = torch.from_numpy(targets.maps)[None]
    exact = {'heatmaps': target * peak}
    assert own.loss([exact], target, torch.ones_like(target), 2.)[0] == pytest.approx(0, abs=1e-9)
    assert torch.allclose(own.joined(exact), target)


def test_only_the_hardest_keypoints_count():
    target, weights = torch.zeros(2, 17, 4, 4), torch.ones(2, 17, 4, 4)
    found = torch.zeros(2, 17, 4, 4)
    found[0, :, 0, 0] = torch.arange(17.)  # errors 0, 1, 4, ..., 256
    found[1, 3, 0, 0], weights[1, 3] = 50., 0.  # without a label
    own = family()
    stages = [{'heatmaps': found}]
    everything = own.loss(stages, target, weights, 0.)[0]
    assert everything.item() == pytest.approx(sum(k * k for k in range(17)) / 34 / 8)
    own.hardest = 2
    assert own.loss(stages, target, weights, 0.)[0].item() == pytest.approx((256 + 225) / 4 / 8)
    own.hardest = 100
    assert own.loss(stages, target, weights, 0.)[0] == everything
    config = load_config(None, ['model.name=lite_simple_baseline', 'model.options={width: .25}',
                                'optimizer.hard_keypoints=8'])
    assert make_network(config).family.hardest == 8
    with pytest.raises(ConfigError, match='only networks of crops.*repvgg_fpn'):
        make_network(RunConfig(optimizer=OptimizerConfig(hard_keypoints=8)))


@pytest.mark.parametrize('grid, peak', [('half_pixel', 1.), ('corner', 255.)])
@pytest.mark.parametrize('own_grid', ['half_pixel', 'corner'])
def test_maps_of_a_teacher_lie_on_the_students_grid(grid, peak, own_grid):
    """The center of a Gaussian of the teacher stays at its pixel, and its peak becomes 1."""
    points = np.random.default_rng(1).uniform((20, 20), (44, 76), (17, 2))
    theirs, own = family(grid=grid, peak=peak), family(grid=own_grid)
    network = create_model('lite_simple_baseline', **LITE)
    network.family = theirs
    card = make_card(network, ExportOptions(size=SIZE), {})
    channels = own.teacher_channels(card, 'a test')
    spec = crop_spec(DataConfig(size=SIZE, sigma=8.), theirs, 4)
    drawn = theirs.targets(crop_of(points), spec).maps * peak
    read = channels.read({'output': torch.from_numpy(drawn)[None]})[0].numpy()
    resample = Resampler(SIZE, 4, card.input, channels.stride, channels.shift, channels.own_shift)
    maps = resample(read)
    wanted = own.targets(crop_of(points), spec._replace(family=own)).maps
    # Linear interpolation lowers the peak a little.
    assert np.abs(maps - wanted).max() < (.09 if grid != own_grid else 1e-6)
    cells = np.stack(np.meshgrid(np.arange(16.), np.arange(24.)), -1)
    center = [(part[..., None] * cells).sum((0, 1)) / part.sum() for part in (maps, wanted)]
    assert np.abs(np.subtract(*center)).max() < .05
    assert channels.mirror == (None if own_grid == 'corner' else own.topology.mirror)


def test_keypoints_of_equal_names_keep_their_weights(tmp_path):
    network = create_model('lite_simple_baseline', **LITE)
    torch.nn.init.normal_(network.final_layer.bias)
    path = str(tmp_path / 'coco.pt')
    save_checkpoint(path, network)
    topology = tmp_path / 'own.yaml'
    topology.write_text('{name: own, keypoint_names: [tail, left_ear, nose], limbs: [[0, 2]]}')
    changed = make_network(load_config(None, ['model.checkpoint=' + path,
                                              'model.topology={}'.format(topology)]))
    assert changed.training and changed.family.topology.name == 'own'
    old, new = network.state_dict(), changed.state_dict()
    for part in ('weight', 'bias'):
        name = 'final_layer.' + part
        assert torch.equal(new[name][1:], old[name][[3, 0]]) and len(new[name]) == 3
    assert new['final_layer.bias'][0] == 0
    assert all(torch.equal(value, old[name]) for name, value in new.items()
               if not name.startswith('final_layer'))
    same = make_network(load_config(None, ['model.checkpoint=' + path,
                                           'model.topology=coco_17']))
    assert all(torch.equal(value, old[name]) for name, value in same.state_dict().items())


def test_keypoints_in_another_order_are_found_by_name(tmp_path):
    network = create_model('lite_simple_baseline', **LITE)
    path, coco = str(tmp_path / 'coco.pt'), get_topology('coco_17')
    save_checkpoint(path, network)
    names = coco.keypoint_names[::-1]
    (tmp_path / 'turned.json').write_text(
        '{"name": "turned", "limbs": [], "keypoint_names": ["%s"]}' % '", "'.join(names))
    changed = make_network(load_config(None, [
        'model.checkpoint=' + path, 'model.topology={}'.format(tmp_path / 'turned.json')]))
    assert torch.equal(changed.final_layer.weight, network.final_layer.weight.flip(0))
    save_checkpoint(path, create_model('repvgg_fpn', stages=1))
    with pytest.raises(ConfigError, match='checkpoint is of repvgg_fpn for coco_18.*turned'):
        make_network(load_config(None, ['model.checkpoint=' + path, 'model.topology={}'.format(
            tmp_path / 'turned.json')]))
    assert make_topology('turned', names, ()).size == 17


@torch.no_grad()
def test_a_norm_that_was_never_trained_keeps_its_scale():
    network = create_model('lite_simple_baseline', **LITE).eval()
    trained, fresh = network.trunk.stem[1], network.deconv_layers[0][1]
    trained.weight.fill_(2.)
    trained.bias.fill_(.5)
    before = trained(torch.ones(1, trained.num_features, 1, 1))
    settle_norms(network, torch.randn(4, 3, 64, 64))
    after = trained(torch.ones(1, trained.num_features, 1, 1))
    assert torch.allclose(before, after, atol=1e-5) and (trained.running_var != 1).all()
    assert (fresh.weight == 1).all() and (fresh.bias == 0).all()
    assert (fresh.running_var < .1).all()  # of weights with a deviation of 0.001


def test_frozen_layers_have_no_gradient():
    """With one process they are left out of the backward pass, which saves its time."""
    config = RunConfig(optimizer=OptimizerConfig(freeze={'trunk.stem': 5, 'trunk.': 2}))
    module = PoseModule(create_model('lite_simple_baseline', **LITE), config)

    class Trainer:
        """As much of a trainer as the module looks at."""

        global_step, world_size, num_training_batches = 0, 1, 10
    asked = {}
    module.log = lambda *_, **__: None
    module._trainer, module.optimizers = Trainer(), module.configure_optimizers
    for Trainer.global_step in (0, 2, 5):
        module.on_train_batch_start(None, 0)
        asked[Trainer.global_step] = {name for name, value in module.network.named_parameters()
                                      if not value.requires_grad}
    trunk = {name for name, _ in module.network.named_parameters() if name.startswith('trunk.')}
    assert asked == {0: trunk, 2: {name for name in trunk if name.startswith('trunk.stem')},
                     5: set()}
