# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""The report of `pose-ros doctor --hardware` as Markdown, to paste into an issue."""
from typing import List

_TENSORRT = ('tensorrt', 'tensorrt_rtx')
_COLUMNS = ('model', 'engine', 'precision', 'batch', 'build s', 'CUDA graph',
            'largest difference', 'lost peaks', 'network ms: median', 'p95',
            'end to end ms: median', 'p95')
_NOTE = ('Difference to ONNX Runtime on a fixed image, relative to the largest value of an '
         'output; times of {} batches of that image, with its preprocessing and decoding.')


def markdown(report: dict) -> str:
    """Return the report of hardware.examine as text."""
    trials = report['trials']
    lines = ['## pose_ros hardware test: TensorRT {}'.format(_verdict(report)), '']
    lines += [_reason(report), '']
    lines += _table(('', ''), _facts(report)) + ['']
    lines += _table(_COLUMNS, [_row(trial) for trial in trials]) + ['']
    batches = [trial['batches'] for trial in trials if 'batches' in trial]
    if batches:
        lines += [_NOTE.format(batches[0]), '']
    for name, found in [('the GPU', report['gpu'])] + [
            (_name(trial), trial) for trial in trials]:
        if 'error' in found:
            lines += _failure(name, found)
    return '\n'.join(lines).rstrip()


def _verdict(report):
    fine = [_settings(trial) for trial in report['trials']
            if trial['engine'] in _TENSORRT and 'error' not in trial]
    if report['works']:
        return 'works'
    return 'works in {} only'.format(', '.join(fine)) if fine else 'does not work'


def _reason(report):
    """Return one line: why TensorRT does not work, or in which precisions it does."""
    tried = [trial for trial in report['trials'] if trial['engine'] in _TENSORRT]
    failed = [trial for trial in tried if 'error' in trial]
    if not failed:
        return 'It agrees with ONNX Runtime in {}.'.format(', '.join(map(_settings, tried)))
    return ' '.join('{}: {}'.format(_settings(failed[0]), failed[0]['error']).split())


def _settings(trial):
    """Return precision, batch and model of a trial as text."""
    several = 'batch {}'.format(trial['batch']) if trial['batch'] > 1 else ''
    return ' '.join(part for part in (trial['precision'], several, trial['model']) if part)


def _name(trial):
    return '{} {}'.format(trial['engine'], _settings(trial))


def _facts(report):
    machine, gpu = report['machine'], report['gpu']
    rows = list(report['versions'].items())
    rows.append(('machine', '{}, {} CPUs'.format(machine['platform'], machine['cpus'])))
    rows.append(('Jetson', ', '.join(machine['jetson']) or 'no'))
    rows.append(('nvidia-smi', machine['driver']))
    rows.append(('GPU', 'none that can be used, see below' if 'error' in gpu else
                 '{name}, compute capability {capability}{}'.format(
                     ', shares the RAM' if gpu['integrated'] else '', **gpu)))
    files = {trial['model']: trial['file'] for trial in report['trials'] if 'file' in trial}
    return rows + [('model', '{name}, input {input[0]}x{input[1]}, SHA-256 {sha256}'.format(
        **found)) for _, found in sorted(files.items())]


def _row(trial):
    engine = ' '.join((trial['engine'], trial.get('version', '')))
    cells = [trial['model'], engine, trial['precision'], str(trial['batch']),
             str(trial.get('build_s', '')), _graph(trial)]
    if 'channels' in trial:
        cells += ['{} ({:.0%} allowed)'.format(_share(trial['largest_difference']),
                                               trial['allowed_difference']),
                  '{lost_peaks} of {channels}'.format(**trial)]
    else:
        cells += ['', '']
    if 'error' in trial:
        return cells + ['failed, see below', '', '', '']
    for stage in ('network', 'end_to_end'):
        cells += ['{:.2f}'.format(trial['stages_ms'][stage][name]) for name in ('median', 'p95')]
    return cells


def _graph(trial):
    if 'no_graph' not in trial:
        return ''
    return 'no: ' + trial['no_graph'] if trial['no_graph'] else 'yes'


def _share(value):
    return 'NaN' if value is None else '{:.2%}'.format(value)


def _failure(name, found):
    text = found['error'] + '\n\nlog:\n' + found['log'] if 'log' in found else found['error']
    # Four blanks make it a code block.
    return ['### {} failed'.format(name), ''] + [
        ('    ' + line).rstrip() for line in text.strip().splitlines()] + ['']


def _table(head, rows) -> List[str]:
    lines = [head, ['---'] * len(head)] + list(rows)
    return ['| {} |'.format(' | '.join(_cell(cell) for cell in line)) for line in lines]


def _cell(text):
    return ' '.join(text.replace('|', '\\|').split())
