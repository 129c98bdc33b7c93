# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Mirrored and scaled views: averaged maps are those of the image, to a fraction of a cell."""
import types

import numpy as np
import pytest
from onnx import helper

from evaluated import (card, draw_maps, outputs, SIDE, STRIDE, symmetric_person, write_model,
                       write_onnx)
from pose_ros.core import PoseEstimator
from pose_ros.core.card import DecoderSpec
from pose_ros.core.decoders.paf import parse_outputs
from pose_ros.core.frame import Frame
from pose_ros.core.network import Network
from pose_ros.core.preprocessing import prepare_image
from pose_ros.core.regions import whole
from pose_ros.core.topology import get_topology
from pose_training.errors import ConfigError
from pose_training.evaluation.test_time_augmentation import augmented
from pose_training.families.mirroring import known, unmirror
from pose_training.families.paf.flipping import channel_swaps


def fake(network, its_card=None):
    """Return an estimator around network(batch) -> outputs."""
    its_card = its_card or card(96, 64)
    engine = types.SimpleNamespace(infer=network, close=lambda: None, batch_size=1,
                                   input_type=np.dtype(np.float32), left_out={},
                                   fixed_batch=True)
    return PoseEstimator.of_network(Network(its_card, engine))


def outputs_of(estimator, image):
    """Return the outputs (1, ...) that the decoder gets for an image, and the transform."""
    frame = Frame(image)
    outputs, transform = next(estimator.network([frame], [whole(0, *frame.size)]))
    return {name: value[None].copy() for name, value in outputs.items()}, transform


def averaged(estimator, image, **views):
    """Return the outputs that the decoder gets with several views."""
    return outputs_of(augmented(estimator, **views), image)[0]


def noise(width=120, height=61):
    """Return an image without any symmetry."""
    return np.random.default_rng(1).integers(0, 256, (height, width, 3), dtype=np.uint8)


