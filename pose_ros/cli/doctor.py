# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""`pose-ros doctor`: what this machine can run, and how to install what is missing."""
import argparse
import json
import sys

from pose_ros.cli import hardware
from pose_ros.cli.checks import (ABSENT, check_engines, check_gpu, check_python, check_ros, FAILED,
                                 OK)
from pose_ros.core.bundled import BUNDLED
from pose_ros.core.errors import shown

DESCRIPTION = ('Check what this machine can run, and print commands that install what is missing. '
               'Every engine runs in its own process, so a crash is reported like any other '
               'error.')
EPILOG = """examples:
  pose-ros doctor                         check everything, with the bundled pair
  pose-ros doctor --model model.onnx      run this model, or bottom_up, on every engine
  pose-ros doctor --json                  the same for programs
  pose-ros doctor --hardware > report.md  test TensorRT on this GPU; takes minutes

exit codes: 0 a model can be run here; 1 it cannot
with --hardware: 0 TensorRT works here and agrees with ONNX Runtime; 1 it does not
"""
_MARKS = {OK: 'ok', ABSENT: '--', FAILED: 'FAIL'}


def add_arguments(parser) -> None:
    """Add the options of this command."""
    parser.add_argument('--model', metavar='FILE', default='',
                        help='model that every engine runs: a file, or {} (default: the bundled '
                             'pair; with --hardware all of these)'.format(', '.join(BUNDLED)))
    parser.add_argument('--hardware', action='store_true',
                        help='build the TensorRT engine of the model, compare it with ONNX '
                             'Runtime, time every engine, and print a report in Markdown, to '
                             'paste into an issue')
    parser.add_argument('--json', action='store_true', help='print JSON')


def run(args) -> int:
    """Print the report, group by group; return the exit code."""
    if args.hardware:
        from pose_ros.core.engines.options import is_plan  # needs NumPy
        if is_plan(args.model):
            raise argparse.ArgumentError(None, '--hardware builds the engine itself: give --model '
                                               'the ONNX file, not {}'.format(args.model))
        return hardware.run(args.model, args.json)
    checks = []
    for examine in (check_python, lambda: check_engines(args.model), check_gpu, check_ros):
        found = examine()
        checks += found
        if not args.json:
            _print_group(found)
    usable = can_run(checks)
    if args.json:
        print(json.dumps({'usable': usable, 'checks': [dict(check._asdict()) for check in checks]},
                         indent=2))
    else:
        print('\nA model can be run here.' if usable else
              '\nNo model can be run here yet: follow the arrows above.')
    return 0 if usable else 1


def can_run(checks) -> bool:
    """Return whether NumPy, OpenCV and at least one engine work (with the model, if any)."""
    status = {(check.group, check.name): check.status for check in checks}
    engines = [check for check in checks if check.group == 'engines' and check.name != 'model']
    return (status['python', 'numpy'] == OK and status['python', 'opencv'] == OK
            and status['engines', 'model'] != FAILED
            and any(check.status == OK for check in engines))


def _print_group(checks):
    print(checks[0].group)
    for check in checks:
        print('  {:<5} {:<13} {}'.format(_MARKS[check.status], check.name, shown(check.found)))
        if check.advice and check.status != OK:
            print('  {:<5} {:<13} -> {}'.format('', '', shown(check.advice)))
    sys.stdout.flush()  # the next group may take a while
