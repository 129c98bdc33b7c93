# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Which file of a model runs on a CPU, and the int8 files of the bundled models."""
import logging
import os

import numpy as np
import pytest

from pose_ros.core import network
from pose_ros.core.bundled import int8_file, model_file
from pose_ros.core.card_files import load_card
from pose_ros.core.engines import create_engine, int8
from pose_ros.core.engines.options import EngineOptions
from pose_ros.core.errors import EngineError
from pose_ros.core.files import sha256
from pose_ros.core.network import open_network
from pose_ros.core.preprocessing import prepare_image
from pose_ros.core.synthetic_image import synthetic_image

PAIR = ('pose_crop', 'person_detector')


@pytest.fixture(params=['avx512_vnni', ''])
def fast(request, monkeypatch):
    """Simulate a CPU with fast int8, and one without; return the name of its instructions."""
    monkeypatch.setattr(int8, 'fast_int8', lambda: request.param)
    return request.param


@pytest.mark.parametrize('machine, flags, name', [
    ('x86_64', 'fpu avx512f avx512_vnni', 'avx512_vnni'), ('AMD64', 'avx2 avx_vnni', 'avx_vnni'),
    ('x86_64', 'fpu avx2 avx512f', ''), ('aarch64', 'avx512_vnni', '')])
def test_instructions_for_int8(monkeypatch, tmp_path, machine, flags, name):
    path = tmp_path / 'cpuinfo'
    path.write_text('processor\t: 0\nflags\t\t: {}\nbugs\t\t:\n'.format(flags))
    monkeypatch.setattr(int8, '_CPUS', str(path))
    monkeypatch.setattr(int8.platform, 'machine', lambda: machine)
    assert int8.fast_int8() == name


def test_a_machine_without_cpuinfo_has_no_fast_int8(monkeypatch):
    monkeypatch.setattr(int8, '_CPUS', 'absent')
    assert int8.fast_int8() == ''


@pytest.mark.parametrize('precision, when_fast, else_', [
    ('auto', 'int8', 'float'), ('int8', 'int8', 'int8'), ('fp32', 'float', 'float'),
    ('bf16', 'float', 'float')])
def test_the_file_of_each_precision(fast, precision, when_fast, else_):
    options = EngineOptions(precision=precision, int8_file='int8')
    for backend in ('onnxruntime', 'openvino'):
        assert int8.chosen_file('float', backend, options) == (when_fast if fast else else_)
        assert int8.chosen_file('float', backend, options.replaced(int8_file='')) == 'float'
    assert int8.chosen_file('float', 'tensorrt', options) == 'float'
    assert int8.chosen_file('float', 'onnxruntime', options.replaced(device='cuda')) == 'float'


def test_a_precision_that_contradicts_the_file(backend, tiny_model):
    shape = (1, 3, 128, 160)
    with pytest.raises(EngineError, match='is not quantized: export it in int8'):
        create_engine(tiny_model, shape, backend, precision='int8')
    path, spec = int8_file(model_file('pose_crop')), load_card('pose_crop').input
    shape = (1, 3, spec.height, spec.width)
    assert create_engine(path, shape, backend).describe().precision == 'int8'
    with pytest.raises(EngineError, match='is quantized, .*use the float32 file'):
        create_engine(path, shape, backend, precision='fp32')


@pytest.mark.parametrize('name', PAIR)
def test_the_default_pair_in_int8(backend, fast, name, caplog):
    """Auto takes the int8 file where it is fast; its outputs are close to those of the float."""
    caplog.set_level(logging.INFO, 'pose_ros')
    found = {}
    for precision in ('auto', 'int8', 'fp32'):
        opened = open_network(name, backend=backend, precision=precision)
        info, spec = opened.engine.describe(), opened.card.input
        outputs = opened.engine.infer(prepare_image(synthetic_image(), spec))
        found[precision] = info.precision, os.path.basename(info.model), outputs['output'].copy()
        opened.close()
    assert found['int8'][:2] == ('int8', name + '_int8.onnx')
    assert found['fp32'][:2] == ('fp32', name + '.onnx')
    assert found['auto'][:2] == found['int8' if fast else 'fp32'][:2]
    maps = [found[precision][2].ravel() for precision in ('int8', 'fp32')]
    assert np.corrcoef(*maps)[0, 1] > .95 and (maps[0] != maps[1]).any()
    assert ('precision fp32 runs the float file' in caplog.text) == bool(fast)


def test_auto_keeps_the_float_file_if_int8_loses_accuracy(monkeypatch, fast):
    pytest.importorskip('onnxruntime')
    card = load_card(int8_file(model_file('pose_crop')))
    for loss, taken in ((.01, bool(fast)), (.011, False), (None, False)):
        compared = dict(card.provenance['compared'], largest_loss=loss)
        if loss is None:
            del compared['largest_loss']
        changed = card._replace(provenance=dict(card.provenance, compared=compared))
        monkeypatch.setattr(network, 'load_card', lambda path, own=None: (
            changed if '_int8' in path else load_card(path, own)))
        opened = open_network('pose_crop', backend='onnxruntime')
        assert (opened.engine.describe().precision == 'int8') == taken
        opened.close()


@pytest.mark.parametrize('name', PAIR)
def test_an_int8_file_belongs_to_its_float_file(name):
    path = model_file(name)
    other = int8_file(path)
    assert os.path.getsize(other) < 3.2e6
    cards = [load_card(each) for each in (path, other)]
    assert cards[0]._replace(provenance=None) == cards[1]._replace(provenance=None)
    compared = cards[1].provenance['compared']
    assert compared['float_sha256'] == sha256(path)
    losses = [full - quantized for full, quantized in compared['AP'].values()]
    assert compared['largest_loss'] == pytest.approx(max(losses), abs=1e-3)


def test_other_models_have_no_int8_file(tmp_path):
    assert int8_file(model_file('bottom_up')) == ''
    own = tmp_path / 'pose_crop.onnx'
    own.write_bytes(b'')
    assert int8_file(str(own)) == int8_file('pose_crop.onnx') == ''
