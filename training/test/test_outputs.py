# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Outputs of `pose-train`: never an input, whole or absent."""
import contextlib
import json
import os
import resource
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from evaluated import annotation, detections, symmetric_person, write_dataset, write_model
from figures import write_figures, write_run
from pose_training.checkpoint import save_checkpoint
from pose_training.cli.main import main
from pose_training.cli.options import image_files
from pose_training.data.coco import images_in
from pose_training.device.packing import pack
from pose_training.distillation.soft_targets import MapCache
from pose_training.errors import DataError, FitError, WeightsError
from pose_training.evaluation.failures import worst_images, write_failures
from pose_training.fitting.config import load_config
from pose_training.fitting.snapshots import _name_too, WholeFiles
from pose_training.models import create_model
from test_fitting_top_down import CROP, tiny

PERSON = symmetric_person()
TINY = {'widths': [4, 8, 8, 8, 8], 'depths': [1, 1, 1, 1, 1], 'neck': 8, 'head': 8}
TEACHER, CARD = ['--teacher', 'net.onnx'], ['--card', 'card.json']
EVALUATE = ['evaluate', 'net.onnx', '--data', 'labels.json', 'photos', '--json']
LABEL = ['label', 'photos', '--model', 'net.onnx', '--detector', 'boxes.onnx', '-o']
EXPORT = ['export', 'net.pt', '--facts', 'facts.json', '--images', 'photos', '-o']
FIT = ['run/config.yaml', '--output', 'run']


