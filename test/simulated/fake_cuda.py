# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""A simulated GPU with its driver: `pycuda.driver` and libcuda, as strict as the real ones.

Work on a stream is done when the stream is synchronized, so that a missing wait shows. Contexts
are those of PyCUDA: a stack per thread (src/cpp/cuda.hpp).
"""
import functools
import importlib.machinery
import threading
import types

from fake_driver import device_calls
import numpy as np

NON_BLOCKING, THREAD_LOCAL, DEVICE_MAP = 1, 1, 2
NOT_PERMITTED_IN_CAPTURE, CAPTURE_UNSUPPORTED, CAPTURE_INVALIDATED = 900, 900, 901
ILLEGAL_ADDRESS = 700


class Error(Exception):
    """Base of PyCUDA's errors."""


class LogicError(Error):
    """A call that CUDA refuses."""


class Machine:
    """The state of one GPU; `problems` collects what would crash a real process later."""

    def __init__(self, name='Simulated Orin', capability=(8, 7), driver=(12, 6)):
        self.name, self.capability, self.driver = name, capability, driver
        self.memory, self.streams, self.graphs = {}, {}, {}
        self.capture_modes, self.launches, self.copies, self.pinned = [], 0, 0, []
        self.problems = []
        self.dead = ''  # the error that every later call repeats
        self._local, self._stacks = threading.local(), []
        self._next = 0x10000

    def stack(self):
        """This thread's stack of contexts."""
        if not hasattr(self._local, 'stack'):
            self._local.stack = []
            self._stacks.append((threading.current_thread(), self._local.stack))
        return self._local.stack

    def need_context(self, what):
        """Raise what PyCUDA raises in a thread without context."""
        if not self.stack():
            raise LogicError('{} failed: invalid device context - no currently active '
                             'context?'.format(what))

    def new_number(self, step=0x1000):
        self._next += step
        return self._next

    def leftovers(self):
        """What a process would leak, or die of, if all engines were closed now."""
        found = list(self.problems)
        found += ['memory at {:#x} was never freed'.format(address) for address in self.memory]
        found += ['a stream was never freed' for _ in self.streams]
        found += ['a graph was never freed' for _ in self.graphs]
        found += ['context stack of {} was not empty: abort'.format(thread.name)
                  for thread, stack in self._stacks if stack]
        return found

    def block(self, address, size):
        """The memory at an address; LogicError as for an access out of bounds or after free."""
        for start, block in self.memory.items():
            if start <= address and address + size <= start + len(block):
                return block[address - start:address - start + size]
        raise LogicError('an illegal memory access was encountered (error {})'.format(
            ILLEGAL_ADDRESS))


class Stream:
    """pycuda.driver.Stream: queued work, or the graph that is being recorded."""

    def __init__(self, machine, flags=0):
        self._machine, self.handle = machine, None
        machine.need_context('Stream')
        self.handle = machine.new_number()
        # No method: the frame of one in a trace would keep the stream alive, as no C++ frame does.
        self.synchronize = functools.partial(synchronize, machine, self.handle)
        machine.streams[self.handle] = types.SimpleNamespace(
            queue=[], recording=None, broken=False, flags=flags)

    def __del__(self):
        if self._machine.streams.pop(self.handle, None) and not self._machine.stack():
            self._machine.problems.append('a stream was freed without its context')


def enqueue(machine, handle, work):
    """Queue work on a stream, or record it while the stream captures."""
    stream = machine.streams[handle]
    (stream.queue if stream.recording is None else stream.recording).append(work)


def synchronize(machine, handle):
    """Do what is queued."""
    machine.need_context('cuStreamSynchronize')
    if machine.dead:
        raise LogicError('cuStreamSynchronize failed: {}'.format(machine.dead))
    stream = machine.streams[handle]
    if stream.recording is not None:
        stream.broken = True
        raise LogicError('cuStreamSynchronize failed: operation not permitted when stream is '
                         'capturing (error {})'.format(NOT_PERMITTED_IN_CAPTURE))
    queue, stream.queue = stream.queue, []
    for work in queue:
        work()


class Context:
    """A PyCUDA context object; the primary context behind it is the same for all."""

    def __init__(self, machine):
        self._machine = machine

    def push(self):
        self._machine.stack().append(self)


