# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""The size of an image is read from its header, before a decoder takes memory for it."""
import os
import resource
import struct
import subprocess
import sys
import zlib

import cv2
import numpy as np
import pytest

from pose_ros.core.compressed import decode_bytes
from pose_ros.core.errors import ImageError
from pose_ros.core.image_size import image_size, LONGEST_SIDE, MAX_PIXELS, size_fault
from pose_ros.core.sources import open_source, read_image

WIDTH, HEIGHT = 37, 21
ENDINGS = ('.jpg', '.png', '.bmp', '.webp', '.tiff', '.ppm', '.pgm', '.pbm')


def encoded(ending, width=WIDTH, height=HEIGHT, options=()):
    shape = (height, width) if ending in ('.pgm', '.pbm') else (height, width, 3)
    image = np.random.RandomState(0).randint(0, 256, shape).astype(np.uint8)
    done, data = cv2.imencode(ending, image, list(options))
    if not done:
        pytest.skip('this OpenCV writes no {}'.format(ending))
    return data.tobytes()


def chunk(name, data):
    return struct.pack('>I', len(data)) + name + data + struct.pack('>I', zlib.crc32(name + data))


def png(width, height):
    """Return a valid gray PNG of zeros."""
    rows = zlib.compress(b'\0' * (width + 1), 9) if height == 1 else _zeros((width + 1) * height)
    header = struct.pack('>IIBBBBB', width, height, 8, 0, 0, 0, 0)
    return b'\x89PNG\r\n\x1a\n' + chunk(b'IHDR', header) + chunk(b'IDAT', rows) + chunk(
        b'IEND', b'')


def _zeros(count):
    packer, content = zlib.compressobj(9), b''
    for start in range(0, count, 1 << 24):
        content += packer.compress(bytes(min(1 << 24, count - start)))
    return content + packer.flush()


def claim(data, width, height):
    """Return a JPEG, PNG, BMP, WebP, TIFF or PPM whose header claims another size."""
    if data.startswith(b'\xff\xd8'):
        at = data.index(b'\xff\xc0') + 5
        return data[:at] + struct.pack('>HH', height, width) + data[at + 4:]
    if data.startswith(b'\x89PNG'):
        header = struct.pack('>II', width, height) + data[24:29]
        return data[:8] + chunk(b'IHDR', header) + data[33:]
    if data.startswith(b'BM'):
        return data[:18] + struct.pack('<ii', width, height) + data[26:]
    if data.startswith(b'RIFF'):
        bits = (width - 1) | (height - 1) << 14
        return data[:21] + struct.pack('<I', bits) + data[25:]
    if data.startswith(b'II'):
        for tag, value in ((256, width), (257, height)):
            at = data.index(struct.pack('<HH', tag, 4), struct.unpack_from('<I', data, 4)[0]) + 8 \
                if struct.pack('<HH', tag, 4) in data else \
                data.index(struct.pack('<HH', tag, 3), struct.unpack_from('<I', data, 4)[0]) + 8
            data = data[:at - 6] + struct.pack('<HII', 4, 1, value) + data[at + 4:]
        return data
    return b'P6\n%d %d\n255\n' % (width, height) + b'\0' * 900


@pytest.mark.parametrize('ending', ENDINGS)
def test_sizes_of_all_formats_are_those_of_the_decoder(ending):
    assert image_size(encoded(ending)) == (WIDTH, HEIGHT)


@pytest.mark.parametrize('ending, options', [
    ('.webp', (cv2.IMWRITE_WEBP_QUALITY, 50)), ('.jpg', (cv2.IMWRITE_JPEG_PROGRESSIVE, 1)),
    ('.jpg', (cv2.IMWRITE_JPEG_RST_INTERVAL, 2))])
def test_sizes_of_variants(ending, options):
    assert image_size(encoded(ending, options=options)) == (WIDTH, HEIGHT)


@pytest.mark.parametrize('data, size', [
    (b'P5\n# made by\n# a program\n37 # px\n21\n255\n', (37, 21)), (b'P4 37\t21\n', (37, 21)),
    (b'BM' + bytes(12) + struct.pack('<IHH', 12, 37, 21), (37, 21)),
    (b'BM' + bytes(12) + struct.pack('<Iii', 40, 37, -21), (37, 21)),
    (b'MM\0*\0\0\0\x08\0\x02' + struct.pack('>HHIHH', 256, 3, 1, 37, 0)
     + struct.pack('>HHIHH', 257, 3, 1, 21, 0), (37, 21)),
    (b'II+\0\x08\0\0\0' + struct.pack('<QQ', 16, 2) + struct.pack('<HHQQ', 256, 16, 1, 37)
     + struct.pack('<HHQQ', 257, 16, 1, 21), (37, 21)),
    (b'RIFF\0\0\0\0WEBPVP8X\x0a\0\0\0\0\0\0\0' + b'\x24\0\0\x14\0\0', (37, 21))])
def test_headers_written_by_hand(data, size):
    assert image_size(data) == size


