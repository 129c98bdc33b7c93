# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Stages: the steps from frames to people, one file per step."""
from pose_ros.core.stages.bottom_up import BottomUp  # noqa: F401
from pose_ros.core.stages.lifting import Lifting, LIFTING_PARAMETERS  # noqa: F401
from pose_ros.core.stages.parts import Parts, PARTS_PARAMETERS  # noqa: F401
from pose_ros.core.stages.selection import Selection, SELECTION_PARAMETERS  # noqa: F401
from pose_ros.core.stages.smoothing import OFF, Smoothing, SMOOTHING_METHODS  # noqa: F401
from pose_ros.core.stages.stage import Stage  # noqa: F401
from pose_ros.core.stages.top_down import TopDown, TOP_DOWN_PARAMETERS  # noqa: F401
from pose_ros.core.stages.tracking import Tracking, TRACKING_PARAMETERS  # noqa: F401
