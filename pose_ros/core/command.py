# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""A command line with sub-commands, which reports an error in one line."""
import argparse
import contextlib
import importlib
import os
import signal
import sys
import textwrap
import threading
from typing import Dict, NamedTuple

from pose_ros.core.errors import shown


class Program(NamedTuple):
    """A command line.

    Each of `commands` (name: one line of help) is a module of `package` with DESCRIPTION, EPILOG,
    `add_arguments(parser)` and `run(args) -> exit code`. Only the module of the used command is
    imported, so that it runs even if libraries of other commands are missing.
    """

    name: str
    package: str
    version: str
    description: str
    epilog: str
    commands: Dict[str, str]
    import_hint: str  # the fix for a missing library
    modules: Dict[str, str] = {}  # of commands whose names are no module names

    def main(self, argv=None) -> int:
        """Run one command (None: the process's arguments); return its exit code."""
        argv = sys.argv[1:] if argv is None else list(argv)
        with _ended_by_signals():
            try:
                try:
                    parser = self.build_parser(argv[:1])
                except ImportError as error:
                    return self._fail('{}; {}'.format(error, self.import_hint))
                return self._run(parser, argv)
            except KeyboardInterrupt:
                return self._fail('interrupted', 130)

    def _run(self, parser, argv):
        try:
            args = parser.parse_args(argv)
            if args.command is None:
                parser.print_help(sys.stderr)
                return 2
            code = args.run(args)
            _flush_stdout()
            return code
        except SystemExit as done:  # argparse has printed its help or an error
            return int(done.code or 0)
        except argparse.ArgumentError as error:
            return self._fail('{}; see {} {} --help'.format(error, self.name, argv[0]), 2)
        except BrokenPipeError:  # the reader has stopped, as in `... info model.onnx | head -1`
            _drop_stdout()
            return 1
        except Exception as error:
            if not _is_expected(error):
                raise
            return self._fail(_one_line(error))

    def build_parser(self, commands=None) -> argparse.ArgumentParser:
        """Return the parser, with the options of the named commands (None: of all)."""
        parser = argparse.ArgumentParser(
            prog=self.name, description=self.description, epilog=self.epilog,
            formatter_class=argparse.RawDescriptionHelpFormatter)
        parser.add_argument('--version', action='version',
                            version='{} {}'.format(self.name, self.version))
        children = parser.add_subparsers(dest='command', metavar='COMMAND', title='commands')
        for name, summary in self.commands.items():
            child = children.add_parser(name, help=summary,
                                        formatter_class=argparse.RawDescriptionHelpFormatter)
            if commands is None or name in commands:
                command = importlib.import_module(
                    '{}.{}'.format(self.package, self.modules.get(name, name)))
                child.description = textwrap.fill(command.DESCRIPTION, 79)
                child.epilog = command.EPILOG
                command.add_arguments(child)
                child.set_defaults(run=command.run)
        return parser

    def _fail(self, message, code=1):
        print('{}: error: {}'.format(self.name, shown(message)), file=sys.stderr)
        return code


@contextlib.contextmanager
def _ended_by_signals():
    """Let SIGTERM and SIGHUP (a closed terminal) end a command like Ctrl-C: files are removed."""
    before = {}
    if threading.current_thread() is threading.main_thread():
        before = {number: signal.signal(number, signal.default_int_handler)
                  for number in (signal.SIGTERM, signal.SIGHUP)
                  if signal.getsignal(number) is signal.SIG_DFL}  # not of nohup
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _flush_stdout():
    """Write what is left here, where a closed pipe or a full disk is handled."""
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        _drop_stdout()
        raise OSError(error.errno, error.strerror, 'stdout')


def _drop_stdout():
    """Let the interpreter write the rest nowhere when it ends."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _is_expected(error):
    """Return whether this is a user error (one line) rather than a bug (traceback)."""
    core = sys.modules.get('pose_ros.core.errors')  # not imported here: NumPy may be missing
    return isinstance(error, OSError) or bool(core) and isinstance(error, core.PoseRosError)


def _one_line(error):
    """Return an error as one line: messages of runtimes may contain tracebacks."""
    if isinstance(error, OSError) and error.filename:
        return '{}: {}'.format(error.filename, error.strerror)
    return ' '.join(str(error).split()) or type(error).__name__


def progress_bar(total, quiet: bool, unit: str = ' frames'):
    """Return a tqdm bar on stderr, or an invisible one without terminal or tqdm."""
    if quiet or not sys.stderr.isatty():
        return _NoBar(total)
    try:
        from tqdm import tqdm
    except ImportError:
        return _NoBar(total)
    return tqdm(total=total, unit=unit, unit_scale=unit != ' frames', file=sys.stderr)


def with_progress(quiet: bool):
    """Return a function that yields the items of a list, and shows a progress bar meanwhile."""
    def over(items):
        bar = progress_bar(len(items), quiet)
        for item in items:
            yield item
            bar.update(1)
        bar.close()
    return over


class _NoBar:
    """A progress bar that shows nothing."""

    def __init__(self, total):
        self.total = total

    def update(self, count):
        pass

    def close(self):
        pass

    def write(self, text, file=None):
        print(text, file=file or sys.stdout)
