# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Convolutional pose machines as tables: their variables, files and outputs.

Nothing here uses the package under test. The tables are those of the TensorFlow repository; the
outputs are computed by single operations with TensorFlow's rules.
"""
import struct

import numpy as np
import torch
from torch.nn import functional

STEM = {'cpm_body': (64, 64, 128, 128, 256, 256, 256, 256, 512, 512, 256, 256, 256, 256),
        'cpm_hand': (64, 64, 128, 128, 256, 256, 256, 256, 512, 512, 512, 512, 512, 512)}
POOLED = {2: 1, 4: 2, 8: 3}  # after this layer comes this pooling
KEYS = {
    'cpm_body': 'conv1_1 conv1_2 conv2_1 conv2_2 conv3_1 conv3_2 conv3_3 conv3_4 conv4_1 conv4_2 '
                'conv4_3_CPM conv4_4_CPM conv4_5_CPM conv4_6_CPM conv4_7_CPM conv5_1_CPM '
                'conv5_2_CPM',
    'cpm_hand': 'conv1_1 conv1_2 conv2_1 conv2_2 conv3_1 conv3_2 conv3_3 conv3_4 conv4_1 conv4_2 '
                'conv4_3 conv4_4 conv5_1 conv5_2 conv5_3_CPM conv6_1_CPM conv6_2_CPM'}
MAPS = {'cpm_body': 15, 'cpm_hand': 22}


def layers(kind, stages, colors=3, share=1):
    """Return [(scope, key of the pickle, shape of the kernel)], with 1 / share of the channels."""
    keys, maps = KEYS[kind].split(), MAPS[kind]
    found, inputs = [], colors
    for number, outputs in enumerate((count // share for count in STEM[kind]), 1):
        found.append(('sub_stages/sub_conv{}'.format(number), (3, 3, inputs, outputs)))
        inputs = outputs
    hidden, wide = 128 // share, 512 // share
    found += [('sub_stages/sub_stage_img_feature', (3, 3, inputs, hidden)),
              ('stage_1/conv1', (1, 1, hidden, wide)),
              ('stage_1/stage_heatmap', (1, 1, wide, maps))]
    inputs = maps + hidden + (kind == 'cpm_body')
    for stage in range(2, stages + 1):
        for number in range(1, 8):
            kernel, outputs = (7 if number < 6 else 1), (hidden if number < 7 else maps)
            found.append(('stage_{}/mid_conv{}'.format(stage, number),
                          (kernel, kernel, inputs if number == 1 else hidden, outputs)))
            keys.append('Mconv{}_stage{}'.format(number, stage))
    return [(scope, key, shape) for (scope, shape), key in zip(found, keys)]


def random_values(kind, stages, colors=3, share=4):
    """Return {scope: (kernel, bias)} with which maps neither vanish nor explode."""
    random, found = np.random.default_rng(0), {}
    for scope, _, shape in layers(kind, stages, colors, share):
        scale = np.float32(np.sqrt(2 / np.prod(shape[:3])))
        found[scope] = (random.standard_normal(shape, np.float32) * scale,
                        random.standard_normal(shape[3:], np.float32) * np.float32(.1))
    return found


def variables(values, names=('kernel', 'bias'), slots=()):
    """Return the variables of a checkpoint; `slots` are those of an optimizer."""
    found = {'global_step': np.array(7, np.int64)}
    for scope, arrays in values.items():
        for name, array in zip(names, arrays):
            found['{}/{}'.format(scope, name)] = array
            found.update(('{}/{}/{}'.format(scope, name, slot), array) for slot in slots)
    return found


def evaluate(values, kind, image, stages, stride=8, rectified=False, radius=21):
    """Return the maps (N, h, w, C) of every stage for an image (N, H, W, colors)."""
    def layer(scope, inputs, active=True):
        kernel, bias = (torch.from_numpy(array) for array in values[scope])
        found = functional.conv2d(inputs, kernel.permute(3, 2, 0, 1), bias,
                                  padding=kernel.shape[0] // 2)
        return found.clamp(min=0) if active else found

    blob = torch.from_numpy(np.ascontiguousarray(image.transpose(0, 3, 1, 2)))
    height, width = blob.shape[2:]
    for number in range(1, 15):
        blob = layer('sub_stages/sub_conv{}'.format(number), blob)
        if number in POOLED and not (stride == 4 and POOLED[number] == 2):
            blob = functional.max_pool2d(blob, 2, 2)
    features = layer('sub_stages/sub_stage_img_feature', blob)
    maps = [layer('stage_1/stage_heatmap', layer('stage_1/conv1', features), rectified)]
    center = torch.from_numpy(center_map(width, height, radius))[None, None]
    for stage in range(2, stages + 1):
        joined = [maps[-1], features] + [center.expand(len(image), 1, *center.shape[2:])] * (
            kind == 'cpm_body')
        blob = torch.cat(joined, 1)
        for number in range(1, 8):
            blob = layer('stage_{}/mid_conv{}'.format(stage, number), blob,
                         number < 7 or rectified)
        maps.append(blob)
    return [each.permute(0, 2, 3, 1).numpy() for each in maps]


def center_map(width, height, radius=21):
    """Return (height / 8, width / 8): the pooled map of the center, cell by cell."""
    y, x = np.mgrid[:height, :width]
    image = np.exp(-((x - width / 2) ** 2 + (y - height / 2) ** 2) / (2. * radius ** 2))
    return np.array([[image[row:row + 9, column:column + 9].mean()
                      for column in range(0, width, 8)] for row in range(0, height, 8)],
                    np.float32)


def pickled(values, kind, stages, protocol=2):
    """Return the pickle of {key: kernel, key_b: bias}."""
    arrays = {}
    for scope, key, _ in layers(kind, stages):
        arrays[key], arrays[key + '_b'] = values[scope]
    return python_2(arrays, protocol)


def python_2(arrays, protocol):
    """Return the pickle that Python 2 writes of {key: array}: all text is bytes."""
    make = _Binary if protocol == 2 else _Text
    content = make.begin
    for key, array in arrays.items():
        content += make.text(key.encode()) + make.array(array) + b's'
    return content + b'.'


class _Binary:
    """The instructions of protocol 2."""

    begin = b'\x80\x02}'

    @staticmethod
    def text(data):
        return b'U' + bytes([len(data)]) + data if len(data) < 256 \
            else b'T' + struct.pack('<i', len(data)) + data

    @classmethod
    def array(cls, array):
        sizes = b''.join(b'K' + bytes([size]) if size < 256 else b'M' + struct.pack('<H', size)
                         for size in array.shape)
        return (b'cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85U\x01b\x87R'
                b'(K\x01(' + sizes + b'tcnumpy\ndtype\nU\x02f4K\x00K\x01\x87R(K\x03U\x01<NNN'
                b'J\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb\x89' + cls.text(array.tobytes())
                + b'tb')


class _Text:
    """The instructions of protocol 0, which Python 2 writes unless told otherwise."""

    begin = b'(dp0\n'

    @staticmethod
    def text(data):
        return b'S' + repr(data)[1:].encode() + b'\n'

    @classmethod
    def array(cls, array):
        sizes = b''.join(b'I%d\n' % size for size in array.shape)
        return (b'cnumpy.core.multiarray\n_reconstruct\np1\n(cnumpy\nndarray\np2\n(I0\ntp3\n'
                b"S'b'\np4\ntp5\nRp6\n(I1\n(" + sizes + b"tp7\ncnumpy\ndtype\np8\n(S'f4'\np9\nI0\n"
                b"I1\ntp10\nRp11\n(I3\nS'<'\np12\nNNNI-1\nI-1\nI0\ntp13\nbI00\n"
                + cls.text(array.tobytes()) + b'p14\ntp15\nb')
