# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Graphs that the importer of TensorFlow graphs rejects, and its errors."""
import numpy as np
import pytest

import tf_reference
from pose_training.errors import WeightsError
from pose_training.importers import tf_graph
from pose_training.models import get_spec
from tf_files import (
    add_constant, add_node, constant_at, copied, fill_tensor, find, freeze, remove, replace_by,
    variables)

STEM = 'MobilenetV1/Conv2d_0/'
NORM = 'BatchNorm/FusedBatchNorm'


@pytest.fixture(scope='module')
def unfrozen(shared):
    return shared / 'weights' / 'tf_pose_mobilenet_thin_graph_noweights.pbtxt'


@pytest.fixture(scope='module')
def thin(unfrozen):
    graph = tf_reference.parse(unfrozen)
    return freeze(graph, variables(graph, np.random.default_rng(0)))


@pytest.fixture(scope='module')
def published(shared):
    return shared / 'weights' / 'tf_pose_mobilenet_v2_small_graph_opt.pb'


def option(graph, name, key):
    return tf_reference.attributes(find(graph, name))[key]


def set_strides(graph):
    option(graph, 'MobilenetV1/Conv2d_3_depthwise/depthwise', 'strides').list.i[1:3] = [2, 2]


def set_padding(graph):
    option(graph, STEM + 'Conv2D', 'padding').s = b'VALID'


def set_layout(graph):
    option(graph, STEM + 'Conv2D', 'data_format').s = b'NCHW'


def set_dilation(graph):
    find(graph, STEM + 'Conv2D').attr.add(key='dilations').value.list.i.extend([1, 2, 2, 1])


def swap(graph, name, first, second):
    inputs = find(graph, name).input
    inputs[first], inputs[second] = inputs[second], inputs[first]


def read_instead(graph, reader, wanted, found):
    inputs = find(graph, reader).input
    inputs[list(inputs).index(found)] = wanted


def skip_relu(graph):
    scope = 'MobilenetV1/Conv2d_4_pointwise/'
    read_instead(graph, 'MobilenetV1/Conv2d_5_depthwise/depthwise', scope + NORM, scope + 'Relu')


def other_relu(graph):
    find(graph, 'MobilenetV1/Conv2d_4_pointwise/Relu').op = 'Relu6'
    # Let some values reach beyond 6.
    tensor = constant_at(graph, 'MobilenetV1/Conv2d_4_pointwise/BatchNorm/beta')
    fill_tensor(tensor, np.full(192, 5, np.float32))


def more_relu(graph):
    depthwise = 'MobilenetV1/Conv2d_4_depthwise/depthwise'
    add_node(graph, 'more', 'Relu', [depthwise])
    read_instead(graph, 'MobilenetV1/Conv2d_4_pointwise/Conv2D', 'more', depthwise)


def more_convolution(graph):
    add_constant(graph, 'more/weights', np.eye(24, dtype=np.float32)[None, None])
    add_node(graph, 'more/Conv2D', 'Conv2D', [STEM + 'Relu', 'more/weights'], padding=b'SAME',
             strides=[1, 1, 1, 1])
    read_instead(graph, 'MobilenetV1/Conv2d_1_depthwise/depthwise', 'more/Conv2D', STEM + 'Relu')


def more_bias(graph):
    depthwise = 'MobilenetV1/Conv2d_4_depthwise/depthwise'
    add_constant(graph, 'bias', np.ones(96, np.float32))
    add_node(graph, 'more', 'BiasAdd', [depthwise, 'bias'])
    read_instead(graph, 'MobilenetV1/Conv2d_4_pointwise/Conv2D', 'more', depthwise)


def preprocessing(graph):
    add_constant(graph, 'factor', np.float32(1 / 255))
    add_node(graph, 'more', 'Mul', ['image', 'factor'])
    read_instead(graph, STEM + 'Conv2D', 'more', 'image')


def other_channels(graph):
    fill_tensor(constant_at(graph, STEM + 'weights'), np.ones((3, 3, 3, 32), np.float32))


def by_image(graph, name=STEM + NORM):
    option(graph, name, 'is_training').b = True


def not_a_number(graph):
    fill_tensor(constant_at(graph, STEM + 'weights'), np.full((3, 3, 3, 24), np.nan, np.float32))


def short_tensor(graph):
    tensor = constant_at(graph, STEM + 'weights')
    tensor.tensor_content = tensor.tensor_content[:-4]


def long_tensor(graph):
    tensor = constant_at(graph, 'feat_concat/axis')
    tensor.int_val.extend([1, 2])


def set_shape(graph, *sizes):
    shape = constant_at(graph, STEM + 'weights').tensor_shape
    del shape.dim[:]
    for size in sizes:
        shape.dim.add(size=size)


def set_type(graph):
    constant_at(graph, STEM + 'weights').dtype = 7


