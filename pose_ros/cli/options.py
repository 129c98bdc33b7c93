# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Options that commands share, made from the tables that the engines and decoders publish."""
import argparse
import logging
import sys
from typing import Any, Dict, Sequence, Tuple

import cv2

from pose_ros.core.decoders import decoder_parameters, FAMILIES
from pose_ros.core.engines.engine import ENGINE_PARAMETERS
from pose_ros.core.errors import PoseRosError
from pose_ros.core.estimator import PoseEstimator
from pose_ros.core.parameters import Parameter
from pose_ros.core.results import FORMS

_BOOLEANS = {'true': True, 'yes': True, 'on': True, '1': True,
             'false': False, 'no': False, 'off': False, '0': False}


def add_model_options(parser, positional: bool = False) -> None:
    """Add what chooses a model and how it runs; load_estimator reads it back."""
    group = parser.add_argument_group('model')
    if positional:
        parser.add_argument('model', metavar='MODEL', help='model file')
    else:
        group.add_argument('--model', metavar='FILE',
                           help='model file (default: the bundled model)')
    group.add_argument('--card', metavar='FILE',
                       help="model card that replaces the model's own (JSON)")
    group.add_argument('--size', type=size, metavar='WxH',
                       help='network input size, such as 432x368; for models with dynamic shapes '
                            "(default: the card's)")
    group.add_argument('--set', action='append', default=[], type=setting, metavar='NAME=VALUE',
                       help='change a setting of the decoder; may be repeated')
    group = parser.add_argument_group('engine')
    for parameter in ENGINE_PARAMETERS:
        _add_parameter(group, parameter)


def add_output_options(parser, output: str) -> None:
    """Add where people are written to; `output` is the help of --output."""
    group = parser.add_argument_group('results')
    group.add_argument('--json', metavar='FILE', help='write the people to a JSON file')
    group.add_argument('--format', choices=FORMS, default='frames',
                       help='form of --json: frames (all that is known, per frame) or coco '
                            '(COCO-17 keypoint results) (default: frames)')
    group.add_argument('--output', metavar='PATH', help=output)
    group.add_argument('--no-labels', action='store_true', help='draw no scores beside the people')
    group.add_argument('--max-frames', type=count, metavar='N', help='stop after N frames')
    group.add_argument('--quiet', action='store_true', help='print errors only')


def load_estimator(args) -> PoseEstimator:
    """Load what add_model_options describes; argparse.ArgumentError for an unfit --set."""
    show_builds()
    cv2.setNumThreads(1)  # its pool takes the cores from the network's
    engine = {parameter.name: getattr(args, parameter.name) for parameter in ENGINE_PARAMETERS}
    estimator = PoseEstimator(args.model, card=args.card, input_size=args.size, **engine)
    try:
        estimator.configure(**parse_settings(args.set, estimator.decoder.PARAMETERS))
    except PoseRosError as error:
        raise argparse.ArgumentError(None, 'argument --set: {}'.format(error))
    return estimator


def show_builds() -> None:
    """Show the progress of TensorRT builds, which may take minutes, on stderr."""
    logger = logging.getLogger('pose_ros.build')
    logger.setLevel(logging.INFO)
    if not logger.handlers:
        logger.addHandler(_ToStderr())


class _ToStderr(logging.Handler):
    def emit(self, record):
        print(record.getMessage(), file=sys.stderr)


def parse_settings(pairs: Sequence[Tuple[str, str]], table: Sequence[Parameter]) -> Dict[str, Any]:
    """Read (name, text) pairs as a decoder's settings; PoseRosError names what the table lacks."""
    parameters = {parameter.name: parameter for parameter in table}
    values = {}
    for name, text in pairs:
        if name not in parameters:
            raise PoseRosError('this model has no setting {!r}; it has: {}'.format(
                name, ', '.join(parameters)))
        values[name] = parse_value(parameters[name], text)
    return values


def parse_value(parameter: Parameter, text: str):
    """Read text as the parameter's type, checked; PoseRosError if it does not fit."""
    kind = type(parameter.default)
    try:
        value = _BOOLEANS.get(text.lower(), text) if kind is bool else kind(text)
    except ValueError:
        value = text  # which the parameter refuses in its own words
    return parameter.checked(value)


def settings_help() -> str:
    """Return the lines of an epilog that list what --set accepts, family by family."""
    lines = []
    for family in sorted(FAMILIES):
        lines.append('settings (--set) of models of the family {}, with their defaults; `pose-ros '
                     "info MODEL` prints a model's own:".format(family))
        lines += ['  ' + line for line in describe_settings(decoder_parameters(family), {})]
    return '\n'.join(lines) + '\n'


def describe_settings(table: Sequence[Parameter], values: Dict[str, Any]) -> Sequence[str]:
    """Return one line per parameter: its value (else its default), what it is, its range."""
    return ['{:<28} {}'.format('{}={}'.format(item.name, values.get(item.name, item.default)),
                               _explained(item)) for item in table]


def size(text: str) -> Tuple[int, int]:
    """Read WxH as (width, height) px, for argparse."""
    width, x, height = text.lower().partition('x')
    if not (x and width.isdigit() and height.isdigit() and int(width) and int(height)):
        raise argparse.ArgumentTypeError('{!r} is not WIDTHxHEIGHT, such as 432x368'.format(text))
    return int(width), int(height)


def count(text: str) -> int:
    """Read a whole number above zero, for argparse."""
    if not text.isdigit() or not int(text):
        raise argparse.ArgumentTypeError('{!r} is not a whole number above 0'.format(text))
    return int(text)


def setting(text: str) -> Tuple[str, str]:
    """Read NAME=VALUE, for argparse."""
    name, equals, value = text.partition('=')
    if not (name and equals and value):
        raise argparse.ArgumentTypeError(
            '{!r} is not NAME=VALUE, such as peak_threshold=0.1'.format(text))
    return name, value


def _add_parameter(group, parameter):
    name = parameter.name.replace('_', '-')
    if type(parameter.default) is bool:
        group.add_argument(('--no-' if parameter.default else '--') + name, dest=parameter.name,
                           action='store_false' if parameter.default else 'store_true',
                           help=parameter.description.replace('%', '%%'))
        return

    def read(text):
        try:
            return parse_value(parameter, text)
        except PoseRosError as error:
            raise argparse.ArgumentTypeError(str(error))
    group.add_argument('--' + name, dest=parameter.name, type=read, default=parameter.default,
                       metavar='{' + ','.join(parameter.choices) + '}' if parameter.choices else
                       parameter.name.upper(),
                       help='{} (default: {})'.format(_explained(parameter).replace('%', '%%'),
                                                      parameter.default))


def _explained(parameter):
    text = parameter.description
    if parameter.unit:
        text += ' [{}]'.format(parameter.unit)
    bounds = [bound for bound in (parameter.minimum, parameter.maximum) if bound is not None]
    if len(bounds) == 2:
        text += '; {:g} to {:g}'.format(*bounds)
    return text
