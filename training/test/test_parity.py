# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Measuring agreement, and verifying a file later."""
import hashlib
import json

import cv2
import numpy as np
import onnx
import pytest
import torch
from exportable import odd_network, SIZE, tiny_student

from pose_ros.core.card import CARD_KEY, parse_card
from pose_ros.core.errors import CardError
from pose_training.errors import ExportError
from pose_training.exporters.agreement import (compare_people, output_faults, people_faults,
                                               PeopleAgreement)
from pose_training.exporters.cards import make_card
from pose_training.exporters.export import export, ExportOptions
from pose_training.exporters.parity import verify
from pose_training.exporters.synthetic_image import draw_image
from pose_training.families.comparison import (ChannelGroup, compare_outputs,
                                               OutputAgreement)


@pytest.fixture(scope='module')
def exported(tmp_path_factory):
    """Export a student; return its network and path."""
    path = tmp_path_factory.mktemp('parity') / 'a.onnx'
    network = tiny_student()
    export(network, str(path), ExportOptions(size=SIZE))
    return network, path


def rewritten(path, target, change):
    """Write a changed copy: `change` gets the model and its card's JSON data, edits both."""
    model = onnx.load(str(path))
    card = json.loads(next(item.value for item in model.metadata_props if item.key == CARD_KEY))
    change(model, card)
    if model.metadata_props:
        model.metadata_props[0].value = json.dumps(card)
    onnx.save(model, str(target))
    return str(target)


def test_the_drawn_image_is_the_same_everywhere():
    image = draw_image(64, 48)
    assert image.shape == (48, 64, 3) and image.dtype == np.uint8
    assert hashlib.sha256(image.tobytes()).hexdigest()[:16] == '037f0594bda85aaa'
    assert (draw_image(64, 48, 1) != image).mean() > .2
    assert image.std() > 40 and len(np.unique(image)) > 200


def compare_maps(reference, found, *bounds):
    """Compare arrays of heatmaps (and PAFs) with these bounds of channels."""
    groups = [ChannelGroup(name, 'output', *bound)
              for name, bound in zip(('heatmaps', 'pafs'), bounds)]
    return compare_outputs({'output': reference}, {'output': found}, groups)


def test_figures_of_maps_that_differ():
    reference = np.zeros((1, 4, 2, 2), np.float32)
    reference[0, 0] = [[0, 1], [2, 3]]
    reference[0, 2] = 1
    reference[0, 3] = [[0, 0], [0, 1]]
    found = reference.copy()
    found[0, 2] = 1.6  # the background: part of the difference, not of the correlation
    found[0, 3] = [[0, 0], [1, 0]]
    figures = compare_maps(reference, found, (0, 2), (3, 4))
    assert figures.difference == pytest.approx(1 / 3)
    assert figures.mean == pytest.approx((4 * .6 + 2) / 16 / 3)
    assert figures.correlations['heatmaps'] == pytest.approx(1)
    assert figures.correlations['pafs'] == pytest.approx(-1 / 3)


def test_maps_of_one_value_agree_only_with_such_maps():
    flat = np.full((1, 2, 2, 2), .5, np.float32)
    uneven = flat + np.arange(8, dtype=np.float32).reshape(flat.shape)
    assert compare_maps(flat, flat, (0, 2)).correlations['heatmaps'] == 1
    assert compare_maps(flat, uneven, (0, 2)).correlations['heatmaps'] == 0


@pytest.mark.parametrize('figures, precision, words', [
    ((4e-3, 1e-3, .999995, .999995), 'fp32', []),
    ((6e-3, 1e-3, .999995, None), 'fp32', ['outputs differ by 0.006 of their range']),
    ((4e-3, 1e-3, .99998, .99998), 'fp32', ['heatmaps correlate by 0.99998', 'pafs correlate']),
    ((.05, 4e-4, .5, .5), 'fp16', []),  # empty maps
    ((.05, 6e-4, .9995, .998), 'fp16', ['pafs correlate by 0.998']),
    ((.3, .01, .95, .89), 'int8', ['pafs correlate by 0.89']),
    ((np.nan, np.nan, np.nan, None), 'int8',
     ['outputs differ by nan', 'heatmaps correlate by nan']),
])
def test_each_precision_has_its_tolerance(figures, precision, words):
    difference, mean, heatmaps, pafs = figures
    correlations = {'heatmaps': heatmaps, **({} if pafs is None else {'pafs': pafs})}
    found = output_faults(OutputAgreement(difference, mean, correlations), precision)
    assert len(found) == len(words)
    assert all(fault.startswith(word) for fault, word in zip(found, words))


