# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Regions of frames: the map to the network and back is exact, also turned and mirrored."""
import math

import numpy as np
import pytest

from pose_ros.core.card import InputSpec
from pose_ros.core.preprocessing import Preprocessor
from pose_ros.core.regions import crop_region, fit_region, Region, whole


def spec(**changes):
    values = dict(height=256, width=192, color='bgr', scale=1.0, mean=(0.0, 0.0, 0.0),
                  std=(1.0, 1.0, 1.0), fit='crop', align='center', interpolation='linear',
                  pad_value=0)
    return InputSpec(**dict(values, **changes))


REGIONS = [Region(0, (100.0, 80.5), (60.0, 80.0)), Region(0, (100.0, 80.0), (60.0, 80.0), 0.7),
           Region(0, (3.0, 4.0), (600.0, 800.0), -2.0, True),
           Region(0, (50.25, 40.75), (30.0, 40.0), 0.0, True)]


@pytest.mark.parametrize('region', REGIONS)
@pytest.mark.parametrize('fit', ['crop', 'stretch', 'letterbox'])
def test_inverse_is_exact(region, fit):
    transform = fit_region(region, spec(fit=fit))
    points = np.random.RandomState(0).uniform(-50, 700, (100, 2))
    assert np.abs(transform.to_image(transform.to_network(points)) - points).max() < 1e-9


def test_corners_of_a_region_are_corners_of_the_input():
    """Edges, half a pixel beyond the outermost centers, meet edges."""
    transform = fit_region(Region(0, (100.0, 80.0), (60.0, 80.0)), spec())
    corners = np.array([[70, 40], [130, 40], [70, 120], [130, 120]])
    expected = [[-.5, -.5], [191.5, -.5], [-.5, 255.5], [191.5, 255.5]]
    assert np.allclose(transform.to_network(corners), expected)


def test_mirror_exchanges_left_and_right():
    plain = fit_region(Region(0, (100.0, 80.0), (60.0, 80.0)), spec())
    mirrored = fit_region(Region(0, (100.0, 80.0), (60.0, 80.0), mirror=True), spec())
    points = np.random.RandomState(0).uniform(60, 140, (20, 2))
    assert np.allclose(mirrored.to_network(points), plain.to_network(points) * (-1, 1) + (191, 0))
    assert mirrored.mirrored and not plain.mirrored


def test_angle_turns_the_region_clockwise():
    """A point to the right along the rotated x axis is on the right of the input."""
    region = Region(0, (100.0, 100.0), (192.0, 256.0), math.pi / 6)
    transform = fit_region(region, spec())
    along = np.array([100 + 40 * math.cos(math.pi / 6), 100 + 40 * math.sin(math.pi / 6)])
    assert np.allclose(transform.to_network(along), (95.5 + 40, 127.5))


@pytest.mark.parametrize('box, size', [
    ((10, 20, 30, 100), (75, 100)),  # narrow: the width grows
    ((10, 20, 90, 100), (90, 120)),  # wide: the height grows
])
def test_a_crop_keeps_the_aspect_and_adds_padding(box, size):
    region = crop_region(3, box, spec(padding=1.5))
    assert region.frame == 3
    assert region.size == pytest.approx((size[0] * 1.5, size[1] * 1.5))
    assert region.center == (box[0] + (box[2] - 1) / 2.0, box[1] + (box[3] - 1) / 2.0)


def test_letterbox_to_the_top_left():
    options = spec(fit='letterbox', align='top_left', width=416, height=416)
    transform = fit_region(whole(0, 640, 480), options)
    assert transform.fitted == (0, 0, 416, 312)
    assert np.allclose(transform.to_network([[-.5, -.5]]), [[-.5, -.5]])


def test_boxes_go_to_the_image_and_stay_upright():
    transform = fit_region(Region(0, (100.0, 80.0), (96.0, 128.0)), spec())
    boxes = transform.boxes_to_image([[10, 20, 40, 60], [np.nan] * 4])
    assert np.allclose(boxes[0, 2:], (20, 30)) and np.isnan(boxes[1]).all()
    assert np.allclose(boxes[0, :2], transform.to_image([9.5, 19.5]) + .5)
    mirrored = fit_region(Region(0, (100.0, 80.0), (96.0, 128.0), mirror=True), spec())
    assert np.allclose(mirrored.boxes_to_image([[10, 20, 40, 60]])[0, 2:], (20, 30))


