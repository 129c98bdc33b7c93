# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""README, docs/ros.md and config/estimator.yaml agree with the code and the running node."""
import importlib.util
from itertools import zip_longest
from pathlib import Path
import re

import pytest
import yaml

from pose_ros import msg
from pose_ros.core.engines import BACKENDS
from pose_ros.core.stages.settings import setting_tables
from pose_ros.core.image_messages import DECODERS
from pose_ros.nodes.interface import ESTIMATOR_PARAMETERS

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / 'README.md').read_text(encoding='utf-8')
ROS = (ROOT / 'docs' / 'ros.md').read_text(encoding='utf-8')


def _rows(heading, text=README):
    """Cells of the first table below a heading, without its head."""
    section = text.split('\n' + heading + '\n', 1)[1]
    lines = [line for line in section.split('\n\n|', 1)[1].split('\n\n')[0].split('\n')][2:]
    return [[cell.strip().strip('`') for cell in line.strip('|').split('|')] for line in lines]


def test_generated_parts_are_up_to_date():
    spec = importlib.util.spec_from_file_location(
        'reference', ROOT / 'tools' / 'write_reference.py')
    reference = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(reference)
    texts = reference.documents()
    for path, text in texts.items():
        assert path.read_text(encoding='utf-8') == text, \
            '{} is out of date: tools/env.sh python tools/write_reference.py'.format(path.name)
    marks = re.findall('<!-- parameters of (.*) -->', ''.join(texts.values()))
    assert sorted(marks) == sorted(list(reference.TABLES) + ['settings'])


def test_yaml_holds_every_parameter_with_its_default():
    text = (ROOT / 'config' / 'estimator.yaml').read_text(encoding='utf-8')
    values = yaml.safe_load(text)['/**']['ros__parameters']
    # Not every ROS 2 reads an empty list: it stands in a comment.
    assert values == {parameter.name: parameter.default for parameter in ESTIMATOR_PARAMETERS
                      if parameter.default != []}
    assert '\n    # cameras: []\n' in text
    blocks = re.split('^    # # ', text, flags=re.MULTILINE)[1:]
    for block, table in zip_longest(blocks, setting_tables()):
        title, content = block.split('\n', 1)
        assert title == table.title
        assert yaml.safe_load(re.sub('^    # ', '', content, flags=re.MULTILINE)) == {
            table.owner: {parameter.name: parameter.default for parameter in table.parameters}}


@pytest.mark.parametrize('transport', ['raw', 'compressed'])
def test_topics_are_those_of_the_running_node(graph, tiny_model, transport):
    graph.start_estimator(tiny_model, image_transport=transport, depth_transport=transport)
    estimator = ('estimator', graph.namespace)
    graph.wait(lambda: estimator in graph.node.get_node_names_and_namespaces(), 'the node')
    standard = {'/rosout', '/parameter_events', '/clock',
                graph.namespace + '/estimator/transition_event'}

    def found(list_topics):
        return {(name.replace(graph.namespace + '/estimator/', '~/')
                 .replace(graph.namespace + '/', ''), types[0])
                for name, types in list_topics(*estimator) if name not in standard}
    rows = _rows('### Topics of the estimator')
    documented_out = {(row[0], row[1]) for row in rows if row[2] == 'out'}
    documented_in = {(row[0], row[1]) for row in rows if row[2] == 'in'}
    others = ('image', 'depth') if transport == 'compressed' \
        else ('image/compressed', 'depth/compressedDepth')
    expected_in = {item for item in documented_in if item[0] not in others}
    graph.wait(lambda: found(graph.node.get_publisher_names_and_types_by_node) == documented_out,
               'publishers {}'.format(documented_out))
    graph.wait(lambda: found(graph.node.get_subscriber_names_and_types_by_node) == expected_in,
               'subscriptions {}'.format(expected_in))
    services = {name for name, _ in graph.node.get_service_names_and_types_by_node(
        'estimator', graph.namespace)}
    assert graph.namespace + '/estimator/enable' in services and '`~/enable`' in README


def test_message_tables():
    documented, message = {}, ''
    for row in _rows('## Messages', ROS):
        message = row[0] or message
        documented.setdefault(message, {})[row[1]] = row[2]
    assert set(documented) == {
        'SkeletonArray', 'Skeleton', 'Keypoint', 'BoundingBox2D', 'SkeletonTopology'}
    for message, fields in documented.items():
        assert fields == getattr(msg, message).get_fields_and_field_types()


def test_named_things_exist():
    for name in re.findall(r'`((?:Coco|Body|Mpi|TrtPose|Hand|Face)\w+)`', ROS):
        assert hasattr(msg, name)
    for link in re.findall(r'\]\(([^)#:]+)\)', README):
        assert (ROOT / link).exists(), link
    for target in re.findall(r'^    make (\w+)', README, re.MULTILINE):
        assert re.search(r'^{}:'.format(target), (ROOT / 'Makefile').read_text(), re.MULTILINE)
    launch_files = {path.name for path in (ROOT / 'launch').glob('*.launch.py')}
    assert {row[0] for row in _rows('## On a robot')} == launch_files
    match = re.search(r'^Encodings: (.*?); row padding', ROS, re.DOTALL | re.MULTILINE)
    sentence = match.group(1)
    encodings = set(re.findall(r'`(\w+)`', sentence))
    assert encodings == {name for name in DECODERS if not name.startswith('bayer')}
    assert 'Bayer' in sentence
    assert set(BACKENDS) <= set(re.findall(r'\w+', README.lower()))
