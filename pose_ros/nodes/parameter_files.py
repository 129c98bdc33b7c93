# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""What is wrong with the parameter files of a command line, in words that name file and line."""
import re
from typing import Iterator, List, Sequence

import yaml

from pose_ros.core.reading import LARGEST_CARD, read_file

_OPTION, _KEY = '--params-file', 'ros__parameters'
_NO_YAML = (ValueError, RecursionError, yaml.YAMLError)


def file_problems(arguments: Sequence[str]) -> List[str]:
    """Describe each parameter file that cannot be read, or is no YAML."""
    problems = []
    for path in _paths(arguments):
        try:
            _load(path)
        except OSError as error:
            problems.append('cannot read the parameter file {}: {}; give an absolute path'.format(
                path, error.strerror))
        except _NO_YAML as error:
            mark = getattr(error, 'problem_mark', None)
            where = ', line {}'.format(mark.line + 1) if mark else ''
            problems.append('the parameter file {}{} is not valid YAML: {}'.format(
                path, where, getattr(error, 'problem', None) or error))
    return problems


def unmatched_files(arguments: Sequence[str], node: str) -> List[str]:
    """Describe each parameter file without a section for a node, given by its full name."""
    texts = []
    for path in _paths(arguments):
        try:
            sections = list(_sections(_load(path), ''))
        except (OSError,) + _NO_YAML:
            continue  # ROS 2 has read it, and that is what counts
        if not any(_matches(section, node) for section in sections):
            texts.append('the parameter file {} has no section for {} (it has: {}); /** fits '
                         'every node'.format(path, node, ', '.join(sections) or 'none'))
    return texts


def _paths(arguments):
    return [path for option, path in zip(arguments, arguments[1:]) if option == _OPTION]


def _load(path):
    # launch_ros writes lists with a tag of Python; ROS 2 ignores it.
    return yaml.safe_load(read_file(path, LARGEST_CARD).replace(b'!!python/tuple', b''))


def _sections(content, prefix) -> Iterator[str]:
    """Yield the full names, or patterns, of the nodes that a file has parameters for."""
    if isinstance(content, dict):
        for key, value in content.items():
            name = '{}/{}'.format(prefix, str(key).strip('/'))
            if isinstance(value, dict) and _KEY in value:
                yield name
            else:
                for section in _sections(value, name):
                    yield section


def _matches(section, node):
    """Apply the wildcards of ROS 2: ** is any number of parts of a name, * is one."""
    pattern = ''.join(
        {'**': '(/[^/]+)*', '*': '/[^/]+'}.get(part, '/' + re.escape(part))
        for part in section.strip('/').split('/'))
    return re.match(pattern + r'\Z', node) is not None
