# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Fixtures of the offline package's tests."""
import os
from pathlib import Path

import pytest
import torch

torch.set_num_threads(1)  # threads that wait for each other are slow where cores are shared

SHARED = Path(__file__).resolve().parents[2].parent / 'shared'


def without_shared(path):
    """Skip a test without its data beside the repository; fail if POSE_ROS_REQUIRE_SHARED=1."""
    if os.environ.get('POSE_ROS_REQUIRE_SHARED') == '1':
        pytest.fail('POSE_ROS_REQUIRE_SHARED=1, but there is no {}'.format(path))
    pytest.skip('no test data at {}'.format(path))


@pytest.fixture(scope='session')
def shared():
    """Return the reference data beside the repository."""
    if not SHARED.is_dir():
        without_shared(SHARED)
    return SHARED


@pytest.fixture(autouse=True)
def seeded():
    """Make every test's random numbers the same in each run."""
    torch.manual_seed(0)
