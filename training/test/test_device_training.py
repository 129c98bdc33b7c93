# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Training from packed images on one device: it runs, learns, resumes, and needs few libraries."""
from pathlib import Path
import subprocess
import sys

from figures import write_figures, write_run
import numpy as np
import pytest
import torch

from pose_training.cli.main import main
from pose_training.data.person_geometry import matrices
from pose_training.device.openvino_module import OpenVinoModule
from pose_training.device.packing import pack
from pose_training.device.people import gaussians, PersonBatches
from pose_training.device.pool import ImagePool
from pose_training.device.teacher import shifted
from pose_training.device.trainer import Budget, DeviceTrainer
from pose_training.errors import ConfigError, DataError, FitError
from pose_training.families.gaussians import draw_heatmaps
from pose_training.families.registry import make_family
from pose_training.fitting.config import load_config
from pose_training.models import create_model
from test_fitting_top_down import CROP, DETECTOR, tiny

pytestmark = pytest.mark.fitting

CONFIGS = Path(__file__).resolve().parents[1] / 'configs'

CPU = torch.device('cpu')


def packed(folder, settings, **changes):
    """Pack a tiny dataset; return the configuration of a run and the packed folder."""
    data = write_figures(folder / 'data')
    config = load_config(write_run(folder, data, **{**tiny(settings), **changes}))
    network = create_model(config.model.name, **config.model.options)
    found = pack(config.data, network.family, str(folder / 'packed'), 100)
    assert found['images'] == found['people'] == found['boxes'] == 8
    return config, str(folder / 'packed')


@pytest.mark.parametrize('settings', [CROP, DETECTOR])
def test_a_resumed_training_ends_as_if_it_had_not_been_stopped(tmp_path, settings):
    config, folder = packed(tmp_path, settings)
    states = []
    for name, stops in (('whole', ()), ('stopped', (2, 5))):
        run = config._replace(output=str(tmp_path / name))
        for until in stops:
            trainer = DeviceTrainer(run, folder, Budget(steps=6), CPU)
            trainer.resume()
            trainer.run(until)
        trainer = DeviceTrainer(run, folder, Budget(steps=6), CPU)
        assert trainer.resume() == bool(stops) and trainer.step == (5 if stops else 0)
        path = trainer.run()
        states.append(torch.load(path, weights_only=True)['state_dict'])
    assert all(torch.equal(states[0][name], states[1][name]) for name in states[0])


@pytest.mark.parametrize('settings, learned', [(CROP, 2.3), (DETECTOR, 1.9)])
def test_the_command_line_learns_and_its_snapshot_can_be_exported(tmp_path, settings, learned,
                                                                  capfd):
    data = write_figures(tmp_path / 'data')
    config = write_run(tmp_path, data, **{**tiny(settings), 'optimizer__lr': 6e-3})
    run, folder = str(tmp_path / 'run'), str(tmp_path / 'packed')
    assert main(['pack', config, '-o', folder]) == 0
    assert 'wrote 8 images, 8 people, 8 boxes' in capfd.readouterr().out
    words = ['fit-packed', config, '--pack', folder, 'optimizer.batch=8']
    assert main(words + ['--steps', '40']) == 0
    losses = [float(line.rpartition(' ')[2]) for line in capfd.readouterr().err.splitlines()
              if 'loss' in line]
    assert losses[-1] < learned  # it begins at 3 (crops) or 2 (detector)
    assert main(words + ['--steps', '40']) == 1
    assert '--resume continues it' in capfd.readouterr().err
    for name in ('network.pt', 'last.ckpt'):
        assert main(['export', str(tmp_path / 'run' / name), '-o', run + '.onnx',
                     '--size', '64x64']) == 0
    assert main(words + ['--seconds', '0.5', '--resume', '--output', run + '2']) == 0