def blob(width, height, x, y, radius):
    rows, columns = np.mgrid[:height, :width]
    value = 255 * np.exp(-((columns - x) ** 2 + (rows - y) ** 2) / (2.0 * radius ** 2))
    return np.repeat(value[..., None], 3, 2).astype(np.uint8)


@pytest.mark.parametrize('region', [
    Region(0, (200.0, 150.0), (96.0, 128.0)), Region(0, (200.0, 150.0), (300.0, 400.0), 0.5),
    Region(0, (200.0, 150.0), (900.0, 1200.0), 0.5, True),  # shrinks: averaged before the warp
    Region(0, (200.0, 150.0), (3000.0, 4000.0)), Region(0, (5.0, 8.0), (300.0, 400.0))])
def test_a_blob_is_found_where_the_transform_says(region):
    scale = region.size[0] / 192.0
    x, y, radius = 205.3, 141.8, max(6.0, 3 * scale)
    if region.center[0] < 100:
        x, y = 40.2, 50.9
    image = blob(1000 if scale > 2 else 400, 900 if scale > 2 else 300, x, y, radius)
    preprocessor = Preprocessor(spec())
    transform = preprocessor.write(image, region, 0)
    weight = preprocessor.batch[0, 1]
    rows, columns = np.mgrid[:256, :192]
    found = np.array([(weight * columns).sum(), (weight * rows).sum()]) / weight.sum()
    assert np.abs(found - transform.to_network([x, y])).max() < 0.3


def test_outside_the_image_is_padding():
    preprocessor = Preprocessor(spec(pad_value=77))
    preprocessor.write(np.full((50, 50, 3), 9, np.uint8), Region(0, (0.0, 0.0), (96.0, 128.0)), 0)
    assert (preprocessor.batch[0, :, :125, :93] == 77).all()
    assert (preprocessor.batch[0, :, 130:200, 98:160] == 9).all()


def test_strong_shrinkage_averages_instead_of_skipping():
    image = np.zeros((2560, 1920, 3), np.uint8)
    image[::2] = 200  # lines of one pixel
    preprocessor = Preprocessor(spec())
    preprocessor.write(image, Region(0, (959.0, 1279.5), (1800.0, 2400.0)), 0)
    # Of 9 lines per mean 4 or 5 are white.
    assert np.abs(preprocessor.batch[0, :, 4:-4, 4:-4] - 100).max() <= 12


def test_mirrored_whole_image_is_the_mirrored_input():
    image = np.random.RandomState(0).randint(0, 256, (300, 400, 3)).astype(np.uint8)
    options = spec(fit='letterbox', width=160, height=128)
    plain, mirrored = Preprocessor(options), Preprocessor(options)
    plain.write(image, whole(0, 400, 300), 0)
    transform = mirrored.write(image, whole(0, 400, 300)._replace(mirror=True), 0)
    left, _, width, _ = transform.fitted
    inside = slice(left, left + width)
    assert np.array_equal(mirrored.batch[..., inside], plain.batch[..., inside][..., ::-1])


def test_rows_of_a_batch_do_not_disturb_each_other():
    random = np.random.RandomState(0)
    images = [random.randint(0, 256, (200 + 50 * k, 300, 3)).astype(np.uint8) for k in range(3)]
    regions = [whole(0, 300, 200), Region(1, (100.0, 100.0), (96.0, 128.0), 0.2),
               whole(2, 300, 300)]
    options = spec(fit='letterbox', pad_value=3)
    together = Preprocessor(options, 3)
    for row, (image, region) in enumerate(zip(images, regions)):
        together.write(image, region, row)
    for row, (image, region) in enumerate(zip(images, regions)):
        alone = Preprocessor(options)
        alone.write(image, region, 0)
        assert np.array_equal(together.batch[row], alone.batch[0])
