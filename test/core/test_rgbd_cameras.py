# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Cameras of single images in folders with depth, and files that cannot be used."""
import cv2
import numpy as np
import pytest

from pose_ros.core.sources import open_source
from pose_ros.core.sources.rgbd import RgbdFolder

CAMERA = '''<?xml version="1.0"?>
<opencv_storage><intrinsic type_id="opencv-matrix"><rows>3</rows><cols>3</cols><dt>f</dt>
<data>{} 0. 31.5 0. 50. 23.5 0. 0. 1.</data></intrinsic></opencv_storage>
'''


@pytest.fixture
def folder(tmp_path):
    """Two images with depth and mask, the second with a camera of its own; one without depth."""
    for number, name in enumerate(('0', '10', '2')):
        cv2.imwrite(str(tmp_path / (name + '.jpg')), np.full((48, 64, 3), 40 * number, np.uint8))
        cv2.imwrite(str(tmp_path / (name + '_mask.jpg')), np.zeros((48, 64), np.uint8))
        if name != '2':
            depth = np.full((48, 64), 1500 + number, np.uint16)
            depth[0, :3] = 0, 65535, 250
            cv2.imwrite(str(tmp_path / (name + '_depth.png')), depth)
    (tmp_path / 'camera.xml').write_text(CAMERA.format('40.'))
    (tmp_path / '10_camera.xml').write_text(CAMERA.format('60.'))
    return tmp_path


def test_frames_have_depth_and_camera(folder):
    with open_source(folder) as source:
        assert isinstance(source, RgbdFolder) and source.frame_count == 3
        first, other, last = source
    assert [frame.name for frame in (first, other, last)] == ['0.jpg', '2.jpg', '10.jpg']
    assert first.depth.dtype == np.float32 and first.depth.shape == (48, 64)
    np.testing.assert_allclose(first.depth[0, :4], [np.nan, np.nan, .25, 1.5], 1e-6)
    assert abs(last.depth[5, 5] - 1.501) < 1e-6 and other.depth is None
    assert first.camera[:6] == (64, 48, 40, 50, 31.5, 23.5) and last.camera.fx == 60
    assert last.index == 2 and last.time_s == 2 / 30


def test_a_resized_frame_has_resized_depth_and_camera(folder):
    frame = open_source(folder, size=(32, 0)).read()
    assert frame.size == (32, 24) and frame.depth.shape == (24, 32)
    assert frame.camera[:6] == (32, 24, 20, 25, 15.5, 11.5)


def test_bad_depth_and_cameras_are_reported_and_left_out(folder, caplog):
    cv2.imwrite(str(folder / '0_depth.png'), np.zeros((24, 32), np.uint16))
    (folder / '10_depth.png').write_bytes(b'no image')
    for bad in ('', 'text', '<opencv_storage><intrinsic>1</intrinsic></opencv_storage>',
                CAMERA.format('0.'), CAMERA.format('.Nan'), '\xff'):
        (folder / 'camera.xml').write_text(bad, encoding='latin-1')
        caplog.clear()
        frames = list(open_source(folder))
        assert [frame.depth for frame in frames] == [None] * 3
        assert [frame.camera is None for frame in frames] == [True, True, False], bad
        reported = [record.args[0] for record in caplog.records]
        assert reported == ['0.jpg', '0.jpg', '2.jpg', '10.jpg']  # camera and depth of the first
        assert '0_depth.png has 32 x 24 px, and its image 64 x 48' in caplog.text


def test_recorded_rgbd_frames(shared):
    """Depth of a man at 0.87 m."""
    with open_source(shared / 'data' / 'video' / 'rgbd_person') as source:
        frames = list(source)
    assert len(frames) == 10
    for frame in frames:
        assert frame.camera[:6] == (640, 480, 525, 525, 320, 240)
        assert frame.depth.shape == (480, 640)
        assert .6 < np.nanpercentile(frame.depth[160:320, 240:400], 10) < 1.2
