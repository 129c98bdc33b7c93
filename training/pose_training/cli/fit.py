# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""`pose-train fit`: train a network."""
import sys

from lightning.pytorch.utilities import rank_zero_only

from pose_training.cli.changes import add_config_arguments, check_run_folder
from pose_training.fitting.config import load_config, settings_help
from pose_training.fitting.fit import fit
from pose_training.fitting.gpus import parse_gpus
from pose_training.fitting.interruption import Interrupted
from pose_training.fitting.settings import RunConfig

DESCRIPTION = ('Train a network as configured. The folder OUTPUT gets its snapshots, '
               'its logs for TensorBoard and, in the end, network.pt for `pose-train export`. '
               'Ctrl-C, SIGTERM and a closed terminal stop after the current step with a '
               'snapshot, from which --resume continues exactly.')
EPILOG = """examples:
  pose-train fit repvgg_fpn.yaml
  pose-train fit repvgg_fpn.yaml optimizer.lr=3e-4 data.size=[384,288] --output runs/wide
  pose-train fit repvgg_fpn.yaml --resume              continue, or begin if there is nothing yet
  pose-train fit repvgg_fpn.yaml --devices 4              four GPUs of this computer
  pose-train fit repvgg_fpn.yaml --gpus auto memory_fraction=0.5    share a computer with others
  torchrun --nproc-per-node=4 -m pose_training.cli fit repvgg_fpn.yaml --devices 4
  tensorboard --logdir runs

On several computers, the same on each of them, with its own --node-rank:
  torchrun --nnodes=2 --node-rank=0 --nproc-per-node=4 --rdzv-backend=c10d \\
    --rdzv-endpoint=FIRST_HOST:29500 -m pose_training.cli fit repvgg_fpn.yaml --devices 4 nodes=2

The batch of the configuration is shared among the processes; only the first of them writes, to an
OUTPUT that all computers must see. Batch norms take their statistics from each process's own part
of the batch (optimizer.norm=sync: from all of it).

exit codes: 0 done; 1 failed; 2 the command line is wrong; 130 stopped by a signal

settings (KEY=DEFAULT; `- ` begins an entry of a list):
""" + settings_help() + '\n'


def add_arguments(parser) -> None:
    """Add the options of this command."""
    add_run_arguments(parser)


def add_run_arguments(parser) -> None:
    """Add what `fit` and `distill` share."""
    add_config_arguments(parser)
    parser.add_argument('--output', metavar='DIR', help='folder of the run')
    group = parser.add_mutually_exclusive_group()
    group.add_argument('--resume', '--continue', action='store_true', dest='resume',
                       help='continue from the last snapshot of the folder')
    group.add_argument('--fresh', action='store_true',
                       help='begin again; an earlier run in the folder is moved aside')
    parser.add_argument('--devices', type=int, metavar='N', help='processes on this computer')
    parser.add_argument('--gpus', metavar='LIST', help='GPUs of this computer: 0,1 or 0-1 (both '
                        'included), or `auto`, those with the least memory in use')
    parser.add_argument('--max-to-keep', type=int, metavar='N',
                        help='snapshots to keep besides the last; 0 keeps all')


def run(args) -> int:
    """Train; return the exit code."""
    return run_config(read_config(args), args)


def read_config(args) -> RunConfig:
    """Read the configuration with the changes of the command line."""
    changes = list(args.changes)
    for key in ('output', 'devices', 'max_to_keep'):
        if getattr(args, key) is not None:
            changes.append('{}={}'.format(key, getattr(args, key)))
    if args.gpus is not None:
        changes += parse_gpus(args.gpus)
    return load_config(args.config, changes)


def run_config(config: RunConfig, args) -> int:
    """Train; print where the network is or how to continue; return the exit code."""
    # The program rewrites the configuration of a run that continues.
    check_run_folder(config, ('config.yaml', 'network.pt'), [] if args.resume else [args.config])
    try:
        path = fit(config, True if args.resume else False if args.fresh else None)
    except Interrupted as stopped:
        return _interrupted(stopped, config)
    if not rank_zero_only.rank:
        print('wrote {0}; next: pose-train export {0} -o model.onnx'.format(path))
    return 0


def _interrupted(stopped, config):
    if rank_zero_only.rank:
        return 0  # the first process reports it
    words = ' '.join(word for word in sys.argv[1:]
                     if word not in ('--resume', '--continue', '--fresh'))
    print('{}{}; to continue: pose-train {} --resume'.format(
        stopped, ', with the snapshot {}'.format(stopped.snapshot) if stopped.snapshot else
        '; snapshots are in {}/snapshots'.format(config.output), words), file=sys.stderr)
    return 130
