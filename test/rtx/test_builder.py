# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""The real parser and builder of TensorRT for RTX read and build what the simulation claims."""
import ast
import json
import logging
import os
import sys

import models
import onnx
import pytest
from real_network import build, check_network, read_network
from surface import RTX, Surface
from touched import Touched, TYPES

from pose_ros.core.bundled import BUNDLED, model_file
from pose_ros.core.card_files import load_card
from pose_ros.core.engines import build_progress, tensorrt_build
from pose_ros.core.engines.build_progress import BuildProgress
from pose_ros.core.engines.tensorrt_build import sensible_precisions
from pose_ros.core.errors import EngineError, ModelError

SHAPE = (1, 3, 128, 160)
# (layers of the real network, megabytes of the plan)
SIZES = {'pose_crop': (232, 11.2), 'person_detector': (313, 10.4), 'bottom_up': (52, 6.6)}


def touched_lines(path, surface):
    """Return the numbers of the lines of a file that use something of TensorRT for RTX."""
    with open(path, encoding='utf-8') as stream:
        tree = ast.parse(stream.read())
    return {line for line, _, _, _ in Touched(tree, surface, TYPES).uses}


def odd_file(source, path, change):
    """Write a copy of a model that `change` has altered."""
    model = onnx.load(source)
    change(model.graph)
    path.write_bytes(model.SerializeToString())
    return path


def test_the_stored_api_is_the_real_one(library, tensorrt_api):
    """test/data/tensorrt_api, which the simulation and the checks of names are made from."""
    sys.path.insert(0, str(models.ROOT / 'tools'))
    try:
        from tensorrt_api import api_of
    finally:
        sys.path.pop(0)
    path = tensorrt_api / 'rtx-{}.json'.format(library.version)
    assert json.loads(path.read_text()) == api_of(library.module)


@pytest.mark.parametrize('name', sorted(BUNDLED))
def test_the_bundled_networks(library, name):
    path = model_file(name)
    card = load_card(path)
    layers, megabytes = SIZES[name]
    assert check_network(library, path) == layers
    for count in (1, 4):  # their batch is dynamic
        plan = build(library, path, (count, 3, card.input.height, card.input.width))
        assert plan.precision == 'fp32' and plan.timings == b''
        assert abs(len(plan.data) / 1e6 - megabytes) < 0.2


def test_precision_of_files(library, tiny_model):
    with open(tiny_model, 'rb') as stream:
        assert sensible_precisions(library, stream.read(), tiny_model) == ('fp32',)
    for wanted in ('fp16', 'int8'):
        with pytest.raises(EngineError, match='for RTX .* cannot run .* in {}, because the file '
                                              'is fp32'.format(wanted)):
            build(library, tiny_model, SHAPE, precision=wanted)


def test_dynamic_shapes_and_several_outputs(library, make_model):
    path = make_model(dynamic=True, separate=True)
    network, _alive = read_network(library, open(path, 'rb').read())
    assert [network.get_output(index).name for index in range(2)] == ['heat', 'paf']
    assert list(network.get_input(0).shape) == [-1, 3, -1, -1]
    assert len(build(library, path, (2, 3, 256, 320)).data) > 1e5


def test_architectures_change_the_plan(library, tiny_model):
    one, again, two, turing = (build(library, tiny_model, SHAPE, names).data for names in (
        ('sm86',), ('sm86',), ('sm86', 'sm89'), ('sm75',)))
    assert one == again and len(one) < len(two) and turing not in (one, two)


def unknown_operators(graph):
    for number in (1, 2):
        graph.node[number].op_type = 'Unknown{}'.format(number)


def missing_tensor(graph):
    graph.node[2].input[0] = 'nowhere'


def second_input(graph):
    graph.input.append(onnx.helper.make_tensor_value_info('second', onnx.TensorProto.FLOAT, [1]))
    graph.node.append(onnx.helper.make_node('Relu', ['second'], ['other']))
    graph.output.append(onnx.helper.make_tensor_value_info('other', onnx.TensorProto.FLOAT, [1]))


