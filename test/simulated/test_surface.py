# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Every TensorRT name that the code touches exists in the versions in which that branch runs."""
import ast
import re

import models
import pytest
from surface import RTX, VERSIONS
from touched import faults, Touched, TYPES

FOLDER = models.ROOT / 'pose_ros' / 'core' / 'engines'
FILES = ('build_progress.py', 'tensorrt.py', 'tensorrt_build.py', 'tensorrt_library.py',
         'tensorrt_rtx.py')
# Variables of these names that hold something else.
OURS = {'tensorrt.py': {'tensor', 'error'}, 'build_progress.py': {'error'},
        'tensorrt_library.py': {'error'}}


def types_of(name):
    return {key: value for key, value in TYPES.items() if key not in OURS.get(name, ())}


def tree_of(name):
    return ast.parse((FOLDER / name).read_text(encoding='utf-8'), name)


@pytest.mark.parametrize('name, version', [
    (name, version) for name in FILES for version in VERSIONS
    if name != 'tensorrt_rtx.py' or version == RTX])
def test_code_against_the_surface(surfaces, name, version):
    assert faults(tree_of(name), surfaces[version], types_of(name)) == []


def touched(surfaces, name, version):
    walk = Touched(tree_of(name), surfaces[version], types_of(name))
    return {(owner, attribute) for _, owner, attribute, _ in walk.uses}, walk.reached


def test_the_walk_sees_what_it_should(surfaces):
    """So that an empty list of faults means something."""
    old, reached = touched(surfaces, 'tensorrt.py', '8.2.1')
    assert {('ICudaEngine', 'get_binding_name'), ('IExecutionContext', 'execute_async_v2'),
            ('Runtime', 'deserialize_cuda_engine'), ('', 'Runtime')} <= old
    assert ('IExecutionContext', 'execute_async_v3') not in old
    assert '_Bindings' in reached and '_NamedTensors' not in reached
    new, reached = touched(surfaces, 'tensorrt.py', '8.5.3')
    assert {('IExecutionContext', 'execute_async_v3'), ('TensorIOMode', 'INPUT'),
            ('IExecutionContext', 'set_tensor_address')} <= new
    assert '_Bindings' not in reached and ('ICudaEngine', 'num_bindings') not in new
    for version in VERSIONS:
        built, reached = touched(surfaces, 'tensorrt_build.py', version)
        assert {('Builder', 'build_serialized_network'), ('OnnxParser', 'parse'),
                ('ITensor', 'dtype'), ('IOptimizationProfile', 'set_shape'),
                ('ParserError', 'desc')} <= built
        timings = {('IBuilderConfig', 'create_timing_cache'), ('ITimingCache', 'serialize')}
        assert built & timings == (set() if version == RTX else timings)
        assert (('IBuilderConfig', 'set_compute_capability') in built) == (version == RTX)
        assert (('IBuilderConfig', 'max_workspace_size') in built) == (version == '8.2.1')
        assert (('BuilderFlag', 'FP16') in built) == (version not in ('11.4.0.106', RTX))
        assert ('_set_int8' in reached) == (version not in ('11.4.0.106', RTX))
        assert (('ParserError', 'node_name') in built) == (version[:2] in ('10', '11', 'rt'))
    found, _ = touched(surfaces, 'tensorrt_rtx.py', RTX)
    assert {('IRuntimeConfig', 'cuda_graph_strategy'), ('IRuntimeCache', 'deserialize'),
            ('Runtime', 'get_engine_validity'),
            ('ICudaEngine', 'create_runtime_config')} <= found


def test_all_that_imports_tensorrt_is_walked():
    users = {path.name for path in FOLDER.glob('*.py')
             if re.search(r'library\.module|^import tensorrt|import_module\(name\)\n.*Builder',
                          path.read_text(encoding='utf-8'), re.MULTILINE)}
    assert {'tensorrt_library.py', 'tensorrt_rtx.py'} < users <= set(FILES)


@pytest.mark.parametrize('code, fault', [
    ('def f(config):\n    config.max_workspace_size = 1', 'has no max_workspace_size'),
    ('def f(config):\n    if hasattr(config, "set_memory_pool_limit"):\n'
     '        config.max_workspace_size = 1', 'has no max_workspace_size'),
    ('def f(trt):\n    return trt.BuilderFlag.FP16', 'BuilderFlag has no FP16'),
    ('def f(trt):\n    return trt.get_nothing()', 'tensorrt has no get_nothing'),
    ('def f(trt, engine):\n    return _g(engine)\n\n\ndef _g(engine):\n'
     '    return engine.get_binding_name(0)', 'has no get_binding_name'),
    ('def f(engine):\n    for i in range(3):\n        engine.num_bindings', 'has no num_bindings'),
    ('def f(builder):\n    builder.create_network(1, 2)', 'takes no 2 arguments'),
    ('def f(module):\n    class M(module.IProgressMonitor):\n'
     '        def step_complete(self, phase):\n            pass', 'is called with')])
def test_the_walk_finds_faults(surfaces, code, fault):
    found = faults(ast.parse(code), surfaces['11.4.0.106'])
    assert len(found) == 1 and fault in found[0]


@pytest.mark.parametrize('code', [
    'def f(config):\n    if not hasattr(config, "max_workspace_size"):\n        return 1\n'
    '    config.max_workspace_size = 1',
    'def f(engine):\n    return _a if hasattr(engine, "num_io_tensors") else _b\n\n\ndef _a():\n'
    '    pass\n\n\ndef _b(engine):\n    engine.num_bindings',
    'def f(other):\n    other.max_workspace_size = 1'])
def test_the_walk_finds_no_faults_where_there_are_none(surfaces, code):
    assert faults(ast.parse(code), surfaces['11.4.0.106']) == []
