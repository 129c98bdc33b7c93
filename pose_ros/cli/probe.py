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
import tempfile
import threading
from typing import NamedTuple, Sequence, Tuple

_TIMEOUT = 120  # s; a large network may take a while to compile


class ProbeResult(NamedTuple):
    """What a trial printed, or why it failed (then `error` is not empty)."""

    output: str
    error: str = ''


def run_python(code: str, *arguments: str) -> ProbeResult:
    """Run Python code in a new interpreter that imports what this one would."""
    return run_program([sys.executable, '-c', code] + list(arguments), _environment())


def run_python_streaming(timeout: float, code: str, *arguments: str) -> Tuple[ProbeResult, str]:
    """Like run_python, of what may take many minutes: shows on stderr what it logs, as it comes.

    Returns the answer and the log; it is given up after `timeout` seconds.
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
            if process.poll() is None:  # we are being interrupted
                process.kill()
                process.wait()
            process.stderr.close()
        output.seek(0)
        printed = output.read().decode('utf-8', 'backslashreplace').strip()
    logged = ''.join(log)
    error = ('no answer within {:g} s'.format(timeout) if late.is_set() else
             _why(process.returncode, logged))
    return ProbeResult(printed, error), logged


def run_program(command: Sequence[str], environment=None) -> ProbeResult:
    """Run a program; its output, stripped, or one line that says why there is none."""
    try:
        # The names that Python 3.6 knows: no text=, no capture_output=.
        done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, universal_newlines=True, timeout=_TIMEOUT,
                              env=environment)
    except subprocess.TimeoutExpired:
        return ProbeResult('', 'no answer within {} s'.format(_TIMEOUT))
    except OSError as error:
        return ProbeResult('', '{}: {}'.format(command[0], error.strerror or error))
    return ProbeResult(done.stdout.strip(), _why(done.returncode, done.stderr))


def _environment():
    path = os.pathsep.join(folder or os.getcwd() for folder in sys.path)
    return dict(os.environ, PYTHONPATH=path)


def _why(code, log):
    """Say why a process failed; nothing if it did not."""
    if code < 0:
        return _killed_by(-code)
    return (_last_line(log) or 'exit code {}'.format(code)) if code else ''


def _killed_by(number):
    try:
        name = signal.Signals(number).name
    except ValueError:
        name = 'signal {}'.format(number)
    if name == 'SIGILL':
        return ('it dies of an illegal instruction: it was built for another CPU, try an older '
                'version')
    if name == 'SIGKILL':
        return 'it was killed (SIGKILL), as is done when the memory runs out: see dmesg'
    return 'it dies of {}'.format(name)


def _last_line(text):
    """Return the end of a Python trace, which names the error."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else ''
