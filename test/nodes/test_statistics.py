# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Counts, rates and timings that the diagnostics report."""
import pytest

from pose_ros.nodes import statistics
from pose_ros.nodes.statistics import Statistics


@pytest.fixture
def clock(monkeypatch):
    """A clock that tests set by hand."""
    now = [1000.0]
    monkeypatch.setattr(statistics.time, 'monotonic', lambda: now[0])
    return now


def test_rates_since_the_last_call(clock):
    counts = Statistics()
    assert counts.rates() == {'received': 0.0, 'processed': 0.0, 'dropped': 0.0, 'lost': 0.0}
    counts.received, counts.processed, counts.dropped, counts.lost = 60, 10, 50, 4
    clock[0] += 2.0
    assert counts.rates() == {'received': 30.0, 'processed': 5.0, 'dropped': 25.0, 'lost': 2.0}
    clock[0] += 1.0
    assert counts.rates()['received'] == 0.0


def test_timings_are_median_and_95th_percentile_in_ms():
    counts = Statistics()
    for milliseconds in range(101):
        counts.record('network', milliseconds * 1e-3)
    assert counts.timings() == {'network': '50.00 (p95 95.00)'}
    for _ in range(200):  # old ones leave the window
        counts.record('network', 1e-3)
    assert counts.timings() == {'network': '1.00 (p95 1.00)'}


def test_silence_counts_from_the_later_of_start_and_last_frame(clock):
    counts = Statistics()
    clock[0] += 4.0
    assert counts.silence(since=1001.0) == 3.0
    counts.record_received()
    clock[0] += 2.0
    assert counts.silence(since=1001.0) == 2.0
    assert counts.silence(since=1005.0) == 1.0


def test_errors_are_recent_for_a_while(clock):
    counts = Statistics()
    assert counts.recent_error(5.0) == ''
    counts.record_error('step too small')
    clock[0] += 4.0
    assert counts.recent_error(5.0) == 'step too small' and counts.failed == 1
    clock[0] += 2.0
    assert counts.recent_error(5.0) == '' and counts.last_error == 'step too small'
