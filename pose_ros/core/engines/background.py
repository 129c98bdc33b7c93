# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""An engine that serves while a faster one is being built, and steps aside between two batches."""
import logging
import threading

from pose_ros.core.engines.engine import Engine
from pose_ros.core.errors import PoseRosError

_LOG = logging.getLogger('pose_ros')


class BackgroundEngine(Engine):
    """Runs `serving` until the loader's engine is ready; for ever if that fails, and says why.

    The switch happens at the beginning of `infer`, so no batch is lost or waits for the build.
    """

    def __init__(self, serving: Engine, loader):
        """Start loading: loader.load().engine in a thread; loader.progress tells and stops it."""
        self._engine, self._loader = serving, loader
        self._next = None
        self._closed = False
        self.input_shape, self.output_names = serving.input_shape, serving.output_names
        self.note = 'the TensorRT engine is being built'
        self._lock = threading.Lock()
        # Not a daemon: a process that ends in the middle of a build aborts (see cuda.py).
        self._thread = threading.Thread(target=self._load, name='pose_build')
        self._thread.start()

    def infer(self, batch):
        """See Engine.infer."""
        self._switch()
        return self._engine.infer(batch)

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
        """Wait for the loading to end, at most `timeout` seconds; whether it has ended."""
        self._thread.join(timeout)
        return not self._thread.is_alive()

    def _switch(self):
        if self._next is None:
            return
        with self._lock:
            following, self._next = self._next, None
        if following is not None:
            self._engine.close()
            self._engine, self.note = following, ''
            self.output_names = following.output_names
            _LOG.info('engine: %s, from this image on', following.describe())

    def _load(self):
        try:
            engine = self._loader.load().engine
        except PoseRosError as error:
            self._fail(error)
        except Exception as error:  # the thread's end; frames go on
            _LOG.exception('the TensorRT engine failed in an unexpected way')
            self._fail(error)
        else:
            with self._lock:
                if not self._closed:
                    self._next = engine
                    return
            engine.close()

    def _fail(self, error):
        if not self._closed:
            self.note, self.fault = '', 'onnxruntime serves instead of tensorrt: {}'.format(error)
            _LOG.warning(self.fault)
