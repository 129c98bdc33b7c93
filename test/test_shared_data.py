# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Missing data is a skip, or a failure where POSE_ROS_REQUIRE_SHARED=1 demands it."""
import os

import pytest

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
FILES = [os.path.join(ROOT, *names) for names in (
    ('test', 'conftest.py'), ('training', 'test', 'conftest.py'))]


@pytest.fixture(params=FILES, ids=['root', 'training'])
def without_shared(request):
    """Return the function of a conftest.py, which may import what is not installed here."""
    with open(request.param) as stream:
        text = stream.read()
    start = text.index('def without_shared')
    names = {'os': os, 'pytest': pytest}
    exec(text[start:text.index('\n\n\n', start)], names)
    return names['without_shared']


def test_a_test_without_its_data_is_skipped(without_shared, monkeypatch):
    monkeypatch.delenv('POSE_ROS_REQUIRE_SHARED', raising=False)
    with pytest.raises(pytest.skip.Exception, match='no test data at /nowhere'):
        without_shared('/nowhere')


def test_a_test_without_its_data_fails_where_it_is_required(without_shared, monkeypatch):
    monkeypatch.setenv('POSE_ROS_REQUIRE_SHARED', '1')
    with pytest.raises(pytest.fail.Exception, match='there is no /nowhere'):
        without_shared('/nowhere')
