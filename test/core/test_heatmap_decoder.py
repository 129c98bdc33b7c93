# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""The heatmap decoder on drawn maps: sub-cell positions, grids, mirror images."""
import numpy as np
import pytest

from pose_ros.core.card import parse_card
from pose_ros.core.decoders import create_decoder
from pose_ros.core.errors import CardError
from pose_ros.core.topology import get_topology

WIDTH, HEIGHT, COLUMNS, ROWS = 192, 256, 48, 64
COCO = get_topology('coco_17')


def card(grid='half_pixel', channels=None, **settings):
    outputs = {'tensor': 'maps', 'channels': channels or list(range(17)), 'grid': grid}
    return parse_card({
        'schema': 1, 'name': 'crops', 'version': '1', 'license': 'MIT', 'task': 'pose',
        'topology': 'coco_17', 'provenance': {},
        'input': {'height': HEIGHT, 'width': WIDTH, 'color': 'rgb', 'scale': 1.0,
                  'mean': [0.0] * 3, 'std': [1.0] * 3, 'fit': 'crop', 'align': 'center',
                  'interpolation': 'linear', 'pad_value': 0},
        'decoder': {'type': 'heatmap', 'outputs': outputs, 'settings': settings}}, 'test')


def draw(cells, sigma=2.0, peak=1.0):
    """Gaussians at places (17, 2) in cells, x and y."""
    rows, columns = np.mgrid[:ROWS, :COLUMNS]
    squared = (columns - cells[:, 0, None, None]) ** 2 + (rows - cells[:, 1, None, None]) ** 2
    return (peak * np.exp(-squared / (2 * sigma ** 2))).astype(np.float32)


def places(seed=0, border=3):
    random = np.random.RandomState(seed)
    return random.uniform(border, (COLUMNS - 1 - border, ROWS - 1 - border), (17, 2))


def pixels(cells, grid):
    size, count = np.array((WIDTH, HEIGHT)), np.array((COLUMNS, ROWS))
    return {'half_pixel': (cells + .5) * size / count - .5, 'corner': cells * size / count,
            'udp': cells * (size - 1.) / (count - 1)}[grid]


@pytest.mark.parametrize('grid', ['half_pixel', 'corner', 'udp'])
@pytest.mark.parametrize('refinement, limit', [('dark', 0.3), ('quarter', 1.8), ('none', 2.1)])
def test_positions_on_each_grid(grid, refinement, limit):
    cells = places()
    found = create_decoder(card(grid, refinement=refinement)).decode({'maps': draw(cells)})
    assert found.keypoints.shape == (1, 17, 3) and np.isnan(found.boxes).all()
    error = np.abs(found.keypoints[0, :, :2] - pixels(cells, grid)).max()
    assert error < limit
    assert refinement == 'dark' or error > 0.3  # the limits tell the refinements apart


def test_scores_are_peaks_and_their_mean():
    cells = np.floor(places())
    maps = draw(cells)
    maps[3] *= 0.5
    maps[5] *= 0.05
    found = create_decoder(card()).decode({'maps': maps})
    assert found.keypoints[0, 3, 2] == pytest.approx(0.5)
    assert found.keypoints[0, 5].tolist() == [0, 0, 0]  # below keypoint_threshold
    assert found.scores[0] == pytest.approx((15 + 0.5) / 16)
    nothing = create_decoder(card()).decode({'maps': np.zeros_like(maps)})
    assert nothing.scores.tolist() == [0] and not nothing.keypoints.any()


def test_a_certain_keypoint_may_have_the_value_255():
    maps = draw(np.floor(places()))
    data = card()
    outputs = dict(data.decoder.outputs, peak=255)
    decoder = create_decoder(data._replace(decoder=data.decoder._replace(outputs=outputs)))
    found, plain = decoder.decode({'maps': 255 * maps}), create_decoder(card()).decode(
        {'maps': maps})
    np.testing.assert_allclose(found.keypoints, plain.keypoints, atol=1e-3)


def test_a_peak_at_the_border_stays_in_its_cell():
    cells = places()
    cells[0], cells[1] = (0, 0), (COLUMNS - 1, ROWS - 1)
    found = create_decoder(card()).decode({'maps': draw(cells)}).keypoints[0]
    assert found[0, :2].tolist() == [1.5, 1.5]
    assert found[1, :2].tolist() == [WIDTH - 2.5, HEIGHT - 2.5]


def test_two_peaks_do_not_pull_at_each_other():
    """A second person in the crop, with lower peaks, moves nothing by more than a tenth cell."""
    cells = places(border=12)
    maps = np.maximum(draw(cells), draw(cells + (9, 0), peak=0.8))
    found = create_decoder(card()).decode({'maps': maps}).keypoints[0, :, :2]
    assert np.abs(found - pixels(cells, 'half_pixel')).max() < 0.5


def test_channels_may_be_scattered():
    order = np.random.RandomState(1).permutation(20)
    maps = np.zeros((20, ROWS, COLUMNS), np.float32)
    cells = places()
    maps[order[:17]] = draw(cells)
    decoder = create_decoder(card(channels=[int(k) for k in order[:17]]))
    found = decoder.decode({'maps': maps}).keypoints[0, :, :2]
    assert np.abs(found - pixels(cells, 'half_pixel')).max() < 0.3


@pytest.mark.parametrize('grid, limit', [('half_pixel', 1e-3), ('udp', 1e-3), ('corner', 1.1)])
def test_the_mirror_image_gives_the_same_keypoints(grid, limit):
    """A mirrored crop shows each keypoint at W - 1 - x, in the channel of its counterpart."""
    cells = places(border=8)
    decoder = create_decoder(card(grid))
    plain = decoder.decode({'maps': draw(cells)}).keypoints[0]
    size, count = float(WIDTH), float(COLUMNS)
    mirrored_pixels = WIDTH - 1 - pixels(cells, grid)[:, 0]
    across = {'half_pixel': (mirrored_pixels + .5) * count / size - .5,
              'corner': mirrored_pixels * count / size,
              'udp': mirrored_pixels * (count - 1) / (size - 1)}[grid]
    mirrored = np.column_stack([across, cells[:, 1]])[list(COCO.mirror)]
    back = decoder.decode(decoder.unmirrored({'maps': draw(mirrored)})).keypoints[0]
    assert np.abs(back - plain).max() < limit


@pytest.mark.parametrize('outputs, words', [
    ({'tensor': 3}, "'tensor' must be an output name"), ({'grid': 'center'}, "'grid' must be one"),
    ({'channels': [1, 2]}, r'one channel per keypoint \(17\)'), ({'extra': 1}, "unknown key 'ex"),
    ({'channels': [-1] * 17}, 'one channel per keypoint'),
    ({'peak': 0}, "'peak' must be a number from 0.001")])
def test_invalid_outputs_are_named(outputs, words):
    data = card()
    decoder = data.decoder._replace(outputs=dict(data.decoder.outputs, **outputs))
    with pytest.raises(CardError, match=words):
        create_decoder(data._replace(decoder=decoder))


def test_outputs_of_the_network_are_checked():
    decoder = create_decoder(card())
    decoder.check_outputs({'maps': np.zeros((17, 64, 48))})
    with pytest.raises(CardError, match="no output 'maps'; the network yields heat"):
        decoder.check_outputs({'heat': np.zeros((17, 64, 48))})
    with pytest.raises(CardError, match='more than 16 maps per crop.* 16 x 64 x 48'):
        decoder.check_outputs({'maps': np.zeros((16, 64, 48))})
