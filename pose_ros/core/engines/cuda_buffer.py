# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""The memory of one tensor, on the CPU and on the GPU."""
from typing import Tuple

from pose_ros.core.engines.cuda import Cuda


class Buffer:
    """A page-locked array `host` and the GPU memory at `address` (an int).

    If mapped, both are the same memory, which saves a copy on a GPU that shares the RAM (CUDA for
    Tegra, "Memory Management"); else `send` and `fetch` copy. Closing `cuda` frees the memory.
    """

    def __init__(self, cuda: Cuda, shape: Tuple[int, ...], dtype, mapped: bool):
        """Allocate; EngineError if CUDA cannot."""
        self._cuda, self._mapped = cuda, mapped
        if mapped:
            self.host, self.address = cuda.mapped(shape, dtype)
        else:
            self.host = cuda.pinned(shape, dtype)
            self.address = cuda.allocate(self.host.nbytes)

    def send(self) -> None:
        """Queue the copy of the array to the GPU."""
        if not self._mapped:
            self._cuda.copy_in(self.address, self.host)

    def fetch(self) -> None:
        """Queue the copy of the result to the array."""
        if not self._mapped:
            self._cuda.copy_out(self.host, self.address)
