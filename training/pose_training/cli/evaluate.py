# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""`pose-train evaluate`: measure a model on datasets."""
import argparse
import os

from pose_ros.core.command import with_progress
from pose_ros.core.card_files import load_card
from pose_ros.core.command_files import check_outputs, report_stream, write_json
from pose_ros.core.command_options import (add_model_options, add_parameter, count,
                                           ENGINE_PARAMETERS, load_estimator, model_inputs,
                                           parse_settings)
from pose_ros.core.decoders import decoder_parameters
from pose_ros.core.errors import shown
from pose_ros.core.image_size import SIZE_PARAMETER
from pose_training.errors import ConfigError
from pose_training.evaluation.boxes import BoxFinder
from pose_training.evaluation.evaluate import evaluate, protocol
from pose_training.evaluation.metrics import Pck, PCK_OF
from pose_training.evaluation.report import as_data, tables
from pose_training.evaluation.result_files import FORMATS
from pose_training.evaluation.runs import robot_file, run_checkpoint

DESCRIPTION = ("Measure a model on labelled images, with the robot's own engine and decoder: "
               "COCO's AP and AR, for each keypoint the share that is found (PCK) and the share "
               'that is found on the wrong side, and the time from pixels to people. On a folder '
               'of images without people: the share without any person found.')
EPILOG = """examples:
  pose-train evaluate model.onnx --data person_keypoints_val2017.json
  pose-train evaluate model.onnx --data annotations/person_keypoints_val2017.json --images val2017
  pose-train evaluate model.onnx --data val.json empty/ --json figures.json
  pose-train evaluate model.onnx --data val.json --failures worst/ --worst 50
  pose-train evaluate model.onnx --data val.json --flip --scales 0.5 1 1.5
  pose-train evaluate pose_crop.onnx --detector person_detector.onnx --data val.json
  pose-train evaluate pose_crop.onnx --boxes truth --data val.json
  pose-train evaluate pose_crop.onnx --boxes human_detection.json --data val.json --flip
  pose-train evaluate runs/pose_crop --epoch 140 --boxes truth --data val.json    one epoch
  pose-train evaluate person_detector.onnx --data val.json     AP of the boxes of a detector
  pose-train evaluate pose_crop.onnx --boxes truth --data mpii_valid.json       PCKh of MPII
  pose-train evaluate pose_crop.onnx --detector person_detector.onnx --data posetrack_val.json \\
    --tracking --results results/ --format posetrack         AP and MOTA of PoseTrack

The model may also be a checkpoint (.pt, .ckpt) or the folder of a run; it is exported first.
File names in a dataset are relative to its folder, or to --images. Images that are missing or
cannot be read are left out, counted and named. Figures are of a single scale, without the
mirrored image, unless --flip or --scales are given; --scales other than 1 need a model with
dynamic shapes. PCKh is measured where people have head boxes, and AP and MOTA of PoseTrack on its
keypoints (pose-train convert writes both).
"""


def add_arguments(parser) -> None:
    """Add the options of this command."""
    add_model_options(parser, positional=True, tracking=False)
    add_parameter(parser, SIZE_PARAMETER)
    parser.add_argument('--epoch', type=count, metavar='N',
                        help='of the folder of a run: the network after this epoch (default: the '
                             'final one)')
    parser.add_argument('--data', nargs='+', required=True, metavar='PATH',
                        help='COCO keypoint files; folders of images without people')
    parser.add_argument('--images', metavar='FOLDER', default='',
                        help="folder of the images (default: that of each dataset's file)")
    parser.add_argument('--boxes', metavar='truth|FILE', default='',
                        help='give boxes to a network of crops, in place of a detector: the '
                             'labelled ones, or those of a file of COCO detection results '
                             '(human_detection.json)')
    parser.add_argument('--json', metavar='FILE', help='write the figures to a JSON file; - is '
                             'stdout')
    parser.add_argument('--quiet', action='store_true', help='print errors only')
    _add_measures(parser)
    group = parser.add_argument_group('images of failures')
    group.add_argument('--failures', metavar='FOLDER',
                       help='draw labels and people found of the worst images, by their OKS; '
                            "replaces an earlier run's images there")
    group.add_argument('--worst', type=count, default=20, metavar='N',
                       help='how many of each dataset (default: 20)')
    group = parser.add_argument_group('several views, averaged (the robot takes one)')
    group.add_argument('--flip', action='store_true', help='the mirrored image too')
    group.add_argument('--scales', nargs='+', type=_scale, default=(1.,), metavar='S',
                       help="sizes relative to the network's own (default: 1)")


