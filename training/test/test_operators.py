# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Each rule of TensorRT 8.2 is broken once, and the fault names the node."""
import numpy as np
import pytest
from onnx import helper, numpy_helper, TensorProto

from pose_training.errors import ExportError
from pose_training.exporters.operators import check_operators, parse_model

FLOAT, HALF = TensorProto.FLOAT, TensorProto.FLOAT16


def model(nodes, constants=(), kind=FLOAT, opset=13, ir_version=8, domains=()):
    """Build a model from (operator, inputs, outputs, attributes); nodes are named like outputs."""
    made = [helper.make_node(operator, inputs, outputs, name=outputs[0], **attributes)
            for operator, inputs, outputs, attributes in nodes]
    ends = [helper.make_tensor_value_info(name, kind, ['n', 4, 'h', 'w'])
            for name in ('image', 'output')]
    tensors = [numpy_helper.from_array(np.asarray(value), name)
               for name, value in dict(constants).items()]
    return helper.make_model(
        helper.make_graph(made, 'test', ends[:1], ends[1:], tensors), ir_version=ir_version,
        opset_imports=[helper.make_opsetid(*each) for each in (('', opset), *domains)])


KERNEL = np.ones((4, 4, 1, 1), np.float32)
INT8 = np.zeros(4, np.int8)
SCALES = np.ones(4, np.float32)
TWICE = np.array([1, 1, 2, 2], np.float32)


def conv(weight='k', image='image', output='output'):
    return ('Conv', [image, weight], [output], {})


def test_plain_graphs_pass():
    check_operators(model([
        ('Pad', ['image', 'pads'], ['a'], {}), conv(image='a', output='b'),
        ('Clip', ['b', '', 'six'], ['c'], {}), ('Resize', ['c', '', 'twice'], ['d'], {}),
        ('InstanceNormalization', ['d', 'ones', 'ones'], ['e'], {}),
        ('PRelu', ['e', 'slopes'], ['f'], {}), ('Split', ['f', 'parts'], ['g', 'h'], {'axis': 1}),
        ('Concat', ['h', 'g'], ['i'], {'axis': 1}), ('MaxPool', ['i'], ['output'],
                                                     {'kernel_shape': [2, 2]})],
        {'k': KERNEL, 'pads': np.zeros(8, np.int64), 'six': np.float32(6), 'twice': TWICE,
         'ones': SCALES, 'slopes': np.ones((4, 1, 1), np.float32), 'parts': np.array([2, 2])}))


def test_quantized_weights_pass():
    check_operators(model([
        ('QuantizeLinear', ['image', 's', 'z'], ['a'], {}),
        ('DequantizeLinear', ['a', 's', 'z'], ['b'], {}),
        ('QuantizeLinear', ['k', 'ss', 'zz'], ['c'], {'axis': 0}),
        ('DequantizeLinear', ['c', 'ss', 'zz'], ['d'], {'axis': 0}), conv('d', 'b')],
        {'k': KERNEL, 's': np.float32(1), 'z': np.int8(0), 'ss': SCALES, 'zz': INT8}))


