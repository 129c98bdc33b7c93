# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""`pose-train label`: make a dataset of images without labels."""
import os

from pose_ros.core.coco_ids import CocoIds
from pose_ros.core.command import with_progress
from pose_ros.core.command_files import check_outputs, report_stream, write_json
from pose_ros.core.command_options import (add_model_options, add_parameter, load_estimator,
                                           model_inputs)
from pose_ros.core.errors import PoseRosError
from pose_ros.core.given_boxes import GivenBoxes
from pose_ros.core.image_size import SIZE_PARAMETER
from pose_training.cli.options import image_files
from pose_training.distillation.pseudo_labels import label_images
from pose_training.errors import ConfigError, DataError

DESCRIPTION = ('Find the people in images without labels and write them as a COCO keypoint file '
               'to train on: keypoints with their confidences (`conf`). `complete: false` in the '
               'file means that people may be missing.')
EPILOG = """examples:
  pose-train label images/ -o labels.json --model pose_crop.onnx --detector person_detector.onnx
  pose-train label images/ -o labels.json --model pose_crop.onnx --detector person_detector.onnx \\
    --mirror-test --min-confidence 0.4 --set detector.min_score=0.5
  pose-train label images/ -o labels.json --model bottom_up             a network of whole images
  pose-train label val2017/ -o labels.json --model pose_crop.onnx --boxes human_detection.json
  pose-train view --data labels.json -o samples/                        look at them

File names in the file are relative to its folder. The license of the networks may also apply to
networks that are trained on their labels.
"""


def add_arguments(parser) -> None:
    """Add the options of this command."""
    parser.add_argument('images', nargs='+', metavar='PATH', help='images, or folders of images')
    parser.add_argument('-o', '--output', required=True, metavar='FILE',
                        help='the COCO keypoint file to write (JSON)')
    add_parameter(parser, SIZE_PARAMETER)
    add_model_options(parser)
    parser.add_argument('--boxes', metavar='FILE',
                        help="COCO detection results with people's boxes, in place of a detector; "
                             'for a network of crops')
    parser.add_argument('--annotations', metavar='FILE',
                        help='COCO annotation file to whose image ids --boxes refers, by file '
                             'name (default: the last number in a file name)')
    parser.add_argument('--min-confidence', type=float, default=.3, metavar='C',
                        help='keypoints below it have no label, 0 to 1 (default: %(default)s)')
    parser.add_argument('--mirror-test', action='store_true',
                        help='average each crop with its mirror image')
    parser.add_argument('--quiet', action='store_true', help='print errors only')


def run(args) -> int:
    """Label and write; return the exit code."""
    paths = list(image_files(args.images))
    if not paths:
        raise DataError('there are no images in {}'.format(', '.join(args.images)))
    if not 0 < args.min_confidence <= 1:
        raise ConfigError('--min-confidence is from above 0 to 1, not {:g}'.format(
            args.min_confidence))
    folder = os.path.dirname(os.path.abspath(args.output))
    check_outputs({'-o': args.output},
                  args.images + model_inputs(args) + [args.boxes, args.annotations], ['-o'])
    boxes = _boxes(args)
    estimator = load_estimator(args)
    try:
        data = label_images(_configured(estimator, args), paths, folder, args.min_confidence,
                            with_progress(args.quiet), args.max_pixels, boxes)
    finally:
        estimator.close()
    if boxes and not boxes.used:
        raise DataError('{} has boxes for none of these images: name the annotation file to whose '
                        'image ids it refers with --annotations'.format(args.boxes))
    write_json(args.output, data)
    if not args.quiet:
        print('wrote {} people in {} images to {}'.format(
            len(data['annotations']), len(data['images']), args.output),
            file=report_stream(args.output))
    return 0


def _boxes(args):
    if args.annotations and not args.boxes:
        raise ConfigError('--annotations is for the boxes of --boxes')
    if args.boxes and args.detector:
        raise ConfigError('--boxes replace those of a detector: leave one of them out')
    if args.boxes and not args.model:
        raise ConfigError('--boxes need a network of crops: name it with --model')
    return GivenBoxes(args.boxes, CocoIds(args.annotations) if args.annotations else None) \
        if args.boxes else None


def _configured(estimator, args):
    """Set the mirror test, and keep the scores of weak keypoints."""
    names = {parameter.name for parameter in estimator.parameters}
    if args.boxes and 'top_down.max_people' not in names:
        raise ConfigError('{} takes whole images: --boxes are for a network of crops'.format(
            estimator.card.name))
    if args.mirror_test and 'top_down.mirror_test' not in names:
        raise ConfigError('--mirror-test is for networks of crops: {} takes whole images'.format(
            estimator.card.name))
    changes = {'top_down.mirror_test': True} if args.mirror_test else {}
    if args.boxes:
        changes['top_down.max_people'] = 1000
    if 'pose.keypoint_threshold' in names:
        changes['pose.keypoint_threshold'] = 0.
    try:
        estimator.configure(**changes)
    except PoseRosError as error:
        raise ConfigError(str(error)) from error
    return estimator
