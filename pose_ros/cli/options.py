# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Options that the commands of pose-ros share; see also pose_ros.core.command_options."""
import textwrap
from typing import Any, Dict, Sequence

from pose_ros.core.command_options import add_parameter, count, explain
from pose_ros.core.image_size import SIZE_PARAMETER
from pose_ros.core.parameters import Parameter
from pose_ros.core.stages.settings import setting_tables


def add_input_options(parser) -> None:
    """Add the options of image and video files."""
    add_parameter(parser, SIZE_PARAMETER)


def add_output_options(parser, output: str) -> None:
    """Add the options of result files and drawings; `output` is the help of --output."""
    add_result_options(parser).add_argument('--output', metavar='PATH', help=output)


def add_result_options(parser):
    """Add the options of result files; return their group."""
    group = parser.add_argument_group('results')
    group.add_argument('--json', metavar='FILE',
                       help='write all facts to a JSON file, frame by frame; - is stdout')
    group.add_argument('--csv', metavar='FILE',
                       help='write a table with one row per keypoint that was found; - is stdout')
    group.add_argument('--coco', metavar='FILE',
                       help='write COCO keypoint results (COCO-17) as JSON; - is stdout')
    group.add_argument('--annotations', metavar='FILE',
                       help='COCO annotation file that gives --coco its image ids, by file '
                            'name, and the category id of people')
    group.add_argument('--no-labels', action='store_true', help='draw no scores')
    group.add_argument('--max-frames', type=count, metavar='N', help='stop after N frames')
    group.add_argument('--quiet', action='store_true', help='print errors only')
    return group


def settings_help() -> str:
    """Return the part of an epilog that lists the settings of --set, by decoder and stage."""
    lines = ["settings (--set) with their defaults; `pose-ros info MODEL` prints a model's own:"]
    for table in setting_tables():
        lines.append(table.title + ':')
        named = [item._replace(name='{}.{}'.format(table.owner, item.name))
                 for item in table.parameters]
        lines += ['  ' + line for line in describe_settings(named, {})]
    return '\n'.join(lines) + '\n'


def describe_settings(table: Sequence[Parameter], values: Dict[str, Any]) -> Sequence[str]:
    """Return the lines of a table: each value (else the default), meaning and range."""
    lines = []
    for item in table:
        head = '{:<32} '.format('{}={}'.format(item.name, values.get(item.name, item.default)))
        lines += textwrap.wrap(explain(item), 120, initial_indent=head,
                               subsequent_indent=' ' * 33)
    return lines
