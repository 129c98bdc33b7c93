# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""The comparison of an engine with ONNX Runtime."""
import models
import numpy as np
import pytest

from pose_ros.core.agreement import disagreement, TOLERANCES
from pose_ros.core.synthetic_image import synthetic_image


def maps():
    return {'output': models.draw_maps(models.tiny_people())[None]}


def changed(change):
    found = {name: array.copy() for name, array in maps().items()}
    change(found['output'])
    return found


@pytest.mark.parametrize('precision', sorted(TOLERANCES))
def test_small_differences_agree(precision):
    assert disagreement(maps(), maps(), precision) == ''
    tolerance = TOLERANCES[precision]
    noise = np.random.RandomState(0).uniform(-1, 1, maps()['output'].shape)
    for part, agrees in ((0.3, True), (1.5, False)):
        found = {'output': (maps()['output'] + part * tolerance * noise).astype(np.float32)}
        assert (disagreement(maps(), found, precision) == '') is agrees


def test_scale_does_not_matter():
    """Networks yield what they like: maps of 0 to 1, or hundreds."""
    for scale in (1e-2, 500):
        expected, found = {'x': scale * maps()['output']}, {'x': 1.03 * scale * maps()['output']}
        assert disagreement(expected, found, 'fp16') == ''
        assert 'off by 3.0% of its largest value (2% allowed)' in disagreement(
            expected, found, 'fp32')


@pytest.mark.parametrize('change, text', [
    (lambda array: array.__setitem__((0, 3, 2, 2), np.nan), 'holds NaN'),
    (lambda array: array.__setitem__((0, 3, 2, 2), np.inf), 'holds NaN or infinite'),
    (lambda array: array.fill(0), 'off by 100.0%'),
    (lambda array: array.__setitem__(Ellipsis, np.roll(array, 1, -1)), 'off by')])
def test_wrong_maps(change, text):
    assert text in disagreement(maps(), changed(change), 'fp16')


def test_a_moved_peak_disagrees_though_the_maps_are_close():
    """A flat top of which another cell is the highest now: within the tolerance of the values."""
    reference = np.zeros((1, 2, 8, 8), np.float32)
    reference[0, 0, 2, 2], reference[0, 0, 5, 5] = 0.30, 0.25
    reference[0, 1, 1, 1] = 1.0
    found = reference.copy()
    found[0, 0, 2, 2], found[0, 0, 5, 5] = 0.26, 0.27
    text = disagreement({'heat': reference}, {'heat': found}, 'fp16')
    assert text == 'output heat has its peak elsewhere in 1 of 2 channels'
    found[0, 0, 5, 5] = 0.25
    assert disagreement({'heat': reference}, {'heat': found}, 'fp16') == ''


def test_other_outputs():
    assert 'the outputs are' in disagreement(maps(), {'heat': maps()['output']}, 'fp32')
    assert '(1, 57, 16, 20)' in disagreement(maps(), {'output': maps()['output'][:, 1:]}, 'fp32')


def test_the_image_is_fixed_and_shows_something():
    image = synthetic_image()
    assert image.shape == (480, 640, 3) and image.dtype == np.uint8
    assert (image == synthetic_image()).all() and image.std() > 20
    assert synthetic_image(96, 128).shape == (96, 128, 3)
