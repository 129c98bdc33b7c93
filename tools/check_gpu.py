#!/usr/bin/env python3
# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Run on an NVIDIA GPU what the tests only simulate; print a report. Takes less than 8 minutes.

    PYTHONPATH=. python3 tools/check_gpu.py > gpu.md       # exit code 0: no step failed
    PYTHONPATH=. python3 tools/check_gpu.py cuda rtx       # only these steps

Each step has a process and a time limit of its own, so a crash is a line of the report. A step
whose package is missing is skipped. Packages: onnxruntime-gpu, pycuda or cuda-bindings,
tensorrt-rtx-cu13, tensorrt; NumPy and OpenCV are needed.
"""
import logging
import subprocess
import sys
import threading
import time

import numpy as np

LIMIT = 470.0  # s, all steps together
MODEL = 'bottom_up'  # the bundled network without a detector


class SkippedStep(Exception):
    """A package that the step needs is missing."""


def needs(module):
    """Import a module, or skip the step."""
    import importlib
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise SkippedStep(str(error))


def machine():
    """Driver, GPU and versions."""
    print(subprocess.run(
        ['nvidia-smi', '--query-gpu=name,driver_version,compute_cap,memory.total',
         '--format=csv,noheader'], stdout=subprocess.PIPE, universal_newlines=True).stdout.strip())
    print('python', sys.version.split()[0])
    for name in ('onnxruntime', 'tensorrt', 'tensorrt_rtx', 'pycuda', 'cuda.bindings'):
        try:
            module = needs(name)
            print(name, getattr(module, 'VERSION_TEXT', None) or module.__version__)
        except (SkippedStep, AttributeError) as error:
            print('{}: {}'.format(name, error))


def pycuda():
    """CUDA layer by PyCUDA."""
    needs('pycuda')
    from pose_ros.core.engines.cuda import PyCuda
    check_layer(PyCuda)


def bindings():
    """CUDA layer by cuda-bindings."""
    needs('cuda.bindings.driver')
    from pose_ros.core.engines.cuda import CudaBindings
    check_layer(CudaBindings)


def check_layer(kind, rounds=20):
    """Open the GPU in several threads, copy in both directions, record and launch a graph."""
    free = []
    for number in range(rounds):
        errors = []
        thread = threading.Thread(target=guarded, args=(errors, use_layer, kind, number, free))
        thread.start()
        thread.join()
        if errors:
            raise errors[0]
    print('{} threads, one after the other; free memory {} MiB at first, {} MiB in the end'.format(
        rounds, free[0] >> 20, free[-1] >> 20))


def guarded(errors, function, *arguments):
    """Call a function; an exception goes to the list."""
    try:
        function(*arguments)
    except Exception as error:
        errors.append(error)


def use_layer(kind, seed, free):
    """Copy through the GPU by hand and by a graph, and compare."""
    from pose_ros.core.engines.cuda_graph import CudaGraph
    gpu = kind(0)
    try:
        if not seed:
            print(gpu.info)
        free.append(gpu.free_memory())
        source, target = (gpu.pinned((3, 480, 640), np.float32) for _ in range(2))
        address = gpu.allocate(source.nbytes)

        def work():
            gpu.copy_in(address, source)
            gpu.copy_out(target, address)
        random = np.random.RandomState(seed)
        work()
        gpu.synchronize()
        graph = CudaGraph(gpu.stream, work)
        try:
            for _ in range(3):
                source[...] = random.rand(*source.shape)
                target[...] = 0
                graph.launch()
                gpu.synchronize()
                assert (source == target).all(), 'the copy differs'
        finally:
            graph.close()
    finally:
        gpu.close()


def onnxruntime():
    """ONNX Runtime on CUDA, with and without a CUDA graph, against its CPU provider."""
    runtime = needs('onnxruntime')
    if 'CUDAExecutionProvider' not in runtime.get_available_providers():
        raise SkippedStep('this onnxruntime has no CUDA provider: install onnxruntime-gpu')
    expected = outputs('onnxruntime')
    for graph in (False, True):
        compare(expected, 'onnxruntime', device='cuda', cuda_graph=graph)


def rtx():
    """TensorRT for RTX: the words of the library itself, and then the backend."""
    trt = needs('tensorrt_rtx')
    from pose_ros.core.bundled import model_file
    from pose_ros.core.engines.cuda_thread import CudaThread
    from pose_ros.core.engines.tensorrt_build import build_plan, BuildSettings
    from pose_ros.core.engines.tensorrt_library import import_tensorrt
    from pose_ros.core.engines.tensorrt_rtx import checked_architectures
    from pose_ros.core.errors import PoseRosError
    library, thread, shape = import_tensorrt('tensorrt_rtx'), CudaThread(), network_shape()
    with open(model_file(MODEL), 'rb') as stream:
        model = stream.read()

    def try_plan(cuda, architectures):
        plan = build_plan(library, cuda, model, MODEL, BuildSettings(
            shape, architectures=architectures)).data
        runtime = trt.Runtime(library.logger)
        print('get_engine_validity:', runtime.get_engine_validity(plan))
        engine = runtime.deserialize_cuda_engine(plan)
        print('deserialize_cuda_engine:', engine, library.logger.errors())
    try:
        for name, targets in (('CURRENT', ()), ('all', checked_architectures(library, ()))):
            print('architectures:', name, *targets)
            try:
                thread.call(try_plan, targets)
            except PoseRosError as error:
                print(error)
    finally:
        thread.close()
    expected = outputs('onnxruntime')
    for start in ('first start (build, kernels)', 'second start (from the caches)'):
        print(start)
        compare(expected, 'tensorrt_rtx')


def tensorrt():
    """TensorRT, by pose-ros doctor --hardware."""
    needs('tensorrt')
    from pose_ros.cli.main import main
    if main(['doctor', '--hardware', '--model', MODEL]):
        raise AssertionError('see the report above')


def network_shape():
    """Return the batch (1, 3, h, w) of the model."""
    from pose_ros.core.bundled import model_file
    from pose_ros.core.card_files import load_card
    spec = load_card(model_file(MODEL)).input
    return 1, 3, spec.height, spec.width


def open_engine(backend, **options):
    """Open the model on a backend."""
    from pose_ros.core.bundled import model_file
    from pose_ros.core.engines import create_engine
    return create_engine(model_file(MODEL), network_shape(), backend, require_tensorrt=True,
                         **options)


def batch():
    """Return one fixed input."""
    return np.float32(np.random.RandomState(0).uniform(-2, 2, network_shape()))


def outputs(backend, **options):
    """Return the outputs of a backend for the fixed input."""
    engine = open_engine(backend, **options)
    try:
        return {name: array.copy() for name, array in engine.infer(batch()).items()}
    finally:
        engine.close()


def compare(expected, backend, **options):
    """Open an engine, compare it, and time it: start, and median of 100 runs."""
    start = time.monotonic()
    engine, image, times = open_engine(backend, **options), batch(), []
    started = time.monotonic() - start
    try:
        found = engine.infer(image)
        worst = max(np.abs(found[name] - expected[name]).max() / np.ptp(expected[name])
                    for name in expected)
        for _ in range(100):
            start = time.monotonic()
            engine.infer(image)
            times.append(time.monotonic() - start)
        print('{} {}: start {:.1f} s, network {:.2f} ms, largest difference {:.2%}'.format(
            engine.describe(), options or '', started, 1000 * np.median(times), worst))
        assert worst < 0.05, 'the outputs differ'
    finally:
        engine.close()


STEPS = (machine, pycuda, bindings, onnxruntime, rtx, tensorrt)


def run_step(name):
    """Run one step in this process; exit code 0 passed, 1 failed, 3 skipped."""
    logging.basicConfig(stream=sys.stdout, level=logging.INFO, format='%(message)s')
    try:
        {step.__name__: step for step in STEPS}[name]()
    except SkippedStep as error:
        print('skipped: {}'.format(error))
        return 3
    except Exception as error:
        print('{}: {}'.format(type(error).__name__, error))
        return 1
    return 0


def main(names):
    """Run steps in processes of their own; return 1 if one failed."""
    end, failed = time.monotonic() + LIMIT, []
    for step in STEPS:
        if names and step.__name__ not in names:
            continue
        print('\n## {}: {}\n'.format(step.__name__, step.__doc__), flush=True)
        try:
            code = subprocess.run([sys.executable, __file__, '--step', step.__name__],
                                  timeout=max(1.0, end - time.monotonic())).returncode
        except subprocess.TimeoutExpired:
            code = 'no time is left'
        print('\nresult: {}'.format({0: 'passed', 3: 'skipped'}.get(code, 'failed ({})'.format(
            code))), flush=True)
        if code not in (0, 3):
            failed.append(step.__name__)
    print('\nfailed: {}'.format(', '.join(failed) or 'none'))
    return 1 if failed else 0


if __name__ == '__main__':
    if sys.argv[1:2] == ['--step']:
        sys.exit(run_step(sys.argv[2]))
    sys.exit(main(sys.argv[1:]))
