# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Files of float16 and of int8."""
import cv2
import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from exportable import constants, final_maps, odd_network, operators, run, SIZE, tiny_student
from figures import write_figures
from onnx import helper, numpy_helper, TensorProto

from pose_ros.core.engines.half_weights import read_for_tensorrt
from pose_ros.core.errors import ImageError
from pose_training.cli.main import main
from pose_training.errors import ExportError
from pose_training.exporters.calibration import CalibrationInputs, views
from pose_training.exporters.cards import make_card, make_form
from pose_training.exporters.export import export, ExportOptions
from pose_training.exporters.half import check_range, restored, to_half
from pose_training.exporters.onnx_graph import count_operators
from pose_training.exporters.operators import check_model, check_operators, is_for_cpus
from pose_training.exporters.quantize import quantize
from pose_training.exporters.synthetic_image import draw_image
from pose_training.exporters.tracing import trace
from pose_training.models import create_model

HALF = ExportOptions(size=SIZE, precision='fp16')


@pytest.fixture(scope='module')
def images(tmp_path_factory):
    """Write drawn images to calibrate on; return their paths."""
    paths = [str(tmp_path_factory.mktemp('images') / '{}.png'.format(seed)) for seed in range(6)]
    for seed, path in enumerate(paths):
        cv2.imwrite(path, draw_image(120, 90, seed))
    return paths


@pytest.fixture
def quiet_student():
    """Return a student whose maps are too low for people, as those of noise would be."""
    network = tiny_student()
    with torch.no_grad():
        for parameter in network.stages[-1][-1].parameters():
            parameter *= .01
    return network


def test_half_files_compute_in_float16_and_speak_float32(tmp_path):
    network, path = tiny_student(), tmp_path / 'a.onnx'
    card = export(network, str(path), HALF)
    model = onnx.load(str(path))
    for item in (*model.graph.input, *model.graph.output):
        assert item.type.tensor_type.elem_type == TensorProto.FLOAT
    stored = constants(model)
    weights = [name for node in model.graph.node if node.op_type == 'Conv'
               for name in node.input[1:]]
    assert len(weights) == 2 * 19 and {stored[name].dtype for name in weights} == {np.dtype('f2')}
    assert operators(path)[0] == operators(path)[-1] == 'Cast'
    assert operators(path).count('Cast') == 2
    image = torch.randn(1, 3, 64, 96).numpy()
    expected, maps = final_maps(network, image), run(path, image)
    error = np.abs(maps - expected).max() / np.abs(expected).max()
    assert maps.dtype == np.float32 and 1e-6 < error < 1e-2
    assert card.provenance['export']['precision'] == 'fp16'
    assert 1e-6 < card.provenance['parity']['difference'] < 1e-2


def test_norms_of_each_image_stay_float32_between_casts(tmp_path, monkeypatch):
    network, path = odd_network(monkeypatch), tmp_path / 'a.onnx'
    export(network, str(path), ExportOptions(precision='fp16', dynamic=True))
    assert operators(path) == ['Cast', 'Conv', 'Cast', 'InstanceNormalization', 'Cast', 'Pad',
                               'Sub', 'Relu', 'Min', 'Conv', 'Relu', 'Mul', 'Add', 'Relu', 'Conv',
                               'Cast']
    model = onnx.load(str(path))
    norm = next(node for node in model.graph.node if node.op_type == 'InstanceNormalization')
    stored = constants(model)
    assert {stored[name].dtype for name in norm.input[1:]} == {np.dtype('f4')}
    image = torch.randn(2, 3, 64, 32).numpy()
    expected = final_maps(network, image)
    np.testing.assert_allclose(run(path, image), expected, atol=1e-2 * np.abs(expected).max())


def graph(nodes, tensors):
    """Build a model image (N, 2, h, w) -> output from (operator, inputs, outputs, attributes)."""
    made = [helper.make_node(operator, inputs, outputs, name=outputs[0] + '_node', **attributes)
            for operator, inputs, outputs, attributes in nodes]
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, ['n', 2, 'h', 'w'])
            for name in ('image', 'output')]
    stored = [numpy_helper.from_array(np.asarray(value), name) for name, value in tensors.items()]
    return helper.make_model(helper.make_graph(made, 'test', ends[:1], ends[1:], stored),
                             opset_imports=[helper.make_opsetid('', 13)], ir_version=8)


