# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Arguments CONFIG KEY=VALUE ... of commands that train."""


def add_config_arguments(parser) -> None:
    """Add a configuration and the settings that replace those in it."""
    parser.add_argument('config', metavar='CONFIG', help='configuration (YAML)')
    parser.add_argument('changes', metavar='KEY=VALUE', nargs='*',
                        help='settings that replace those of the configuration')
    let_options_stand_between(parser)


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
