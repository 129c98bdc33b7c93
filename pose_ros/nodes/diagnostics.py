# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""What the estimator reports on /diagnostics."""
from typing import Dict, List, Tuple

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue

from pose_ros.nodes.statistics import Statistics

_ERROR_SHOWN_FOR = 5.0  # s


def to_diagnostics(stamp, name: str, hardware: str, level: bytes, message: str,
                   values: Dict[str, object]) -> DiagnosticArray:
    """Build the message for one component."""
    status = DiagnosticStatus(level=level, name=name, message=message, hardware_id=hardware)
    status.values = [KeyValue(key=key, value=str(value)) for key, value in values.items()]
    array = DiagnosticArray(status=[status])
    array.header.stamp = stamp
    return array


def judge(active: bool, enabled: bool, start_error: str, warnings: List[str],
          statistics: Statistics) -> Tuple[bytes, str]:
    """Sum the node's state up as a level and one line."""
    if start_error:
        return DiagnosticStatus.ERROR, start_error
    if not active:
        return DiagnosticStatus.OK, 'not active'
    if not enabled:
        return DiagnosticStatus.OK, 'disabled by ~/enable'
    error = statistics.recent_error(_ERROR_SHOWN_FOR)
    problems = warnings + ['frames fail: ' + error] if error else warnings
    if problems:
        return DiagnosticStatus.WARN, '; '.join(problems)
    return DiagnosticStatus.OK, 'estimating'


def statistics_values(statistics: Statistics) -> Dict[str, object]:
    """Counters, rates [Hz], timings [ms] as diagnostic values."""
    values = {'frames received': statistics.received, 'frames processed': statistics.processed,
              'frames dropped': statistics.dropped, 'frames failed': statistics.failed,
              'people in last frame': statistics.people, 'time jumps': statistics.time_jumps,
              'last error': statistics.last_error or 'none'}
    for name, rate in statistics.rates().items():
        values['{} rate [Hz]'.format(name)] = '{:.1f}'.format(rate)
    for stage, text in statistics.timings().items():
        values['{} [ms]'.format(stage)] = text
    return values
