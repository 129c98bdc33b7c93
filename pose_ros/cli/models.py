# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""`pose-ros models`: the models that have names."""
import json

from pose_ros.core.bundled import BUNDLED
from pose_ros.core.public import find, names, stored

DESCRIPTION = ('List the models that have names. Each name stands in place of a file: --model, '
               '--detector, --hands and --face, the parameters of the node, and PoseEstimator. '
               'A public network is fetched at its first use.')
EPILOG = """examples:
  pose-ros models                                            all names
  pose-ros image photo.jpg --model rtmpose-m --detector yolox-tiny --output people.jpg
"""


def add_arguments(parser) -> None:
    """Add the options of this command."""
    parser.add_argument('--json', action='store_true', help='print JSON')


def run(args) -> int:
    """Print the names; return the exit code."""
    networks = [find(name) for name in names()]
    if args.json:
        public = [dict(network._asdict(), file=stored(network.name)) for network in networks]
        print(json.dumps({'bundled': BUNDLED, 'public': public}, indent=2))
        return 0
    print('bundled: ' + ', '.join(BUNDLED))
    print('public networks, fetched by name (* is here):')
    for network in networks:
        print('{:1} {:<15} {:>9}  {:<11} {}'.format(
            '*' if stored(network.name) else '', network.name, '{}x{}'.format(*network.size),
            network.license, network.accuracy))
    return 0