@pytest.mark.parametrize('data', [
    b'', b'\xff\xd8\xff', b'\xff\xd8\xff\xe0\0\x10' + bytes(14), b'\x89PNG\r\n\x1a\n', b'BM',
    b'II*\0\xff\xff\xff\xff', b'P6', b'P6 x y', b'P6\n-5 7\n', b'P6 0 5 255\n', b'RIFF',
    b'GIF89a\x25\0\x15\0', b'\0\0\0\x0cjP  ', b'v/1\x01', b'#?RADIANCE\n', b'Pf\n1 1\n', b'hello'])
def test_other_data_has_no_size(data):
    assert image_size(data) is None


@pytest.mark.parametrize('ending', ['.jpg', '.png', '.bmp', '.webp', '.tiff', '.ppm'])
def test_an_image_above_the_limit_is_not_decoded(ending, monkeypatch):
    data = claim(encoded(ending), 16000, 16000)
    assert image_size(data) == (16000, 16000)
    monkeypatch.setattr(cv2, 'imdecode', lambda *_: pytest.fail('it was decoded'))
    with pytest.raises(ImageError, match=r'x 16000 px, more than the limit.*max_pixels'):
        decode_bytes(data, 'the image')


def test_the_limit_can_be_changed():
    data = encoded('.png')
    assert decode_bytes(data, 'x', max_pixels=WIDTH * HEIGHT).shape == (HEIGHT, WIDTH, 3)
    with pytest.raises(ImageError, match='37 x 21 px'):
        decode_bytes(data, 'x', max_pixels=WIDTH * HEIGHT - 1)


def test_a_side_is_no_longer_than_the_pipeline_takes():
    assert not size_fault((LONGEST_SIDE, 2000), MAX_PIXELS)
    assert 'no side' in size_fault((LONGEST_SIDE + 1, 1), MAX_PIXELS)


def test_endless_scans_are_refused():
    """Each scan of a progressive JPEG takes as long as an image, and needs a dozen bytes."""
    data = encoded('.jpg', options=(cv2.IMWRITE_JPEG_PROGRESSIVE, 1))
    start = data.rindex(b'\xff\xda')
    scan = data[start:-2]
    assert image_size(data[:start] + scan * 200 + b'\xff\xd9') is None


@pytest.mark.parametrize('ending', ['.gif', '.jp2', '.avif', '.hdr', '.pam', '.ras'])
def test_formats_of_unknown_size_are_refused(ending, tmp_path):
    image = np.zeros((64, 96, 3), np.float32 if ending == '.hdr' else np.uint8)
    try:
        data = cv2.imencode(ending, image)[1].tobytes()
    except cv2.error:
        pytest.skip('this OpenCV writes no {}'.format(ending))
    with pytest.raises(ImageError, match='none of JPEG, PNG, BMP'):
        decode_bytes(data, 'the image')
    path = tmp_path / 'image.png'  # the name proves nothing
    path.write_bytes(data)
    with pytest.raises(ImageError, match='image.png'):
        read_image(str(path))


def test_files_and_folders_keep_the_limit(tmp_path):
    for name in ('a.png', 'b.png'):
        (tmp_path / name).write_bytes(encoded('.png'))
    with pytest.raises(ImageError, match='a.png has 37 x 21 px'):
        open_source(tmp_path / 'a.png', max_pixels=700)
    (tmp_path / 'b.png').write_bytes(encoded('.png', 20, 20))
    with open_source(tmp_path, max_pixels=700) as source:
        assert [frame.name for frame in source] == ['b.png']
        assert source.unreadable == ['a.png']


def test_videos_keep_the_limit(tmp_path):
    path = str(tmp_path / 'video.avi')
    writer = cv2.VideoWriter(path, cv2.VideoWriter_fourcc(*'MJPG'), 10, (64, 48))
    writer.write(np.zeros((48, 64, 3), np.uint8))
    writer.release()
    open_source(path).close()
    with pytest.raises(ImageError, match='video.avi has 64 x 48 px'):
        open_source(path, max_pixels=3000)


@pytest.mark.parametrize('kind', ['pipe', 'folder'])
def test_an_image_is_a_regular_file(kind, tmp_path):
    path = str(tmp_path / 'a.jpg')
    (os.mkfifo if kind == 'pipe' else os.mkdir)(path)
    with pytest.raises(ImageError, match='a.jpg.* not a regular file'):
        read_image(path)
    (tmp_path / 'b.png').write_bytes(encoded('.png'))
    with open_source(tmp_path) as source:
        assert [frame.name for frame in source] == ['b.png']


def test_the_memory_of_a_refused_image_is_small(tmp_path):
    """20000 x 20000 px took 4.6 GB."""
    path = tmp_path / 'large.png'
    path.write_bytes(png(20000, 20000))
    code = ('import sys\nfrom pose_ros.core.sources import read_image\n'
            'from pose_ros.core.errors import ImageError\n'
            'try: read_image(sys.argv[1])\nexcept ImageError as error: print(error)\n')

    def limit():
        resource.setrlimit(resource.RLIMIT_DATA, (800 << 20, 800 << 20))
    found = subprocess.run([sys.executable, '-c', code, str(path)], preexec_fn=limit,
                           stdout=subprocess.PIPE, timeout=120,
                           env=dict(os.environ, OPENBLAS_NUM_THREADS='1'))
    assert b'20000 x 20000 px, more than the limit' in found.stdout
