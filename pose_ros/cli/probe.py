# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Run code in a subprocess, because a broken wheel can crash Python.

A wheel for another CPU ends the process with an illegal instruction when it is imported. Two CPU
runtimes in one process slow each other down. This module imports only the standard library.
"""
import os
import signal
import subprocess
import sys
import tempfile
import threading
from typing import NamedTuple, Sequence, Tuple

_TIMEOUT = 120  # s; a large network may take a while to compile


class ProbeResult(NamedTuple):
    """The output of a process, and why it failed (`error` is empty if it did not)."""

    output: str
    error: str = ''


def run_python(code: str, *arguments: str) -> ProbeResult:
    """Run Python code in a new interpreter with the same import paths."""
    return run_program([sys.executable, '-c', code] + list(arguments), _environment())


def run_python_streaming(timeout: float, code: str, *arguments: str) -> Tuple[ProbeResult, str]:
    """Run Python code that may take minutes, and pass its log on to stderr line by line.

    Returns the result and the log. The process is killed after `timeout` seconds.
    """
    log, late = [], threading.Event()
    with tempfile.TemporaryFile() as output:
        process = subprocess.Popen(
            [sys.executable, '-c', code] + list(arguments), stdin=subprocess.DEVNULL,
            stdout=output, stderr=subprocess.PIPE, encoding='utf-8', errors='backslashreplace',
            env=_environment())
        timer = threading.Timer(timeout, lambda: (late.set(), process.kill()))
        timer.start()
        try:
            for line in process.stderr:
                log.append(line)
                sys.stderr.write(line)
                sys.stderr.flush()
            process.wait()
        finally:
            timer.cancel()
            if process.poll() is None:  # interrupted by the user
                process.kill()
                process.wait()
            process.stderr.close()
        output.seek(0)
        printed = output.read().decode('utf-8', 'backslashreplace').strip()
    logged = ''.join(log)
    error = ('no result within {:g} s'.format(timeout) if late.is_set() else
             _why(process.returncode, logged))
    return ProbeResult(printed, error), logged


def run_program(command: Sequence[str], environment=None) -> ProbeResult:
    """Run a program; return its stripped output, or one line with the cause of its failure."""
    try:
        # Python 3.6 has neither text= nor capture_output=.
        done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, universal_newlines=True, timeout=_TIMEOUT,
                              env=environment)
    except subprocess.TimeoutExpired:
        return ProbeResult('', 'no result within {} s'.format(_TIMEOUT))
    except OSError as error:
        return ProbeResult('', '{}: {}'.format(command[0], error.strerror or error))
    return ProbeResult(done.stdout.strip(), _why(done.returncode, done.stderr))


def _environment():
    path = os.pathsep.join(folder or os.getcwd() for folder in sys.path)
    return dict(os.environ, PYTHONPATH=path)


def _why(code, log):
    """Return why a process failed; empty if it did not."""
    if code < 0:
        return _killed_by(-code)
    return (_last_line(log) or 'exit code {}'.format(code)) if code else ''


def _killed_by(number):
    try:
        name = signal.Signals(number).name
    except ValueError:
        name = 'signal {}'.format(number)
    if name == 'SIGILL':
        return ('it crashes with an illegal instruction: it was built for another CPU, try an '
                'older version')
    if name == 'SIGKILL':
        return 'it was killed (SIGKILL), probably because memory ran out: see dmesg'
    return 'it crashes with {}'.format(name)


def _last_line(text):
    """Return the last line of a traceback, which names the error."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else ''
