# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Runs ONNX Runtime until the TensorRT engine is built, then switches."""
import logging
import threading

import numpy as np

from pose_ros.core.engines.engine import Engine
from pose_ros.core.errors import PoseRosError

_LOG = logging.getLogger('pose_ros')


class BackgroundEngine(Engine):
    """Runs `first` until the loader's engine is ready; if that fails, it keeps running `first`.

    The switch happens at the beginning of `infer`, so no batch is lost or waits for the build. A
    batch that `first` would take is padded if the built engine has a fixed batch.
    """

    def __init__(self, first: Engine, loader):
        """Start a thread that calls loader.load(), whose result has `engine`.

        loader.progress.cancel() stops a build; loader.backend is named in an error.
        """
        self._engine, self._loader = first, loader
        self._next = None
        self._closed = False
        self.input_shape, self.output_names = first.input_shape, first.output_names
        self.input_type, self.left_out = first.input_type, first.left_out
        self.batch_size, self.fixed_batch = first.batch_size, first.fixed_batch
        self._pads = not first.fixed_batch
        self.status = 'the TensorRT engine is being built'
        self._lock = threading.Lock()
        # Not a daemon: a process that ends in the middle of a build aborts (see cuda.py).
        self._thread = threading.Thread(target=self._load, name='pose_build')
        self._thread.start()

    def infer(self, batch):
        """See Engine.infer."""
        self._switch()
        count, size = len(batch), self._engine.batch_size
        if not (self._pads and self._engine.fixed_batch and 0 < count < size):
            return self._engine.infer(batch)
        padding = np.zeros((size - count,) + batch.shape[1:], np.float32)
        outputs = self._engine.infer(np.concatenate([batch, padding]))
        return {name: array[:count] for name, array in outputs.items()}

    def describe(self):
        """See Engine.describe."""
        return self._engine.describe()

    def close(self):
        """See Engine.close; a build is stopped, or (TensorRT before 10) left to end by itself."""
        with self._lock:
            self._closed = True
            following, self._next = self._next, None
        self._loader.progress.cancel()
        if following is not None:
            following.close()
        self._engine.close()

    def join(self, timeout=None) -> bool:
        """Wait for the loading to end, at most `timeout` seconds; return whether it has ended."""
        self._thread.join(timeout)
        return not self._thread.is_alive()

    def _switch(self):
        if self._next is None:
            return
        with self._lock:
            following, self._next = self._next, None
        if following is not None:
            self._engine.close()
            self._engine, self.status = following, ''
            self.output_names = following.output_names
            self.batch_size, self.fixed_batch = following.batch_size, following.fixed_batch
            _LOG.info('engine: %s, from this image on', following.describe())

    def _load(self):
        try:
            engine = self._loader.load().engine
        except PoseRosError as error:
            self._fail(error)
        except Exception as error:  # the first engine keeps running
            _LOG.exception('unexpected error while the TensorRT engine was built')
            self._fail(error)
        else:
            with self._lock:
                if not self._closed:
                    self._next = engine
                    return
            engine.close()

    def _fail(self, error):
        if not self._closed:
            self.status = ''
            self.degraded_reason = 'onnxruntime runs instead of {}: {}'.format(
                self._loader.backend, error)
            _LOG.warning(self.degraded_reason)
