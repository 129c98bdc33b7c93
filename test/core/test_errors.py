# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Texts of errors are short, and safe in a terminal and a message, whatever they quote."""
import os
import subprocess
import sys

import onnx
import pytest

from pose_ros.core.errors import CardError, shown
from pose_ros.core.onnx_file import read_metadata


@pytest.mark.parametrize('text', ['', 'no model file a.onnx', 'Größe 人', 'line\n\tof a trace'])
def test_plain_text_is_unchanged(text):
    assert shown(text) == text and str(CardError(text)) == text


@pytest.mark.parametrize('text, expected', [
    ('\x1b]0;title\x07', r'\x1b]0;title\x07'), ('a\rb\x9bc', r'a\x0db\x9bc'),
    ('\ud800', r'\ud800'), ('abc\u202etxt', r'abc\u202etxt'), ('\x00', r'\x00'),
    ('\x7f', r'\x7f')])
def test_what_a_terminal_obeys_is_escaped(text, expected):
    assert shown(text) == expected and str(CardError(text)) == expected
    assert shown(text).encode('utf-8')


@pytest.mark.parametrize('character', ['x', '\x1b', '\ud800'])
def test_long_text_keeps_its_start_and_its_end(character):
    text = shown('model a.onnx: {}: check the card'.format(200405 * character))
    assert len(text) <= 2000
    assert text.startswith('model a.onnx: ') and text.endswith(': check the card')
    assert '(200435 characters)' in text
    assert len(shown('a' * 500, 100)) == 100


def test_a_command_prints_a_hostile_name_escaped(make_model, tmp_path):
    """A tensor's name and a card's value arrive on the terminal without their escape sequence."""
    model = onnx.load(make_model())
    hostile = '\x1b[31m' + 5000 * 'x'
    for node in model.graph.node:
        node.output[:] = [hostile if name == model.graph.output[0].name else name
                          for name in node.output]
        node.input[:] = [hostile if name == model.graph.output[0].name else name
                         for name in node.input]
    model.graph.output[0].name = hostile
    path = str(tmp_path / 'hostile.onnx')
    onnx.save(model, path)
    assert read_metadata(path)
    result = subprocess.run([sys.executable, '-m', 'pose_ros.cli', 'info', path],
                            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                            universal_newlines=True, env=dict(os.environ), timeout=120)
    assert result.returncode == 1 and 'pose-ros: error: ' in result.stdout
    assert '\x1b' not in result.stdout and len(result.stdout) < 2500
