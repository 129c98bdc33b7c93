# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""The library of the NVIDIA driver by ctypes: no package is needed to look for a GPU."""
import ctypes

from pose_ros.core.errors import EngineError

_MAJOR, _MINOR = 75, 76  # CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR and _MINOR of cuda.h


def load_driver():
    """Return libcuda; EngineError without it."""
    try:
        return ctypes.CDLL('libcuda.so.1')
    except OSError as error:
        raise EngineError('CUDA: the driver library cannot be loaded: {}'.format(error))


def compute_capability(index: int = 0) -> str:
    """Return the compute capability of a GPU, such as '8.6'; '' without a driver or a GPU."""
    try:
        driver = load_driver()
    except EngineError:
        return ''
    device, found = ctypes.c_int(), []
    if driver.cuInit(0) or driver.cuDeviceGet(ctypes.byref(device), index):
        return ''
    for attribute in (_MAJOR, _MINOR):
        value = ctypes.c_int()
        if driver.cuDeviceGetAttribute(ctypes.byref(value), attribute, device):
            return ''
        found.append(str(value.value))
    return '.'.join(found)
