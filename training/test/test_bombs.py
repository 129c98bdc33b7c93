# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Hostile weight files and options: refused with little memory and time, in a child process."""
from pathlib import Path
import re

import bombs
import bounded
import numpy as np
import onnx
import pytest
import torch

from pose_training.checkpoint import checkpoint_data
from pose_training.exporters.export import export, ExportOptions
from pose_training.importers import limits, messages
from pose_training.models import create_model, get_spec, network, registry

SMALL = {'widths': [4, 4, 8, 8, 8], 'depths': [1, 1, 1, 1, 1], 'neck': 8, 'head': 8, 'stages': 1}
MOST_MIB = 512  # of growth; the largest file here has 30 MB
TENSOR = 'backbone.0.0.dense.0.weight'

# Name: (format, ending, content, network, part of the error). The content is written to a file.
FILES = {
    'npy: a long layer name': ('npy', 'npy', bombs.long_layer_name, 'cmu', 'which is no name'),
    'pickle: a number of a million digits': (
        'pickle', 'pkl', lambda: b'(dp0\nL' + b'9' * 1000000 + b'L\n.', 'cpm_hand', 'damaged'),
    'index: keys that grow': ('tf-checkpoint', 'index', bombs.index_of_keys, 'mobilenet_thin',
                              'it has a name of 100000 bytes'),
    'index: one block many times': ('tf-checkpoint', 'index', bombs.index_of_one_block,
                                    'mobilenet_thin', 'names some blocks many times'),
    'pb: constants of one number': ('tf-graph', 'pb', bombs.graph_of_constants, 'mobilenet_thin',
                                    'holds more numbers than the network'),
    'pb: a chain of identities': ('tf-graph', 'pb', bombs.graph_of_identities, 'mobilenet_thin',
                                  'does not fit mobilenet_thin'),
    'pb: empty nodes': ('tf-graph', 'pb', bombs.graph_of_parts, 'mobilenet_thin',
                        'is no TensorFlow graph'),
    'caffe: a long layer name': ('caffe', 'caffemodel', bombs.caffe_names, 'cmu',
                                 'which is no name'),
    'caffe: empty layers': ('caffe', 'caffemodel', bombs.caffe_parts, 'cmu', 'is no caffemodel'),
    'pth: stride 0': ('torch', 'pth', bombs.pth_of_stride_0, 'cmu',
                      'holds more numbers than the network'),
    'pth: compressed': ('torch', 'pth', bombs.pth_compressed, 'cmu',
                        'compressed, or larger than the file'),
    'pth: storages that are not there': (
        'torch', 'pth', lambda: bombs.pth_with(bombs._tensor_pickle(2000000000)), 'cmu',
        'its tensors are larger than the file'),
    'pth: an old one': ('torch', 'pth', bombs.old_pth, 'cmu', 'tensors are larger than the file'),
    'pth: a byte array': ('torch', 'pth', lambda: bombs.pth_with(b'\x80\x02' + bombs.CALL[
        'bytearray']), 'cmu', 'makes a byte array of a length'),
    'pth: an empty tensor': ('torch', 'pth', lambda: bombs.pth_with(b'\x80\x02' + bombs.CALL[
        'tensor']), 'cmu', 'it needs torch.Tensor'),
    'pth: keys of tuples': ('torch', 'pth', lambda: bombs.pth_with(b'\x80\x02' + bombs.CALL[
        'keys']), 'cmu', 'a dict with a tuple for a key'),
    'pth: a quantized tensor': ('torch', 'pth', lambda: bombs.pth_with(b'\x80\x02' + bombs.CALL[
        'quantized']), 'cmu', 'its tensors are larger than the file'),
    'classifier: stride 0': ('efficientnet-lite', 'pth', bombs.pth_of_stride_0, 'lite_pose_crop',
                             'has no tensor'),
    'npy: integers': ('npy', 'npy', lambda: bombs.npy(
        {'conv1_1': {'weights': np.zeros((3, 3, 3, 64), np.int32)}}), 'cmu', 'weights are floats'),
    'npy: complex numbers': ('npy', 'npy', lambda: bombs.npy(
        {'conv1_1': {'weights': np.zeros(3, np.complex64)}}), 'cmu', 'not of plain numbers'),
}

