# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Board, L4T release and power mode of a Jetson, which determine its timings."""
import re
from typing import List

from pose_ros.cli.probe import run_program

_TEGRA_RELEASE, _DEVICE_TREE = '/etc/nv_tegra_release', '/proc/device-tree/'


def jetson_facts() -> List[str]:
    """Return board, L4T release and power mode of a Jetson as texts; empty on other machines.

    The power mode sets the clocks (nvpmodel, Jetson Linux Developer Guide). In a container the
    release file and nvpmodel may be missing: the text then contains "unknown".
    """
    release = _read(_TEGRA_RELEASE)
    if not release and 'nvidia,tegra' not in _read(_DEVICE_TREE + 'compatible'):
        return []
    board = _read(_DEVICE_TREE + 'model').strip('\0 \n')
    return ([board] if board else []) + [_l4t(release), _power_mode()]


def _l4t(release):
    found = re.search(r'R(\d+) \(release\), REVISION: ([\d.]+)', release)
    if found:
        return 'L4T {}.{}'.format(*found.groups())
    return release.strip().split('\n')[0] or 'L4T release unknown (no {})'.format(_TEGRA_RELEASE)


def _power_mode():
    answer = run_program(['nvpmodel', '-q'])
    mode = re.search(r'NV Power Mode: *(.+)', answer.output)
    if mode:
        return 'power mode {}'.format(mode.group(1).strip())
    return 'power mode unknown ({})'.format(answer.error or 'nvpmodel -q does not print it')


def _read(path):
    try:
        with open(path) as stream:
            return stream.read()
    except OSError:
        return ''
