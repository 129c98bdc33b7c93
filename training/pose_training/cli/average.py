# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""`pose-train average`: one network from several of the same kind."""
from pose_ros.core.command_files import check_outputs
from pose_training.checkpoint import save_checkpoint
from pose_training.model_soup import mean_network

DESCRIPTION = ('Average the weights of checkpoints of one kind of network. The mean may be better '
               'than each of them if the runs began with the same weights, or if the checkpoints '
               'are snapshots of one run; otherwise it is useless. Evaluate the result.')
EPILOG = """examples:
  pose-train average runs/a/network.pt runs/b/network.pt -o both.pt
  pose-train average runs/a/snapshots/epoch_*.ckpt -o late.pt
  pose-train average first.pt second.pt -o mean.pt --shares 0.2 0.8
"""


def add_arguments(parser) -> None:
    """Add the options of this command."""
    parser.add_argument('checkpoints', nargs='+', metavar='CHECKPOINT',
                        help='networks (.pt) or snapshots of runs (.ckpt: their averages)')
    parser.add_argument('-o', '--output', required=True, metavar='FILE.pt',
                        help='the checkpoint to write')
    parser.add_argument('--shares', nargs='+', type=float, default=[], metavar='S',
                        help='how much each checkpoint counts (default: all the same)')


def run(args) -> int:
    """Write the mean; return the exit code."""
    check_outputs({'-o': args.output}, args.checkpoints)
    network, provenance = mean_network(args.checkpoints, args.shares)
    save_checkpoint(args.output, network, provenance)
    print('wrote {}; next: pose-train export {} -o model.onnx'.format(args.output, args.output))
    return 0
