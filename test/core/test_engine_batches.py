# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Batches: one call with N images equals N calls with one."""
import networks
import numpy as np
import pytest

from pose_ros.core.engines import create_engine, Engine
from pose_ros.core.engines.engine import batch_shape
from pose_ros.core.errors import EngineError, ModelError


@pytest.fixture
def open_network(backend, tmp_path):
    """Open a tiny network: open_network(batch of the file, batch of the caller)."""
    pytest.importorskip('onnx')

    def make(in_file, wanted, **sizes):
        path = networks.make_channels(tmp_path / 'net.onnx', in_file, **sizes)
        return create_engine(path, (wanted,) + networks.IMAGE, backend)
    return make


@pytest.mark.parametrize('in_file, wanted, size, fixed', [
    (1, 1, 1, True), (1, 4, 1, True), (4, 1, 4, True), (4, 4, 4, True), (4, 7, 4, True),
    ('n', 1, 1, False), ('n', 4, 4, False)])
def test_the_batch_of_the_file_wins(open_network, in_file, wanted, size, fixed):
    engine = open_network(in_file, wanted)
    assert (engine.batch_size, engine.fixed_batch) == (size, fixed)
    assert engine.input_shape == ((None if in_file == 'n' else in_file,) + networks.IMAGE)
    batch = networks.random_batch(size)
    networks.check_outputs(engine.infer(batch), batch)


@pytest.mark.parametrize('sizes', [{}, {'height': 'h', 'width': 'w'}])
def test_every_size_up_to_the_largest(open_network, sizes):
    engine = open_network('n', 4, **sizes)
    singles = networks.random_batch(9, seed=1)
    expected = {name: np.concatenate([engine.infer(singles[row:row + 1])[name].copy()
                                      for row in range(9)]) for name in engine.output_names}
    # Remainders and changes of size in both directions.
    for first, last in ((0, 4), (4, 8), (8, 9), (0, 2), (1, 4), (3, 4), (2, 6), (5, 8)):
        found = engine.infer(singles[first:last])
        networks.check_outputs(found, singles[first:last])
        for name, array in found.items():
            assert np.abs(array - expected[name][first:last]).max() < 1e-5


def test_arrays_of_earlier_calls_stay_readable(open_network):
    """They may be overwritten by the next call, but their memory must remain."""
    engine = open_network('n', 4)
    kept = []
    for count in (1, 2, 3, 4, 1, 3):
        batch = networks.random_batch(count, seed=count)
        kept.append(engine.infer(batch))
        networks.check_outputs(kept[-1], batch)
    addresses = {outputs['mix'].ctypes.data for outputs in kept[1:4]}
    assert engine.describe().backend != 'openvino' or len(addresses) == 1  # no buffer has grown
    assert all(np.isfinite(array).all() for outputs in kept for array in outputs.values())


@pytest.mark.parametrize('in_file, wanted, counts, text', [
    (1, 4, (0, 2), 'takes a batch of 1 images of 3x6x8'),
    (4, 4, (0, 1, 3, 5), 'takes a batch of 4 images of 3x6x8'),
    ('n', 3, (0, 4), 'takes a batch of 1 to 3 images of 3x6x8')])
def test_other_sizes_are_errors(open_network, in_file, wanted, counts, text):
    engine = open_network(in_file, wanted)
    for count in counts:
        with pytest.raises(EngineError, match='{}, not {}x3x6x8'.format(text, count)):
            engine.infer(networks.random_batch(count))
    batch = networks.random_batch(engine.batch_size)  # the engine still works
    networks.check_outputs(engine.infer(batch), batch)


def test_an_image_of_another_size_is_an_error(open_network):
    engine = open_network('n', 2, height='h', width='w')
    for shape in ((2, 3, 8, 6), (3, 6, 8), (2, 1, 6, 8)):
        with pytest.raises(EngineError, match='not ' + 'x'.join(map(str, shape))):
            engine.infer(np.zeros(shape, np.float32))


def test_batch_shape():
    assert batch_shape((1, 3, 6, 8), (5, 3, 6, 8), 'x') == ((1, 3, 6, 8), True)
    assert batch_shape((None, 3, None, None), (5, 3, 6, 8), 'x') == ((5, 3, 6, 8), False)
    for found in ((None, 3, 6, 9), (None, 1, None, None), (None, None), ()):
        with pytest.raises(ModelError, match='x: the network takes images of .*3x6x8'):
            batch_shape(found, (5, 3, 6, 8), 'x')


def test_an_engine_of_others_has_a_batch_of_one():
    assert (Engine.batch_size, Engine.fixed_batch) == (1, True)
