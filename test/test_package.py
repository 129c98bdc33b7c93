# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""The package's descriptions agree with each other and with the files."""
import ast
import os
import re
import xml.etree.ElementTree as ElementTree

import pytest

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
SCRIPTS = sorted(os.listdir(os.path.join(ROOT, 'scripts')))


def read(*path):
    with open(os.path.join(ROOT, *path)) as file:
        return file.read()


def setup_arguments():
    calls = [node for node in ast.walk(ast.parse(read('setup.py')))
             if isinstance(node, ast.Call) and getattr(node.func, 'id', '') == 'setup']
    return {keyword.arg: keyword.value for keyword in calls[0].keywords}


def test_one_version_and_name():
    package = ElementTree.fromstring(read('package.xml'))
    arguments = setup_arguments()
    assert package.findtext('version') == ast.literal_eval(arguments['version'])
    assert package.findtext('name') == ast.literal_eval(arguments['name'])
    assert 'project({})'.format(package.findtext('name')) in read('CMakeLists.txt')
    assert package.findtext('license') == ast.literal_eval(arguments['license'])


def test_cmake_installs_every_script():
    installed = set(re.findall(r'\bscripts/([\w-]+)', read('CMakeLists.txt')))
    assert installed == set(SCRIPTS)


@pytest.mark.parametrize('script', SCRIPTS)
def test_script_runs_an_existing_main(script):
    text = read('scripts', script)
    assert text.startswith('#!/usr/bin/env python3\n')
    assert os.access(os.path.join(ROOT, 'scripts', script), os.X_OK)
    module = re.search(r'^from (pose_ros\.[\w.]+) import main$', text, re.MULTILINE).group(1)
    tree = ast.parse(read(*module.split('.')[:-1], module.split('.')[-1] + '.py'))
    assert 'main' in [node.name for node in tree.body if isinstance(node, ast.FunctionDef)]


def test_pip_installs_the_same_command():
    points = ast.literal_eval(setup_arguments()['entry_points'])
    assert points == {'console_scripts': ['pose-ros = pose_ros.cli.main:main']}
    assert 'from pose_ros.cli.main import main' in read('scripts', 'pose-ros')


def test_package_xml_names_what_is_imported():
    """Every ROS package that pose_ros/ or launch/ imports is a dependency, and no other."""
    package = ElementTree.fromstring(read('package.xml'))
    named = {element.text for element in package if element.tag in ('depend', 'exec_depend')}
    imported = set()
    for folder in ('pose_ros', 'launch'):
        for path, _, files in os.walk(os.path.join(ROOT, folder)):
            for name in files:
                if name.endswith('.py'):
                    imported |= imported_packages(read(path, name))
    others = ('cv_bridge', 'launch', 'launch_ros', 'rclpy')
    of_ros = {name for name in imported if name.endswith(('_msgs', '_srvs')) or name in others}
    # rcl_interfaces is part of rclpy's API and comes with it; of the last three, two stand in the
    # messages, and nodes/optional_output.py imports tf2_msgs by name.
    assert of_ros - {'rcl_interfaces'} <= named
    assert {name for name in named if name.endswith(('_msgs', '_srvs'))} - {
        'geometry_msgs', 'std_msgs', 'tf2_msgs'} <= of_ros
    test_only = {element.text for element in package if element.tag == 'test_depend'}
    assert not test_only & named


def imported_packages(text):
    names = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            names |= {alias.name.split('.')[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and not node.level:
            names.add(node.module.split('.')[0])
    return names
