# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Simplified graphs compute the same as the original ones."""
import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import helper, numpy_helper, TensorProto

from pose_training.exporters.onnx_graph import count_operators, simplify

RANDOM = np.random.default_rng(0)
KERNEL = RANDOM.normal(size=(4, 3, 3, 3)).astype(np.float32)
POINT = RANDOM.normal(size=(4, 4, 1, 1)).astype(np.float32)


def graph(nodes, constants, output=('n', 4, 'a', 'b')):
    """Build a model from (operator, inputs, outputs, attributes) that yields `output`."""
    made = [helper.make_node(operator, inputs, outputs, **attributes)
            for operator, inputs, outputs, attributes in nodes]
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in (
        ('image', ('n', 3, 'h', 'w')), ('output', output))]
    tensors = [numpy_helper.from_array(np.asarray(value), name)
               for name, value in constants.items()]
    return helper.make_model(helper.make_graph(made, 'test', ends[:1], ends[1:], tensors),
                             opset_imports=[helper.make_opsetid('', 13)], ir_version=7)


def simplified(model, output=('n', 4, 'a', 'b')):
    """Simplify; check that the result is valid and computes the same."""
    simple = simplify(model, {'output': output})
    onnx.checker.check_model(simple, full_check=True)
    image = RANDOM.normal(size=(2, 3, 9, 8)).astype(np.float32)
    before, after = (onnxruntime.InferenceSession(
        each.SerializeToString(), providers=['CPUExecutionProvider']).run(
            None, {'image': image})[0] for each in (model, simple))
    np.testing.assert_allclose(after, before, atol=1e-5)
    return simple


def pads_of(model):
    return [list(item.ints) for node in model.graph.node for item in node.attribute
            if item.name == 'pads']


@pytest.mark.parametrize('own, expected', [({}, [1, 0, 2, 3]), ({'pads': [1, 1, 0, 0]},
                                                                [2, 1, 2, 3])])
@pytest.mark.parametrize('value', [None, np.float32(0)])
def test_zeros_around_go_into_the_convolutions_that_read_them(own, expected, value):
    nodes = [('Pad', ['image', 'pads'] + ['value'] * (value is not None), ['padded'], {}),
             ('Conv', ['padded', 'k'], ['one'], own), ('Conv', ['padded', 'k'], ['two'], own),
             ('Add', ['one', 'two'], ['output'], {})]
    model = graph(nodes, {'pads': np.array([0, 0, 1, 0, 0, 0, 2, 3]), 'k': KERNEL,
                          'value': np.float32(0)})
    simple = simplified(model)
    assert count_operators(simple) == {'Conv': 2, 'Add': 1}
    assert pads_of(simple) == [expected] * 2


@pytest.mark.parametrize('pads, value, mode, reader', [
    ([0, 0, 1, 1, 0, 0, 1, 1], 1., 'constant', 'Conv'),
    ([0, 0, 1, 1, 0, 0, 1, 1], 0., 'edge', 'Conv'),
    ([0, 0, -1, 1, 0, 0, 1, 1], 0., 'constant', 'Conv'),
    ([0, 0, 1, 1, 0, 0, 1, 1], 0., 'constant', 'Relu'),
])
def test_other_padding_stays(pads, value, mode, reader):
    nodes = [('Pad', ['image', 'pads', 'value'], ['padded'], {'mode': mode}),
             (reader, ['padded', 'k'] if reader == 'Conv' else ['padded'], ['next'], {}),
             ('Conv', ['next', 'p' if reader == 'Conv' else 'k'], ['output'], {})]
    simple = simplified(graph(nodes, {'pads': np.array(pads), 'value': np.float32(value),
                                      'k': KERNEL, 'p': POINT}))
    assert count_operators(simple)['Pad'] == 1


def test_padding_that_is_read_by_another_layer_too_stays():
    nodes = [('Pad', ['image', 'pads'], ['padded'], {}), ('Conv', ['padded', 'k'], ['one'], {}),
             ('MaxPool', ['padded'], ['pooled'], {'kernel_shape': [3, 3]}),
             ('Conv', ['pooled', 'p'], ['two'], {}), ('Add', ['one', 'two'], ['output'], {})]
    simple = simplified(graph(nodes, {'pads': np.array([0, 0, 1, 1, 0, 0, 1, 1]), 'k': KERNEL,
                                      'p': KERNEL[:, :, :1, :1]}))
    assert count_operators(simple)['Pad'] == 1 and pads_of(simple) == []


