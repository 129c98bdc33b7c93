# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""`pose-ros info`: describe a model."""
import json
import os

import numpy as np

from pose_ros.cli.options import describe_settings
from pose_ros.core.command_options import add_model_options, load_estimator
from pose_ros.core.files import sha256
from pose_ros.core.frame import Frame
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
    estimator = load_estimator(args)
    facts = describe(args.model, estimator)
    if args.json:
        print(json.dumps(facts, indent=2))
    else:
        print('\n'.join(_lines(facts, estimator)))
    estimator.close()
    return 0


def describe(path: str, estimator) -> dict:
    """Return the facts about a loaded model, ready for JSON."""
    network, spec = estimator.network, estimator.card.input
    gray = Frame(np.zeros((spec.height, spec.width, 3), np.uint8))
    outputs, _ = next(network([gray], [whole(0, spec.width, spec.height)]))
    return {
        'file': os.path.abspath(path), 'bytes': os.path.getsize(path), 'sha256': sha256(path),
        'card': json.loads(estimator.card.to_json()),
        'network': {'input': list(network.engine.input_shape),
                    'batch': network.batch_size,
                    'outputs': {name: list(array.shape) for name, array in outputs.items()}},
        'topology': {'name': estimator.topology.name, 'limbs': estimator.topology.limbs,
                     'keypoint_names': estimator.topology.keypoint_names},
        'engine': dict(network.engine.describe()._asdict()),
        'settings': estimator.settings,
    }


def _lines(facts, estimator):
    card, topology = facts['card'], facts['topology']
    yield 'model       {} {}, license {}'.format(card['name'], card['version'], card['license'])
    yield 'file        {} ({:.1f} MB)'.format(facts['file'], facts['bytes'] / 1e6)
    yield 'sha256      ' + facts['sha256']
    yield 'decoder     ' + card['decoder']['type']
    yield 'topology    {}, {} keypoints, {} limbs'.format(
        topology['name'], len(topology['keypoint_names']), len(topology['limbs']))
    yield '            ' + ' '.join(topology['keypoint_names'])
    spec = card['input']
    yield 'input       {width}x{height} {color}, {fit}, {interpolation}'.format(**spec)
    yield '            (x * {scale:g} - {mean}) / {std}'.format(**spec)
    network = facts['network']
    yield 'network     {} -> {} per image'.format(_shape(network['input']), ', '.join(
        '{} {}'.format(name, _shape(shape)) for name, shape in network['outputs'].items()))
    yield 'engine      {}'.format(estimator.network.engine.describe())
    provenance = ['{}: {}'.format(key, value) for key, value in card['provenance'].items()]
    settings = describe_settings(estimator.parameters, facts['settings'])
    for title, lines in (('settings', settings), ('provenance', provenance)):
        for line in lines:
            yield '{:<12}{}'.format(title, line)
            title = ''


def _shape(shape):
    return 'x'.join('?' if size is None else str(size) for size in shape)
