# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""What libcuda reports about a GPU, without a context."""


def device_calls(machine):
    """Make the calls that find a GPU and its compute capability."""
    def device(found, index):
        found._obj.value = index
        return 0

    def attribute(found, number, index):
        found._obj.value = dict(zip((75, 76), machine.capability))[number]
        return 0
    return {'cuInit': lambda flags: 0, 'cuDeviceGet': device, 'cuDeviceGetAttribute': attribute}
