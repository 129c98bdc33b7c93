# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Frames to network input and points back: exact, for every size and mode."""
import cv2
import numpy as np
import pytest

from pose_ros.core.card import InputSpec
from pose_ros.core.errors import ImageError, ModelError
from pose_ros.core.frame import check_image
from pose_ros.core.preprocessing import Preprocessor
from pose_ros.core.regions import fit_region, whole

SIZES = [(1, 1), (2, 3), (1, 500), (500, 1), (17, 31), (160, 128), (161, 127), (320, 256),
         (640, 480), (480, 640), (1280, 720), (1920, 1080), (1999, 1501),
         (8000, 6000), (60, 4000), (4000, 60)]


def spec(**changes):
    values = dict(height=128, width=160, color='bgr', scale=1.0, mean=(0.0, 0.0, 0.0),
                  std=(1.0, 1.0, 1.0), fit='letterbox', align='center', interpolation='linear',
                  pad_value=0)
    return InputSpec(**dict(values, **changes))


def planned(width, height, options):
    return fit_region(whole(0, width, height), options)


def scales(transform):
    return np.diag(transform.matrix)


def written(preprocessor, image):
    """Write the whole image as the only row; return the batch and the Transform."""
    region = whole(0, image.shape[1], image.shape[0])
    return preprocessor.batch, preprocessor.write(image, region, 0)


def prepare(options, image):
    return written(Preprocessor(options), image)


def noise(width, height, seed=0):
    return np.random.RandomState(seed).randint(0, 256, (height, width, 3)).astype(np.uint8)


@pytest.mark.parametrize('fit', ['letterbox', 'stretch'])
@pytest.mark.parametrize('size', SIZES)
def test_inverse_is_exact(size, fit):
    transform = planned(size[0], size[1], spec(fit=fit))
    points = np.random.RandomState(1).uniform(-10, 10 + max(size), (100, 2))
    back = transform.to_image(transform.to_network(points))
    assert np.abs(back - points).max() < 1e-9 * max(size)


@pytest.mark.parametrize('fit', ['letterbox', 'stretch'])
@pytest.mark.parametrize('size', SIZES)
def test_edges_of_the_image_meet_edges_of_the_fitted_area(size, fit):
    """Pixel areas, not centers, span the image: edge -0.5 maps to the fitted area's edge."""
    transform = planned(size[0], size[1], spec(fit=fit))
    low = transform.to_network(np.array([-0.5, -0.5]))
    high = transform.to_network(np.array(size) - 0.5)
    fitted = high - low
    assert np.abs(fitted - np.round(fitted)).max() < 1e-9
    assert (low >= -0.5 - 1e-9).all() and (high <= np.array([159.5, 127.5]) + 1e-9).all()
    if fit == 'stretch':
        assert np.allclose(low, -0.5) and np.allclose(high, (159.5, 127.5))
    else:
        borders = low + 0.5, (159.5, 127.5) - high
        assert min(np.abs(fitted - (160, 128))) < 1e-9  # one side is filled
        assert (borders[1] - borders[0] > -1e-9).all()  # centered, the odd pixel on the far side
        assert (borders[1] - borders[0] < 1 + 1e-9).all()
        assert fitted.round().min() >= 1
        ratio = min(160.0 / size[0], 128.0 / size[1])
        rounding = max(0.5, 1 - min(size) * ratio)
        assert np.abs(fitted - np.array(size) * ratio).max() <= rounding + 1e-9


def _blob_cases():
    for size in [(160, 128), (161, 127), (320, 256), (640, 480), (480, 640), (1280, 720),
                 (1999, 1501), (8000, 6000), (60, 4000), (4000, 60), (90, 70)]:
        for fit in ('letterbox', 'stretch'):
            # OpenCV has no area averaging where an axis grows.
            grows = max(scales(planned(size[0], size[1], spec(fit=fit)))) > 1
            for interpolation in ('linear', 'cubic') + (() if grows else ('area',)):
                yield size, fit, interpolation


