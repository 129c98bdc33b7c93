# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Inference engines behind one interface; each imports its runtime only when it is chosen."""
from pose_ros.core.engines.engine import Engine, EngineInfo  # noqa: F401
from pose_ros.core.engines.factory import (  # noqa: F401
    available_backends, create_engine, prefers_gpu)
from pose_ros.core.engines.options import (  # noqa: F401
    BACKENDS, ENGINE_PARAMETERS, EngineOptions)
