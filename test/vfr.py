# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""A video of variable frame rate, which OpenCV alone cannot write."""
import struct

import cv2
import numpy as np

TIMES = tuple(index / 30 for index in range(11)) + tuple(1 / 3 + .2 * (index + 1)
                                                         for index in range(9))
_TIMESCALE = 10240  # of OpenCV's file at 10 Hz


def write_vfr(path, times=TIMES, size=(64, 48)):
    """Write flat frames of levels 10, 20, 30, ... at uneven times [s]; return the path."""
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*'mp4v'), 10, size)
    for index in range(len(times)):
        writer.write(np.full(size[::-1] + (3,), 10 + 10 * index, np.uint8))
    writer.release()
    steps = np.diff(np.round(np.multiply(times + (times[-1] + .1,), _TIMESCALE))).astype(int)
    entries = b''.join(struct.pack('>II', 1, step) for step in steps)
    table = struct.pack('>II', 0, len(times)) + entries
    with open(str(path), 'rb') as stream:
        content = stream.read()
    assert struct.pack('>I', _TIMESCALE) in content
    with open(str(path), 'wb') as stream:
        stream.write(_rebuilt(content, table))
    return str(path)


def _rebuilt(data, table):
    """Replace the times of the samples (stts), and drop the edit list, which limits the length."""
    result, position = b'', 0
    while position < len(data):
        size, name = struct.unpack('>I4s', data[position:position + 8])
        body = data[position + 8:position + size]
        if name in (b'moov', b'trak', b'mdia', b'minf', b'stbl'):
            body = _rebuilt(body, table)
        elif name == b'stts':
            body = table
        name = b'free' if name == b'edts' else name
        result += struct.pack('>I4s', len(body) + 8, name) + body
        position += size
    return result
