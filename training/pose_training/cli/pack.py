# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""`pose-train pack`: the images and labels of a configuration in two files."""
import os

from tqdm import tqdm

from pose_ros.core.command_files import check_outputs
from pose_training.cli.changes import add_config_arguments
from pose_training.device.packing import IMAGES, INDEX, pack
from pose_training.errors import ConfigError
from pose_training.fitting.config import load_config
from pose_training.fitting.network import chosen_topology
from pose_training.models import create_model

DESCRIPTION = ('Write the training images of a configuration, reduced, and their labels to two '
               'files for `pose-train fit-packed`, small enough to copy to a machine with a GPU.')
EPILOG = """examples:
  pose-train pack pose_crop.yaml -o packed/crop
  pose-train pack person_detector.yaml -o packed/detector --quality 90

It is for networks of crops (heatmap) and detectors. Images are reduced to data.person.max_side or
data.scene.max_side.
"""


def add_arguments(parser) -> None:
    """Add the options of this command."""
    add_config_arguments(parser)
    parser.add_argument('-o', '--output', required=True, metavar='DIR', help='folder to write')
    parser.add_argument('--quality', type=int, default=78, metavar='Q',
                        help='quality of the WebP images, 1 to 100 (default: %(default)s)')


def run(args) -> int:
    """Pack; return the exit code."""
    if not 1 <= args.quality <= 100:
        raise ConfigError('--quality is from 1 to 100, not {}'.format(args.quality))
    config = load_config(args.config, args.changes)
    family = create_model(config.model.name, chosen_topology(config),
                          **config.model.options).family
    if family.name not in ('heatmap', 'boxes'):
        raise ConfigError('networks of the family {!r} need pose-train fit'.format(
            family.name))
    if config.data.person.backgrounds:
        raise ConfigError('data.person.backgrounds needs pose-train fit: packed images have no '
                          'masks')
    if os.path.isdir(args.output):
        check_outputs({'-o, ' + name: os.path.join(args.output, name) for name in (IMAGES, INDEX)},
                      [args.config] + [entry.path for entry in config.data.train
                                       if os.path.isfile(entry.path)])
    found = pack(config.data, family, args.output, args.quality,
                 lambda items: tqdm(items, 'images', leave=False, disable=None))
    print('wrote {images} images, {people} people, {boxes} boxes ({mib:.1f} MiB) to '
          '{folder}'.format(mib=found['bytes'] / 2 ** 20, folder=args.output, **found))
    return 0
