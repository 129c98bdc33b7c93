# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""tools/check_gpu.py, which is made for a real GPU, on the simulated one."""
import sys

import models
import numpy as np
import pytest
from surface import RTX

from pose_ros.core.engines import cuda


@pytest.fixture
def check_gpu(machine, monkeypatch, tiny_model):
    """The script, with the tiny network."""
    monkeypatch.syspath_prepend(str(models.ROOT / 'tools'))
    import check_gpu
    monkeypatch.setattr(check_gpu, 'MODEL', tiny_model)
    return check_gpu


def test_the_cuda_layer(check_gpu, capsys):
    check_gpu.check_layer(cuda.PyCuda, 3)
    assert '3 threads, one after the other; free memory 4096 MiB' in capsys.readouterr().out


def test_a_copy_that_is_wrong(check_gpu, monkeypatch):
    copy = cuda.PyCuda.copy_in
    monkeypatch.setattr(cuda.PyCuda, 'copy_in', lambda self, address, host: copy(
        self, address, self.pinned(host.shape, host.dtype)))
    with pytest.raises(AssertionError, match='the copy differs'):
        check_gpu.check_layer(cuda.PyCuda, 1)


def test_tensorrt_for_rtx(check_gpu, install_tensorrt, capsys):
    trt = install_tensorrt(RTX)
    check_gpu.rtx()
    text = capsys.readouterr().out
    assert 'architectures: all sm80 sm86' in text and text.count('EngineValidity.VALID') == 2
    assert text.count('largest difference 0.0') == 2
    assert (trt._settings.built, trt._settings.compiled) == (3, 1)


def test_a_gpu_that_tensorrt_for_rtx_does_not_run_on(check_gpu, install_tensorrt, machine, capsys):
    install_tensorrt(RTX)
    machine.capability = (9, 0)
    assert check_gpu.run_step('rtx') == 1
    text = capsys.readouterr().out
    assert 'does not run on Simulated RTX' in text
    assert 'Platform specific tag mismatch' in text  # the words of the library


def test_a_missing_package_is_a_skipped_step(check_gpu, monkeypatch, capsys):
    for name in ('tensorrt', 'tensorrt_rtx'):
        monkeypatch.setitem(sys.modules, name, None)
    assert check_gpu.run_step('tensorrt') == check_gpu.run_step('rtx') == 3
    assert capsys.readouterr().out.count('skipped: ') == 2


def test_a_difference_is_a_failure(check_gpu, install_tensorrt, monkeypatch):
    install_tensorrt(RTX)
    expected = {name: array + np.float32(9) for name, array in check_gpu.outputs(
        'onnxruntime').items()}
    with pytest.raises(AssertionError, match='the outputs differ'):
        check_gpu.compare(expected, 'tensorrt_rtx')
