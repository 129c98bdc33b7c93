# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""`pose-train distill`, and hints: a student learns the outputs of its teachers."""
import os

from figures import run_data, TINY, write_figures, write_run
import numpy as np
import pytest
import torch
from torch import nn

from pose_training.checkpoint import load_checkpoint, save_checkpoint
from pose_training.cli.main import main
from pose_training.data.dataset import CropRequest
from pose_training.distillation.hints import HintedCrops, Hints
from pose_training.errors import ConfigError, DataError
from pose_training.exporters.cards import make_card
from pose_training.exporters.export import export, ExportOptions
from pose_training.fitting.config import build
from pose_training.fitting.crops import CleanCrops, Crops
from pose_training.fitting.fit import fit
from pose_training.fitting.settings import RunConfig
from pose_training.fitting.teachers import make_hints
from pose_training.models import create_model

pytestmark = pytest.mark.fitting

CLEAN = dict.fromkeys(('light', 'color', 'gray', 'blur', 'noise', 'dark', 'jpeg', 'erase'), 0.)


@pytest.fixture(scope='module')
def folder(tmp_path_factory):
    """Return a folder with a dataset and a teacher, as ONNX and as a checkpoint."""
    path = tmp_path_factory.mktemp('distill')
    write_figures(path / 'data')
    torch.manual_seed(5)
    teacher = create_model('repvgg_fpn', stages=1, **TINY)
    with torch.no_grad():
        teacher.stages[0][3].weight.mul_(2)
        teacher.stages[0][3].bias.copy_(torch.linspace(-.4, .9, 57))
    save_checkpoint(str(path / 'teacher.pt'), teacher.eval())
    export(teacher, str(path / 'teacher.onnx'), ExportOptions(size=(64, 64)))
    hand = make_card(create_model('repvgg_fpn', 'hand_21', stages=1, **TINY), ExportOptions(), {})
    (path / 'hand.json').write_text(hand.to_json())
    return path


def config(folder, **changes):
    """Write the configuration of a run, and return its path."""
    values = {'optimizer__epochs': 16, 'optimizer__crops_per_epoch': 64, 'optimizer__batch': 8,
              'optimizer__lr': 1e-2, 'optimizer__ema_decay': .9, 'data__photometric': CLEAN,
              'seed': 1}
    return write_run(folder, str(folder / 'data' / 'figures.json'), **{**values, **changes})


def test_a_student_learns_the_maps_of_its_teacher(folder, tmp_path, capfd):
    words = [config(folder), '--teacher', str(folder / 'teacher.onnx'), '--weight', '1',
             '--output', str(tmp_path / 'run'), '--cache', str(tmp_path / 'maps')]
    assert main(['distill', *words]) == 0
    student, provenance = load_checkpoint(str(tmp_path / 'run' / 'network.pt'))
    assert provenance['teachers'] == [str(folder / 'teacher.onnx')]
    teacher, _ = load_checkpoint(str(folder / 'teacher.pt'))
    kept = [name for name in os.listdir(tmp_path / 'maps') if name.endswith('.npy')]
    assert 20 < len(kept) <= 32  # eight images in four variants
    run = build(RunConfig, run_data(folder, str(folder / 'data' / 'figures.json')), '')
    crops = crops_of(run)
    image = torch.stack([crops[draw][0] for draw in draws()]).float() / 255 * 4 - 2
    untaught = create_model('repvgg_fpn', stages=1, **TINY).eval()
    with torch.no_grad():
        wanted, found, fresh = (torch.cat(tuple(network(image)[-1].values()), 1)
                                for network in (teacher, student, untaught))
    keypoints = slice(0, 18)
    wanted[:, keypoints] = wanted[:, keypoints].clip(0, 1)
    wanted[:, 18] = 1 - wanted[:, keypoints].max(1).values
    assert ((found - wanted) ** 2).mean() < .05 * ((fresh - wanted) ** 2).mean()
    # The second run reads all maps from the cache, and the result is the same.
    words[words.index(str(tmp_path / 'run'))] = str(tmp_path / 'again')
    before = sorted(os.listdir(tmp_path / 'maps'))
    assert main(['distill', *words]) == 0
    assert sorted(os.listdir(tmp_path / 'maps')) == before
    again, _ = load_checkpoint(str(tmp_path / 'again' / 'network.pt'))
    for name, value in student.state_dict().items():
        assert torch.equal(again.state_dict()[name], value), name


