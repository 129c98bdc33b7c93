# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""The shared-memory settings of Fast DDS: found, rightly named, and well-formed."""
import os
from pathlib import Path
from xml.etree import ElementTree

from pose_ros.nodes.dds import shared_memory_settings

CONFIG = Path(__file__).resolve().parents[2] / 'config'
NEW, OLD = 'FASTDDS_DEFAULT_PROFILES_FILE', 'FASTRTPS_DEFAULT_PROFILES_FILE'


def _prefix(tmp_path):
    (tmp_path / 'share' / 'pose_ros').mkdir(parents=True)
    (tmp_path / 'share' / 'pose_ros' / 'config').symlink_to(CONFIG)
    return os.pathsep.join(['/opt/nothing', str(tmp_path)])


def test_the_variable_has_the_name_that_the_distribution_reads(tmp_path):
    prefix = _prefix(tmp_path)
    cases = (('humble', OLD, NEW), ('jazzy', OLD, NEW), ('kilted', NEW, OLD))
    for distro, variable, other in cases:
        settings = shared_memory_settings({'AMENT_PREFIX_PATH': prefix, 'ROS_DISTRO': distro})
        assert Path(settings[variable]).samefile(CONFIG / 'fastdds.xml') and other not in settings


def test_the_users_choice_and_other_variables_stay(tmp_path):
    given = {'AMENT_PREFIX_PATH': _prefix(tmp_path), NEW: '/mine.xml', 'HOME': '/home/robot'}
    assert shared_memory_settings(given) == given


def test_without_an_installed_package_nothing_is_set():
    assert shared_memory_settings({'HOME': '/'}) == {'HOME': '/'}


def test_an_image_of_4k_fits():
    root = ElementTree.parse(str(CONFIG / 'fastdds.xml')).getroot()
    sizes = {element.tag.split('}')[1]: int(element.text) for element in root.iter()
             if element.tag.endswith(('segment_size', 'maxMessageSize'))}
    assert sizes['segment_size'] > 3840 * 2160 * 3
