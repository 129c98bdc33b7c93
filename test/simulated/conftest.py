# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Fixtures: a simulated GPU with a simulated TensorRT of each version."""
from pathlib import Path
import sys

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent))  # helper modules beside this file

import fake_cuda
import fake_tensorrt
from surface import Surface, VERSIONS


@pytest.fixture(scope='session')
def surfaces(tensorrt_api):
    """The Python surface of each TensorRT version."""
    return {version: Surface(tensorrt_api, version) for version in VERSIONS}


@pytest.fixture
def machine(monkeypatch):
    """A simulated GPU, its driver and PyCUDA; nothing may be left of it in the end."""
    found = fake_cuda.Machine()
    fake_cuda.install(monkeypatch, found)
    yield found
    assert found.leftovers() == []


@pytest.fixture
def install_tensorrt(surfaces, machine, monkeypatch, tmp_path):
    """Call it with a version to put that on the machine, with a cache folder of its own."""
    pytest.importorskip('onnx')
    pytest.importorskip('onnxruntime')
    monkeypatch.setenv('XDG_CACHE_HOME', str(tmp_path / 'cache'))

    def install(version):
        module = fake_tensorrt.make_tensorrt(surfaces[version], machine)
        for name in ('tensorrt', 'tensorrt_rtx'):  # the real ones are hidden
            monkeypatch.setitem(sys.modules, name, module if module.__name__ == name else None)
        if surfaces[version].rtx:
            machine.name, machine.capability = 'Simulated RTX', (8, 6)
        return module
    return install


@pytest.fixture(params=VERSIONS)
def trt(request, install_tensorrt):
    """A simulated module of each version; `trt._settings` changes its behavior."""
    return install_tensorrt(request.param)
