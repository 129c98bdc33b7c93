# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Width and height of a compressed image from its header, before a decoder takes memory for it.

The formats are those that pose_ros reads: JPEG (ITU-T T.81), PNG, BMP, WebP, TIFF and BigTIFF,
PBM, PGM and PPM. OpenCV decodes more, but an image of unknown size is not given to it.
"""
import re
import struct
from typing import Dict, Iterator, Optional, Tuple

from pose_ros.core.parameters import Parameter

Size = Tuple[int, int]

MAX_PIXELS = 2 ** 26   # 8192 x 8192: 200 MB as BGR; a frame of 8K video has half as many
SIZE_PARAMETER = Parameter(
    'max_pixels', MAX_PIXELS, 'Larger images are refused before they are decoded: their header is '
    'damaged, or they need too much memory', 1, 2 ** 30, unit='px')
LONGEST_SIDE = 32766   # px; OpenCV's warpAffine and remap take no more
NAMES = 'JPEG, PNG, BMP, WebP, TIFF, PBM, PGM, PPM'
_MOST_SCANS = 100      # of a progressive JPEG; encoders write 10. Each takes as long as an image
_MOST_SEGMENTS = 10000

_MARKER = re.compile(b'\xff[^\x00\xd0-\xd7\xff]')  # not a restart, not a stuffed byte
_FRAMES = tuple(code for code in range(0xc0, 0xd0) if code not in (0xc4, 0xc8, 0xcc))
_SCAN, _END, _WITHOUT_LENGTH = 0xda, 0xd9, (0x01, 0xd8)
_TIFF_WIDTH, _TIFF_HEIGHT, _TILE_WIDTH, _TILE_HEIGHT = 256, 257, 322, 323
_TIFF_TYPES = {1: 'B', 3: 'H', 4: 'I', 16: 'Q'}


def image_size(data: bytes) -> Optional[Size]:
    """Return (width, height) in px; None for another format, or a header that is not whole."""
    try:
        for signature, read in _READERS:
            if signature.match(data):
                size = read(data)
                return size if size is not None and min(size) > 0 else None
    except (struct.error, IndexError, ValueError):
        pass
    return None


def size_fault(size: Size, max_pixels: int) -> str:
    """Return why an image of this size is not read; '' if it is."""
    if max(size) > LONGEST_SIDE:
        return 'has {} x {} px, and no side may have more than {}'.format(
            size[0], size[1], LONGEST_SIDE)
    if size[0] * size[1] > max_pixels:
        return ('has {} x {} px, more than the limit of {:.4g} million (max_pixels): reduce it, '
                'or raise the limit'.format(size[0], size[1], max_pixels * 1e-6))
    return ''


def _jpeg(data):
    size, scans = None, 0
    for marker, place in jpeg_segments(data):
        if marker in _FRAMES and size is None:
            height, width = struct.unpack_from('>HH', data, place + 5)
            size = width, height
        elif marker == _SCAN:
            scans += 1
            if scans > _MOST_SCANS:
                return None
        elif marker == _END:
            break
    return size


def jpeg_segments(data: bytes) -> Iterator[Tuple[int, int]]:
    """Yield (marker, its place) of each segment of a JPEG; the data of scans is skipped.

    A marker is 0xFF and another byte; FF00 is data, FFD0 to FFD7 restart the decoder within a scan
    (ITU-T T.81, B.1.1). Ends where the data ends, or with a length that is cut.
    """
    place = 2
    for _ in range(_MOST_SEGMENTS):
        found = _MARKER.search(data, place)
        if found is None:
            return
        marker, place = data[found.start() + 1], found.start()
        yield marker, place
        place += 2
        if marker not in _WITHOUT_LENGTH:
            place += int.from_bytes(data[place:place + 2], 'big')


def _png(data):
    return struct.unpack_from('>II', data, 16)


def _bmp(data):
    header, = struct.unpack_from('<I', data, 14)
    if header == 12:
        return struct.unpack_from('<HH', data, 18)
    width, height = struct.unpack_from('<ii', data, 18)
    return width, abs(height)


def _webp(data):
    kind = data[12:16]
    if kind == b'VP8X':
        return tuple(1 + int.from_bytes(data[start:start + 3], 'little') for start in (24, 27))
    if kind == b'VP8L':
        bits, = struct.unpack_from('<I', data, 21)
        return 1 + (bits & 0x3fff), 1 + (bits >> 14 & 0x3fff)
    if kind == b'VP8 ' and data[23:26] == b'\x9d\x01\x2a':
        return tuple(side & 0x3fff for side in struct.unpack_from('<HH', data, 26))
    return None


def _tiff(data):
    tags = _tiff_tags(data)
    tile = tags.get(_TILE_WIDTH, 0), tags.get(_TILE_HEIGHT, 0)
    size = tags.get(_TIFF_WIDTH, 0), tags.get(_TIFF_HEIGHT, 0)
    # A decoder takes memory for a whole tile. The edge tiles reach beyond the image.
    return max(size, tile, key=lambda sides: sides[0] * sides[1]) if min(size) > 0 else None


def _tiff_tags(data) -> Dict[int, int]:
    """Return the numbers of the first directory; of a tag that is there twice the largest."""
    order = '<' if data.startswith(b'II') else '>'
    big = struct.unpack_from(order + 'H', data, 2)[0] == 43
    count_form, entry, start = ('Q', 20, 8) if big else ('H', 12, 4)
    place, = struct.unpack_from(order + ('Q' if big else 'I'), data, start)
    count, = struct.unpack_from(order + count_form, data, place)
    place += struct.calcsize(order + count_form)
    tags: Dict[int, int] = {}
    for _ in range(min(count, 4096)):
        tag, kind = struct.unpack_from(order + 'HH', data, place)
        if kind in _TIFF_TYPES and (big or kind != 16):
            form = order + _TIFF_TYPES[kind]
            value, = struct.unpack_from(form, data, place + (12 if big else 8))
            tags[tag] = max(value, tags.get(tag, 0))
        place += entry
    return tags


def _pnm(data):
    words = re.sub(b'#[^\r\n]*', b' ', data[2:4096]).split(None, 2)
    return int(words[0][:12]), int(words[1][:12])


_READERS = tuple((re.compile(signature, re.DOTALL), read) for signature, read in (
    (b'\xff\xd8\xff', _jpeg),
    (b'\x89PNG\r\n\x1a\n.{4}IHDR', _png),
    (b'BM', _bmp),
    (b'RIFF.{4}WEBP', _webp),
    (b'II[\x2a\x2b]\x00|MM\x00[\x2a\x2b]', _tiff),
    (br'P[1-6][\s#]', _pnm)))