# Options of create_model, and a part of the error.
OPTIONS = {
    'depths': ('repvgg_fpn', {'depths': [10 ** 7] * 5}, 'from 1 to 64, not 10000000'),
    'head': ('repvgg_fpn', {'head': 200000}, '`head` is a whole number from 1 to 2048'),
    'a fraction': ('repvgg_fpn', {'head': 1.5}, '`head` is a whole number .* not 1.5'),
    'true': ('repvgg_fpn', {'neck': True}, '`neck` is a whole number .* not True'),
    'all limits at once': ('repvgg_fpn', {'widths': [2048] * 5, 'depths': [64] * 5},
                           'weights, and at most'),
    'neck of a detector': ('lite_person_detector', {'neck': 10 ** 8}, '`neck` is a whole number'),
    'neck of crops': ('lite_pose_crop', {'neck': [10 ** 8] * 4}, '`neck` is a whole number'),
    'width of branches': ('lite_hr_crop', {'width': 10 ** 8}, '`width` is a whole number'),
    'dense': ('lite_pose_crop', {'dense': [1, 0, 1, 0]}, '`dense` is true or false, not 1'),
    'width': ('mobilenet_thin', {'width': 1e9}, '`width` is a factor above 0'),
    'head_width': ('mobilenet_v2_small', {'head_width': float('inf')}, '`head_width` is a factor'),
    'width of dsconv': ('dsconv', {'width': '1'}, '`width` is a factor'),
    'stages': ('lightweight_openpose', {'stages': 2.0}, 'stages, not 2.0'),
    'a list for a name': ('trt_pose_resnet18', {'backbone': ['resnet18'] * 9}, 'resnet18'),
    'a word for a flag': ('trt_pose_resnet18', {'attention': 'no'}, "true or false, not 'no'"),
}


def _changed(**changes):
    """Return what changes an entry of a checkpoint."""
    return lambda data: data.update(changes)


def _weights(tensor):
    return lambda data: data['state_dict'].update({TENSOR: tensor})


def _options(**options):
    return lambda data: data['options'].update(options)


WEIGHT = torch.zeros(4, 3, 3, 3)
CHECKPOINTS = {
    'NaN': (_weights(WEIGHT * float('nan')), 'values that are not finite'),
    'infinity': (_weights(WEIGHT + float('inf')), 'values that are not finite'),
    'complex': (_weights(WEIGHT.to(torch.complex64)), 'is torch.complex64, not torch.float32'),
    'integers': (_weights(WEIGHT.to(torch.int32)), 'is torch.int32, not torch.float32'),
    'a counter of floats': (lambda data: data['state_dict'].update(
        {'backbone.0.0.dense.1.num_batches_tracked': torch.tensor(.5)}), 'not torch.int64'),
    'sparse': (_weights(WEIGHT.to_sparse()), 'is no plain tensor'),
    'on no device': (_weights(WEIGHT.to('meta')), 'is no plain tensor'),
    'another shape of stride 0': (_weights(torch.zeros(1).expand(2000000000)), 'size mismatch'),
    'a version that is a tensor': (_changed(version=torch.ones(3)), 'of version tensor'),
    'a version that is true': (_changed(version=True), 'of version True'),
    'a format that is a tensor': (_changed(format=torch.ones(3)), 'is no checkpoint'),
    'option depths': (_options(depths=[10 ** 7] * 5), 'from 1 to 64'),
    'option head': (_options(head=200000), '`head` is a whole number'),
    'option name': (_options(name='cmu'), 'options missing or invalid'),
    'option topology': (_options(topology='coco_17'), 'options missing or invalid'),
    'an option that is a tensor': (_options(head=torch.tensor(8)), 'must be JSON data'),
    'a skeleton of a million limbs': (_changed(topology={
        'name': 'own', 'keypoint_names': ['a', 'b'], 'limbs': [[0, 1]] * 10 ** 6}), ''),
    'a skeleton of all pairs': (_changed(topology={
        'name': 'own', 'keypoint_names': ['k{}'.format(k) for k in range(255)],
        'limbs': [[a, b] for a in range(255) for b in range(a)]}), ''),
    'provenance with a tensor': (_changed(provenance={'ap': torch.ones(2)}), 'must be JSON data'),
}