REFUSED = {
    'an unknown operator': ([('Einsum', ['image'], ['output'], {'equation': 'nchw->nchw'})], {},
                            "Einsum 'output': this operator is not on the list"),
    'computed weights': ([('Neg', ['k'], ['a'], {}), conv('a')], {'k': KERNEL},
                         "Conv 'output': weight and bias must be initializers"),
    'a quantized bias': (
        [('DequantizeLinear', ['i', 's', 'z'], ['b'], {}),
         ('Conv', ['image', 'k', 'b'], ['output'], {})],
        {'k': KERNEL, 'i': np.zeros(4, np.int32), 's': np.float32(1), 'z': np.int32(0)},
        "DequantizeLinear 'b': the zero point must be 0, and int8; Conv 'output': weight and "),
    'int8 weights': (
        [('DequantizeLinear', ['k', 's', 'z'], ['a'], {}), conv('a')],
        {'k': KERNEL.astype(np.int8), 's': np.float32(1), 'z': np.int8(0)},
        r"Conv 'output': .*float, where they are quantized"),
    'a zero point': ([('QuantizeLinear', ['image', 's', 'z'], ['a'], {}),
                      ('DequantizeLinear', ['a', 's', 'z'], ['output'], {})],
                     {'s': np.float32(1), 'z': np.int8(3)},
                     "QuantizeLinear 'a': the zero point must be 0, and int8; Dequantize"),
    'no zero point': ([('QuantizeLinear', ['image', 's'], ['a'], {}),
                       ('DequantizeLinear', ['a', 's'], ['output'], {})],
                      {'s': np.float32(1)}, "QuantizeLinear 'a': scale and zero point must be"),
    'cubic resizing': ([('Resize', ['image', '', 's'], ['output'], {'mode': 'cubic'})],
                       {'s': TWICE}, 'mode cubic with half_pixel is not supported'),
    'resizing by regions': (
        [('Resize', ['image', '', 's'], ['output'],
          {'coordinate_transformation_mode': 'tf_crop_and_resize'})], {'s': TWICE},
        'mode nearest with tf_crop_and_resize is not supported'),
    'resizing to sizes': ([('Resize', ['image', '', '', 's'], ['output'], {})],
                          {'s': np.array([1, 4, 8, 8])}, 'the scales must be an initializer'),
    'resizing channels': ([('Resize', ['image', '', 's'], ['output'], {})],
                          {'s': TWICE[::-1].copy()}, 'only height and width can be scaled'),
    'indices of a pool': ([('MaxPool', ['image'], ['output', 'where'],
                            {'kernel_shape': [2, 2]})], {},
                          "MaxPool 'output': it may have only one output; .*int64"),
    'a computed bound': ([('Neg', ['six'], ['a'], {}),
                          ('Clip', ['image', '', 'a'], ['output'], {})],
                         {'six': np.float32(6)}, "Clip 'output': the bounds must be initializers"),
    'a shape at run time': (
        [('Shape', ['image'], ['a'], {}), ('Reshape', ['image', 'a'], ['output'], {})], {},
        "Shape 'a': this operator is not on the list; Shape 'a' yields int64 at run time; Resh"),
    'booleans': ([('Cast', ['image'], ['a'], {'to': TensorProto.BOOL}),
                  ('Cast', ['a'], ['output'], {'to': FLOAT})], {},
                 "Cast 'a' yields bool at run time"),
}


@pytest.mark.parametrize('case', REFUSED)
def test_operators_that_tensorrt_rejects_are_named(case):
    nodes, constants, words = REFUSED[case]
    with pytest.raises(ExportError, match='TensorRT 8.2 would reject this file: .*' + words):
        check_operators(model(nodes, constants))


@pytest.mark.parametrize('operator, inputs, constants', [
    ('Clip', ['image', '', 'x'], {'x': np.float16(6)}),
    ('InstanceNormalization', ['image', 'x', 'x'], {'x': SCALES.astype(np.float16)}),
    ('Pad', ['image', 'pads', 'x'], {'pads': np.zeros(8, np.int64), 'x': np.float16(1)}),
])
def test_numbers_that_the_parser_would_misread_are_named(operator, inputs, constants):
    half = model([(operator, inputs, ['output'], {})], constants, HALF)
    with pytest.raises(ExportError, match=operator + " 'output': .* it misreads float16"):
        check_operators(half)


@pytest.mark.parametrize('arguments, words', [
    ({'opset': 14}, "operator sets {'': 14}"), ({'ir_version': 9}, 'ONNX IR version 9'),
    ({'domains': [('com.microsoft', 1)]}, "operator sets {'': 13, 'com.microsoft': 1}")])
def test_versions_that_are_too_new_are_named(arguments, words):
    with pytest.raises(ExportError, match=words):
        check_operators(model([('Relu', ['image'], ['output'], {})], **arguments))


def test_a_long_list_is_cut():
    nodes = [('Sin', ['image' if place == 0 else 'a{}'.format(place - 1)],
              ['a{}'.format(place)], {}) for place in range(11)]
    with pytest.raises(ExportError, match=r"Sin 'a7'.* \(and 3 more\)$"):
        check_operators(model(nodes + [('Relu', ['a10'], ['output'], {})]))


def test_what_is_no_onnx_file_is_an_export_error():
    good = model([conv()], {'k': KERNEL})
    assert parse_model(good.SerializeToString()).graph.node[0].op_type == 'Conv'
    for content in (b'', b'nonsense', good.SerializeToString()[:-30]):
        with pytest.raises(ExportError, match='not a valid ONNX file'):
            parse_model(content)
    wrong = model([('Conv', ['image', 'missing'], ['output'], {})])
    with pytest.raises(ExportError, match='not a valid ONNX file.*missing'):
        parse_model(wrong.SerializeToString())
