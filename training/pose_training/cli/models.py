# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""`pose-train models`: the networks of this package."""
import json
from typing import List

import torch

from pose_training.models import create_model, get_spec, networks
from pose_training.models.cost import count_multiply_adds, count_parameters

DESCRIPTION = 'List the networks, their cost, and where their weights are published.'
EPILOG = """examples:
  pose-train models                   one line each
  pose-train models body_25           all facts of one network
  pose-train models --json            the same for programs
"""
_COLUMNS = '{:<27}{:>9}{:>9}  {:<9}{:<13}{}'


def add_arguments(parser) -> None:
    """Add the options of this command."""
    parser.add_argument('names', metavar='NAME', nargs='*', help='networks (default: all)')
    parser.add_argument('--json', action='store_true', help='print JSON')
    parser.add_argument('--markdown', action='store_true',
                        help='print the table of docs/models.md')


def run(args) -> int:
    """Print the list; return the exit code."""
    facts = [describe(name) for name in args.names or networks()]
    if args.json:
        print(json.dumps(facts, indent=2))
    elif args.markdown:
        print('\n'.join(markdown(facts)))
    elif args.names:
        print('\n\n'.join('\n'.join(_lines(fact)) for fact in facts))
    else:
        print(_COLUMNS.format('network', 'params M', 'GMAC', 'input', 'keypoints', 'weights as'))
        for fact in facts:
            print(_COLUMNS.format(
                fact['name'], '{:.2f}'.format(fact['parameters'] / 1e6),
                '{:.2f}'.format(fact['multiply_adds'] / 1e9),
                '{}x{}'.format(*fact['input_size']), fact['topology'],
                ', '.join(fact['formats']) or 'own training'))
    return 0


def describe(name: str) -> dict:
    """Return the facts of a network, with its cost at its own input size, as JSON data."""
    spec = get_spec(name)
    with torch.device('meta'):  # no memory for the weights of a hundred networks
        network = create_model(name)
    width, height = spec.input['width'], spec.input['height']
    return {'name': name, 'summary': spec.summary, 'topology': spec.topology,
            'parameters': count_parameters(network), 'input_size': [width, height],
            'multiply_adds': count_multiply_adds(network, width, height),
            'input': spec.input, 'stride': network.stride, 'options': dict(spec.options),
            'formats': list(spec.formats), 'source': spec.source, 'license': _license(spec),
            'published_accuracy': spec.accuracy}


def _license(spec):
    others = ['{}: {}'.format(name, license) for name, license in spec.licenses.items()]
    return '; '.join([spec.license, *others])


def markdown(facts) -> List[str]:
    """Return a table of networks, one line of Markdown each."""
    rows = [('network', 'parameters', 'multiply-adds', 'input', 'keypoints', 'published accuracy',
             'license of the published weights', 'import command'), ('---',) * 8]
    rows += [('`{}`'.format(fact['name']), '{:.2f} M'.format(fact['parameters'] / 1e6),
              '{:.2f} G'.format(fact['multiply_adds'] / 1e9),
              '{} x {}, {}'.format(*fact['input_size'], fact['input']['color'].upper()),
              '`{}`'.format(fact['topology']) if fact['topology'] else 'boxes',
              fact['published_accuracy'] or '-',
              fact['license'] if fact['formats'] else '-',
              _command(fact)) for fact in facts]
    return ['| {} |'.format(' | '.join(row)) for row in rows]


def _command(fact):
    if fact['formats'] == ['onnx']:
        return ("none: it is this project's own; to train on, `pose-train import onnx FILE --model"
                ' {0} -o {0}.pt`'.format(fact['name']))
    command = '`pose-train import {0} FILE --model {1} -o {1}.onnx`'.format(
        fact['formats'][0], fact['name'])
    others = ', '.join('`{}`'.format(name) for name in fact['formats'][1:])
    return command + (' (or {})'.format(others) if others else '')


def _lines(fact):
    scaling = '{color}, (x * {scale:g} - {mean}) / {std}, {fit}'.format(**fact['input'])
    rows = (('', fact['summary']), ('keypoints', fact['topology'] or 'none: boxes'),
            ('parameters', '{:,}'.format(fact['parameters'])),
            ('multiply-adds', '{:,} at {}x{}'.format(fact['multiply_adds'], *fact['input_size'])),
            ('input', scaling), ('weights as', ', '.join(fact['formats']) or 'own training'),
            ('from', fact['source']), ('license of weights', fact['license']),
            ('published accuracy', fact['published_accuracy'] or 'none known'))
    return [fact['name']] + ['  {:<20}{}'.format(*row) for row in rows if row[1]]
