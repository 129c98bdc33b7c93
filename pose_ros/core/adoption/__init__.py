# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Adoption: any public pose network becomes one file with a card that every command takes."""
from pose_ros.core.adoption.adopt import Adopted, adopt  # noqa: F401
