# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Options and output that several commands share."""
import os
import sys
from typing import Tuple

from pose_ros.core.command_files import check_outputs
from pose_ros.core.command_options import (count, parse_settings, setting, show_builds,
                                           size)
from pose_ros.core.decoders import decoder_parameters, DECODERS
from pose_ros.core.engine_file import build_engine_file, describe_facts, engine_path
from pose_ros.core.reading import LARGEST_CARD, read_file
from pose_ros.core.sources.images import image_names
from pose_ros.core.stages.selection import SELECTION_PARAMETERS
from pose_ros.core.strict_json import parse_json
from pose_training.errors import ExportError
from pose_training.exporters.cards import make_card
from pose_training.exporters.export import ExportOptions, export


def add_export_options(parser) -> None:
    """Add the options of writing an ONNX file."""
    parser.add_argument('-o', '--output', required=True, metavar='FILE',
                        help='the file to write: .onnx for the robot, .pt for further training')
    group = parser.add_argument_group('the ONNX file')
    group.add_argument('--size', type=size, metavar='WxH',
                       help="network input in pixels (default: the network's own)")
    group.add_argument('--batch', type=_batch, default=1, metavar='N',
                       help='images of one run, or `dynamic` to leave it open (%(default)s)')
    group.add_argument('--dynamic', action='store_true',
                       help='leave batch, height and width open (slower, and no TensorRT cache)')
    group.add_argument('--precision', choices=('fp32', 'fp16', 'int8'), default='fp32',
                       help='number format inside; input and output stay float32 (%(default)s)')
    group.add_argument('--calibration', nargs='+', metavar='PATH', default=(),
                       help='images, folders of images, or COCO keypoint files, for the ranges of '
                            'int8; for a network of crops the people in these files')
    group.add_argument('--tensorrt', action='store_true',
                       help='int8: the form that TensorRT reads (a larger file, and slower on '
                            'CPUs)')
    group.add_argument('--half-weights', action='store_true',
                       help='fp32: store the weights as float16 (half the size; TensorRT reads '
                            'such a file only through pose_ros)')
    group.add_argument('--images', nargs='+', metavar='PATH', default=(),
                       help='images on which to compare the file with PyTorch, besides a '
                            'synthetic one')
    group.add_argument('--normalize', action='store_true',
                       help='put the scaling of pixel values into the graph')
    group.add_argument('--stages', type=int, metavar='K',
                       help='cut the network after prediction stage K: faster, less accurate')
    group.add_argument('--all-stages', action='store_true',
                       help='cpm: yield the heatmaps of each stage, too, which pose-ros image '
                            '--panels draws')
    group.add_argument('--engine', action='store_true',
                       help='also build its TensorRT engine, in the same folder, only for the GPU '
                            'of this machine (on a robot: pose-ros build-engine)')
    _add_card_options(parser.add_argument_group('the model card'))


def _add_card_options(group):
    group.add_argument('--set', action='append', default=[], type=setting, metavar='NAME=VALUE',
                       help='a setting of the decoder for this network; may be repeated')
    group.add_argument('--facts', metavar='FILE',
                       help='a JSON object for the provenance, such as training data and measured '
                            'accuracy; `name`, `version` and `license` in it replace the '
                            "network's")


def _batch(text):
    return text if text == 'dynamic' else count(text)


def check_export(args, inputs) -> None:
    """Check the outputs of write_network against the inputs of the command."""
    outputs = {'-o': args.output}
    if args.engine:
        engine = engine_path(args.output)
        outputs.update({'--engine': engine, 'the card of --engine': engine + '.json'})
    check_outputs(outputs, [*inputs, args.facts, *args.calibration, *args.images])


def write_network(network, provenance, args) -> None:
    """Export the network by the options, or save it as a checkpoint."""
    from pose_training.checkpoint import save_checkpoint
    if args.engine and not args.output.lower().endswith('.onnx'):
        raise ExportError('--engine builds from an ONNX file: end {!r} in .onnx'.format(
            args.output))
    if args.output.lower().endswith(('.pt', '.ckpt')):
        save_checkpoint(args.output, network, provenance)
        print('wrote ' + args.output)
        return
    if not args.output.lower().endswith('.onnx'):
        raise ExportError('the name {!r} has no known ending: end it in .onnx or .pt'.format(
            args.output))
    options = ExportOptions(size=args.size, dynamic=args.dynamic, precision=args.precision,
                            normalize=args.normalize, stages=args.stages,
                            calibration=image_files(args.calibration),
                            batch=args.batch, tensorrt=args.tensorrt,
                            half_weights=args.half_weights, all_stages=args.all_stages,
                            **_card_settings(network, args.set))
    export(network, args.output, options, {**provenance, **_facts(args.facts)},
           image_files(args.images), report)
    print('wrote {} ({:.1f} MB)'.format(args.output, os.path.getsize(args.output) / 1e6))
    if args.engine:
        show_builds()
        path, facts = build_engine_file(args.output)
        print('wrote {} ({})'.format(path, describe_facts(facts)))


def _card_settings(network, pairs):
    """Return the settings of the decoder and of the selection that the card will hold."""
    kind = make_card(network, ExportOptions(), {}).decoder.type
    tables = {'decoder': decoder_parameters(kind) if kind in DECODERS else (),
              'selection': SELECTION_PARAMETERS}
    values = parse_settings(pairs, [
        parameter._replace(name=owner + '.' + parameter.name)
        for owner, table in tables.items() for parameter in table])
    return {owner: {name.partition('.')[2]: value for name, value in values.items()
                    if name.startswith(owner + '.')} for owner in tables}


def _facts(path):
    if not path:
        return {}
    try:
        facts = parse_json(read_file(path, LARGEST_CARD))
    except (OSError, ValueError) as error:
        raise ExportError('cannot read the facts {}: {}'.format(path, error)) from error
    if not isinstance(facts, dict):
        raise ExportError('{} holds no JSON object'.format(path))
    return facts


def report(text: str) -> None:
    """Print a line of progress to stderr, because stdout is for results."""
    print(text, file=sys.stderr, flush=True)


def image_files(paths) -> Tuple[str, ...]:
    """Return the paths, with each folder replaced by the images in it."""
    found = []
    for path in paths:
        if os.path.isdir(path):
            found += [os.path.join(path, name) for name in image_names(path)]
        else:
            found.append(path)
    return tuple(found)