def _add_measures(parser):
    group = parser.add_argument_group('measures and result files')
    group.add_argument('--pck', type=_scale, default=Pck().share, metavar='SHARE',
                       help='PCK: within this share of --pck-of a keypoint is found (default: '
                            '%(default)s)')
    group.add_argument('--pck-of', choices=PCK_OF, default=Pck().of,
                       help='the longer diagonal of the torso (half the box without one), or the '
                            'longest side of the rectangle of the keypoints (default: '
                            '%(default)s)')
    group.add_argument('--results', metavar='PATH', default='',
                       help='write the people found to a result file, for posetrack to a folder')
    group.add_argument('--format', choices=FORMATS, default='coco',
                       help='of --results: a JSON list, the MATLAB file of MPII, a JSON file for '
                            'each sequence (default: %(default)s)')
    group.add_argument('--fps', type=_rate, default=25., metavar='F',
                       help='frames per second of videos, for --tracking (default: %(default)g)')


def run(args) -> int:
    """Measure, and print tables; return the exit code."""
    # A checkpoint is replaced by its exported file, so it is protected here.
    check_outputs(_outputs(args), [run_checkpoint(args.model, args.epoch)] + _read(args))
    with robot_file(args.model, args.epoch, args.size) as args.model:
        return _run(args)


def _outputs(args):
    results = args.results or None
    if results and args.format == 'posetrack':
        results = os.path.join(results, '')
    return {'--json': args.json, '--results': results}


def _read(args):
    return args.data + ([] if args.boxes in ('', 'truth') else [args.boxes])


def _run(args):
    check_outputs(_outputs(args), _read(args) + model_inputs(args))
    text = report_stream(args.json)
    pck = Pck(args.pck, args.pck_of)
    estimator = _load(args)
    if not args.quiet:
        print(shown('{} by {}'.format(estimator.card.name,
                                      estimator.network.engine.describe())), file=text)
        print(protocol(estimator, args.flip, args.scales, args.boxes, pck), flush=True, file=text)
    found = evaluate(estimator, args.data, flip=args.flip, scales=args.scales,
                     failures=args.failures, worst=args.worst, boxes=args.boxes,
                     images=args.images, max_pixels=args.max_pixels, pck=pck, fps=args.fps,
                     results=args.results, form=args.format,
                     progress=with_progress(args.quiet))
    if not args.quiet:
        _show(found, args, text)
    if args.json:
        write_json(args.json, as_data(estimator, found), indent=2)
    estimator.close()
    return 0


def _show(found, args, text):
    print('\n' + '\n'.join(tables(found, Pck(args.pck, args.pck_of))), file=text)
    for result in found if args.failures else ():
        print('{}: {} failure images in {}'.format(
            result.name, len(result.failures), os.path.join(args.failures, result.name)),
            file=text)
    if args.results:
        print('wrote the people found to {}'.format(args.results), file=text)


def _load(args):
    """Load a model for pose or a detector."""
    if load_card(args.model, args.card).task != 'detection':
        return load_estimator(args)
    if args.tracking or args.results:
        raise ConfigError('{} is a detector: it is measured without tracking and result '
                          'files'.format(args.model))
    engine = {parameter.name: getattr(args, parameter.name) for parameter in ENGINE_PARAMETERS}
    table = decoder_parameters('boxes')
    return BoxFinder(args.model, card=args.card, input_size=args.size,
                     settings=parse_settings(args.set, table), **engine)


def _scale(text):
    try:
        value = float(text)
    except ValueError:
        value = 0.
    if not 0 < value <= 8:
        raise argparse.ArgumentTypeError('{!r} is not a number above 0 and at most 8'.format(text))
    return value


def _rate(text):
    try:
        value = float(text)
    except ValueError:
        value = 0.
    if not 0 < value <= 1000:
        raise argparse.ArgumentTypeError('{!r} is not a number above 0 and at most 1000'.format(
            text))
    return value
