# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""What devices can do at best, as their maker states it, in their fastest power mode.

Operations are floating-point operations: a multiply-add is two. fp16 is the fastest dense half
precision (tensor cores where there are some), fp32 is that of the CUDA cores. NVIDIA states int8
figures of Orin with structured sparsity: a quarter of them is dense fp16.
"""
from typing import Dict, NamedTuple


class Device(NamedTuple):
    """Peaks of one device."""

    title: str
    fp16: float  # 1e12 operations per second
    fp32: float  # 1e12 operations per second
    bandwidth: float  # 1e9 bytes per second, to and from its memory


DEVICES: Dict[str, Device] = {
    # "472 GFLOPS", 25.6 GB/s: Jetson Nano, developer.nvidia.com/embedded/develop/hardware.
    # fp32: 128 cores x 2 x 0.92 GHz, half.
    'nano': Device('Jetson Nano', 0.472, 0.236, 25.6),
    # "1.33 TFLOPS", 59.7 GB/s: Jetson TX2, the same page. fp32: 256 cores x 2 x 1.3 GHz, half.
    'tx2': Device('Jetson TX2', 1.33, 0.666, 59.7),
    # "40 TOPS", 68 GB/s: Jetson Orin Nano 8 GB, the same page, before the Super modes.
    # fp32: 1024 cores x 2 x 0.625 GHz.
    'orin-nano': Device('Jetson Orin Nano 8 GB', 10.0, 1.28, 68.0),
    # "67 TOPS", 102 GB/s: the same module in MAXN_SUPER. fp32: 1024 cores x 2 x 1.02 GHz.
    'orin-nano-super': Device('Jetson Orin Nano 8 GB Super', 16.75, 2.09, 102.0),
    # "170 Sparse TOPs of INT8", "5.3 FP32 TFLOPs", 204.8 GB/s: Jetson AGX Orin technical brief
    # (64 GB module, the GPU alone).
    'agx-orin': Device('Jetson AGX Orin 64 GB', 42.5, 5.3, 204.8),
    # 65 and 8.1 TFLOPS, 320 GB/s: NVIDIA T4 datasheet.
    't4': Device('T4', 65.0, 8.1, 320.0),
    # 330.3 TFLOPS dense with fp16 accumulation (half of it with fp32), 82.6, 1008 GB/s: NVIDIA Ada
    # GPU architecture whitepaper, appendix A.
    'rtx-4090': Device('GeForce RTX 4090', 330.3, 82.6, 1008.0),
    # 989 TFLOPS dense, 67, 4.8 TB/s: NVIDIA H200 (SXM) datasheet.
    'h200': Device('H200', 989.0, 67.0, 4800.0),
}
