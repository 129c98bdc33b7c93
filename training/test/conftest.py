# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Fixtures of the offline package's tests."""
from pathlib import Path

import pytest
import torch

torch.set_num_threads(1)  # threads that wait for each other are slow where cores are shared

SHARED = Path(__file__).resolve().parents[2].parent / 'shared'


@pytest.fixture(scope='session')
def shared():
    """Return the reference data beside the repository; tests that need it skip without."""
    if not SHARED.is_dir():
        pytest.skip('the reference data folder {} is not there'.format(SHARED))
    return SHARED


@pytest.fixture(autouse=True)
def seeded():
    """Make every test's random numbers the same in each run."""
    torch.manual_seed(0)