def both(model, image):
    return [onnxruntime.InferenceSession(
        each.SerializeToString(), providers=['CPUExecutionProvider']).run(
            None, {'image': image})[0] for each in (model, to_half(model))]


@pytest.mark.parametrize('bounds, expected', [
    (['zero', 'six'], ['Relu', 'Min']), (['zero'], ['Relu']), (['', 'six'], ['Min']),
    (['low', 'six'], ['Max', 'Min'])])
def test_clips_are_spelled_out(bounds, expected):
    model = graph([('Clip', ['image', *bounds], ['output'], {})], {
        'zero': np.float32(0), 'six': np.float32(6), 'low': np.float32(-2)})
    assert [node.op_type for node in to_half(model).graph.node] == ['Cast', *expected, 'Cast']
    plain, half = both(model, np.linspace(-9, 9, 32, dtype=np.float32).reshape(1, 2, 4, 4))
    np.testing.assert_allclose(half, plain, atol=5e-3)
    assert plain.max() == half.max()


def test_statistics_that_exceed_float16_are_folded():
    # A variance of 1e-9 is 0 in float16, and 3e5 is infinite.
    tensors = {'scale': [1e-3, 400], 'bias': [.5, -1], 'mean': [.1, 100], 'variance': [1e-9, 3e5]}
    model = graph([('BatchNormalization', ['image', *tensors], ['output'], {'epsilon': 1e-8})],
                  {name: np.array(value, np.float32) for name, value in tensors.items()})
    plain, half = both(model, np.random.default_rng(0).random((1, 2, 8, 8), np.float32))
    np.testing.assert_allclose(half, plain, rtol=5e-3, atol=5e-2)
    assert count_operators(to_half(model)) == {'Cast': 2, 'Mul': 1, 'Add': 1}


def test_a_norm_can_come_first_and_last():
    ones = np.ones(2, np.float32)
    model = graph([('InstanceNormalization', ['image', 'o', 'o'], ['output'], {})], {'o': ones})
    plain, half = both(model, np.random.default_rng(0).random((1, 2, 8, 8), np.float32))
    np.testing.assert_allclose(half, plain, atol=5e-3)


def test_constants_that_exceed_float16_are_named():
    tensors = {'small': np.float32(1e-3), 'large': np.float32(7e4), 'none': np.float32(np.nan)}
    model = graph([('Mul', ['image', 'small'], ['a'], {}), ('Min', ['a', 'large'], ['b'], {}),
                   ('Add', ['b', 'none'], ['output'], {})], tensors)
    with pytest.raises(ExportError, match='the constants of large, none: they should stay below '
                                          '60000. Export this network as fp32'):
        to_half(model)


def test_a_network_that_exceeds_float16_is_not_written(tmp_path):
    network = tiny_student()
    with torch.no_grad():
        network.stages[0][-1].bias[3] = 7e4
    with pytest.raises(ExportError, match=r'activations of \S+stages\.0\S+/Conv\S+ \(7e\+04\)'):
        export(network, str(tmp_path / 'a.onnx'), HALF)
    assert not list(tmp_path.iterdir())


def test_activations_that_exceed_float16_are_named():
    model = graph([('Mul', ['image', 'k'], ['large'], {}), ('Sigmoid', ['large'], ['output'], {})],
                  {'k': np.float32(500)})
    batch = np.full((1, 2, 4, 4), 100, np.float32)
    assert check_range(model, [batch, batch / 2]) == 5e4
    with pytest.raises(ExportError, match=r'the activations of large \(7.5e\+04\): they'):
        check_range(model, [batch, -1.5 * batch])
    with pytest.raises(ExportError, match=r'the activations of large \(nan\)'):
        check_range(model, [batch * np.nan])


