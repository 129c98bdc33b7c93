# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""`pose-train fit-packed`: train on one device, within a given time."""
import os

from pose_training.cli.changes import add_config_arguments, check_run_folder
from pose_training.device.trainer import Budget, DeviceTrainer, LAST, NETWORK
from pose_training.errors import ConfigError
from pose_training.fitting.config import load_config

DESCRIPTION = ('Train a network of crops or a detector from the files of `pose-train pack` on one '
               'device. All data stays in the memory of the device. The learning rate follows the '
               'clock, so that the training ends after the given time.')
EPILOG = """examples:
  pose-train fit-packed pose_crop.yaml --pack packed/crop --seconds 385
  pose-train fit-packed person_detector.yaml --pack packed/detector --seconds 284 --resume

OUTPUT/last.ckpt is written every minute; --resume continues from it. It, and in the end
OUTPUT/network.pt, are checkpoints for `pose-train export`. Needs only PyTorch, NumPy, OpenCV and
PyYAML.
"""


def add_arguments(parser) -> None:
    """Add the options of this command."""
    add_config_arguments(parser)
    parser.add_argument('--pack', required=True, metavar='DIR', help='folder of pose-train pack')
    parser.add_argument('--output', metavar='DIR', help='folder of the run')
    group = parser.add_mutually_exclusive_group(required=True)
    group.add_argument('--seconds', type=float, default=0., metavar='S',
                       help='length of the training, without reading the images')
    group.add_argument('--steps', type=int, default=0, metavar='N', help='length in steps')
    parser.add_argument('--resume', '--continue', action='store_true', dest='resume',
                        help='continue from the last snapshot, if there is one')
    parser.add_argument('--save-every', type=float, default=60., metavar='S',
                        help='seconds between snapshots (default: %(default)g)')


def run(args) -> int:
    """Train; return the exit code."""
    changes = list(args.changes) + (['output=' + args.output] if args.output else [])
    config = load_config(args.config, changes)
    there = [name for name in (LAST, NETWORK)
             if os.path.exists(os.path.join(config.output, name))]
    if there and not args.resume:
        raise ConfigError('{} holds {}: --resume continues it; or name another --output'.format(
            config.output, ' and '.join(there)))
    check_run_folder(config, (LAST, NETWORK), [])
    trainer = DeviceTrainer(config, args.pack, Budget(args.seconds, args.steps))
    if args.resume:
        trainer.resume()
    path = trainer.run(save_every=args.save_every)
    print('wrote {0}; next: pose-train export {0} -o model.onnx'.format(path))
    return 0
