# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""An output of a command is never an input or another output, under any name."""
import argparse
import json
import os

import pytest

from pose_ros.core.command_files import check_outputs, write_json
from pose_ros.core.errors import OutputError


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A folder with an input under several names, as current folder."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / 'in').mkdir()
    (tmp_path / 'in' / 'a.png').write_bytes(b'image')
    os.link('in/a.png', 'hard')
    os.symlink('in/a.png', 'soft')
    os.symlink('in', 'alias')
    return tmp_path


@pytest.mark.parametrize('output', ['in/a.png', './in/../in/a.png', 'hard', 'soft', 'alias/a.png'])
@pytest.mark.parametrize('given', ['in/a.png', 'in', 'alias', 'hard'])
def test_an_input_is_never_an_output(place, output, given):
    with pytest.raises(argparse.ArgumentError, match='--output: .* would overwrite the input'):
        check_outputs({'--output': output}, [given])


@pytest.mark.parametrize('output', ['in', 'in/', 'alias', './in/.'])
@pytest.mark.parametrize('given', ['in/a.png', 'in', 'alias/a.png', 'soft'])
def test_a_folder_of_inputs_is_no_output_folder(place, output, given):
    with pytest.raises(argparse.ArgumentError, match='would overwrite the input'):
        check_outputs({'--output': output}, [given])


def test_an_input_that_is_a_link_into_the_output_folder_counts(place):
    (place / 'links').mkdir()
    os.symlink('../in/a.png', 'links/b.png')
    with pytest.raises(argparse.ArgumentError, match='would overwrite the input'):
        check_outputs({'--output': 'in/'}, ['links'])


@pytest.mark.parametrize('first, second', [
    ('new', 'new'), ('new', './new'), ('in/new', 'alias/new'), ('hard', 'soft')])
def test_two_outputs_are_two_files(place, first, second):
    with pytest.raises(argparse.ArgumentError, match='--output: .* is also the file of --json'):
        check_outputs({'--json': first, '--output': second})


def test_a_json_file_has_no_name_of_an_image(place):
    with pytest.raises(argparse.ArgumentError, match='name of an image'):
        check_outputs({'--json': 'photo.JPG'})


def test_other_outputs_pass(place):
    check_outputs({'--json': 'in/new.json', '--output': 'drawn/'}, ['in', 'in/a.png', None])
    check_outputs({'--json': '-', '--output': 'hard', '-o': None}, ['absent'])
    check_outputs({'-o': '-'}, [], ['-o'])
    with pytest.raises(OutputError, match='cannot write absent/x: there is no folder'):
        check_outputs({'--output': 'absent/x'})


def test_stdout_is_an_output(place, capsys):
    write_json('-', {'a': 1})
    assert json.loads(capsys.readouterr().out) == {'a': 1}
    assert not os.path.exists('-')