def test_constants_are_computed_and_stored_once():
    six = numpy_helper.from_array(np.float32(6), 'x')
    nodes = [('Constant', [], ['six'], {'value': six}),
             ('Constant', [], ['six_again'], {'value': six}),
             ('Concat', ['first', 'second'], ['pads'], {'axis': 0}),
             ('Pad', ['image', 'pads'], ['padded'], {}),
             ('Identity', ['k'], ['kernel'], {}), ('Conv', ['padded', 'kernel'], ['a'], {}),
             ('Clip', ['a', '', 'six'], ['b'], {}), ('Identity', ['b'], ['c'], {}),
             ('Min', ['c', 'six_again'], ['output'], {})]
    half = np.array([0, 0, 1, 1])
    simple = simplified(graph(nodes, {'first': half, 'second': half, 'k': KERNEL,
                                      'unused': np.zeros(9)}))
    assert count_operators(simple) == {'Conv': 1, 'Clip': 1, 'Min': 1}
    assert len(simple.graph.initializer) == 2
    assert simple.graph.node[1].input[2] == simple.graph.node[2].input[1]


@pytest.mark.parametrize('at_the_end', [True, False])
def test_a_split_that_is_only_joined_again_is_dropped(at_the_end):
    nodes = [('Conv', ['image', 'k'], ['maps'], {}), ('Split', ['maps'], ['l', 'r'], {'axis': 1}),
             ('Concat', ['l', 'r'], ['output' if at_the_end else 'joined'], {'axis': 1})]
    nodes += [] if at_the_end else [('Relu', ['joined'], ['output'], {})]
    expected = {'Conv': 1} if at_the_end else {'Conv': 1, 'Relu': 1}
    assert count_operators(simplified(graph(nodes, {'k': KERNEL}))) == expected


@pytest.mark.parametrize('order, axis', [(['r', 'l'], 1), (['l', 'l'], 1), (['l', 'r'], 2)])
def test_what_is_joined_otherwise_is_not(order, axis):
    nodes = [('Conv', ['image', 'k'], ['maps'], {}), ('Split', ['maps'], ['l', 'r'], {'axis': 1}),
             ('Concat', order, ['output'], {'axis': axis})]
    output = ('n', 4 if axis == 1 else 2, 'a', 'b')
    simple = simplified(graph(nodes, {'k': KERNEL}, output), output)
    assert count_operators(simple) == {'Conv': 1, 'Split': 1, 'Concat': 1}


def test_maps_that_are_read_twice_keep_their_name():
    nodes = [('Conv', ['image', 'k'], ['maps'], {}), ('Split', ['maps'], ['l', 'r'], {'axis': 1}),
             ('Concat', ['l', 'r'], ['whole'], {'axis': 1}),
             ('Add', ['whole', 'maps'], ['output'], {})]
    assert count_operators(simplified(graph(nodes, {'k': KERNEL}))) == {'Conv': 1, 'Add': 1}


def test_an_empty_region_and_a_padding_of_zero_are_left_out():
    nodes = [('Conv', ['image', 'k'], ['a'], {}),
             ('Resize', ['a', 'none', 'scales'], ['b'], {'mode': 'linear'}),
             ('Pad', ['b', 'pads', 'zero'], ['output'], {})]
    simple = simplified(graph(nodes, {
        'k': KERNEL, 'none': np.zeros(0, np.float32), 'zero': np.float32(0),
        'scales': np.array([1, 1, 2, 2], np.float32), 'pads': np.array([0, 0, 1, 0, 0, 0, 0, 0])}))
    inputs = {node.op_type: list(node.input) for node in simple.graph.node}
    assert inputs['Resize'][1] == '' and len(inputs['Pad']) == 2


def test_the_output_has_the_requested_shape():
    simple = simplify(graph([('Conv', ['image', 'k'], ['output'], {})], {'k': KERNEL}),
                      {'output': [1, 4, 7, 'w8']})
    dimensions = simple.graph.output[0].type.tensor_type.shape.dim
    assert [item.dim_param or item.dim_value for item in dimensions] == [1, 4, 7, 'w8']
