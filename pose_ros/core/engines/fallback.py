# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""A GPU engine with another in reserve, for the day on which the GPU fails while it works."""
import logging
from typing import Callable

from pose_ros.core.engines.engine import Engine, RunError
from pose_ros.core.errors import EngineError

_LOG = logging.getLogger('pose_ros')


class FallbackEngine(Engine):
    """Runs `engine` until a run raises RunError; then, for good, what `replace(error)` returns.

    An error of CUDA spoils the context for all that follows (CUDA driver API, cuCtxSynchronize),
    so the failed engine is not tried again. The replacement answers the batch that failed.
    """

    def __init__(self, engine: Engine, replace: Callable[[EngineError], Engine]):
        """Take an open engine; `replace` may raise, and is asked again at the next failure."""
        self._engine, self._replace = engine, replace
        self.input_shape = engine.input_shape

    @property
    def output_names(self):
        """See Engine; those of what runs now."""
        return self._engine.output_names

    @property
    def note(self):
        """See Engine."""
        return self._engine.note

    @property
    def fault(self):
        """See Engine."""
        return self._engine.fault

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
