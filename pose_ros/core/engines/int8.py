# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Which file of a model runs: the float one or the int8 one, on CPUs."""
import mmap
import platform

from pose_ros.core.errors import EngineError

# Instructions that multiply int8, as Linux names them. ONNX Runtime and OpenVINO run the bundled
# networks 2 to 3 times faster in int8 with avx512_vnni; without any of them it gains little, and
# ONNX Runtime loses accuracy (its older instructions saturate). ARM is not measured.
_FAST = ('avx512_vnni', 'avx_vnni', 'amx_int8')
_CPUS = '/proc/cpuinfo'
_MARKS = (b'QuantizeLinear', b'FakeQuantize')  # operators of ONNX, and of OpenVINO's own files


def fast_int8() -> str:
    """Return the name of an instruction set that makes int8 fast on this x86 CPU; '' if none."""
    if platform.machine().lower() not in ('x86_64', 'amd64'):
        return ''
    try:
        with open(_CPUS) as stream:
            flags = next((line for line in stream if line.startswith('flags')), '').split()
    except OSError:
        return ''
    return next((name for name in _FAST if name in flags), '')


def chosen_file(path: str, backend: str, options) -> str:
    """Return the file that a backend runs: `path`, or options.int8_file in its place.

    On a CPU the precision int8 takes the int8 file if there is one, and auto if int8 is fast here.
    """
    on_cpu = not backend.startswith('tensorrt') and options.device == 'cpu'
    wanted = options.precision == 'int8' or options.precision == 'auto' and fast_int8()
    return options.int8_file if on_cpu and wanted and options.int8_file else path


def cpu_precision(path: str, wanted: str, runtime: str) -> str:
    """Return the precision in which a CPU engine runs a file: int8 if it is quantized.

    EngineError if `wanted` contradicts the file.
    """
    quantized = is_quantized(path)
    if wanted == 'int8' and not quantized:
        raise EngineError('{} runs the precision of the file, and {} is not quantized: export it '
                          'in int8 (pose-train export --precision int8), or use precision '
                          'auto'.format(runtime, path))
    if quantized and wanted not in ('auto', 'int8'):
        raise EngineError('{} is quantized, and {} runs it in int8: use the float32 file, or '
                          'precision auto, in place of {}'.format(path, runtime, wanted))
    return 'int8' if quantized else 'fp32' if wanted == 'auto' else wanted


def is_quantized(path: str) -> bool:
    """Return whether the names of quantizing operators are in a model file."""
    with open(path, 'rb') as stream:
        try:
            content = mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ)
        except ValueError:  # an empty file
            return False
        with content:
            return any(content.find(mark) >= 0 for mark in _MARKS)
