# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Entries of a loader: equal for the same seed, and no crash for an invalid image."""
import logging
import os

import cv2
import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader

from coco_files import coco, person, sample, write
from pose_ros.core.topology import get_topology
from pose_training.data.annotations import read_dataset
from pose_training.data.dataset import CropSpec, CropRequest, CropSampler, PoseDataset
from pose_training.data.geometry import CropRange
from pose_training.families.family import Targets
from pose_training.errors import ConfigError, DataError
from pose_training.families.registry import make_family

COCO_18, FAMILY = get_topology('coco_18'), make_family('paf', 'coco_18')
PLAIN = CropRange(background=0., mosaic=0.)
UPRIGHT = PLAIN._replace(rotation=0., stretch=0., shift=0., flip=0., free=0., height=(.5, .5))


def spec(geometry=PLAIN, size=(64, 48), **more):
    """Return what crops are like."""
    return CropSpec(size, 8, FAMILY, geometry, **more)


def images(folder, count=4, size=(100, 80), files=None):
    """Return samples of one person each, in images of noise."""
    files = files or ['{}.png'.format(number) for number in range(count)]
    path = write(folder, coco([person(number + 1) for number in range(len(files))], size, files))
    return read_dataset(path, COCO_18)


def test_an_entry_is_an_image_maps_and_weights(tmp_path):
    dataset = PoseDataset(images(tmp_path), spec())
    image, maps, weights = dataset[CropRequest(0, 0, 0)]
    assert image.shape == (3, 48, 64) and image.dtype == torch.uint8
    assert maps.shape == weights.shape == (57, 6, 8)
    assert maps.dtype == weights.dtype == torch.float32
    assert len(dataset) == 4


def test_geometry_depends_on_seed_image_and_variant_and_light_on_the_draw(tmp_path):
    samples = images(tmp_path)
    dataset, again = PoseDataset(samples, spec(), 7), PoseDataset(samples[::-1], spec(), 7)
    first = dataset[CropRequest(1, 5, 1)]
    assert all(torch.equal(a, b) for a, b in zip(first, dataset[CropRequest(1, 5, 1)]))
    other_light = dataset[CropRequest(1, 5, 2)]
    assert torch.equal(first[1], other_light[1]) and torch.equal(first[2], other_light[2])
    assert not torch.equal(first[0], other_light[0])
    # Its place in the list does not matter.
    assert all(torch.equal(a, b) for a, b in zip(first, again[CropRequest(2, 5, 1)]))
    for other in (dataset[CropRequest(1, 6, 1)], dataset[CropRequest(2, 5, 1)],
                  PoseDataset(samples, spec(), 8)[CropRequest(1, 5, 1)]):
        assert not torch.equal(first[1], other[1])


def test_images_in_memory_give_the_same_crops(tmp_path, caplog):
    samples = images(tmp_path)
    read, kept, some = (PoseDataset(samples, spec()) for _ in range(3))
    kept.preload()
    with caplog.at_level(logging.WARNING):
        some.preload(most=2 * 100 * 80 * 3)
    assert '2 of 4 images fit into' in caplog.text
    for found in samples:
        (tmp_path / found.path).rename(tmp_path / (found.path + '.away'))
    crops = [kept.draw(index, 0)[0].image for index in range(4)]
    assert [path[-5:] for path in kept.unusable] == []
    for found in samples:
        (tmp_path / (found.path + '.away')).rename(tmp_path / found.path)
    for index in range(4):
        assert np.array_equal(crops[index], read.draw(index, 0)[0].image)
        assert np.array_equal(crops[index], some.draw(index, 0)[0].image)


