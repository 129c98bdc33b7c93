# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Keypoint files as other tools write them: training and evaluation read the same people."""
import logging
import struct

import cv2
import numpy as np
import pytest

from evaluated import annotation, changed, COCO, SIDE, symmetric_person, write_dataset, write_model
from pose_training.cli.main import main
from pose_training.data.annotations import read_dataset
from pose_training.data.coco import load_coco
from pose_training.data.images import read_labelled
from pose_training.device.packing import encoded
from pose_training.distillation.cleaning import mirrored
from pose_training.errors import DataError
from pose_training.evaluation.evaluate import evaluate
from pose_training.evaluation.labels import read_labels

PERSON = symmetric_person()
WHITE = np.full((SIDE, SIDE, 3), 255, np.uint8)
ENGINE = {'backend': 'onnxruntime', 'threads': 1}


@pytest.fixture(scope='module')
def model(tmp_path_factory):
    """Write a network that finds one person in white images."""
    return write_model(tmp_path_factory.mktemp('model') / 'known.onnx', PERSON)


@pytest.fixture
def data(tmp_path):
    """Write a dataset of three people, and return its path."""
    return write_dataset(tmp_path / 'set', {'0.png': WHITE, '1.png': WHITE, '2.png': WHITE},
                         [annotation(number, PERSON) for number in range(3)])


def assert_both_read(path, model, people=(1, 1, 1), images=''):
    """Assert that training and evaluation read these people, and that all of them are found."""
    samples = read_dataset(path, COCO, images=images)
    assert [len(sample.people) for sample in samples] == list(people)
    labels = read_labels(path, COCO, images)
    assert [len(found) for found in labels.people().values()] == list(people)
    for sample, found in zip(samples, labels.people().values()):
        truth = np.array([person['keypoints'] for person in found]).reshape(-1, 17, 3)
        np.testing.assert_allclose(sample.people, truth, atol=1e-4)
    [result] = evaluate(model, path, images=images, **ENGINE)
    assert result.figures['labelled_people'] == sum(people)
    assert result.figures['AP'] == pytest.approx(1)
    return result.figures


def texts(value):
    """Return data with all numbers as text."""
    if isinstance(value, list):
        return [texts(part) for part in value]
    return str(value) if isinstance(value, (int, float)) else value


def numbers_as_text(content):
    for entry in content['annotations']:
        for key in ('keypoints', 'bbox', 'area', 'iscrowd', 'image_id', 'category_id'):
            entry[key] = texts(entry[key])
        entry['num_keypoints'] = None
    for image in content['images']:
        image.update(width=str(SIDE), height=str(SIDE))


def ids_of_mixed_type(content):
    content['images'][0]['id'] = '0'
    content['annotations'][1]['image_id'] = '1'
    content['images'][2]['id'] = 'second'
    content['annotations'][2]['image_id'] = 'second'
    content['annotations'][2]['id'] = 'x'
    content['categories'][0]['id'] = '1'


def names_with_sides(content):
    content['categories'][0]['keypoints'] = [
        name.replace('left_', 'L-').replace('right_', 'R-').title()
        for name in content['categories'][0]['keypoints']]


def no_category_ids(content):
    for entry in content['annotations']:
        del entry['category_id']


def nulls(content):
    content['annotations'].append({'id': 9, 'image_id': 0, 'category_id': 1, 'keypoints': None,
                                   'bbox': None, 'segmentation': None, 'iscrowd': None})
    for entry in content['annotations'][:2]:
        entry.update(area=None, bbox=None, segmentation=None, iscrowd=None)
    content['images'][0].update(width=None, height=None)
    content['categories'][0]['skeleton'] = None


def zero_size_and_bad_limbs(content):
    content['images'][1].update(width=0, height=0)
    content['categories'][0]['skeleton'] = [[1, 99], [1, 2], 'ab']


@pytest.mark.parametrize('change', [
    numbers_as_text, ids_of_mixed_type, names_with_sides, no_category_ids, nulls,
    zero_size_and_bad_limbs], ids=lambda change: change.__name__)
def test_oddities_are_understood(data, model, change):
    assert_both_read(changed(data, change), model)


@pytest.mark.parametrize('encoding', ['utf-8-sig', 'utf-16'])
def test_byte_order_marks_are_understood(data, model, encoding):
    with open(data, encoding='utf-8') as stream:
        text = stream.read()
    with open(data, 'w', encoding=encoding) as stream:
        stream.write(text)
    assert_both_read(data, model)


