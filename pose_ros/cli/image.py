# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""`pose-ros image`: people in images."""
import argparse
import itertools

from pose_ros.cli.options import add_input_options, add_output_options, settings_help
from pose_ros.cli.overlay import image_overlay
from pose_ros.cli.run import (check_run_outputs, INTERRUPTED, open_file, plural, prepared,
                              result_paths)
from pose_ros.core.bundled import DEFAULT_MODEL
from pose_ros.core.coco_ids import CocoIds
from pose_ros.core.command import progress_bar
from pose_ros.core.command_options import add_model_options, load_estimator
from pose_ros.core.errors import ImageError, OutputError, PoseRosError, shown
from pose_ros.core.given_boxes import GivenBoxes
from pose_ros.core.sources import ImageFile, ImageFolder

DESCRIPTION = ('Find people in images. An image that cannot be read is reported and skipped; the '
               'exit code is then 1. Without outputs, one line per image is printed.')
EPILOG = """examples:
  pose-ros image photo.jpg                                       print the number of people
  pose-ros image photo.jpg --output people.jpg                   draw them
  pose-ros image a.jpg b.png folder/ --output drawn/             draw on many images
  pose-ros image val2017/ --coco results.json                    for COCO's evaluation
  pose-ros image my_photos/ --coco results.json --annotations labels.json
  pose-ros image val2017/ --boxes human_detection.json --coco results.json
  pose-ros image photo.jpg --panels maps.png                     heatmaps and PAFs
  pose-ros image photo.jpg --json - | jq .frames[0].people       JSON on stdout
  pose-ros image photo.jpg --set min_score=0.4 --set max_people=1

Pixel centers are at whole numbers. The image_id of --coco is that of --annotations; without it the
last number in the file name (000000000192.jpg: 192), else the index of the image in the list.

""" + settings_help()


def add_arguments(parser) -> None:
    """Add the options of this command."""
    parser.add_argument('inputs', nargs='+', metavar='PATH', help='image, or folder of images')
    add_input_options(parser)
    add_model_options(parser, tracking=False)
    parser.add_argument('--boxes', metavar='FILE',
                        help="COCO detection results with people's boxes, in place of a detector; "
                             'image ids as for --json')
    parser.add_argument('--panels', metavar='PATH',
                        help='draw what the network sees: its heatmaps and PAFs, each alone and '
                             'all together; to one image or a folder, as --output')
    add_output_options(parser, 'draw the people: to one image (.jpg, .png, ...) or a folder')


def run(args) -> int:
    """Process all images; return the exit code."""
    overlay = image_overlay(args.output, args.inputs) if args.output else None
    panels = image_overlay(args.panels, args.inputs, '--panels') if args.panels else None
    check_run_outputs(args, args.inputs)
    given = _given_boxes(args) if args.boxes else None
    estimator = load_estimator(args)
    bar = progress_bar(len(args.inputs), args.quiet)
    with prepared(args, estimator, overlay, bar, given, panels) as work:
        for frame in itertools.islice(_frames(args, work, bar), args.max_frames):
            try:
                people = work.add(frame)
            except OutputError as error:
                work.fail(error)
                break
            except PoseRosError as error:
                work.fail('{}: {}'.format(frame.name, error))
                continue
            if not (result_paths(args) or args.output or args.panels or args.quiet):
                bar.write(_line(shown(frame.name), people))
            if work.interrupted:
                break
        if given and work.frames and not given.used:
            work.fail('{} has boxes for none of these images: name the annotation file to whose '
                      'image ids it refers with --annotations'.format(args.boxes))
    if work.failures:
        return 1
    return INTERRUPTED if work.interrupted else 0


def _given_boxes(args):
    """Read --boxes; argparse.ArgumentError beside a detector, which it replaces."""
    if args.detector:
        raise argparse.ArgumentError(None, 'argument --boxes: they replace those of a detector: '
                                           'leave --detector out')
    args.model = args.model or DEFAULT_MODEL
    return GivenBoxes(args.boxes, CocoIds(args.annotations) if args.annotations else None)


def _frames(args, work, bar):
    """Yield the images of all paths, numbered; report those that cannot be read."""
    index = itertools.count()
    for path in args.inputs:
        if work.interrupted:
            return
        try:
            source = _open(path, args.max_pixels)
        except (PoseRosError, OSError) as error:
            work.fail(error)
            continue
        with source:
            bar.total += source.frame_count - 1
            yield from _numbered(source, index, work)


def _numbered(source, index, work):
    try:
        for frame in source:
            yield frame._replace(index=next(index), time_s=float('nan'))
    except ImageError as error:  # no image of a folder can be read
        work.fail(error, 0)
    work.failures += len(getattr(source, 'unreadable', ()))


def _open(path, max_pixels):
    source = open_file(path, max_pixels)
    if not isinstance(source, (ImageFile, ImageFolder)):
        source.close()
        raise ImageError('{} is not an image; pose-ros video reads videos'.format(path))
    return source


def _line(name, people):
    if not people.count:
        return '{}: no people'.format(name)
    return '{}: {} (scores {})'.format(name, plural(people.count, 'person', 'people'), ', '.join(
        '{:.2f}'.format(score) for score in people.scores))
