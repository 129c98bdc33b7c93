# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Time decoders per person, and what the top-down pipeline does besides its networks.

    tools/env.sh python benchmark/decoders.py [--backend openvino] [--rounds N]

The time of decoders is that of the processor, so that other programs count little. The times of
the pipeline are those of the clock; each ratio is of one run, and medians are shown.
"""
import argparse
import statistics
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


def time_decoders(rounds):
    """Print the processor time of one call of each decoder, in ms."""
    rows = []
    for make in (_heatmap, _simcc, _regression, _yolo_pose, _part_pairwise):
        card, arrays = make(np.random.RandomState(0))
        outputs = {name: array.astype(np.float32) for name, array in arrays.items()}
        decoder = create_decoder(card)
        decoder.check_outputs(outputs)
        found = decoder.decode(outputs)
        times = []
        for _ in range(rounds):
            start = time.process_time()
            for _ in range(10):
                decoder.decode(outputs)
            times.append(100 * (time.process_time() - start))
        kind = card.decoder.type
        rows.append((kind, str(len(found.scores)), '{:.3f}'.format(statistics.median(times)),
                     '{:g}'.format(_LIMITS[kind])))
    print_table(('decoder', 'people', 'one call [ms]', 'goal [ms]'), rows)


def crowd(people):
    """Return a frame of the astronaut, `people` times."""
    columns = {1: 1, 4: 2, 8: 4}[people]
    one = load_frames([], ({1: 480, 4: 320, 8: 240}[people],) * 2)[0]
    return np.tile(one, (people // columns, columns, 1))


def time_top_down(backend, rounds):
    """Print what the top-down pipeline does besides its networks, relative to them."""
    estimator = PoseEstimator(backend=backend, batch=8)
    rows = []
    for people in (1, 4, 8):
        frame = Frame(crowd(people))
        shares, rest, count = [], [], estimator(frame).count
        for _ in range(rounds):
            estimator(frame)
            times = estimator.timings
            networks = sum(value for name, value in times.items() if name.endswith('.network'))
            rest.append(1000 * (sum(times.values()) - networks))
            shares.append(rest[-1] / (100 * networks + .3 * count))
        rows.append((str(people), str(count), '{:.2f}'.format(statistics.median(rest)),
                     '{:.2f}'.format(statistics.median(shares))))
    print_table(('people in view', 'found', 'rest [ms]',
                 'of (10 % of the networks + 0.3 ms per person)'), rows)
    _time_interval(estimator, rounds)
    estimator.close()


def _time_interval(estimator, rounds):
    """Print the mean frame of one person with detector_interval 5."""
    estimator.configure(detector_interval=5)
    frame, ratios = Frame(crowd(1), source='interval'), []
    for _ in range(rounds):
        totals, detector, pose = [], 0.0, []
        for _ in range(5):
            start = time.perf_counter()
            estimator(frame)
            totals.append(time.perf_counter() - start)
            detector += estimator.timings['detector.network']
            pose.append(estimator.timings['pose.network'])
        ratios.append(np.mean(totals) / (np.mean(pose) + detector / 5))
    print('\ndetector_interval 5, one person: mean frame / (pose network + a fifth of the '
          'detector): {:.2f}'.format(statistics.median(ratios)))


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
