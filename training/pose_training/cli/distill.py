# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""`pose-train distill`: train a network on labels and on other networks."""
from pose_training.cli.fit import add_run_arguments, read_config, run_config
from pose_training.errors import ConfigError
from pose_training.fitting.config import settings_help

DESCRIPTION = ('Train a network on labels and on the maps of other networks for the same crops: '
               "averaged over the teachers, on the student's grid and in its channels. It is "
               '`pose-train fit` with teachers; a configuration can name them, too.')
EPILOG = """examples:
  pose-train distill repvgg_fpn.yaml --teacher large.onnx
  pose-train distill repvgg_fpn.yaml --teacher a.onnx --teacher b.xml --card b.json --cache maps/
  pose-train distill repvgg_fpn.yaml --teacher large.pt --weight 1   the teacher alone
  pose-train distill repvgg_fpn.yaml --teacher large.pt --on-device     on a GPU, with the student
  pose-train distill repvgg_fpn.yaml --single-person movenet.tflite     keypoints for boxes

A teacher is an ONNX file or an OpenVINO network (.xml) with a model card (inside, beside it, or by
--card), or a checkpoint of this package (.pt). For hints on inner layers, set teacher.hints in the
configuration. Check the license of a teacher's weights: it may also apply to the student.

settings (KEY=DEFAULT; `- ` begins an entry of a list):
""" + settings_help() + '\n'


def add_arguments(parser) -> None:
    """Add the options of this command."""
    add_run_arguments(parser)
    group = parser.add_argument_group('teachers')
    group.add_argument('--teacher', action='append', default=[], metavar='MODEL',
                       help='a teacher network; may be repeated')
    group.add_argument('--card', action='append', default=[], metavar='FILE',
                       help='model card of the teacher, in the order of the teachers')
    group.add_argument('--weight', type=float, metavar='W',
                       help='share of the teachers in labelled targets, 0 to 1')
    group.add_argument('--cache', metavar='DIR', help='folder for their maps')
    group.add_argument('--on-device', action='store_true',
                       help='run them on the device of the student, not on the CPU in the '
                            'loaders: faster with a GPU; checkpoints (.pt) only')
    group.add_argument('--single-person', action='append', default=[], metavar='FILE',
                       help='a single-person network (.tflite) that adds keypoints to people in '
                            'boxes; may be repeated')


def run(args) -> int:
    """Train; return the exit code."""
    config = read_config(args)
    teacher = config.teacher
    if args.teacher:
        teacher = teacher._replace(models=tuple(args.teacher), cards=tuple(args.card))
    elif args.card:
        raise ConfigError('--card needs a --teacher, and there is none')
    if args.single_person:
        teacher = teacher._replace(single_person=tuple(args.single_person))
    if args.weight is not None:
        teacher = teacher._replace(weight=args.weight)
    if args.cache:
        teacher = teacher._replace(cache=args.cache)
    if args.on_device:
        teacher = teacher._replace(on_device=True)
    if not (teacher.models or teacher.single_person):
        raise ConfigError('there is no teacher: name a network with --teacher or '
                          '--single-person, or in the configuration under teacher.models; '
                          'without teachers use `pose-train fit`')
    return run_config(config._replace(teacher=teacher), args)
