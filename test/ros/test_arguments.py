# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Arguments of a node that are wrong: one line that explains, or a warning; never silence."""
import os
import subprocess
import sys

from graph import ROOT
import pytest
import yaml

from pose_ros.nodes.parameter_files import file_problems, unmatched_files

NODES = ('estimator', 'image_source', 'monitor')


def run(node, *arguments):
    """Run a node until it ends by itself; return exit code and output."""
    result = subprocess.run(
        [sys.executable, '-m', 'pose_ros.nodes.' + node, '--ros-args'] + list(arguments),
        cwd=str(ROOT), env=dict(os.environ), stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        universal_newlines=True, timeout=120)
    return result.returncode, result.stdout


@pytest.mark.parametrize('node', NODES)
def test_a_bad_parameter_file_is_explained(tmp_path, node):
    path = tmp_path / 'tab.yaml'
    path.write_text('/**:\n  ros__parameters:\n\tmodel: x\n')
    code, text = run(node, '--params-file', str(path))
    assert code == 1 and 'Traceback' not in text
    assert 'cannot start: the parameter file {}, line 3 is not valid YAML'.format(path) in text


@pytest.mark.parametrize('arguments, words', [
    (['--params-file', '/nowhere.yaml'],
     'cannot read the parameter file /nowhere.yaml: No such file or directory'),
    (['-p', 'rate:=[1, a]'], "parameter override rule: '-p rate:=[1, a]'"),
    (['--nothing'], "unknown arguments after --ros-args: ['--nothing']"),
    (['-p', 'period:=fast'], "period must be a number, not 'fast'")])
def test_other_bad_arguments(arguments, words):
    code, text = run('monitor', *arguments)
    assert code == 1 and 'cannot start: ' in text and words in text and 'Traceback' not in text


def test_file_problems_name_file_and_line(tmp_path):
    good, bad = tmp_path / 'good.yaml', tmp_path / 'bad.yaml'
    good.write_text('/**:\n  ros__parameters:\n    cameras: !!python/tuple [a]\n')
    bad.write_text('a: [1\nb: 2\n')
    words = ['x', '--params-file', str(good), '--params-file', str(bad)]
    assert file_problems(words[:3]) == []
    [problem] = file_problems(words)
    assert problem.startswith('the parameter file {}, line 2 is not valid YAML: '.format(bad))


@pytest.mark.parametrize('names, fits', [
    (['/**'], True), (['/pose/estimator'], True), (['/pose', 'estimator'], True),
    (['/*/estimator'], True), (['/**/estimator'], True), (['estimator'], False), ([], False),
    (['/pose/estimators'], False), (['/*'], False)])
def test_a_file_without_a_section_for_the_node_is_found(tmp_path, names, fits):
    path = tmp_path / 'file.yaml'
    content = {'ros__parameters': {'a': 1}} if names else None
    for name in reversed(names):
        content = {name: content}
    path.write_text(yaml.safe_dump(content))
    found = unmatched_files(['--params-file', str(path)], '/pose/estimator')
    assert bool(found) != fits
    assert fits or 'has no section for /pose/estimator' in found[0]


def test_a_file_for_another_node_is_reported_by_the_node(graph, tmp_path):
    path = tmp_path / 'typo.yaml'
    path.write_text('/pose/monitors:\n  ros__parameters:\n    period: 0.5\n')
    process = graph.start('monitor', files=[str(path)])
    expected = 'has no section for {}/monitor (it has: /pose/monitors)'.format(graph.namespace)
    graph.wait(lambda: expected in process.log(), 'the warning', process)


TYPOS = {
    'estimator': [
        "there is no parameter 'modle'; did you mean 'model'?",
        "there is no parameter 'image_transprot'; did you mean 'image_transport'?",
        "there is no parameter 'decoder.min_scor'; did you mean 'selection.min_score'?",
        "there is no parameter 'decoder.min_score'; did you mean 'selection.min_score'?"],
    'image_source': ["there is no parameter 'image_transprot'; did you mean 'image_transport'?"],
    'monitor': ["there is no parameter 'modle'"]}


@pytest.mark.parametrize('node', NODES)
def test_misspelt_parameters_are_named_with_the_nearest(graph, tiny_model, shared, node):
    model = {'model': tiny_model} if node == 'estimator' else {}
    process = graph.start(node, files=[str(shared / 'faults' / 'typo.yaml')], **model)
    graph.wait(lambda: all(text in process.log() for text in TYPOS[node]), 'the warnings', process)
    assert 'no_image_timeout' not in process.log() or node != 'estimator'


def test_misspelt_parameters_are_named_when_the_model_fails_too(graph):
    process = graph.start('estimator', model='/nowhere.onnx', diagnostics_period=0.2,
                          **{'backnd': 'openvino', 'selection.min_scor': 0.5,
                             'selection.min_score': 0.5})
    graph.wait(lambda: 'unknown parameters' in graph.values(), 'the diagnostics', process)
    assert graph.values()['unknown parameters'] == (
        "there is no parameter 'backnd'; did you mean 'backend'?; there is no parameter "
        "'selection.min_scor'; did you mean 'selection.min_score'?")
