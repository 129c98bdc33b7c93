# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""`pose-ros doctor --hardware`: test TensorRT on this machine. Imports only light modules."""
import json
import os
import platform
import sys
from typing import List

from pose_ros.cli.hardware_report import markdown
from pose_ros.cli.machine import jetson_facts
from pose_ros.cli.probe import run_python_streaming, run_program, run_python
from pose_ros.core.bundled import BUNDLED
from pose_ros.core.version import VERSION

CPU_BACKENDS = ('onnxruntime', 'openvino')
# (name in the report, module)
MODULES = (('NumPy', 'numpy'), ('OpenCV', 'cv2'), ('ONNX Runtime', 'onnxruntime'),
           ('OpenVINO', 'openvino'), ('TensorRT', 'tensorrt'),
           ('TensorRT for RTX', 'tensorrt_rtx'), ('PyCUDA', 'pycuda'),
           ('cuda-bindings', 'cuda.bindings'))
_MODULE_VERSION = """import importlib, sys
module = importlib.import_module(sys.argv[1])
print(getattr(module, 'VERSION_TEXT', None) or module.__version__)
"""  # the first is PyCUDA's
_TRIAL = 'import sys; from pose_ros.cli.hardware_trial import main; main(*sys.argv[1:])'
_TIMEOUT = 3600.0  # s per trial; a build on a TX2 may take most of it
_DRIVER = ['nvidia-smi', '--query-gpu=name,driver_version', '--format=csv,noheader']


def run(model: str, as_json: bool) -> int:
    """Run all trials and print the report; return 0 if TensorRT works in all tried precisions.

    model: an ONNX file, or one of BUNDLED ('' is all of these). The progress is printed on stderr.
    """
    report = examine(model)
    print(json.dumps(report, indent=2) if as_json else markdown(report))
    return 0 if report['works'] else 1


def examine(model: str) -> dict:
    """Return the report; a failed trial has its full `error` and its `log`."""
    _tell('checking the machine')
    driver, versions = run_program(_DRIVER), _versions()
    report = {
        'versions': versions,
        'machine': {'platform': platform.platform(), 'cpus': os.cpu_count(),
                    'jetson': jetson_facts(), 'driver': driver.error or driver.output},
        'gpu': _try('gpu', ''), 'trials': []}
    for name in [model] if model else BUNDLED:
        report['trials'] += _try_tensorrt(name, _tensorrt(versions))
        report['trials'] += [_named(backend, name, '', 1, _try('cpu', name, backend))
                             for backend in CPU_BACKENDS]
    # The CPU trials do not count.
    report['works'] = all('error' not in trial for trial in report['trials']
                          if trial['engine'] not in CPU_BACKENDS)
    return report


def _versions():
    found = {'pose_ros': VERSION,
             'Python': '{}, {}'.format(platform.python_version(), platform.machine())}
    for name, module in MODULES:
        answer = run_python(_MODULE_VERSION, module)
        absent = any("No module named '{}'".format(part) in answer.error
                     for part in (module, module.split('.')[0]))
        found[name] = 'not installed' if absent else answer.error or answer.output
    return found


def _tensorrt(versions):
    """Return the backend to test: tensorrt_rtx where only that is installed."""
    found, rtx = (versions.get(name) for name in ('TensorRT', 'TensorRT for RTX'))
    only_rtx = found == 'not installed' and rtx not in (None, 'not installed')
    return 'tensorrt_rtx' if only_rtx else 'tensorrt'


def _try_tensorrt(model, backend) -> List[dict]:
    """Try each useful precision and batch; return one failed trial if these are unknown."""
    asked = _try('plan', model)
    if 'error' in asked:
        return [_named(backend, model, '', 1, asked)]
    return [_named(backend, model, precision, batch,
                   _try('tensorrt', model, precision, str(batch)))
            for batch in asked['batches'] for precision in asked['precisions']]


def _named(engine, model, precision, batch, trial):
    return dict({'engine': engine, 'model': model, 'precision': precision, 'batch': batch},
                **trial)


def _try(what, model, *arguments):
    """Run a trial; return its result, or `error` (and `log`, if there is one)."""
    _tell('trying {}{}'.format(' '.join((what,) + arguments + (model,)),
                               ' (its build may take many minutes)' if what == 'tensorrt' else ''))
    answer, log = run_python_streaming(_TIMEOUT, _TRIAL, what, model, *arguments)
    # Libraries may also print, and a process may crash after its work is done.
    lines = [line for line in answer.output.splitlines() if line.startswith('{')]
    found = json.loads(lines[-1]) if lines else {'error': 'the trial ended without a result'}
    if answer.error:
        found['error'] = answer.error
    return dict(found, log=log) if 'error' in found and log else found


def _tell(text):
    print('pose-ros: ' + text.strip(), file=sys.stderr)
    sys.stderr.flush()
