# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""A second opinion on TensorFlow graphs: each operator as one of ONNX, run by onnxruntime.

Nothing here comes from the importer; padding, for one, is onnxruntime's own SAME_UPPER.
"""
from typing import Any, Dict

import numpy as np
import onnx
import onnxruntime
from google.protobuf import text_format
from onnx import helper

from pose_training.importers.messages import message_classes

_TYPES = {'DT_INVALID': 0, 'DT_FLOAT': 1, 'DT_INT32': 3, 'DT_STRING': 7, 'DT_BOOL': 10,
          'DT_HALF': 19}
NUMPY_TYPES = {1: np.float32, 3: np.int32, 19: np.float16}
MESSAGES = message_classes('test.tensorflow', {
    'GraphDef': {'node': (1, ['NodeDef'])},
    'NodeDef': {'name': (1, 'string'), 'op': (2, 'string'), 'input': (3, ['string']),
                'attr': (5, ['Item'])},
    'Item': {'key': (1, 'string'), 'value': (2, 'AttrValue')},
    'AttrValue': {'list': (1, 'ListValue'), 's': (2, 'bytes'), 'i': (3, 'int64'),
                  'f': (4, 'float'), 'b': (5, 'bool'), 'type': (6, 'DataType'),
                  'shape': (7, 'Shape'), 'tensor': (8, 'TensorProto')},
    'ListValue': {'i': (3, ['int64'])},
    'TensorProto': {'dtype': (1, 'DataType'), 'tensor_shape': (2, 'Shape'),
                    'tensor_content': (4, 'bytes'), 'float_val': (5, ['float']),
                    'int_val': (7, ['int32']), 'half_val': (13, ['int32'])},
    'Shape': {'dim': (2, ['Dim'])},
    'Dim': {'size': (1, 'int64')},
    'DataType': _TYPES,
})
_SIMPLE = {'Relu': 'Relu', 'Sqrt': 'Sqrt', 'Add': 'Add', 'AddV2': 'Add', 'BiasAdd': 'Add',
           'Sub': 'Sub', 'Mul': 'Mul', 'RealDiv': 'Div', 'Identity': 'Identity'}


def parse(path) -> Any:
    """Return the GraphDef in a file."""
    graph = MESSAGES['GraphDef']()
    if str(path).endswith('.pbtxt'):
        text_format.Parse(path.read_text(), graph, allow_unknown_field=True)
    else:
        graph.ParseFromString(path.read_bytes())
    return graph


def attributes(node) -> Dict[str, Any]:
    """Return the attributes of a node by name."""
    return {item.key: item.value for item in node.attr}


def array_of(tensor) -> np.ndarray:
    """Return the array in a TensorProto."""
    shape = [dimension.size for dimension in tensor.tensor_shape.dim]
    dtype = NUMPY_TYPES[tensor.dtype]
    if tensor.tensor_content:
        return np.frombuffer(tensor.tensor_content, dtype).reshape(shape)
    if tensor.half_val:
        values = np.array(tensor.half_val, np.uint16).view(np.float16)
    else:
        values = np.array(list(tensor.float_val or tensor.int_val), dtype)
    return np.full(shape, values[0]) if len(values) == 1 else values.reshape(shape)


def evaluate(graph, image: np.ndarray, output: str) -> np.ndarray:
    """Return the output (N, h, w, C) of a node for an image (N, H, W, 3)."""
    model = _Translation({node.name: node for node in graph.node}).model(output)
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    options.intra_op_num_threads = 1  # more of them would spin, in the way of PyTorch's
    session = onnxruntime.InferenceSession(model.SerializeToString(), options,
                                           providers=['CPUExecutionProvider'])
    return session.run(None, {'input_image': image.astype(np.float32)})[0]


class _Translation:
    """Nodes become ONNX nodes of the same name; maps are (N, C, h, w) there."""

    def __init__(self, nodes):
        self._tf = nodes
        self._onnx, self._tensors = [], []
        self._maps = set()  # names of tensors that are maps; all others are plain numbers

    def model(self, output):
        """Return the ONNX model."""
        for name in self._inputs_first(output):
            node = self._tf[name]
            handler = getattr(self, '_op_' + node.op.lower(), self._elementwise)
            handler(node, attributes(node), *(_name(each) for each in node.input))
        self._add('Transpose', [output], 'output', perm=[0, 2, 3, 1])
        four = [None] * 4
        graph = helper.make_graph(
            self._onnx, 'graph',
            [helper.make_tensor_value_info('input_image', onnx.TensorProto.FLOAT, four)],
            [helper.make_tensor_value_info('output', onnx.TensorProto.FLOAT, four)],
            self._tensors)
        return helper.make_model(graph, opset_imports=[helper.make_opsetid('', 13)], ir_version=8)

    def _add(self, op, inputs, name, **options):
        self._onnx.append(helper.make_node(op, inputs, [name], **options))
        return name

    def _constant(self, name, array):
        self._tensors.append(onnx.numpy_helper.from_array(np.ascontiguousarray(array), name))
        return name

    def _numbers(self, name):
        """Return the value of a constant, which may stand behind identities."""
        node = self._tf[name]
        return self._numbers(_name(node.input[0])) if node.op == 'Identity' else array_of(
            attributes(node)['value'].tensor)

    def _inputs_first(self, output):
        """Return the names of all that a node needs, and its own at the end."""
        done, waiting = {}, [output]
        while waiting:
            missing = [_name(each) for each in self._tf[waiting[-1]].input
                       if _name(each) not in done]
            waiting.extend(missing)
            if not missing:
                done[waiting.pop()] = True
        return list(done)

    def _op_placeholder(self, node, options):
        self._add('Transpose', ['input_image'], node.name, perm=[0, 3, 1, 2])
        self._maps.add(node.name)

    def _op_const(self, node, options):
        array = array_of(options['value'].tensor)
        self._constant(node.name, array if array.dtype != np.float16 else array.astype('f4'))

    def _op_conv2d(self, node, options, source, kernel, depthwise=False):
        weight = self._add('Transpose', [kernel], node.name + '/kernel',
                           perm=[2, 3, 0, 1] if depthwise else [3, 2, 0, 1])
        groups = self._numbers(kernel).shape[2] if depthwise else 1
        assert 'dilations' not in options or set(options['dilations'].list.i) == {1}
        self._add('Conv', [source, weight], node.name, group=groups, **self._window(options))
        self._maps.add(node.name)

    def _op_depthwiseconv2dnative(self, node, options, source, kernel):
        self._op_conv2d(node, options, source, kernel, True)

    def _op_maxpool(self, node, options, source):
        self._add('MaxPool', [source], node.name,
                  kernel_shape=list(options['ksize'].list.i[1:3]), **self._window(options))
        self._maps.add(node.name)

    @staticmethod
    def _window(options):
        padding = {b'SAME': 'SAME_UPPER', b'VALID': 'VALID'}[options['padding'].s]
        return {'strides': list(options['strides'].list.i[1:3]), 'auto_pad': padding}

    def _op_fusedbatchnorm(self, node, options, *inputs):
        epsilon = options['epsilon'].f
        if options['is_training'].b:
            self._add('InstanceNormalization', inputs[:3], node.name, epsilon=epsilon)
        else:
            self._add('BatchNormalization', inputs, node.name, epsilon=epsilon)
        self._maps.add(node.name)

    def _op_concatv2(self, node, options, *inputs):
        assert int(self._numbers(inputs[-1])) == 3
        self._add('Concat', inputs[:-1], node.name, axis=1)
        self._maps.add(node.name)

    def _op_relu6(self, node, options, source):
        limits = [self._constant('{}/{}'.format(node.name, limit), np.float32(limit))
                  for limit in (0, 6)]
        self._add('Clip', [source, *limits], node.name)
        self._maps.add(node.name)

    def _op_rsqrt(self, node, options, source):
        root = self._add('Sqrt', [source], node.name + '/root')
        self._add('Reciprocal', [root], node.name)

    def _op_shape(self, node, options, source):
        """Return (h, w), the only part of a shape that these graphs need."""
        shape = self._add('Shape', [source], node.name + '/all')
        self._slice(shape, node.name, 2, 4)

    def _op_stridedslice(self, node, options, source, begin, end, step):
        bounds = [int(self._numbers(name).item()) for name in (begin, end, step)]
        assert bounds == [1, 3, 1]
        self._add('Identity', [source], node.name)

    def _op_resizebilinear(self, node, options, source, size):
        """Legacy sampling, and nothing else."""
        assert not any(options[flag].b for flag in ('align_corners', 'half_pixel_centers')
                       if flag in options)
        shape = self._add('Shape', [source], node.name + '/shape')
        channels = self._slice(shape, node.name + '/channels', 0, 2)
        wanted = self._add('Cast', [size], node.name + '/size', to=onnx.TensorProto.INT64)
        sizes = self._add('Concat', [channels, wanted], node.name + '/sizes', axis=0)
        self._add('Resize', [source, '', '', sizes], node.name, mode='linear',
                  coordinate_transformation_mode='asymmetric')
        self._maps.add(node.name)

    def _slice(self, source, name, *bounds):
        return self._add('Slice', [source, *(
            self._constant('{}/{}'.format(name, bound), np.array([bound])) for bound in bounds)],
            name)

    def _elementwise(self, node, options, *inputs):
        if self._maps.intersection(inputs):
            self._maps.add(node.name)
            inputs = [name if name in self._maps else self._spread(node, name) for name in inputs]
        self._add(_SIMPLE[node.op], inputs, node.name)

    def _spread(self, node, name):
        """Return numbers, one per channel or one for all, in the layout of maps."""
        shape = self._constant(node.name + '/shape', np.array([1, -1, 1, 1], np.int64))
        return self._add('Reshape', [name, shape], node.name + '/numbers')


def _name(reference):
    """Return the node of an input, 'name' or 'name:0'."""
    return reference.split(':')[0]