def make_driver(machine):
    """Make the module pycuda.driver of a machine; init must be called first, as for real."""
    driver = _module('pycuda.driver')
    driver.Error, driver.LogicError = Error, LogicError
    ready = []

    class Device:
        def __init__(self, number):
            if not ready:
                raise LogicError('cuDeviceGet failed: initialization error')
            if number:
                raise LogicError('cuDeviceGet failed: invalid device ordinal')

        def name(self):
            return machine.name

        def compute_capability(self):
            return machine.capability

        def get_attribute(self, attribute):
            return {driver.device_attribute.INTEGRATED: int(machine.capability == (8, 7))}[
                attribute]

        def retain_primary_context(self):
            return _ContextOf(machine)

    class _ContextOf(Context):
        @staticmethod
        def pop():
            if not machine.stack():
                raise LogicError('context::pop failed: invalid device context - cannot pop '
                                 'non-current context')
            machine.stack().pop()

    class DeviceAllocation:
        def __init__(self, size):
            machine.need_context('mem_alloc')
            self._address = machine.new_number(-(-size // 256) * 256 + 256) // 256 * 256
            machine.new_number(size)
            machine.memory[self._address] = np.full(size, 0xA5, np.uint8)  # never zeros

        def __int__(self):
            return self._address

        def free(self):
            machine.need_context('mem_free')
            if machine.memory.pop(self._address, None) is None:
                raise LogicError('device_allocation::free failed: invalid device context')

    driver.Device, driver.Context, driver.DeviceAllocation = Device, _ContextOf, DeviceAllocation
    driver.Stream = lambda flags=0: Stream(machine, flags)
    driver.device_attribute = types.SimpleNamespace(INTEGRATED='integrated')
    driver.init = lambda flags=0: ready.append(True)
    driver.mem_alloc = DeviceAllocation
    driver.mem_get_info = lambda: machine.need_context('mem_get_info') or (4 << 30, 8 << 30)
    driver.host_alloc_flags = types.SimpleNamespace(DEVICEMAP=DEVICE_MAP)
    driver.pagelocked_empty = lambda shape, dtype, order='C', mem_flags=0: (
        np.asarray(HostAllocation(machine, shape, dtype)) if mem_flags & DEVICE_MAP
        else _pinned(machine, shape, dtype))
    driver.memcpy_htod_async = lambda dest, src, stream=None: _copy_in(
        machine, int(dest), src, stream)
    driver.memcpy_dtoh_async = lambda dest, src, stream=None: _copy_out(
        machine, dest, int(src), stream)
    return driver


def _pinned(machine, shape, dtype):
    machine.need_context('pagelocked_empty')
    array = np.empty(shape, dtype)
    array.view(np.uint8)[...] = 0x5A
    machine.pinned.append(array)
    return array


class HostAllocation:
    """Page-locked memory that the GPU sees too; freed with the last array on it, as for real."""

    def __init__(self, machine, shape, dtype):
        machine.need_context('pagelocked_empty')
        memory = np.empty(shape, dtype)
        memory.view(np.uint8)[...] = 0x5A
        self._machine, self._address = machine, machine.new_number()
        machine.new_number(memory.nbytes)
        machine.memory[self._address] = memory.reshape(-1).view(np.uint8)
        self.__array_interface__ = memory.__array_interface__

    def get_device_pointer(self):
        self._machine.need_context('get_device_pointer')
        return self._address

    def __del__(self):
        self._machine.memory.pop(self._address, None)
        if not self._machine.stack():
            self._machine.problems.append('host memory was freed without its context')


def _check_copy(machine, array, stream):
    machine.need_context('memcpy')
    machine.copies += 1
    if not array.flags.c_contiguous:
        raise ValueError('ndarray is not contiguous')
    if stream is None:
        raise LogicError('the default stream is not to be used')
    page_locked = any(array is known for known in machine.pinned)
    if machine.streams[stream.handle].recording is not None and not page_locked:
        machine.streams[stream.handle].broken = True
        raise LogicError('memcpy of pageable memory failed: operation not permitted when stream '
                         'is capturing')


def _copy_in(machine, address, array, stream):
    _check_copy(machine, array, stream)
    machine.block(address, array.nbytes)

    def work():
        machine.block(address, array.nbytes)[...] = array.reshape(-1).view(np.uint8)
    enqueue(machine, stream.handle, work)


def _copy_out(machine, array, address, stream):
    _check_copy(machine, array, stream)
    machine.block(address, array.nbytes)

    def work():
        array.reshape(-1).view(np.uint8)[...] = machine.block(address, array.nbytes)
    enqueue(machine, stream.handle, work)


def make_libcuda(machine):
    """Make the driver library as ctypes would load it, with the graph calls of its version."""
    library = types.SimpleNamespace(**device_calls(machine))

    def begin(stream, mode):
        machine.capture_modes.append(mode)
        if not machine.stack() or stream not in machine.streams:
            return CAPTURE_UNSUPPORTED  # the default stream cannot be captured
        machine.streams[stream].recording, machine.streams[stream].broken = [], False
        return 0

    def end(stream, graph):
        stream = machine.streams[stream]
        recorded, stream.recording = stream.recording, None
        if stream.broken:
            return CAPTURE_INVALIDATED
        graph._obj.value = machine.new_number()
        machine.graphs[graph._obj.value] = recorded
        return 0

    def instantiate(executable, graph, *_):
        executable._obj.value = machine.new_number()
        machine.graphs[executable._obj.value] = machine.graphs[graph.value]
        return 0

    def launch(executable, stream):
        machine.launches += 1
        if not machine.stack():
            return 201  # CUDA_ERROR_INVALID_CONTEXT
        for work in machine.graphs[executable.value]:
            enqueue(machine, stream, work)
        return 0

    def destroy(graph):
        return 0 if machine.graphs.pop(graph.value, None) is not None else 1

    library.cuStreamBeginCapture_v2, library.cuStreamEndCapture = begin, end
    library.cuGraphLaunch = launch
    library.cuGraphDestroy, library.cuGraphExecDestroy = destroy, lambda graph: destroy(graph)
    if machine.driver >= (11, 4):
        library.cuGraphInstantiateWithFlags = lambda executable, graph, flags: instantiate(
            executable, graph)
    elif machine.driver >= (11, 0):
        library.cuGraphInstantiate_v2 = lambda executable, graph, node, log, size: instantiate(
            executable, graph)
    else:
        library.cuGraphInstantiate = lambda executable, graph, node, log, size: instantiate(
            executable, graph)
    return library


def _module(name):
    module = types.ModuleType(name)
    module.__spec__ = importlib.machinery.ModuleSpec(name, None)
    return module


def install(monkeypatch, machine):
    """Put the simulated PyCUDA and libcuda where pose_ros looks for the real ones."""
    import sys
    from pose_ros.core.engines import cuda_driver
    package = _module('pycuda')
    package.__path__, package.VERSION_TEXT = [], '2026.1'
    package.driver = make_driver(machine)
    monkeypatch.setitem(sys.modules, 'pycuda', package)
    monkeypatch.setitem(sys.modules, 'pycuda.driver', package.driver)
    monkeypatch.setattr(cuda_driver, 'load_driver', lambda: make_libcuda(machine))
