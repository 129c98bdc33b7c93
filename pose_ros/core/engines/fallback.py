# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Switches to a CPU engine if the GPU engine fails at run time."""
import logging
from typing import Callable

from pose_ros.core.engines.engine import Engine, RunError
from pose_ros.core.errors import EngineError

_LOG = logging.getLogger('pose_ros')


class FallbackEngine(Engine):
    """Runs `engine` until a run raises RunError; from then on runs `replace(error)`.

    After a CUDA error the context is unusable (CUDA driver API, cuCtxSynchronize), so the failed
    engine is not tried again. The replacement also runs the batch that failed.
    """

    def __init__(self, engine: Engine, replace: Callable[[EngineError], Engine]):
        """Take an open engine; `replace` may raise, and is called again at the next failure."""
        self._engine, self._replace = engine, replace
        self.input_shape, self.input_type = engine.input_shape, engine.input_type

    @property
    def batch_size(self):
        """See Engine."""
        return self._engine.batch_size

    @property
    def fixed_batch(self):
        """See Engine."""
        return self._engine.fixed_batch

    @property
    def output_names(self):
        """See Engine."""
        return self._engine.output_names

    @property
    def left_out(self):
        """See Engine."""
        return self._engine.left_out

    @property
    def status(self):
        """See Engine."""
        return self._engine.status

    @property
    def degraded_reason(self):
        """See Engine."""
        return self._engine.degraded_reason

    def infer(self, batch):
        """See Engine.infer."""
        try:
            return self._engine.infer(batch)
        except RunError as error:
            failed, self._engine = self._engine, self._replace(error)
        try:
            failed.close()
        except EngineError as error:
            _LOG.debug('the failed engine could not be closed: %s', error)
        return self._engine.infer(batch)

    def describe(self):
        """See Engine.describe."""
        return self._engine.describe()

    def close(self):
        """See Engine.close."""
        self._engine.close()
