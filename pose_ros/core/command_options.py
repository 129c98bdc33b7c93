# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Options of a command line that chooses a model, made from the tables of engines and decoders."""
import argparse
import logging
import os
import sys
from typing import Any, Dict, List, Sequence, Tuple

import cv2

from pose_ros.core.bundled import BUNDLED, find_models
from pose_ros.core.engines import ENGINE_PARAMETERS
from pose_ros.core.errors import PoseRosError, shown
from pose_ros.core.estimator import PoseEstimator
from pose_ros.core.network import Network, open_network
from pose_ros.core.parameters import Parameter

_BOOLEANS = {'true': True, 'yes': True, 'on': True, '1': True,
             'false': False, 'no': False, 'off': False, '0': False}


def add_model_options(parser, positional: bool = False) -> None:
    """Add the options of a model and its engine; load_estimator reads them."""
    group = parser.add_argument_group('model')
    if positional:
        parser.add_argument('model', metavar='MODEL',
                            help='model file, or {}'.format(', '.join(BUNDLED)))
    else:
        group.add_argument('--model', metavar='FILE',
                           help='model file, or the name of a bundled model: {} (default: '
                                'person_detector and pose_crop)'.format(', '.join(BUNDLED)))
    group.add_argument('--detector', metavar='FILE',
                       help='model that finds the people, for a model of crops: a file or a name')
    if positional:  # the body alone
        parser.set_defaults(hands=None, face=None)
    else:
        group.add_argument('--hands', metavar='FILE',
                           help='model of the hands of the people (hand_21)')
        group.add_argument('--face', metavar='FILE',
                           help='model of the faces of the people (face_70)')
    group.add_argument('--card', metavar='FILE',
                       help="model card that replaces the model's own (JSON)")
    group.add_argument('--size', type=size, metavar='WxH',
                       help='network input size, such as 432x368; for models with dynamic shapes '
                            "(default: the card's)")
    group.add_argument('--set', action='append', default=[], type=setting, metavar='NAME=VALUE',
                       help='change a setting, such as selection.min_score=0.4; may be repeated')
    group = parser.add_argument_group('engine')
    for parameter in ENGINE_PARAMETERS:
        add_parameter(group, parameter)


def model_inputs(args) -> List[str]:
    """Return the files that the options of add_model_options name, for check_outputs."""
    models = [path for path in find_models(args.model, args.detector) if path]
    return with_companions(models) + ([args.card] if args.card else [])


def with_companions(models: Sequence[str]) -> List[str]:
    """Return model files and the files beside them that belong to them: cards, weights."""
    return [name for path in models
            for name in (path, path + '.json', os.path.splitext(path)[0] + '.bin', path + '.data')]


def load_estimator(args) -> PoseEstimator:
    """Load what add_model_options describes; argparse.ArgumentError for an invalid --set."""
    engine = _prepare(args)
    estimator = PoseEstimator(args.model, card=args.card, input_size=args.size,
                              detector=args.detector, hands=args.hands, face=args.face, **engine)
    estimator.configure(**parse_settings(args.set, estimator.parameters))
    return estimator


def load_network(args) -> Network:
    """Load the model alone, of any task, with the options of add_model_options."""
    engine = _prepare(args)
    return open_network(args.model, card=args.card, input_size=args.size, **engine)


def _prepare(args) -> Dict[str, Any]:
    """Return the engine options of a command that is about to load a model."""
    show_builds()
    cv2.setNumThreads(1)  # its threads compete with those of the network
    return {parameter.name: getattr(args, parameter.name) for parameter in ENGINE_PARAMETERS}


def show_builds() -> None:
    """Show the progress of TensorRT builds, which may take minutes, on stderr."""
    logger = logging.getLogger('pose_ros.build')
    logger.setLevel(logging.INFO)
    if not logger.handlers:
        logger.addHandler(_ToStderr())


class _ToStderr(logging.Handler):
    def emit(self, record):
        print(shown(record.getMessage()), file=sys.stderr)


def parse_settings(pairs: Sequence[Tuple[str, str]], table: Sequence[Parameter]) -> Dict[str, Any]:
    """Read (name, text) pairs as settings of the table.

    A name may lack its prefix (min_score for selection.min_score) where only one setting has it.
    argparse.ArgumentError for an unknown or ambiguous name, or an invalid value.
    """
    try:
        return _parse_settings(pairs, table)
    except PoseRosError as error:
        raise argparse.ArgumentError(None, 'argument --set: {}'.format(error))


def _parse_settings(pairs, table):
    values = {}
    for name, text in pairs:
        fitting = [parameter for parameter in table
                   if name in (parameter.name, parameter.name.rpartition('.')[2])]
        if not fitting:
            raise PoseRosError('this model has no setting {!r}; it has: {}'.format(
                name, ', '.join(parameter.name for parameter in table)))
        if len(fitting) > 1:
            raise PoseRosError('the setting {!r} is ambiguous: use {}'.format(
                name, ' or '.join(parameter.name for parameter in fitting)))
        values[fitting[0].name] = parse_value(fitting[0], text)
    return values


def parse_value(parameter: Parameter, text: str):
    """Read text as the parameter's type, checked; PoseRosError if it does not fit."""
    kind = type(parameter.default)
    try:
        value = _BOOLEANS.get(text.lower(), text) if kind is bool else kind(text)
    except ValueError:
        value = text  # parameter.checked raises the error
    return parameter.checked(value)


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


def add_parameter(group, parameter: Parameter) -> None:
    """Add the option of a parameter; its value is checked."""
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
                       help='{} (default: {})'.format(explain(parameter).replace('%', '%%'),
                                                      parameter.default))


def explain(parameter: Parameter) -> str:
    """Return one line: the description of a parameter, its unit and its range."""
    text = parameter.description
    if parameter.unit:
        text += ' [{}]'.format(parameter.unit)
    bounds = [bound for bound in (parameter.minimum, parameter.maximum) if bound is not None]
    if len(bounds) == 2:
        text += '; {:g} to {:g}'.format(*bounds)
    return text
