# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Frames from images, folders, videos and the demo."""
import logging
import struct
import sys

import cv2
import numpy as np
import pytest
from vfr import TIMES, write_vfr

from pose_ros.core.errors import ImageError
from pose_ros.core.frame import Frame
from pose_ros.core.sources import open_source

LEVELS = [20, 60, 100, 140, 180]  # of the frames of the test video


def make_image(height=12, width=20):
    return np.random.RandomState(3).randint(0, 256, (height, width, 3)).astype(np.uint8)


def write(path, image):
    assert cv2.imwrite(str(path), image)
    return str(path)


@pytest.fixture
def folder(tmp_path):
    """A folder of three flat images whose order by name is not the order of writing."""
    for name, level in (('b.png', 20), ('a.png', 10), ('c.bmp', 30)):
        write(tmp_path / name, np.full((6, 8, 3), level, np.uint8))
    (tmp_path / 'notes.txt').write_text('no image')
    return tmp_path


@pytest.fixture
def video(tmp_path):
    """A video of five flat frames at 25 Hz."""
    path = str(tmp_path / 'walk.avi')
    writer = cv2.VideoWriter(path, cv2.VideoWriter_fourcc(*'MJPG'), 25, (64, 48))
    assert writer.isOpened()
    for level in LEVELS:
        writer.write(np.full((48, 64, 3), level, np.uint8))
    writer.release()
    return path


def levels(frames):
    """Return the mean gray of each frame."""
    return [int(round(frame.image.mean())) for frame in frames]


def some(source, count):
    return [source.read() for _ in range(count)]


def test_an_image_is_one_frame(tmp_path):
    path = write(tmp_path / 'people.png', make_image())
    with open_source(path) as source:
        frames = list(source)
        assert source.read() is None
    assert len(frames) == 1 and isinstance(frames[0], Frame)
    np.testing.assert_array_equal(frames[0].image, make_image())
    assert (frames[0].index, frames[0].time_s, frames[0].name) == (0, 0.0, 'people.png')
    assert (source.frame_rate, source.frame_count, source.live) == (None, 1, False)
    assert source.describe() == 'image ' + path


def test_a_looped_image_is_new_each_time(tmp_path):
    source = open_source(tmp_path / write(tmp_path / 'people.png', make_image()), loop=True)
    first = source.read()
    first.image[:] = 0  # a reader may draw on it
    second = source.read()
    np.testing.assert_array_equal(second.image, make_image())
    assert (second.index, second.time_s) == (1, pytest.approx(1 / 30))


@pytest.mark.parametrize('image, expected', [
    (make_image()[..., 0], np.repeat(make_image()[..., :1], 3, 2)),
    (np.dstack([make_image(), make_image()[..., 0]]), make_image()),
    (make_image().astype(np.uint16) * 256 + 200, make_image())])
def test_gray_transparent_and_16_bit_files_become_bgr(tmp_path, image, expected):
    frame = open_source(write(tmp_path / 'image.png', image)).read()
    assert frame.image.dtype == np.uint8
    np.testing.assert_array_equal(frame.image, expected)


def test_exif_orientation_is_applied(tmp_path):
    path = tmp_path / 'turned.jpg'
    wide = np.zeros((32, 64, 3), np.uint8)
    wide[:, :32] = 255
    write(path, wide)
    # One EXIF entry: tag 0x112 (orientation), a short, count 1, value 6 (turn by 90 degrees).
    tiff = b'MM\0*\0\0\0\x08' + struct.pack('>HHHIHHI', 1, 0x112, 3, 1, 6, 0, 0)
    block = b'Exif\0\0' + tiff
    data = path.read_bytes()
    path.write_bytes(data[:2] + b'\xff\xe1' + struct.pack('>H', len(block) + 2) + block + data[2:])
    image = open_source(str(path)).read().image
    assert image.shape == (64, 32, 3)
    assert image[:28].min() > 240 and image[36:].max() < 15


def test_an_image_without_extension_is_detected_by_its_content(tmp_path):
    (tmp_path / 'upload').write_bytes(
        (tmp_path / write(tmp_path / 'x.png', make_image())).read_bytes())
    np.testing.assert_array_equal(open_source(str(tmp_path / 'upload')).read().image, make_image())