@pytest.mark.parametrize('figures, precision, count', [
    ((3, 40, 3, 40), 'fp32', 0), ((3, 40, 3, 39), 'fp32', 1), ((3, 40, 4, 40), 'fp32', 1),
    ((3, 40, 3, 39), 'fp16', 0), ((3, 40, 2, 37), 'fp16', 2), ((3, 40, 4, 33), 'int8', 0),
    ((3, 40, 3, 31), 'int8', 1), ((0, 0, 0, 0), 'fp32', 0)])
def test_people_have_their_tolerance_too(figures, precision, count):
    assert len(people_faults(PeopleAgreement(*figures), precision)) == count


def person_maps(card, offset):
    """Draw one person, its neck and right arm, as Gaussian heatmaps and unit PAFs."""
    maps = np.zeros((1, 57, 24, 24), np.float32)
    y, x = np.mgrid[:24, :24]
    keypoints = {1: (6 + offset, 6), 2: (12 + offset, 6), 3: (18 + offset, 6),
                 4: (18 + offset, 14)}
    for keypoint, (column, row) in keypoints.items():
        maps[0, keypoint] = np.exp(-((x - column) ** 2 + (y - row) ** 2) / 4.)
    for parent, child, channel in card.decoder.outputs['pafs']['limbs']:
        if parent in keypoints and child in keypoints:
            along = np.subtract(keypoints[child], keypoints[parent])
            maps[0, channel:channel + 2] = (along / np.hypot(*along)).reshape(2, 1, 1)
    return {'output': maps}


def test_people_are_compared_by_their_keypoints():
    card = make_card(tiny_student(), ExportOptions(size=(192, 192)), {})
    reference = person_maps(card, 0)
    nothing = {'output': 0 * reference['output']}
    assert compare_people(card, reference, reference) == (1, 4, 1, 4)
    assert compare_people(card, reference, person_maps(card, .3)) == (1, 4, 1, 4)
    assert compare_people(card, reference, person_maps(card, 1)) == (1, 4, 1, 0)
    assert compare_people(card, reference, nothing) == (1, 4, 0, 0)
    assert compare_people(card, nothing, reference) == (0, 0, 1, 0)


def test_a_file_is_verified_against_its_own_fingerprint(exported):
    lines = []
    report = verify(str(exported[1]), report=lines.append)
    assert report.outputs.difference < 1e-5 and lines
    assert report.outputs.correlations['pafs'] > .99999
    lines = '\n'.join(report.lines())
    assert 'a valid ONNX file (IR 7, opset 13)' in lines and '(96 cells)' in lines


def test_a_file_is_verified_against_its_network(exported, tmp_path):
    network, path = exported
    photo = str(tmp_path / 'photo.png')
    cv2.imwrite(photo, draw_image(200, 100, 5))
    report = verify(str(path), network, [photo])
    assert report.people is not None and report.people.people == report.people.people_found
    assert [line for line in report.lines() if 'photo.png at 96x64 agrees' in line]
    with pytest.raises(ExportError, match='not agree with its PyTorch network: on the synthetic'):
        verify(str(path), tiny_student(seed=1))
    with pytest.raises(ExportError, match='it was exported from repvgg_fpn for coco_18'):
        verify(str(path), tiny_student('body_25'))


def test_a_cut_file_is_verified_against_the_whole_network(tmp_path):
    network, path = tiny_student(stages=3), str(tmp_path / 'a.onnx')
    export(network, path, ExportOptions(size=SIZE, stages=1))
    assert verify(path, network).outputs.difference < 1e-5


