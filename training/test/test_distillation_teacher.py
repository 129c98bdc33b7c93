# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Teachers: their maps in the student's channels and on its grid, from any kind of file."""
import json

import cv2
from figures import TINY
import numpy as np
import onnx
import pytest
import torch

from pose_ros.core.card import parse_card
from pose_ros.core.decoders import create_decoder
from pose_ros.core.errors import ModelError
from pose_ros.core.paf_layouts import map_layout
from pose_ros.core.sources.images import read_image
from pose_ros.core.topology import get_topology
from pose_training.checkpoint import save_checkpoint
from pose_training.distillation.teacher_networks import layer_channels, open_network
from pose_training.distillation.resampling import interpolation
from pose_training.distillation.teacher import Ensemble, match_card, Teacher
from pose_training.errors import DataError
from pose_training.exporters.cards import make_card
from pose_training.exporters.export import export, ExportOptions
from pose_training.exporters.inference import inference_copy
from pose_training.models import create_model
from pose_training.families.registry import make_family

pytestmark = pytest.mark.fitting

FAMILY = make_family('paf', 'coco_18')
COCO = FAMILY.layout


def network(topology='coco_18', seed=0):
    """Return a tiny network with random statistics."""
    torch.manual_seed(seed)
    found = create_model('repvgg_fpn', topology, stages=1, **TINY)
    for name, value in found.state_dict().items():
        if name.endswith('running_mean'):
            value.normal_(0, .1)
    with torch.no_grad():
        found.stages[0][3].weight.mul_(3)
        found.stages[0][3].bias.normal_(.3, .3)
    return found.eval()


def make_image(width=96, height=64, seed=0):
    """Return an (H, W, 3) image."""
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3)).astype(np.uint8)


def own_maps(found, image):
    """Return the maps of PyTorch, (C, h, w), heatmaps cut to 0..1, and their background."""
    batch = torch.from_numpy(((image.transpose(2, 0, 1) / 255 - .5) / .25).astype(np.float32))
    with torch.no_grad():
        heatmaps, pafs = (part[0].numpy() for part in found(batch[None])[-1].values())
    keypoints = heatmaps[:-1].clip(0, 1)
    return np.concatenate([keypoints, 1 - keypoints.max(0, keepdims=True), pafs])


def write(found, path, **options):
    """Export a network and return the path."""
    export(found, str(path), ExportOptions(**options))
    return str(path)


def openvino_copy(onnx_path, folder):
    """Write an OpenVINO network with a card beside it."""
    openvino = pytest.importorskip('openvino')
    path = folder / 'network.xml'
    openvino.save_model(openvino.convert_model(onnx_path), path, compress_to_fp16=False)
    card = next(entry.value for entry in onnx.load(onnx_path).metadata_props
                if entry.key == 'pose_ros.card')
    (folder / 'network.xml.json').write_text(card)
    return str(path)


@pytest.mark.parametrize('kind', ['static onnx', 'dynamic onnx', 'checkpoint', 'openvino'])
def test_every_kind_of_file_yields_the_maps_of_its_network(tmp_path, kind):
    found, image = network(), make_image()
    if kind == 'checkpoint':
        path = str(tmp_path / 'network.pt')
        save_checkpoint(path, found)
    else:
        path = write(found, tmp_path / 'network.onnx', size=(96, 64),
                     dynamic=kind == 'dynamic onnx')
    if kind == 'openvino':
        # Made for another size, which the teacher changes in a copy of its own.
        path = openvino_copy(write(found, tmp_path / 'other.onnx', size=(64, 64)), tmp_path)
    before = (tmp_path / path).read_bytes()
    teacher = Teacher(path, (96, 64), FAMILY, 8, threads=1)
    maps = teacher.maps(image)
    assert maps.dtype == np.float32 and maps.shape == (57, 8, 12)
    assert np.abs(maps - own_maps(found, image)).max() < 1e-4
    assert teacher.known().all()
    assert (tmp_path / path).read_bytes() == before


