# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Pinhole: projection, distortion, and what resize, crop and binning do to a calibration."""
from types import SimpleNamespace

import numpy as np
import pytest

from pose_ros.core.camera import guessed_pinhole, Pinhole, pinhole_from_camera_info
from pose_ros.core.errors import ImageError

CAMERA = Pinhole(640, 480, 525.0, 520.0, 319.5, 239.5)
PLUMB_BOB = (-0.28, 0.07, 0.001, -0.002, 0.01)
FISHEYE = (-0.01, 0.02, -0.005, 0.001)


def info(**changes):
    """A stand-in for sensor_msgs/CameraInfo."""
    values = dict(width=640, height=480, distortion_model='plumb_bob', d=[0.0] * 5,
                  k=[525.0, 0, 319.5, 0, 520.0, 239.5, 0, 0, 1], r=[1.0, 0, 0, 0, 1, 0, 0, 0, 1],
                  p=[500.0, 0, 310.0, 0, 0, 505.0, 230.0, 0, 0, 0, 1, 0],
                  binning_x=0, binning_y=0,
                  roi=SimpleNamespace(x_offset=0, y_offset=0, width=0, height=0))
    return SimpleNamespace(**dict(values, **changes))


def test_a_point_by_hand():
    assert CAMERA.project([1.0, -0.5, 2.0]).tolist() == [319.5 + 262.5, 239.5 - 130]
    assert CAMERA.deproject([582.0, 109.5], 2.0).tolist() == [1.0, -0.5, 2.0]


@pytest.mark.parametrize('model, distortion', [
    ('plumb_bob', ()), ('plumb_bob', PLUMB_BOB), ('equidistant', FISHEYE),
    ('rational_polynomial', PLUMB_BOB + (0.01, 0.02, 0.003))])
def test_deprojection_inverts_projection(model, distortion):
    camera = CAMERA._replace(model=model, distortion=distortion)
    random = np.random.RandomState(0)
    points = np.column_stack([random.uniform(-.5, .5, (50, 2)), np.ones(50)])
    points *= random.uniform(1, 5, (50, 1))
    back = camera.deproject(camera.project(points), points[:, 2])
    assert np.abs(back - points).max() < 2e-3


def test_nan_and_points_behind_the_camera():
    camera = CAMERA._replace(distortion=PLUMB_BOB)
    pixels = camera.project([[0, 0, -1], [0, 0, 0], [0, 0, np.nan], [0, 0, 1]])
    assert np.isnan(pixels[:3]).all() and np.allclose(pixels[3], (319.5, 239.5), atol=1e-6)
    rays = camera.rays([[np.nan, 3.0], [319.5, 239.5]])
    assert np.isnan(rays[0, :2]).all() and np.allclose(rays[1], (0, 0, 1), atol=1e-6)
    assert camera.project(np.zeros((0, 3))).shape == (0, 2)
    assert camera.rays(np.zeros((2, 0, 2))).shape == (2, 0, 3)


def test_a_resize_moves_pixels_by_the_half_pixel_rule():
    half = CAMERA.scaled(320, 240)
    assert (half.fx, half.fy, half.cx, half.cy) == (262.5, 260.0, 159.5, 119.5)
    point = [0.3, 0.2, 1.7]
    assert np.allclose((CAMERA.project(point) + .5) / 2 - .5, half.project(point))


def test_region_of_interest_and_binning_of_a_message():
    roi = SimpleNamespace(x_offset=100, y_offset=40, width=400, height=300)
    camera = pinhole_from_camera_info(info(roi=roi, binning_x=2, binning_y=2))
    assert (camera.width, camera.height) == (200, 150)
    full = pinhole_from_camera_info(info())
    point = [0.1, 0.05, 1.0]
    expected = (full.project(point) - (100, 40) + .5) / 2 - .5
    assert np.allclose(camera.project(point), expected)


def test_rectified_images_take_the_projection_matrix():
    camera = pinhole_from_camera_info(info(d=list(PLUMB_BOB)), rectified=True)
    assert (camera.fx, camera.fy, camera.cx, camera.cy) == (500, 505, 310, 230)
    assert camera.distortion == ()
    assert pinhole_from_camera_info(info(d=list(PLUMB_BOB))).distortion == PLUMB_BOB


@pytest.mark.parametrize('changes, words', [
    ({'k': [0.0] * 9}, 'not calibrated: K'), ({'k': [float('nan')] * 9}, 'not calibrated'),
    ({'width': 0}, 'image size 0 x 480'),
    ({'d': [0.1] * 5, 'distortion_model': 'magic'}, "unknown distortion model 'magic'"),
    ({'d': [0.1] * 3}, '3 distortion coefficients; plumb_bob takes 4 or 5'),
    ({'roi': SimpleNamespace(x_offset=600, y_offset=0, width=100, height=100)},
     r'region of interest 100 x 100 at \(600, 0\) lies outside the image of 640 x 480')])
def test_invalid_messages_are_refused(changes, words):
    with pytest.raises(ImageError, match=words):
        pinhole_from_camera_info(info(**changes))


def test_the_guess_is_centered():
    camera = guessed_pinhole(640, 480)
    assert np.allclose(camera.rays([319.5, 239.5]), (0, 0, 1))
    assert camera.fx == camera.fy == 640
