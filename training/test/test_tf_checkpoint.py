# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""TensorFlow checkpoints: reading, and the errors for invalid ones."""
import shutil

import numpy as np
import pytest
import torch

import tf_reference
from pose_training.errors import WeightsError
from pose_training.importers import tf_checkpoint
from pose_training.importers.crc32c import crc32c, masked_crc32c
from pose_training.importers.matching import load_weights
from pose_training.importers.tf_bundle import Bundle
from pose_training.importers.tf_names import state_name
from pose_training.models import create_model, get_spec
from tf_files import OUTPUT, freeze, variables
from tf_tables import MESSAGES, REAL_VALUES, entry, table, write_checkpoint, write_real

SPEC = get_spec('mobilenet_thin')
STEM = 'MobilenetV1/Conv2d_0/'
SMALL = {STEM + 'weights': np.arange(6, dtype=np.float32).reshape(1, 1, 2, 3),
         STEM + 'BatchNorm/beta': np.ones(3, np.float32)}


def bitwise_crc(data):
    state = 0xFFFFFFFF
    for byte in data:
        state ^= byte
        for _ in range(8):
            state = state >> 1 ^ (0x82F63B78 if state & 1 else 0)
    return state ^ 0xFFFFFFFF


@pytest.mark.parametrize('data, checksum', [
    (bytes(32), 0x8A9136AA), (b'\xff' * 32, 0x62A8AB43), (bytes(range(32)), 0x46DD794E),
    (bytes(range(31, -1, -1)), 0x113FDB5C), (b'123456789', 0xE3069283), (b'', 0)])
def test_checksums_of_rfc_3720(data, checksum):
    assert crc32c(data) == checksum


@pytest.mark.parametrize('size', [1, 255, 256, 257, 512, 5000])
def test_checksums_of_any_size(size):
    data = np.random.default_rng(size).bytes(size)
    assert crc32c(data) == bitwise_crc(data)


def test_masked_checksums():
    assert masked_crc32c(b'') == 0xA282EAD8
    assert masked_crc32c(b'123456789') == ((0xE3069283 >> 15 | 0xE3069283 << 17) + 0xA282EAD8) % (
        1 << 32)


def test_a_checkpoint_that_tensorflow_wrote(tmp_path):
    bundle = Bundle(str(write_real(tmp_path)), 1 << 20)
    assert len(bundle.names) == 8
    for name, wanted in REAL_VALUES.items():
        found = bundle.read(name)
        assert found.shape == wanted.shape and np.array_equal(found, wanted), name
    assert bundle.read('global_step').dtype == np.int64


@pytest.mark.parametrize('given', ['model-1', 'model-1.index', 'model-1.data-00002-of-00003', ''])
def test_what_only_training_needs_is_left_out(tmp_path, given):
    write_real(tmp_path)  # its file `checkpoint` names the folder where it was once
    tensors = tf_checkpoint.read_weights(str(tmp_path / given), SPEC).tensors
    assert set(tensors) == {
        'MobilenetV1.Conv2d_0.weight', 'MobilenetV1.Conv2d_1_depthwise.weight',
        'MobilenetV1.Conv2d_0.BatchNorm.bias'}
    assert tensors['MobilenetV1.Conv2d_0.weight'].tolist() == [
        [[[0.]], [[6.]], [[12.]]], [[[3.]], [[9.]], [[15.]]]]
    assert tensors['MobilenetV1.Conv2d_1_depthwise.weight'].tolist() == [
        [[[0., -2.], [-4., -6.]]], [[[-1., -3.], [-5., -7.]]]]


def test_moving_averages_are_optional(tmp_path):
    prefix = str(write_real(tmp_path))
    tensors = tf_checkpoint.read_weights(prefix, SPEC, averages=True).tensors
    assert tensors['MobilenetV1.Conv2d_0.weight'].ravel().tolist() == [0., 4., 8., 2., 6., 10.]
    assert tensors['MobilenetV1.Conv2d_0.BatchNorm.bias'].tolist() == [.5, -1.5]
    with pytest.raises(WeightsError, match='no moving averages'):
        tf_checkpoint.read_weights(str(write_checkpoint(tmp_path / 'x', SMALL)), SPEC, True)


