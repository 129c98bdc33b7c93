# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""`pose-ros camera`: people in front of a camera."""
import argparse

from pose_ros.cli.options import add_input_options, add_output_options, settings_help
from pose_ros.cli.stream import process
from pose_ros.core.command_options import add_model_options, size
from pose_ros.core.sources import Camera, open_source

DESCRIPTION = ('Find people in the newest image of a camera, again and again, until Ctrl-C (the '
               'normal end: the exit code is 0) or --max-frames.')
EPILOG = """examples:
  pose-ros camera 0                                      print counts and times
  pose-ros camera 0 --camera-size 1280x720 --output people.avi
  pose-ros camera /dev/video2 --json people.json --max-frames 300
  pose-ros camera rtsp://192.168.0.10/stream --quiet --json people.json

""" + settings_help()


def add_arguments(parser) -> None:
    """Add the options of this command."""
    parser.add_argument('input', metavar='CAMERA', type=_camera,
                        help='number (0), device (/dev/video0) or address (rtsp://...)')
    parser.add_argument('--camera-size', type=size, metavar='WxH',
                        help='request this image size from the camera')
    add_input_options(parser)
    add_model_options(parser)
    add_output_options(parser, 'draw the people on a video of the camera images (.avi or .mp4)')


def run(args) -> int:
    """Process the images of the camera; return the exit code."""
    work = process(args, open_source(args.input, size=args.camera_size,
                                     max_pixels=args.max_pixels))
    return 1 if work.failures else 0


def _camera(text):
    if not Camera.accepts(text):
        raise argparse.ArgumentTypeError('{!r} is not a camera: give a number, /dev/video0 or '
                                         'rtsp://...; pose-ros video reads files'.format(text))
    return text
