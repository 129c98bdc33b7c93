# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""`pose-train export`: convert a checkpoint into a file for the robot."""
from pose_training.checkpoint import load_checkpoint
from pose_training.cli.options import add_export_options, check_export, write_network

DESCRIPTION = ('Turn a checkpoint of this package into one ONNX file that carries its model card. '
               'Batch norms are folded and parallel branches summed; the file is checked against '
               'the network before it is written.')
EPILOG = """examples:
  pose-train export network.pt -o model.onnx
  pose-train export network.pt -o model_fp16.onnx --precision fp16 --size 448x352
  pose-train export network.pt -o model_int8.onnx --precision int8 --calibration images/
  pose-train export network.pt -o model.onnx --engine    on the machine with the GPU
"""


def add_arguments(parser) -> None:
    """Add the options of this command."""
    parser.add_argument('checkpoint', metavar='CHECKPOINT', help='a .pt or .ckpt file')
    add_export_options(parser)


def run(args) -> int:
    """Export; return the exit code."""
    check_export(args, [args.checkpoint])
    network, provenance = load_checkpoint(args.checkpoint)
    write_network(network, provenance, args)
    return 0