@pytest.mark.parametrize('size, fit, interpolation', list(_blob_cases()))
def test_a_blob_is_found_where_the_transform_says(size, fit, interpolation):
    width, height = size
    options = spec(fit=fit, interpolation=interpolation)
    scale = scales(planned(width, height, options))
    half = np.maximum(1, np.round(2.5 / scale)).astype(int)  # spans about 5 network pixels
    for part_x, part_y in ((0.5, 0.5), (0.21, 0.66), (0.83, 0.37)):
        x0, y0 = np.maximum(0, (np.array(size) * (part_x, part_y)).astype(int) - half)
        x1, y1 = np.minimum(size, (x0 + 2 * half[0] + 1, y0 + 2 * half[1] + 1))
        image = np.zeros((height, width, 3), np.uint8)
        image[y0:y1, x0:x1] = 255
        batch, transform = prepare(options, image)
        rows, columns = np.mgrid[:128, :160]
        weight = batch[0, 1]
        found = np.array([(weight * columns).sum(), (weight * rows).sum()]) / weight.sum()
        drawn = np.array([x0 + x1 - 1, y0 + y1 - 1]) / 2.0
        assert np.abs(found - transform.to_network(drawn)).max() < 0.5


@pytest.mark.parametrize('batch', [0, -1, 65535, 2 ** 40])
def test_a_batch_that_no_memory_holds_is_refused(batch):
    spec = InputSpec(128, 160, 'bgr', 1., (0., 0., 0.), (1., 1., 1.), 'letterbox', 'center',
                     'linear', 0)
    with pytest.raises(ModelError, match='takes {} images of 160 x 128'.format(batch)):
        Preprocessor(spec, batch)


def test_same_size_is_copied_exactly():
    image = noise(160, 128)
    for fit in ('letterbox', 'stretch'):
        for interpolation in ('linear', 'cubic', 'area'):
            options = spec(fit=fit, interpolation=interpolation)
            batch, _ = prepare(options, image)
            assert batch.shape == (1, 3, 128, 160) and batch.dtype == np.float32
            assert np.array_equal(batch[0], image.transpose(2, 0, 1))


def test_halving_is_the_mean_of_four():
    image = noise(320, 256)
    plain = image.astype(np.float64).reshape(128, 2, 160, 2, 3).mean((1, 3)).transpose(2, 0, 1)
    for interpolation in ('linear', 'area'):
        batch, _ = prepare(spec(interpolation=interpolation), image)
        assert np.abs(batch[0] - plain).max() <= 0.75  # rounded to whole gray levels


def test_strong_shrinkage_averages_instead_of_skipping():
    image = np.zeros((1280, 1600, 3), np.uint8)
    image[::2] = 200  # lines of one pixel: what is skipped would alias
    for interpolation in ('linear', 'cubic'):
        batch, _ = prepare(spec(interpolation=interpolation), image)
        assert np.abs(batch - 100).max() <= 1


def test_linear_resize_against_plain_numpy():
    image = noise(200, 90)
    batch, transform = prepare(spec(fit='stretch'), image)
    pixels = np.stack(np.meshgrid(np.arange(160), np.arange(128)), -1)
    x, y = transform.to_image(pixels).transpose(2, 0, 1)
    x, y = np.clip(x, 0, 199), np.clip(y, 0, 89)
    left, top = np.minimum(x.astype(int), 198), np.minimum(y.astype(int), 88)
    fx, fy = (x - left)[..., None], (y - top)[..., None]
    source = image.astype(np.float64)
    plain = (source[top, left] * (1 - fx) + source[top, left + 1] * fx) * (1 - fy) \
        + (source[top + 1, left] * (1 - fx) + source[top + 1, left + 1] * fx) * fy
    assert np.abs(batch[0].transpose(1, 2, 0) - plain).max() < 1.0


def test_letterbox_pads_around_the_center():
    image = np.full((480, 640, 3), 7, np.uint8)
    batch, transform = prepare(spec(pad_value=114), image)
    assert transform.fitted == (0, 4, 160, 120) and scales(transform).tolist() == [0.25, 0.25]
    assert (batch[0, :, 4:124] == 7).all()
    assert (batch[0, :, :4] == 114).all() and (batch[0, :, 124:] == 114).all()


