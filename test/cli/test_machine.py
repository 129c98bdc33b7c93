# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""The facts about a Jetson that belong to its timings."""
import json

import pytest

from pose_ros.cli import bench, machine
from pose_ros.cli.probe import ProbeResult

TX2 = ('# R32 (release), REVISION: 7.1, GCID: 29818004, BOARD: t186ref, EABI: aarch64, '
       'DATE: Sat Feb 19 17:07:00 UTC 2022\n')
ORIN = '# R36 (release), REVISION: 4.3, GCID: 38968081, BOARD: generic, EABI: aarch64\n'
MISSING = ProbeResult('', 'nvpmodel: No such file or directory')


@pytest.fixture
def pretend(tmp_path, monkeypatch):
    """Make a machine: pretend({file: content}, result of nvpmodel -q)."""
    monkeypatch.setattr(machine, '_TEGRA_RELEASE', str(tmp_path / 'release'))
    monkeypatch.setattr(machine, '_DEVICE_TREE', str(tmp_path) + '/')

    def make(files, answer=MISSING):
        for name, content in files.items():
            (tmp_path / name).write_bytes(content.encode())

        def run(command):
            assert command == ['nvpmodel', '-q']
            return answer
        monkeypatch.setattr(machine, 'run_program', run)
    return make


def test_a_jetson_names_its_power_mode(pretend):
    pretend({'release': TX2, 'model': 'quill\0'},
            ProbeResult('NVPM WARN: fan mode is not set!\nNV Power Mode: MAXN\n0'))
    assert machine.jetson_facts() == ['quill', 'L4T 32.7.1', 'power mode MAXN']
    pretend({'release': ORIN}, ProbeResult('NV Power Mode: 25W\n1'))
    assert machine.jetson_facts()[1:] == ['L4T 36.4.3', 'power mode 25W']


def test_unknown_facts_in_a_container_are_reported(pretend):
    pretend({'compatible': 'nvidia,p3701-0000\0nvidia,tegra234\0'})
    assert machine.jetson_facts() == [
        'L4T release unknown (no {})'.format(machine._TEGRA_RELEASE),
        'power mode unknown (nvpmodel: No such file or directory)']
    pretend({'release': 'something else\n'}, ProbeResult('?'))
    assert machine.jetson_facts() == [
        'something else', 'power mode unknown (nvpmodel -q does not print it)']


def test_other_machines_have_none(pretend):
    pretend({'compatible': 'raspberrypi,5-model-b\0', 'model': 'Raspberry Pi 5\0'})
    assert machine.jetson_facts() == []


@pytest.mark.parametrize('facts', [[], ['quill', 'L4T 32.7.1', 'power mode MAXN']])
def test_bench_reports_them(tiny_model, tmp_path, monkeypatch, capsys, facts):
    monkeypatch.setattr(bench, 'jetson_facts', lambda: facts)
    from pose_ros.cli.main import main
    output = tmp_path / 'bench.json'
    assert main(['bench', '--model', tiny_model, '--repeat', '2', '--json', str(output)]) == 0
    assert ('quill, L4T 32.7.1, power mode MAXN\n' in capsys.readouterr().out) == bool(facts)
    assert json.loads(output.read_text())['machine']['jetson'] == facts
