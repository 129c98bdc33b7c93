# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Inference engines behind one interface; each imports its runtime only when it is chosen."""
from pose_ros.core.engines.engine import (  # noqa: F401
    BACKENDS, Engine, EngineInfo, EngineOptions, available_backends, create_engine)