@pytest.mark.parametrize('size, expected', [
    ((10, 6), (6, 10)), ((40, 0), (24, 40)), ((0, 6), (6, 10)), ((7, 30), (30, 7)),
    ((0, 0), (12, 20)), (None, (12, 20))])
def test_frames_are_resized(tmp_path, size, expected):
    path = write(tmp_path / 'x.png', np.full((12, 20, 3), (1, 2, 3), np.uint8))
    image = open_source(path, size=size).read().image
    assert image.shape == expected + (3,)
    assert (image == (1, 2, 3)).all()


def test_a_folder_is_read_by_name(folder):
    source = open_source(str(folder))
    frames = list(source)
    assert [frame.name for frame in frames] == ['a.png', 'b.png', 'c.bmp']
    assert levels(frames) == [10, 20, 30]
    assert [frame.index for frame in frames] == [0, 1, 2]
    assert [frame.time_s for frame in frames] == pytest.approx([0, 1 / 30, 2 / 30])
    assert (source.frame_rate, source.frame_count, source.live) == (None, 3, False)


def test_a_looped_folder_starts_again(folder):
    frames = some(open_source(str(folder), loop=True), 7)
    assert levels(frames) == [10, 20, 30, 10, 20, 30, 10]
    assert [frame.index for frame in frames] == list(range(7))


def test_unreadable_images_are_reported_once_and_skipped(folder, caplog):
    (folder / 'b.png').write_bytes(b'not an image')
    data = (folder / 'a.png').read_bytes()
    (folder / 'd.png').write_bytes(data[:-10])
    logger = logging.getLogger('pose_ros')
    logger.addHandler(caplog.handler)  # whatever the logger's propagation is
    try:
        frames = some(open_source(str(folder), loop=True), 5)
    finally:
        logger.removeHandler(caplog.handler)
    assert [frame.name for frame in frames] == ['a.png', 'c.bmp', 'a.png', 'c.bmp', 'a.png']
    texts = sorted({record.getMessage() for record in caplog.records})
    assert len(texts) == 2
    assert 'b.png' in texts[0] and '(1 of 4 images skipped so far)' in texts[0]
    assert 'd.png is cut short' in texts[1] and '(2 of 4 images skipped so far)' in texts[1]


@pytest.mark.parametrize('loop', [False, True])
def test_a_folder_of_unreadable_images_is_an_error(tmp_path, loop):
    for name in ('a.jpg', 'b.jpg'):
        (tmp_path / name).write_bytes(b'nothing')
    with pytest.raises(ImageError, match=r'none of the 2 images in .* can be read.*b\.jpg'):
        list(open_source(str(tmp_path), loop=loop))


def test_an_empty_folder_is_an_error(tmp_path):
    with pytest.raises(ImageError, match='holds no images: none of its 0 files'):
        open_source(str(tmp_path))


def test_a_video_has_a_rate_and_a_length(video):
    with open_source(video) as source:
        assert (source.frame_rate, source.frame_count, source.live) == (25.0, 5, False)
        assert source.describe() == 'video {} (5 frames, 25 Hz)'.format(video)
        frames = list(source)
    assert levels(frames) == pytest.approx(LEVELS, abs=2)
    assert [frame.time_s for frame in frames] == pytest.approx([0, 0.04, 0.08, 0.12, 0.16])
    assert frames[4].name == 'walk_000004' and frames[4].image.shape == (48, 64, 3)


def test_a_looped_video_starts_again_and_counts_on(video):
    frames = some(open_source(video, loop=True), 12)
    assert levels(frames) == pytest.approx(LEVELS + LEVELS + LEVELS[:2], abs=2)
    assert [frame.index for frame in frames] == list(range(12))
    assert frames[11].time_s == pytest.approx(11 / 25)
    assert frames[11].name == 'walk_000001'


def test_frames_can_be_skipped_across_the_end_of_a_loop(video):
    source = open_source(video, loop=True)
    source.skip(3)
    assert levels([source.read()]) == pytest.approx([LEVELS[3]], abs=2)
    source.skip(2)
    frame = source.read()
    assert levels([frame]) == pytest.approx([LEVELS[1]], abs=2) and frame.index == 6


def test_skipping_beyond_the_end_ends(video):
    source = open_source(video)
    source.skip(100)
    assert source.read() is None