def test_half_and_dynamic_files_are_verified(tmp_path, monkeypatch):
    network, path = odd_network(monkeypatch), str(tmp_path / 'a.onnx')
    export(network, path, ExportOptions(precision='fp16', dynamic=True, normalize=True))
    assert verify(path).outputs.difference < .01
    report = verify(path, network)
    assert report.precision == 'fp16' and 1e-6 < report.outputs.difference < .01
    assert any('a batch of two synthetic images at 72x48 agrees' in line
               for line in report.checked)


def test_files_of_heatmaps_alone_are_verified(tmp_path):
    path = str(tmp_path / 'a.onnx')
    export(tiny_student('face_70'), path, ExportOptions(size=SIZE))
    report = verify(path)
    assert 'pafs' not in report.outputs.correlations and 'pafs' not in report.lines()[-1]


def damage_weight(model, _):
    weight = next(item for item in model.graph.initializer if len(item.dims) == 4)
    values = onnx.numpy_helper.to_array(weight).copy()
    values[0] += .5
    weight.CopyFrom(onnx.numpy_helper.from_array(values, weight.name))


def change_operator(model, _):
    next(node for node in model.graph.node if node.op_type == 'Relu').op_type = 'Softsign'


def promise_more(_, card):
    card['topology'] = 'coco_17'
    outputs = card['decoder']['outputs']
    outputs['heatmaps'].update(channels=list(range(17)), background=17)
    outputs['pafs']['limbs'] = [limb for limb in outputs['pafs']['limbs'] if max(limb[:2]) < 17]


def move_cells(_, card):
    card['provenance']['parity']['fingerprint']['cells'] += ' 99999999'


def other_cells(_, card):
    values = card['provenance']['parity']['fingerprint']['values'].split()
    card['provenance']['parity']['fingerprint']['values'] = ' '.join(values[::-1])


def forget_cells(_, card):
    del card['provenance']['parity']


def forget_export(_, card):
    del card['provenance']['export']


@pytest.mark.parametrize('change, words', [
    (damage_weight, 'does not agree with its PyTorch network: '),
    (change_operator, "TensorRT 8.2 would reject this file: Softsign '.*not on the list"),
    (promise_more, r'the network yields output of \(1, 57, 8, 12\), but the card declares'),
    (move_cells, 'the fingerprint in its card does not fit its output'),
    (other_cells, 'heatmaps correlate by'),
    (forget_cells, 'its card holds no fingerprint'),
    (forget_export, 'its card does not contain the settings of an export'),
    (lambda model, _: model.ClearField('metadata_props'), 'it holds no model card'),
])
def test_a_file_that_was_changed_is_found_out(change, words, exported, tmp_path):
    path = rewritten(exported[1], tmp_path / 'changed.onnx', change)
    with pytest.raises(ExportError, match='changed.onnx: .*' + words):
        verify(path)


def test_files_that_cannot_be_read_are_named(exported, tmp_path):
    path = tmp_path / 'half.onnx'
    with pytest.raises(ExportError, match='cannot read .*half.onnx: No such file'):
        verify(str(path))
    path.write_bytes(exported[1].read_bytes()[:20000])
    with pytest.raises(ExportError, match='half.onnx is not a complete ONNX file'):
        verify(str(path))
    broken = rewritten(exported[1], path, lambda _, card: card.pop('decoder'))
    with pytest.raises(CardError, match="half.onnx.* missing key 'decoder'"):
        verify(broken)


def test_figures_are_in_the_card(exported):
    card = parse_card(next(item.value for item in onnx.load(str(exported[1])).metadata_props), '')
    parity = card.provenance['parity']
    assert 0 < parity['difference'] < 1e-5 and parity['heatmaps'] > .99999
    cells = [int(cell) for cell in parity['fingerprint']['cells'].split()]
    values = [float(value) for value in parity['fingerprint']['values'].split()]
    maps = []
    # Independent of the exporter: the network itself on the synthetic image.
    image = np.moveaxis(draw_image(*SIZE), -1, 0)[None] / np.float32(255)
    with torch.no_grad():
        maps = exported[0](torch.from_numpy((image - .5) / .25))[-1]
    flat = torch.cat(tuple(maps.values()), 1).numpy().ravel()
    np.testing.assert_allclose(flat[cells], values, atol=1e-4 * np.abs(flat).max())
    assert flat[cells].min() == flat.min() and flat[cells].max() == flat.max()
