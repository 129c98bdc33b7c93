# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""`pose-ros fetch`: a public network by its name."""
from pose_ros.core.command import progress_bar
from pose_ros.core.public import fetch

DESCRIPTION = ('Fetch a public network by its name, give it a card, and keep it in the cache of '
               'this user. What has arrived of a broken transfer is continued. The SHA-256 of the '
               'first file is recorded; another file is refused later.')
EPILOG = """examples:
  pose-ros fetch rtmo-s                   then: pose-ros image photo.jpg --model rtmo-s
  pose-ros fetch yolox-tiny rtmpose-m

Files are in $XDG_CACHE_HOME/pose_ros/networks, or ~/.cache/pose_ros/networks.
exit codes: 0 fetched; 1 not fetched
"""


def add_arguments(parser) -> None:
    """Add the options of this command."""
    parser.add_argument('names', nargs='+', metavar='NAME', help='name (see pose-ros models)')
    parser.add_argument('--accept-license', action='store_true',
                        help='fetch networks whose license may not allow every use, too')
    parser.add_argument('--quiet', action='store_true', help='no progress bar')


def run(args) -> int:
    """Fetch, and print the paths; return the exit code."""
    for name in args.names:
        bar = progress_bar(0, args.quiet, ' bytes')
        before = [0]

        def show(done, total):
            bar.total = total
            bar.update(done - before[0])
            before[0] = done
        print(fetch(name, args.accept_license, progress=show))
        bar.close()
    return 0