def test_channels_are_found_by_the_names_of_keypoints(tmp_path):
    found, image = network('body_25'), make_image(64, 64)
    teacher = Teacher(write(found, tmp_path / 'network.onnx', size=(64, 64)), (64, 64), FAMILY, 8)
    maps, own = teacher.maps(image), own_maps(found, image)
    names, own_names = (get_topology(name).keypoint_names for name in ('coco_18', 'body_25'))
    for channel, name in enumerate(names):
        assert np.abs(maps[channel] - own[own_names.index(name)]).max() < 1e-5, name
    own_limbs = {frozenset(own_names[end] for end in limb): (position, own_names[limb[0]])
                 for position, limb in enumerate(map_layout('body_25').limbs)}
    known = teacher.known()
    assert known[:19].all()
    for position, (parent, child) in enumerate(COCO.limbs):
        key = frozenset((names[parent], names[child]))
        channel = 19 + 2 * position
        assert known[channel] == known[channel + 1] == (key in own_limbs)
        if key in own_limbs:
            other, first = own_limbs[key]
            sign = 1 if first == names[parent] else -1
            wanted = sign * own[26 + 2 * other:28 + 2 * other]
            assert np.abs(maps[channel:channel + 2] - wanted).max() < 1e-5, key
        else:
            assert not maps[channel:channel + 2].any()
    assert not known.all()


def test_pafs_of_the_other_axis_order_and_direction_are_turned(tmp_path):
    found, image = network('trt_pose_18'), make_image(64, 64)
    teacher = Teacher(write(found, tmp_path / 'network.onnx', size=(64, 64)), (64, 64), FAMILY, 8)
    batch = torch.from_numpy(((image.transpose(2, 0, 1) / 255 - .5) / .25).astype(np.float32))
    with torch.no_grad():
        pafs = found(batch[None])[-1]['pafs'][0].numpy()
    # Its first limb is from the left ankle (15) to the knee (13), y before x; ours (12-13) is from
    # knee to ankle, x before y.
    position = 19 + 2 * COCO.limbs.index((12, 13))
    maps = teacher.maps(image)[position:position + 2]
    assert np.abs(maps + pafs[:2][::-1]).max() < 1e-5 and np.abs(maps).max() > .1


def test_a_static_network_of_another_size_gets_the_whole_crop(tmp_path):
    # Its input is wider than the crop: the bars on the left and right must have no effect.
    found = network()
    path = write(found, tmp_path / 'network.onnx', size=(128, 64))
    image = make_image(96, 96, seed=3)
    teacher = Teacher(path, (96, 96), FAMILY, 8)
    canvas = np.zeros((64, 128, 3), np.uint8)
    canvas[:, 32:96] = cv2.resize(image, (64, 64), interpolation=cv2.INTER_LINEAR)
    own = own_maps(found, canvas)[:, :, 4:12]
    # The crop's 12 x 12 cells on the 8 x 8 that show it, by OpenCV's half-pixel rule; at the
    # left and right edges the teacher has neighbors beyond, which OpenCV does not have.
    wanted = np.stack([cv2.resize(plane, (12, 12), interpolation=cv2.INTER_LINEAR)
                       for plane in own])
    maps = teacher.maps(image)
    assert maps.shape == wanted.shape
    for part in (slice(0, 18), slice(19, 57)):
        assert np.abs(maps[part, :, 1:-1] - wanted[part, :, 1:-1]).max() < 1e-4


def test_a_teacher_may_have_a_larger_input(tmp_path):
    found = network()
    path = write(found, tmp_path / 'network.onnx', dynamic=True)
    flat = np.full((64, 64, 3), 90, np.uint8)
    maps = Teacher(path, (64, 64), FAMILY, 8, input_size=(128, 128)).maps(flat)
    own = own_maps(found, np.full((128, 128, 3), 90, np.uint8))
    middle = own.reshape(57, 8, 2, 8, 2)[:, 3:5, :, 3:5].mean((2, 4))
    assert maps.shape == (57, 8, 8)
    assert np.abs(maps[19:, 3:5, 3:5] - middle[19:]).max() < .2 * np.abs(own).max()


