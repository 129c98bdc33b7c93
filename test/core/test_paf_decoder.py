# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""The fast decoder on drawn maps, where every keypoint is known."""
import models
import numpy as np
import pytest

from pose_ros.core.decoders import create_decoder, decoder_parameters
from pose_ros.core.errors import CardError, PoseRosError
from pose_ros.core.people import UNTRACKED

WIDTH, HEIGHT = 432, 368
STANDING, WAVING = models.tiny_people() - [[[38.2, 64]], [[116.7, 64]]]  # round their middle


def card(**changes):
    data = models.card_data(**changes)
    data['input'].update(width=WIDTH, height=HEIGHT)
    return models.tiny_card(**dict(changes, input=data['input']))


def decode(maps, **settings):
    settings, selection = models.split_settings(settings)
    return models.decoded(create_decoder(card(settings=settings)), {'output': maps}, **selection)


def draw(people, **options):
    return models.draw_maps(people, WIDTH, HEIGHT, **options)


def errors(skeletons, people):
    """Distance of every keypoint [px], NaN where it is missing."""
    return np.linalg.norm(models.matched(skeletons, people)[..., :2] - people, axis=-1)


def crowd(count, seed):
    """People of different sizes and poses, each in a cell of its own of a 5 x 4 grid."""
    random = np.random.RandomState(seed)
    people = []
    for cell in random.permutation(20)[:count]:
        middle = np.array((cell % 5 * 86 + 43, cell // 5 * 92 + 46)) + random.uniform(-4, 4, 2)
        pose = (STANDING, WAVING)[random.randint(2)] * random.uniform(0.8, 1.1)
        people.append(pose + random.uniform(-1, 1, (18, 2)) + middle)
    return np.array(people)


def inside(people, margin):
    low, high = np.array((margin, margin)), np.array((WIDTH, HEIGHT)) - 1 - margin
    return ((people > low) & (people < high)).all(-1)


def test_no_people():
    empty = decode(draw([]))
    assert empty.count == 0 and empty.keypoints.shape == (0, 18, 3)
    assert decode(np.zeros((57, 46, 54), np.float32)).count == 0


@pytest.mark.parametrize('count', list(range(1, 21)))
def test_one_to_twenty_people_to_a_fraction_of_a_pixel(count):
    people = crowd(count, seed=count)
    skeletons = decode(draw(people))
    distance = errors(skeletons, people)
    assert not np.isnan(distance).any()  # everybody, with every keypoint
    assert distance[inside(people, 20)].max() < 0.5  # of a stride of 8
    assert distance.max() < 8  # near the border the blur sees half of a keypoint: within one cell
    assert skeletons.scores.min() > 0.9
    assert (np.diff(skeletons.scores) <= 0).all()  # best first
    assert (skeletons.track_ids == UNTRACKED).all()


def test_left_stays_left():
    people = np.array([STANDING]) + (200, 180)
    found = decode(draw(people)).keypoints[0]
    topology = card().topology
    right, left = topology.index('right_wrist'), topology.index('left_wrist')
    assert found[right, 0] == pytest.approx(180, abs=0.5)
    assert found[left, 0] == pytest.approx(220.4, abs=0.5)


def test_scores_are_means_of_heatmap_and_paf():
    maps = draw(np.array([STANDING]) + (200, 180))
    whole = decode(maps)
    assert np.allclose(whole.keypoints[0, :, 2], maps[:18].max((1, 2)), atol=1e-6)
    # 18 keypoints and the 19 limbs that join them; the field is 1 along every limb.
    assert whole.scores[0] == pytest.approx((maps[:18].max((1, 2)).sum() + 19) / 37, abs=5e-3)
    half = decode(maps * np.float32(0.5))
    assert half.scores[0] == pytest.approx(whole.scores[0] / 2, abs=1e-3)
    assert np.allclose(half.keypoints[..., :2], whole.keypoints[..., :2], atol=1e-3)


def test_heatmap_values_above_one_are_clipped():
    people = decode(draw(np.array([STANDING]) + (200, 180)) * np.float32(1.5))
    assert people.scores.tolist() == [1.0]
    assert people.keypoints[..., 2].max() == 1.0


def test_missing_keypoints_are_nan_and_zero():
    people = np.array([STANDING]) + (200, 180)
    people[0, 13] = np.nan  # left ankle
    people[0, 2:5] = np.nan  # right arm
    found = decode(draw(people)).keypoints[0]
    assert np.isnan(found[[13, 2, 3, 4], :2]).all() and (found[[13, 2, 3, 4], 2] == 0).all()
    seen = [k for k in range(18) if k not in (13, 2, 3, 4)]
    assert np.abs(found[seen, :2] - people[0, seen]).max() < 0.5


@pytest.mark.parametrize('middle, seen', [((8, 180), 14), ((424, 180), 13), ((200, 340), 16),
                                          ((200, 24), 13), ((12, 338), 14)])
def test_people_at_the_border(middle, seen):
    """Keypoints on the map are found within a cell; others are missing or at the border."""
    people = np.array([STANDING]) + middle
    on_map = inside(people, -0.5)[0]
    assert on_map.sum() == seen
    skeletons = decode(draw(people))
    assert skeletons.count == 1
    found = skeletons.keypoints[0]
    assert np.linalg.norm(found[on_map, :2] - people[0, on_map], axis=-1).max() < 8
    beyond = found[~on_map & skeletons.detected()[0], :2]
    assert (beyond >= -0.5).all() and (beyond <= (WIDTH - 0.5, HEIGHT - 0.5)).all()


def test_crossing_limbs_are_not_swapped():
    people = np.array([STANDING * 2 + (180, 180), STANDING * 2 + (228, 204)])
    # Elbows, then wrists: the forearms make an X.
    people[:, 6], people[:, 7] = ((230, 150), (288, 152)), ((290, 220), (226, 222))
    distance = errors(decode(draw(people)), people)
    assert not np.isnan(distance).any()
    assert distance.max() < 4


def test_two_people_that_overlap():
    people = np.array([STANDING * 2 + (200, 180), WAVING * 2 + (240, 180)])
    distance = errors(decode(draw(people)), people)
    assert not np.isnan(distance).any() and distance.max() < 4


def test_auxiliary_limbs_complete_but_never_start_a_person():
    """Shoulder to ear: an ear joins without eye and nose, but both alone make nobody."""
    people = np.array([STANDING]) + (200, 180)
    people[0, [0, 14, 15]] = np.nan  # nose and eyes
    found = decode(draw(people)).keypoints[0]
    assert np.abs(found[16:18, :2] - people[0, 16:18]).max() < 0.5
    alone = np.full((1, 18, 2), np.nan)
    alone[0, [2, 5, 16, 17]] = people[0, [2, 5, 16, 17]]
    assert decode(draw(alone), min_keypoints=1, min_score=0.0).count == 0


def test_two_halves_become_one_person():
    """Joining order meets wrist-elbow before the shoulder's limb: fragments must merge."""
    order = models.LIMBS[::-1]
    limbs = [[a, b, 19 + 2 * k] for k, (a, b) in enumerate(order)]
    data = models.card_data()
    data['decoder']['outputs']['pafs']['limbs'] = limbs
    people = np.array([STANDING, WAVING]) + [[[100, 180]], [[300, 180]]]
    decoder = create_decoder(card(outputs=data['decoder']['outputs']))
    distance = errors(models.decoded(decoder, {'output': draw(people, limbs=order)}), people)
    assert not np.isnan(distance).any() and distance.max() < 0.5


def test_separate_tensors_and_scattered_channels():
    people = crowd(3, seed=5)
    maps = draw(people)
    order = np.random.RandomState(0).permutation(19)
    data = models.card_data(separate=True)
    channels = [int(k) for k in np.argsort(order)]
    data['decoder']['outputs']['heatmaps'].update(channels=channels[:18], background=channels[18])
    decoder = create_decoder(card(outputs=data['decoder']['outputs']))
    found = models.decoded(decoder, {'heat': maps[:19][order], 'paf': maps[19:]})
    same = decode(maps)
    assert np.allclose(found.keypoints, same.keypoints, atol=1e-4)
    assert np.allclose(found.scores, same.scores, atol=1e-6)


def test_yx_pafs():
    people = crowd(3, seed=6)
    maps = draw(people)
    swapped = maps.copy()
    swapped[19::2], swapped[20::2] = maps[20::2], maps[19::2]
    data = models.card_data()
    data['decoder']['outputs']['pafs']['axis_order'] = 'yx'
    decoder = create_decoder(card(outputs=data['decoder']['outputs']))
    found = models.decoded(decoder, {'output': swapped})
    assert np.array_equal(found.keypoints, decode(maps).keypoints)
    # Read in the wrong order, the pafs join less.
    wrong = models.decoded(decoder, {'output': maps})
    assert wrong.detected().sum() < 0.7 * decode(maps).detected().sum()


def test_stride_scales_the_keypoints():
    people = np.array([STANDING]) + (60, 60)
    maps = models.draw_maps(people, 160, 128)
    data = models.card_data()
    data['decoder']['outputs']['stride'] = 4
    decoder = create_decoder(models.tiny_card(outputs=data['decoder']['outputs']))
    found = models.decoded(decoder, {'output': maps}).keypoints[0, :, :2]
    assert np.abs(found - ((people[0] + 0.5) / 2 - 0.5)).max() < 0.3


def test_results_do_not_change_with_later_calls():
    decoder = create_decoder(card())
    first = models.decoded(decoder, {'output': draw(crowd(4, seed=1))})
    kept = [array.copy() for array in first if isinstance(array, np.ndarray)]
    models.decoded(decoder, {'output': draw(crowd(9, seed=2))})
    for array, copy in zip(first, kept):
        assert np.array_equal(array, copy, equal_nan=True)
    again = models.decoded(decoder, {'output': draw(crowd(4, seed=1))})
    assert np.array_equal(again.keypoints, kept[0], equal_nan=True)


def test_maps_are_not_written_to_and_may_be_read_only():
    maps = draw(crowd(4, seed=1))
    before = maps.copy()
    maps.setflags(write=False)
    assert decode(maps).count == 4
    assert np.array_equal(maps, before)


def test_map_size_may_change():
    decoder = create_decoder(card())
    small = np.array([STANDING]) + (60, 60)
    for _ in range(2):
        found = models.decoded(decoder, {'output': models.draw_maps(small, 160, 128)})
        assert errors(found, small).max() < 0.5
        large = crowd(3, seed=8)
        assert models.decoded(decoder, {'output': draw(large)}).count == 3


@pytest.mark.parametrize('level', [0.06, 0.5, 1.0, 7.0])
def test_constant_maps_cost_no_more_than_others(level):
    """Every cell of a constant map is a maximum: all pairs of them would fill the memory."""
    people = decode(np.full((57, 46, 54), level, np.float32))
    assert people.count <= 128


@pytest.mark.filterwarnings('ignore:invalid value:RuntimeWarning')
def test_nan_and_infinity_raise_no_error():
    maps = draw(crowd(2, seed=3))
    for value in (np.nan, np.inf, -np.inf):
        assert decode(np.full_like(maps, value)).count <= 128
        holes = maps.copy()
        holes[np.random.RandomState(0).rand(*maps.shape) < 0.02] = value
        found = decode(holes)
        seen = found.detected()
        assert np.isfinite(found.keypoints[seen]).all()
        assert np.isnan(found.keypoints[~seen][:, :2]).all()
        pafs = maps.copy()
        pafs[19:] = value
        found = decode(pafs)
        assert np.isfinite(found.keypoints[found.detected()]).all()
    nothing = np.full_like(maps, np.nan)
    assert decode(nothing).count == 0


def test_noise_gives_no_people():
    random = np.random.RandomState(0)
    noise = np.clip(random.randn(57, 46, 54) * 0.05, -1, 1).astype(np.float32)
    assert decode(noise).count == 0


def test_noise_on_people_changes_little():
    people = crowd(8, seed=4)
    noise = np.random.RandomState(1).randn(57, 46, 54).astype(np.float32) * np.float32(0.03)
    distance = errors(decode(draw(people) + noise), people)
    assert np.isnan(distance).sum() == 0
    assert np.median(distance[inside(people, 20)]) < 1.0


def test_outputs_are_checked_against_the_card():
    decoder = create_decoder(card())
    decoder.check_outputs({'output': np.zeros((57, 46, 54), np.float32)})
    decoder.check_outputs({'output': np.zeros((60, 46, 54), np.float32), 'more': np.zeros(3)})
    for shape in ((56, 46, 54), (57, 46, 53), (57, 54, 46), (1, 57, 46, 54), (46, 54)):
        with pytest.raises(CardError) as error:
            decoder.check_outputs({'output': np.zeros(shape, np.float32)})
        assert "'output'" in str(error.value) and ' x '.join(map(str, shape)) in str(error.value)
    with pytest.raises(CardError, match="no output 'output'; the network yields other"):
        decoder.check_outputs({'other': np.zeros((57, 46, 54), np.float32)})


def test_settings_can_change_between_frames():
    decoder = create_decoder(card())
    maps = {'output': draw(crowd(5, seed=9))}
    assert models.decoded(decoder, maps).count == 5
    decoder.configure(peak_threshold=1.0)
    assert models.decoded(decoder, maps).count == 0
    with pytest.raises(PoseRosError, match='peak_threshold must be within'):
        decoder.configure(limb_samples=20, peak_threshold=2.0)
    with pytest.raises(PoseRosError, match="unknown key 'people'"):
        decoder.configure(people=3)
    assert decoder.settings['limb_samples'] == 10  # all or nothing
    decoder.settings['peak_threshold'] = 0.05  # a copy: editing it changes nothing
    assert models.decoded(decoder, maps).count == 0


def test_every_parameter_is_described():
    parameters = decoder_parameters('paf')
    assert len({parameter.name for parameter in parameters}) == len(parameters) == 7
    for parameter in parameters:
        assert parameter.dynamic and parameter.description
        assert parameter.checked(parameter.default) == parameter.default
        assert parameter.minimum is not None and parameter.maximum is not None
    with pytest.raises(CardError, match="unknown decoder type 'magic'"):
        decoder_parameters('magic')


def test_pafs_too_tall_for_the_decoder():
    """57 channels of 574 rows are stacked into 32718 rows, which OpenCV just takes."""
    for rows, fits in ((574, True), (575, False)):
        spec = dict(models.card_data()['input'], height=8 * rows, width=16)
        decoder = create_decoder(models.tiny_card(input=spec))
        outputs = {'output': np.zeros((57, rows, 2), np.float32)}
        if fits:
            decoder.check_outputs(outputs)
            assert models.decoded(decoder, outputs).count == 0
            continue
        with pytest.raises(CardError, match='too large for this decoder'):
            decoder.check_outputs(outputs)
