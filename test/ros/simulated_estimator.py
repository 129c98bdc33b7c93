# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""The estimator on a simulated GPU: python simulated_estimator.py SURFACES VERSION SECONDS ...

SURFACES is the folder of the API surfaces; a build takes SECONDS, or until SIGUSR2 comes; at
SIGUSR1 the GPU fails for good. See test/simulated.
"""
from pathlib import Path
import signal
import sys

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / 'simulated'))

import fake_cuda
import fake_tensorrt
from surface import Surface

from pose_ros.nodes import estimator


class _Patch:
    """What a test's monkeypatch does, for as long as the process lives."""

    setitem = staticmethod(lambda mapping, key, value: mapping.__setitem__(key, value))
    setattr = staticmethod(setattr)


def main():
    """Simulate a GPU and TensorRT in this process, then run the node."""
    folder, version, seconds = sys.argv[1:4]
    del sys.argv[1:4]
    machine = fake_cuda.Machine()
    if version.startswith('rtx'):
        machine.name, machine.capability = 'Simulated RTX', (8, 6)
    signal.signal(signal.SIGUSR1,
                  lambda *_: setattr(machine, 'dead', 'unspecified launch failure'))
    fake_cuda.install(_Patch, machine)
    module = fake_tensorrt.make_tensorrt(Surface(Path(folder), version), machine)
    module._settings.build_time = float(seconds)
    for name in ('tensorrt', 'tensorrt_rtx'):
        sys.modules[name] = module if module.__name__ == name else None
    signal.signal(signal.SIGUSR2, lambda *_: setattr(module._settings, 'build_time', 0.0))
    code = estimator.main()
    left = machine.leftovers()
    print('left on the GPU: {}'.format(left))
    return code or bool(left)


if __name__ == '__main__':
    sys.exit(main())
