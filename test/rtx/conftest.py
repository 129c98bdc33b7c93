# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""The real TensorRT for RTX."""
from pathlib import Path
import sys

import pytest
from real_network import real_library

# The stored API, and what finds the names that the code uses.
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / 'simulated'))


@pytest.fixture(scope='session')
def library():
    """Library of tensorrt_rtx; the test is skipped without it."""
    pytest.importorskip('onnx')
    return real_library()