def test_int8_files_are_of_the_form_that_tensorrt_reads(tmp_path, images, quiet_student):
    network, path = quiet_student, tmp_path / 'a.onnx'
    card = export(network, str(path), ExportOptions(
        size=SIZE, precision='int8', calibration=images, tensorrt=True))
    model = onnx.load(str(path))
    stored = constants(model)
    assert model.ir_version <= 8 and {item.version for item in model.opset_import} == {13}
    makers = {name: node for node in model.graph.node for name in node.output}
    convolutions = [node for node in model.graph.node if node.op_type == 'Conv']
    assert len(convolutions) == 19
    for node in convolutions:
        for name, count in zip(node.input, (1, None)):
            dequantize = makers[name]
            quantize = makers[dequantize.input[0]]
            assert (dequantize.op_type, quantize.op_type) == ('DequantizeLinear', 'QuantizeLinear')
            assert dequantize.input[1:] == quantize.input[1:]
            scale, zero = (stored[each] for each in quantize.input[1:])
            weight = stored.get(quantize.input[0])
            assert scale.size == (count or len(weight)) and zero.dtype == np.int8
            assert not zero.any() and (scale > 0).all()
        # Symmetric and per channel: the largest weight of each channel is 127 steps.
        np.testing.assert_allclose(scale * 127, np.abs(weight).max((1, 2, 3)), rtol=1e-3)
        assert weight.dtype == np.float32 and stored[node.input[2]].dtype == np.float32
    assert card.provenance['export']['calibration_images'] == 6
    assert card.provenance['parity']['people'] == {
        'people': 0, 'keypoints': 0, 'people_found': 0, 'keypoints_found': 0}
    image = (np.moveaxis(draw_image(*SIZE), -1, 0)[None] / np.float32(255) - .5) / .25
    expected, maps = final_maps(network, image), run(path, image)
    assert 1e-3 < np.abs(maps - expected).max() / np.ptp(expected) < .3


def test_int8_files_for_cpus_store_what_they_compute(tmp_path, images, quiet_student):
    """Weights, biases and unsigned activations; the first and the last layers stay float32."""
    paths = [str(tmp_path / name) for name in ('int8.onnx', 'tensorrt.onnx')]
    for path, tensorrt in zip(paths, (False, True)):
        export(quiet_student, path, ExportOptions(size=SIZE, precision='int8',
                                                  calibration=images, tensorrt=tensorrt))
    model = onnx.load(paths[0])
    assert is_for_cpus(model) and not is_for_cpus(onnx.load(paths[1]))
    stored, makers = constants(model), {name: node for node in model.graph.node
                                        for name in node.output}
    convolutions = [node for node in model.graph.node if node.op_type == 'Conv']
    quantized = [node for node in convolutions if node.input[1] in makers]
    assert len(convolutions) == 19 and len(quantized) == 16
    assert convolutions[1] not in quantized and convolutions[-1] not in quantized
    for node in quantized:
        (image, weight, bias) = ([stored.get(name) for name in makers[each].input]
                                 for each in node.input)
        assert image[2].dtype == np.uint8 and image[1].size == 1
        assert weight[0].dtype == np.int8 and weight[1].size == len(weight[0])
        assert np.abs(weight[0].astype(int)).max() == 127 and not weight[2].any()
        assert bias[0].dtype == np.int32 and not bias[2].any()
    image = np.random.default_rng(0).normal(size=(1, 3) + SIZE[::-1]).astype(np.float32)
    maps = [run(path, image) for path in paths]
    assert np.corrcoef(maps[0].ravel(), maps[1].ravel())[0, 1] > .9
    assert main(['verify', paths[0]]) == 0


def test_the_first_separable_blocks_stay_float(tmp_path):
    data = write_figures(tmp_path / 'data', count=2, side=96)
    network, path = create_model('lite_pose_crop', width=.25).eval(), str(tmp_path / 'a.onnx')
    model = trace(network, make_form(network, ExportOptions((96, 128)), {}))
    spec = make_card(network, ExportOptions((96, 128)), {}).input
    onnx.save(quantize(model, spec, views([data], True)), path)
    model = onnx.load(path)
    makers = {name: node for node in model.graph.node for name in node.output}
    kinds = [node.input[1] in makers for node in model.graph.node if node.op_type == 'Conv']
    assert not any(kinds[:6] + kinds[-1:]) and all(kinds[6:-1])