@contextlib.contextmanager
def full_disk(size):
    """Let every write beyond `size` bytes of a file fail (EFBIG, not ENOSPC)."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.fixture
def files(tmp_path, monkeypatch):
    """Inputs of every kind by name only, and other names of them, in the current folder."""
    monkeypatch.chdir(tmp_path)
    for name in ('labels.json', 'net.onnx', 'net.onnx.json', 'net.xml', 'net.bin', 'boxes.onnx',
                 'card.json', 'net.pt', 'other.pt', 'facts.json', 'weights.pb', 'weights.prototxt',
                 'net.engine.json'):
        Path(name).write_text('{}')
    for folder in ('photos', 'run'):
        os.mkdir(folder)
    cv2.imwrite('photos/a.png', np.zeros((8, 8, 3), np.uint8))
    Path('run/config.yaml').write_text('output: run  # a comment\nmodel: {checkpoint: run/x.pt}\n')
    for name in ('labels.json', 'net.onnx', 'net.pt'):
        os.link(name, 'hard_' + name)
        os.symlink(name, 'soft_' + name)
    os.symlink('photos/a.png', 'photo.json')
    return tmp_path


@pytest.mark.parametrize('words', [
    EVALUATE + ['labels.json'], EVALUATE + ['hard_labels.json'], EVALUATE + ['soft_labels.json'],
    EVALUATE + ['net.onnx'], EVALUATE + ['net.onnx.json'], EVALUATE + ['photos/a.png'],
    EVALUATE + ['card.json'] + CARD, EVALUATE + ['boxes.onnx', '--detector', 'boxes.onnx'],
    LABEL + ['photos/a.png'], LABEL + ['photo.json'], LABEL + ['boxes.onnx'],
    LABEL + ['card.json'] + CARD, LABEL + ['soft_net.onnx'],
    ['add-boxes', 'labels.json', '--detector', 'net.onnx', '-o', 'hard_labels.json'],
    ['add-boxes', 'labels.json', '--detector', 'net.onnx', '-o', 'net.onnx'],
    ['add-boxes', 'labels.json', '--detector', 'net.onnx', '-o', 'net.onnx.json'],
    ['clean', 'labels.json', '-o', 'labels.json'] + TEACHER,
    ['clean', 'labels.json', '-o', 'net.bin', '--teacher', 'net.xml'],
    ['clean', 'labels.json', '-o', 'soft_labels.json'] + TEACHER,
    ['clean', 'labels.json', '-o', 'net.onnx'] + TEACHER,
    ['clean', 'labels.json', '-o', 'card.json'] + TEACHER + CARD,
    ['average', 'net.pt', 'other.pt', '-o', 'other.pt'],
    ['average', 'net.pt', 'other.pt', '-o', 'hard_net.pt'],
    EXPORT + ['soft_net.pt'], EXPORT + ['net.pt'], EXPORT + ['facts.json'],
    EXPORT + ['photos/a.png'],
    ['export', 'net.pt', '-o', 'net.onnx', '--engine', '--facts', 'net.engine.json'],
    ['import', 'tf-graph', 'weights.pb', '--model', 'mobilenet_thin', '-o', 'weights.pb'],
    ['import', 'caffe', 'weights.pb', '--model', 'cmu', '--prototxt', 'weights.prototxt', '-o',
     'weights.prototxt'],
    ['fit'] + FIT, ['distill'] + FIT + TEACHER,
    ['view', '--data', 'photos', '-o', 'photos'],
    ['lone-hands', 'labels.json', '-o', 'photos', '--backgrounds', 'photos'],
    ['view', '--data', 'photos', '-o', './photos/']], ids=lambda words: ' '.join(words))
def test_no_output_is_an_input(files, capsys, words):
    before = {path: path.read_bytes() for path in files.rglob('*') if path.is_file()}
    assert main(words) == 2
    assert 'would overwrite the input' in capsys.readouterr().err
    assert before == {path: path.read_bytes() for path in files.rglob('*') if path.is_file()}


@pytest.mark.parametrize('words', [
    EVALUATE[:4] + ['--json', 'photo.json'], ['clean', 'labels.json', '-o', 'x.PNG'] + TEACHER,
    ['add-boxes', 'labels.json', '--detector', 'net.onnx', '-o', 'photo.json']],
    ids=lambda words: ' '.join(words))
def test_labels_are_not_written_onto_an_image_of_a_dataset(files, capsys, words):
    before = Path('photos/a.png').read_bytes()
    assert main(words) == 2 and 'the name of an image' in capsys.readouterr().err
    assert Path('photos/a.png').read_bytes() == before


def test_drawn_failures_do_not_replace_the_images_of_the_dataset(tmp_path):
    """Of an earlier run, say, which are a dataset of this one."""
    found = detections(tmp_path, [annotation(0, PERSON)], {0: [(PERSON + 900, .9)]})
    name = '001_oks_0.00_0.jpg'
    image = found.labels.images[0]
    os.rename(image.path, str(tmp_path / name))
    found.labels.images[0] = image._replace(path=str(tmp_path / name))
    with pytest.raises(DataError, match='is an image of the dataset'):
        write_failures(found, str(tmp_path), 1)
    assert (tmp_path / name).stat().st_size and worst_images(found, 1)


def test_folders_are_read_in_natural_order(tmp_path):
    names = ['frame_{}.jpg'.format(number) for number in range(1, 13)]
    for name in names:
        (tmp_path / name).write_bytes(b'')
    paths = [str(tmp_path / name) for name in names]
    assert list(image_files([str(tmp_path)])) == paths and images_in(str(tmp_path)) == paths


def test_a_full_disk_leaves_the_earlier_checkpoint(tmp_path):
    network = create_model('repvgg_fpn', 'coco_18', stages=1, **TINY)
    path = tmp_path / 'network.pt'
    path.write_text('earlier')
    with pytest.raises(WeightsError, match='network.pt: File too large'), full_disk(20000):
        save_checkpoint(str(path), network)
    with pytest.raises(FitError, match='File too large'), full_disk(20000):
        WholeFiles().save_checkpoint({'a': torch.zeros(20000)}, str(path))
    assert path.read_text() == 'earlier' and os.listdir(tmp_path) == ['network.pt']


def test_a_full_disk_leaves_no_part_of_a_copied_snapshot(tmp_path, monkeypatch):
    (tmp_path / 'last.ckpt').write_bytes(b'x' * 9000)

    def no_links(source, target):
        raise OSError(95, 'Operation not supported')
    monkeypatch.setattr(os, 'link', no_links)
    with pytest.raises(OSError, match='File too large'), full_disk(5000):
        _name_too(str(tmp_path / 'last.ckpt'), str(tmp_path / 'epoch_0001.ckpt'))
    assert os.listdir(tmp_path) == ['last.ckpt']
    _name_too(str(tmp_path / 'last.ckpt'), str(tmp_path / 'epoch_0001.ckpt'))
    assert (tmp_path / 'epoch_0001.ckpt').stat().st_size == 9000


def test_a_full_disk_leaves_no_part_of_cached_maps(tmp_path):
    cache = MapCache(str(tmp_path), {'name': 'teacher'})
    with pytest.raises(DataError, match='cannot write to the cache'), full_disk(1000):
        cache.save('key', np.zeros((4, 50, 50)))
    assert os.listdir(tmp_path) == ['teachers.json']


def test_a_link_planted_in_a_cache_is_not_followed(tmp_path):
    victim = tmp_path / 'victim'
    victim.write_text('precious')
    cache = MapCache(str(tmp_path / 'cache'), {'name': 'teacher'})
    (tmp_path / 'cache' / 'key.npy').symlink_to(victim)
    cache.save('key', np.zeros((4, 5, 5)))
    assert victim.read_text() == 'precious'


def test_figures_on_stdout_are_json_alone(tmp_path, capsys):
    data = write_dataset(tmp_path / 'data', {'0.png': np.full((192, 192, 3), 255, np.uint8)},
                         [annotation(0, PERSON)])
    model = write_model(tmp_path / 'model.onnx', PERSON)
    assert main(['evaluate', model, '--data', data, '--json', '-']) == 0
    printed = capsys.readouterr()
    assert json.loads(printed.out)['results'] and 'AP' in printed.err


def test_a_pack_is_two_files_of_one_run(tmp_path, monkeypatch):
    """If the second cannot be written, the first stays that of the earlier run."""
    config = load_config(write_run(tmp_path, write_figures(tmp_path / 'data'), **tiny(CROP)))
    family = create_model(config.model.name, **config.model.options).family
    folder = tmp_path / 'packed'
    pack(config.data, family, str(folder), 100)
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    assert sorted(before) == ['images.bin', 'index.npz']

    def no_space(stream, **arrays):
        raise OSError(28, 'No space left on device')
    monkeypatch.setattr(np, 'savez_compressed', no_space)
    with pytest.raises(OSError, match='No space'):
        pack(config.data, family, str(folder), 10)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
