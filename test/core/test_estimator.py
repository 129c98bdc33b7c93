# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""PoseEstimator end to end, on a network with known outputs."""
import models
import numpy as np
import pytest

from pose_ros.core import EngineError, ModelError, PoseEstimator, PoseRosError, People
from pose_ros.core import bundled
from pose_ros.core.decoders import make_found

SIZES = [(160, 128), (320, 256), (640, 480), (1280, 720), (480, 640), (100, 60), (97, 131),
         (2000, 1500)]


@pytest.fixture
def estimator(tiny_model, backend):
    return PoseEstimator(tiny_model, backend)


def in_image(people, width, height, fit='letterbox', network=(models.WIDTH, models.HEIGHT)):
    """Compute independently where network pixels are in the image, and which are on it."""
    if fit == 'stretch':
        fitted = np.array(network)
    else:
        ratio = min(network[0] / float(width), network[1] / float(height))
        fitted = np.round(np.array([width, height]) * ratio)
    border = (np.array(network) - fitted) // 2
    points = (people + 0.5 - border) * np.array([width, height]) / fitted - 0.5
    on_image = ((points >= 0) & (points <= np.array([width, height]) - 1)).all(-1)
    return points, on_image


@pytest.mark.parametrize('width, height', SIZES)
def test_people_are_in_source_pixels(estimator, tiny_people, width, height):
    found = estimator(models.image(width, height))
    points, on_image = in_image(tiny_people, width, height)
    keypoints = models.matched(found, points)
    # Half a network pixel, in pixels of this image.
    limit = 0.5 * max(width / 160.0, height / 128.0)
    assert on_image.sum() >= 20
    assert np.abs(keypoints[on_image][:, :2] - points[on_image]).max() < limit
    # What lies well off the image was seen in the padding, and is not reported.
    margin = 0.03 * max(width, height)
    far = ((points < -margin) | (points > np.array([width, height]) + margin)).any(-1)
    assert np.isnan(keypoints[far][:, :2]).all() and (keypoints[far][:, 2] == 0).all()
    seen = found.detected()
    assert (found.keypoints[seen][:, :2] >= 0).all()
    assert (found.keypoints[seen][:, :2] <= (width - 1, height - 1)).all()


@pytest.mark.parametrize('width, height', [(640, 480), (480, 640), (60, 200)])
def test_stretch(make_model, backend, tiny_people, width, height):
    data = models.card_data()
    data['input']['fit'] = 'stretch'
    found = PoseEstimator(make_model(card=data), backend)(models.image(width, height))
    points, on_image = in_image(tiny_people, width, height, 'stretch')
    assert on_image.all()
    scale = (width / 160.0, height / 128.0)
    assert (np.abs(models.matched(found, points)[..., :2] - points) / scale).max() < 0.5


def test_scores(estimator):
    found = estimator(models.image())
    assert isinstance(found, People) and found.count == 2
    assert found.scores.min() > 0.97 and (np.diff(found.scores) <= 0).all()
    faint = estimator(models.image(blue=128))
    assert np.allclose(faint.scores, found.scores * 128 / 255, atol=1e-3)
    assert np.allclose(faint.keypoints[..., :2], found.keypoints[..., :2], atol=0.05)


@pytest.mark.parametrize('color', ['bgr', 'rgb'])
def test_channel_order(make_model, backend, color):
    """Only blue has an effect, for both orders of channels."""
    estimator = PoseEstimator(make_model(color=color), backend)
    assert estimator(models.image()).count == 2
    assert estimator(models.image(blue=0, red=255)).count == 0
    assert estimator(models.image(blue=0, green=255)).count == 0


def test_a_wrong_channel_order_changes_the_result(make_model, backend):
    path = make_model(color='rgb')
    estimator = PoseEstimator(path, backend, card=models.card_data(color='bgr'))
    assert estimator(models.image()).count == 0
    assert estimator(models.image(blue=0, red=255)).count == 2


