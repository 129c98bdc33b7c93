# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""The CUDA functions that TensorRT needs, by PyCUDA or cuda-bindings.

One thread opens the device, which makes the primary context current, uses it, and closes it, which
makes it not current again. TensorRT and all other libraries of the process use the primary context
(CUDA driver API, section "Primary Context Management"). PyCUDA has a stack of contexts per thread,
frees only objects of the top one, and aborts the process if a thread ends while its stack is not
empty (PyCUDA src/cpp/cuda.hpp, context_stack). The order of the calls follows from that.
"""
import abc
import ctypes
from typing import NamedTuple, Tuple

import numpy as np

from pose_ros.core.errors import EngineError

_NON_BLOCKING = 1  # CU_STREAM_NON_BLOCKING: do not wait for the legacy default stream
_MAPPED = 2  # CU_MEMHOSTALLOC_DEVICEMAP
_ADVICE = ('on a Jetson: PATH=/usr/local/cuda/bin:$PATH python3 -m pip install pycuda; on a PC: '
           'python3 -m pip install cuda-bindings, or pycuda where nvcc is on the PATH')


class DeviceInfo(NamedTuple):
    """A GPU: its name, compute capability such as '8.7', and whether it shares the RAM."""

    name: str
    capability: str
    integrated: bool


class Cuda(abc.ABC):
    """A GPU whose primary context is current in the thread that made this object.

    `info` is its DeviceInfo, `stream` the handle (an int) of a non-blocking stream. Addresses are
    ints. Each method raises EngineError if CUDA reports an error.
    """

    info: DeviceInfo
    stream: int

    @abc.abstractmethod
    def free_memory(self) -> int:
        """Return the bytes of GPU memory that are free."""

    @abc.abstractmethod
    def pinned(self, shape: Tuple[int, ...], dtype) -> np.ndarray:
        """Return a new array in page-locked memory, which asynchronous copies need."""

    @abc.abstractmethod
    def mapped(self, shape: Tuple[int, ...], dtype) -> Tuple[np.ndarray, int]:
        """Return a new page-locked array and the address at which the GPU sees it."""

    @abc.abstractmethod
    def allocate(self, size: int) -> int:
        """Return the address of `size` new bytes on the GPU, aligned to 256 at least."""

    @abc.abstractmethod
    def copy_in(self, address: int, host: np.ndarray) -> None:
        """Queue a copy of a pinned array to the GPU."""

    @abc.abstractmethod
    def copy_out(self, host: np.ndarray, address: int) -> None:
        """Queue a copy from the GPU to a pinned array."""

    @abc.abstractmethod
    def synchronize(self) -> None:
        """Wait until everything that was queued on the stream is done."""

    @abc.abstractmethod
    def close(self) -> None:
        """Free what was allocated; the context is no longer current. A second call does nothing.

        Arrays of `pinned` must not be touched afterwards.
        """


def open_cuda(index: int = 0) -> Cuda:
    """Open a GPU in this thread, by PyCUDA or else cuda-bindings; EngineError if neither works."""
    errors = []
    for name, backend in (('pycuda', PyCuda), ('cuda-bindings', CudaBindings)):
        try:
            return backend(index)
        except ImportError as error:
            errors.append('{} cannot be imported ({})'.format(name, error))
        except Exception as error:  # the type of the error without a driver differs
            errors.append('{}: {}'.format(name, error))
    raise EngineError('no NVIDIA GPU can be used: {}; {}'.format('; '.join(errors), _ADVICE))


class PyCuda(Cuda):
    """CUDA by PyCUDA (2020.1 and newer, for Python 3.6 and newer)."""

    def __init__(self, index):
        """Open the GPU; ImportError without PyCUDA."""
        import pycuda.driver as driver  # loads libcuda, so it fails without an NVIDIA driver
        self._driver, self._allocations, self._context = driver, [], None
        with _errors_of(driver.Error):
            driver.init()
            device = driver.Device(index)
            major, minor = device.compute_capability()
            self.info = DeviceInfo(
                device.name(), '{}.{}'.format(major, minor),
                bool(device.get_attribute(driver.device_attribute.INTEGRATED)))
            # Not autoinit or make_context: their context is not that of TensorRT.
            self._context = device.retain_primary_context()
            self._context.push()
            try:
                self._stream = driver.Stream(_NON_BLOCKING)
            except driver.Error:
                self.close()
                raise
        self.stream = int(self._stream.handle)

    def free_memory(self):
        """See Cuda.free_memory."""
        with _errors_of(self._driver.Error):
            return int(self._driver.mem_get_info()[0])

    def pinned(self, shape, dtype):
        """See Cuda.pinned."""
        with _errors_of(self._driver.Error):
            return self._driver.pagelocked_empty(shape, dtype)

    def mapped(self, shape, dtype):
        """See Cuda.mapped."""
        with _errors_of(self._driver.Error):
            array = self._driver.pagelocked_empty(
                shape, dtype, mem_flags=self._driver.host_alloc_flags.DEVICEMAP)
            return array, int(array.base.get_device_pointer())

    def allocate(self, size):
        """See Cuda.allocate."""
        with _errors_of(self._driver.Error):
            self._allocations.append(self._driver.mem_alloc(size))
        return int(self._allocations[-1])

    def copy_in(self, address, host):
        """See Cuda.copy_in."""
        with _errors_of(self._driver.Error):
            self._driver.memcpy_htod_async(address, host, self._stream)

    def copy_out(self, host, address):
        """See Cuda.copy_out."""
        with _errors_of(self._driver.Error):
            self._driver.memcpy_dtoh_async(host, address, self._stream)

    def synchronize(self):
        """See Cuda.synchronize."""
        with _errors_of(self._driver.Error):
            self._stream.synchronize()

    def close(self):
        """See Cuda.close."""
        context, self._context = self._context, None
        if context is None:
            return
        try:
            for allocation in self._allocations:
                allocation.free()
        finally:
            # PyCUDA destroys a stream with its object, which needs the context too.
            self._allocations, self._stream = [], None
            context.pop()


class CudaBindings(Cuda):
    """CUDA by NVIDIA's cuda-bindings (Python 3.9 and newer), which needs no compiler."""

    def __init__(self, index):
        """Open the GPU; ImportError without cuda-bindings."""
        from cuda.bindings import driver
        self._driver, self._allocations, self._pinned, self._device = driver, [], [], None
        self._call('cuInit', 0)
        device = self._call('cuDeviceGet', index)
        name = self._call('cuDeviceGetName', 256, device)
        major, minor, integrated = (
            self._call('cuDeviceGetAttribute', getattr(
                driver.CUdevice_attribute, 'CU_DEVICE_ATTRIBUTE_' + attribute), device)
            for attribute in ('COMPUTE_CAPABILITY_MAJOR', 'COMPUTE_CAPABILITY_MINOR',
                              'INTEGRATED'))
        self.info = DeviceInfo(bytes(name).split(b'\0')[0].decode('utf-8'),
                               '{}.{}'.format(major, minor), bool(integrated))
        context = self._call('cuDevicePrimaryCtxRetain', device)
        try:
            self._call('cuCtxPushCurrent', context)
        except EngineError:
            self._call('cuDevicePrimaryCtxRelease', device)
            raise
        self._device, self.stream = device, 0
        try:
            self.stream = int(self._call('cuStreamCreate', _NON_BLOCKING))
        except EngineError:
            self.close()
            raise

    def free_memory(self):
        """See Cuda.free_memory."""
        return int(self._call('cuMemGetInfo')[0])

    def pinned(self, shape, dtype):
        """See Cuda.pinned."""
        return self._host(shape, dtype, 0)[0]

    def mapped(self, shape, dtype):
        """See Cuda.mapped."""
        array, address = self._host(shape, dtype, _MAPPED)
        return array, int(self._call('cuMemHostGetDevicePointer', address, 0))

    def _host(self, shape, dtype, flags):
        dtype, count = np.dtype(dtype), int(np.prod(shape, dtype=np.int64))
        address = int(self._call('cuMemHostAlloc', count * dtype.itemsize, flags))
        self._pinned.append(address)
        memory = (ctypes.c_char * (count * dtype.itemsize)).from_address(address)
        return np.frombuffer(memory, dtype).reshape(shape), address

    def allocate(self, size):
        """See Cuda.allocate."""
        self._allocations.append(self._call('cuMemAlloc', size))
        return int(self._allocations[-1])

    def copy_in(self, address, host):
        """See Cuda.copy_in."""
        self._call('cuMemcpyHtoDAsync', address, host.ctypes.data, host.nbytes, self.stream)

    def copy_out(self, host, address):
        """See Cuda.copy_out."""
        self._call('cuMemcpyDtoHAsync', host.ctypes.data, address, host.nbytes, self.stream)

    def synchronize(self):
        """See Cuda.synchronize."""
        self._call('cuStreamSynchronize', self.stream)

    def close(self):
        """See Cuda.close."""
        device, self._device = self._device, None
        if device is None:
            return
        try:
            for allocation in self._allocations:
                self._call('cuMemFree', allocation)
            for address in self._pinned:
                self._call('cuMemFreeHost', address)
            if self.stream:
                self._call('cuStreamDestroy', self.stream)
        finally:
            self._allocations, self._pinned = [], []
            self._call('cuCtxPopCurrent')
            self._call('cuDevicePrimaryCtxRelease', device)

    def _call(self, name, *arguments):
        """Call a driver function: its one result, a tuple of several, None for none."""
        error, *results = getattr(self._driver, name)(*arguments)
        if int(error):
            raise EngineError('CUDA: {} failed: {}'.format(name, getattr(error, 'name', error)))
        return results[0] if len(results) == 1 else tuple(results) or None


class _errors_of:  # a context manager reads like a function
    """Turns a library's errors into EngineError."""

    def __init__(self, kind):
        self._kind = kind

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        if isinstance(error, self._kind):
            raise EngineError('CUDA: {}'.format(error)) from error
        return False