@pytest.mark.parametrize('count, source, step, start', [
    (8, 8, 1., 0.), (12, 8, 8 / 12, 0.), (4, 8, 2., 0.), (6, 16, 1., 4.), (5, 20, 3., 2.5)])
def test_interpolation_is_exact_for_straight_lines(count, source, step, start):
    matrix = interpolation(count, source, step, start)
    assert np.allclose(matrix.sum(1), 1) and (matrix >= 0).all()
    places = (np.arange(count) + .5) * step + start - .5
    inside = (places >= max(1, step) - .5) & (places <= source - .5 - max(1, step))
    assert inside.any()
    assert np.allclose((matrix @ np.arange(source))[inside], places[inside], atol=1e-5)


def test_where_maps_are_coarser_everything_counts():
    matrix = interpolation(4, 16, 4., 0.)
    assert (matrix[:, 1:-1].sum(0) > .1).all()


def test_an_ensemble_is_the_mean_of_the_teachers_with_the_channel(tmp_path):
    teachers = [Teacher(write(network(topology, seed), tmp_path / '{}.onnx'.format(seed),
                              size=(64, 64)), (64, 64), FAMILY, 8)
                for seed, topology in enumerate(('coco_18', 'body_25', 'mpi_15'))]
    image = make_image(64, 64)
    maps, known = [teacher.maps(image) for teacher in teachers], [
        teacher.known() for teacher in teachers]
    ensemble = Ensemble(teachers)
    mean = ensemble.maps(image)
    assert ensemble.known().all()
    wrist, eye, ear_limb = 4, 14, 19 + 2 * COCO.limbs.index((2, 16))
    assert [bool(part[wrist]) for part in known] == [True, True, True]
    assert [bool(part[eye]) for part in known] == [True, True, False]
    assert np.allclose(mean[wrist], (maps[0] + maps[1] + maps[2])[wrist] / 3)
    assert np.allclose(mean[eye], (maps[0] + maps[1])[eye] / 2)
    assert np.allclose(mean[ear_limb], np.mean([part[ear_limb] for part, has in zip(maps, known)
                                                if has[ear_limb]], 0))


def test_teachers_without_common_channels_are_rejected(tmp_path):
    hand = write(network('hand_21'), tmp_path / 'hand.onnx', size=(64, 64))
    with pytest.raises(DataError, match="a decoder of type 'heatmap'"):
        match_card(hand, FAMILY)
    path = write(network(), tmp_path / 'network.onnx', size=(64, 64))
    with pytest.raises(DataError,
                       match='predicts coco_18, which has no keypoint or limb of hand_21'):
        Teacher(path, (64, 64), make_family('paf', 'hand_21'), 8)
    (tmp_path / 'broken.onnx').write_bytes(b'nothing')
    card = make_card(network(), ExportOptions(size=(64, 64)), {})
    with pytest.raises(ModelError, match='broken.onnx is not a complete ONNX file'):
        Teacher(str(tmp_path / 'broken.onnx'), (64, 64), FAMILY, 8, card)


def test_layers_between_can_be_had(tmp_path):
    found = network()
    path = write(found, tmp_path / 'network.onnx', size=(64, 64))
    graph = onnx.load(path).graph
    layer = [node.output[0] for node in graph.node if node.op_type == 'Relu'][-1]
    assert layer not in [output.name for output in graph.output]
    teacher = Teacher(path, (64, 64), FAMILY, 8, layers=[layer])
    image = make_image(64, 64)
    features = teacher.features(image)[layer]
    kept = {}
    copied = inference_copy(found)
    copied.stages[0][2].register_forward_hook(lambda module, inputs, output: kept.update(
        last=output))
    own_maps(copied, image)
    assert np.abs(features - kept['last'][0].numpy()).max() < 1e-4
    assert layer_channels(path, [layer]) == [8] and features.shape == (8, 8, 8)
    with pytest.raises(DataError, match="has no layer 'relu_99'"):
        Teacher(path, (64, 64), FAMILY, 8, layers=['relu_99'])
    with pytest.raises(DataError, match="has no layer 'relu_99'"):
        layer_channels(path, ['relu_99'])


