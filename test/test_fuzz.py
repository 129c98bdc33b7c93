# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Random hostile cards, ONNX files and messages find no fault; test/fuzz.py makes more of them."""
import json
import os
import subprocess
import sys

import pytest

# Cases of each kind; together they take a few seconds.
COUNTS = {'cards': 400, 'headers': 300, 'models': 60, 'images': 400, 'compressed': 300,
          'depths': 400, 'calibrations': 400, 'bags': 200}
NEED_ONNX = ('headers', 'models')
MOST_MIB = 1024
HERE = os.path.dirname(os.path.abspath(__file__))


@pytest.mark.parametrize('kind', COUNTS)
def test_random_input_is_accepted_or_refused(kind):
    if kind in NEED_ONNX:
        pytest.importorskip('onnx')
    if kind == 'bags':
        pytest.importorskip('rosbags', reason='rosbags needs Python 3.10 or newer')
        pytest.importorskip('mcap')
    child = subprocess.run([sys.executable, os.path.join(HERE, 'fuzz.py'), kind,
                            str(COUNTS[kind])], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                           universal_newlines=True, timeout=600)
    assert child.stdout, 'the process ended with {}: {}'.format(child.returncode, child.stderr)
    found = json.loads(child.stdout)
    assert not found['findings']
    assert found['accepted'] > 0 and found['refused'] > COUNTS[kind] // 4
    assert found['accepted'] + found['refused'] == COUNTS[kind]
    assert found['peak_mib'] < MOST_MIB
