# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Workers of `pose-ros batch` on a Ray cluster: one task per input, which Ray places."""
import os
from typing import Iterator, Sequence, Tuple

from pose_ros.cli.batch_inputs import Input
from pose_ros.cli.batch_worker import label, Outcome
from pose_ros.core.errors import PoseRosError

_RETRIES = 3  # of a task whose worker or computer is lost
_AHEAD = 4  # tasks per CPU that Ray is given at a time: a million at once would fill its memory


def run_on_ray(inputs: Sequence[Input], args, address: str) -> Iterator[Tuple[Input, Outcome]]:
    """Yield (input, outcome) in the order in which they end.

    address: that of a cluster, 'auto' for the one of this computer, 'local' for a new one. Every
    computer of it must have pose_ros, and see the files at the same paths. PoseRosError if there
    is no Ray or no cluster.
    """
    try:
        import ray
    except ImportError as error:
        raise PoseRosError("--ray needs Ray ({}): pip install ray (or pip install "
                           "'pose_ros[ray]')".format(error))
    # It would send figures about this computer to the makers of Ray.
    os.environ.setdefault('RAY_USAGE_STATS_ENABLED', '0')
    try:
        ray.init(address=address, log_to_driver=False, logging_level='warning',
                 **({'num_cpus': args.workers or None} if address == 'local' else {}))
    except (ConnectionError, ValueError, RuntimeError) as error:
        raise PoseRosError('there is no Ray cluster at {!r}: {}'.format(
            address, ' '.join(str(error).split())))
    try:
        task = ray.remote(num_cpus=args.threads, max_retries=_RETRIES)(label)
        yield from _outcomes(ray, task, inputs, args)
    finally:
        ray.shutdown()


def _outcomes(ray, task, inputs, args):
    shared, left = ray.put(args), iter(inputs)
    most = max(1, int(_AHEAD * ray.cluster_resources().get('CPU', 1) / args.threads))
    running = {}
    for item in left:
        running[task.remote(item, shared)] = item
        if len(running) >= most:
            yield from _ended(ray, running)
    while running:
        yield from _ended(ray, running)


def _ended(ray, running):
    done, _ = ray.wait(list(running))
    for reference in done:
        try:
            outcome = ray.get(reference)
        except ray.exceptions.RayError as error:
            outcome = Outcome(0, 0, 'Ray gave it up: ' + str(error).strip().split('\n')[0])
        yield running.pop(reference), outcome
