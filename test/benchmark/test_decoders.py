# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""The benchmark of decoders measures outputs that hold people."""
import re

import decoders


def test_every_decoder_finds_its_people(capsys):
    decoders.time_decoders(1)
    rows = re.findall(r'^\| (\w+) \| (\d+) \| [\d.]+ \|', capsys.readouterr().out, re.MULTILINE)
    assert dict(rows) == {'heatmap': '1', 'simcc': '1', 'regression': '1', 'yolo_pose': '8',
                          'part_pairwise': '8'}
