# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""One web page that shows what the estimator sees: state of each camera, and a small server."""
from pose_ros.core.viewer.server import ViewerServer  # noqa: F401
from pose_ros.core.viewer.settings import VIEWER_PARAMETERS  # noqa: F401
from pose_ros.core.viewer.view import Person, Sample, View  # noqa: F401
