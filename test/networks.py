# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""A tiny network without a card, whose outputs for a batch are known: for tests of engines."""
import json

import numpy as np

IMAGE = (3, 6, 8)  # channels, height, width
_WEIGHTS = np.arange(1, 7, dtype=np.float32).reshape(2, 3, 1, 1)


def make_channels(path, batch, height=6, width=8):
    """Write a network to `path`: outputs `mix` (N, 2, h, w) and `mean` (N, 3); return the path.

    batch: a number, or a name for a dynamic axis, as are height and width.
    """
    from onnx import helper, numpy_helper, TensorProto
    nodes = [helper.make_node('Conv', ['image', 'weights'], ['mix'], kernel_shape=[1, 1]),
             helper.make_node('ReduceMean', ['image'], ['mean'], axes=[2, 3], keepdims=0)]
    shapes = {'image': [batch, 3, height, width], 'mix': [batch, 2, height, width],
              'mean': [batch, 3]}
    info = {name: helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)
            for name, shape in shapes.items()}
    graph = helper.make_graph(nodes, 'channels', [info['image']], [info['mix'], info['mean']],
                              initializer=[numpy_helper.from_array(_WEIGHTS, 'weights')])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid('', 13)])
    model.ir_version = 8
    with open(str(path), 'wb') as stream:
        stream.write(model.SerializeToString())
    return str(path)


def retyped(path, target, image=None, outputs=None, unused=()):
    """Write a copy of a network with other types, by the names of onnx.TensorProto.

    image: the type of the input. outputs: that of outputs by name; SEQUENCE makes a sequence of
    one tensor. unused: types of more outputs, the first output in another type. Return the path.
    """
    import onnx
    from onnx import helper, TensorProto
    model = onnx.load(str(path))
    graph = model.graph
    changes = dict(outputs or {})
    first = graph.output[0]
    if image:
        for node in graph.node:
            node.input[:] = ['pixels' if name == 'image' else name for name in node.input]
        graph.node.insert(0, helper.make_node('Cast', ['image'], ['pixels'],
                                              to=TensorProto.FLOAT))
        graph.input[0].type.tensor_type.elem_type = getattr(TensorProto, image)
    sources = {}
    for output in graph.output:
        if output.name in changes:
            sources[output.name] = output.name + '_floats'
            for node in graph.node:
                node.output[:] = [sources.get(name, name) for name in node.output]
    for number, kind in enumerate(unused):
        changes['unused_{}'.format(number)] = kind
        extra = graph.output.add()
        extra.CopyFrom(first)
        extra.name = 'unused_{}'.format(number)
    for output in graph.output:
        kind = changes.get(output.name)
        if kind:
            _convert(graph, sources.get(output.name, sources.get(first.name, first.name)),
                     output, kind)
    with open(str(target), 'wb') as stream:
        stream.write(model.SerializeToString())
    return str(target)


def _convert(graph, source, output, kind):
    from onnx import helper, TensorProto
    if kind == 'SEQUENCE':
        graph.node.append(helper.make_node('SequenceConstruct', [source], [output.name]))
        output.CopyFrom(helper.make_tensor_sequence_value_info(
            output.name, TensorProto.FLOAT, None))
    else:
        number = getattr(TensorProto, kind)
        graph.node.append(helper.make_node('Cast', [source], [output.name], to=number))
        output.type.tensor_type.elem_type = number


def random_batch(count, seed=0):
    """Return images (count, 3, h, w) float32 that all differ."""
    return np.random.RandomState(seed).uniform(0, 1, (count,) + IMAGE).astype(np.float32)


def check_outputs(outputs, batch, tolerance=1e-4):
    """Assert that outputs are those of a batch, image by image."""
    assert set(outputs) == {'mix', 'mean'}
    mix = np.einsum('oc,nchw->nohw', _WEIGHTS[:, :, 0, 0], batch)
    assert outputs['mix'].shape == mix.shape and outputs['mean'].shape == (len(batch), 3)
    assert outputs['mix'].dtype == outputs['mean'].dtype == np.float32
    assert np.abs(outputs['mix'] - mix).max() < tolerance
    assert np.abs(outputs['mean'] - batch.mean((2, 3))).max() < tolerance


def make_constant(path, outputs, image=(1, 3, 64, 64), kind='FLOAT'):
    """Write a network to `path` that yields the same arrays for every image; return the path.

    outputs: arrays with the batch axis, by name. image: shape of the input; kind: its type, by the
    name of onnx.TensorProto.
    """
    from onnx import helper, numpy_helper, TensorProto
    nodes, weights, infos = [], [numpy_helper.from_array(np.zeros(1, np.float32), 'zero')], []
    # The sum of the image times zero makes each output depend on the input.
    nodes.append(helper.make_node('Cast', ['image'], ['floats'], to=TensorProto.FLOAT))
    nodes.append(helper.make_node('ReduceMean', ['floats'], ['mean'], keepdims=0))
    nodes.append(helper.make_node('Mul', ['mean', 'zero'], ['nothing']))
    for name, array in outputs.items():
        weights.append(numpy_helper.from_array(np.asarray(array, np.float32), name + '_value'))
        nodes.append(helper.make_node('Add', [name + '_value', 'nothing'], [name]))
        infos.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, np.shape(array)))
    graph = helper.make_graph(
        nodes, 'constant',
        [helper.make_tensor_value_info('image', getattr(TensorProto, kind), image)], infos,
        initializer=weights)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid('', 13)])
    model.ir_version = 8
    with open(str(path), 'wb') as stream:
        stream.write(model.SerializeToString())
    return str(path)


def make_part(path, topology, points, presence=.9, size=64):
    """Write a network that finds the same hand or face in every crop, and its card; return `path`.

    points: (K, 2) px of its input of size x size px.
    """
    points = np.asarray(points, float)
    make_constant(path, {'points': points[None], 'presence': np.full((1, 1), presence)},
                  (1, 3, size, size))
    card = {'schema': 1, 'name': topology, 'version': '1', 'license': 'MIT', 'task': 'pose',
            'topology': topology, 'provenance': {},
            'input': {'height': size, 'width': size, 'color': 'rgb', 'scale': 1.0,
                      'mean': [0.0] * 3, 'std': [1.0] * 3, 'fit': 'crop', 'align': 'center',
                      'interpolation': 'linear', 'pad_value': 0},
            'decoder': {'type': 'regression', 'settings': {}, 'outputs': {
                'tensor': 'points', 'columns': ['x', 'y'], 'channels': list(range(len(points))),
                'unit': 'pixels', 'scores': 'probability', 'presence': 'presence'}}}
    with open(str(path) + '.json', 'w') as stream:
        json.dump(card, stream)
    return str(path)