def large_product(graph):
    column = np.ones((1 << 14, 1), np.float32)
    add_constant(graph, 'column', column)
    add_constant(graph, 'row', column.T)
    add_node(graph, 'product', 'Mul', ['column', 'row'])
    find(graph, STEM + NORM).input[2] = 'product'


def variable_kernel(graph):
    name = STEM + 'weights'
    remove(graph, name)
    add_node(graph, name, 'Sigmoid', ['image'])


def circle(graph):
    find(graph, STEM + 'Conv2D').input[0] = STEM + 'Relu'


def circle_of_identities(graph):
    add_node(graph, 'one', 'Identity', ['two'])
    add_node(graph, 'two', 'Identity', ['one'])
    read_instead(graph, STEM + 'Relu', 'one', STEM + NORM)


def second_output(graph):
    find(graph, STEM + 'Relu').input[0] += ':1'


def two_images(graph):
    graph.node.add(name='second', op='Placeholder')
    add_node(graph, 'more', 'Add', ['image', 'second'])
    read_instead(graph, STEM + 'Conv2D', 'more', 'image')


def other_activation(graph):
    find(graph, STEM + 'Relu').op = 'Elu'


def unknown_operator(graph):
    find(graph, 'Conv2d_3_pool').op = 'AvgPool'


def gray_image(graph):
    option(graph, 'image', 'shape').shape.dim[3].size = 1


def twice(graph):
    graph.node.add().CopyFrom(find(graph, STEM + 'Relu'))


def same_scope(graph):
    replace_by(graph, 'MobilenetV1/Conv2d_1_depthwise/depthwise', lambda node, name: (
        add_node(graph, STEM + 'depthwise', node.op, node.input, padding=b'SAME',
                 strides=[1, 1, 1, 1])))
    read_instead(graph, 'MobilenetV1/Conv2d_1_pointwise/Conv2D', STEM + 'depthwise',
                 'MobilenetV1/Conv2d_1_depthwise/depthwise')


OF_STAGE_1 = ', '.join('Openpose/MConv_Stage1_L{}_5_pointwise'.format(branch) for branch in (2, 1))
REFUSED = {
    'strides': (set_strides, r"layer 'MobilenetV1/Conv2d_3_depthwise' \(DepthwiseConv2dNative of "
                r"Relu\(MobilenetV1/Conv2d_2_pointwise\), strides \[2, 2\], padding SAME, then "
                r'Conv2D; strides in the network \[1, 1\]\) gives \(h, w, channels\) '
                r'\(6, 8, 96\), in the network \(12, 16, 96\)'),
    'padding': (set_padding, r"layer 'MobilenetV1/Conv2d_0' .*padding VALID"),
    'layout': (set_layout, 'Conv2D.*data_format is NCHW, not NHWC'),
    'dilation': (set_dilation, 'Conv2D.*dilated'),
    'branches': (lambda graph: swap(graph, 'Openpose/MConv_Stage2_concat', 0, 1),
                 r'MConv_Stage2_L._1_depthwise.*ConcatV2\(' + OF_STAGE_1 + '.*other numbers'),
    'features': (lambda graph: swap(graph, 'feat_concat', 1, 2),
                 r'MConv_Stage1_L._1_depthwise.*Conv2d_11_pointwise.*Conv2d_7.*other numbers'),
    'output': (lambda graph: swap(graph, 'Openpose/concat_stage7', 0, 1),
               r'the output ConcatV2\(.*L1_5_pointwise, .*L2_5_pointwise\), in the network '
               r'\[heatmaps, PAFs\], gives other numbers'),
    'no relu': (skip_relu, "'MobilenetV1/Conv2d_4_pointwise'.*then DepthwiseConv2dNative;"),
    'relu6': (other_relu, "'MobilenetV1/Conv2d_4_pointwise'.*then Relu6.*other numbers"),
    'relu between': (more_relu, "'MobilenetV1/Conv2d_4_(depthwise|pointwise)'.*other numbers"),
    'extra layer': (more_convolution, r'not part of the network \(1\): more\.weight'),
    'extra bias': (more_bias, "layer 'MobilenetV1.Conv2d_4_depthwise' adds a constant"),
    'preprocessing': (preprocessing, r"'MobilenetV1/Conv2d_0' \(Conv2D of Mul\(image\)"),
    'channels': (other_channels, r'wrong shape \(4\): MobilenetV1.Conv2d_0.weight is \(32, 3,'),
    'statistics': (by_image, 'its own statistics, which mobilenet_thin cannot'),
    'not a number': (not_a_number, r'not finite \(1\): MobilenetV1.Conv2d_0.weight'),
    'short': (short_tensor, r'holds 2588 bytes; its shape \[3, 3, 3, 24\] needs 2592'),
    'long': (long_tensor, r"'feat_concat/axis'.*holds 3 values, too many for the shape \[\]"),
    'huge': (lambda graph: set_shape(graph, 1 << 40, 1 << 40), 'impossible shape'),
    'negative': (lambda graph: set_shape(graph, -1, 3, 3, 24), 'impossible shape'),
    'text tensor': (set_type, 'data type STRING; known are FLOAT'),
    'product': (large_product, 'holds more numbers than the network'),
    'variable kernel': (variable_kernel,
                        r"its kernel from a constant of four axes but from '.*s' \(Sigmoid\)"),
    'circle': (circle, 'reads its own output'),
    'identities': (circle_of_identities, 'reads itself'),
    'second output': (second_output, 'only first outputs'),
    'two images': (two_images, 'reads 2 images'),
    'activation': (other_activation, "'MobilenetV1/Conv2d_0' .*then Elu;"),
    'operator': (unknown_operator, r"'Conv2d_3_pool' \(AvgPool\): no network of tf-pose uses"),
    'gray': (gray_image, r'its image is \[-1, -1, -1, 1\]'),
    'twice': (twice, "two nodes are named 'MobilenetV1/Conv2d_0/Relu'"),
    'same scope': (same_scope, "two convolutions lie in the scope 'MobilenetV1.Conv2d_0'"),
    'kernel': (lambda graph: remove(graph, STEM + 'weights'),
               "reads 'MobilenetV1/Conv2d_0/weights', which the file lacks"),
    'no output': (lambda graph: remove(graph, 'Openpose/concat_stage7'),
                  "0 ConcatV2 nodes are named 'concat_stage7'"),
}


