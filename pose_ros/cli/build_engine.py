# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""`pose-ros build-engine`: an ONNX file to a TensorRT engine."""
import argparse

from pose_ros.core.bundled import BUNDLED
from pose_ros.core.command_files import check_outputs
from pose_ros.core.command_options import count, parse_value, show_builds, size, with_companions
from pose_ros.core.engine_file import build_engine_file, describe_facts, engine_path
from pose_ros.core.engines import ENGINE_PARAMETERS
from pose_ros.core.engines.tensorrt_build import PRECISIONS
from pose_ros.core.errors import PoseRosError

DESCRIPTION = ('Build the TensorRT engine of a model on the machine that runs it. An engine works '
               'only with the TensorRT version and the GPU that built it. Its outputs must agree '
               'with those of ONNX Runtime; if fp16 does not, fp32 is built. Without this command '
               'the engine of an ONNX file is built at the first start, and kept. TensorRT for '
               'RTX (backend tensorrt_rtx) also builds engines for other GPUs, on a machine '
               'without any.')
EPILOG = """examples:
  pose-ros build-engine model.onnx                          writes model.engine and its card
  pose-ros build-engine pose_crop                           writes pose_crop.engine here
  pose-ros build-engine model.onnx -o robot.engine          another file
  pose-ros build-engine model.onnx --precision fp32          no half precision
  pose-ros build-engine model.onnx --backend tensorrt_rtx --arch sm86,sm89
                                                            for GeForce 30 and 40, needs no GPU here
  pose-ros image photo.jpg --model model.engine --backend tensorrt --output people.jpg

Needs an NVIDIA GPU, TensorRT 8.2 to 11.4 or TensorRT for RTX, and PyCUDA or cuda-bindings: see
pose-ros doctor. With --arch TensorRT for RTX is enough.
exit codes: 0 built; 1 not built
"""
_WORKSPACE = [parameter for parameter in ENGINE_PARAMETERS if parameter.name == 'workspace'][0]


def add_arguments(parser) -> None:
    """Add the options of this command."""
    parser.add_argument('model', metavar='MODEL', help='model file (ONNX), or {}'.format(', '.join(BUNDLED)))
    parser.add_argument('-o', '--output', metavar='FILE',
                        help='engine file (default: the name of the model, ending in .engine)')
    parser.add_argument('--backend', choices=('tensorrt', 'tensorrt_rtx'),
                        help='which TensorRT (default: the one that is installed)')
    parser.add_argument('--arch', type=_names, default=(), metavar='NAMES',
                        help='GPUs that run the engine, such as sm86,sm89 for compute '
                             'capabilities 8.6 and 8.9; tensorrt_rtx only. The engine is not run '
                             'here, and not compared (default: the GPU of this machine; without '
                             'one, all but sm75)')
    parser.add_argument('--precision', choices=PRECISIONS, default='auto',
                        help='arithmetic of the network (default: auto: fp16 where the GPU gains '
                             'by it)')
    parser.add_argument('--workspace', type=_workspace, default=_WORKSPACE.default, metavar='MIB',
                        help='{} [MiB] (default: 0)'.format(_WORKSPACE.description))
    parser.add_argument('--shape', type=size, metavar='WxH',
                        help='network input size, such as 432x368; for models with dynamic shapes '
                             "(default: the card's)")
    parser.add_argument('--batch', type=count, default=1, metavar='N',
                        help='images per run, such as the number of cameras; for models with a '
                             'dynamic batch, others keep theirs (default: 1)')
    parser.add_argument('--card', metavar='FILE',
                        help="model card that replaces the model's own (JSON)")
    parser.add_argument('--rebuild', action='store_true',
                        help='build even if the cache has the engine (see pose-ros engines list)')


def run(args) -> int:
    """Build, and print the result; return the exit code."""
    output = engine_path(args.model, args.output)
    check_outputs({'-o': output, 'the card of -o': output + '.json'},
                  with_companions([args.model]) + [args.card])
    show_builds()
    path, facts = build_engine_file(args.model, output, args.card, args.shape, args.precision,
                                    args.workspace, args.rebuild, args.batch, args.backend,
                                    args.arch)
    print('{}: {}'.format(path, describe_facts(facts)))
    return 0


def _names(text):
    names = tuple(part.strip().lower() for part in text.split(',') if part.strip())
    if not names:
        raise argparse.ArgumentTypeError('give at least one GPU, such as sm86')
    return names


def _workspace(text):
    try:
        return parse_value(_WORKSPACE, text)
    except PoseRosError as error:
        raise argparse.ArgumentTypeError(str(error))
