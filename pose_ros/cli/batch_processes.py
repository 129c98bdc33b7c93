# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Workers of `pose-ros batch` on this computer: one process each."""
import collections
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
import inspect
import multiprocessing
import os
import signal
import threading
import time
from typing import Iterator, Sequence, Tuple

from pose_ros.cli.batch_inputs import Input
from pose_ros.cli.batch_worker import is_working, label, Outcome, stop

_DIED = 'the process that worked on it died: a damaged file, or too little memory'
_PERIOD = 0.5  # s between two looks whether the parent lives
_guarded = False  # whether this process is a worker that has begun


def run_in_processes(inputs: Sequence[Input], args, workers: int
                     ) -> Iterator[Tuple[Input, Outcome]]:
    """Yield (input, outcome) in the order in which they end.

    If a worker dies, all that was in work is tried again, one input at a time. An input has failed
    if its worker dies twice more: which input the first death was of is not known.
    """
    waiting, suspects, died = collections.deque(inputs), collections.deque(), set()
    while waiting or suspects:
        alone = bool(suspects)
        with _pool(1 if alone else min(workers, len(waiting))) as pool:
            lost = []
            for item, outcome in _outcomes(pool, suspects if alone else waiting, args,
                                           1 if alone else workers):
                if outcome is None:
                    lost.append(item)
                else:
                    yield item, outcome
        for item in lost:
            if alone and item in died:
                yield item, Outcome(0, 0, _DIED)
            else:
                suspects.append(item)
        died.update(lost if alone else ())


def _outcomes(pool, queue, args, workers):
    """Yield (input, outcome) until the queue is empty or a worker dies, then None as outcomes."""
    running, broken = {}, False
    try:
        while running or queue and not broken:
            while queue and len(running) < workers and not broken:
                item = queue.popleft()
                try:
                    running[pool.submit(_work, item, args, os.getpid())] = item
                except BrokenProcessPool:
                    queue.appendleft(item)
                    broken = True
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                try:
                    outcome = future.result()
                except BrokenProcessPool:
                    outcome, broken = None, True
                yield running.pop(future), outcome
    finally:
        if running:  # interrupted
            for process in list((getattr(pool, '_processes', None) or {}).values()):
                process.terminate()  # see _guard


def _pool(workers):
    # A fork would inherit the threads of libraries, without the threads. Python 3.6 only forks.
    spawns = 'mp_context' in inspect.signature(ProcessPoolExecutor.__init__).parameters
    options = {'mp_context': multiprocessing.get_context('spawn'), 'initializer': _guard,
               'initargs': (os.getpid(),)} if spawns else {}
    return ProcessPoolExecutor(workers, **options)


def _work(item, args, parent):
    _guard(parent)
    return label(item, args)


def _guard(parent):
    """Leave Ctrl-C to the parent; stop at the next frame if it sends SIGTERM, or ends.

    A worker that ended at any other moment could hold a lock of the pool, or leave files.
    """
    global _guarded
    if _guarded:
        return
    _guarded = True
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda number, frame: stop())
    threading.Thread(target=_follow, args=(parent,), daemon=True).start()


def _follow(parent):
    while os.getppid() == parent:
        time.sleep(_PERIOD)
    stop()
    while is_working():
        time.sleep(_PERIOD)
    os._exit(1)
