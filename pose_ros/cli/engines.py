# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""`pose-ros engines`: the TensorRT engines that are kept for the next start."""
from pose_ros.cli.run import plural
from pose_ros.core.engines.engine_cache import EngineCache
from pose_ros.core.engines.tensorrt_library import TITLES
from pose_ros.core.errors import shown

DESCRIPTION = ('List or remove the cached TensorRT engines that were built from ONNX files. They '
               'are rebuilt when they are needed again.')
EPILOG = """examples:
  pose-ros engines list      show each engine with its path and size
  pose-ros engines clear     remove all engines with their kernels, and the timing cache of builds

The folder is $XDG_CACHE_HOME/pose_ros/tensorrt (default: ~/.cache/pose_ros/tensorrt).
"""


def add_arguments(parser) -> None:
    """Add the options of this command."""
    parser.add_argument('action', choices=('list', 'clear'), help='what to do')


def run(args) -> int:
    """List or clear; return the exit code."""
    cache = EngineCache()
    folder = cache.folder or 'no folder (set XDG_CACHE_HOME)'
    if args.action == 'clear':
        print('removed {} from {}'.format(plural(cache.clear(), 'engine', 'engines'),
                                          folder))
        return 0
    entries = cache.entries()
    for entry in entries:
        print(shown('{} ({:.1f} MB)\n    {}'.format(entry.path, entry.size / 1e6,
                                                 _described(entry))))
    print('{} in {}'.format(plural(len(entries), 'engine', 'engines'), folder))
    return 0


def _described(entry):
    try:
        return '{model}, {precision} at {0}, {1} {tensorrt}, {gpu}'.format(
            'x'.join(map(str, entry.facts['shape'])), TITLES[entry.facts['backend']],
            **entry.facts)
    except KeyError:
        return 'damaged: it is rebuilt when it is needed'
