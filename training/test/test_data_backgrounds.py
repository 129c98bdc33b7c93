# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Other backgrounds behind people with a mask: pixels, the same for each draw, and errors."""
import cv2
from figures import write_figures, write_run
import numpy as np
import pytest

from pose_ros.core.topology import get_topology
from pose_training.cli.main import main
from pose_training.data.dataset import CropSpec
from pose_training.data.person_geometry import PersonRange
from pose_training.data.sets import read_sets, SetConfig
from pose_training.families.registry import make_family

STILL = PersonRange(padding=1., scale=0., aspect=0., shift=0., upright=1., turned=0., any_angle=0.,
                    flip=0., half_body=0., patches=0., replaced=1.)
FAMILY = make_family('heatmap', 'coco_17')


@pytest.fixture
def folders(tmp_path):
    """Write images of 96 px, masks that are white on their left half, and a red background."""
    data = write_figures(tmp_path / 'data', 3)
    mask = np.zeros((96, 96), np.uint8)
    mask[:, :48] = 255
    for name in ('masks', 'behind'):
        (tmp_path / name).mkdir()
    for number in range(2):  # the third image has none
        cv2.imwrite(str(tmp_path / 'masks' / 'figures_{}.jpg'.format(number)), mask)
    cv2.imwrite(str(tmp_path / 'behind' / 'a.png'), np.full((40, 70, 3), (0, 0, 255), np.uint8))
    return tmp_path, data


def crops(folders, ranges):
    """Return the dataset of the crops."""
    folder, data = folders
    samples, _ = read_sets([SetConfig(data, masks=str(folder / 'masks'))],
                           get_topology('coco_17'), FAMILY)
    return FAMILY.dataset(samples, CropSpec((96, 96), 4, FAMILY, person=ranges))


def test_the_area_outside_the_mask_shows_another_image(folders):
    plain = crops(folders, STILL)
    other = crops(folders, STILL._replace(backgrounds=(str(folders[0] / 'behind'),)))
    left, top, width, _ = other.samples[0].boxes[0]
    edge = int((48 - left - width / 2) * 96 / max(other.samples[0].boxes[0][2:]) + 48)
    found, wanted = (dataset.draw(0, 0)[0] for dataset in (other, plain))
    assert np.abs(found.image[20:76, :edge - 4].astype(int)
                  - wanted.image[20:76, :edge - 4]).max() <= 12  # JPEG of the mask
    behind = found.image[20:76, edge + 4:76]
    assert behind.size and (behind[..., 2] > 240).all() and behind[..., :2].max() < 15
    np.testing.assert_array_equal(found.people, wanted.people)
    np.testing.assert_array_equal(other.draw(0, 0)[0].image, found.image)  # as a cache needs


def test_images_without_a_mask_and_other_draws_stay(folders):
    plain = crops(folders, STILL)
    folder = (str(folders[0] / 'behind'),)
    always, never = (crops(folders, STILL._replace(backgrounds=folder, replaced=share))
                     for share in (1., 0.))
    assert [bool(sample.mask) for sample in always.samples] == [True, True, False]
    np.testing.assert_array_equal(always.draw(2, 0)[0].image, plain.draw(2, 0)[0].image)
    np.testing.assert_array_equal(never.draw(0, 0)[0].image, plain.draw(0, 0)[0].image)


@pytest.mark.parametrize('changes, message', [
    ({'data__person': {'backgrounds': ['BEHIND']}}, 'no image of data.train has a mask'),
    ({'MASKS': 'behind'}, 'must be equal up to the ending'),
    ({'MASKS': 'nowhere'}, 'is not there'),
    ({'MASKS': 'masks', 'data__person': {'backgrounds': ['EMPTY']}}, 'has no images'),
    ({'data__person': {'replaced': 2.}}, 'replaced: 2.0 is not a probability')])
def test_faults_are_named(folders, capsys, changes, message):
    folder, data = folders
    (folder / 'empty').mkdir()
    places = {'BEHIND': str(folder / 'behind'), 'EMPTY': str(folder / 'empty')}
    changes = {key: {inner: [places[name] for name in value] if isinstance(value, list) else value
                     for inner, value in part.items()} if isinstance(part, dict) else part
               for key, part in changes.items()}
    entry = {'path': data}
    if 'MASKS' in changes:
        entry['masks'] = str(folder / changes.pop('MASKS'))
    model = {'name': 'cpm_hand_v2', 'topology': 'coco_17', 'options': {'width': .125}}
    config = write_run(folder, data, model=model, data__train=[entry], **changes)
    assert main(['fit', config]) == 1
    assert message in capsys.readouterr().err


def test_packed_images_have_no_masks(folders, capsys):
    folder, data = folders
    config = write_run(folder, data, model={'name': 'lite_pose_crop'}, data__person={
        'backgrounds': [str(folder / 'behind')]})
    assert main(['pack', config, '-o', str(folder / 'packed')]) == 1
    assert 'data.person.backgrounds needs pose-train fit' in capsys.readouterr().err
