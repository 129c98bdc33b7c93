# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Drawings of what a network sees."""
import json

import models
import numpy as np
import pytest

from networks import make_constant, make_part
from painted import BOXES, detector, paint, pose
from pose_ros.core import PoseEstimator, PoseRosError
from pose_ros.core.adoption import adopt
from pose_ros.core.errors import CardError
from pose_ros.core.frame import Frame
from pose_ros.core.panels import draw_panels, has_maps


def tiles(picture, width, height):
    """Return the panels of a picture in their order."""
    rows, columns = picture.shape[0] // height, picture.shape[1] // width
    return [picture[r * height:(r + 1) * height, c * width:(c + 1) * width]
            for r in range(rows) for c in range(columns)]


def reddest(panel):
    """Return the pixel (x, y) above the title with the most red and least blue."""
    part = panel[:-24].astype(int)
    y, x = np.unravel_index((part[..., 2] - part[..., 0]).argmax(), part.shape[:2])
    return x, y


def test_maps_of_crops(tmp_path):
    """The crop of the best person; the dots are where its heatmaps are red."""
    estimator = PoseEstimator.of_network(pose(), detector())
    image, dots = paint(BOXES)
    frame = Frame(image)
    people = estimator(frame)
    before = image.copy()
    panels = tiles(draw_panels(estimator, frame, people), 96, 128)
    assert (image == before).all()
    seen, together, left, right = panels[:4]
    assert all(not panel.any() for panel in panels[4:])
    left_x, left_y = reddest(left)
    right_x, right_y = reddest(right)
    # Left is at a quarter of the width and height of the box, which fills 1 / 1.25 of the crop.
    assert left_x < 48 < right_x and left_y < right_y
    assert tuple(seen[right_y, right_x] > 128) == (True, False, True)
    for x, y in ((left_x, left_y), (right_x, right_y)):
        assert together[y, x, 2] > together[y, x, 0]
    whole_frame = tiles(draw_panels(estimator, frame, people.select([])), 96, 128)
    assert (whole_frame[0] != seen).any()


def test_heatmaps_and_fields_of_whole_images(tiny_model, tiny_people):
    estimator = PoseEstimator(tiny_model, 'onnxruntime')
    frame = Frame(models.image())
    picture = draw_panels(estimator, frame, estimator(frame))
    panels = tiles(picture, models.WIDTH, models.HEIGHT)
    count = 3 + 18 + len(models.LIMBS)  # input, keypoints, limbs
    assert all(panel.any() for panel in panels[:count])
    assert not any(panel.any() for panel in panels[count:])
    neck = panels[3 + 1]
    for x, y in tiny_people[:, 1]:
        assert neck[int(y), int(x), 2] > 100 > neck[int(y), int(x) + 25, 2]
    limbs = panels[2].astype(int)
    x, y = tiny_people[0, [2, 3]].mean(0).astype(int)  # the middle of an upper arm
    assert limbs[y, x, 1:].max() > limbs[5, 80, 1:].max() + 50


def dotted(row, column, channels):
    """Return maps (1, channels, 16, 12) with a peak at one cell of the first channel."""
    maps = np.zeros((1, channels, 16, 12))
    maps[0, 0, row, column] = 1
    return maps


def stage_panels(tmp_path, outputs, changes):
    """Adopt a network of 48 x 64 px; return its card and the panels of a gray image."""
    path = make_constant(tmp_path / 'stages.onnx', outputs, (1, 3, 64, 48))
    result = adopt(path, changes=changes)
    estimator = PoseEstimator(result.path, 'onnxruntime')
    frame = Frame(np.full((64, 48, 3), 60, np.uint8))
    panels = tiles(draw_panels(estimator, frame, estimator(frame)), 48, 64)
    found = [panel for panel in panels if panel.any()]
    estimator.close()
    return result.card, found


def test_each_stage_of_a_convolutional_pose_machine(tmp_path):
    """The stages together, the last alone, and each heatmap of the last; in order of number."""
    pytest.importorskip('onnx')
    cells = {'stage_{}_out'.format(number): (4 * index + 2, 2 * index + 2)
             for index, number in enumerate((2, 9, 10))}
    outputs = {name: dotted(row, column, 15) for name, (row, column) in cells.items()}
    card, panels = stage_panels(tmp_path, {name: outputs[name] for name in sorted(outputs)},
                                {'topology': 'mpi_15', 'padding': 1.0})
    assert card.decoder.outputs['tensor'] == 'stage_10_out'
    assert card.decoder.outputs['stages'] == ['stage_2_out', 'stage_9_out']
    assert len(panels) == 1 + 2 + 1 + 15  # input, stages, keypoints, each
    for panel, (row, column) in zip(panels[1:4] + [panels[4]], list(cells.values())
                                    + [cells['stage_10_out']]):
        # The title covers the lowest rows.
        red = panel[..., 2].astype(int) - panel[..., 0]
        y, x = np.unravel_index(red[:44].argmax(), red[:44].shape)
        assert (y // 4, x // 4) == (row, column)


def test_stages_of_heatmaps_and_pafs(tmp_path):
    pytest.importorskip('onnx')
    outputs = {'{}_{}'.format(kind, stage): dotted(5, 5, count)
               for stage in (0, 1) for kind, count in (('heat', 19), ('pafs', 38))}
    card, panels = stage_panels(tmp_path, outputs, {'fit': 'stretch'})
    assert card.decoder.outputs['stages'] == [['heat_0', 'pafs_0']]
    assert card.decoder.outputs['heatmaps']['tensor'] == 'heat_1'
    assert len(panels) == 1 + 2 + 2 + 18 + 19


@pytest.mark.parametrize('stages', [7, [3], ['heat', ''], [['heat', 'pafs']], ['missing']])
def test_stages_of_a_card_are_checked(tmp_path, stages):
    pytest.importorskip('onnx')
    path = make_constant(tmp_path / 'model.onnx', {'heat': dotted(2, 2, 15)}, (1, 3, 64, 48))
    card = json.loads(adopt(path, changes={'topology': 'mpi_15'}).card.to_json())
    card['decoder']['outputs']['stages'] = stages
    with pytest.raises(CardError, match="no output 'missing'" if stages == ['missing'] else
                       "'stages' must be a list of one output name per stage before the last"):
        PoseEstimator(path, 'onnxruntime', card=card)


def test_each_decoder_with_maps_names_them(tiny_model):
    network = PoseEstimator(tiny_model, 'onnxruntime').network
    outputs = {name: array[0] for name, array in network.engine.infer(
        np.full((1, 3, models.HEIGHT, models.WIDTH), 255, np.float32)).items()}
    maps = network.decoder.maps(outputs)
    assert list(maps)[:2] == ['nose', 'neck'] and maps['neck'].shape == (16, 20)
    assert maps['neck-right_shoulder'].shape == (2, 16, 20)
    assert maps['neck-right_hip'][1].max() > .9  # y points down


def test_coordinates_are_no_maps(tmp_path):
    path = make_part(tmp_path / 'part.onnx', 'hand_21', np.ones((21, 2)))
    estimator = PoseEstimator(path, 'onnxruntime')
    assert not has_maps(estimator.network)
    frame = Frame(np.zeros((64, 64, 3), np.uint8))
    with pytest.raises(PoseRosError, match="hand_21 yields no maps: its decoder type is 'regres"):
        draw_panels(estimator, frame, estimator(frame))
