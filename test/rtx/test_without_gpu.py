# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""The real TensorRT for RTX on a machine without a GPU: engines for others, and clear errors."""
import hashlib
import os
import subprocess
import sys

import models
import pytest
from real_network import build

from pose_ros.cli.main import main
from pose_ros.core.bundled import model_file
from pose_ros.core.card_files import load_card
from pose_ros.core.engines import create_engine, prefers_gpu
from pose_ros.core.engines.cuda_driver import compute_capability
from pose_ros.core.engines.tensorrt_rtx import checked_architectures, rejection
from pose_ros.core.errors import EngineError
from pose_ros.core.estimator import PoseEstimator

SHAPE = (1, 3, 128, 160)


@pytest.fixture(autouse=True)
def no_gpu(library, monkeypatch, tmp_path):
    """A machine without a GPU, and with a cache of its own."""
    if compute_capability():
        pytest.skip('this machine has a GPU')
    monkeypatch.setenv('XDG_CACHE_HOME', str(tmp_path / 'cache'))


def test_an_engine_for_other_machines(tmp_path, capsys):
    path = str(tmp_path / 'fleet.engine')
    assert main(['build-engine', model_file('bottom_up'), '--backend', 'tensorrt_rtx',
                 '--arch', 'sm86', '-o', path]) == 0
    assert 'fp32, TensorRT for RTX 1.7.1.116, for sm86; not run here' in capsys.readouterr().out
    card, content = load_card(path), open(path, 'rb').read()
    facts = card.provenance['engine']
    assert facts['architectures'] == ['sm86'] and facts['precision'] == 'fp32'
    assert facts['shape'] == [1, 3, card.input.height, card.input.width]
    assert facts['plan_sha256'] == hashlib.sha256(content).hexdigest()
    assert len(content) > os.path.getsize(model_file('bottom_up'))  # all its weights
    for backend in ('auto', 'tensorrt_rtx'):
        with pytest.raises(EngineError, match='no NVIDIA GPU can be used'):
            PoseEstimator(path, backend)
    with pytest.raises(EngineError, match='is an engine of backend tensorrt_rtx, not tensorrt'):
        PoseEstimator(path, 'tensorrt')


def test_all_architectures_but_turing(library, tiny_model, tmp_path, capsys):
    path = str(tmp_path / 'all.engine')
    assert main(['build-engine', tiny_model, '--backend', 'tensorrt_rtx', '-o', path]) == 0
    names = load_card(path).provenance['engine']['architectures']
    assert names == ['sm80', 'sm86', 'sm89', 'sm120', 'sm121']
    assert list(checked_architectures(library, ())) == names
    with pytest.raises(EngineError, match='no architecture sm90: use sm75, sm80, '):
        checked_architectures(library, ('sm90',))


def test_an_old_driver_is_explained(library, tiny_model):
    """Without any driver the CUDA runtime reports error 35 too."""
    with pytest.raises(EngineError) as error:
        build(library, tiny_model, SHAPE, ())  # for the GPU of this machine
    for text in ('cannot build an engine', 'cudaError 35', 'or install tensorrt-rtx-cu12'):
        assert text in str(error.value)
    runtime = library.module.Runtime(library.logger)
    library.logger.errors()
    plan = build(library, tiny_model, SHAPE).data
    assert runtime.deserialize_cuda_engine(plan) is None
    assert 'update the driver' in rejection(library, runtime, plan)
    assert runtime.deserialize_cuda_engine(plan[:20]) is None
    assert rejection(library, runtime, plan[:20]).endswith('(MALFORMED_ENGINE)')


def test_the_cpu_runs_instead(tiny_model, tiny_people):
    estimator = PoseEstimator(tiny_model, 'tensorrt_rtx')
    engine = estimator.network.engine
    assert engine.describe().backend in ('openvino', 'onnxruntime')
    assert 'runs instead of tensorrt_rtx: no NVIDIA GPU can be used' in engine.degraded_reason
    assert '\n' not in engine.degraded_reason
    assert estimator(models.image()).count == len(tiny_people)
    estimator.close()
    assert not prefers_gpu(tiny_model)
    engine = create_engine(tiny_model, SHAPE)
    assert engine.degraded_reason == ''
    engine.close()


def test_the_command_in_a_process_of_its_own(tiny_model, tmp_path):
    """The library leaves nothing behind that disturbs the end of Python."""
    done = subprocess.run(
        [sys.executable, '-m', 'pose_ros.cli', 'build-engine', tiny_model, '--backend',
         'tensorrt_rtx', '--arch', 'sm86,sm120', '-o', str(tmp_path / 'a.engine')],
        cwd=str(models.ROOT), stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        universal_newlines=True, env=dict(os.environ, PYTHONPATH=str(models.ROOT)))
    assert done.returncode == 0 and done.stdout.count('\n') == 1
    assert done.stderr.splitlines() == [
        'building the TensorRT engine of {} for sm86, sm120, precision auto'.format(tiny_model)]
