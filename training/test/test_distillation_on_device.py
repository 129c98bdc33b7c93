# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Teachers in the training step yield the maps of teachers in the loaders."""
from figures import run_data, TINY, write_figures, write_run
import numpy as np
import pytest
import torch
from torch.utils.data import default_collate

from pose_training.checkpoint import load_checkpoint, save_checkpoint
from pose_training.cli.main import main
from pose_training.cli.view import crops_of
from pose_training.data.dataset import CropRequest, PoseDataset
from pose_training.distillation.on_device import DeviceTeacher, DeviceTeachers, PairedCrops
from pose_training.distillation.teacher import Ensemble, Teacher
from pose_training.errors import ConfigError, DataError
from pose_training.fitting.checks import check
from pose_training.fitting.config import build
from pose_training.fitting.crops import Crops
from pose_training.fitting.fit import fit
from pose_training.fitting.settings import RunConfig, TeacherConfig
from pose_training.fitting.teachers import soft_targets
from pose_training.models import create_model
from pose_training.families.registry import make_family

pytestmark = pytest.mark.fitting

FAMILY = make_family('paf', 'coco_18')
SIZE = 96, 64


def random_network(topology, seed):
    """Return a tiny network with maps that are not empty."""
    torch.manual_seed(seed)
    network = create_model('repvgg_fpn', topology, stages=1, **TINY)
    with torch.no_grad():
        network.stages[0][3].weight.mul_(3)
        network.stages[0][3].bias.normal_(.3, .3)
    return network.eval()


@pytest.fixture(scope='module')
def folder(tmp_path_factory):
    """Return a folder with a dataset and teachers of three topologies."""
    path = tmp_path_factory.mktemp('device')
    write_figures(path / 'data')
    for seed, topology in enumerate(('coco_18', 'body_25', 'trt_pose_18')):
        save_checkpoint(str(path / (topology + '.pt')), random_network(topology, seed))
    return path


def make_images(count=3):
    """Return (N, 3, h, w) uint8 noise."""
    random = np.random.default_rng(0)
    return torch.from_numpy(random.integers(0, 256, (count, 3, *SIZE[::-1])).astype(np.uint8))


@pytest.mark.parametrize('names', [['coco_18'], ['trt_pose_18'],
                                   ['coco_18', 'body_25']])
@pytest.mark.parametrize('stride', [4, 8, 16])
def test_the_maps_are_those_of_a_teacher_in_the_loaders(folder, names, stride):
    paths = [str(folder / (name + '.pt')) for name in names]
    loaders = Ensemble([Teacher(path, SIZE, FAMILY, stride) for path in paths])
    device = DeviceTeachers([DeviceTeacher(path, SIZE, FAMILY, stride) for path in paths],
                            FAMILY, 1.)
    device.to(torch.device('cpu'), torch.channels_last)
    images = make_images()
    nothing = torch.zeros(3, 57, SIZE[1] // stride, SIZE[0] // stride)
    maps, weights = device.mix(nothing, nothing, images, torch.ones(3, dtype=torch.bool))
    for found, weight, image in zip(maps, weights, images):
        wanted = loaders.maps(image.numpy().transpose(1, 2, 0).copy())
        assert np.abs(found.numpy() - wanted).max() < 1e-5
        assert (weight.numpy() == loaders.known()[:, None, None]).all()


def run_config(folder, **changes):
    """Return the configuration of a run with a teacher in the training step."""
    data = run_data(folder, str(folder / 'data' / 'figures.json'), **{
        'teacher__models': [str(folder / 'body_25.pt')], 'teacher__on_device': True, **changes})
    return build(RunConfig, data, '')


@pytest.mark.parametrize('complete', [True, False])
def test_a_batch_is_mixed_as_the_loaders_mix_crops(folder, complete):
    path = str(folder / 'data' / 'figures.json')
    device = run_config(folder, data__train=[{'path': path, 'all_people_annotated': complete}],
                        data__crop={'mosaic': .5})
    loader = device._replace(teacher=device.teacher._replace(on_device=False))
    module = Crops(device, create_model('repvgg_fpn', stages=1, **TINY))
    module.setup('fit')
    samples, spec = module._crops.samples, module._spec()
    asked = PairedCrops(PoseDataset(samples, spec))
    mixed = PoseDataset(samples, spec, soft=soft_targets(loader, FAMILY, 8))
    assert soft_targets(device, FAMILY, 8) is None
    draws = [CropRequest(index % 8, index, index) for index in range(12)]
    image, maps, weights, *rest = default_collate([asked[draw] for draw in draws])
    teachers = DeviceTeachers([DeviceTeacher(str(folder / 'body_25.pt'), (64, 64), FAMILY, 8)],
                              FAMILY, .5)
    maps, weights = teachers.mix(maps, weights, *rest)
    assert not rest[1].any() if not complete else rest[1].all()
    for draw, *found in zip(draws, image, maps, weights):
        wanted = mixed[draw]
        assert torch.equal(found[0], wanted[0])
        assert (found[1] - wanted[1]).abs().max() < 1e-3  # half precision of the labels
        assert torch.equal(found[2], wanted[2])


def test_a_student_learns_the_same_with_teachers_on_the_device(folder, tmp_path):
    learned = []
    for name, device in (('loader', False), ('step', True)):
        config = run_config(folder, teacher__on_device=device, output=str(tmp_path / name),
                            optimizer__epochs=3, optimizer__name='adamw', seed=3)
        learned.append(load_checkpoint(fit(config))[0].state_dict())
        snapshot = torch.load(tmp_path / name / 'snapshots' / 'last.ckpt', weights_only=True)
        assert all(key.startswith('network.') for key in snapshot['state_dict'])
    begun = create_model('repvgg_fpn', stages=1, **TINY).state_dict()
    moved = [(learned[0][name] - begun[name]).norm() for name in begun if 'weight' in name]
    apart = [(learned[0][name] - learned[1][name]).norm() for name in begun if 'weight' in name]
    assert sum(apart) < .02 * sum(moved)


def test_the_command_line_chooses_it(folder, tmp_path):
    config = write_run(tmp_path, str(folder / 'data' / 'figures.json'))
    assert main(['distill', config, '--teacher', str(folder / 'coco_18.pt'), '--on-device']) == 0
    assert 'on_device: true' in (tmp_path / 'run' / 'config.yaml').read_text()


def test_what_the_student_would_be_taught_can_be_looked_at(folder):
    config = run_config(folder, teacher__weight=1.)
    taught, labels = (crops_of(found, 3)[0].draw(0, 0)[1] for found in (
        config, config._replace(teacher=TeacherConfig())))
    assert np.abs(taught.maps - labels.maps).max() > .1


@pytest.mark.parametrize('changes', [
    {'teacher__models': ['large.onnx']}, {'teacher__cache': 'maps'},
    {'teacher__cards': ['a.json']},
    {'teacher__size': [128, 128]},
    {'teacher__hints': [{'student': 'pyramid', 'teacher': 'pyramid'}]}])
def test_settings_of_loaders_are_rejected_on_the_device(folder, changes):
    with pytest.raises(ConfigError, match='teacher.on_device must be false'):
        check(run_config(folder, **changes))
    check(run_config(folder, **changes)._replace(teacher=run_config(
        folder, **changes).teacher._replace(on_device=False)))


def test_crops_of_an_invalid_size_for_a_teacher_are_rejected(folder):
    with pytest.raises(DataError, match='needs multiples of 32 pixels, not 72x64'):
        DeviceTeacher(str(folder / 'coco_18.pt'), (72, 64), FAMILY, 8)
