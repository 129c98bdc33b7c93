# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Which settings lead to a GPU, before anything is loaded."""
import importlib.util

import pytest

from pose_ros.core.engines import prefers_gpu


@pytest.mark.parametrize('path, options, expected', [
    ('m.onnx', {}, False), ('m.onnx', {'backend': 'openvino'}, False),
    ('m.onnx', {'backend': 'onnxruntime'}, False), ('m.onnx', {'backend': 'tensorrt'}, True),
    ('m.onnx', {'device': 'cuda'}, True), ('m.onnx', {'precision': 'fp16'}, True),
    ('m.onnx', {'precision': 'bf16'}, False), ('m.engine', {}, True), ('', {}, False)])
def test_without_tensorrt(monkeypatch, path, options, expected):
    monkeypatch.setattr(importlib.util, 'find_spec', lambda name: None)
    assert prefers_gpu(path, **options) is expected


def test_auto_prefers_an_installed_tensorrt(monkeypatch):
    monkeypatch.setattr(importlib.util, 'find_spec', lambda name: name == 'tensorrt' or None)
    assert prefers_gpu('m.onnx') is True
    assert prefers_gpu('m.onnx', 'openvino') is False
