# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Compare Caffe's description of a network, .prototxt, with a network of this package.

Both sides become the same table: per convolution its numbers, and its input as an expression such
as `[conv5_5_CPM_L1, conv5_5_CPM_L2, relu(conv4_4_CPM)]`. Names of blobs, ReLUs, poolings and
concatenations are ignored; the order of the inputs of a concatenation is compared.
"""
from typing import Dict, List

from google.protobuf import text_format
import torch
from torch import fx, nn

from pose_training.errors import WeightsError
from pose_training.families.registry import make_family
from pose_training.importers.limits import checked_name, read_bounded
from pose_training.importers.messages import message_classes
from pose_training.models.registry import NetworkSpec

Description = Dict[str, Dict[str, object]]

_WINDOW = {'pad': ['uint32'], 'pad_h': 'uint32', 'pad_w': 'uint32',
           'kernel_size': ['uint32'], 'kernel_h': 'uint32', 'kernel_w': 'uint32',
           'stride': ['uint32'], 'stride_h': 'uint32', 'stride_w': 'uint32'}
_FIELDS = {
    'Net': {'input': ['string'], 'input_dim': ['int64'], 'input_shape': ['Shape'],
            'layer': ['Layer']},
    'Layer': {'name': 'string', 'type': 'string', 'bottom': ['string'], 'top': ['string'],
              'convolution_param': 'Convolution', 'pooling_param': 'Pooling',
              'concat_param': 'Concat', 'relu_param': 'ReLU', 'input_param': 'Input'},
    'Convolution': {'num_output': 'uint32', 'group': 'uint32', 'dilation': ['uint32'], **_WINDOW},
    'Pooling': {'pool': 'Method', **_WINDOW},
    'Concat': {'axis': 'int32'},
    'ReLU': {'negative_slope': 'float'},
    'Input': {'shape': ['Shape']},
    'Shape': {'dim': ['int64']},
}
_METHODS = ('MAX', 'AVE', 'STOCHASTIC')
# The text form identifies fields by their names: the numbers do not matter.
_MESSAGES = message_classes('pose_training.prototxt', {
    'Method': {name: number for number, name in enumerate(_METHODS)},
    **{message: {name: (number, kind) for number, (name, kind) in enumerate(fields.items(), 1)}
       for message, fields in _FIELDS.items()}})

_OUTPUT = 'the output'
_MOST_LISTED = 8
_LARGEST = 1 << 20  # bytes; the longest published one has 70,000
# In a malicious file the length of expressions could double with each layer.
_LONGEST, _MOST_PARTS = 1000, 64


def check_prototxt(path: str, spec: NetworkSpec) -> None:
    """Raise WeightsError, with a list of differences, unless the file describes this network."""
    wanted, found = describe_network(spec), describe_prototxt(path)
    faults = ['{} is missing'.format(layer) for layer in wanted if layer not in found]
    faults += ['{} is not part of the network'.format(layer) for layer in found
               if layer not in wanted]
    faults += ['{}: {} is {}, not {}'.format(layer, fact, found[layer][fact], value)
               for layer, facts in wanted.items() if layer in found
               for fact, value in facts.items() if found[layer][fact] != value]
    if faults:
        more = ('; and {} more'.format(len(faults) - _MOST_LISTED)
                if len(faults) > _MOST_LISTED else '')
        raise WeightsError('{} does not describe {}: {}{}. Is it the file of another network?'
                           .format(path, spec.name, '; '.join(faults[:_MOST_LISTED]), more))


def describe_network(spec: NetworkSpec) -> Description:
    """Return the numbers and the input of each convolution, and the outputs of the last stage."""
    with torch.device('meta'):
        network = spec.build(**make_family(spec.family, spec.topology).channels, **spec.options)
    described, values = {}, {}
    for node in fx.symbolic_trace(network).graph.nodes:
        reads = _joined([values[source] for source in node.all_input_nodes])
        if node.op == 'placeholder':
            values[node] = ('image',)
        elif node.op == 'call_module':
            module = network.get_submodule(node.target)
            if isinstance(module, nn.Conv2d):
                values[node] = (node.target,)
                described[node.target] = _facts(
                    module.out_channels, module.kernel_size, module.padding, module.stride,
                    module.dilation, module.groups, reads)
            else:
                values[node] = _applied(node.target, reads)
        elif node.op == 'call_function':
            values[node] = _called(node, reads)
        else:
            final = node.args[0][-1].values()
            described[_OUTPUT] = {'made of': _text(_joined([values[part] for part in final]))}
    return described


def _called(node, reads):
    name = node.target.__name__
    if name == 'cat':
        return reads
    if name == 'max_pool2d':
        kernel, pad = node.args[1], node.kwargs['padding']
        stride = node.kwargs['stride'] or kernel
        return _applied(_pooling('MAX', (kernel,) * 2, (pad,) * 2, (stride,) * 2), reads)
    return _applied(name, reads)


def describe_prototxt(path: str) -> Description:
    """Return the same for a file; WeightsError if it is invalid or its layers do not connect."""
    net = _parse(path)
    described, blobs = {}, {name: ('image',) for name in _inputs(path, net)}
    last = ()
    for layer in net.layer:
        for name in (layer.name, layer.type, *layer.bottom, *layer.top):
            checked_name(name, path)
        strangers = [name for name in layer.bottom if name not in blobs]
        if strangers:
            raise WeightsError('{}: layer {} reads {}, which no layer before it yields'.format(
                path, layer.name, ', '.join(strangers[:_MOST_LISTED])))
        reads = _joined([blobs[name] for name in layer.bottom])
        last = _value(layer, reads)
        blobs.update({name: last for name in layer.top})
        if layer.type == 'Convolution':
            made = layer.convolution_param
            described[layer.name] = _facts(
                made.num_output, _pair(made, 'kernel_size', 0), _pair(made, 'pad', 0),
                _pair(made, 'stride', 1), (tuple(made.dilation) * 2 or (1, 1))[:2],
                made.group or 1, reads)
    described[_OUTPUT] = {'made of': _text(last)}
    return described


def _value(layer, reads):
    if layer.type == 'Input':
        return ('image',)
    if layer.type == 'Convolution':
        return (layer.name,)
    if layer.type == 'Concat' and layer.concat_param.axis in (0, 1):  # 0: not given, so channels
        return reads
    if layer.type == 'ReLU' and not layer.relu_param.negative_slope:
        return _applied('relu', reads)
    if layer.type == 'Pooling' and layer.pooling_param.pool in range(len(_METHODS)):
        made = layer.pooling_param
        return _applied(_pooling(
            _METHODS[made.pool], _pair(made, 'kernel_size', 0), _pair(made, 'pad', 0),
            _pair(made, 'stride', 1)), reads)
    return _applied(layer.name if layer.type == 'PReLU' else layer.type, reads)


def _parse(path):
    try:
        text = read_bounded(path, _LARGEST, 'prototxt').decode('utf-8')
        net = text_format.Parse(text, _MESSAGES['Net'](), allow_unknown_field=True)
    except (text_format.ParseError, ValueError, RecursionError) as error:
        raise WeightsError('{} is no prototxt: {:.200}'.format(path, str(error))) from error
    if not net.layer:
        raise WeightsError('{} lists no `layer {{...}}`; is it a .prototxt? One in the old form, '
                           '`layers {{...}}`, can be converted by upgrade_net_proto_text of '
                           'Caffe'.format(path))
    return net


def _inputs(path, net) -> List[str]:
    made = [layer for layer in net.layer if layer.type == 'Input']
    names = list(net.input) + [name for layer in made for name in layer.top]
    shapes = [shape.dim for shape in net.input_shape]
    shapes += [shape.dim for layer in made for shape in layer.input_param.shape]
    shapes += [net.input_dim] if net.input_dim else []
    if len(names) != 1 or len(shapes) != 1 or list(shapes[0])[1:2] != [3]:
        raise WeightsError('{} reads {} of the shapes {}; it should read one image of three '
                           'channels'.format(path, ', '.join(names[:_MOST_LISTED])[:_LONGEST] or
                                             'nothing', [list(shape[:_MOST_LISTED]) for shape in
                                                         shapes[:_MOST_LISTED]]))
    return names


def _pair(made, stem, default):
    short = stem.replace('_size', '')
    separate = getattr(made, short + '_h'), getattr(made, short + '_w')
    together = tuple(getattr(made, stem)) or (default,)
    return separate if any(separate) else (together * 2)[:2]


def _facts(outputs, kernel, pad, stride, dilation, group, reads):
    return {'num_output': outputs, 'kernel': tuple(kernel), 'pad': tuple(pad),
            'stride': tuple(stride), 'dilation': tuple(dilation), 'group': group,
            'input': _text(reads)}


def _pooling(method, kernel, pad, stride):
    return '{} pooling {}, pad {}, stride {}'.format(method, kernel, pad, stride)


def _joined(values):
    return tuple(part for value in values for part in value)[:_MOST_PARTS]


def _applied(name, reads):
    return ('{}({})'.format(name, _text(reads)),)


def _text(parts):
    text = ', '.join(parts)[:_LONGEST]
    return '[{}]'.format(text) if len(parts) > 1 else text