@pytest.mark.parametrize('variable, name', [
    ('A/B/weights:0', 'A.B.weight'), ('A_depthwise/depthwise_weights', 'A_depthwise.weight'),
    ('conv1_1/biases', 'conv1_1.bias'), ('A/BatchNorm/gamma', 'A.BatchNorm.weight'),
    ('A/BatchNorm/beta', 'A.BatchNorm.bias'), ('A/moving_mean', 'A.running_mean'),
    ('A/BatchNorm/moving_variance', 'A.BatchNorm.running_var'),
    ('A/other', 'A.other'), ('A/kernel:0', 'A.weight'), ('A/bias', 'A.bias'),
    ('A/kernel/RMSProp_1', None),
    ('A/weights/Adam_1', None), ('A/weights/RMSProp', None), ('global_step', None),
    ('A/BatchNorm/moving_mean/biased', None), ('beta1_power', None)])
def test_names(variable, name):
    assert state_name(variable) == name


def test_a_whole_network(shared, tmp_path):
    """The network computes what TensorFlow's graph does with the same variables."""
    graph = tf_reference.parse(shared / 'weights' / 'tf_pose_mobilenet_thin_graph_noweights.pbtxt')
    values = variables(graph, np.random.default_rng(0))
    slots = {name + '/Momentum': np.zeros_like(value) for name, value in values.items()
             if name.startswith('MobilenetV1/')}
    prefix = write_checkpoint(tmp_path / 'model-5', {**values, **slots})
    assert (tmp_path / 'model-5.index').stat().st_size > 10000  # many blocks
    network = create_model(SPEC.name)
    load_weights(network, tf_checkpoint.read_weights(str(prefix), SPEC), str(prefix), SPEC.ignored)
    pixels = np.random.default_rng(1).integers(0, 256, (1, 48, 64, 3))
    with torch.no_grad():
        maps = network.eval()(torch.from_numpy(pixels).float().permute(0, 3, 1, 2))[-1]
    found = torch.cat([maps['heatmaps'], maps['pafs']], 1).permute(0, 2, 3, 1).numpy()
    wanted = tf_reference.evaluate(freeze(graph, values), pixels, OUTPUT)
    assert np.corrcoef(found.ravel(), wanted.ravel())[0, 1] > 0.99999
    assert np.abs(found - wanted).max() < 1e-4


@pytest.mark.parametrize('stored', [False, True])
def test_the_statistics_of_mobilenet_v2(tmp_path, stored):
    """Its features are always normalized image by image, for any checkpoint."""
    spec = get_spec('mobilenet_v2_small')
    state = create_model(spec.name).state_dict()
    values = {'MobilenetV2/Logits/Conv2d_1c_1x1/biases': np.zeros(1001, np.float32)}
    for name, value in state.items():
        *scope, last = name.split('.')
        if scope[-1] == 'BatchNorm':
            last = {'weight': 'gamma', 'bias': 'beta', 'running_mean': 'moving_mean',
                    'running_var': 'moving_variance'}.get(last)
        elif last == 'weight':
            last = 'depthwise_weights' if value.shape[1] == 1 else 'weights'
            value = value.permute((2, 3, 0, 1) if value.shape[1] == 1 else (2, 3, 1, 0))
        if last:
            values['/'.join(scope + [last])] = value.numpy()
    prefix = str(write_checkpoint(tmp_path / 'model', values))
    weights = tf_checkpoint.read_weights(prefix, spec, stored_statistics=stored)
    assert weights.options == ({} if stored else {'image_statistics': True})
    network = create_model(spec.name, **weights.options)
    load_weights(network, weights, prefix, spec.ignored)
    found = network.state_dict()
    assert ('MobilenetV2.Conv.BatchNorm.running_var' in found) == stored
    assert 'Openpose.MConv_Stage1_L1_1_pointwise.BatchNorm.running_var' in found
    assert all(torch.equal(state[name], value) for name, value in found.items())


@pytest.fixture
def prefix(tmp_path):
    return write_checkpoint(tmp_path / 'model-5', SMALL)


def refused(path, message):
    with pytest.raises(WeightsError, match=message):
        tf_checkpoint.read_weights(str(path), SPEC)


def shard(prefix, number):
    return prefix.with_name('{}.data-{:05d}-of-00002'.format(prefix.name, number))


