# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Fixtures of all tests: the tiny network with a known answer, and the optional shared data."""
import os
from pathlib import Path
import sys

import pytest

HERE = Path(__file__).resolve().parent
for folder in (HERE, HERE.parent):  # helper modules in this folder, and the source tree
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))

import models  # noqa: E402

DATA = HERE / 'data'
# Folders with a marker of their own; all others are `core`.
GROUPS = ('cluster', 'ros', 'rtx', 'simulated')


def pytest_collection_modifyitems(items):
    """Mark every test with its group (setup.cfg), which follows from its folder."""
    for item in items:
        parts = Path(str(item.fspath)).relative_to(HERE).parts
        item.add_marker(parts[0] if parts[0] in GROUPS else 'core')


@pytest.fixture(scope='session')
def tensorrt_api():
    """Folder with the Python API of each TensorRT version."""
    return DATA / 'tensorrt_api'


@pytest.fixture(scope='session')
def stored_golden():
    """Folder with two outputs of a published network and the people in them."""
    return DATA / 'golden'


def without_shared(path):
    """Skip a test for want of data beside the repository; fail if POSE_ROS_REQUIRE_SHARED=1."""
    if os.environ.get('POSE_ROS_REQUIRE_SHARED') == '1':
        pytest.fail('POSE_ROS_REQUIRE_SHARED=1, but there is no {}'.format(path))
    pytest.skip('no test data at {}'.format(path))


@pytest.fixture(scope='session')
def shared():
    """Folder of optional test data (golden outputs, published weights) beside the repository."""
    folder = HERE.parents[1] / 'shared'
    if not (folder / 'golden').is_dir():
        without_shared(folder)
    return folder


@pytest.fixture(scope='session')
def real_model(shared):
    """Path of a published network, mobilenet_v2_small."""
    path = shared / 'weights' / 'mobilenet_v2_small.onnx'
    if not path.is_file():
        without_shared(path)
    return str(path)


@pytest.fixture(scope='session')
def tiny_model(tmp_path_factory):
    """Path of the tiny network: a blue image has two people, a red one none."""
    pytest.importorskip('onnx')
    return models.make_model(tmp_path_factory.mktemp('models') / 'tiny.onnx')


@pytest.fixture(scope='session')
def tiny_people():
    """Keypoints (2, 18, 2) that the tiny network shows, network-input pixels (read-only)."""
    people = models.tiny_people()
    people.setflags(write=False)
    return people


@pytest.fixture(params=['onnxruntime', 'openvino'])
def backend(request):
    """Each CPU runtime that can be imported here."""
    pytest.importorskip(request.param)
    return request.param


@pytest.fixture
def make_model(tmp_path):
    """Write a variant of the tiny network: make_model(nan=True, ...) returns its path."""
    pytest.importorskip('onnx')

    def make(name='variant.onnx', **options):
        return models.make_model(tmp_path / name, **options)
    return make
