#!/usr/bin/env python3
# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Write the Python API of an installed TensorRT as JSON, for test/data/tensorrt_api.

    python tools/tensorrt_api.py tensorrt_rtx > test/data/tensorrt_api/rtx-1.7.1.116.json
"""
import importlib
import inspect
import json
import re
import sys

# What building and running an engine can touch, and the names that only TensorRT for RTX has.
CLASSES = """
APILanguage Builder BuilderFlag DataType DeviceType Dims EngineCapability EngineInspector
ErrorCode ExecutionContextAllocationStrategy HardwareCompatibilityLevel IBuilderConfig
ICudaEngine IErrorRecorder IExecutionContext IHostMemory ILayer ILogger INetworkDefinition
IOptimizationProfile IOutputAllocator IProgressMonitor IRuntimeConfig ISerializationConfig ITensor
ITimingCache LayerInformationFormat LayerType Logger MemoryPoolType NetworkDefinitionCreationFlag
OnnxParser OnnxParserFlag ParserError PreviewFeature ProfilingVerbosity Runtime RuntimePlatform
SerializationFlag TacticSource TensorFormat TensorIOMode TensorLocation Weights
ComputeCapability CudaGraphStrategy DynamicShapesKernelSpecializationStrategy
EngineInvalidityDiagnostics EngineValidity IRuntimeCache
""".split()
_SPECIAL = ('__init__', '__getitem__', '__len__')


def api_of(module) -> dict:
    """Return classes and functions of a module, in the format of test/data/tensorrt_api."""
    functions = sorted(name for name, item in vars(module).items()
                       if name[0] != '_' and callable(item) and not inspect.isclass(item))
    return {'classes': {name: _class(getattr(module, name)) for name in CLASSES
                        if hasattr(module, name)},
            'functions': functions, 'source': 'introspection of the published Python wheel',
            'version': module.__version__}


def _class(kind):
    values = sorted(getattr(kind, '__members__', ()))
    methods, properties = {}, []
    for name in sorted(dir(kind)):
        item = inspect.getattr_static(kind, name)
        if name in values or (name[0] == '_' and name not in _SPECIAL):
            continue
        if values and name in ('name', 'value', '__init__', '__getitem__', '__len__'):
            continue
        if isinstance(item, property) or not (callable(item) or callable(getattr(kind, name))):
            properties.append(name)
        else:
            methods[name] = _overloads(name, getattr(kind, name).__doc__ or '')
    found = {'methods': methods, 'properties': properties}
    return dict(found, values=values) if values else found


def _overloads(name, text):
    """Return the parameter names of each signature in a docstring of pybind11."""
    found = []
    for line in text.splitlines():
        match = re.match(r'(?:\d+\. )?{}\((self: .*)\) -> '.format(re.escape(name)), line)
        if match:
            names = [re.match(r'\w+', part).group() for part in _split(match.group(1))]
            if names[1:] not in found:
                found.append(names[1:])
    return found


def _split(text):
    """Split at the commas that no bracket encloses."""
    parts, depth = [''], 0
    for sign in text:
        depth += (sign in '[(<') - (sign in '])>')
        if sign == ',' and depth == 0:
            parts.append('')
        else:
            parts[-1] += sign
    return [part.strip() for part in parts]


if __name__ == '__main__':
    json.dump(api_of(importlib.import_module(sys.argv[1])), sys.stdout,
              separators=(',', ':'), sort_keys=True)
    print()