def crops_of(run):
    """Return the crops of a run, without light and noise."""
    module = Crops(run, create_model('repvgg_fpn', stages=1, **TINY))
    module.setup('fit')
    return CleanCrops(module._crops)


def draws():
    """Return some crops to make."""
    return [CropRequest(k % 8, k // 8, 0) for k in range(16)]


@pytest.mark.parametrize('words, message', [
    ([], 'there is no teacher: name a network with --teacher or --single-person'),
    (['--card', 'a.json'], '--card needs a --teacher'),
    (['--teacher', 'nowhere.onnx'], "no model file at 'nowhere.onnx'"),
    (['--teacher', 'TEACHER', '--weight', '2'], 'teacher.weight must be from 0 to 1'),
    (['--teacher', 'TEACHER', '--card', 'a', '--card', 'b'], 'no more than the teacher.models'),
    (['--teacher', 'TEACHER', '--card', 'a.json'], 'cannot read the model card a.json'),
    (['--single-person', 'a.onnx'], 'single-person teachers are .tflite files'),
    (['--teacher', 'TEACHER', 'teacher.size=[72, 72]', '--card', 'HAND'], 'a decoder of type'),
])
def test_errors_name_the_fix(folder, tmp_path, capfd, words, message):
    names = {'TEACHER': 'teacher.onnx', 'HAND': 'hand.json'}
    words = [str(folder / names[word]) if word in names else word for word in words]
    assert main(['distill', config(folder), *words, '--output', str(tmp_path / 'run')]) == 1
    error = capfd.readouterr().err.strip().splitlines()[-1]
    assert error.startswith('pose-train: error: ') and message in error


def test_a_teacher_that_fails_in_a_loader_is_an_error_of_one_line(folder, tmp_path, capfd):
    words = [config(folder), '--teacher', str(folder / 'teacher.onnx'), 'data.workers=1',
             'teacher.backend=tensorrtx', '--output', str(tmp_path / 'run')]
    assert main(['distill', *words]) == 1
    error = capfd.readouterr().err.strip().splitlines()[-1]
    assert error.startswith('pose-train: error: ') and 'tensorrtx' in error
    assert 'Caught' not in error and 'Traceback' not in error


def hinted(folder, run, **changes):
    """Return a run with a hint from the teacher's pyramid to the student's."""
    values = {'teacher': {'models': [str(folder / 'teacher.pt')], 'hints': [
        {'student': 'pyramid', 'teacher': 'pyramid', 'weight': 1.}]}, 'output': str(run),
        'model__options': dict(TINY, stages=1, neck=12), 'optimizer__lr': 1e-2,
        'optimizer__epochs': 3, 'optimizer__crops_per_epoch': 64, 'optimizer__batch': 8}
    data = run_data(folder, str(folder / 'data' / 'figures.json'), **{**values, **changes})
    return build(RunConfig, data, '')


def test_hints_are_trained_and_are_no_part_of_the_network(folder, tmp_path):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
    run = hinted(folder, tmp_path / 'run', optimizer__crops_per_epoch=160)
    path = fit(run)
    log = EventAccumulator(str(tmp_path / 'run' / 'log'))
    log.Reload()
    values = [event.value for event in log.Scalars('loss/hint_1')]
    assert values[-1] < .6 * values[0] < 60
    loss, stage = ([event.value for event in log.Scalars(name)] for name
                   in ('loss', 'loss/stage_1'))
    assert loss == pytest.approx(np.add(stage, values), rel=1e-4)
    network, _ = load_checkpoint(path)
    assert not any('hint' in name for name in network.state_dict())
    snapshot = torch.load(tmp_path / 'run' / 'snapshots' / 'last.ckpt', weights_only=True)
    assert 'hints.translations.0.weight' in snapshot['state_dict']


def test_a_run_with_hints_continues(folder, tmp_path):
    fit(hinted(folder, tmp_path / 'one'))
    fit(hinted(folder, tmp_path / 'two', optimizer__epochs=2, optimizer__schedule='constant'))
    fit(hinted(folder, tmp_path / 'two', optimizer__schedule='constant'))
    fit(hinted(folder, tmp_path / 'whole', optimizer__schedule='constant'))
    states = [torch.load(tmp_path / name / 'snapshots' / 'last.ckpt', weights_only=True)
              ['current_model_state'] for name in ('two', 'whole', 'one')]
    for name, value in states[1].items():
        assert torch.equal(states[0][name], value), name
    assert not torch.equal(states[0]['hints.translations.0.weight'],
                           states[2]['hints.translations.0.weight'])


def test_hints_of_missing_layers_are_rejected(folder, tmp_path):
    network = create_model('repvgg_fpn', stages=1, **TINY)
    for student, teacher, words in (
            ('pyramide', 'pyramid', "the student has no layer 'pyramide'; there is pyramid"),
            ('pyramid', 'neck', "teacher.pt has no layer 'neck'"),
            ('stages', 'pyramid', "the student: the layer 'stages' yields no maps")):
        run = hinted(folder, tmp_path, teacher={
            'models': [str(folder / 'teacher.pt')],
            'hints': [{'student': student, 'teacher': teacher}]})
        with pytest.raises(DataError, match=words):
            make_hints(network, run)
    assert network.training


def test_a_hint_is_the_share_of_the_teachers_square_that_is_missed():
    network = nn.Sequential(nn.Conv2d(3, 4, 1), nn.AvgPool2d(2))
    hints = Hints(network, ['1'], [(4, 2)])
    network(torch.zeros(2, 3, 8, 8))
    nn.init.zeros_(hints.translations[0].weight)
    hints.translations[0].bias.data = torch.tensor([1., 3.])
    target = torch.ones(2, 2, 8, 8, dtype=torch.float16)  # twice as fine as the student's
    target[:, 1] = 2
    assert hints([target])[0].item() == pytest.approx(.5 * (0 + 1) / (.5 * (1 + 4)))


def test_hinted_crops_have_the_features_of_the_teacher():
    class Teacher:
        def features(self, image):
            assert image.shape == (4, 6, 3) and image.dtype == np.uint8
            return {'a': image[:, :, 0].astype(np.float32)[None], 'b': np.ones((2, 1, 1))}
    image = torch.arange(72, dtype=torch.uint8).reshape(3, 4, 6)
    crops = HintedCrops([(image, 'maps', 'weights')], lambda: {3: Teacher()}, [(3, 'b'), (3, 'a')])
    first, maps, weights, one, two = crops[0]
    assert (maps, weights) == ('maps', 'weights') and first is image
    assert one.shape == (2, 1, 1) and one.dtype == torch.float16
    assert torch.equal(two[0], image[0].half())
    assert len(crops) == 1


def test_without_a_translation_each_channel_counts_by_its_variance():
    network = nn.Sequential(nn.Conv2d(3, 2, 1), nn.ReLU())
    hints = Hints(network, ['0'], [(2, 2)], [False])
    assert not list(hints.parameters())
    nn.init.zeros_(network[0].weight)
    network[0].bias.data = torch.tensor([0., 5.])
    network(torch.zeros(2, 3, 2, 2))
    target = torch.tensor([-1., 1.] * 8).view(2, 2, 2, 2)
    target[:, 1] = target[:, 1] * 3 + 5  # 2 and 8, and the student has the mean
    assert hints([target])[0].item() == pytest.approx(7 / 8, rel=1e-5)  # of 8 values each
    with pytest.raises(ConfigError, match='0 has 2 channels and its teacher 3'):
        Hints(network, ['0'], [(2, 3)], [False])


def test_forced_layers_get_the_output_of_the_teacher():
    network = nn.Sequential(nn.Conv2d(1, 1, 1), nn.Conv2d(1, 1, 1), nn.Conv2d(1, 1, 1))
    hints = Hints(network, ['0', '1'], [(1, 1)] * 2, [False] * 2, forcing=True)
    image, wanted = torch.randn(2, 1, 4, 4), [torch.randn(2, 1, 4, 4).half() for _ in range(2)]
    with torch.no_grad():
        own = network(image)
    hints.begin(wanted)
    found = network(image)
    assert torch.allclose(found, network[2](wanted[1].float()))
    hints(wanted)[1].backward()
    assert network[0].weight.grad is None and network[1].weight.grad is not None
    with torch.no_grad():  # without a teacher the layers are connected again
        assert torch.equal(network(image), own) and not torch.equal(found, own)


def test_a_student_is_trained_part_by_part(folder, tmp_path):
    """With the outputs of its teacher as inputs, every part comes near to the teacher's."""
    torch.manual_seed(6)
    shape = {'width': 8, 'exchanges': [1, 1, 1]}
    teacher = create_model('lite_hr_crop', **shape)
    with torch.no_grad():
        for _ in range(60):  # statistics for its norms
            teacher(torch.randn(8, 3, 64, 64))
    save_checkpoint(str(tmp_path / 'teacher.pt'), teacher.eval())
    names = ['parts.0.fine', 'parts.0.coarse'] + [
        'parts.{}.outputs.{}'.format(part, branch) for part in (1, 2, 3)
        for branch in range(part + 1)]
    data = run_data(
        folder, str(folder / 'data' / 'figures.json'), output=str(tmp_path / 'parts'), teacher={
            'models': [str(tmp_path / 'teacher.pt')], 'forcing': True, 'hints': [
                {'student': name, 'teacher': name, 'weight': 1., 'translate': False}
                for name in names]},
        model__name='lite_hr_crop', model__topology='', model__options=shape,
        data__size=[64, 64], data__sigma=8., optimizer__epochs=4, optimizer__crops_per_epoch=160,
        optimizer__batch=8, optimizer__lr=1e-2, optimizer__norm_lr=4., optimizer__ema_decay=.8)
    student, _ = load_checkpoint(fit(build(RunConfig, data, '')))
    fresh = create_model('lite_hr_crop', **shape).eval()
    assert _missed(student, teacher, folder) < .5 * _missed(fresh, teacher, folder)


@torch.no_grad()
def _missed(student, teacher, folder):
    """Return the share of the variance of the teacher's finest features that a student misses."""
    run = build(RunConfig, run_data(folder, str(folder / 'data' / 'figures.json')), '')
    crops = crops_of(run)
    image = torch.stack([crops[draw][0] for draw in draws()]).float() / 255 * 4 - 2
    found = []
    for network in (student, teacher):
        branches = image
        for part in network.parts:
            branches = part(branches)
        found.append(branches[0])
    return float((found[0] - found[1]).square().mean() / found[1].var())


def test_hints_that_cannot_be_forced_are_rejected(folder, tmp_path):
    models = [str(folder / 'teacher.pt')]
    same = {'student': 'pyramid', 'teacher': 'pyramid', 'translate': False}
    for teacher in ({'models': models, 'forcing': True},
                    {'models': models, 'forcing': True, 'hints': [{**same, 'translate': True}]}):
        with pytest.raises(ConfigError, match='teacher.forcing must be false without'):
            fit(hinted(folder, tmp_path, teacher=teacher))
    run = hinted(folder, tmp_path, teacher={'models': models, 'hints': [same]})
    with pytest.raises(ConfigError, match='pyramid has 12 channels .* `translate: true`'):
        make_hints(create_model('repvgg_fpn', **run.model.options), run)
