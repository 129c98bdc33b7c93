# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""`pose-train verify`: check an exported file, and compare it with its network."""
from pose_ros.core.card_files import load_card
from pose_training.checkpoint import load_checkpoint
from pose_training.cli.options import image_files, report
from pose_training.errors import ExportError
from pose_training.exporters.parity import verify
from pose_training.importers.formats import FORMATS, import_network

DESCRIPTION = ('Check an exported file: a complete ONNX file of the required form, operators that '
               'TensorRT 8.2 supports, a card that fits the tensors, and outputs that agree with '
               'those of PyTorch for the same image. The file contains some of the values that '
               'PyTorch computed at export; with --weights all values are computed again.')
EPILOG = """examples:
  pose-train verify model.onnx
  pose-train verify body_25.onnx --weights pose_iter_584000.caffemodel --format caffe
  pose-train verify model.onnx --weights network.pt
"""


def add_arguments(parser) -> None:
    """Add the options of this command."""
    parser.add_argument('model', metavar='MODEL',
                        help='an ONNX file, or the name of a bundled model')
    parser.add_argument('--weights', metavar='FILE',
                        help='the checkpoint or weight file from which it was exported')
    parser.add_argument('--format', choices=FORMATS,
                        help='format of --weights (default: a checkpoint)')
    parser.add_argument('--images', nargs='+', metavar='PATH', default=(),
                        help='more images, or folders of images, to compare on with --weights')


def run(args) -> int:
    """Verify; return the exit code."""
    network = _network(args) if args.weights else None
    for line in verify(args.model, network, image_files(args.images), report).lines():
        print(line)
    return 0


def _network(args):
    if not args.format:
        return load_checkpoint(args.weights)[0]
    made_of = load_card(args.model).provenance.get('network')
    if not isinstance(made_of, str):
        raise ExportError('{}: its card does not name its network; --weights works only with '
                          'files that pose-train exported'.format(args.model))
    return import_network(args.format, args.weights, made_of)[0]
