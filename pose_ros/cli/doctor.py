# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""`pose-ros doctor`: what this machine can run, and how to add what is missing."""
import json
import sys

from pose_ros.cli.checks import (ABSENT, check_engines, check_gpu, check_python, check_ros, FAILED,
                                 OK)

DESCRIPTION = ('Say what this machine can run, and print the command that adds what is missing. '
               'Every engine is tried in a process of its own, so one that crashes is reported '
               'like any other.')
EPILOG = """examples:
  pose-ros doctor                         look at everything; tries the bundled model
  pose-ros doctor --model model.onnx      let every engine run this model
  pose-ros doctor --json                  the same for programs
  pose-ros doctor --hardware              TensorRT on this GPU: build, compare, time (minutes)

exit codes: 0 a model can be run here; 1 it cannot, or TensorRT fails with --hardware
"""
_MARKS = {OK: 'ok', ABSENT: '--', FAILED: 'FAIL'}


def add_arguments(parser) -> None:
    """Add the options of this command."""
    parser.add_argument('--model', metavar='FILE', default='',
                        help='model that every engine runs (default: the bundled model)')
    parser.add_argument('--json', action='store_true', help='print JSON')
    parser.add_argument('--hardware', action='store_true',
                        help='build the TensorRT engines of the model anew, compare them with '
                             'ONNX Runtime, time both, and print a report for an issue')


def run(args) -> int:
    """Print the report as it grows; return the exit code."""
    if args.hardware:
        # Not at the top: NumPy and OpenCV may be missing.
        from pose_ros.cli.hardware import hardware_report
        for line in hardware_report(args.model):
            print(line, flush=True)
        print('\nTensorRT works here: its answers are those of ONNX Runtime.')
        return 0
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
    """Whether NumPy, OpenCV and at least one engine work (with the model, where there is one)."""
    status = {(check.group, check.name): check.status for check in checks}
    engines = [check for check in checks if check.group == 'engines' and check.name != 'model']
    return (status['python', 'numpy'] == OK and status['python', 'opencv'] == OK
            and status['engines', 'model'] != FAILED
            and any(check.status == OK for check in engines))


def _print_group(checks):
    print(checks[0].group)
    for check in checks:
        print('  {:<5} {:<13} {}'.format(_MARKS[check.status], check.name, check.found))
        if check.advice and check.status != OK:
            print('  {:<5} {:<13} -> {}'.format('', '', check.advice))
    sys.stdout.flush()  # the next group may take a while
