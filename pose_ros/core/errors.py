# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Errors of the core. Each message names the cause, the place, and the fix."""


class PoseRosError(ValueError):
    """Base of all errors that the core raises."""


class CardError(PoseRosError):
    """A model card is missing, malformed, or contradicts its network."""


class ModelError(PoseRosError):
    """A model file is missing, unreadable, or not a network."""


class EngineError(PoseRosError):
    """An inference engine is unavailable, or failed while it ran."""


class OutputError(PoseRosError):
    """A file cannot be written, or not all of it."""


class ImageError(PoseRosError):
    """An image, or an image message, cannot be used."""


def cannot_write(path: str, error: Exception) -> OutputError:
    """Return the error of a file that cannot be written, for an OSError with the reason."""
    return OutputError('cannot write {}: {}'.format(
        path, getattr(error, 'strerror', None) or error))
