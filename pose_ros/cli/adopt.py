# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""`pose-ros adopt`: a public pose network becomes a file that every command takes."""
import argparse
import os
import textwrap

import cv2

from pose_ros.core.adoption import adopt
from pose_ros.core.adoption.adopt import default_output
from pose_ros.core.adoption.kinds import KINDS
from pose_ros.core.command_files import check_outputs
from pose_ros.core.command_options import size
from pose_ros.core.draw import draw_people
from pose_ros.core.errors import ImageError
from pose_ros.core.estimator import PoseEstimator
from pose_ros.core.frame import Frame
from pose_ros.core.image_file import write_image
from pose_ros.core.network import open_network
from pose_ros.core.regions import whole
from pose_ros.core.sources.demo import sample_image
from pose_ros.core.topology import TOPOLOGIES

DESCRIPTION = ('Write a public pose network or detector again, with a model card: then every '
               'command, the node and Python take it. The kind is recognized by the names and '
               'shapes of its outputs. What no shape shows, such as the order of colors, is that '
               'of the project that published the kind; the options change it.')
EPILOG = """examples:
  pose-ros adopt rtmpose.onnx --license Apache-2.0       writes rtmpose_adopted.onnx
  pose-ros adopt yolo11n-pose.onnx -o yolo.onnx --image photo.jpg --drawing people.png
  pose-ros adopt strange.onnx --type heatmaps --color bgr --mean 0,0,0 --std 1,1,1

Reads ONNX files (with the package onnx), and OpenVINO (.xml), TensorFlow Lite (.tflite) and frozen
TensorFlow files (.pb) with OpenVINO, which then runs them. Images of (N, h, w, 3) become
(N, 3, h, w), outputs that no decoder reads are left out. Kinds:

""" + textwrap.fill(', '.join(KINDS), 95) + """

exit codes: 0 written; 1 the file cannot be run, or is of no known kind
"""
_INPUT_OPTIONS = (
    ('color', None, ('bgr', 'rgb'), 'order of the colors'),
    ('scale', float, None, 'factor on 0..255 before mean and std'),
    ('mean', 'numbers', None, 'mean of the channels, such as 0.485,0.456,0.406'),
    ('std', 'numbers', None, 'standard deviation of the channels'),
    ('fit', None, ('letterbox', 'stretch', 'crop'), 'how an image becomes the input'),
    ('align', None, ('center', 'top_left'), 'where a letterboxed image lies'),
    ('pad_value', int, None, 'gray level of borders'),
    ('padding', float, None, 'size of a crop relative to the box of its person'),
)


def add_arguments(parser) -> None:
    """Add the options of this command."""
    parser.add_argument('model', metavar='FILE', help='file of a public network')
    parser.add_argument('-o', '--output', metavar='FILE',
                        help='file to write (default: NAME_adopted.onnx, or .xml for formats of '
                             'OpenVINO)')
    parser.add_argument('--type', choices=tuple(KINDS), metavar='KIND',
                        help='kind of the network (default: the first that fits)')
    parser.add_argument('--license', default='unknown',
                        help='license of the weights, for the card (default: unknown)')
    parser.add_argument('--size', type=size, metavar='WxH',
                        help='input size of a network that takes any')
    parser.add_argument('--topology', choices=sorted(TOPOLOGIES), metavar='NAME',
                        help='skeleton format: ' + ', '.join(sorted(TOPOLOGIES)))
    parser.add_argument('--image', metavar='FILE',
                        help="image to try the network on (default: scikit-image's astronaut, if "
                             'that package is installed)')
    parser.add_argument('--drawing', metavar='FILE',
                        help='drawing of what it finds in the image (default: the adopted file '
                             'with the ending .png)')
    group = parser.add_argument_group('input, in place of what is usual for the kind')
    for name, kind, choices, text in _INPUT_OPTIONS:
        group.add_argument('--' + name.replace('_', '-'), dest=name, choices=choices, help=text,
                           type=_numbers if kind == 'numbers' else kind,
                           metavar='{' + ','.join(choices) + '}' if choices else name.upper())


def run(args) -> int:
    """Adopt, print what was assumed, and try it; return the exit code."""
    output = args.output or default_output(args.model)
    drawing = args.drawing or os.path.splitext(output)[0] + '.png'
    check_outputs({'-o': output, '--drawing': drawing}, [args.model, args.image])
    changes = {name: getattr(args, name) for name in ('topology',) + tuple(
        option[0] for option in _INPUT_OPTIONS) if getattr(args, name) is not None}
    adopted = adopt(args.model, output, args.type, args.size, args.license, changes)
    print('\n'.join(_lines(adopted)))
    print('drawn     ' + _try(adopted, args.image, drawing))
    return 0


def _lines(adopted):
    card, spec = adopted.card, adopted.card.input
    yield 'wrote     ' + adopted.path
    yield 'kind      {} (--type)'.format(adopted.kind)
    yield 'license   {} (--license)'.format(card.license)
    if card.topology:
        yield 'keypoints {}: {} (--topology)'.format(card.topology.name,
                                                    ' '.join(card.topology.keypoint_names))
    yield 'assumed   {}x{} px, {}, {}, {} (--size --color --fit --align)'.format(
        spec.width, spec.height, spec.color, spec.fit, spec.align)
    yield '          (x * {:.6g} - {}) / {} (--scale --mean --std)'.format(
        spec.scale, _text(spec.mean), _text(spec.std))


def _text(values):
    return ','.join('{:g}'.format(value) for value in values)


def _try(adopted, image, path) -> str:
    """Load the adopted file, and draw what it finds in an image; return what was drawn."""
    network = open_network(adopted.path)
    try:
        pixels, name = _image(image, network.card)
    except ImageError as error:
        network.close()
        if image:
            raise
        return 'nothing: ' + str(error)
    drawing = pixels.copy()
    if network.card.task == 'detection':
        count, word = _draw_boxes(network, pixels, drawing), 'boxes'
        network.close()
    else:
        estimator = PoseEstimator.of_network(network)
        people = estimator(pixels)
        estimator.close()
        draw_people(drawing, people, network.card.topology)
        count, word = people.count, 'people'
    write_image(path, drawing)
    return '{}: {} {} in {}'.format(path, count, word, name)


def _image(path, card):
    """Return an image, by default one with a person, and its name; ImageError if there is none."""
    if not path and card.topology and card.topology.name == 'hand_21':
        raise ImageError('name an image of a hand with --image')
    if not path:
        try:
            return sample_image(), "scikit-image's astronaut (--image)"
        except ImageError:
            raise ImageError('name an image with --image (without it, one of the package '
                             'scikit-image is used, which is not installed)')
    pixels = cv2.imread(path, cv2.IMREAD_COLOR)
    if pixels is None:
        raise ImageError('{} is not an image'.format(path))
    return pixels, path


def _draw_boxes(network, pixels, drawing):
    frame = Frame(pixels)
    found, transform = next(network.find([frame], [whole(0, *frame.size)]))
    for left, top, width, height in transform.boxes_to_image(found.boxes):
        cv2.rectangle(drawing, (int(left), int(top)), (int(left + width), int(top + height)),
                      (0, 255, 0), 2)
    return len(found.scores)


def _numbers(text):
    """Read three numbers, for argparse."""
    try:
        values = [float(word) for word in text.split(',')]
    except ValueError:
        values = []
    if len(values) != 3:
        raise argparse.ArgumentTypeError('{!r} is not three numbers, such as 0,0,0'.format(text))
    return values