def test_scale_mean_and_std_reach_the_network(make_model, backend):
    data = models.card_data()
    data['input'].update(scale=1 / 255.0, mean=[0.5, 0.5, 0.5], std=[0.5, 0.5, 0.5])
    estimator = PoseEstimator(make_model(card=data), backend)
    outputs = []

    def decode(found):
        outputs.append(found['output'].copy())
        return make_found(np.zeros((0, 18, 3)), [])
    estimator.network.decoder.decode = decode
    estimator(models.image())
    estimator(models.image(blue=0))
    peak = models.draw_maps(models.tiny_people()).max()
    assert outputs[0].max() == pytest.approx(peak / 255, rel=1e-3)  # (1 - 0.5) / 0.5 = 1 of 255
    assert outputs[1].min() == pytest.approx(-peak / 255, rel=1e-3)


def test_padding_reaches_the_network(make_model, backend):
    """A red image letterboxed with a gray border shows people as strong as the border's share."""
    data = models.card_data()
    data['input']['pad_value'] = 255
    estimator = PoseEstimator(make_model(card=data), backend)
    estimator.configure(min_score=0.0, min_keypoints=1)
    found = estimator(models.image(320, 128, blue=0))  # half of the input is border
    assert found.scores[0] == pytest.approx(0.5 * 0.984, abs=5e-3)


def test_results_stay_after_the_next_call(estimator):
    """Buffers are used again; what was returned is not among them."""
    first = estimator(models.image())
    kept = [array.copy() for array in first[:-1]]
    estimator(models.image(640, 480, blue=90))
    estimator(models.image(blue=0))
    for array, copy in zip(first, kept):
        assert np.array_equal(np.nan_to_num(array), np.nan_to_num(copy))
    again = estimator(models.image())
    assert np.array_equal(np.nan_to_num(again.keypoints), np.nan_to_num(kept[0]))


def test_image_is_not_written_to(estimator):
    image = models.image(640, 480)
    before = image.copy()
    image.setflags(write=False)
    assert estimator(image).count == 2
    assert np.array_equal(image, before)


@pytest.mark.parametrize('width, height', [
    (1, 1), (2, 2), (1, 200), (200, 1), (5000, 2), (8000, 6000)])
def test_odd_sizes(estimator, width, height):
    """People are on the part of the input that the image covers, and none in the padding."""
    found = estimator(models.image(width, height))
    seen = found.detected()
    assert (found.keypoints[seen][:, :2] >= 0).all()
    assert (found.keypoints[seen][:, :2] <= (width - 1, height - 1)).all()
    assert (seen.sum(1) >= 4).all()
    if width / float(height) == 8000 / 6000.0:
        assert found.count == 2 and seen.all()
    elif width == height:
        assert found.count == width  # in one pixel two people are one


def test_people_with_too_few_keypoints_are_dropped(estimator):
    """People with keypoints in the padding are not reported."""
    estimator.configure(min_score=0.0)  # narrow images cover little of the input
    assert estimator(models.image(400, 600)).detected().sum(1).min() >= 4
    points, on_image = in_image(models.tiny_people(), 60, 600)
    assert (on_image.sum(1) < 4).all()
    assert estimator(models.image(60, 600)).count == 0


def test_configure_while_running(estimator):
    assert estimator(models.image()).count == 2
    estimator.configure(max_people=1)
    assert estimator(models.image()).count == 1
    estimator.configure(max_people=0, peak_threshold=0.99)
    assert estimator(models.image()).count == 0
    with pytest.raises(PoseRosError, match='peak_threshold must be within'):
        estimator.configure(peak_threshold=-1.0)
    with pytest.raises(PoseRosError, match="there is no setting 'model'; there are: pose."):
        estimator.configure(model='other.onnx')