def test_half_weights_halve_the_file_and_compute_in_float32(tmp_path, quiet_student):
    paths = [str(tmp_path / name) for name in ('full.onnx', 'half.onnx')]
    for path, half in zip(paths, (False, True)):
        export(quiet_student, path, ExportOptions(size=SIZE, half_weights=half))
    full, half = (onnx.load(path) for path in paths)
    kinds = {tensor.name: tensor.data_type for tensor in half.graph.initializer}
    casts = [node for node in half.graph.node if node.op_type == 'Cast']
    assert len(casts) == 19 and len(half.graph.node) == len(full.graph.node) + 19
    assert all(kinds[node.input[0]] == onnx.TensorProto.FLOAT16 for node in casts)
    with pytest.raises(ExportError, match='weight and bias must be initializers'):
        check_operators(half)
    check_model(restored(half))
    assert restored(full) is full
    image = np.random.default_rng(0).normal(size=(1, 3) + SIZE[::-1]).astype(np.float32)
    maps = [run(path, image) for path in paths]
    assert 0 < np.abs(maps[0] - maps[1]).max() < 2e-3 * np.ptp(maps[0])
    assert main(['verify', paths[1]]) == 0
    # What a robot gives to TensorRT: the same weights as initializers.
    folded = onnx.load_model_from_string(read_for_tensorrt(paths[1]))
    assert {node.op_type for node in folded.graph.node} == {
        node.op_type for node in full.graph.node}
    (stored,), (weight,) = half.graph.node[0].input, half.graph.node[0].output
    assert (constants(folded)[weight] == constants(half)[stored].astype('f4')).all()


def test_int8_of_crops_is_calibrated_on_people(tmp_path):
    data = write_figures(tmp_path / 'data', count=3, side=96, people=2)
    network = create_model('lite_pose_crop', width=.25).eval()
    card = make_card(network, ExportOptions((96, 128), calibration=[data]), {})
    assert card.provenance['export']['calibration_images'] == 6
    assert [view.box is None for view in views([data], False)] == [True] * 3
    people = views([data, 'x.png'], True)
    assert [view.box is None for view in people] == [False] * 6 + [True]
    inputs = CalibrationInputs(people[:2], card.input, 2)
    first, second = inputs.get_next()['image'], inputs.get_next()['image']
    assert first.shape == second.shape == (2, 3, 128, 96) and inputs.get_next() is None
    assert (first[0] == first[1]).all() and (first != second).any()


def test_dynamic_int8_files_take_other_sizes(tmp_path, images, quiet_student):
    path = tmp_path / 'a.onnx'
    export(quiet_student, str(path), ExportOptions(SIZE, True, 'int8', calibration=images))
    assert run(path, np.zeros((2, 3, 32, 160))).shape == (2, 57, 4, 20)


def test_int8_warns_of_norms_of_each_image(tmp_path, monkeypatch, images):
    lines = []
    export(odd_network(monkeypatch), str(tmp_path / 'a.onnx'),
           ExportOptions(precision='int8', calibration=images), report=lines.append)
    assert any('normalizes by the statistics of each image (1 times)' in line for line in lines)


def test_int8_names_an_image_that_it_cannot_read(tmp_path, images):
    wrong = tmp_path / 'no_image.png'
    wrong.write_bytes(b'text')
    with pytest.raises(ImageError, match='no_image.png'):
        export(tiny_student(), str(tmp_path / 'a.onnx'), ExportOptions(
            size=SIZE, precision='int8', calibration=[images[0], str(wrong)]))
    assert not (tmp_path / 'a.onnx').exists()


def test_a_network_that_is_inaccurate_in_int8_is_not_written(tmp_path, images):
    network = tiny_student()
    with torch.no_grad():
        # One channel so large that a step of the common scale is more than all the others.
        network.stages[-1][-2][0].weight[0] *= 3000
    with pytest.raises(ExportError, match='int8 is too inaccurate for this network: export it as'):
        export(network, str(tmp_path / 'a.onnx'), ExportOptions(
            size=SIZE, precision='int8', calibration=images))
    assert not list(tmp_path.iterdir())
