# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Write docker/requirements/*.txt: what pip installs in the recipes, pinned, with hashes.

    .venv/bin/python tools/lock_docker_requirements.py

Needs a connection to PyPI. Each set is resolved for its Python and its machines; a package that
only one of them needs gets a marker.
"""
import json
from pathlib import Path
import subprocess
import sys
import tempfile

FOLDER = Path(__file__).resolve().parents[1] / 'docker' / 'requirements'
_MANYLINUX = ('manylinux_2_28', 'manylinux_2_27', 'manylinux_2_26', 'manylinux_2_24',
              'manylinux_2_17', 'manylinux2014')
_OLD = ('manylinux_2_27', 'manylinux_2_24', 'manylinux_2_17', 'manylinux2014')  # Ubuntu 18.04
_X86, _ARM = 'x86_64', 'aarch64'
# File: (Python, tags of wheels, {machine: packages}).
SETS = {
    'cpu.txt': ('3.12', _MANYLINUX, {
        _X86: ['numpy==1.26.4', 'onnxruntime==1.31.1', 'openvino==2026.4.1'],
        _ARM: ['numpy==1.26.4', 'onnxruntime==1.31.1']}),
    'nvidia-desktop.txt': ('3.12', _MANYLINUX, {
        _X86: ['numpy==1.26.4', 'onnxruntime-gpu[cuda,cudnn]==1.23.2']}),
    'jetson-orin.txt': ('3.10', _MANYLINUX, {
        _ARM: ['numpy==1.26.4', 'onnxruntime==1.23.2', 'tqdm==4.67.1']}),
    'jetson-jetpack5.txt': ('3.8', _MANYLINUX, {
        _ARM: ['numpy==1.24.4', 'onnxruntime==1.19.2', 'tqdm==4.67.1']}),
    'jetson-tx2-pip.txt': ('3.6', _OLD, {_ARM: ['--no-deps', 'pip==21.3.1']}),
    # With all that they need: pip takes the conditions of packages as of its own Python.
    'jetson-tx2.txt': ('3.6', _OLD, {_ARM: [
        '--no-deps', 'numpy==1.19.5', 'onnxruntime==1.10.0', 'flatbuffers==2.0',
        'protobuf==3.19.6', 'tqdm==4.64.1', 'importlib-resources==5.4.0', 'zipp==3.6.0']}),
    'jetson-tx2-opencv.txt': ('3.6', _OLD, {_ARM: [
        '--no-deps', 'numpy==1.19.5', 'opencv-python-headless==4.5.5.64']}),
}


def resolve(python, tags, machine, packages):
    """Return {(name, version): SHA-256} of what pip would install."""
    platforms = [part for tag in tags for part in ('--platform', '{}_{}'.format(tag, machine))]
    with tempfile.TemporaryDirectory() as target:
        done = subprocess.run(
            [sys.executable, '-m', 'pip', 'install', '--quiet', '--dry-run', '--ignore-installed',
             '--report', '-', '--target', target, '--only-binary', ':all:', '--python-version',
             python] + platforms + packages, stdout=subprocess.PIPE, check=True)
    return {(entry['metadata']['name'].lower().replace('_', '-'), entry['metadata']['version']):
            entry['download_info']['archive_info']['hashes']['sha256']
            for entry in json.loads(done.stdout)['install']}


def lines(name):
    """Return the lines of a file."""
    python, tags, machines = SETS[name]
    found = {machine: resolve(python, tags, machine, packages)
             for machine, packages in machines.items()}
    yield '# What docker/ installs with pip, for Python {} on {}.'.format(
        python, ' and '.join(machines))
    yield '# Written by tools/lock_docker_requirements.py.'
    for package in sorted({key for each in found.values() for key in each}):
        on = [machine for machine in found if package in found[machine]]
        marker = '' if len(on) == len(found) else " ; platform_machine == '{}'".format(on[0])
        hashes = sorted({found[machine][package] for machine in on})
        yield '{}=={}{} \\'.format(*package, marker)
        yield ' \\\n'.join('    --hash=sha256:' + digest for digest in hashes)


def main():
    """Write all files."""
    FOLDER.mkdir(exist_ok=True)
    for name in SETS:
        (FOLDER / name).write_text('\n'.join(lines(name)) + '\n')
        print('wrote', FOLDER / name)


if __name__ == '__main__':
    main()
