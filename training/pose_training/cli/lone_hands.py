# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""`pose-train lone-hands`: images of hands without people, for a detector of people."""
import argparse
import os

from pose_ros.core.command import with_progress
from pose_ros.core.command_files import check_outputs
from pose_ros.core.command_options import count
from pose_ros.core.image_file import write_image
from pose_training.data.coco import images_in
from pose_training.data.lone_hands import cut_hands, LoneHands, read_backgrounds

DESCRIPTION = ('Cut labelled hands out of images, lengthen their forearms, and put them '
               'before other backgrounds. A detector of people learns from these images that a '
               'hand is not a person: name the folder in data.train, as images without people.')
EPILOG = """examples:
  pose-train lone-hands hands.json -o data/arms --backgrounds data/nobody --count 700

Look at some of the images before you train. A wrong outline does no harm if no person is in view.
"""


def add_arguments(parser) -> None:
    """Add the options of this command."""
    parser.add_argument('data', metavar='FILE',
                        help='COCO keypoint file of hands, 21 keypoints in the order of hand_21')
    parser.add_argument('-o', '--output', required=True, metavar='FOLDER',
                        help='folder for the images')
    parser.add_argument('--backgrounds', metavar='FOLDER',
                        help='images without people; half of the hands are put before them '
                             '(default: smooth colors alone)')
    parser.add_argument('--count', type=count, default=700, metavar='N',
                        help='number of images (default: %(default)s)')
    parser.add_argument('--seed', type=_seed, default=7, metavar='N',
                        help='random seed (default: %(default)s)')
    parser.add_argument('--quiet', action='store_true', help='print errors only')


def run(args) -> int:
    """Write the images; return the exit code."""
    check_outputs({'-o': os.path.join(args.output, '')}, [
        args.data, *(images_in(args.backgrounds) if args.backgrounds else ())])
    backgrounds = read_backgrounds(args.backgrounds) if args.backgrounds else []
    hands = LoneHands(cut_hands(args.data, with_progress(args.quiet)), backgrounds, args.seed)
    os.makedirs(args.output, exist_ok=True)
    for number in range(args.count):
        path = os.path.join(args.output, '{:04d}.jpg'.format(number))
        write_image(path, hands.draw(), follow_links=False)
    if not args.quiet:
        print('wrote {} images to {}'.format(args.count, args.output))
    return 0


def _seed(text):
    value = int(text)
    if not 0 <= value < 1 << 32:
        raise argparse.ArgumentTypeError('{} is not from 0 to 4294967295'.format(text))
    return value
