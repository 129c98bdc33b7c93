# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Caffe files: every network of OpenPose from file to maps, other forms, damaged files."""
import caffe_files
from damage import damaged, refusals
import numpy as np
import pytest
import torch

from pose_training.errors import WeightsError
from pose_training.importers import caffe
from pose_training.importers.formats import import_network
from pose_training.models import get_spec

# A weight file, and the networks that it was published for.
PUBLISHED = {'cmu': ['cmu'], 'mpi': ['mpi', 'mpi_faster'], 'body_25': ['body_25'],
             'hand': ['hand'], 'face': ['face']}
SMALL = [caffe_files.Layer('a', 'Convolution', ('image',), 'a', 4, 3),
         caffe_files.Layer('slope', 'PReLU', ('a',), 'a'),
         caffe_files.Layer('b', 'Convolution', ('a',), 'b', 2, 1)]


@pytest.fixture(scope='module')
def image():
    """Return a small input: rows and columns differ, three poolings leave 4 x 6."""
    random_numbers = np.random.default_rng(1)
    return random_numbers.uniform(-.5, .5, (1, 3, 32, 48)).astype(np.float32)


def maps(network, image):
    """Return heatmaps and PAFs of the last stage in the order of Caffe's net_output."""
    with torch.no_grad():
        found = network(torch.from_numpy(image))[-1]
    return np.concatenate([each.numpy() for each in found.values()], 1)


@pytest.mark.parametrize('published', PUBLISHED)
def test_every_network_computes_what_caffe_computes(published, image, tmp_path):
    """Layers, their order and the output order agree with ONNX Runtime on the layer table."""
    path = tmp_path / 'net.caffemodel'
    blobs = caffe_files.random_blobs(caffe_files.NETWORKS[published])
    caffe_files.write(path, caffe_files.NETWORKS[published], blobs)
    try:
        for name in PUBLISHED[published]:
            wanted = caffe_files.run(caffe_files.NETWORKS[name], blobs, image)
            network, provenance = import_network('caffe', str(path), name)
            found = maps(network, image)
            assert found.shape == wanted.shape and wanted.std() > .1
            assert np.corrcoef(found.reshape(-1), wanted.reshape(-1))[0, 1] > .99999
            assert np.abs(found - wanted).max() < 1e-4 * np.abs(wanted).max()
            assert provenance['weights'] == 'net.caffemodel'
    finally:
        path.unlink()


def test_opencv_agrees_with_the_layer_tables(image, tmp_path):
    """The tables and the writer of this test agree with OpenCV's reader of Caffe's files."""
    dnn = pytest.importorskip('cv2').dnn
    if not hasattr(dnn, 'readNetFromCaffe'):
        pytest.skip('this OpenCV no longer reads Caffe files')
    layers = caffe_files.NETWORKS['body_25']
    blobs = caffe_files.random_blobs(layers)
    model, text = tmp_path / 'net.caffemodel', tmp_path / 'net.prototxt'
    caffe_files.write(model, layers, blobs)
    text.write_text(caffe_files.prototxt(layers))
    net = dnn.readNetFromCaffe(str(text), str(model))
    model.unlink()
    net.setInput(image)
    wanted = caffe_files.run(layers, blobs, image)
    assert np.abs(net.forward() - wanted).max() < 1e-4 * np.abs(wanted).max()


@pytest.mark.parametrize('v1', [False, True])
@pytest.mark.parametrize('form', ['packed', 'unpacked', 'double', 'legacy'])
def test_every_form_of_a_blob_gives_the_same_numbers(form, v1, tmp_path):
    """New and old layers; packed, unpacked and double numbers; shapes of four dimensions."""
    layers = [layer for layer in SMALL if layer.kind != 'PReLU' or not v1]
    blobs = caffe_files.random_blobs(layers)
    caffe_files.write(tmp_path / 'net.caffemodel', layers, blobs, form=form, v1=v1)
    tensors = caffe.read_weights(str(tmp_path / 'net.caffemodel'), get_spec('hand')).tensors
    wanted = {'{}.{}'.format(layer, name): array for layer, arrays in blobs.items()
              for name, array in zip(('weight', 'bias'), arrays)}
    assert tensors.keys() == wanted.keys() and len(wanted) == (4 if v1 else 5)
    for name, array in wanted.items():
        assert tensors[name].dtype == np.float32 and tensors[name].flags.writeable
        np.testing.assert_array_equal(tensors[name], array, strict=True)


