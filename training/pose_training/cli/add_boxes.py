# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""`pose-train add-boxes`: complete the boxes of a dataset by detectors."""
import os

from pose_ros.core.command import with_progress
from pose_ros.core.command_files import check_outputs, report_stream, write_json
from pose_ros.core.command_options import with_companions
from pose_ros.core.network import open_network
from pose_training.distillation.box_labels import add_boxes, BoxSource
from pose_training.errors import ConfigError

DESCRIPTION = ('Add boxes of people without an annotation to a COCO keypoint file, found by '
               'detectors. Boxes of high scores become people without keypoints, others regions '
               'to ignore (crowds). The file is then marked as complete.')
EPILOG = """examples:
  pose-train add-boxes labels.json -o complete.json --detector yolox_nano.onnx
  pose-train add-boxes labels.json -o complete.json --detector yolox_nano.onnx \\
    --detector rtmdet_nano_person.onnx --unsure 0.2 0.33

The detectors run in the given order. Write the file into the folder of the first one: file names
in it are relative to its folder.
"""


def add_arguments(parser) -> None:
    """Add the options of this command."""
    parser.add_argument('data', metavar='FILE', help='COCO keypoint file')
    parser.add_argument('-o', '--output', required=True, metavar='FILE',
                        help='the file to write, in the same folder (with --images in any)')
    parser.add_argument('--images', metavar='FOLDER', default='',
                        help="folder of the images (default: the dataset's)")
    parser.add_argument('--detector', action='append', required=True, metavar='MODEL',
                        help='model file for detection; may be repeated')
    parser.add_argument('--card', action='append', default=[], metavar='FILE',
                        help='model card of the detector, in the order of the detectors')
    parser.add_argument('--sure', type=float, nargs='+', default=[.5], metavar='S',
                        help='score from which a box is a person; one for all detectors, or one '
                             'for each (default: 0.5)')
    parser.add_argument('--unsure', type=float, nargs='+', default=[.25], metavar='S',
                        help='score from which a box is a region to ignore (default: 0.25)')
    parser.add_argument('--quiet', action='store_true', help='print errors only')


def run(args) -> int:
    """Complete and write; return the exit code."""
    paths = [os.path.abspath(path) for path in (args.data, args.output)]
    elsewhere = os.path.dirname(paths[0]) != os.path.dirname(paths[1]) and not args.images
    if elsewhere or paths[0] == paths[1]:
        raise ConfigError('{} must be another file in the folder of {}: file names in it are '
                          'relative to its folder'.format(args.output, args.data))
    check_outputs({'-o': args.output}, [args.data, *args.card, *with_companions(args.detector)],
                  ['-o'])
    count = len(args.detector)
    sure, unsure = (values * count if len(values) == 1 else values
                    for values in (args.sure, args.unsure))
    if len(sure) != count or len(unsure) != count \
            or not all(0 < low <= high <= 1 for low, high in zip(unsure, sure)):
        raise ConfigError('--sure and --unsure are one score for all detectors or one for each, '
                          'from 0 to 1, unsure at most sure')
    sources = []
    try:
        for index, path in enumerate(args.detector):
            sources.append(_open(path, args.card[index] if index < len(args.card) else None,
                                 sure[index], unsure[index]))
        data = add_boxes(args.data, sources, with_progress(args.quiet), args.images)
    finally:
        for source in sources:
            source.network.close()
    write_json(args.output, data)
    if not args.quiet:
        print('wrote {} annotations to {}'.format(len(data['annotations']), args.output),
              file=report_stream(args.output))
    return 0


def _open(path, card, sure, unsure) -> BoxSource:
    network = open_network(path, 'detector', card=card)
    if network.card.task != 'detection':
        network.close()
        raise ConfigError('{} is a model for {}, not for detection'.format(
            path, network.card.task))
    network.decoder.configure(min_score=unsure)
    return BoxSource(network, sure, unsure)
