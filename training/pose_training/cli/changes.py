# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Arguments CONFIG KEY=VALUE ... of commands that train."""
import os
from typing import Optional, Sequence

from pose_ros.core.command_files import check_outputs
from pose_ros.core.command_options import with_companions
from pose_training.fitting.settings import RunConfig


def add_config_arguments(parser) -> None:
    """Add a configuration and the settings that replace those in it."""
    parser.add_argument('config', metavar='CONFIG', help='configuration (YAML)')
    parser.add_argument('changes', metavar='KEY=VALUE', nargs='*',
                        help='settings that replace those of the configuration')
    let_options_stand_between(parser)


def check_run_folder(config: RunConfig, names: Sequence[str],
                     inputs: Sequence[Optional[str]]) -> None:
    """Check the files of these names in the folder of a run against the inputs of the run."""
    if os.path.isdir(config.output):
        check_outputs({'--output, ' + name: os.path.join(config.output, name) for name in names},
                      [*inputs, config.model.checkpoint, *config.teacher.cards,
                       *with_companions(config.teacher.models), *config.teacher.single_person])


def let_options_stand_between(parser):
    """Let KEY=VALUE follow options, too, which a sub-command's parser does not by itself."""
    plain = parser.parse_known_args

    def parse(args=None, namespace=None):
        parser.parse_known_args = plain  # which the following calls
        try:
            return parser.parse_known_intermixed_args(args, namespace)
        finally:
            parser.parse_known_args = parse
    parser.parse_known_args = parse
