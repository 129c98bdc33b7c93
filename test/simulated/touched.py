# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Which TensorRT names some source code touches in one version, by walking its syntax tree.

Branches on hasattr of a TensorRT object are decided by the version's surface, and only what runs
in that version counts: the taken branch, and functions and classes that it names. Objects are told
by the names of variables (TYPES), which the code keeps to.
"""
import ast

# Variable or attribute of self -> class of what it holds; '' is the module itself.
TYPES = {
    'trt': '', 'module': '', 'tensorrt': '', 'builder': 'Builder', 'network': 'INetworkDefinition',
    'config': 'IBuilderConfig', 'parser': 'OnnxParser', 'layer': 'ILayer',
    'tensor': 'ITensor', 'profile': 'IOptimizationProfile', 'cache': 'ITimingCache',
    'error': 'ParserError', 'engine': 'ICudaEngine', '_engine': 'ICudaEngine',
    '_context': 'IExecutionContext', '_runtime': 'Runtime', '_trt': '', 'runtime': 'Runtime',
    'runtime_config': 'IRuntimeConfig', 'runtime_cache': 'IRuntimeCache'}


class Touched:
    """The names that `tree` touches where `surface` is what there is.

    `uses` holds (line, class, attribute, number of arguments or None if it is not called).
    """

    def __init__(self, tree, surface, types):
        """Walk the tree."""
        self.uses, self.subclasses = [], []
        self._surface, self._types = surface, types
        self._definitions = {node.name: node for node in tree.body
                             if isinstance(node, (ast.FunctionDef, ast.ClassDef))}
        self._reached = {name for name in self._definitions if name[0] != '_'}
        done = set()
        while self._reached - done:
            name = sorted(self._reached - done)[0]
            done.add(name)
            self._walk_definition(self._definitions[name])
        self.reached = done

    def _walk_definition(self, node):
        if isinstance(node, ast.ClassDef):
            for base in node.bases:
                if self._type(base) not in (None, ''):
                    self.subclasses.append((self._type(base), node))
                self._walk(base)
        else:
            for default in node.args.defaults:
                self._walk(default)
        self._run(node.body)

    def _run(self, statements):
        """Walk statements up to where this version leaves; whether it leaves here."""
        for statement in statements:
            if isinstance(statement, ast.If):
                decided = self._decide(statement.test)
                self._walk(statement.test)
                if decided is not None:
                    if self._run(statement.body if decided else statement.orelse):
                        return True
                    continue
                self._run(statement.body)
                self._run(statement.orelse)
            elif isinstance(statement, (ast.FunctionDef, ast.ClassDef)):
                self._walk_definition(statement)
            else:
                self._walk(statement)
                if isinstance(statement, (ast.Return, ast.Raise)):
                    return True
        return False

    def _walk(self, node):
        if isinstance(node, ast.IfExp) and self._decide(node.test) is not None:
            self._walk(node.body if self._decide(node.test) else node.orelse)
            return
        if isinstance(node, ast.Name) and node.id in self._definitions:
            self._reached.add(node.id)
        if isinstance(node, ast.Attribute):
            self._note(node, None)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            self._note(node.func, node)
        for field in ('body', 'orelse', 'finalbody'):  # of for, with, try
            if isinstance(getattr(node, field, None), list):
                self._run(getattr(node, field))
        for child in ast.iter_child_nodes(node):
            if not isinstance(child, ast.stmt):
                self._walk(child)

    def _decide(self, test):
        """Answer a hasattr of a TensorRT object, or its negation; None for any other test."""
        if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
            decided = self._decide(test.operand)
            return None if decided is None else not decided
        if not (isinstance(test, ast.Call) and getattr(test.func, 'id', '') == 'hasattr'):
            return None
        owner, name = self._type(test.args[0]), _text(test.args[1])
        return None if owner is None or name is None else self.has(owner, name)

    def has(self, owner, name):
        """Whether the version has an attribute of a class ('' for the module)."""
        if owner == '':
            return self._surface.has(name) or name == '__version__'
        return owner in self._surface.classes and name in self._surface.members(owner)

    def _type(self, node):
        """Tell the class of an expression; None if it is nothing of TensorRT's."""
        if isinstance(node, ast.Name):
            return self._types.get(node.id)
        if isinstance(node, ast.Attribute):
            if getattr(node.value, 'id', '') == 'self' or node.attr == 'module':
                return self._types.get(node.attr)
            if self._type(node.value) == '' and node.attr[0].isupper():
                return node.attr
        return None

    def _note(self, node, call):
        owner = self._type(node.value)
        if owner is not None and not node.attr.startswith('_'):
            arguments = None if call is None else len(call.args) + len(call.keywords)
            self.uses.append((node.lineno, owner, node.attr, arguments))


def _text(node):
    return getattr(node, 's', None) if not isinstance(node, getattr(ast, 'Constant', ())) \
        else node.value


def faults(tree, surface, types=TYPES):
    """List what the code touches but the version lacks, and calls that no overload admits."""
    walk, found = Touched(tree, surface, types), []
    for line, owner, name, arguments in walk.uses:
        if not walk.has(owner, name):
            if arguments is None:  # a call stands there twice
                found.append('line {}: {} has no {}'.format(line, owner or 'tensorrt', name))
        elif arguments is not None and owner:
            overloads = (surface.classes[owner].get('methods') or {}).get(name) or []
            if not any(arguments <= len(overload) for overload in overloads):
                found.append('line {}: {}.{} takes no {} arguments'.format(
                    line, owner, name, arguments))
    for base, node in walk.subclasses:
        for method in node.body:
            overloads = (surface.classes[base].get('methods') or {}).get(
                getattr(method, 'name', ''))
            if overloads and method.name[0] != '_':
                names = [argument.arg for argument in method.args.args[1:]]
                if names not in overloads:
                    found.append('line {}: {}.{} is called with {}'.format(
                        method.lineno, base, method.name, overloads))
    return found