def test_odd_padding_loses_no_row():
    batch, transform = prepare(spec(pad_value=9), np.full((125, 160, 3), 7, np.uint8))
    assert transform.fitted == (0, 1, 160, 125)
    assert (batch[0, :, 1:126] == 7).all()
    assert (batch[0, :, 0] == 9).all() and (batch[0, :, 126:] == 9).all()


@pytest.mark.parametrize('color', ['bgr', 'rgb'])
def test_values_and_channel_order(color):
    image = noise(160, 128)
    mean, std, scale = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225), 1 / 255.0
    batch, _ = prepare(spec(color=color, mean=mean, std=std, scale=scale), image)
    ordered = image if color == 'bgr' else image[..., ::-1]
    # Mean and std follow the network's order.
    plain = ((ordered * scale - mean) / std).transpose(2, 0, 1)
    assert np.abs(batch[0] - plain).max() < 1e-5


def test_scale_alone_and_mean_alone():
    image = noise(160, 128)
    batch, _ = prepare(spec(scale=0.5), image)
    assert np.array_equal(batch[0], image.transpose(2, 0, 1) * np.float32(0.5))
    batch, _ = prepare(spec(mean=(128.0, 0.0, 1.0)), image)
    assert np.array_equal(batch[0], image.transpose(2, 0, 1) - np.float32([[[128]], [[0]], [[1]]]))


def test_sizes_may_change_from_call_to_call():
    """Nothing of one frame, nor of its padding, is left in the next one's input."""
    shared = Preprocessor(spec(pad_value=50))
    sizes = [(640, 480), (640, 240), (480, 240), (64, 64), (640, 480), (1, 1), (300, 9)]
    for seed, (width, height) in enumerate(sizes):
        image = noise(width, height, seed)
        batch, transform = written(shared, image)
        alone, expected = prepare(spec(pad_value=50), image)
        assert np.array_equal(batch, alone)
        assert np.array_equal(transform.matrix, expected.matrix)


def test_unusual_memory_layouts():
    """Views with any strides and read-only arrays have the values that NumPy reads."""
    base = noise(320, 256)
    frozen = base[:128, :160].copy()
    frozen.setflags(write=False)
    views = [base[:, ::-1], base[::-1], base[..., ::-1], base[::2, ::2], base[10:, 20:-30],
             base.transpose(1, 0, 2), np.asfortranarray(base), frozen,
             np.frombuffer(base.tobytes(), np.uint8).reshape(base.shape)]
    for view in views:
        batch, _ = prepare(spec(), view)
        plain, _ = prepare(spec(), np.array(view, order='C'))
        assert np.array_equal(batch, plain)


def test_the_frame_is_not_written_to():
    image = noise(640, 480)
    before = image.copy()
    prepare(spec(mean=(1.0, 2.0, 3.0)), image)
    assert np.array_equal(image, before)


@pytest.mark.parametrize('image, found', [
    (np.zeros((4, 4), np.uint8), r'uint8 \(4, 4\)'),
    (np.zeros((4, 4, 4), np.uint8), r'\(4, 4, 4\)'),
    (np.zeros((4, 4, 1), np.uint8), r'\(4, 4, 1\)'),
    (np.zeros((1, 4, 4, 3), np.uint8), r'\(1, 4, 4, 3\)'),
    (np.zeros((4, 4, 3), np.float32), 'float32'), (np.zeros((4, 4, 3), np.uint16), 'uint16'),
    (np.zeros((4, 4, 3), bool), 'bool'),
    (np.zeros((0, 4, 3), np.uint8), r'no pixels.*\(0, 4, 3\)'),
    (np.zeros((4, 0, 3), np.uint8), 'no pixels'), (None, 'NoneType'), ('image.jpg', 'str'),
    ([[[0, 0, 0]]], 'list')])
def test_invalid_images_are_refused(image, found):
    with pytest.raises(ImageError, match=found):
        check_image(image)


def test_threads_of_opencv_do_not_change_the_answer():
    image, threads = noise(1280, 720), cv2.getNumThreads()
    try:
        cv2.setNumThreads(1)
        one = prepare(spec(), image)[0].copy()
        cv2.setNumThreads(4)
        assert np.array_equal(prepare(spec(), image)[0], one)
    finally:
        cv2.setNumThreads(threads)
