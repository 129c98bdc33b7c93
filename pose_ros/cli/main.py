# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""The `pose-ros` command line: finds the sub-command, turns errors into one line and a code."""
import argparse
import importlib
import os
import sys
import textwrap

from pose_ros.cli.version import VERSION

# Only the chosen command's module is imported: `doctor` has to run where NumPy or OpenCV do not.
COMMANDS = {
    'image': 'find people in pictures and folders of pictures',
    'video': 'find people in a video file',
    'camera': 'find people in the pictures of a camera, live',
    'bench': 'time a model on this machine, stage by stage',
    'doctor': 'say what this machine can run, and how to add what is missing',
    'info': 'describe a model: its card, tensors and settings',
}

_DESCRIPTION = 'Human pose estimation without ROS: skeletons from pictures, videos and cameras.'
_EPILOG = """examples:
  pose-ros doctor                                    is everything here that a model needs?
  pose-ros image photo.jpg --output people.jpg       draw the people of one picture
  pose-ros image folder/ --json people.json          write the people of many as numbers
  pose-ros video walk.mp4 --output walk_people.avi   draw the people of a video
  pose-ros bench --backend onnxruntime               how fast is this machine?
  pose-ros COMMAND --help                            all options of one command, with examples

exit codes: 0 done; 1 an input or the model failed; 2 the command line is wrong; 130 interrupted
"""


def main(argv=None) -> int:
    """Run one command (None: the process's arguments); return its exit code."""
    argv = sys.argv[1:] if argv is None else list(argv)
    try:
        parser = build_parser(argv[:1])
    except ImportError as error:
        return _fail('{}; `pose-ros doctor` says what to install'.format(error))
    try:
        args = parser.parse_args(argv)
        if args.command is None:
            parser.print_help(sys.stderr)
            return 2
        code = args.run(args)
        sys.stdout.flush()  # here, where a reader that has gone is handled
        return code
    except SystemExit as done:  # argparse has printed its help, or what was wrong
        return done.code
    except argparse.ArgumentError as error:
        return _fail('{}; see pose-ros {} --help'.format(error, argv[0]), 2)
    except KeyboardInterrupt:
        return _fail('interrupted', 130)
    except BrokenPipeError:  # our reader has gone, as in `pose-ros info model.onnx | head -1`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except Exception as error:
        if not _is_expected(error):
            raise
        return _fail(_one_line(error))


def build_parser(commands=tuple(COMMANDS)) -> argparse.ArgumentParser:
    """Return the parser, with the options of the named commands (the others: a help line only)."""
    parser = argparse.ArgumentParser(prog='pose-ros', description=_DESCRIPTION, epilog=_EPILOG,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--version', action='version', version='pose-ros ' + VERSION)
    children = parser.add_subparsers(dest='command', metavar='COMMAND', title='commands')
    for name, summary in COMMANDS.items():
        child = children.add_parser(name, help=summary,
                                    formatter_class=argparse.RawDescriptionHelpFormatter)
        if name in commands:
            command = importlib.import_module('pose_ros.cli.' + name)
            child.description = textwrap.fill(command.DESCRIPTION, 79)
            child.epilog = command.EPILOG
            command.add_arguments(child)
            child.set_defaults(run=command.run)
    return parser


def _fail(message, code=1):
    print('pose-ros: error: ' + message, file=sys.stderr)
    return code


def _is_expected(error):
    """Tell an unfit input or model from a defect, which deserves its trace."""
    core = sys.modules.get('pose_ros.core.errors')  # not imported here: see COMMANDS
    return isinstance(error, OSError) or bool(core) and isinstance(error, core.PoseRosError)


def _one_line(error):
    """Describe an error in one line: runtimes put traces of their own into their messages."""
    if isinstance(error, OSError) and error.filename:
        return '{}: {}'.format(error.filename, error.strerror)
    return ' '.join(str(error).split()) or type(error).__name__


if __name__ == '__main__':
    raise SystemExit(main())