def pooled(batch):
    """Return means of stride x stride pixels, (3, h, w)."""
    _, colors, height, width = batch.shape
    cells = batch.reshape(colors, height // STRIDE, STRIDE, width // STRIDE, STRIDE)
    return cells.mean((2, 4)) / 255


@pytest.mark.parametrize('topology', ['coco_18', 'body_25', 'trt_pose_18', 'coco_17', 'mpi_15'])
def test_maps_of_the_mirrored_person_become_those_of_the_person(topology):
    keypoints = get_topology(topology)
    points = np.random.default_rng(0).uniform(10, SIDE - 11, (keypoints.size, 2))
    mirrored = points[list(keypoints.mirror)] * (-1, 1) + (SIDE - 1, 0)
    maps, seen = draw_maps(points, topology), draw_maps(mirrored, topology)
    its_outputs = parse_outputs(card(topology=topology, outputs=outputs(topology)))
    swaps = channel_swaps(its_outputs, keypoints)['maps']
    assert known(seen, swaps).all()
    assert abs(seen[..., ::-1] - maps).max() > .5
    np.testing.assert_allclose(unmirror(seen[..., ::-1], swaps), maps, atol=1e-5)


def test_separate_tensors_are_mirrored_equally():
    keypoints = get_topology('coco_18')
    one = card(outputs=outputs('coco_18'))
    two = card(outputs=outputs('coco_18', tensors=('heat', 'paf')))
    maps = np.random.default_rng(0).normal(size=(57, 4, 5)).astype(np.float32)
    whole = unmirror(maps, channel_swaps(parse_outputs(one), keypoints)['maps'])
    swaps = channel_swaps(parse_outputs(two), keypoints)
    np.testing.assert_array_equal(whole[:19], unmirror(maps[:19], swaps['heat']))
    np.testing.assert_array_equal(whole[19:], unmirror(maps[19:], swaps['paf']))


def symmetric(batch):
    """A network that is symmetric in left and right."""
    gray = pooled(batch)
    gray = gray[0] + 2 * gray[1] ** 2
    slope = np.gradient(gray, axis=1)  # which a mirror turns round
    maps = np.stack([gray * 1.] * 19 + [slope, gray] * 19)
    return {'maps': maps[None].astype(np.float32)}


def test_a_symmetric_network_gains_nothing_from_a_mirror():
    estimator, image = fake(symmetric), noise()
    plain = symmetric(prepare_image(image, estimator.card.input))['maps']
    np.testing.assert_allclose(averaged(estimator, image, flip=True)['maps'], plain, atol=1e-5)


def test_left_and_right_are_averaged_with_each_other():
    def network(batch):
        heatmaps = np.arange(19) / 100.
        return {'maps': np.concatenate([heatmaps, np.full(38, .5)])[None, :, None, None]
                * np.ones((1, 57, 8, 12), np.float32)}
    maps = averaged(fake(network), noise(), flip=True)['maps'][0]
    mirror = list(get_topology('coco_18').mirror) + [18]
    np.testing.assert_allclose(maps[:19, 3, 4], (np.arange(19) + mirror) / 200., atol=1e-6)
    np.testing.assert_allclose(maps[19::2], 0, atol=1e-6)   # x components cancel
    np.testing.assert_allclose(maps[20::2], .5, atol=1e-6)  # y components agree


def test_a_limb_without_a_twin_is_taken_from_the_image_alone():
    its_outputs = outputs('coco_18')
    limbs = its_outputs['pafs']['limbs']
    its_outputs['pafs']['limbs'] = [limb for limb in limbs if limb[:2] != [2, 3]]
    lone = [limb[2] for limb in limbs if limb[:2] == [5, 6]][0]
    calls = []

    def network(batch):
        if batch.any():  # zeros are of the first run, which checks the outputs
            calls.append(batch)
        return {'maps': np.full((1, 57, 8, 12), len(calls), np.float32)}
    maps = averaged(fake(network, card(96, 64, outputs=its_outputs)), noise(), flip=True)['maps']
    assert (maps[0, lone:lone + 2] == 1).all() and (maps[0, :19] == 1.5).all()


def test_a_mirrored_view_is_the_mirrored_input():
    calls = []

    def network(batch):
        if batch.any():
            calls.append(batch.copy())
        return symmetric(batch)
    averaged(fake(network), noise(), flip=True)
    np.testing.assert_array_equal(calls[0][..., ::-1], calls[1])


@pytest.fixture(scope='module')
def ramp(tmp_path_factory):
    """Load a network of any size whose maps are the blue channel, averaged over each cell."""
    weights = np.zeros((57, 3, 1, 1), np.float32)
    weights[:, 0] = 1 / 255.
    nodes = [helper.make_node('AveragePool', ['image'], ['cells'], kernel_shape=[STRIDE] * 2,
                              strides=[STRIDE] * 2),
             helper.make_node('Conv', ['cells', 'weights'], ['maps'])]
    path = write_onnx(tmp_path_factory.mktemp('ramp') / 'ramp.onnx', nodes, {'weights': weights},
                      card(192, 128))
    estimator = PoseEstimator(path, backend='onnxruntime', threads=1)
    yield estimator
    estimator.close()


@pytest.mark.parametrize('axis', [0, 1])
@pytest.mark.parametrize('width, height', [(96, 64), (120, 61), (43, 79), (300, 200)])
@pytest.mark.parametrize('scale', [.5, 1.4, 2.])
def test_a_slope_is_read_at_the_same_place_at_every_scale(ramp, width, height, scale, axis):
    slope = np.linspace(20, 235, (height, width)[axis])
    image = np.zeros((height, width, 3), np.uint8)
    image += np.rint(slope[:, None, None] if axis == 0 else slope[:, None]).astype(np.uint8)
    plain, transform = outputs_of(ramp, image)
    plain, zoom = plain['maps'], transform.matrix[[0, 1], [0, 1]]
    scaled = averaged(ramp, image, scales=[scale])['maps']
    assert scaled.shape == plain.shape
    x, y = np.meshgrid(*((np.arange(count) + .5) * STRIDE - .5 for count in (24, 16)))
    place = transform.to_image(np.stack([x, y], -1))
    # Cells near the edge of the image see the padding around it, each scale its own share.
    margin = 1.6 * STRIDE / min(zoom) / min(scale, 1)
    inside = ((place > margin) & (place < np.array([width, height]) - 1 - margin)).all(-1)
    assert inside.sum() >= 2
    error = abs(scaled - plain)[0, 0][inside].max()
    half_cell = (slope[1] - slope[0]) / 255 * STRIDE / 2 / zoom[0]
    assert error < .15 * half_cell


def test_scales_are_averaged(ramp):
    image = noise()
    parts = [averaged(ramp, image, scales=[scale])['maps'] for scale in (.5, 2.)]
    both = averaged(ramp, image, scales=[.5, 2.])['maps']
    np.testing.assert_allclose(both, (parts[0] + parts[1]) / 2, atol=1e-6)
    with_mirror = averaged(ramp, image, scales=[.5, 2.], flip=True)['maps']
    np.testing.assert_allclose(with_mirror[0, 0], both[0, 0], atol=1e-6)


def test_one_view_is_the_estimator_itself(ramp):
    assert augmented(ramp) is ramp
    several = augmented(ramp, flip=True)
    assert several is not ramp and several.network.decoder is ramp.network.decoder
    assert ramp.network.engine.describe() == several.network.engine.describe()


@pytest.mark.parametrize('scales', [(), (0.,), (1., -1.), (9.,), (float('nan'),)])
def test_invalid_scales_are_rejected(ramp, scales):
    with pytest.raises(ConfigError, match='scales must be numbers above 0'):
        augmented(ramp, scales=scales)


def test_a_network_of_one_size_has_one_scale(tmp_path):
    path = write_model(tmp_path / 'static.onnx', symmetric_person())
    estimator = PoseEstimator(path, backend='onnxruntime', threads=1)
    with pytest.raises(ConfigError, match='scale 2 needs .* export --dynamic'):
        augmented(estimator, scales=[1, 2])
    estimator.close()


def test_models_without_pafs_are_rejected():
    with pytest.raises(ConfigError, match="unknown family 'other'"):
        estimator = fake(symmetric)
        estimator.network.card = card(96, 64)._replace(decoder=DecoderSpec('other', {}, {}))
        augmented(estimator, flip=True)