def test_input_size_of_a_dynamic_model(make_model, backend, tiny_people):
    path = make_model(dynamic=True)
    for size in ((320, 256), (160, 128), (240, 192)):
        estimator = PoseEstimator(path, backend, input_size=size)
        assert (estimator.card.input.width, estimator.card.input.height) == size
        scale = size[0] / 160.0
        inside = (tiny_people + 0.5) * scale - 0.5
        points, on_image = in_image(inside, 640, 512, network=size)
        assert on_image.all()
        found = models.matched(estimator(models.image(640, 512)), points)
        assert np.abs(found[..., :2] - points).max() < 2.0


def test_input_size_of_a_static_model(tiny_model, backend):
    with pytest.raises(ModelError, match='images of 3x128x160.*chosen input size.*3x256x320'):
        PoseEstimator(tiny_model, backend, input_size=(320, 256))
    assert PoseEstimator(tiny_model, backend, input_size=(160, 128))(models.image()).count == 2


def test_separate_outputs(make_model, backend, tiny_people):
    found = PoseEstimator(make_model(separate=True), backend)(models.image())
    assert np.abs(models.matched(found, tiny_people)[..., :2] - tiny_people).max() < 0.5


def test_timings(estimator):
    assert estimator.timings == {}
    estimator(models.image())
    assert list(estimator.timings) == ['pose.preprocess', 'pose.network', 'pose.decode',
                                       'bottom_up', 'selection']
    assert all(0 < seconds < 60 for seconds in estimator.timings.values())


def test_public_attributes(estimator, backend, tiny_model):
    assert estimator.card.name == 'tiny'
    assert estimator.topology.name == 'coco_18'
    assert estimator.network.engine.describe().backend == backend
    assert estimator.network.engine.describe().model == tiny_model
    assert estimator.settings['selection.min_keypoints'] == 4


def test_close(estimator):
    estimator.close()
    with pytest.raises((EngineError, AttributeError)):
        estimator(models.image())


def test_engine_options_are_passed_on(tiny_model):
    pytest.importorskip('onnxruntime')
    estimator = PoseEstimator(tiny_model, 'onnxruntime', threads=1, allow_spinning=True)
    assert estimator.network.engine.describe().threads == 1
    with pytest.raises(EngineError, match="unknown key 'thread'"):
        PoseEstimator(tiny_model, 'onnxruntime', thread=1)


def test_the_bundled_model_is_the_default(monkeypatch, tiny_model):
    monkeypatch.setattr(bundled, 'DEFAULT_MODEL', tiny_model)
    monkeypatch.setattr(bundled, 'DEFAULT_DETECTOR', None)
    assert PoseEstimator().card.name == 'tiny'


def test_tracking_and_smoothing_come_last_and_are_off_by_default(tiny_model, backend):
    names = [stage.name for stage in PoseEstimator(tiny_model, backend).stages]
    assert names == ['bottom_up', 'selection', 'lifting']
    estimator = PoseEstimator(tiny_model, backend, tracking=True, smoothing='kalman')
    assert [stage.name for stage in estimator.stages] == [
        'bottom_up', 'selection', 'tracking', 'lifting', 'smoothing']
    estimator.configure(**{'tracking.min_frames': 1, 'smoothing.noise': 0.05})
    image = models.image(320, 256)
    assert sorted(estimator(image).track_ids.tolist()) == [1, 2]
    assert sorted(estimator(image).track_ids.tolist()) == [1, 2]
    assert list(estimator.timings)[-2:] == ['tracking', 'smoothing']


@pytest.mark.parametrize('options, text', [
    (dict(smoothing='one_euro'), 'smoothing one_euro needs tracking'),
    (dict(smoothing='mean', tracking=True), "off, one_euro, kalman, not 'mean'")])
def test_invalid_smoothing(tiny_model, backend, options, text):
    with pytest.raises(PoseRosError, match=text):
        PoseEstimator(tiny_model, backend, **options)
