# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""`pose-ros batch`: people in many images, videos and bags, on all cores or a Ray cluster."""
import argparse
import json
import os
import sys
import time

from pose_ros.cli.batch_inputs import check_results, engine_threads, find_inputs, run_key
from pose_ros.cli.batch_processes import run_in_processes
from pose_ros.cli.batch_ray import run_on_ray
from pose_ros.cli.options import add_input_options, settings_help
from pose_ros.cli.run import plural
from pose_ros.core.command import progress_bar
from pose_ros.core.command_files import write_json
from pose_ros.core.command_options import add_model_options, count, load_estimator
from pose_ros.core.errors import PoseRosError, cannot_write, shown
from pose_ros.core.reading import LARGEST_LABELS, read_file
from pose_ros.core.results import FORMS

DESCRIPTION = ('Find people in many images, videos and bags, with one worker process per core, '
               'or on a Ray cluster. Each input gets a result file of its own. A run that was '
               'stopped continues where it was: give the same command again. An input that fails '
               'is reported, and the others are processed; the exit code is then 1.')
EPILOG = """examples:
  pose-ros batch archive/ -o labels/               a/b.mp4 becomes labels/a/b.mp4.json
  pose-ros batch inputs.txt -o labels/             the files that a text file lists
  pose-ros batch archive/ -o labels/ --workers 4   four processes, each a quarter of the cores
  pose-ros batch archive/ -o labels/ --ray auto    on the Ray cluster of this computer
  pose-ros batch archive/ -o labels/ --ray ray://head:10001

--ray needs Ray (pip install ray). Every computer of the cluster needs pose_ros, and the files at
the same paths.

""" + settings_help()
_KEY = 'batch.json'  # in the output folder: what its results were made with
_ENDINGS = {'csv': '.csv'}  # of result files, where it is not .json


def add_arguments(parser) -> None:
    """Add the options of this command."""
    parser.add_argument('input', metavar='FOLDER_OR_LIST',
                        help='folder of images, videos and bags, with the folders in it; or a '
                             'text file with one path per line')
    parser.add_argument('-o', '--output', metavar='FOLDER', required=True,
                        help='folder of the results')
    parser.add_argument('--format', choices=FORMS, default=FORMS[0],
                        help='form of the results (default: {})'.format(FORMS[0]))
    parser.add_argument('--workers', type=count, metavar='N', default=0,
                        help='processes; they share the cores (default: one per core)')
    parser.add_argument('--ray', metavar='ADDRESS',
                        help='run on a Ray cluster: its address, auto for that of this computer, '
                             'local for a new one of --workers CPUs')
    parser.add_argument('--restart', action='store_true',
                        help='process all inputs anew, and replace their results')
    parser.add_argument('--max-frames', type=count, metavar='N',
                        help='stop after N frames of each input')
    parser.add_argument('--quiet', action='store_true', help='print errors only')
    add_input_options(parser)
    add_model_options(parser, tracking=True)


def run(args) -> int:
    """Process all inputs; return the exit code."""
    inputs = find_inputs(args.input, args.output, _ENDINGS.get(args.format, '.json'))
    key_path = os.path.join(args.output, _KEY)
    check_results(inputs, [args.card, key_path])
    _begin(key_path, run_key(args), args.restart)
    todo = [each for each in inputs if not each.is_done(key_path)]
    report = _Report(args.quiet, len(inputs) - len(todo))
    return report.take(_outcomes(todo, args) if todo else (), len(todo))


def _outcomes(todo, args):
    load_estimator(args).close()  # an error in the options is one of all inputs
    cores = os.cpu_count() or 1
    workers = min(args.workers or cores, len(todo))
    options = _worker_options(args, cores if args.ray else workers)
    return run_on_ray(todo, options, args.ray) if args.ray else \
        run_in_processes(todo, options, workers)


class _Report:
    """Counts outcomes, and reports failures as they come."""

    def __init__(self, quiet, already):
        self._quiet, self._already = quiet, already
        self.done = self.failed = self.frames = self.people = 0

    def take(self, outcomes, total):
        start, bar = time.monotonic(), progress_bar(total, self._quiet, ' inputs')
        for item, outcome in outcomes:
            if outcome.error:
                self.failed += 1
                text = outcome.error
                bar.write('pose-ros: error: ' + shown(
                    text if item.path in text else '{}: {}'.format(item.path, text)),
                    file=sys.stderr)
            else:
                self.done += 1
                self.frames, self.people = self.frames + outcome.frames, \
                    self.people + outcome.people
            bar.update(1)
        bar.close()
        if not self._quiet:
            print(self._summary(time.monotonic() - start))
        return 1 if self.failed else 0

    def _summary(self, seconds):
        text = '{} done'.format(plural(self.done, 'input', 'inputs'))
        if self._already:
            text += ', {} were already'.format(self._already)
        if self.failed:
            text += ', {} failed'.format(self.failed)
        return '{}; {}, {} found; {:.1f} frames per second'.format(
            text, plural(self.frames, 'frame', 'frames'), plural(self.people, 'person', 'people'),
            self.frames / max(seconds, 1e-9))


def _begin(path, key, restart):
    """Make the folder, and write what its results are made with; or compare it."""
    try:
        os.makedirs(os.path.dirname(path) or '.', exist_ok=True)
        if os.path.exists(path) and not restart:
            if json.loads(read_file(path, LARGEST_LABELS).decode('utf-8')) == \
                    json.loads(json.dumps(key)):
                return
            raise argparse.ArgumentError(None, (
                'argument -o/--output: {} names other models or options than this command: choose '
                'another folder, or replace its results with --restart').format(path))
        write_json(path, key)
    except ValueError as error:
        raise PoseRosError('{} is damaged ({}): remove it, or give --restart'.format(path, error))
    except OSError as error:
        raise cannot_write(path, error)


def _worker_options(args, workers):
    """Return the options as a worker needs them: without the function of this command."""
    values = {name: value for name, value in vars(args).items() if name != 'run'}
    return argparse.Namespace(**dict(values, **engine_threads(args, workers)))
