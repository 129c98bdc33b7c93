# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Time decoders per person, and what the top-down pipeline does besides its networks.

    tools/env.sh python benchmark/decoders.py [--backend openvino] [--rounds N]

Times are those of the processor with one thread, the least of many, so that other programs count
little. While the pipeline is timed its networks answer at once.
"""
import argparse
import time

import cv2
import numpy as np

from common import load_frames, machine, print_table

from pose_ros.core import PoseEstimator
from pose_ros.core.card import parse_card
from pose_ros.core.decoders import create_decoder
from pose_ros.core.frame import Frame

_BODY = 17
_PARTS, _STRIDE = 14, 8  # as DeeperCut's network of MPII
_LIMITS = {'heatmap': .15, 'simcc': .15, 'regression': .15, 'yolo_pose': 1.5, 'part_pairwise': 15}


def _card(kind, outputs, width, height, fit, topology='coco_17'):
    return parse_card({
        'schema': 1, 'name': kind, 'version': '1', 'license': 'none', 'task': 'pose',
        'topology': topology, 'provenance': {},
        'input': {'height': height, 'width': width, 'color': 'rgb', 'scale': 1.0,
                  'mean': [0.0] * 3, 'std': [1.0] * 3, 'align': 'center', 'fit': fit,
                  'interpolation': 'linear', 'pad_value': 0},
        'decoder': {'type': kind, 'outputs': outputs, 'settings': {}}}, 'benchmark')


def _blob(height, width, y, x, sigma=2.0):
    rows, columns = np.mgrid[:height, :width]
    return np.exp(-((rows - y) ** 2 + (columns - x) ** 2) / (2 * sigma ** 2))


def _heatmap(random):
    maps = np.stack([_blob(64, 48, *random.uniform(5, 43, 2)) for _ in range(_BODY)])
    outputs = {'tensor': 'maps', 'channels': list(range(_BODY)), 'grid': 'corner'}
    return _card('heatmap', outputs, 192, 256, 'crop'), {'maps': maps}


def _simcc(random):
    bins = {name: random.uniform(0, 1, (_BODY, size)) for name, size in (('x', 384), ('y', 512))}
    outputs = {'x': 'x', 'y': 'y', 'bins_per_pixel': 2, 'channels': list(range(_BODY))}
    return _card('simcc', outputs, 192, 256, 'crop'), bins


def _regression(random):
    outputs = {'tensor': 'points', 'columns': ['y', 'x', 'score'], 'unit': 'fractions',
               'channels': list(range(_BODY)), 'scores': 'probability', 'presence': None}
    return (_card('regression', outputs, 192, 192, 'crop'),
            {'points': random.uniform(0, 1, (1, _BODY, 3))})


def _yolo_pose(random):
    """All cells of 640 x 640 px, 20 rows around each of 8 people above the threshold."""
    rows = np.zeros((8400, 5 + 3 * _BODY))
    for person in range(8):
        chosen = slice(20 * person, 20 * person + 20)
        rows[chosen, :4] = (80 * person + 40, 300, 70, 400) + random.uniform(-3, 3, (20, 4))
        rows[chosen, 4] = random.uniform(.3, .9, 20)
        rows[chosen, 5:] = random.uniform(0, 1, (20, 3 * _BODY))
    return (_card('yolo_pose', {'tensor': 'rows', 'form': 'cells'}, 640, 640, 'letterbox'),
            {'rows': np.ascontiguousarray(rows.T)})


def _part_pairwise(random):
    """Eight people on maps of 60 x 80 cells; offsets point at the keypoints of each person."""
    names = ['k{}'.format(k) for k in range(_PARTS)]
    pairs = [{'keypoints': [a, b], 'low': [0.] * 8, 'high': [1.] * 8,
              'weights': [-.3, 0, -.3, 0, 0, 0, 0, 0, 8.]}
             for a in range(_PARTS) for b in range(a + 1, _PARTS)]
    count = _PARTS * (_PARTS - 1)
    outputs = {'scores': 'scores', 'score_kind': 'probability', 'offsets': 'offsets',
               'offset_scale': 7.2801, 'stride': _STRIDE, 'channels': list(range(_PARTS)),
               'pairwise': 'pairwise', 'pairwise_mean': [[0., 0.]] * count,
               'pairwise_std': [[20., 20.]] * count, 'pairs': pairs}
    arrays = {'scores': np.zeros((_PARTS, 60, 80)), 'offsets': np.zeros((2 * _PARTS, 60, 80)),
              'pairwise': np.zeros((2 * count, 60, 80))}
    for person in range(8):
        cells = np.column_stack([random.randint(4, 56, _PARTS),
                                 10 * person + random.randint(1, 9, _PARTS)])
        for a, (row, column) in enumerate(cells):
            area = np.s_[row - 1:row + 2, column - 1:column + 2]
            arrays['scores'][(a,) + area] = .9 * _blob(3, 3, 1, 1, 1.0)
            for b in set(range(_PARTS)) - {a}:
                pair = 2 * ((_PARTS - 1) * a + b - (a < b))
                for axis in (0, 1):
                    offset = _STRIDE * (cells[b] - cells[a])[1 - axis] / 20.
                    arrays['pairwise'][(pair + axis,) + area] = offset
    topology = {'name': 'parts', 'keypoint_names': names, 'limbs': []}
    return _card('part_pairwise', outputs, 640, 480, 'letterbox', topology), arrays


def _least(action, rounds):
    """Return the least processor time [s] of an action: what others do adds to the rest."""
    best = float('inf')
    for _ in range(rounds):
        start = time.process_time()
        action()
        best = min(best, time.process_time() - start)
    return best


def time_decoders(rounds):
    """Print the processor time of one call of each decoder, in ms."""
    rows = []
    for make in (_heatmap, _simcc, _regression, _yolo_pose, _part_pairwise):
        card, arrays = make(np.random.RandomState(0))
        outputs = {name: array.astype(np.float32) for name, array in arrays.items()}
        decoder = create_decoder(card)
        decoder.check_outputs(outputs)
        found = decoder.decode(outputs)
        seconds = _least(lambda: [decoder.decode(outputs) for _ in range(10)], rounds) / 10
        kind = card.decoder.type
        rows.append((kind, str(len(found.scores)), '{:.3f}'.format(1000 * seconds),
                     '{:g}'.format(_LIMITS[kind])))
    print_table(('decoder', 'people', 'one call [ms]', 'goal [ms]'), rows)


def crowd(people):
    """Return a frame of the astronaut, `people` times."""
    columns = {1: 1, 4: 2, 8: 4}[people]
    one = load_frames([], ({1: 480, 4: 320, 8: 240}[people],) * 2)[0]
    return np.tile(one, (people // columns, columns, 1))


class _Recorded:
    """An engine's `infer` that runs once per size of a batch; later calls return that answer.

    `seconds`: the least processor time of a run by the size of its batch. `calls`: the sizes since
    the last `take`.
    """

    def __init__(self, engine, rounds):
        self._real, self._rounds, self._answers = engine.infer, rounds, {}
        self.seconds, self.calls = {}, []
        engine.infer = self

    def __call__(self, batch):
        count = len(batch)
        if count not in self._answers:
            self.seconds[count] = _least(lambda: self._real(batch), self._rounds)
            self._answers[count] = {name: array.copy()
                                    for name, array in self._real(batch).items()}
        self.calls.append(count)
        return self._answers[count]

    def take(self):
        """Return the processor time [s] that the calls would have taken, and forget them."""
        calls, self.calls = self.calls, []
        return sum(self.seconds[count] for count in calls)


def time_top_down(backend, rounds):
    """Print what the top-down pipeline does besides its networks, relative to them."""
    rows = []
    for people in (1, 4, 8):
        estimator = PoseEstimator(backend=backend, batch=8, threads=1)
        engines = [_Recorded(network.engine, rounds) for network in estimator.networks]
        frame = Frame(crowd(people))
        count = estimator(frame).count
        networks = 1000 * sum(engine.take() for engine in engines)
        rest = 1000 * _least(lambda: estimator(frame), 10 * rounds)
        rows.append((str(people), str(count), '{:.1f}'.format(networks), '{:.2f}'.format(rest),
                     '{:.2f}'.format(rest / (.1 * networks + .3 * count))))
        if people == 1:
            interval = _interval_ratio(estimator, engines, rounds)
        estimator.close()
    print_table(('people in view', 'found', 'networks [ms]', 'rest [ms]',
                 'of (10 % of the networks + 0.3 ms per person)'), rows)
    print('\ndetector_interval 5, one person: mean frame / (pose network + a fifth of the '
          'detector): {:.3f}'.format(interval))


def _interval_ratio(estimator, engines, rounds):
    """Return the ratio of the mean frame of one person with detector_interval 5."""
    estimator.configure(detector_interval=5)
    frame = Frame(crowd(1), source='interval')
    estimator(frame)
    for engine in engines:
        engine.take()
    rest = [float('inf')] * 5
    for _ in range(10 * rounds):
        rest = [min(least, _least(lambda: estimator(frame), 1)) for least in rest]
    networks = sum(engine.take() for engine in engines) / (10 * rounds)
    return (networks + sum(rest)) / networks


def main():
    """Measure, and print tables in Markdown."""
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument('--backend', default='openvino')
    parser.add_argument('--rounds', type=int, default=30)
    options = parser.parse_args()
    cv2.setNumThreads(1)
    print(machine())
    time_decoders(options.rounds)
    time_top_down(options.backend, options.rounds)


if __name__ == '__main__':
    main()