def test_file_names_may_have_backslashes(tmp_path, model):
    path = write_dataset(tmp_path, {}, [annotation(number, PERSON) for number in range(3)])
    (tmp_path / 'train').mkdir()

    def change(content):
        for number in range(3):
            cv2.imwrite(str(tmp_path / 'train' / '{}.png'.format(number)), WHITE)
            content['images'].append({'id': number, 'file_name': 'train\\{}.png'.format(number)})
    assert_both_read(changed(path, change), model)


def test_images_may_lie_beside_the_annotations(tmp_path, model, data, capsys):
    (tmp_path / 'annotations').mkdir()
    path = tmp_path / 'annotations' / 'person_keypoints_val2017.json'
    with open(data, encoding='utf-8') as stream:
        path.write_text(stream.read())
    folder = str(tmp_path / 'set')
    assert_both_read(str(path), model, images=folder)
    arguments = ['evaluate', model, '--data', str(path), '--backend', 'onnxruntime']
    assert main(arguments) == 1
    assert 'none of its 3 images is there' in capsys.readouterr().err
    assert main(arguments + ['--images', folder]) == 0


def jpeg_turned(pixels, orientation):
    """Return a JPEG of the pixels as they are stored, with an EXIF orientation."""
    encoded = cv2.imencode('.jpg', pixels, [cv2.IMWRITE_JPEG_QUALITY, 95])[1].tobytes()
    tiff = b'II*\0' + struct.pack('<IHHHIHH', 8, 1, 0x112, 3, 1, orientation, 0) + b'\0' * 4
    exif = b'Exif\0\0' + tiff
    return encoded[:2] + b'\xff\xe1' + struct.pack('>H', len(exif) + 2) + exif + encoded[2:]


def test_labels_may_be_of_the_image_as_it_is_stored(tmp_path, model):
    wide = np.full((SIDE, 2 * SIDE, 3), 255, np.uint8)
    wide[:, SIDE:] = (255, 0, 0)
    folder = tmp_path / 'set'
    path = write_dataset(folder, {}, [annotation(0, PERSON)])
    (folder / 'turned.jpg').write_bytes(jpeg_turned(wide, 6))
    changed(path, lambda content: content['images'].append(
        {'id': 0, 'file_name': 'turned.jpg', 'width': 2 * SIDE, 'height': SIDE}))
    [sample] = read_dataset(path, COCO)
    [image] = read_labels(path, COCO).images
    for pixels in (read_labelled(sample.path, sample.size), read_labelled(image.path, image.size)):
        assert pixels.shape == wide.shape and np.abs(pixels.astype(int) - wide).mean() < 3
    assert evaluate(model, path, **ENGINE)[0].figures['images'] == 1
    content, size = encoded(sample, 2 * SIDE, 95)
    packed = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR)
    assert size == (2 * SIDE, SIDE) and np.abs(packed.astype(int) - wide).mean() < 3


def test_images_that_are_missing_or_damaged_are_counted_and_named(tmp_path, model, data, caplog,
                                                                  capsys):
    (tmp_path / 'set' / '0.png').unlink()
    whole = (tmp_path / 'set' / '1.png').read_bytes()
    (tmp_path / 'set' / '1.png').write_bytes(whole[:-20])
    with caplog.at_level(logging.WARNING):
        [result] = evaluate(model, data, **ENGINE)
    figures = result.figures
    assert (figures['images'], figures['images_left_out']) == (1, 2)
    assert figures['labelled_people'] == 1 and figures['AP'] == pytest.approx(1)
    text = caplog.text
    assert '1 of its 3 images are missing, such as ' in text and '0.png' in text
    assert '1 of its 2 images cannot be used, and are left out' in text and '1.png is cut' in text
    assert main(['evaluate', model, '--data', data, '--backend', 'onnxruntime']) == 0
    assert [line.split()[-1] for line in capsys.readouterr().out.splitlines()
            if line.startswith('... left out')] == ['2']


def test_labels_are_mirrored_by_names_of_any_form(data):
    plain, turned = load_coco(data, COCO), load_coco(changed(data, names_with_sides), COCO)
    assert turned.keypoint_names == COCO.keypoint_names
    assert turned.category['keypoints'][5] == 'L-Shoulder'
    one, other = (mirrored(file.people[0][0], file.keypoint_names) for file in (plain, turned))
    assert one['keypoints'] == other['keypoints'] != plain.people[0][0]['keypoints']


def test_two_names_of_one_keypoint_are_an_error(data):
    def change(content):
        content['categories'][0]['keypoints'][1:3] = ['left_eye', 'L-Eye']
    with pytest.raises(DataError, match='must be 1 to 255 different words'):
        read_dataset(changed(data, change), COCO)
