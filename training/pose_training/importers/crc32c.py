# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""CRC-32C (Castagnoli, RFC 3720 appendix B.4) with NumPy, and its masked form in LevelDB."""
from functools import lru_cache

import numpy as np

_POLYNOMIAL = 0x82F63B78  # its bits reversed
_LANE = 256  # bytes; all lanes are processed in parallel


def _table():
    values = np.arange(256, dtype=np.uint32)
    for _ in range(8):
        values = np.where(values & 1, values >> 1 ^ _POLYNOMIAL, values >> 1)
    return values.astype(np.uint32)


_TABLE = _table()


def _advanced(states, columns):
    for column in columns:
        states = _TABLE[(states ^ column) & 255] ^ states >> 8
    return states


@lru_cache(maxsize=None)
def _zeros_after():
    """Return 4 lists of 256: the state after a lane of zeros, for each byte of each position."""
    states = np.arange(256, dtype=np.uint32) << np.arange(0, 32, 8, dtype=np.uint32)[:, None]
    return _advanced(states, np.zeros(_LANE, np.uint32)).tolist()


def crc32c(data: bytes) -> int:
    """Return the CRC-32C of bytes."""
    count = len(data) // _LANE
    state = 0xFFFFFFFF
    if count:
        lanes = np.frombuffer(data, np.uint8, count * _LANE).reshape(count, _LANE)
        shifted = _zeros_after()
        for lane in _advanced(np.zeros(count, np.uint32), np.ascontiguousarray(lanes.T)).tolist():
            # A CRC is linear: that of A and then B is that of A and then zeros, plus that of B.
            state = (shifted[0][state & 255] ^ shifted[1][state >> 8 & 255]
                     ^ shifted[2][state >> 16 & 255] ^ shifted[3][state >> 24] ^ lane)
    table = _TABLE.tolist()
    for byte in data[count * _LANE:]:
        state = table[(state ^ byte) & 255] ^ state >> 8
    return state ^ 0xFFFFFFFF


def masked_crc32c(data: bytes) -> int:
    """Return the CRC-32C as LevelDB stores it: rotated by 15 bits, plus a constant."""
    crc = crc32c(data)
    return ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF
