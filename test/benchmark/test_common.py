# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""The machine's line, and percentiles."""
import common


def test_the_line_has_the_facts_of_a_jetson(monkeypatch):
    monkeypatch.setattr(common, 'jetson_facts', lambda: ['L4T 36.4.3', 'power mode 25W'])
    assert common.machine().endswith('; L4T 36.4.3; power mode 25W')
    monkeypatch.setattr(common, 'jetson_facts', lambda: [])
    assert common.machine().count(';') == 1


def test_percentiles_are_measured_values():
    values = list(range(100, 0, -1))
    assert common.percentiles(values, (50, 95, 99)) == [50, 95, 99]
    assert common.percentiles([3.0], (0, 50, 99)) == [3.0, 3.0, 3.0]
    assert common.percentiles([1.0, 2.0, 9.0], (95,)) == [9.0]
