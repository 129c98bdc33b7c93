# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Write a network again with images of (N, 3, h, w), and only the outputs that are read."""
import os

from pose_ros.core.adoption.kinds import Guess
from pose_ros.core.adoption.probe import OPENVINO_FORMATS, Probe
from pose_ros.core.errors import EngineError, ModelError

_IMAGE = 'pose_ros_image'


def suffix_for(path: str) -> str:
    """Return the ending of the rewritten file: .onnx of ONNX, .xml (OpenVINO) of all others."""
    return '.xml' if os.path.splitext(path)[1].lower() in OPENVINO_FORMATS else '.onnx'


def rewrite(probe: Probe, guess: Guess, output: str) -> None:
    """Write the network of `probe` to `output`, which ends in suffix_for(path).

    ModelError if the network cannot be changed; EngineError without the library for its format.
    """
    if suffix_for(probe.path) == '.onnx':
        _rewrite_onnx(probe, guess, output)
    else:
        _rewrite_openvino(probe, guess, output)


def _rewrite_onnx(probe, guess, output):
    try:
        import onnx
    except ImportError as error:
        raise EngineError('adoption of an ONNX file needs the package onnx ({}); pip install '
                          'onnx'.format(error))
    model = onnx.load(probe.path)
    graph, helper = model.graph, onnx.helper
    weights = {item.name for item in graph.initializer}
    image = [item for item in graph.input if item.name not in weights][0]
    if probe.channels_last:
        _transpose_input(graph, image, probe, helper)
    kept = {item.name: item for item in graph.output}
    missing = [name for name in guess.outputs if name not in kept]
    if missing:
        raise ModelError('{}: no output {}'.format(probe.path, ', '.join(missing)))
    del graph.output[:]
    for name in guess.outputs:
        item = kept[name]
        if name in guess.channels_first:
            item = _transpose_output(graph, item, helper)
        graph.output.append(item)
    onnx.save(model, output)


def _transpose_input(graph, image, probe, helper):
    kind, old = image.type.tensor_type.elem_type, image.name
    batch = image.type.tensor_type.shape.dim[0]
    sides = [None, None] if probe.flexible else [probe.height, probe.width]
    shape = [batch.dim_value or 'batch', 3] + [
        size or word for size, word in zip(sides, ('height', 'width'))]
    graph.input.remove(image)
    graph.input.insert(0, helper.make_tensor_value_info(_IMAGE, kind, shape))
    graph.node.insert(0, helper.make_node('Transpose', [_IMAGE], [old], perm=[0, 2, 3, 1],
                                          name=_IMAGE + '_channels_last'))


def _transpose_output(graph, item, helper):
    name = item.name + '_channels_first'
    graph.node.append(helper.make_node('Transpose', [item.name], [name], perm=[0, 3, 1, 2],
                                       name=name))
    return helper.make_tensor_value_info(name, item.type.tensor_type.elem_type, [None] * 4)


def _rewrite_openvino(probe, guess, output):
    try:
        import openvino
        from openvino import preprocess
    except ImportError as error:
        raise EngineError('{} needs OpenVINO ({}); pip install "openvino>=2024"'.format(
            probe.path, error))
    model = openvino.Core().read_model(probe.path)
    ports = {item.get_any_name(): item for item in model.outputs}
    model = openvino.Model([ports[name] for name in guess.outputs], model.get_parameters())
    steps = preprocess.PrePostProcessor(model)
    if probe.channels_last:
        steps.input().tensor().set_layout(openvino.Layout('NCHW'))
        steps.input().model().set_layout(openvino.Layout('NHWC'))
    for name in guess.channels_first:
        steps.output(name).model().set_layout(openvino.Layout('NHWC'))
        steps.output(name).tensor().set_layout(openvino.Layout('NCHW'))
    model = steps.build()
    for port, name in zip(model.outputs, guess.outputs):
        port.tensor.set_names({renamed(name, guess)})
    openvino.save_model(model, output, compress_to_fp16=False)


def renamed(name: str, guess: Guess) -> str:
    """Return the name of an output in the rewritten file."""
    return name + '_channels_first' if name in guess.channels_first else name
