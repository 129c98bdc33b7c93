# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""`pose-train import`: convert published weights of another system into a file for the robot."""
from pose_training.cli.options import add_export_options, check_export, write_network
from pose_training.families.topologies import find_topology
from pose_training.fitting.config import parse_changes
from pose_training.importers.formats import FORMATS, import_network

DESCRIPTION = ('Turn published weights of another system into one ONNX file that carries its '
               'model card. The other system is not needed, and no code of the file is run. Every '
               'tensor is compared with the network: tensors that are missing, unexpected or of '
               'another shape are listed. The ONNX file is compared with the network before it '
               'is written.')
EPILOG = 'formats:\n' + ''.join('  {:<15}{}\n'.format(name, form.summary)
                                for name, form in FORMATS.items()) + """
examples:
  pose-train import tf-graph graph_opt.pb --model mobilenet_v2_small -o small.onnx
  pose-train import caffe pose_iter_440000.caffemodel --model cmu -o cmu.onnx --stages 3
  pose-train import torch checkpoint_iter_370000.pth --model lightweight_openpose -o light.onnx
  pose-train import torch pose_resnet_50_256x256.pth.tar --model simple_baseline_r50 \
    --topology mpii_16 --size 256x256 -o mpii.onnx

`pose-train models` lists the networks, their formats, and the licenses of their weights.
"""


def add_arguments(parser) -> None:
    """Add the options of this command."""
    parser.add_argument('format', choices=FORMATS, metavar='FORMAT',
                        help='one of ' + ', '.join(FORMATS))
    parser.add_argument('file', metavar='FILE', help='the weight file')
    parser.add_argument('--model', required=True, metavar='NAME',
                        help='the network of these weights')
    parser.add_argument('--topology', metavar='NAME', default='',
                        help='keypoints of these weights, if they are not those of the published '
                             'network: a name, or a YAML or JSON file')
    parser.add_argument('--option', action='append', default=[], metavar='NAME=VALUE',
                        help='an option of the network that the file does not tell, such as '
                             'stride_first=true; may be repeated')
    parser.add_argument('--prototxt', metavar='FILE',
                        help='caffe: compare this description with the network, too')
    parser.add_argument('--averages', action='store_true',
                        help='tf-checkpoint: use the moving averages of the weights')
    parser.add_argument('--stored-statistics', action='store_true',
                        help='tf-checkpoint: MobileNet v2 that normalizes by its stored '
                             'statistics; the published ones use those of the image')
    parser.add_argument('--pose-cfg', metavar='FILE',
                        help='deepercut, deeplabcut: the configuration of the network (default: '
                             'pose_cfg.yaml beside the weights)')
    parser.add_argument('--pairwise', metavar='FOLDER',
                        help='deepercut: pairwise_stats.mat and spatial_model_cidx_*.mat of a '
                             'network of several people')
    add_export_options(parser)


def _network(args):
    """Return the options of the network, and its topology if one is given."""
    options = parse_changes(args.option)
    if args.topology:
        options['topology'] = find_topology(args.topology)
    return options


def run(args) -> int:
    """Import and write; return the exit code."""
    check_export(args, [args.file, args.prototxt, args.pose_cfg])
    options = {name: getattr(args, name) for form in FORMATS.values() for name in form.options
               if getattr(args, name)}
    network, provenance = import_network(args.format, args.file, args.model, _network(args),
                                         **options)
    write_network(network, provenance, args)
    return 0