def test_a_closed_source_may_be_closed_again(video):
    source = open_source(video)
    source.close()
    source.close()


@pytest.mark.parametrize('spec, words', [
    ('missing.jpg', ['no file or folder', 'missing.jpg', "'demo'"]),
    ('damaged.avi', ['damaged.avi', 'is not a video', 'ffmpeg']),
    ('damaged.jpg', ['damaged.jpg', 'cannot be decoded']),
    ('empty.png', ['empty.png', 'is empty']),
    ('cut.jpg', ['cut.jpg', 'cut short'])])
def test_files_that_cannot_be_read_are_named(tmp_path, spec, words):
    whole = cv2.imencode('.jpg', make_image(60, 60))[1].tobytes()
    for name, data in (('damaged.avi', b'x' * 500), ('damaged.jpg', b'x' * 500),
                       ('empty.png', b''), ('cut.jpg', whole[:len(whole) // 2])):
        (tmp_path / name).write_bytes(data)
    with pytest.raises(ImageError) as caught:
        open_source(str(tmp_path / spec))
    for word in words:
        assert word in str(caught.value)


def test_the_demo_needs_scikit_image(monkeypatch):
    monkeypatch.setitem(sys.modules, 'skimage', None)
    with pytest.raises(ImageError, match='pip install scikit-image'):
        open_source('demo')


def test_the_demo_depends_on_the_index_alone():
    pytest.importorskip('skimage', reason='the demo shows images of scikit-image')
    source, again = open_source('demo', loop=True), open_source('demo', loop=True)
    assert (source.frame_rate, source.frame_count, source.live) == (30.0, 600, False)
    frames = some(source, 3)
    assert all(frame.image.shape == (480, 640, 3) for frame in frames)
    again.skip(2)
    np.testing.assert_array_equal(again.read().image, frames[2].image)
    again.skip(597)
    frame = again.read()
    np.testing.assert_array_equal(frame.image, frames[0].image)
    assert (frame.index, frame.time_s, frame.name) == (600, 20.0, 'demo_000000')


def test_the_demo_moves_slowly_and_shows_both_images_and_ends():
    pytest.importorskip('skimage', reason='the demo shows images of scikit-image')
    source = open_source('demo', size=(160, 120))
    images = [frame.image.astype(int) for frame in source]
    assert len(images) == 600
    changes = [abs(a - b).mean() for a, b in zip(images, images[1:])]
    assert changes.index(max(changes)) == 299  # from one image to the other
    assert sorted(changes)[-2] < max(changes) / 4
    assert abs(images[0] - images[150]).mean() > 20


def test_frames_of_a_variable_rate_have_the_times_of_their_file(tmp_path):
    source = open_source(write_vfr(tmp_path / 'uneven.mp4'))
    assert source.frame_rate == pytest.approx(30, abs=.1) and source.frame_count == 20
    assert [frame.time_s for frame in source] == pytest.approx(TIMES, abs=2e-4)
    assert TIMES[10] == pytest.approx(1 / 3) and TIMES[19] == pytest.approx(2.1333, abs=1e-4)


def test_the_time_of_the_next_frame_is_known_before_it_is_read(tmp_path):
    source = open_source(write_vfr(tmp_path / 'uneven.mp4'), loop=True)
    for index in range(12):
        assert source.next_time() == pytest.approx(TIMES[index], abs=2e-4)
        if index % 3:
            assert source.read().index == index
        else:
            source.skip(1)
    source.skip(8)
    assert source.next_time() == pytest.approx(TIMES[-1] + 1 / 30, abs=1e-3)  # begins again
    frame = source.read()
    assert frame.index == 20 and frame.image.mean() < 20


def test_the_shared_video_of_variable_rate(shared):
    path = shared / 'faults' / 'vfr.mp4'
    if not path.is_file():
        pytest.skip('no test data at {}'.format(path))
    times = [frame.time_s for frame in open_source(str(path))]
    assert len(times) == 20
    assert times == sorted(times) and times[10] == pytest.approx(.333, abs=1e-3)
    # OpenCV 4.5 of Python 3.6 counts the last frames at the mean rate.
    if tuple(map(int, cv2.__version__.split('.')[:2])) >= (4, 7):
        assert times[19] == pytest.approx(2.133, abs=1e-3)
