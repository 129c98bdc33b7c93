# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Options that the commands of pose-ros share; see also pose_ros.core.command_options."""
from typing import Any, Dict, Sequence

from pose_ros.core.command_options import count, explain
from pose_ros.core.decoders import decoder_parameters, DECODERS
from pose_ros.core.parameters import Parameter
from pose_ros.core.results import FORMS
from pose_ros.core.stages import SELECTION_PARAMETERS


def add_output_options(parser, output: str) -> None:
    """Add where people are written to; `output` is the help of --output."""
    group = parser.add_argument_group('results')
    group.add_argument('--json', metavar='FILE', help='write the people to a JSON file')
    group.add_argument('--format', choices=FORMS, default='frames',
                       help='form of --json: frames (all that is known, per frame) or coco '
                            '(COCO-17 keypoint results) (default: frames)')
    group.add_argument('--output', metavar='PATH', help=output)
    group.add_argument('--no-labels', action='store_true', help='draw no scores beside the people')
    group.add_argument('--max-frames', type=count, metavar='N', help='stop after N frames')
    group.add_argument('--quiet', action='store_true', help='print errors only')


def settings_help() -> str:
    """Return the lines of an epilog that list what --set accepts, by decoder and by stage."""
    lines = ["settings (--set) with their defaults; `pose-ros info MODEL` prints a model's own:"]
    tables = [('pose, decoder ' + kind, 'pose.', decoder_parameters(kind))
              for kind in sorted(DECODERS)] + [('selection', 'selection.', SELECTION_PARAMETERS)]
    for title, prefix, table in tables:
        if table:
            lines.append(title + ':')
            named = [item._replace(name=prefix + item.name) for item in table]
            lines += ['  ' + line for line in describe_settings(named, {})]
    return '\n'.join(lines) + '\n'


def describe_settings(table: Sequence[Parameter], values: Dict[str, Any]) -> Sequence[str]:
    """Return one line per parameter: its value (else its default), what it is, its range."""
    return ['{:<32} {}'.format('{}={}'.format(item.name, values.get(item.name, item.default)),
                               explain(item)) for item in table]
