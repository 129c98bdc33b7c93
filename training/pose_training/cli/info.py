# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""`pose-train info`: describe an ONNX file, a checkpoint or a weight file."""
import collections
import os

from pose_ros.core.card_files import load_card
from pose_ros.core.errors import ModelError, shown
from pose_ros.core.files import sha256
from pose_ros.core.onnx_file import read_metadata
from pose_training.checkpoint import load_checkpoint
from pose_training.errors import ExportError
from pose_training.importers.formats import FORMATS, read_weights
from pose_training.models import get_spec
from pose_training.models.cost import count_parameters
from pose_training.onnx_file import load_onnx

DESCRIPTION = ('Describe a file: of an ONNX file the card and the operators, of a checkpoint the '
               'network and where it comes from, of a weight file (--format, --model) every '
               'tensor in it, under its name in the network.')
EPILOG = """examples:
  pose-train info model.onnx
  pose-train info network.pt
  pose-train info pose_iter_584000.caffemodel --format caffe --model body_25
"""


def add_arguments(parser) -> None:
    """Add the options of this command."""
    parser.add_argument('file', metavar='FILE')
    parser.add_argument('--format', choices=FORMATS, help='read it as published weights')
    parser.add_argument('--model', metavar='NAME', help='the network that those weights are of')


def run(args) -> int:
    """Print the description; return the exit code."""
    if bool(args.format) != bool(args.model):
        raise ExportError('a weight file needs both --format and --model')
    if args.format:
        lines = _weights(args)
    elif _is_onnx(args.file):
        lines = _onnx(args.file)
    else:
        lines = _checkpoint(args.file)
    print('\n'.join(map(shown, lines)))
    return 0


def _is_onnx(path):
    try:
        read_metadata(path)
    except ModelError:
        return path.lower().endswith('.onnx')  # a damaged one
    return True


def _weights(args):
    weights = read_weights(args.format, args.file, get_spec(args.model))
    count = sum(tensor.size for tensor in weights.tensors.values())
    yield '{}: {} tensors, {:,} numbers'.format(args.file, len(weights.tensors), count)
    for name, value in weights.options.items():
        yield '  demands {}={!r}'.format(name, value)
    for name, tensor in weights.tensors.items():
        yield '  {:<60}{}'.format(name, ' x '.join(map(str, tensor.shape)))


def _checkpoint(path):
    network, provenance = load_checkpoint(path)
    recipe = network.recipe
    yield '{}: {} for {}, {:,} parameters'.format(
        path, recipe.name, network.family.topology.name if recipe.topology else 'boxes',
        count_parameters(network))
    yield from _table(recipe.options)
    yield from _table(provenance)


def _onnx(path):
    card = load_card(path)
    model = load_onnx(path)
    yield '{}: {:,} bytes, SHA-256 {}'.format(path, os.path.getsize(path), sha256(path))
    yield '  {:<20}IR {}, opset {}'.format('ONNX', model.ir_version,
                                           model.opset_import[0].version)
    count = collections.Counter(node.op_type for node in model.graph.node)
    yield '  {:<20}{}'.format('operators', ', '.join(
        '{} {}'.format(number, name) for name, number in count.most_common()))
    yield '  {:<20}{} {}, {}'.format('network', card.name, card.version, card.license)
    yield '  {:<20}{}'.format('keypoints', card.topology.name if card.topology else 'none: boxes')
    yield from _table(card.input._asdict())
    yield from _table(card.provenance)


def _table(values, indent=2):
    for key, value in values.items():
        if key == 'fingerprint':  # numbers for `pose-train verify` alone
            continue
        if isinstance(value, dict):
            yield '{}{}'.format(' ' * indent, key)
            yield from _table(value, indent + 2)
        else:
            yield '{}{:<20}{}'.format(' ' * indent, key, value)
