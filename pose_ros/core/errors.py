# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Errors of the core: each message says what was wrong, where, and what to do."""


class PoseRosError(ValueError):
    """Base of every error that the core raises on purpose."""


class CardError(PoseRosError):
    """A model card is missing, malformed, or contradicts its network."""


class ModelError(PoseRosError):
    """A model file is missing, unreadable, or not a network."""


class EngineError(PoseRosError):
    """An inference engine is unavailable, or failed while it ran."""


class ImageError(PoseRosError):
    """An image, or an image message, cannot be used."""
