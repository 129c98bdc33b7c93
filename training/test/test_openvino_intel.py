# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Intel's published int8 network agrees with its own graph and with OpenVINO."""
from xml.etree import ElementTree

import cv2
import numpy as np
import pytest
import torch
from torch.nn import functional

from pose_ros.core.card import parse_card
from pose_ros.core.decoders.paf import PafDecoder
from pose_ros.core.paf_layouts import map_layout
from pose_ros.core.preprocessing import prepare_image
from pose_training.errors import WeightsError
from pose_training.importers.formats import import_network
from pose_training.importers.matching import load_weights
from pose_training.importers.openvino_ir import read_convolutions, read_weights
from pose_training.models import create_model, get_spec

INTEL = 'human_pose_estimation_0001'
TYPES = {'f16': np.float16, 'u8': np.uint8, 'i64': np.int64}
# (heatmaps, PAFs) of the two stages
STAGES = (('conv5_5_CPM_L2', 'conv5_5_CPM_L1'), ('Mconv7_stage2_L2', 'Mconv7_stage2_L1'))
AS_STORED = {'mean': (0., 0., 0.), 'std': (1., 1., 1.)}


@pytest.fixture(scope='module')
def intel(shared):
    path = shared / 'weights/human_pose_estimation_0001_int8_openvino'
    return str(path / 'human-pose-estimation-0001.xml')


@pytest.fixture(scope='module')
def imported(intel):
    return import_network('openvino', intel, INTEL)[0]


class Interpreter:
    """Computes an IR layer by layer, in the order of the file; without `rounding`, in float.

    The floats of the weights are computed either way; `rounding` is for activations.
    """

    def __init__(self, path, rounding):
        root = ElementTree.parse(path).getroot()
        self.content = open(path.replace('.xml', '.bin'), 'rb').read()
        self.layers = list(root.iterfind('layers/layer'))
        self.sources, self.rounding = {}, rounding
        for edge in root.iterfind('edges/edge'):
            ports = self.sources.setdefault(edge.get('to-layer'), {})
            ports[int(edge.get('to-port'))] = edge.get('from-layer')

    def __call__(self, image):
        values, kinds, named = {}, {}, {}
        for layer in self.layers:
            number, kind = layer.get('id'), layer.get('type')
            ports = self.sources.get(number, {})
            inputs = [values[ports[port]] for port in sorted(ports)]
            data = {} if layer.find('data') is None else layer.find('data').attrib
            if kind == 'FakeQuantize' and not self.rounding and kinds[ports[0]] != 'Convert':
                value = inputs[0]
            else:
                value = image if kind == 'Parameter' else getattr(self, kind)(data, *inputs)
            values[number] = named[layer.get('name')] = value
            kinds[number] = kind
        return named

    def Const(self, data):
        kind = np.dtype(TYPES[data['element_type']])
        start, size = int(data['offset']), int(data['size'])
        found = np.frombuffer(self.content[start:start + size], kind)
        shape = [int(size) for size in data['shape'].split(',') if size]
        return torch.from_numpy(found.reshape(shape).astype(
            kind if kind == np.int64 else np.float32))

    def FakeQuantize(self, data, x, in_low, in_high, out_low, out_high):
        steps = int(data['levels']) - 1
        x = torch.minimum(torch.maximum(x, in_low), in_high)
        level = torch.round((x - in_low) / (in_high - in_low) * steps)
        return level / steps * (out_high - out_low) + out_low

    def Convert(self, data, x):
        return x

    def Reshape(self, data, x, shape):
        return x.reshape(shape.tolist())

    def Convolution(self, data, x, weight, groups=1):
        strides, pads, dilations = ([int(size) for size in data[key].split(',')] for key in
                                    ('strides', 'pads_begin', 'dilations'))
        assert data['pads_begin'] == data['pads_end']
        return functional.conv2d(x, weight, None, strides, pads, dilations, groups)

    def GroupConvolution(self, data, x, weight):
        return self.Convolution(data, x, weight.flatten(0, 1), weight.shape[0])

    def Add(self, data, left, right):
        return left + right

    def Multiply(self, data, left, right):
        return left * right

    def ReLU(self, data, x):
        return functional.relu(x)

    def Elu(self, data, x):
        return functional.elu(x, float(data['alpha']))

    def Concat(self, data, *parts):
        return torch.cat(parts, int(data['axis']))

    def Result(self, data, x):
        return x


def image(shared, name, **changes):
    """Return an image as input batch (1, 3, 256, 456), normalized with the card."""
    image = cv2.imread(str(shared / 'golden' / name))
    return torch.from_numpy(prepare_image(image, parse_card(card(**changes), 'test').input))


def card(**changes):
    layout = map_layout('coco_18')
    limbs = [layout.limbs[limb] + (2 * limb,) for limb in layout.joining_order]
    return {'schema': 1, 'name': 'x', 'version': '1', 'license': 'x', 'task': 'pose',
            'topology': 'coco_18',
            'input': dict(get_spec(INTEL).input, **changes), 'provenance': {},
            'decoder': {'type': 'paf', 'settings': {}, 'outputs': {
                'stride': 8,
                'pafs': {'tensor': 'pafs', 'limbs': limbs, 'axis_order': layout.axis_order},
                'heatmaps': {'tensor': 'heatmaps', 'channels': tuple(range(18)),
                             'background': 18}}}}


