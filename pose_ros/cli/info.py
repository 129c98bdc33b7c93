# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""`pose-ros info`: describe a model."""
import json
import os
from typing import Sequence

import numpy as np

from pose_ros.cli.options import describe_settings
from pose_ros.core.command_options import add_model_options, load_network, parse_settings
from pose_ros.core.errors import shown
from pose_ros.core.estimator import PoseEstimator
from pose_ros.core.files import sha256
from pose_ros.core.frame import Frame
from pose_ros.core.network import Network
from pose_ros.core.parameters import Parameter
from pose_ros.core.regions import whole

DESCRIPTION = ('Describe a model: its card, the tensors of the network, the engine that runs it '
               'here, and the settings of its decoder and stages. The network is loaded and run '
               'once, so a card that contradicts it is an error.')
EPILOG = """examples:
  pose-ros info model.onnx                        print all facts
  pose-ros info model.onnx --json                 the same for programs
  pose-ros info weights.onnx --card card.json     use a card for a network without one
"""


def add_arguments(parser) -> None:
    """Add the options of this command."""
    add_model_options(parser, positional=True)
    parser.add_argument('--json', action='store_true', help='print JSON')


def run(args) -> int:
    """Print the description; return the exit code."""
    network = load_network(args)
    settings = _settings(network, args.set)
    facts = describe(network, settings)
    if args.json:
        print(json.dumps(facts, indent=2))
    else:
        print('\n'.join(map(shown, _lines(facts, network, settings))))
    network.close()
    return 0


def _settings(network: Network, pairs) -> Sequence[Parameter]:
    """Apply --set, and return the settings with their values as defaults."""
    if network.card.task == 'pose':
        estimator = PoseEstimator.of_network(network)
        estimator.configure(**parse_settings(pairs, estimator.parameters))
        return estimator.parameters
    decoder = network.decoder
    decoder.configure(**parse_settings(pairs, decoder.PARAMETERS))
    return [parameter._replace(name='detector.' + parameter.name,
                               default=decoder.settings[parameter.name])
            for parameter in decoder.PARAMETERS]


def describe(network: Network, settings: Sequence[Parameter]) -> dict:
    """Return the facts about a loaded model, ready for JSON; `topology` is null for a detector."""
    card, engine = network.card, network.engine.describe()
    path, topology = engine.model, card.topology
    gray = Frame(np.zeros((card.input.height, card.input.width, 3), np.uint8))
    outputs, _ = next(network([gray], [whole(0, *gray.size)]))
    return {
        'file': os.path.abspath(path), 'bytes': os.path.getsize(path), 'sha256': sha256(path),
        'card': json.loads(card.to_json()),
        'network': {'input': list(network.engine.input_shape),
                    'batch': network.batch_size,
                    'outputs': {name: list(array.shape) for name, array in outputs.items()}},
        'topology': topology and {'name': topology.name, 'limbs': topology.limbs,
                                  'keypoint_names': topology.keypoint_names},
        'engine': dict(engine._asdict()),
        'settings': {parameter.name: parameter.default for parameter in settings},
    }


def _lines(facts, network, settings):
    card, topology = facts['card'], facts['topology']
    yield 'model       {} {}, license {}'.format(card['name'], card['version'], card['license'])
    yield 'task        ' + card['task']
    yield 'file        {} ({:.1f} MB)'.format(facts['file'], facts['bytes'] / 1e6)
    yield 'sha256      ' + facts['sha256']
    yield 'decoder     ' + card['decoder']['type']
    if topology:
        yield 'topology    {}, {} keypoints, {} limbs'.format(
            topology['name'], len(topology['keypoint_names']), len(topology['limbs']))
        yield '            ' + ' '.join(topology['keypoint_names'])
    spec = card['input']
    yield 'input       {width}x{height} {color}, {fit}, {interpolation}'.format(**spec)
    yield '            (x * {scale:g} - {mean}) / {std}'.format(**spec)
    shapes = facts['network']
    yield 'network     {} -> {} per image'.format(_shape(shapes['input']), ', '.join(
        '{} {}'.format(name, _shape(shape)) for name, shape in shapes['outputs'].items()))
    yield 'engine      {}'.format(network.engine.describe())
    provenance = ['{}: {}'.format(key, value) for key, value in card['provenance'].items()]
    for title, lines in (('settings', describe_settings(settings, {})),
                         ('provenance', provenance)):
        for line in lines:
            yield '{:<12}{}'.format(title, line)
            title = ''


def _shape(shape):
    return 'x'.join('?' if size is None else str(size) for size in shape)