def damaged(folder):
    """Return a valid sample and others: cut, empty, missing, or of another size."""
    samples = images(folder, files=['fine.png', 'cut.jpg', 'empty.png', 'other.png', 'gone.png'])
    whole = (folder / 'cut.jpg').read_bytes()
    (folder / 'cut.jpg').write_bytes(whole[:len(whole) // 2])
    (folder / 'empty.png').write_bytes(b'')
    cv2.imwrite(str(folder / 'other.png'), np.zeros((80, 90, 3), np.uint8))
    (folder / 'gone.png').unlink()
    return samples


def test_images_that_cannot_be_used_are_named_once_and_replaced(tmp_path, caplog):
    dataset = PoseDataset(damaged(tmp_path), spec())
    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            for index in range(5):
                assert dataset[CropRequest(index, index, 0)][0].shape == (3, 48, 64)
    logged = [record.getMessage() for record in caplog.records]
    assert len(logged) == 4
    for name, words in (('cut.jpg', 'is cut short'), ('empty.png', 'is empty'),
                        ('gone.png', 'No such file'),
                        ('other.png', 'has 90 x 80 pixels, but its labels are for 100 x 80')):
        [line] = [line for line in logged if name in line]
        assert words in line and 'cannot be used' in line
    assert logged[-1].endswith('(4 of 5 images cannot be used)')
    assert sorted(path.split('/')[-1] for path in dataset.unusable) == [
        'cut.jpg', 'empty.png', 'gone.png', 'other.png']


def test_images_above_the_limit_are_left_out_before_they_are_decoded(tmp_path, caplog):
    (tmp_path / 'large').mkdir()
    samples = images(tmp_path, 2) + images(tmp_path / 'large', 1, (200, 160))
    dataset = PoseDataset(samples, spec(max_pixels=100 * 80))
    assert dataset[CropRequest(2, 0, 0)][0].shape == (3, 48, 64)
    assert [path.split('/')[-2] for path in dataset.unusable] == ['large']
    assert '200 x 160 px, more than the limit of 0.008 million (max_pixels)' in caplog.text


def test_a_pipe_is_no_image(tmp_path, caplog):
    samples = images(tmp_path, 2)
    (tmp_path / '1.png').unlink()
    os.mkfifo(tmp_path / '1.png')
    dataset = PoseDataset(samples, spec())
    assert dataset[CropRequest(1, 0, 0)][0].shape == (3, 48, 64)
    assert 'it is a pipe, not a regular file' in caplog.text


def test_unusable_images_are_shared_by_all_loader_processes(tmp_path):
    dataset = PoseDataset(damaged(tmp_path), spec())
    draws = CropSampler(np.ones(5), 40, 4)
    batches = list(DataLoader(dataset, 4, sampler=draws, num_workers=2,
                              multiprocessing_context='fork'))
    assert len(batches) == 10 and batches[0][0].shape == (4, 3, 48, 64)
    assert len(dataset.unusable) == 4


def test_replacements_are_the_same_each_time(tmp_path):
    samples = images(tmp_path, 6)
    (tmp_path / '3.png').write_bytes(b'')
    crops = [PoseDataset(samples, spec()).draw(3, variant)[0].image for variant in (0, 0, 1)]
    assert np.array_equal(crops[0], crops[1]) and not np.array_equal(crops[0], crops[2])


def test_it_is_an_error_if_no_image_can_be_used(tmp_path):
    samples = images(tmp_path)
    for found in samples:
        (tmp_path / found.path).write_bytes(b'no image')
    with pytest.raises(DataError, match='4 of the 4 images cannot be used, the last'):
        PoseDataset(samples, spec())[CropRequest(0, 0, 0)]
    with pytest.raises(DataError, match='4 of the 4 images cannot be used'):
        PoseDataset(samples, spec()).preload()


def bright_nose(folder, name, image, **more):
    """Write an image with a light at (70, 30), labelled as a nose; return a dataset of it."""
    people = np.zeros((1, 18, 3))
    people[0, 0] = (70, 30, 2)
    path = folder / name
    more = {'size': (100, 80), 'boxes': [[60, 20, 20, 20]], 'path': str(path), **more}
    if image is not None:
        assert cv2.imwrite(str(path), image)
    return PoseDataset([sample(people, **more)], spec(UPRIGHT))


def nose_is_bright(dataset):
    """Return whether the light of the crop is at the labelled nose."""
    crop, targets = dataset.draw(0, 0)
    light = crop.image[..., 1].astype(float) - np.median(crop.image[..., 1])
    y, x = np.mgrid[:48, :64]
    middle = np.array([(x * light).sum(), (y * light).sum()]) / light.sum()
    # The center of the box, half a pixel from the nose, in the middle; 1.2 times as large.
    assert crop.people[0, 0, :2] == pytest.approx((32.1, 24.1), abs=1e-3)
    return np.abs(middle - crop.people[0, 0, :2]).max() < .5


def dot(width=100, height=80, x=70, y=30, channels=3, kind=np.uint8):
    """Return an image of a light on black."""
    image = np.zeros((height, width, channels), kind)
    cv2.circle(image, (x, y), 4, (float(np.iinfo(kind).max),) * channels, cv2.FILLED)
    return image


@pytest.mark.parametrize('channels, kind', [(1, np.uint8), (4, np.uint8), (1, np.uint16),
                                            (3, np.uint16)])
def test_gray_and_deep_and_transparent_images_are_read(tmp_path, channels, kind):
    assert nose_is_bright(bright_nose(tmp_path, 'x.png', dot(channels=channels, kind=kind)))


def with_orientation(path, value):
    """Put an EXIF orientation into a JPEG file."""
    tiff = b'MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0' + bytes([value]) + b'\0\0\0\0\0\0'
    data = path.read_bytes()
    block = b'Exif\0\0' + tiff
    path.write_bytes(data[:2] + b'\xff\xe1' + (len(block) + 2).to_bytes(2, 'big') + block
                     + data[2:])


def test_a_rotated_image_is_read_in_the_orientation_of_its_labels(tmp_path):
    # Stored upright, with a flag of a quarter rotation that the labels ignore.
    stored = bright_nose(tmp_path, 'stored.jpg', dot())
    with_orientation(tmp_path / 'stored.jpg', 6)
    assert nose_is_bright(stored)
    # Stored rotated: (x, y) of the upright image is (y, 99 - x) here. The labels are upright.
    turned = bright_nose(tmp_path, 'turned.jpg', dot(80, 100, 30, 99 - 70))
    with_orientation(tmp_path / 'turned.jpg', 6)
    assert nose_is_bright(turned)
    unsized = bright_nose(tmp_path, 'turned.jpg', None, size=None)
    assert nose_is_bright(unsized)


def test_large_images_are_reduced_and_their_labels_with_them(tmp_path):
    image = cv2.resize(dot(), (1010, 807), interpolation=cv2.INTER_NEAREST)
    dataset = bright_nose(tmp_path, 'x.png', image, size=(100, 80))
    assert nose_is_bright(dataset)  # a copy ten times as large, and reduced to 768 px
    people = np.zeros((1, 18, 3))
    people[0, 0] = (70.5 * 10.1 - .5, 30.5 * 807 / 80 - .5, 2)
    crop = PoseDataset([sample(people, (1010, 807), [[0, 0, 1010, 807]],
                               path=str(tmp_path / 'x.png'), ignored=(
                                   {'bbox': [505, 0, 505, 807]},))],
                       spec(UPRIGHT._replace(max_side=64, height=(4 / 3, 4 / 3)))).draw(0, 0)[0]
    light = crop.image[..., 1].astype(float)
    y, x = np.mgrid[:48, :64]
    assert (x * light).sum() / light.sum() == pytest.approx(crop.people[0, 0, 0], abs=.3)
    assert (y * light).sum() / light.sum() == pytest.approx(crop.people[0, 0, 1], abs=.3)
    assert crop.known[:, :32].all() and not crop.known[:, 32:].any()


def test_one_image_may_be_a_single_pixel(tmp_path):
    dataset = PoseDataset([sample(np.full((1, 18, 3), 0.), (1, 1), path=str(tmp_path / 'x.png'))],
                          spec(CropRange(background=1., mosaic=.5)))
    cv2.imwrite(str(tmp_path / 'x.png'), np.zeros((1, 1, 3), np.uint8))
    for variant in range(10):
        assert dataset[CropRequest(0, variant, 0)][0].shape == (3, 48, 64)


def test_the_background_is_from_images_without_people(tmp_path):
    samples = images(tmp_path, 2)
    (tmp_path / 'empty').mkdir()
    cv2.imwrite(str(tmp_path / 'empty' / 'a.png'), np.full((50, 40, 3), (1, 2, 3), np.uint8))
    empty = read_dataset(str(tmp_path / 'empty'), COCO_18)
    geometry = UPRIGHT._replace(background=1., height=(.2, .2))
    crop, targets = PoseDataset(samples + empty, spec(geometry)).draw(0, 0)
    assert crop.image[0, 0].tolist() == crop.image[-1, -1].tolist() == [1, 2, 3]
    assert crop.known.all()
    reflected = PoseDataset(samples, spec(geometry)).draw(0, 0)[0]
    assert len(np.unique(reflected.image[0])) > 20 and not reflected.known.all()


def test_cache_keys_of_crops_differ_by_image(tmp_path):
    samples, keys = images(tmp_path), []

    class Soft:
        def targets(self, key, crop, hard):
            keys.append(key)
            return Targets(hard.maps + 1, hard.weights)
    dataset = PoseDataset(samples, spec(), soft=Soft())
    for draw in (CropRequest(0, 0, 1), CropRequest(0, 0, 2), CropRequest(0, 1, 1),
                 CropRequest(1, 0, 1)):
        assert dataset[draw][1].min() >= 0
    assert keys[0] == keys[1] and len(set(keys)) == 3
    # Another image with the same file name has another key.
    cv2.imwrite(samples[0].path, np.zeros((80, 100, 3), np.uint8))
    dataset[CropRequest(0, 0, 1)]
    assert keys[-1] not in keys[:-1]
    PoseDataset(samples, spec(size=(64, 48))._replace(stride=4), soft=Soft()).draw(1, 0)
    assert keys[-1] not in keys[:-1]  # the maps are on another grid


def test_in_a_mirrored_crop_the_other_side_lacks_its_labels(tmp_path):
    left, right = (COCO_18.index(side + '_wrist') for side in ('left', 'right'))
    labelled = np.arange(18) != left
    samples = [found._replace(labelled=labelled) for found in images(tmp_path, 1)]
    for flip, lacking in ((0., left), (1., right)):
        targets = PoseDataset(samples, spec(UPRIGHT._replace(flip=flip))).draw(0, 0)[1]
        assert [k for k in range(18) if not targets.weights[k].any()] == [lacking]


@pytest.mark.parametrize('size', [(60, 48), (64, 44), (0, 0)])
def test_crops_must_fit_the_maps(tmp_path, size):
    with pytest.raises(ConfigError, match="multiples of the network's stride, 8"):
        PoseDataset(images(tmp_path), spec(size=size))


def test_no_images_are_an_error():
    with pytest.raises(DataError, match='no images to train on'):
        PoseDataset([], spec())
