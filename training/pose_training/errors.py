# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Errors of the offline package: each message names the cause, the place and the fix."""
from pose_ros.core.errors import PoseRosError


class NetworkError(PoseRosError):
    """A network is unknown, or its options are invalid."""


class WeightsError(PoseRosError):
    """A weight file is missing, unreadable, or does not fit its network."""


class ExportError(PoseRosError):
    """A network cannot be exported with the options, or its export does not agree with it."""


class DataError(PoseRosError):
    """A dataset is missing, malformed, or has no data to train on."""


class ConfigError(PoseRosError):
    """The configuration of a run has an unknown key or an invalid value."""


class FitError(PoseRosError):
    """A training run cannot begin, or cannot continue."""
