# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Caffe's weight file, .caffemodel: a NetParameter message (src/caffe/proto/caffe.proto)."""
from typing import Iterator, Optional, Tuple

from google.protobuf.message import DecodeError
import numpy as np

from pose_training.errors import WeightsError
from pose_training.importers.limits import (Budget, checked_name, elements, MOST_NAMES,
                                            most_elements, read_bounded)
from pose_training.importers.matching import Weights
from pose_training.importers.messages import message_classes, parse
from pose_training.importers.prototxt import check_prototxt
from pose_training.models.registry import NetworkSpec

# `data` and `double_data` are packed numbers. They are read as bytes, because a list of 50 million
# numbers would need too much memory.
_MESSAGES = message_classes('pose_training.caffe', {
    'NetParameter': {'layers': (2, ['V1LayerParameter']), 'layer': (100, ['LayerParameter'])},
    'LayerParameter': {'name': (1, 'string'), 'type': (2, 'string'), 'blobs': (7, ['BlobProto'])},
    'V1LayerParameter': {'name': (4, 'string'), 'blobs': (6, ['BlobProto'])},
    'BlobProto': {'num': (1, 'int32'), 'channels': (2, 'int32'), 'height': (3, 'int32'),
                  'width': (4, 'int32'), 'data': (5, 'bytes'), 'shape': (7, 'BlobShape'),
                  'double_data': (8, 'bytes')},
    'BlobShape': {'dim': (1, ['int64'])},
    'UnpackedBlob': {'data': (5, ['float']), 'double_data': (8, ['double'])},
})
_BLOB_NAMES = ('weight', 'bias')
_LARGEST = 2 ** 31 - 1  # bytes, of any protobuf message


def read_weights(path: str, spec: NetworkSpec, prototxt: Optional[str] = None) -> Weights:
    """Return a layer's first blob as `<layer>.weight` (out, in, kh, kw), its second as `.bias`.

    The single blob of a PReLU is its weight (C,). A given prototxt is compared with the network
    first. WeightsError for a file that is not a complete caffemodel, or describes another network.
    """
    if prototxt is not None:
        check_prototxt(prototxt, spec)
    tensors = {}
    for name, array in _blobs(path, _parse(path), most_elements(spec)):
        if name in tensors:
            raise WeightsError('{}: {} is there twice, so that it is ambiguous; export '
                               'the net for deployment again'.format(path, name))
        tensors[name] = array
    if not tensors:
        raise WeightsError('{} holds no layer with weights; is it a .caffemodel? A .prototxt '
                           'holds none'.format(path))
    return Weights(tensors)


def _parse(path):
    data = read_bounded(path, _LARGEST, 'caffemodel')
    if not data:
        raise WeightsError('{} is empty; fetch it again'.format(path))
    try:
        return parse(_MESSAGES['NetParameter'], data)
    except DecodeError as error:
        raise WeightsError('{} is no caffemodel, or incomplete{}; fetch it again'.format(
            path, _resemblance(data))) from error


def _resemblance(data):
    if data.startswith(b'\x89HDF'):
        return ' (it is an HDF5 snapshot; have Caffe save the net as binary protobuf)'
    if data.lstrip()[:1] == b'<':
        return ' (it is a web page)'
    return ''


def _blobs(path, net, most) -> Iterator[Tuple[str, np.ndarray]]:
    names = Budget(MOST_NAMES, path, 'holds more arrays than any network')
    numbers = Budget(most, path, 'holds more numbers than the network')
    for layer in list(net.layer) + list(net.layers):
        checked_name(layer.name, path)
        vector = getattr(layer, 'type', '') == 'PReLU'
        for index, blob in enumerate(layer.blobs):
            name = _BLOB_NAMES[index] if index < 2 else 'blob_{}'.format(index)
            name = '{}.{}'.format(layer.name, name)
            array = _array('{}: {}'.format(path, name), blob, most)
            names.spend(1)
            numbers.spend(array.size)
            # Old files give every blob four dimensions: (1, 1, 1, N) is a vector there.
            if (vector or index == 1) and array.size == max(array.shape, default=1):
                array = array.reshape(-1)
            yield name, array


def _array(where, blob, most):
    old_shape = blob.num, blob.channels, blob.height, blob.width
    shape = tuple(blob.shape.dim) if blob.HasField('shape') else old_shape
    values = _values(where, blob)
    if len(shape) > 4 or values.size > most or elements(shape, most) != values.size:
        raise WeightsError('{} has the shape {} but {} values; the file is damaged, fetch it '
                           'again'.format(where, shape[:5], values.size))
    return values.astype(np.float32).reshape(shape)


def _values(where, blob):
    for field, kind in (('data', '<f4'), ('double_data', '<f8')):
        data = getattr(blob, field)
        if len(data) % np.dtype(kind).itemsize:
            raise WeightsError('{} ends within a number; the file is damaged, fetch it '
                               'again'.format(where))
        if data:
            return np.frombuffer(data, kind)
    # Caffe itself always packs; other writers may not.
    unpacked = _MESSAGES['UnpackedBlob'].FromString(blob.SerializeToString())
    return np.array(unpacked.data or unpacked.double_data, np.float32)
