# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Family `cpm`: targets with a background, loss of all stages, cards, teachers, TensorRT."""
import json
from types import SimpleNamespace

import cv2
from figures import write_figures, write_run
import numpy as np
import pytest
from real_network import build, check_network, real_library
import torch

from pose_ros.core.adoption import adopt
from pose_ros.core.card import parse_card
from pose_ros.core.decoders import create_decoder
from pose_ros.core.estimator import PoseEstimator
from pose_ros.core.frame import Frame
from pose_ros.core.regions import whole
from pose_training.checkpoint import load_checkpoint, save_checkpoint
from pose_training.cli.main import main
from pose_training.distillation.teacher import Teacher
from pose_training.exporters.cards import make_card
from pose_training.exporters.export import export, ExportOptions
from pose_training.exporters.synthetic_image import draw_image, prepare
from pose_training.families.registry import make_family
from pose_training.fitting.transfer import with_topology
from pose_training.models import create_model

CPM = make_family('cpm', 'coco_17')
SPEC = SimpleNamespace(size=(64, 96), stride=8, sigma=8.)
SMALL = {'stages': 2, 'width': .125}


def crop(trust=1.):
    """Return a crop of one person with keypoints at cell centers along a diagonal."""
    people = np.array([[(3.5 + 8 * (k % 8), 3.5 + 8 * (k // 2), 2) for k in range(17)]], 'f4')
    confidences = np.ones((1, 17), np.float32)
    confidences[0, 5] = trust
    return SimpleNamespace(people=people, confidences=confidences)


def small_card(**options):
    """Return the card of a small network of bodies for coco_17."""
    network = create_model('cpm_body', 'coco_17', **SMALL)
    return make_card(network, ExportOptions((64, 96), **options), {})


def test_targets_are_gaussians_and_a_background():
    maps, weights = CPM.targets(crop(), SPEC)
    assert maps.shape == weights.shape == (18, 12, 8) and maps.dtype == np.float32
    assert maps[9, 4, 1] == 1 and maps[9, 4, 2] == pytest.approx(np.exp(-.5))
    np.testing.assert_array_equal(maps[17], 1 - maps[:17].max(0))
    assert maps[17].min() == 0 and (weights == 1).all()


def test_an_unlabelled_keypoint_makes_the_background_unknown():
    weights = CPM.targets(crop(trust=0.), SPEC).weights
    assert not weights[5].any() and not weights[17].any() and (weights[4] == 1).all()


def test_every_stage_has_a_loss():
    maps, weights = (torch.from_numpy(part)[None] for part in CPM.targets(crop(), SPEC))
    wrong = maps.clone()
    wrong[0, 17, 0, 0] += 1  # the background at a keypoint: its target is 0
    wrong[0, 17, 11, 0] += .5  # and far from all of them: 1
    stages = [{'heatmaps': each} for each in (maps, wrong, maps)]
    losses = CPM.loss(stages, maps, weights, 3.)
    assert maps[0, 17, 0, 0] == 0 and maps[0, 17, 11, 0] > .98
    assert [loss.item() for loss in losses] == [
        0, pytest.approx((4 + .25 * (1 + 3 * (1 - maps[0, 17, 11, 0].item()))) / 96), 0]


def test_only_the_hardest_keypoints_count():
    family = make_family('cpm', 'coco_17')
    family.hardest = 2
    maps, weights = torch.zeros(1, 18, 12, 8), torch.ones(1, 18, 12, 8)
    wrong = maps.clone()
    for channel, error in ((3, 1.), (7, 3.), (9, 2.), (17, .5)):
        wrong[0, channel, 4, 4] = error
    (loss,) = family.loss([{'heatmaps': wrong}], maps, weights, 0.)
    assert loss.item() == pytest.approx((9 + 4 + .25) / 96)


def test_the_decoder_of_heatmaps_reads_the_outputs():
    card = small_card()
    assert card.decoder.type == 'heatmap' and card.decoder.outputs['channels'] == list(range(17))
    maps = CPM.targets(crop(), SPEC).maps
    found = create_decoder(card).decode({'output': maps})
    np.testing.assert_allclose(found.keypoints[0, :, :2], crop().people[0, :, :2], atol=.6)
    assert CPM.output_shapes(card, 8) == {'output': (18, 12, 8)}
    assert [(group.name, group.first, group.last) for group in CPM.groups(card)] == [
        ('heatmaps', 0, 17), ('background', 17, 18)]
    panels = CPM.panels(np.zeros((96, 64, 3), np.uint8), maps, single=17)
    assert len(panels) == 18 and all('background' not in panel.title for panel in panels)
    assert CPM.keypoint_maps(maps).shape == (17, 12, 8)


@pytest.mark.parametrize('peak, stride, shift', [(1, 8, 0), (255, 4, .375)])
def test_teachers_of_any_peak_and_stride(peak, stride, shift):
    data = json.loads(small_card().to_json())
    data['decoder']['outputs'].update(peak=peak, grid='corner' if shift else 'half_pixel')
    data['provenance']['export']['stride'] = stride
    channels = CPM.teacher_channels(parse_card(json.dumps(data), 'a'), 'a')
    assert channels.known.all() and len(channels.known) == 18
    assert (channels.stride, channels.shift) == (stride, shift)
    maps = torch.rand(1, 18, 12, 8)
    read = channels.read({'output': peak * maps})
    torch.testing.assert_close(read, maps[:, :17])
    complete = channels.complete(read)
    torch.testing.assert_close(complete[:, 17], 1 - maps[:, :17].amax(1))
    assert list(channels.mirror) == [*CPM.topology.mirror, 17]


def test_a_teacher_without_some_keypoints_has_no_background():
    own = make_family('cpm', 'cpm_14')
    channels = own.teacher_channels(small_card(), 'a')
    assert channels.known.tolist() == [False, False] + [True] * 12 + [False]  # no head top, neck


def test_a_public_pose_machine_is_a_teacher(shared, tmp_path):
    """Of stride 2, which its card does not state: its maps lie over the keypoints it decodes."""
    path = adopt(str(shared / 'weights' / 'mobile_cpm_192.onnx'), str(tmp_path / 'a.onnx')).path
    image = cv2.imread(str(shared / 'data' / 'demo' / '01_single_skier.jpg'))
    crop = cv2.resize(image, (192, 192))
    family = make_family('cpm', 'cpm_14')
    teacher = Teacher(path, (192, 192), family, 8, backend='onnxruntime')
    maps = teacher.maps(crop)
    assert maps.shape == (15, 24, 24) and teacher.known().sum() >= 12
    estimator = PoseEstimator(path, backend='onnxruntime', card=None)
    (outputs, _), = estimator.network([Frame(crop)], [whole(0, 192, 192)])
    keypoints = estimator.network.decoder.decode(outputs).keypoints[0]
    names = estimator.card.topology.keypoint_names
    estimator.close()
    near = [np.abs((np.array(np.unravel_index(maps[k].argmax(), (24, 24)))[::-1] + .5) * 8 - .5
                   - keypoints[names.index(name), :2]).max() <= 12
            for k, name in enumerate(family.topology.keypoint_names)
            if name in names and keypoints[names.index(name), 2] > .3]
    assert len(near) >= 6 and np.mean(near) >= .8, near


def test_labels_and_teachers_are_mixed():
    maps, weights = (torch.from_numpy(part)[None] for part in CPM.targets(crop(0.), SPEC))
    soft = maps.clone()
    soft[:, 5] = 0
    soft[0, 5, 11, 7] = .8  # where the teacher finds the keypoint without a label
    target, mixed = CPM.mix(maps, weights, soft, torch.ones(18, dtype=torch.bool), .5,
                            torch.tensor([True]))
    torch.testing.assert_close(target[:, :5], maps[:, :5])
    assert target[0, 5, 11, 7] == pytest.approx(.8)
    assert target[0, 17, 11, 7] == pytest.approx(.2, abs=1e-6)
    assert (mixed[0, 17] > .9).all()
    # A teacher without that keypoint: neither it nor the background is known.
    known = torch.ones(18, dtype=torch.bool)
    known[[5, 17]] = False
    _, mixed = CPM.mix(maps, weights, soft, known, .5, torch.tensor([True]))
    assert not mixed[0, 5].any() and not mixed[0, 17].any()


def test_the_weights_for_another_skeleton():
    """What neither yields nor reads heatmaps is kept, as in the published fine-tuning."""
    network = create_model('cpm_body', **SMALL)
    changed = with_topology(network, CPM.topology)
    assert changed(torch.zeros(1, 3, 32, 32))[-1]['heatmaps'].shape == (1, 18, 4, 4)
    old, new = network.state_dict(), changed.state_dict()
    fresh = {'conv5_2_CPM.weight', 'conv5_2_CPM.bias', 'Mconv1_stage2.weight',
             'Mconv7_stage2.weight', 'Mconv7_stage2.bias'}
    assert {name for name in old if old[name].shape != new[name].shape} == fresh
    assert all(torch.equal(old[name], new[name]) for name in old if name not in fresh)


def test_a_small_network_learns_the_maps_of_another_kind(tmp_path):
    """`pose-train distill` with a teacher of Simple Baselines' kind, at another stride."""
    data = write_figures(tmp_path / 'data')
    teacher = create_model('lite_pose_crop', width=.25).eval()
    with torch.no_grad():
        teacher.head.weight.zero_()
        teacher.head.bias.copy_(torch.linspace(0, .8, 17))
    save_checkpoint(str(tmp_path / 'teacher.pt'), teacher)
    config = write_run(
        tmp_path, data, model={'name': 'cpm_body', 'topology': 'coco_17', 'options': SMALL},
        data__size=[32, 32], optimizer__epochs=8, optimizer__crops_per_epoch=64,
        optimizer__batch=8, optimizer__lr=4e-3, optimizer__ema_decay=.8, data__variants=1,
        optimizer__foreground_weight=0.)
    assert main(['distill', config, '--teacher', str(tmp_path / 'teacher.pt'), '--weight', '1',
                 '--on-device']) == 0
    student, provenance = load_checkpoint(str(tmp_path / 'run' / 'network.pt'))
    assert provenance['teachers'] == [str(tmp_path / 'teacher.pt')]
    with torch.no_grad():
        found = [stage['heatmaps'].mean((0, 2, 3)) for stage in student.eval()(
            torch.rand(8, 3, 32, 32) * .2 - .5)]  # as dark as the images
    wanted = torch.linspace(0, .8, 17)
    for maps in found:
        assert (maps[:17] - wanted).abs().max() < .15
        assert maps[17] == pytest.approx(.2, abs=.15)


def test_a_file_runs_in_the_estimator_on_whole_frames(tmp_path):
    """The frame is the crop; maps of one value have their maximum in the first cell."""
    network, path = create_model('cpm_hand_v2', **SMALL), str(tmp_path / 'hand.onnx')
    with torch.no_grad():
        for parameter in network.Mconv7_stage2.parameters():
            parameter.zero_()
        network.Mconv7_stage2.bias[:21] = .9
    card = json.loads(export(network.eval(), path, ExportOptions((64, 64))).to_json())
    card['input']['padding'] = 1
    (tmp_path / 'card.json').write_text(json.dumps(card))
    estimator = PoseEstimator(path, backend='onnxruntime', card=str(tmp_path / 'card.json'))
    people = estimator(draw_image(128, 128))
    estimator.close()
    # The first cell is the pixel 1.5 of 64: 3.5 of 128.
    np.testing.assert_allclose(people.keypoints, np.tile([3.5, 3.5, .9], (1, 21, 1)), atol=1e-4)


@pytest.mark.parametrize('words', [(), ('--precision', 'fp16'), ('--batch', 'dynamic')])
def test_all_stages_are_exported_for_drawings(tmp_path, words):
    network, path = create_model('cpm_body', 'coco_17', stages=3, width=.125), tmp_path / 'a.onnx'
    save_checkpoint(str(tmp_path / 'a.pt'), network)
    assert main(['export', str(tmp_path / 'a.pt'), '-o', str(path), '--size', '64x64',
                 '--all-stages', *words]) == 0
    estimator = PoseEstimator(str(path), backend='onnxruntime')
    assert estimator.card.decoder.outputs['stages'] == ['stage_1', 'stage_2']
    image = draw_image(64, 64)
    outputs = estimator.network.engine.infer(prepare([image], estimator.card.input))
    estimator.close()
    with torch.no_grad():
        wanted = network.eval()(torch.from_numpy(prepare([image], estimator.card.input)))
    for name, stage in zip(('stage_1', 'stage_2', 'output'), wanted):
        np.testing.assert_allclose(outputs[name], stage['heatmaps'], atol=2e-3)
    assert [len(maps) for maps in create_decoder(estimator.card).stage_maps(
        {name: value[0] for name, value in outputs.items()})] == [17, 17]
    assert main(['verify', str(path)]) == 0


def test_other_families_have_no_stages_to_export(tmp_path, capsys):
    save_checkpoint(str(tmp_path / 'a.pt'), create_model('lite_pose_crop', width=.25))
    assert main(['export', str(tmp_path / 'a.pt'), '-o', str(tmp_path / 'a.onnx'),
                 '--all-stages']) == 1
    assert "of the family 'heatmap' cannot be exported" in capsys.readouterr().err


@pytest.mark.parametrize('name, options', [
    ('cpm_body_slim', {}), ('cpm_body', {'batch': 'dynamic'}), ('cpm_hand_v2', {}),
    ('cpm_body', {'precision': 'fp16'}), ('cpm_body', {'precision': 'int8', 'tensorrt': True})])
def test_tensorrt_builds_them(tmp_path, name, options):
    library, path = real_library(), str(tmp_path / 'a.onnx')
    if 'tensorrt' in options:
        write_figures(tmp_path / 'data', 2)
        options = dict(options, calibration=[str(tmp_path / 'data' / 'figures_0.png')])
    network = create_model(name, gray=True, **SMALL).eval()
    export(network, path, ExportOptions((128, 64), **options))
    assert check_network(library, path) > 20
    rows = 2 if 'batch' in options else 1
    wanted = options.get('precision', 'fp32')
    assert build(library, path, (rows, 3, 64, 128)).precision == wanted
