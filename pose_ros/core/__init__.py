# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Pose estimation without ROS: NumPy in, NumPy out."""
import importlib
import sys
import types

# Imported on first use: `pose-ros doctor` has to run where NumPy or OpenCV is missing.
_MODULES = {
    'CardError': 'errors', 'EngineError': 'errors', 'ImageError': 'errors',
    'ModelError': 'errors', 'PoseRosError': 'errors', 'PoseEstimator': 'estimator',
    'People': 'people', 'TOPOLOGIES': 'topology', 'Topology': 'topology',
    'get_topology': 'topology',
}
__all__ = sorted(_MODULES)


class _Package(types.ModuleType):
    """A package whose public names are imported on first use (PEP 562 needs Python 3.7)."""

    def __getattr__(self, name):
        if name not in _MODULES:
            raise AttributeError('module {!r} has no attribute {!r}'.format(__name__, name))
        module = importlib.import_module('{}.{}'.format(__name__, _MODULES[name]))
        value = getattr(module, name)
        setattr(self, name, value)
        return value


sys.modules[__name__].__class__ = _Package
