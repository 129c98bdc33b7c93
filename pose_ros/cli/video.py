# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""`pose-ros video`: people in a video file."""
from pose_ros.cli.options import add_input_options, add_output_options, settings_help
from pose_ros.cli.run import INTERRUPTED, open_file
from pose_ros.cli.stream import process
from pose_ros.core.command_options import add_model_options

DESCRIPTION = ('Find people in every frame of a video. Ctrl-C ends it early and keeps the results '
               'so far.')
EPILOG = """examples:
  pose-ros video walk.mp4                                      print counts and times
  pose-ros video walk.mp4 --output people.avi                  draw them (.avi: MJPG, .mp4: mp4v)
  pose-ros video walk.mp4 --json people.json --max-frames 100  the first 100 frames as JSON
  pose-ros video demo --output demo.avi                        a built-in video (scikit-image)

""" + settings_help()


def add_arguments(parser) -> None:
    """Add the options of this command."""
    parser.add_argument('input', metavar='PATH',
                        help='video file (or a folder of images, or demo)')
    add_input_options(parser)
    add_model_options(parser)
    add_output_options(parser, 'draw the people on a copy of the video (.avi or .mp4)')


def run(args) -> int:
    """Process the video; return the exit code."""
    work = process(args, open_file(args.input, args.max_pixels))
    if work.failures:
        return 1
    return INTERRUPTED if work.interrupted else 0
