# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Errors of the offline package: each message says what was wrong, where, and what to do."""
from pose_ros.core.errors import PoseRosError


class NetworkError(PoseRosError):
    """A network is unknown, or cannot be built as asked."""


class WeightsError(PoseRosError):
    """A weight file is missing, unreadable, or does not fit its network."""


class ExportError(PoseRosError):
    """A network cannot be exported as asked, or its export does not agree with it."""


class DataError(PoseRosError):
    """A dataset is missing, malformed, or holds nothing to train on."""


class ConfigError(PoseRosError):
    """The configuration of a run has an unknown key or an invalid value."""


class FitError(PoseRosError):
    """A training run cannot begin, or cannot go on."""