def test_layers_of_checkpoints_and_openvino_networks_can_be_had(tmp_path):
    found, image = network(), make_image(64, 64)
    save_checkpoint(str(tmp_path / 'network.pt'), found)
    path = str(tmp_path / 'network.pt')
    features = Teacher(path, (64, 64), FAMILY, 8, layers=['pyramid']).features(image)['pyramid']
    batch = torch.from_numpy(((image.transpose(2, 0, 1) / 255 - .5) / .25).astype(np.float32))
    kept = {}
    found.pyramid.register_forward_hook(lambda module, inputs, output: kept.update(last=output))
    with torch.no_grad():
        found(batch[None])
    assert np.abs(features - kept['last'][0].numpy()).max() < 1e-5
    assert layer_channels(path, ['pyramid']) == [8]
    with pytest.raises(DataError, match="no layer 'pyramide'; there is pyramid"):
        layer_channels(path, ['pyramide'])
    with pytest.raises(DataError, match='needs multiples of 32 pixels, not 72x72'):
        open_network(path, (72, 72), (), 'auto', 1)
    openvino = pytest.importorskip('openvino')
    xml = openvino_copy(write(found, tmp_path / 'network.onnx', size=(64, 64)), tmp_path)
    names = [node.get_friendly_name() for node in openvino.Core().read_model(xml).get_ordered_ops()
             if node.get_type_name() == 'Relu']
    teacher = Teacher(xml, (96, 96), FAMILY, 8, layers=names[-1:])
    assert teacher.features(make_image(96, 96))[names[-1]].shape == (8, 12, 12)
    assert layer_channels(xml, names[-1:]) == [8]
    with pytest.raises(DataError, match="has no layer 'nothing'"):
        layer_channels(xml, ['nothing'])


def test_the_published_openvino_network_teaches_at_any_size(shared):
    pytest.importorskip('openvino')
    folder = shared / 'weights' / 'human_pose_estimation_0001_int8_openvino'
    path = str(next(folder.glob('*.xml')))
    card = intel_card()
    data = json.loads((shared / 'data' / 'dev' / 'coco_dev.json').read_text())
    image = read_image(str(shared / 'data' / 'dev' / data['images'][0]['file_name']))
    for size in ((256, 256), (352, 288)):
        teacher = Teacher(path, size, FAMILY, 8, card, 'openvino', 1)
        crop = cv2.resize(image, size)
        maps = teacher.maps(crop)
        assert maps.shape == (57, size[1] // 8, size[0] // 8)
        assert maps[:18].max() > .5 and maps[18].min() < .5
        own = make_card(network(), ExportOptions(size=size), {})
        assert len(create_decoder(own).decode({'output': maps}).scores) >= 1


def intel_card():
    """Return the card of the published network, whose channels are OpenPose's."""
    limbs = [[*COCO.limbs[limb], 2 * limb] for limb in COCO.joining_order]
    card = make_card(network(), ExportOptions(size=(64, 64)), {})
    facts = json.loads(card.to_json())
    facts['input'].update(width=456, height=256, scale=1., mean=[0, 0, 0], std=[1, 1, 1])
    facts['decoder']['outputs'] = {
        'stride': 8,
        'heatmaps': {'tensor': 'Mconv7_stage2_L2', 'channels': list(range(18)), 'background': 18},
        'pafs': {'tensor': 'Mconv7_stage2_L1', 'limbs': limbs, 'axis_order': 'xy'}}
    return parse_card(facts, 'the card of the published network')
