# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Public networks by name: their table, and how a file comes to this machine."""
from pose_ros.core.public.networks import (fetch, find, names, PublicNetwork,  # noqa: F401
                                           stored)
