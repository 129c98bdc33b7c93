# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""What a version of TensorRT's Python module offers, and objects that offer nothing else."""
import enum
import json

RTX = 'rtx-1.7.1.116'  # TensorRT for RTX, the module tensorrt_rtx
VERSIONS = ('8.2.1', '8.5.3', '8.6.1', '10.3.0', '10.16.1.11', '11.4.0.106', RTX)
# In all versions, but not in the lists of those that were parsed from the binding sources:
# python/src/infer/pyCore.cpp (ILogger) and python/src/infer/pyPlugin.cpp of 8.2.1.
_UNLISTED_CLASSES = {'ILogger': {'methods': {
    '__init__': [[]], 'log': [['severity', 'msg']], 'Severity': []}}}
_UNLISTED_FUNCTIONS = ('init_libnvinfer_plugins',)
SEVERITIES = ('INTERNAL_ERROR', 'ERROR', 'WARNING', 'INFO', 'VERBOSE')
# Their numbers matter: the one is a bit in 8 and 10, the other in 10 and 11.
_NUMBERS = {'EXPLICIT_BATCH': 0, 'STRONGLY_TYPED': 1,
            # Bits, of EngineInvalidityDiagnostics.
            'VERSION_MISMATCH': 1, 'UNSUPPORTED_CC': 2, 'OLD_CUDA_DRIVER': 4,
            'OLD_CUDA_RUNTIME': 8, 'INSUFFICIENT_GPU_MEMORY': 16, 'MALFORMED_ENGINE': 32,
            'CUDA_ERROR': 64}


class Surface:
    """The names of one version."""

    def __init__(self, folder, version):
        """Read `version`.json from the folder."""
        with open(str(folder / (version + '.json'))) as stream:
            data = json.load(stream)
        self.version = version
        self.classes = dict(_UNLISTED_CLASSES, **data['classes'])
        self.functions = set(data['functions']) | set(_UNLISTED_FUNCTIONS)

    @property
    def rtx(self):
        """Whether it is TensorRT for RTX."""
        return self.version.startswith('rtx-')

    @property
    def module(self):
        """The name of its module."""
        return 'tensorrt_rtx' if self.rtx else 'tensorrt'

    @property
    def release(self):
        """The version as the module states it."""
        return self.version.split('-')[-1]

    @property
    def major(self):
        """The first number of the version; TensorRT for RTX has the API of 11."""
        return 11 if self.rtx else int(self.version.split('.')[0])

    def members(self, name):
        """Names of the public methods, properties and enum members of a class."""
        entry = self.classes[name]
        found = set(entry.get('methods') or {}) | set(entry.get('properties') or [])
        return {item for item in found | set(entry.get('values') or []) if item[0] != '_'}

    def has(self, name):
        """Whether the module has a class or function of this name."""
        return name in self.classes or name in self.functions

    def enum(self, name):
        """Make an enum class that, as pybind11's, is no int but can be made one."""
        values = self.classes[name]['values']
        numbers = {value: _NUMBERS.get(value, 7 * number) for number, value in enumerate(values)}
        if name == 'NetworkDefinitionCreationFlag' and 'EXPLICIT_BATCH' not in values:
            numbers['STRONGLY_TYPED'] = 0
        return enum.Enum(name, sorted(numbers.items(), key=lambda item: item[1]), type=_Enum)


class _Enum:
    def __int__(self):
        return self.value


class Shaped:
    """Base of simulated classes: public names that the version lacks raise AttributeError.

    Neither can such a name be assigned: pybind11's objects take no new attributes.
    """

    _allowed = frozenset()

    def __getattribute__(self, name):
        """Look a name up, if the version has it."""
        if name[0] != '_' and name not in type(self)._allowed:
            raise AttributeError('{!r} object has no attribute {!r}'.format(
                'tensorrt.' + type(self).__name__, name))
        return object.__getattribute__(self, name)

    def __setattr__(self, name, value):
        """Assign, if the version has the name."""
        if name[0] != '_' and name not in type(self)._allowed:
            raise AttributeError('{!r} object has no attribute {!r}'.format(
                'tensorrt.' + type(self).__name__, name))
        object.__setattr__(self, name, value)


def shaped(surface, implementation, name=None):
    """Return a simulated class cut down to what the version offers; None if it has no such."""
    name = name or implementation.__name__
    if name not in surface.classes:
        return None
    return type(name, (implementation,), {'_allowed': frozenset(surface.members(name))})