def text_only(value):
    """Return the name of a test's value: bytes have none."""
    return value if isinstance(value, str) else ''


def read(tmp_path, data):
    """Return the tensors that the reader finds in these bytes."""
    path = tmp_path / 'net.caffemodel'
    path.write_bytes(data)
    return caffe.read_weights(str(path), get_spec('hand')).tensors


def small_file():
    """Return a complete small file."""
    return b''.join(caffe_files.caffemodel(SMALL, caffe_files.random_blobs(SMALL)))


def test_a_file_cut_between_two_layers_has_the_first_ones(tmp_path):
    """The message is still valid; only the comparison with the network finds missing layers."""
    pieces = list(caffe_files.caffemodel(SMALL, caffe_files.random_blobs(SMALL)))
    assert read(tmp_path, b''.join(pieces[:-1])).keys() == {'a.weight', 'a.bias', 'slope.weight'}


def layer(*numbers):
    """Return a net of one layer with one blob, made of these fields."""
    return caffe_files.field(100, caffe_files.field(1, b'odd'),
                             caffe_files.field(7, *numbers))


SHAPE_4 = caffe_files.field(7, caffe_files.field(1, b'\x04'))


@pytest.mark.parametrize('data, message', ids=text_only, argvalues=[
    (b'', 'is empty'),
    (b'<!DOCTYPE html><html><body>Not found</body></html>', 'web page'),
    (b'\n <html>', 'web page'),
    (b'\x89HDF\r\n\x1a\n' + bytes(500), 'HDF5'),
    (caffe_files.prototxt(SMALL).encode(), 'no caffemodel|no layer with weights'),
    (b'\x93NUMPY\x01\x00', 'no caffemodel'),
    (b'PK\x03\x04' + bytes(range(200)), 'no caffemodel'),
    (caffe_files.field(1, b'a net without layers'), 'no layer with weights'),
    (small_file()[:-1], 'incomplete'),
    (layer(SHAPE_4, caffe_files.field(5, bytes(12))), r'odd.weight.*\(4,\) but 3 values'),
    (layer(SHAPE_4, caffe_files.field(5, bytes(15))), 'odd.weight ends within a number'),
    (layer(SHAPE_4), r'\(4,\) but 0 values'),
    (layer(caffe_files.field(7, caffe_files.field(1, (b'\xff' * 9 + b'\x01') * 2)),
           caffe_files.field(5, bytes(4))), r'\(-1, -1\) but 1 values'),
    (layer(caffe_files.field(7, caffe_files.field(1, b'\x01' * 300)),
           caffe_files.field(5, bytes(4))), r'\(1, 1, 1, 1, 1\) but 1 values'),
    (layer(SHAPE_4, caffe_files.field(5, bytes(16))) * 2, 'odd.weight is there twice'),
])
def test_errors_name_the_fault_of_a_file(data, message, tmp_path):
    """Wrong kinds of files, and blobs that contradict themselves."""
    with pytest.raises(WeightsError, match=message):
        read(tmp_path, data)


def test_paths_without_a_file_are_rejected(tmp_path):
    """A folder, a device without end, nothing at all."""
    for path in tmp_path, tmp_path / 'none', '/dev/zero':
        with pytest.raises(WeightsError, match='net|none|zero|' + tmp_path.name):
            caffe.read_weights(str(path), get_spec('hand'))


def test_no_damage_ends_in_another_error(tmp_path):
    """Every cut, and many changed bytes: tensors, or WeightsError."""
    whole = small_file()
    assert len(read(tmp_path, whole)) == 5
    assert refusals(lambda data: read(tmp_path, data), damaged(whole, 400)) > len(whole) // 2
