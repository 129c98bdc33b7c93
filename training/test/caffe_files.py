# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""OpenPose's Caffe networks as tables, and their files and outputs, computed from the tables.

Nothing here uses the package under test: a .caffemodel is written byte by byte, and ONNX Runtime
runs a graph that is built from the tables.
"""
import struct
from typing import NamedTuple, Tuple

import numpy as np
import onnx
from onnx import helper
import onnxruntime


class Layer(NamedTuple):
    """A layer of a .prototxt; a convolution keeps the size, a pooling is 2x2 of stride 2."""

    name: str
    kind: str
    bottoms: Tuple[str, ...]
    top: str
    outputs: int = 0
    kernel: int = 0


class _Table:

    def __init__(self):
        self.layers = []

    def add(self, name, kind, *bottoms, top=None, **numbers):
        self.layers.append(Layer(name, kind, bottoms, top or name, **numbers))
        return top or name

    def conv(self, bottom, name, outputs, kernel=3, active='ReLU', top=None):
        top = self.add(name, 'Convolution', bottom, top=top, outputs=outputs, kernel=kernel)
        if active:
            rectifier = name.replace('conv', 'prelu' if active == 'PReLU' else 'relu')
            self.add(rectifier, active, top, top=top)
        return top

    def vgg(self, *rest):
        """Add VGG-19 up to conv4_1 and then (name, outputs); return the last blob."""
        blob = 'image'
        for block, outputs, count in ((1, 64, 2), (2, 128, 2), (3, 256, 4), (4, 512, 1)):
            for number in range(1, count + 1):
                blob = self.conv(blob, 'conv{}_{}'.format(block, number), outputs)
            if block < 4:
                blob = self.add('pool{}_stage1'.format(block), 'Pooling', blob)
        for name, outputs in rest:
            blob = self.conv(blob, name, outputs)
        return blob

    def refine(self, bottom, suffix, outputs, top=None):
        """Add a refinement stage: five 7x7, two 1x1, the last one linear."""
        for number in range(1, 6):
            bottom = self.conv(bottom, 'Mconv{}_{}'.format(number, suffix), 128, 7)
        bottom = self.conv(bottom, 'Mconv6_' + suffix, 128, 1)
        return self.conv(bottom, 'Mconv7_' + suffix, outputs, 1, None, top)


def two_branches(pafs, heatmaps, stages=6):
    """Return the table of the COCO (38, 19) and MPI (28, 16) networks."""
    table = _Table()
    features = table.vgg(('conv4_2', 512), ('conv4_3_CPM', 256), ('conv4_4_CPM', 128))
    maps = []
    for branch, outputs in (('L1', pafs), ('L2', heatmaps)):
        blob = features
        for number in (1, 2, 3):
            blob = table.conv(blob, 'conv5_{}_CPM_{}'.format(number, branch), 128)
        blob = table.conv(blob, 'conv5_4_CPM_' + branch, 512, 1)
        maps.append(table.conv(blob, 'conv5_5_CPM_' + branch, outputs, 1, None))
    for stage in range(2, stages + 1):
        joined = table.add('concat_stage{}'.format(stage), 'Concat', *maps, features)
        maps = [table.refine(joined, 'stage{}_{}'.format(stage, branch), outputs)
                for branch, outputs in (('L1', pafs), ('L2', heatmaps))]
    table.add('concat_stage7', 'Concat', maps[1], maps[0], top='net_output')
    return table.layers


def body_25():
    """Return the table of BODY-25: four stages of PAFs (L2), then two of heatmaps (L1)."""
    table = _Table()
    blob = table.vgg()
    for name, outputs in (('conv4_2', 512), ('conv4_3_CPM', 256), ('conv4_4_CPM', 128)):
        blob = table.conv(blob, name, outputs, active='PReLU')
    features, made = blob, []
    for suffix, width, hidden, outputs in (
            ('stage0_L2', 96, 256, 52), ('stage1_L2', 128, 512, 52), ('stage2_L2', 128, 512, 52),
            ('stage3_L2', 128, 512, 52), ('stage0_L1', 96, 256, 26), ('stage1_L1', 128, 512, 26)):
        pafs = [name for name in made if name.endswith('L2')][-1:]
        heatmaps = [name for name in made if name.endswith('L1')]
        blob = features if not made else table.add(
            'concat_' + suffix, 'Concat', features, *heatmaps, *pafs)
        for number in range(1, 6):
            name, parts = 'Mconv{}_{}'.format(number, suffix), []
            for part in range(3):
                blob = table.conv(blob, '{}_{}'.format(name, part), width, active='PReLU')
                parts.append(blob)
            blob = table.add(name + '_concat', 'Concat', *parts)
        blob = table.conv(blob, 'Mconv6_' + suffix, hidden, 1, 'PReLU')
        made.append(table.conv(blob, 'Mconv7_' + suffix, outputs, 1, None))
    table.add('net_output', 'Concat', 'Mconv7_stage1_L1', 'Mconv7_stage3_L2')
    return table.layers


def crop(heatmaps):
    """Return the table of the hand (22) and face (71) networks."""
    table = _Table()
    features = table.vgg(*[(name, 512) for name in (
        'conv4_2', 'conv4_3', 'conv4_4', 'conv5_1', 'conv5_2')], ('conv5_3_CPM', 128))
    maps = table.conv(features, 'conv6_1_CPM', 512, 1)
    maps = table.conv(maps, 'conv6_2_CPM', heatmaps, 1, None)
    for stage in range(2, 7):
        joined = table.add('features_in_stage_{}'.format(stage), 'Concat', maps, features)
        maps = table.refine(joined, 'stage{}'.format(stage), heatmaps,
                            top='net_output' if stage == 6 else None)
    return table.layers


NETWORKS = {'cmu': two_branches(38, 19), 'mpi': two_branches(28, 16),
            'mpi_faster': two_branches(28, 16, 4), 'body_25': body_25(), 'hand': crop(22),
            'face': crop(71)}


def random_blobs(layers, seed=0):
    """Return {layer: [float32 arrays]} of values that keep activations near 1."""
    random, channels, blobs = np.random.default_rng(seed), {'image': 3}, {}
    for layer in layers:
        inputs = sum(channels[name] for name in layer.bottoms)
        channels[layer.top] = layer.outputs or inputs
        if layer.kind == 'Convolution':
            shape = layer.outputs, inputs, layer.kernel, layer.kernel
            weight = random.standard_normal(shape, np.float32)
            weight *= (2 / (inputs * layer.kernel ** 2)) ** .5
            blobs[layer.name] = [weight, random.normal(0, .2, layer.outputs).astype(np.float32)]
        elif layer.kind == 'PReLU':
            blobs[layer.name] = [random.uniform(.05, .4, inputs).astype(np.float32)]
    return blobs


def run(layers, blobs, image):
    """Return what Caffe would make of an image (1, 3, h, w): its `net_output`."""
    values, nodes, fed = {'image': 'image'}, [], {'image': image}
    for layer in layers:
        reads = [values[name] for name in layer.bottoms]
        for number, array in enumerate(blobs.get(layer.name, ())):
            reads.append('{}/{}'.format(layer.name, number))
            fed[reads[-1]] = array.reshape(-1, 1, 1) if layer.kind == 'PReLU' else array
        values[layer.top] = made = layer.name + '/made'
        nodes.append(helper.make_node(_NODES[layer.kind], reads, [made], **_attributes(layer)))
    # Weights are fed like the image: the graph stays small.
    inputs = [_declared(name, array.shape) for name, array in fed.items()]
    graph = helper.make_graph(nodes, 'caffe', inputs, [_declared(values['net_output'], None)])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid('', 13)], ir_version=8)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 2
    session = onnxruntime.InferenceSession(model.SerializeToString(), options,
                                           providers=['CPUExecutionProvider'])
    return session.run(None, fed)[0]


def _declared(name, shape):
    return helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, shape)


_NODES = {'Convolution': 'Conv', 'ReLU': 'Relu', 'PReLU': 'PRelu', 'Pooling': 'MaxPool',
          'Concat': 'Concat'}


def _attributes(layer):
    if layer.kind == 'Convolution':
        return {'pads': [(layer.kernel - 1) // 2] * 4}
    if layer.kind == 'Pooling':  # Caffe rounds the size up
        return {'kernel_shape': [2, 2], 'strides': [2, 2], 'ceil_mode': 1}
    return {'axis': 1} if layer.kind == 'Concat' else {}


def prototxt(layers):
    """Return the description of a network in Caffe's text form."""
    text = ['input: "image"  # blue, green, red'] + ['input_dim: %d' % n for n in (1, 3, 16, 16)]
    for layer in layers:
        text += ['layer {', '  name: "%s"' % layer.name, '  type: "%s"' % layer.kind]
        text += ['  bottom: "%s"' % name for name in layer.bottoms] + ['  top: "%s"' % layer.top]
        if layer.kind == 'Convolution':
            text += ['  param { lr_mult: 4.0 decay_mult: 1 }', '  convolution_param {',
                     '    num_output: %d' % layer.outputs, '    pad: %d' % (layer.kernel // 2),
                     '    kernel_size: %d' % layer.kernel,
                     '    weight_filler { type: "gaussian" std: 0.01 }', '  }']
        elif layer.kind == 'Pooling':
            text += ['  pooling_param { pool: MAX kernel_size: 2 stride: 2 }']
        elif layer.kind == 'Concat':
            text += ['  concat_param { axis: 1 }']
        text += ['}']
    return '\n'.join(text) + '\n'


def varint(number):
    """Return an integer >= 0 as protobuf writes it: seven bits a byte, the lowest first."""
    found = bytearray()
    while number > 127:
        found.append(number & 127 | 128)
        number >>= 7
    return bytes(found) + bytes([number])


def field(number, *payload):
    """Return a length-delimited field of a message, made of byte strings."""
    size = sum(len(part) for part in payload)
    return b''.join((varint(number << 3 | 2), varint(size)) + payload)


def integer(number, value):
    """Return an integer field of a message."""
    return varint(number << 3) + varint(value)


def blob(array, form='packed'):
    """Return a BlobProto, its numbers 'packed', 'unpacked' or 'double', or its shape 'legacy'."""
    shape = field(7, field(1, b''.join(varint(size) for size in array.shape)))
    if form == 'legacy':
        four = (1,) * (4 - array.ndim) + array.shape
        shape = b''.join(integer(number, size) for number, size in enumerate(four, 1))
    if form == 'unpacked':
        return shape + b''.join(varint(5 << 3 | 5) + struct.pack('<f', value)
                                for value in array.reshape(-1).tolist())
    if form == 'double':
        return shape + field(8, array.astype('<f8').tobytes())
    return shape + field(5, array.astype('<f4').tobytes())


def caffemodel(layers, blobs, form='packed', v1=False):
    """Return the pieces of a NetParameter as Caffe writes it: names, wiring and blobs."""
    yield field(1, b'net') + field(3, b'image')
    name, bottom, top, numbers, net = (4, 2, 3, 6, 2) if v1 else (1, 3, 4, 7, 100)
    for layer in layers:
        parts = [field(name, layer.name.encode())]
        parts += [integer(5, 4)] if v1 else [field(2, layer.kind.encode()), integer(10, 1)]
        parts += [field(bottom, each.encode()) for each in layer.bottoms]
        parts += [field(top, layer.top.encode())]
        parts += [field(numbers, blob(array, form)) for array in blobs.get(layer.name, ())]
        yield field(net, *parts)


def write(path, *args, **options):
    """Write a .caffemodel; see `caffemodel`."""
    with open(path, 'wb') as stream:
        stream.writelines(caffemodel(*args, **options))
