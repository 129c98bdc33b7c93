# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Random damage to weight files of all formats finds no fault; fuzz_importers.py makes more."""
import json
from pathlib import Path
import subprocess
import sys

COUNT = 150
MOST_MIB = 1536


def test_damaged_weight_files_are_refused():
    script = Path(__file__).parent / 'fuzz_importers.py'
    child = subprocess.run([sys.executable, str(script), str(COUNT)], stdout=subprocess.PIPE,
                           stderr=subprocess.PIPE, universal_newlines=True, timeout=600)
    assert child.stdout, 'the process ended with {}: {}'.format(child.returncode,
                                                                child.stderr[-2000:])
    found = json.loads(child.stdout.splitlines()[-1])
    assert not found['findings']
    assert found['accepted'] + found['refused'] == COUNT and found['refused'] > COUNT // 2
    assert found['peak_mib'] < MOST_MIB
