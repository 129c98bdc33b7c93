# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Write config/estimator.yaml and the parameter tables of README.md and docs/ from the code.

    tools/env.sh python tools/write_reference.py           # after a parameter changed

A test fails while they differ.
"""
from pathlib import Path
import re
import textwrap

from pose_ros.core.stages.settings import setting_tables
from pose_ros.nodes.image_source import IMAGE_SOURCE_PARAMETERS
from pose_ros.nodes.interface import ESTIMATOR_PARAMETERS
from pose_ros.nodes.monitor import MONITOR_PARAMETERS
from pose_ros.nodes.viewer import VIEWER_NODE_PARAMETERS

ROOT = Path(__file__).resolve().parents[1]
YAML_HEAD = '''\
# Parameters of the node `estimator`, with their defaults. \
Each says what it is, its range and unit.
# [DYNAMIC] ones may change while the node runs (ros2 param set), the others, but for autostart,
# while it is unconfigured.
# The root /** fits the node under whatever name and in whatever namespace.
/**:
  ros__parameters:
'''
YAML_SETTINGS = '''
    # Settings of the decoders and stages. The model card holds the best values: uncomment a line,
    # and the word above it, only to replace the card's value. Shown are the defaults used if the
    # model card does not set a value.
'''
TABLES = {'estimator': ESTIMATOR_PARAMETERS, 'image_source': IMAGE_SOURCE_PARAMETERS,
          'monitor': MONITOR_PARAMETERS, 'viewer': VIEWER_NODE_PARAMETERS}
DOCUMENTS = ('README.md', 'docs/models.md', 'docs/ros.md')


def value_text(value):
    """Write a value as YAML."""
    if isinstance(value, str):
        return "'{}'".format(value)
    return str(value).lower() if isinstance(value, bool) else repr(value)


def range_text(parameter, unit=True):
    """Write what is allowed: choices, or a range and its unit; '' for free text and switches."""
    if parameter.choices:
        return ', '.join(parameter.choices)
    if parameter.minimum is None and parameter.maximum is None:
        return ''
    text = '{:g} to {:g}'.format(parameter.lowest, parameter.highest)
    return text + (' ' + parameter.unit if unit and parameter.unit else '')


def yaml_entry(parameter, indent):
    """Write one parameter with its comment."""
    text = parameter.description
    for tag in (range_text(parameter), 'DYNAMIC' if parameter.dynamic else ''):
        text += ' [{}]'.format(tag) if tag else ''
    lines = ['# ' + line for line in textwrap.wrap(text, 95 - indent)]
    # Not every ROS 2 reads an empty list: it stands in a comment.
    comment = '# ' if parameter.default == [] else ''
    lines.append('{}{}: {}'.format(comment, parameter.name, value_text(parameter.default)))
    return '\n'.join(' ' * indent + line for line in lines)


def estimator_yaml():
    """Return the text of config/estimator.yaml."""
    text = YAML_HEAD + '\n\n'.join(yaml_entry(item, 4) for item in ESTIMATOR_PARAMETERS) + '\n'
    return text + YAML_SETTINGS + ''.join(
        yaml_block(table.owner, table.title, table.parameters) for table in setting_tables())


def yaml_block(word, title, table):
    """Write a commented block of nested parameters."""
    entries = '\n\n'.join(yaml_entry(item, 2) for item in table)
    lines = ['# {}'.format(title), '{}:'.format(word)] + entries.split('\n')
    return '\n' + ''.join(('    # ' + line).rstrip() + '\n' for line in lines)


def markdown_table(name):
    """Return the parameter table of a node, or all `settings`, as Markdown."""
    if name == 'settings':
        return '\n\n'.join('{} `{}`:\n\n{}'.format(
            *table.title.capitalize().split(), table_rows(table.parameters, table.owner + '.'))
            for table in setting_tables())
    return table_rows(TABLES[name])


def table_rows(table, prefix=''):
    """Return a table of parameters as Markdown."""
    rows = ['| parameter | default | range | unit | while running | meaning |',
            '|---|---|---|---|---|---|']
    rows += ['| `{}{}` | `{}` | {} | {} | {} | {} |'.format(
        prefix, item.name, value_text(item.default), range_text(item, unit=False), item.unit,
        'yes' if item.dynamic else 'no', item.description) for item in table]
    return '\n'.join(rows)


def with_tables(text):
    """Return a document with the tables at its `<!-- parameters of NAME -->` marks renewed."""
    def renew(match):
        return '{}\n{}\n{}'.format(match.group(1), markdown_table(match.group(2)), match.group(4))
    return re.sub(r'(<!-- parameters of (\w+) -->)\n(.*?)(<!-- end -->)', renew, text,
                  flags=re.DOTALL)


def documents():
    """Return {path: the text that it should have}."""
    texts = {ROOT / 'config' / 'estimator.yaml': estimator_yaml()}
    for name in DOCUMENTS:
        texts[ROOT / name] = with_tables((ROOT / name).read_text(encoding='utf-8'))
    return texts


if __name__ == '__main__':
    for path, text in documents().items():
        path.write_text(text, encoding='utf-8')
        print('wrote', path.relative_to(ROOT))