def test_packed_images_are_sampled_by_the_matrix(tmp_path):
    config, folder = packed(tmp_path, CROP)
    pool = ImagePool(folder, CPU)
    assert len(pool) == 8 and pool.sizes[0].tolist() == [96, 96]
    identity = np.tile(np.eye(3)[:2], (1, 1, 1))
    whole = pool.sample(np.array([3]), identity, (96, 96))
    moved = np.array([[[1., 0., -10.], [0., 1., -20.]]])
    part = pool.sample(np.array([3]), moved, (96, 96), fill=7.)
    torch.testing.assert_close(part[0, :, :76, :86], whole[0, :, 20:, 10:])
    assert (part[0, :, 76:] == 7).all() and (part[0, :, :, 86:] == 7).all()
    mirror = np.array([[[-1., 0., 95.], [0., 1., 0.]]])
    torch.testing.assert_close(pool.sample(np.array([3]), mirror, (96, 96)), whole.flip(3))


def test_gaussians_are_those_of_the_loaders():
    points = np.array([[[20., 30., 1.], [5., 60., 1.]]], np.float32)
    found = gaussians(torch.from_numpy(points[..., :2]), (48, 64), 4, 8.)[0].numpy()
    wanted = draw_heatmaps(points, (16, 12), 4, 8.)
    np.testing.assert_allclose(np.where(found < .01, 0, found), wanted, atol=1e-6)


def test_targets_lie_on_the_grid_of_the_network(tmp_path):
    """Cell g of `corner` is the pixel 4 g, and of `half_pixel` 4 g + 1.5: 0.375 cells later."""
    config, folder = packed(tmp_path, CROP)
    pool, centers = ImagePool(folder, CPU), []
    for grid in ('half_pixel', 'corner'):
        batches = PersonBatches(pool, config.data, make_family('heatmap', 'coco_17', grid=grid), 4,
                                None, 0.)
        maps = batches(8, 0., np.random.default_rng(0))[1]
        inner = maps[:, :, 6:-6, 6:-6].amax((2, 3)) > .9  # whole in the crop
        total = maps.sum((2, 3))
        cells = torch.arange(16.)
        centers.append(torch.stack([(maps.sum(2) * cells).sum(2), (maps.sum(3) * cells).sum(2)])
                       / total)
        centers[-1][:, ~inner] = torch.nan
    moved = (centers[1] - centers[0])
    moved = moved[~moved.isnan()]
    assert len(moved) > 8
    torch.testing.assert_close(moved, torch.full_like(moved, .375), atol=.03, rtol=0)


def test_the_crops_of_a_teacher_begin_where_its_cells_do():
    plain = matrices(np.array([[50., 40.]]), np.array([24., 32.]), np.zeros(1),
                     np.array([[2., 2.]]))
    straight, mirror = shifted(plain, (48, 64), 1.5)
    point = np.array([55., 44., 1.])
    x, y = plain[0] @ point
    np.testing.assert_allclose(straight[0] @ point, [x - 1.5, y - 1.5])
    # Its cell g at pixel 4 g, mirrored, is the student's cell 11 - g, at 4 (11 - g) + 1.5.
    np.testing.assert_allclose(mirror[0] @ point, [48 - 1 - 1.5 - x, y - 1.5])
    assert 48 - 1 - 1.5 - (4 * (11 - 3) + 1.5) == 4 * 3
    # Of a student with cells at the same pixels nothing is shifted; cell g is its cell 11 - g.
    straight, mirror = shifted(plain, (48, 64), 1.5, 1.5)
    np.testing.assert_allclose(straight, plain)
    np.testing.assert_allclose(mirror[0] @ point, [48 - 1 - 3 - x, y])
    assert 48 - 1 - 3 - 4 * (11 - 3) == 4 * 3


