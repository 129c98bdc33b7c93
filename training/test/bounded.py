# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Run imports in a child process whose memory and CPU time are limited.

    python bounded.py CASES.json     one JSON line per case, printed as soon as it ends

A case is [name, kind, arguments]; kinds: 'import' (format, path, network, options), 'checkpoint'
(path), 'create' (network, options). A line is [name, class of the error or null, its text, growth
of the peak memory in MiB]. A case that needs more CPU time than SECONDS ends the process.
"""
import json
import resource
import subprocess
import sys

MIB = 1 << 20
MOST_MIB = 1024  # of address space, above that of the process before its cases
SECONDS = 20     # of CPU time, for each case


def outcomes(cases, folder):
    """Return {name: (class, text, MiB)}; a case at which the child ends has the class 'ended'."""
    path, found = folder / 'cases.json', {}
    while len(found) < len(cases):
        path.write_text(json.dumps(cases[len(found):]))
        child = subprocess.run([sys.executable, __file__, str(path)], stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE, universal_newlines=True, timeout=1200)
        found.update((name, rest) for name, *rest in map(json.loads, child.stdout.splitlines()))
        if len(found) < len(cases):
            found[cases[len(found)][0]] = ['ended', 'exit code {}: {}'.format(
                child.returncode, child.stderr[-500:]), 0]
    return found


def run(kind, arguments):
    """Run one case."""
    from pose_training.checkpoint import load_checkpoint
    from pose_training.importers.formats import import_network
    from pose_training.models import create_model
    if kind == 'import':
        form, path, network, options = arguments
        import_network(form, path, network, **options)
    elif kind == 'checkpoint':
        load_checkpoint(*arguments)
    else:
        network, options = arguments
        create_model(network, **options)


def peak_kib():
    """Return the most memory that this process had; ru_maxrss begins with that of its parent."""
    with open('/proc/self/status', encoding='ascii') as stream:
        return next(int(line.split()[1]) for line in stream if line.startswith('VmHWM:'))


def main():
    """Run the cases of a file."""
    import torch
    from pose_training.importers.formats import FORMATS
    import importlib
    torch.set_num_threads(1)
    for form in FORMATS.values():
        importlib.import_module('pose_training.importers.' + form.module)
    with open(sys.argv[1], encoding='utf-8') as stream:
        cases = json.load(stream)
    with open('/proc/self/statm', encoding='ascii') as stream:
        used = int(stream.read().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + MOST_MIB * MIB, resource.RLIM_INFINITY))
    for name, kind, arguments in cases:
        before, usage = peak_kib(), resource.getrusage(resource.RUSAGE_SELF)
        spent = int(usage.ru_utime + usage.ru_stime)
        resource.setrlimit(resource.RLIMIT_CPU, (spent + SECONDS, resource.RLIM_INFINITY))
        kind_of_error, text = None, ''
        try:
            run(kind, arguments)
        except Exception as error:
            kind_of_error, text = type(error).__name__, str(error)
        print(json.dumps([name, kind_of_error, text[:4000], (peak_kib() - before) // 1024]),
              flush=True)


if __name__ == '__main__':
    main()