def test_missing_and_damaged_data(prefix):
    first = shard(prefix, 1)
    content = first.read_bytes()
    first.write_bytes(content[:-1])
    refused(prefix, "00001-of-00002 is cut short: variable '.*weights' ends after 23 of 24 bytes")
    first.write_bytes(content[:5] + bytes([content[5] ^ 1]) + content[6:])
    refused(prefix, "00001-of-00002 is damaged: the checksum of variable '.*weights' is wrong")
    first.unlink()
    refused(prefix, '00001-of-00002 cannot be read.*all of its files')


def test_damaged_indexes(prefix):
    index = prefix.with_name(prefix.name + '.index')
    content = index.read_bytes()
    for position in (*range(0, 100, 7), len(content) - 60, len(content) - 1):
        index.write_bytes(content[:position] + bytes([content[position] ^ 4])
                          + content[position + 1:])
        refused(prefix, r'model-5\.index is no index|ends too early')
    for damaged in (b'', content[:-1], content[-48:], content[60:], bytes(100), b'text' * 50):
        index.write_bytes(damaged)
        refused(prefix, r'model-5\.index is no index')
    index.write_bytes(b'\xff' * 40 + content[-8:])
    refused(prefix, 'a block ends too early')


def test_indexes_of_other_kinds(prefix):
    index = prefix.with_name(prefix.name + '.index')
    header = MESSAGES['Header'](num_shards=2).SerializeToString()
    array = SMALL[STEM + 'weights']
    for change, message in (
            ({'dtype': 7}, 'has data type 7'), ({'size': 20}, r'of shape \[1, 1, 2, 3\] has 20'),
            ({'shard_id': 7}, '00007-of-00002 cannot be read'),
            ({'offset': -8}, 'cannot be read')):
        changed = entry(array)
        for field, value in change.items():
            setattr(changed, field, value)
        index.write_bytes(table({b'': header, b'A/weights': changed.SerializeToString()}))
        refused(prefix, message)
    large, parts = entry(array), entry(array)
    large.shape.dim[0].size = 1 << 60
    parts.slices.add()
    for changed, message in ((large, 'which no network here has'), (parts, 'partitioned')):
        index.write_bytes(table({b'': header, b'A/weights': changed.SerializeToString(),
                                 b'\0\1A/weights': b'\xff'}))
        refused(prefix, message)
    for entries, message in (
            ({b'': header, b'A/weights': b'\xff'}, 'entry that cannot be read'),
            ({b'A/weights': entry(array).SerializeToString()}, 'little-endian'),
            ({b'': header, b'_CHECKPOINTABLE_OBJECT_GRAPH': b''}, 'object-based')):
        index.write_bytes(table(entries))
        refused(prefix, message)
    index.write_bytes(table({b'': header}, compression=1))
    refused(prefix, 'compressed')
    refused(write_checkpoint(prefix, SMALL, endianness=1), 'little-endian')


def test_places_without_a_checkpoint(prefix):
    folder = prefix.parent
    refused(folder / 'model-6', 'no checkpoint .*model-6.*checkpoints in .*: model-5$')
    refused(folder, 'no readable file `checkpoint`: checkpoints in .*: model-5$')
    (folder / 'old').write_bytes(b'version 1')
    refused(folder / 'old', r'has no old\.index beside it.*version 1')
    state = folder / 'checkpoint'
    state.write_text('model_checkpoint_path: "model-6"\nall_model_checkpoint_paths: "model-6"\n')
    refused(folder, "names the checkpoint 'model-6', which is not there.*: model-5$")
    state.write_text('model_checkpoint_path: "elsewhere/model-5"')
    assert len(tf_checkpoint.read_weights(str(folder), SPEC).tensors) == 2
    for content in (b'prose, not a message', b'\xff\xfe'):
        state.write_bytes(content)
        refused(folder, 'no file of tf.train.Saver')
    state.write_bytes(b'')
    refused(folder, "names the checkpoint ''")
    shutil.rmtree(folder)
    refused(prefix, 'checkpoints in .*: none')


def test_an_incomplete_network(prefix):
    with pytest.raises(WeightsError, match=r'missing \(357\).*wrong shape \(2\)'):
        load_weights(create_model(SPEC.name), tf_checkpoint.read_weights(str(prefix), SPEC), 'x')
