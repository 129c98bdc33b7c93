# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""The simulated GPU as `cuda.bindings.driver` of NVIDIA shows it (names as in 13.5.0)."""
import ctypes
import enum
import sys
import types

from fake_cuda import _module, enqueue, LogicError, synchronize
import numpy as np


class CUresult(enum.IntEnum):
    """What every call returns first."""

    CUDA_SUCCESS = 0
    CUDA_ERROR_INVALID_CONTEXT = 201
    CUDA_ERROR_ILLEGAL_ADDRESS = 700


def _reports(function):
    """Make a call that returns its error, as the real ones do, and nothing of what it is not."""
    def call(*arguments):
        try:
            found = function(*arguments)
        except LogicError as error:
            return (CUresult(700 if 'illegal' in str(error) else 201),)
        return (CUresult.CUDA_SUCCESS,) + (found if isinstance(found, tuple) else (found,))
    return call


def make_bindings(machine):
    """Make the module cuda.bindings.driver of a machine."""
    attribute = enum.IntEnum('CUdevice_attribute', {
        'CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR': 75,
        'CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR': 76, 'CU_DEVICE_ATTRIBUTE_INTEGRATED': 18})
    values = dict(zip(attribute, tuple(machine.capability) + (1,)))
    buffers, mapped = {}, {}

    def need(function):
        def checked(*arguments):
            machine.need_context('a call')
            return function(*arguments)
        return checked

    def create_stream(flags):
        handle = machine.new_number()
        machine.streams[handle] = types.SimpleNamespace(queue=[], recording=None, broken=False)
        return handle

    def allocate(size):
        address = machine.new_number(size + 512)
        machine.memory[address] = np.full(size, 0xA5, np.uint8)
        machine.new_number(size)
        return address

    def host_allocate(size, flags):
        buffer = ctypes.create_string_buffer(size)
        buffers[ctypes.addressof(buffer)] = buffer
        return ctypes.addressof(buffer)

    def device_pointer(address, flags):
        buffer = buffers[address]
        pointer = machine.new_number()
        machine.new_number(len(buffer))
        machine.memory[pointer] = np.frombuffer(buffer, np.uint8)
        mapped[address] = pointer
        return pointer

    def host_free(address):
        machine.memory.pop(mapped.pop(address, None), None)
        buffers.pop(address)
        return ()

    def host(address, size):
        return np.frombuffer((ctypes.c_char * size).from_address(address), np.uint8)

    def copy_in(target, source, size, stream):
        machine.copies += 1
        machine.block(target, size)
        enqueue(machine, stream, lambda: np.copyto(machine.block(target, size),
                                                   host(source, size)))

    def copy_out(target, source, size, stream):
        machine.copies += 1
        machine.block(source, size)
        enqueue(machine, stream, lambda: np.copyto(host(target, size),
                                                   machine.block(source, size)))
    functions = {
        'cuInit': lambda flags: (), 'cuDeviceGet': lambda number: number,
        'cuDeviceGetName': lambda length, device: machine.name.encode() + b'\0\0',
        'cuDeviceGetAttribute': lambda which, device: values[which],
        'cuDevicePrimaryCtxRetain': lambda device: 'context',
        'cuDevicePrimaryCtxRelease': lambda device: (),
        'cuCtxPushCurrent': lambda context: machine.stack().append(context) or (),
        'cuCtxPopCurrent': need(lambda: machine.stack().pop()),
        'cuStreamCreate': need(create_stream),
        'cuStreamDestroy': need(lambda stream: machine.streams.pop(stream) and ()),
        'cuStreamSynchronize': lambda stream: synchronize(machine, stream) or (),
        'cuMemGetInfo': need(lambda: (4 << 30, 8 << 30)),
        'cuMemHostAlloc': need(host_allocate),
        'cuMemFreeHost': need(host_free),
        'cuMemHostGetDevicePointer': need(device_pointer),
        'cuMemAlloc': need(allocate),
        'cuMemFree': need(lambda address: (machine.memory.pop(address), ())[1]),
        'cuMemcpyHtoDAsync': need(lambda *arguments: copy_in(*arguments) or ()),
        'cuMemcpyDtoHAsync': need(lambda *arguments: copy_out(*arguments) or ())}
    driver = _module('cuda.bindings.driver')
    driver.CUresult, driver.CUdevice_attribute = CUresult, attribute
    for name, function in functions.items():
        setattr(driver, name, _reports(function))
    driver._buffers = buffers
    return driver


def install(monkeypatch, machine):
    """Put the simulated cuda-bindings in the place of PyCUDA."""
    package, bindings = _module('cuda'), _module('cuda.bindings')
    package.__path__, bindings.__path__ = [], []
    package.bindings, bindings.driver = bindings, make_bindings(machine)
    for name in ('pycuda', 'pycuda.driver'):
        monkeypatch.setitem(sys.modules, name, None)
    for name, module in (('cuda', package), ('cuda.bindings', bindings),
                         ('cuda.bindings.driver', bindings.driver)):
        monkeypatch.setitem(sys.modules, name, module)
    return bindings.driver
