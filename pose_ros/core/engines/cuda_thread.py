# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""A thread that owns a GPU, so that any thread may use it."""
import logging
import queue
import threading
from typing import Any, Callable

from pose_ros.core.engines.cuda import open_cuda
from pose_ros.core.errors import EngineError

_LOG = logging.getLogger('pose_ros')


class CudaThread:
    """Opens the GPU in a new thread and calls functions there, one at a time."""

    def __init__(self, index: int = 0):
        """Start the thread; EngineError if no GPU can be used."""
        self._jobs: queue.Queue = queue.Queue()
        self._started, self._cuda = _Job(None), None
        # A daemon, else a program without a call of `close` would never end.
        self._thread = threading.Thread(
            target=self._run, args=(index,), name='pose_cuda', daemon=True)
        self._thread.start()
        self._started.result()

    def call(self, function: Callable[..., Any], *arguments: Any) -> Any:
        """Return function(cuda, *arguments), or raise what it raises; it runs in the thread."""
        if threading.current_thread() is self._thread:  # a finalizer, by the garbage collector
            return function(self._cuda, *arguments)
        if not self._thread.is_alive():
            raise EngineError('the GPU is closed')
        job = _Job(function, arguments)
        self._jobs.put(job)
        return job.result()

    def close(self) -> None:
        """Close the GPU and end the thread, after the current call; a second call does nothing."""
        self._jobs.put(None)
        if threading.current_thread() is not self._thread:
            self._thread.join()

    def _run(self, index):
        try:
            self._cuda = cuda = open_cuda(index)
        except BaseException as error:
            self._started.fail(error)
            return
        try:
            self._started.finish(None)
            for job in iter(self._jobs.get, None):
                job.run(cuda)
                del job  # it may hold the last reference to an object of this context
        finally:
            try:
                cuda.close()
            except EngineError as error:  # after a failure of the GPU every call fails
                _LOG.warning('the GPU could not be closed cleanly: %s', error)


class _Job:
    """A call in another thread, and its result."""

    def __init__(self, function, arguments=()):
        self._function, self._arguments = function, arguments
        self._done, self._value, self._error = threading.Event(), None, None

    def run(self, cuda):
        try:
            self.finish(self._function(cuda, *self._arguments))
        except BaseException as error:
            self.fail(error)

    def finish(self, value):
        self._value = value
        self._done.set()

    def fail(self, error):
        self._error = error
        self._done.set()

    def result(self):
        self._done.wait()
        if self._error is not None:
            raise self._error
        return self._value
