# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""The configurations of RViz and Foxglove show topics that the estimator publishes."""
import json
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[2]


def test_rviz_configuration_shows_what_the_estimator_publishes():
    config = yaml.safe_load((ROOT / 'config' / 'rviz' / 'estimator.rviz').read_text())
    manager = config['Visualization Manager']
    displays = {display['Class'].split('/')[1]: display for display in manager['Displays']}
    assert manager['Global Options']['Fixed Frame'] == 'camera_optical_frame'
    assert {name: display['Enabled'] for name, display in displays.items()} == {
        'Image': True, 'MarkerArray': True, 'TF': True, 'Grid': False}
    assert displays['Image']['Topic']['Value'] == '/pose/overlay'
    assert displays['MarkerArray']['Topic']['Value'] == '/pose/markers'


def test_foxglove_layout_shows_what_the_estimator_publishes():
    layout = json.loads((ROOT / 'config' / 'foxglove' / 'estimator.json').read_text())
    panels = layout['configById']
    assert panels['Image!overlay']['imageMode']['imageTopic'] == '/pose/overlay'
    assert list(panels['3D!skeletons']['topics']) == ['/pose/markers']
    assert panels['DiagnosticSummary!problems']['topicToRender'] == '/diagnostics'
    assert panels['RawMessages!skeletons']['topicPath'] == '/pose/skeletons'
    assert [path['value'] for path in panels['Plot!scores']['paths']] == [
        '/pose/skeletons.skeletons[:].confidence']

    def leaves(node):
        if isinstance(node, str):
            return [node]
        return leaves(node['first']) + leaves(node['second'])
    assert sorted(leaves(layout['layout'])) == sorted(panels)
