# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Types of inputs and outputs: converted, or refused when a model is loaded; on every engine."""
import models
import numpy as np
import pytest

from networks import retyped
from pose_ros.core import PoseEstimator
from pose_ros.core.card import CardError
from pose_ros.core.engines import create_engine
from pose_ros.core.engines.engine import Engine
from pose_ros.core.errors import ModelError, PoseRosError
from pose_ros.core.network import Network

SHAPE = (1, 3, 128, 160)
SIGNED = {'scale': 1.0, 'mean': [128.0] * 3, 'std': [1.0] * 3}


@pytest.fixture
def typed(make_model, tmp_path):
    """Call it with types as in `retyped`; card: changes of the input of its card."""
    def make(card=None, **types):
        data = models.card_data()
        data['input'].update(card or {})
        return retyped(make_model(card=data), tmp_path / 'typed.onnx', **types)
    return make


def assert_finds_both(path, backend, tolerance):
    estimator = PoseEstimator(path, backend)
    expected = models.tiny_people()
    for _ in range(2):
        people = estimator(models.image())
        points = models.matched(people, expected)
        assert np.abs(points[..., :2] - expected).max() < tolerance
    assert people.keypoints.dtype == np.float32
    assert PoseEstimator(path, backend)(models.image(blue=0)).count == 0


@pytest.mark.parametrize('types', [
    {'image': 'FLOAT16'}, {'image': 'DOUBLE'}, {'outputs': {'output': 'FLOAT16'}},
    {'outputs': {'output': 'DOUBLE'}},
    {'image': 'FLOAT16', 'outputs': {'output': 'FLOAT16'}}], ids=str)
def test_floats_of_other_sizes_are_converted(backend, typed, types):
    path = typed(**types)
    assert_finds_both(path, backend, .5)
    engine = create_engine(path, SHAPE, backend)
    assert engine.infer(np.full(SHAPE, 255, np.float32))['output'].dtype == np.float32


@pytest.mark.parametrize('kind', ['UINT8', 'INT16', 'UINT16', 'INT32', 'INT64'])
def test_pixels_are_fed_to_an_input_of_whole_numbers(backend, typed, kind):
    path = typed(image=kind)
    assert create_engine(path, SHAPE, backend).input_type == np.dtype(kind.lower())
    assert_finds_both(path, backend, .5)


def test_values_are_rounded_to_whole_numbers(backend, typed):
    engine = create_engine(typed(image='INT32'), SHAPE, backend)
    peaks = [engine.infer(np.full(SHAPE, value, np.float32))['output'].max()
             for value in (99.6, 100.4, 101)]
    assert peaks[0] == peaks[1] < peaks[2]


def test_an_input_of_bytes_with_a_sign_needs_a_card_that_shifts_pixels(backend, typed):
    with pytest.raises(CardError, match='type int8, but the card yields values from 0 to 255;.*'
                                        'scale 1, mean 128'):
        PoseEstimator(typed(image='INT8'), backend)
    estimator = PoseEstimator(typed(image='INT8', card=SIGNED), backend)
    assert estimator(models.image()).count == 2  # blue is 127, everything else -128


def test_a_card_that_scales_pixels_contradicts_whole_numbers(backend, typed):
    with pytest.raises(CardError, match='tiny: the input of the network has the type uint8.*from '
                                        '0 to 1 that are no whole numbers'):
        PoseEstimator(typed(image='UINT8', card={'scale': 1 / 255.0}), backend)


@pytest.mark.parametrize('kind', ['BOOL', 'BFLOAT16'])
def test_inputs_that_hold_no_pixels_are_refused(backend, typed, kind):
    with pytest.raises(ModelError, match='the input has the type .*(bool|bf).*: export the '
                                         'network with an input of float32'):
        PoseEstimator(typed(image=kind), backend)


@pytest.mark.parametrize('kind', ['INT64', 'UINT8', 'INT8', 'BOOL'])
def test_maps_of_other_numbers_are_refused(backend, typed, kind):
    with pytest.raises(CardError, match="output 'output' has the type {}, and its decoder reads "
                                        'float32: export'.format(kind.lower())):
        PoseEstimator(typed(outputs={'output': kind}), backend)


@pytest.mark.parametrize('kind', ['STRING', 'SEQUENCE'])
def test_maps_that_are_no_numbers_are_refused(backend, typed, kind):
    with pytest.raises(PoseRosError) as error:
        PoseEstimator(typed(outputs={'output': kind}), backend)
    if backend == 'onnxruntime':
        assert "no output 'output'" in str(error.value)
        assert 'not counting outputs that hold no numbers: output (' in str(error.value)
    else:
        assert 'openvino cannot' in str(error.value) or 'hold no numbers' in str(error.value)


@pytest.mark.parametrize('kind', ['INT64', 'BOOL', 'FLOAT16', 'STRING', 'SEQUENCE'])
def test_outputs_that_no_decoder_reads_do_no_harm(typed, kind):
    path = typed(unused=[kind])
    assert_finds_both(path, 'onnxruntime', .5)
    assert_finds_both(path, 'auto', .5)


class _Typed(Engine):
    """An engine whose outputs are given."""

    def __init__(self, **outputs):
        self._outputs, self.output_names = outputs, tuple(outputs)

    def infer(self, batch):
        return self._outputs

    def describe(self):
        raise NotImplementedError

    def close(self):
        pass


def test_labels_of_boxes_may_be_whole_numbers():
    data = models.card_data(task='detection', topology=None)
    data['decoder'] = {'type': 'boxes', 'settings': {}, 'outputs': {
        'format': 'list', 'tensor': 'dets', 'labels': 'labels', 'class': 0}}
    boxes = np.zeros((1, 5, 5), np.float32)
    card = models.parse_card(data, 'card')
    Network(card, _Typed(dets=boxes, labels=np.zeros((1, 5), np.int64)))
    with pytest.raises(CardError, match="output 'dets' has the type int64"):
        Network(card, _Typed(dets=boxes.astype(np.int64), labels=np.zeros((1, 5), np.int64)))