@pytest.fixture(scope='module')
def outcomes(tmp_path_factory):
    """Return the outcome of every case, computed in one child process."""
    folder = tmp_path_factory.mktemp('bombs')
    cases = []
    for number, (name, (form, ending, content, model, _)) in enumerate(FILES.items()):
        path = folder / 'file{}.{}'.format(number, ending)
        path.write_bytes(content())
        cases.append([name, 'import', [form, str(path), model, {}]])
    cases += [[name, 'create', [model, options]]
              for name, (model, options, _) in OPTIONS.items()]
    for number, (name, (change, _)) in enumerate(CHECKPOINTS.items()):
        data = checkpoint_data(create_model('repvgg_fpn', **SMALL))
        change(data)
        path = str(folder / 'checkpoint{}.pt'.format(number))
        torch.save(data, path)
        cases.append([name, 'checkpoint', [path]])
        cases.append([name + ', imported', 'import', ['torch', path, 'repvgg_fpn', {}]])
    for name, path in _folders(folder):
        cases.append([name, 'import', ['openvino', path, 'human_pose_estimation_0001', {}]])
    for name, path in _exported(folder).items():
        cases.append([name, 'import', ['onnx', path, 'repvgg_fpn', {}]])
    return bounded.outcomes(cases, folder)


def _folders(folder):
    for name, arguments in (('a constant for all', (1 << 22, 2000)), ('many', (1, 12000, 12000))):
        inner = folder / name
        inner.mkdir()
        yield 'openvino: ' + name, bombs.openvino(inner, *arguments)


def _exported(folder):
    """Write ONNX files of which one initializer, or the card, is changed."""
    path = str(folder / 'network.onnx')
    export(create_model('repvgg_fpn', **SMALL).eval(), path, ExportOptions(size=(64, 64)))
    found = {}
    (folder / 'foreign.bin').write_bytes(bytes(4 * 108))
    for name, change in (('type 99', _type_99), ('external', _external), ('short', _short)):
        model = onnx.load(path)
        change(next(item for item in model.graph.initializer
                    if item.name.startswith('network.backbone.0.0')))
        found['onnx: ' + name] = str(folder / (name + '.onnx'))
        (folder / (name + '.onnx')).write_bytes(model.SerializeToString())
    return found


def _type_99(item):
    item.data_type = 99


def _short(item):
    item.dims[0] = 1 << 40


def _external(item):
    item.ClearField('raw_data')
    item.data_location = onnx.TensorProto.EXTERNAL
    item.external_data.append(onnx.StringStringEntryProto(key='location', value='foreign.bin'))


def test_the_document_names_the_limits():
    text = (Path(__file__).parents[2] / 'docs' / 'robustness.md').read_text(encoding='utf-8')
    assert limits.LONGEST_NAME == 256 and '256 printable characters' in text
    assert messages._MOST_PARTS == 1 << 20 and 'parts: 1 million' in text
    assert limits.most_elements(get_spec('cmu')) == 2 * limits.network_elements('cmu') + (1 << 23)
    assert 'twice those of the network and 8 million more' in text
    assert 'channels {}, blocks {}, factors 4; {} million weights'.format(
        network.MOST_CHANNELS, network.MOST_BLOCKS, registry._MOST_WEIGHTS // 10 ** 6) in text


def refused(outcomes, name, reason, kinds=('WeightsError',)):
    """Assert that a case ended in an error of ours, with few MiB."""
    kind, text, growth = outcomes[name]
    assert kind in kinds, (kind, text)
    assert re.search(reason, text), text
    assert growth < MOST_MIB


@pytest.mark.parametrize('name', FILES)
def test_a_file_is_refused_before_it_is_made(outcomes, name):
    refused(outcomes, name, FILES[name][-1])


@pytest.mark.parametrize('name', OPTIONS)
def test_an_option_beyond_its_limits_is_refused(outcomes, name):
    refused(outcomes, name, OPTIONS[name][-1], ('NetworkError',))


@pytest.mark.parametrize('name', CHECKPOINTS)
def test_a_hostile_checkpoint_is_refused(outcomes, name):
    refused(outcomes, name, CHECKPOINTS[name][-1], ('WeightsError', 'NetworkError'))


@pytest.mark.parametrize('name', CHECKPOINTS)
def test_a_hostile_checkpoint_is_not_imported(outcomes, name):
    refused(outcomes, name + ', imported', '', ('WeightsError', 'NetworkError'))


@pytest.mark.parametrize('name, reason', [
    ('openvino: a constant for all', 'reads more numbers than the network has'),
    ('openvino: many', '58 of the 58 convolutions'),
    ('onnx: type 99', 'of the data type 99'), ('onnx: external', 'in another file|external'),
    ('onnx: short', 'does not have the numbers of its shape')])
def test_other_formats_are_refused(outcomes, name, reason):
    refused(outcomes, name, reason, ('WeightsError', 'ModelError'))
