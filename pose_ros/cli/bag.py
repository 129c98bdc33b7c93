# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""`pose-ros bag`: people in the images of a bag."""
from pose_ros.cli.options import add_input_options, add_result_options, settings_help
from pose_ros.core.bags.library import need_bag_libraries
from pose_ros.core.command_options import add_model_options

DESCRIPTION = ('Find people in the images of a ROS 2 bag (MCAP or SQLite), without ROS, and write '
               'a bag with their skeletons. It needs the packages rosbags and mcap.')
EPILOG = """examples:
  pose-ros bag walk.mcap -o people.mcap                 skeletons on /pose/skeletons
  pose-ros bag walk/ -o people/ --keep all --overlay    with the input, and drawings
  pose-ros bag walk/ --topic /front/image_raw -o front.db3
  pose-ros bag walk/ -o people.mcap --json people.json

A run that was killed continues where it was: give the same command again.

exit codes: 0 done; 1 an image or the model failed; 2 the command line is wrong; 3 the bag is
damaged, and the output holds what could be read; 130 interrupted

""" + settings_help()


def add_arguments(parser) -> None:
    """Add the options of this command."""
    parser.add_argument('input', metavar='BAG', help='folder with metadata.yaml, .mcap or .db3')
    parser.add_argument('-o', '--output', metavar='BAG', required=True,
                        help='bag with the skeletons: a .mcap or .db3 file, else a new folder')
    parser.add_argument('--storage', choices=('mcap', 'sqlite3'), default='',
                        help='storage of a folder (default: mcap)')
    parser.add_argument('--topic', action='append', default=[], metavar='TOPIC', dest='topics',
                        help='image topic, may be repeated (default: all with color images)')
    parser.add_argument('--keep', action='append', default=[], metavar='TOPIC',
                        help='copy this topic, too, may be repeated; all: the whole input')
    parser.add_argument('--overlay', action='store_true',
                        help='write the people drawn on the images, as JPEG')
    parser.add_argument('--restart', action='store_true',
                        help='begin anew, though a killed run has left its journal')
    add_input_options(parser)
    add_model_options(parser, tracking=True)
    add_result_options(parser)


def run(args) -> int:
    """Process the bag; return the exit code."""
    need_bag_libraries()
    from pose_ros.cli.bag_run import process_bag  # imports these libraries
    return process_bag(args)
