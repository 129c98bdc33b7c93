# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""MATLAB files of MPII's form for the tests."""
import numpy as np
from scipy.io import savemat

from pose_ros.core.topology import get_topology

MPII = get_topology('mpii_16')


def struct(*entries):
    """Return a (1, N) struct array of dicts with the same keys."""
    kind = [(name, object) for name in entries[0]]
    array = np.empty((1, len(entries)), kind)
    for place, entry in enumerate(entries):
        array[0, place] = tuple(entry.values())
    return array


def rect(points, head=(11, 21, 41, 61), objpos=(100, 110), scale=1.5, visible=None):
    """Return an annorect: `points` {id: (x, y)} count pixels from 1."""
    entries = [{'x': float(x), 'y': float(y), 'id': number,
                'is_visible': '' if visible is None else visible.get(number, '')}
               for number, (x, y) in points.items()]
    x1, y1, x2, y2 = head
    return {'x1': x1, 'y1': y1, 'x2': x2, 'y2': y2, 'scale': scale,
            'objpos': struct({'x': objpos[0], 'y': objpos[1]}),
            'annopoints': struct({'point': struct(*entries)}) if entries else np.zeros((0, 0))}


def write_release(path, images):
    """Write RELEASE: `images` are (file name, rects, training)."""
    annolist = struct(*({'image': struct({'name': name}),
                         'annorect': struct(*rects) if rects else np.zeros((0, 0))}
                        for name, rects, _ in images))
    savemat(str(path), {'RELEASE': {
        'annolist': annolist, 'img_train': np.array([[int(train) for *_, train in images]]),
        'version': '12'}}, do_compression=True)
    return str(path)
