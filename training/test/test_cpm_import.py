# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Pickles and checkpoints of convolutional pose machines, from the file to the exported maps."""
import json
import pickle

import caffe_files
import numpy as np
import pytest
import torch

import cpm_files
from exportable import run
from pose_ros.core.card_files import load_card
from pose_training.cli.main import main
from pose_training.errors import WeightsError
from pose_training.importers.formats import import_network
from tf_tables import write_checkpoint

SLOTS = ('RMSProp', 'RMSProp_1')


def image_of(colors=3, seed=1):
    """Return an image (1, 48, 64, colors) as the networks read it."""
    return np.random.default_rng(seed).uniform(-.5, .5, (1, 48, 64, colors)).astype(np.float32)


def check(network, wanted, image):
    """Compare all stages of a network with the wanted maps (N, h, w, C)."""
    with torch.no_grad():
        found = network(torch.from_numpy(np.ascontiguousarray(image.transpose(0, 3, 1, 2))))
    assert len(found) == len(wanted)
    for maps, expected in zip(found, wanted):
        maps = maps['heatmaps'].permute(0, 2, 3, 1).numpy()
        assert np.abs(maps - expected).max() < 1e-4 * np.abs(expected).max()


@pytest.mark.parametrize('protocol', [0, 2])
def test_pickles_of_python_2(tmp_path, protocol):
    values = cpm_files.random_values('cpm_body', 2, share=1 if protocol else 8)
    content = cpm_files.pickled(values, 'cpm_body', 2, protocol)
    ordinary = pickle.loads(content, encoding='latin1')
    np.testing.assert_array_equal(ordinary['conv4_7_CPM_b'],
                                  values['sub_stages/sub_stage_img_feature'][1])
    (tmp_path / 'cpm_body.pkl').write_bytes(content)
    network, provenance = import_network('pickle', str(tmp_path / 'cpm_body.pkl'), 'cpm_body')
    image = image_of()
    check(network, cpm_files.evaluate(values, 'cpm_body', image, 2), image)
    assert network.recipe.options == ({'stages': 2} if protocol else {'stages': 2, 'width': .125})
    assert 'non-commercial' in provenance['license']


@pytest.mark.parametrize('name, kind, names, stages, colors', [
    ('cpm_hand', 'cpm_hand', ('kernel', 'bias'), 3, 3),
    ('cpm_hand_v2', 'cpm_hand', ('kernel', 'bias'), 2, 1),
    ('cpm_hand_slim', 'cpm_hand', ('weights', 'biases'), 2, 3),
    ('cpm_body_slim', 'cpm_body', ('weights', 'biases'), 2, 3)])
def test_checkpoints(tmp_path, name, kind, names, stages, colors):
    """Of tf.layers and of slim, with the slots of the optimizer, in color and gray."""
    values = cpm_files.random_values(kind, stages, colors)
    slots = SLOTS if name == 'cpm_hand' else ()
    prefix = write_checkpoint(tmp_path / 'cpm', cpm_files.variables(values, names, slots))
    network, provenance = import_network('tf-checkpoint', str(prefix), name)
    image = image_of()
    seen = image if colors == 3 else (image * np.array([.299, .587, .114], 'f4')).sum(
        3, keepdims=True)
    check(network, cpm_files.evaluate(values, kind, seen, stages, 4 if 'v2' in name else 8,
                                      'slim' in name), image)
    assert network.recipe.options['stages'] == stages
    assert network.recipe.options.get('gray', False) == (colors == 1)
    assert 'license' not in provenance  # that of the repository


def test_a_caffemodel_of_the_same_names(tmp_path):
    values = cpm_files.random_values('cpm_hand', 2)
    blobs = {key: (values[scope][0].transpose(3, 2, 0, 1), values[scope][1])
             for scope, key, _ in cpm_files.layers('cpm_hand', 2)}
    table = [caffe_files.Layer(key, 'Convolution', (), key) for key in blobs]
    caffe_files.write(tmp_path / 'a.caffemodel', table, blobs)
    network, provenance = import_network('caffe', str(tmp_path / 'a.caffemodel'), 'cpm_hand')
    check(network, cpm_files.evaluate(values, 'cpm_hand', image_of(), 2), image_of())
    assert 'non-commercial' in provenance['license']


def test_from_the_pickle_to_the_file_for_the_robot(tmp_path):
    """By the command line, cut after the second of three stages."""
    values = cpm_files.random_values('cpm_hand', 3)
    (tmp_path / 'hand.pkl').write_bytes(cpm_files.pickled(values, 'cpm_hand', 3))
    model = str(tmp_path / 'hand.onnx')
    assert main(['import', 'pickle', str(tmp_path / 'hand.pkl'), '--model', 'cpm_hand', '-o',
                 model, '--size', '64x48', '--stages', '2']) == 0
    image = image_of()
    found = run(model, image.transpose(0, 3, 1, 2)).transpose(0, 2, 3, 1)
    wanted = cpm_files.evaluate(values, 'cpm_hand', image, 2)[-1]
    assert np.abs(found - wanted).max() < 1e-4 * np.abs(wanted).max()
    card = load_card(model, None)
    assert card.topology.name == 'hand_21' and 'non-commercial' in card.license
    assert json.loads(card.to_json())['input']['padding'] == 1.6


@pytest.mark.parametrize('content, word', [
    (b'', 'pickle of weights'), (b'\x80\x02}.', 'no dict of layers'),
    (b"cos\nsystem\n(S'true'\ntR.", 'names os.system'), (b'(dp0\nS', 'damaged'),
    (b"(dp0\nS'conv1_1'\nI7\ns.", 'no array of numbers'), (b'(dp0\nI7\nI7\ns.', 'not a name'),
    (b'\xff', 'in place of an instruction'), (b'(l', 'end in place')])
def test_other_pickles_are_refused(tmp_path, content, word):
    (tmp_path / 'a.pkl').write_bytes(content)
    with pytest.raises(WeightsError, match=word):
        import_network('pickle', str(tmp_path / 'a.pkl'), 'cpm_body')


def test_the_pickle_of_a_hand_is_no_body(tmp_path):
    values = cpm_files.random_values('cpm_hand', 2)
    (tmp_path / 'a.pkl').write_bytes(cpm_files.pickled(values, 'cpm_hand', 2))
    with pytest.raises(WeightsError, match='does not fit cpm_body: missing'):
        import_network('pickle', str(tmp_path / 'a.pkl'), 'cpm_body')
