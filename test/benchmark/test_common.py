# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""What a benchmark says of its machine, and percentiles."""
import common
import pytest

from pose_ros.cli.probe import Answer

TX2 = ('# R32 (release), REVISION: 7.1, GCID: 29818004, BOARD: t186ref, EABI: aarch64, '
       'DATE: Sat Feb 19 17:07:00 UTC 2022\n')
ORIN = '# R36 (release), REVISION: 4.3, GCID: 38968081, BOARD: generic, EABI: aarch64\n'


@pytest.fixture
def jetson(tmp_path, monkeypatch):
    """Pretend to be a Jetson: jetson(release file, board, answer of nvpmodel -q)."""
    def pretend(release, board, answer):
        (tmp_path / 'release').write_text(release)
        monkeypatch.setattr(common, 'TEGRA_RELEASE', str(tmp_path / 'release'))
        (tmp_path / 'board').write_bytes(board)
        monkeypatch.setattr(common, 'BOARD', str(tmp_path / 'board'))

        def run(command):
            assert command == ['nvpmodel', '-q']
            return answer
        monkeypatch.setattr(common, 'run_program', run)
    return pretend


def test_a_jetson_names_its_power_mode(jetson):
    jetson(TX2, b'quill\0', Answer('NVPM WARN: fan mode is not set!\nNV Power Mode: MAXN\n0'))
    assert common.jetson_facts() == ['quill', 'L4T 32.7.1', 'power mode MAXN']
    jetson(ORIN, b'', Answer('NV Power Mode: 25W\n1'))
    assert common.jetson_facts() == ['L4T 36.4.3', 'power mode 25W']
    assert common.machine().endswith('; L4T 36.4.3; power mode 25W')


def test_a_container_does_not_hide_that_the_mode_is_unknown(jetson):
    jetson(ORIN, b'', Answer('', 'nvpmodel: No such file or directory'))
    assert common.jetson_facts()[-1] == (
        'power mode unknown (nvpmodel: No such file or directory)')
    jetson('something else\n', b'', Answer('?'))
    assert common.jetson_facts() == [
        'something else', 'power mode unknown (nvpmodel -q does not tell it)']


def test_other_machines_have_none(tmp_path, monkeypatch):
    monkeypatch.setattr(common, 'TEGRA_RELEASE', str(tmp_path / 'none'))
    assert common.jetson_facts() == []
    assert common.machine().count(';') == 1


def test_percentiles_are_measured_values():
    values = list(range(100, 0, -1))
    assert common.percentiles(values, (50, 95, 99)) == [50, 95, 99]
    assert common.percentiles([3.0], (0, 50, 99)) == [3.0, 3.0, 3.0]
    assert common.percentiles([1.0, 2.0, 9.0], (95,)) == [9.0]