@pytest.mark.parametrize('change, message', REFUSED.values(), ids=REFUSED)
def test_a_graph_that_differs(thin, tmp_path, change, message):
    graph, path = copied(thin), tmp_path / 'graph.pb'
    change(graph)
    path.write_bytes(graph.SerializeToString())
    with pytest.raises(WeightsError, match=message) as caught:
        tf_graph.read_weights(str(path), get_spec('mobilenet_thin'))
    assert str(path) in str(caught.value)


def resize(graph, flag):
    node = find(graph, 'base/layer_14/output/upsample')
    for item in [item for item in node.attr if item.key == flag]:
        node.attr.remove(item)
    node.attr.add(key=flag).value.b = True


def no_residual(graph):
    find(graph, 'MobilenetV2/expanded_conv_2/add').input[1] = 'zeros'
    add_constant(graph, 'zeros', np.zeros(16, np.float32))


def stored_statistics(graph):
    node = find(graph, 'MobilenetV2/expanded_conv_2/expand/' + NORM)
    tf_reference.attributes(node)['is_training'].b = False
    for position, value in ((3, 0), (4, 1)):
        add_constant(graph, 'statistics_{}'.format(value), np.full(96, value, np.float32))
        node.input[position] = 'statistics_{}'.format(value)


REFUSED_V2 = {
    'align_corners': (lambda graph: resize(graph, 'align_corners'),
                      'upsample.*resizes with align_corners'),
    'half_pixel': (lambda graph: resize(graph, 'half_pixel_centers'),
                   'upsample.*resizes with half_pixel_centers'),
    'residual': (no_residual, "'MobilenetV2/expanded_conv_.*other numbers"),
    'mixed': (stored_statistics, "'MobilenetV2.expanded_conv_2.expand' has stored statistics"),
    'head': (lambda graph: by_image(graph, 'Openpose/MConv_Stage1_L1_1_pointwise/' + NORM),
             "'Openpose/MConv_Stage1_L1_1_pointwise/BatchNorm/FusedBatchNorm' normalizes by"),
}


@pytest.mark.parametrize('change, message', REFUSED_V2.values(), ids=REFUSED_V2)
def test_a_changed_publication(published, tmp_path, change, message):
    graph, path = tf_reference.parse(published), tmp_path / 'graph.pb'
    change(graph)
    path.write_bytes(graph.SerializeToString())
    with pytest.raises(WeightsError, match=message):
        tf_graph.read_weights(str(path), get_spec('mobilenet_v2_small'))


def test_the_file_of_another_network(thin, published, tmp_path):
    path = tmp_path / 'graph.pb'
    path.write_bytes(thin.SerializeToString())
    for given, name, message in (
            (path, 'mobilenet_v2_small', 'does not fit mobilenet_v2_small: missing'),
            (path, 'mobilenet', 'does not fit mobilenet: '),
            (published, 'mobilenet_v2_large', r'wrong shape \(\d+\): MobilenetV2.Conv.weight'),
            (published, 'cmu', 'its own statistics, which cmu cannot')):
        with pytest.raises(WeightsError, match=message):
            tf_graph.read_weights(str(given), get_spec(name))