def test_invalid_input_is_rejected(tmp_path):
    config, folder = packed(tmp_path, CROP)
    with pytest.raises(ConfigError, match='either seconds or steps'):
        DeviceTrainer(config, folder, Budget(), CPU)
    with pytest.raises(DataError, match='make them with pose-train pack'):
        DeviceTrainer(config, str(tmp_path / 'none'), Budget(steps=1), CPU)
    other = config._replace(model=config.model._replace(topology='mpii_16'))
    with pytest.raises(DataError, match='17 keypoints, the network 16'):
        DeviceTrainer(other, folder, Budget(steps=1), CPU)
    learn = config.optimizer._replace(lr=1e30, grad_clip_norm=0.)
    with pytest.raises(FitError, match='the loss is'):
        DeviceTrainer(config._replace(optimizer=learn), folder, Budget(steps=4, warmup=0),
                      CPU).run()
    assert make_family('paf', 'coco_18').name == 'paf'


def test_few_libraries_are_needed():
    blocked = ('lightning', 'onnx', 'onnxruntime', 'openvino', 'pycocotools', 'tensorboard')
    program = ('import sys\nfor name in {!r}:\n    sys.modules[name] = None\n'
               'import pose_training.cli.fit_packed, pose_training.fitting.config\n'
               'from pose_training.models import create_model\n'
               "create_model('lite_pose_crop')\n").format(blocked)
    subprocess.run([sys.executable, '-c', program], check=True, timeout=120)


def test_the_openvino_module_computes_what_openvino_does(shared):
    openvino = pytest.importorskip('openvino')
    path = str(shared / 'weights' / 'tinypose_256_192' / 'model.xml')
    core = openvino.Core()
    core.set_property('CPU', {'INFERENCE_PRECISION_HINT': 'f32'})
    image = np.random.default_rng(0).normal(size=(1, 3, 256, 192)).astype(np.float32)
    wanted = core.compile_model(path, 'CPU')([image])['conv2d_441.tmp_1']
    module, images = OpenVinoModule(path), torch.from_numpy(np.concatenate([0 * image, image]))
    with torch.no_grad():
        found, (hidden,) = module.with_layers(images, ['relu_74.tmp_0'])
    np.testing.assert_allclose(found[1:].numpy(), wanted, atol=1e-5)
    model = core.read_model(path)
    model.add_outputs('relu_74.tmp_0')
    wanted = core.compile_model(model, 'CPU')([image])['relu_74.tmp_0']
    assert module.channels('relu_74.tmp_0') == wanted.shape[1] == 160
    np.testing.assert_allclose(hidden[1:].numpy(), wanted, atol=1e-4)
    with pytest.raises(DataError, match="the teacher has no layer 'relu_74'; there is relu_"):
        module.channels('relu_74')


def test_hints_of_a_teacher_on_the_device(tmp_path, shared):
    """Two steps of the shipped configuration: all parts learn. Other hints are errors."""
    plan = load_config(str(CONFIGS / 'lite_hr_crop_parts.yaml'))
    teacher = plan.teacher._replace(
        models=(str(shared / 'weights' / 'tinypose_256_192' / 'model.xml'),),
        cards=(str(CONFIGS / 'teachers' / 'tinypose.json'),))
    config, folder = packed(tmp_path, {**CROP, 'model__name': 'lite_hr_crop',
                                       'model__options': {}})
    config = config._replace(
        teacher=teacher, optimizer=plan.optimizer._replace(batch=2),
        data=config.data._replace(size=(192, 256)), output=str(tmp_path / 'run'))
    trainer = DeviceTrainer(config, folder, Budget(steps=2), CPU)
    before = {name: value.clone() for name, value in trainer._network.named_parameters()}
    trainer.run()
    still = [name for name, value in trainer._network.named_parameters()
             if torch.equal(value, before[name])]
    assert not still
    free = tuple(hint._replace(translate=True) for hint in teacher.hints)
    for changed, words in ((teacher._replace(hints=free, forcing=False), '`translate: false`'),
                           (teacher._replace(models=(), cards=()), 'with a teacher alone')):
        with pytest.raises(ConfigError, match=words):
            DeviceTrainer(config._replace(teacher=changed), folder, Budget(steps=1), CPU)
