# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Inference engines behind one interface; each imports its runtime only when it is chosen."""
from pose_ros.core.engines.engine import (BACKENDS, Engine, EngineInfo, EngineOptions,  # noqa: F401
                                          available_backends, create_engine)
