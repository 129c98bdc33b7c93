# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Skip this folder, with the reason, where ROS 2 or the built messages are missing."""
import importlib
from pathlib import Path
import sys

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent))  # helper modules beside this file


def missing():
    """Return what keeps these tests from running; None if nothing does."""
    for module in ('rclpy', 'pose_ros.msg'):
        try:
            importlib.import_module(module)
        except ImportError as error:
            return 'needs ROS 2 and the built messages ({})'.format(error)
    return None


REASON = missing()


def pytest_collectstart(collector):
    """Skip a module before it is imported: its own imports would fail."""
    if REASON and isinstance(collector, pytest.Module):
        collector.collect = lambda: pytest.skip(REASON, allow_module_level=True)


@pytest.fixture
def graph():
    """A namespace of its own in the ROS graph, see graph.py."""
    from graph import Graph
    result = Graph()
    yield result
    result.close()
