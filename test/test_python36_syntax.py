# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""House rules that a machine can check: Python 3.6, one-way imports, file length."""
import ast
import os

import pytest

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
LINES = 320
# Generic since 3.9 only; typing has their twins.
BUILTIN_GENERICS = ('dict', 'frozenset', 'list', 'set', 'tuple', 'type')
# What each part must not import, itself or below.
FORBIDDEN = {
    'pose_ros': ('dataclasses', 'torch', 'pose_training'),
    'pose_ros/core': ('rclpy', 'pose_ros.nodes', 'pose_ros.cli', 'pose_ros.msg'),
    'pose_ros/cli': ('rclpy', 'pose_ros.nodes', 'pose_ros.msg'),
    'pose_ros/nodes': ('pose_ros.cli',),
    'pose_ros/core/engines': ('pose_ros.core.decoders',),
    'pose_ros/core/decoders': ('pose_ros.core.engines',),
    'training': ('rclpy', 'pose_ros.nodes', 'pose_ros.cli', 'pose_ros.msg'),
}


def python_files(*folders):
    found = []
    for folder in folders:
        for path, _, names in os.walk(os.path.join(ROOT, folder)):
            found += [os.path.relpath(os.path.join(path, name), ROOT)
                      for name in sorted(names) if name.endswith('.py')]
    return found


def parse(path, **options):
    with open(os.path.join(ROOT, path), encoding='utf-8') as file:
        return ast.parse(file.read(), path, **options)


def imports(tree, path):
    """Full names of the imported modules, relative imports resolved."""
    package = os.path.dirname(path).split(os.sep)
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name
        elif isinstance(node, ast.ImportFrom):
            base = package[:len(package) - node.level + 1] if node.level else []
            module = '.'.join(base + ([node.module] if node.module else []))
            for alias in node.names:
                yield module + '.' + alias.name


@pytest.mark.parametrize('path', python_files('pose_ros', 'launch', 'benchmark'))
def test_is_python_36(path):
    tree = parse(path, feature_version=(3, 6))
    assert '__future__.annotations' not in imports(tree, path)
    subscripted = [node.value.id for node in ast.walk(tree)
                   if isinstance(node, ast.Subscript) and isinstance(node.value, ast.Name)]
    assert not set(subscripted) & set(BUILTIN_GENERICS)


@pytest.mark.parametrize('folder', sorted(FORBIDDEN))
def test_imports_run_one_way(folder):
    wrong = [(path, name) for path in python_files(folder) for name in imports(parse(path), path)
             if any((name + '.').startswith(module + '.') for module in FORBIDDEN[folder])]
    assert wrong == []


def test_files_are_short():
    long = []
    for path in python_files('pose_ros', 'launch', 'test', 'benchmark'):
        with open(os.path.join(ROOT, path), encoding='utf-8') as file:
            lines = sum(1 for _ in file)
        if lines > LINES:
            long.append((path, lines))
    assert long == []
