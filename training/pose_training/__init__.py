# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Train, import and export the networks that pose_ros runs; offline, with PyTorch."""


def __getattr__(name):
    """Import `train` at its first use, because it imports Lightning."""
    if name == 'train':
        from pose_training.fitting.api import train
        return train
    raise AttributeError('module {!r} has no attribute {!r}'.format(__name__, name))