def test_every_byte_is_a_level_of_the_channels_range(intel):
    found, graph = read_convolutions(intel, 1 << 24), Interpreter(intel, rounding=False)
    layers = {layer.get('id'): layer for layer in graph.layers}
    quantized = [layer for layer in graph.layers if layer.get('name').endswith('fq_weights_1')]
    assert len(found) == len(quantized) == 58
    for layer in quantized:
        convert, *limits = [graph.sources[layer.get('id')][port] for port in range(5)]
        byte, low, high = (graph.Const(layers[number].find('data').attrib).double().numpy()
                           for number in (graph.sources[convert][0], *limits[2:]))
        assert np.array_equal(low, -high) and byte.max() <= 254
        name = layer.get('name').replace('/WithoutBiases', '').replace('/fq_weights_1', '')
        weight, bias = found[name]
        np.testing.assert_allclose(weight, (byte - 127) * high / 127, rtol=1e-12, atol=1e-15)
        # Three depthwise convolutions were trained without a bias; the file adds zeros there.
        assert bias.shape == (len(weight),)
        assert bias.any() != (name in ['conv4_3_CPM/dw{}'.format(index) for index in (1, 2, 3)])


def test_the_float_network_agrees_with_the_graph_without_rounding(shared, intel, imported):
    graph, size = Interpreter(intel, rounding=False), {'width': 232, 'height': 128}
    with torch.no_grad():
        wanted = graph(image(shared, 'p1.jpg', **AS_STORED, **size))
        same = imported(wanted['data/mean_value/Fused_Add_'])
        own = imported(image(shared, 'p1.jpg', **size))
    for stage, names in enumerate(STAGES):
        for kind, name in enumerate(names):
            assert wanted[name].abs().max() > .7
            torch.testing.assert_close(list(same[stage].values())[kind], wanted[name], rtol=0,
                                       atol=2e-5)
            # The file rounds 1 / 255 and 128 / 255 to float16, the card does not.
            torch.testing.assert_close(list(own[stage].values())[kind], wanted[name], rtol=0,
                                       atol=2e-4)


def test_openvino_agrees_too(shared, intel, imported):
    openvino = pytest.importorskip('openvino', reason='openvino is not installed')
    core = openvino.Core()
    model, bypassed = core.read_model(intel), 0
    for layer in model.get_ordered_ops():
        if layer.get_type_name() == 'FakeQuantize' and layer.input_value(
                0).get_node().get_type_name() not in ('Constant', 'Convert'):
            layer.output(0).replace(layer.input_value(0))
            bypassed += 1
    assert bypassed == 121 - 58
    compiled = core.compile_model(model, 'CPU', {'INFERENCE_PRECISION_HINT': 'f32',
                                                 'INFERENCE_NUM_THREADS': 2})
    raw = image(shared, 'p3.jpg', **AS_STORED)
    wanted = compiled(raw.numpy())
    scaled = raw * float(np.float16(1 / 255)) + float(np.float16(-128 / 255))
    with torch.no_grad():
        found = imported(scaled)[-1]
    for maps, name in zip(found.values(), STAGES[-1]):
        np.testing.assert_allclose(maps.numpy(), wanted[name], rtol=0, atol=2e-5)


@pytest.mark.parametrize('name, people, keypoints', [('p3.jpg', 3, 47), ('ski.jpg', 5, 84)])
def test_rounding_of_activations_moves_no_keypoint_far(shared, intel, imported, name, people,
                                                       keypoints):
    decoder = PafDecoder(parse_card(card(), 'test'))
    with torch.no_grad():
        rounded = Interpreter(intel, rounding=True)(image(shared, name, **AS_STORED))
        found = imported(image(shared, name))[-1]
    decoded = []
    for heatmaps, pafs in (found.values(), [rounded[key] for key in STAGES[-1]]):
        decoded.append(decoder.decode({'heatmaps': heatmaps[0].numpy(),
                                       'pafs': pafs[0].numpy()}))
    for maps, key in zip(found.values(), STAGES[-1]):
        pair = np.stack([maps.numpy().ravel(), rounded[key].numpy().ravel()])
        assert .99 < np.corrcoef(pair)[0, 1] < .99999
    ours, theirs = (skeletons.keypoints for skeletons in decoded)
    assert len(ours) == len(theirs) == people
    assert (ours[..., 2] > 0).sum() == keypoints
    for person in ours:
        distances = [np.median(np.hypot(*(person - other)[both, :2].T))
                     for other in theirs for both in [(person[:, 2] > 0) & (other[:, 2] > 0)]]
        assert min(distances) < 1  # px of the network's input


def test_one_stage_is_imported_alone_and_further_ones_are_missed(intel, imported):
    spec = get_spec(INTEL)
    weights = read_weights(intel, spec)
    alone = create_model(INTEL, stages=1).eval()
    load_weights(alone, weights, intel, spec.ignored)
    image = torch.randn(1, 3, 32, 48)
    with torch.no_grad():
        (found,), wanted = alone(image), imported(image)[0]
    assert torch.equal(found['heatmaps'], wanted['heatmaps']) and torch.equal(found['pafs'],
                                                                              wanted['pafs'])
    with pytest.raises(WeightsError, match=r'missing \(38\): refinement_stages\.1\.'):
        load_weights(create_model(INTEL, stages=3), weights, intel, spec.ignored)
