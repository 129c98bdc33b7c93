# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Try code in a process of its own: a broken wheel may kill it, and this one has to live to tell.

A wheel built for another CPU dies of an illegal instruction while it is imported, and two CPU
runtimes in one process slow each other down. Nothing here imports more than Python itself.
"""
import os
import signal
import subprocess
import sys
from typing import NamedTuple, Sequence

_TIMEOUT = 120  # s; a large network may take a while to compile


class Answer(NamedTuple):
    """What a trial printed, or why it failed (then `error` is not empty)."""

    output: str
    error: str = ''


def run_python(code: str, *arguments: str) -> Answer:
    """Run Python code in a new interpreter that imports what this one would."""
    path = os.pathsep.join(folder or os.getcwd() for folder in sys.path)
    return run_program([sys.executable, '-c', code] + list(arguments),
                       dict(os.environ, PYTHONPATH=path))


def run_program(command: Sequence[str], environment=None) -> Answer:
    """Run a program; its output, stripped, or one line that says why there is none."""
    try:
        # The names that Python 3.6 knows: no text=, no capture_output=.
        done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, universal_newlines=True, timeout=_TIMEOUT,
                              env=environment)
    except subprocess.TimeoutExpired:
        return Answer('', 'no answer within {} s'.format(_TIMEOUT))
    except OSError as error:
        return Answer('', '{}: {}'.format(command[0], error.strerror or error))
    error = ''
    if done.returncode < 0:
        error = _killed_by(-done.returncode)
    elif done.returncode:
        error = _last_line(done.stderr) or 'exit code {}'.format(done.returncode)
    return Answer(done.stdout.strip(), error)


def _killed_by(number):
    try:
        name = signal.Signals(number).name
    except ValueError:
        name = 'signal {}'.format(number)
    if name == 'SIGILL':
        return ('it dies of an illegal instruction: it was built for another CPU, try an older '
                'version')
    return 'it dies of {}'.format(name)


def _last_line(text):
    """Return the end of a Python trace, which names the error."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else ''