@pytest.mark.parametrize('change, texts', [
    (unknown_operators, ['cannot read', 'node 1 (Unknown1): ', 'node 2 (Unknown2): ',
                         'Plugin not found', '[ErrorCode.INVALID_NODE, onnxOpCheckers.cpp:']),
    (missing_tensor, ['node 2 (Mul): ', 'Node input was not registered', 'INVALID_GRAPH']),
    (second_input, ['the network must have one input, not 2'])])
def test_odd_networks(library, tiny_model, tmp_path, change, texts):
    path = odd_file(tiny_model, tmp_path / 'odd.onnx', change)
    with pytest.raises(ModelError) as error:
        build(library, path, SHAPE)
    for text in texts + [str(path)]:
        assert text in str(error.value)


@pytest.mark.parametrize('content, text', [
    (lambda data: data[:200], 'Failed to parse the ONNX model'),
    # The parser takes these for a network without any layer.
    (lambda data: b'', 'the network must have one input, not 0: is it an ONNX file?'),
    (lambda data: b'hello world', 'the network must have one input, not 0')])
def test_odd_files(library, tiny_model, tmp_path, content, text):
    with open(tiny_model, 'rb') as stream:
        (tmp_path / 'odd.onnx').write_bytes(content(stream.read()))
    with pytest.raises(ModelError, match=text.replace('?', '.')):
        build(library, tmp_path / 'odd.onnx', SHAPE)


def test_another_image_size(library, tiny_model):
    with pytest.raises(ModelError, match='takes images of 3x128x160, .* says 3x64x160'):
        build(library, tiny_model, (1, 3, 64, 160))


def test_progress_and_a_stopped_build(library, tiny_model):
    """TensorRT calls the monitor from its own threads."""
    shown, progress = [], BuildProgress(lambda text: None)
    progress.show = shown.append
    with progress:
        build(library, tiny_model, SHAPE, progress=progress)
    assert any('step ' in phase for phase in shown)
    progress.cancel()
    with pytest.raises(EngineError, match='was stopped'):
        build(library, tiny_model, SHAPE, progress=progress)


def test_messages_reach_the_log(library, tiny_model, tmp_path, caplog):
    path = odd_file(tiny_model, tmp_path / 'odd.onnx', unknown_operators)
    with caplog.at_level(logging.DEBUG, 'pose_ros'), pytest.raises(ModelError):
        build(library, path, SHAPE)
    levels = {record.levelname for record in caplog.records
              if record.getMessage().startswith('tensorrt_rtx')}
    assert 'ERROR' in levels and 'DEBUG' in levels


def test_every_use_of_the_library_runs_on_the_real_one(library, tiny_model, make_model, tmp_path,
                                                       tensorrt_api):
    """All lines of the builder that touch TensorRT for RTX, as the check of names finds them."""
    files = {os.path.realpath(module.__file__): module.__name__.split('.')[-1] + '.py'
             for module in (tensorrt_build, build_progress)}
    ran = {name: set() for name in files.values()}

    def trace(frame, event, argument):
        name = files.get(os.path.realpath(frame.f_code.co_filename))
        if name is None:
            return None
        ran[name].add(frame.f_lineno)
        return trace
    odd = [odd_file(tiny_model, tmp_path / (change.__name__ + '.onnx'), change)
           for change in (unknown_operators, second_input)]
    before = sys.gettrace()
    sys.settrace(trace)
    try:
        build(library, make_model(dynamic=True), SHAPE, progress=BuildProgress(lambda text: None))
        with open(tiny_model, 'rb') as stream:
            sensible_precisions(library, stream.read(), tiny_model)
        for path in odd:
            with pytest.raises(ModelError):
                build(library, path, SHAPE)
    finally:
        sys.settrace(before)
    for path, name in files.items():
        expected = touched_lines(path, Surface(tensorrt_api, RTX))
        assert len(expected) > 2 and expected - ran[name] == set(), name
