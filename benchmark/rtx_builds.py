# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Build models with TensorRT for RTX for all its GPUs but Turing; no GPU is needed here.

    tools/env.sh python benchmark/rtx_builds.py a.onnx b.onnx      # pip install tensorrt-rtx-cu13
"""
import argparse
import os
import time

from common import machine, print_table

from pose_ros.core.card_files import load_card
from pose_ros.core.engines.tensorrt_build import build_plan, BuildSettings
from pose_ros.core.engines.tensorrt_library import import_tensorrt
from pose_ros.core.engines.tensorrt_rtx import checked_architectures


def measure(library, path):
    """Return name, input, precision, seconds of processor time and megabytes of file and plan."""
    card = load_card(path)
    spec = card.input
    with open(path, 'rb') as stream:
        model = stream.read()
    settings = BuildSettings((1, 3, spec.height, spec.width),
                             architectures=checked_architectures(library, ()))
    start = time.process_time()
    plan = build_plan(library, None, model, path, settings)
    seconds = time.process_time() - start
    return (card.name, '{} x {}'.format(spec.width, spec.height), plan.precision,
            '{:.1f}'.format(seconds), '{:.1f}'.format(os.path.getsize(path) / 1e6),
            '{:.1f}'.format(len(plan.data) / 1e6))


def main():
    """Measure, and print a table in Markdown."""
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('models', nargs='+', metavar='MODEL', help='ONNX files with a card')
    options = parser.parse_args()
    library = import_tensorrt('tensorrt_rtx')
    print(machine() + '; {}, {}'.format(library, ', '.join(checked_architectures(library, ()))))
    print_table(('network', 'input', 'precision', 'build [s of one core]', 'file [MB]',
                 'plan [MB]'), [measure(library, path) for path in options.models])


if __name__ == '__main__':
    main()
