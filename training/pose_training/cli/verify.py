# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""`pose-train verify`: is an exported file intact, and does it compute what its network did?"""
from pose_ros.core.card_files import load_card
from pose_training.checkpoint import load_checkpoint
from pose_training.cli.options import pictures, report
from pose_training.errors import ExportError
from pose_training.exporters.parity import verify
from pose_training.importers.formats import FORMATS, import_network

DESCRIPTION = ('Check an exported file: a whole ONNX of the agreed form, operators that TensorRT '
               '8.2 knows, a card that fits the tensors, and outputs that agree with what PyTorch '
               'computed for the same picture. Some of what PyTorch computed at export is inside '
               'the file; with --weights it is computed anew, in full.')
EPILOG = """examples:
  pose-train verify model.onnx
  pose-train verify body_25.onnx --weights pose_iter_584000.caffemodel --format caffe
  pose-train verify model.onnx --weights network.pt
"""


def add_arguments(parser) -> None:
    """Add the options of this command."""
    parser.add_argument('model', metavar='MODEL', help='an ONNX file')
    parser.add_argument('--weights', metavar='FILE',
                        help='the checkpoint or weight file that it was made of')
    parser.add_argument('--format', choices=FORMATS,
                        help='format of --weights (default: a checkpoint)')
    parser.add_argument('--images', nargs='+', metavar='PATH', default=(),
                        help='pictures, or folders of them, to compare on too, with --weights')


def run(args) -> int:
    """Verify; return the exit code."""
    network = _network(args) if args.weights else None
    for line in verify(args.model, network, pictures(args.images), report).lines():
        print(line)
    return 0


def _network(args):
    if not args.format:
        return load_checkpoint(args.weights)[0]
    made_of = load_card(args.model).provenance.get('network')
    if not isinstance(made_of, str):
        raise ExportError('{}: its card does not say which network it was made of'.format(
            args.model))
    return import_network(args.format, args.weights, made_of)[0]
