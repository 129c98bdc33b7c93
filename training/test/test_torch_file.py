# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Files that are no weights, or contain code: they are errors, and no code is run."""
import os
import pickle

import numpy as np
import pytest
import torch

from pose_training.errors import WeightsError
from pose_training.importers.torch_state import read_weights
from pose_training.models import get_spec

NEW, OLD = True, False  # torch.save's zip files, and those of PyTorch before 1.6


def write(path, data, new=NEW):
    torch.save(data, str(path), _use_new_zipfile_serialization=new)
    return str(path)


class Program:
    """Something that makes a folder when it is unpickled."""

    def __init__(self, folder):
        self.folder = str(folder)

    def __reduce__(self):
        return os.mkdir, (self.folder,)


def write_zip(path, data):
    write(path, data, NEW)


def write_old(path, data):
    write(path, data, OLD)


def write_pickle(path, data):
    path.write_bytes(pickle.dumps(data, protocol=4))


@pytest.mark.parametrize('writer, run', [
    (write_zip, lambda path: torch.load(path, weights_only=False)),
    (write_old, lambda path: torch.load(path, weights_only=False)),
    (write_pickle, lambda path: pickle.loads(open(path, 'rb').read()))])
def test_code_in_a_file_does_not_run(tmp_path, writer, run):
    path, folder = tmp_path / 'pose.pth', tmp_path / 'the_code_ran'
    writer(path, {'conv1_1.weight': torch.zeros(3), 'more': Program(folder)})
    with pytest.raises(WeightsError, match='is not opened: .*(can|could) run any code') as caught:
        read_weights(str(path), get_spec('cmu'))
    assert 'torch.save(model.state_dict(), FILE)' in str(caught.value)
    assert not folder.exists()
    run(str(path))  # with an ordinary unpickler the same file runs code
    assert folder.exists()


def test_a_pickled_network_is_rejected_by_the_name_of_its_class(tmp_path):
    path = write(tmp_path / 'model.pth', torch.nn.Linear(2, 2))
    with pytest.raises(WeightsError, match=r'torch\.nn\.modules\.linear\.Linear.*state_dict'):
        read_weights(path, get_spec('cmu'))


def script(path):
    torch.jit.save(torch.jit.trace(torch.nn.Linear(2, 2), torch.ones(1, 2)), str(path))


def cut_short(new, keep):
    def writer(path):
        write(path, {'a.weight': torch.zeros(1000)}, new)
        path.write_bytes(path.read_bytes()[:keep])
    return writer


def of(data):
    return lambda path: write(path, data)


def content(data):
    return lambda path: path.write_bytes(data)


ENGINE = {'engine': bytearray(b'ftrt' * 9), 'input_names': ['input_0'], 'output_names': ['o']}


@pytest.mark.filterwarnings('ignore::DeprecationWarning')
@pytest.mark.parametrize('writer, reason', [
    (content(b''), 'is empty'),
    (content(b'\n<!DOCTYPE html><html><title>Google Drive'), 'a web page'),
    (content(b'version https://git-lfs.github.com/spec/v1\noid'), 'git lfs pull'),
    (content(b'\x08\x07\x12\x07pytorch' * 40), 'not a file of tensors'),
    (cut_short(NEW, 2000), 'damaged or cut short'), (cut_short(NEW, 9), 'damaged or cut short'),
    (cut_short(OLD, 9), 'damaged or cut short'), (cut_short(OLD, -4), 'damaged or cut short'),
    (content(pickle.dumps({'a': 1}, protocol=2)), 'damaged or cut short'),
    (script, 'TorchScript program'),
    (of(ENGINE), 'serialized TensorRT engine.*without _trt'),
    (of({'epoch': 3, 'loss': .5}), "no tensors, only 'epoch', 'loss'"),
    (of({}), 'no tensors, only an empty dictionary'),
    (of({'state_dict': {}}), 'no tensors, only an empty dictionary'),
    (of(torch.zeros(3)), 'holds Tensor, not a state dict'),
    (of([1, 2]), 'holds list, not a state dict'),
    (of({'a.weight': torch.zeros(3, dtype=torch.int8)}), r'a\.weight is torch\.int8'),
    (of({'a.weight': torch.zeros(3, dtype=torch.complex64)}), r'a\.weight is torch\.complex64'),
    (of({'a.weight': torch.zeros(3, 3).to_sparse()}), r'a\.weight is torch\.sparse_coo'),
    (of({'a.weight': torch.zeros(3, device='meta')}), r'a\.weight is torch\.strided on meta'),
    (of({'conv1_1.bias': torch.zeros(3), 'base.vgg_base.conv1_1.bias': torch.zeros(3)}),
     'holds some weights twice'),
])
def test_other_files_are_rejected_with_their_kind(tmp_path, writer, reason):
    path = tmp_path / 'pose.pth'
    writer(path)
    with pytest.raises(WeightsError, match=reason) as caught:
        read_weights(str(path), get_spec('cmu'))
    assert str(caught.value).startswith(str(path))


@pytest.mark.parametrize('name, reason', [('none.pth', 'No such file'), ('', 'it is a folder')])
def test_a_file_that_cannot_be_read_is_named(tmp_path, name, reason):
    path = str(tmp_path / name)
    with pytest.raises(WeightsError, match=reason) as caught:
        read_weights(path, get_spec('cmu'))
    assert path in str(caught.value)


@pytest.mark.parametrize('new', [NEW, OLD])
def test_a_file_with_wrong_bytes_ends_in_an_error_or_in_its_weights(tmp_path, new):
    path = tmp_path / 'pose.pth'
    write(path, {'a.weight': torch.zeros(4), 'b.weight': torch.ones(2)}, new)
    whole = path.read_bytes()
    places = np.random.default_rng(0).choice(len(whole), 200, replace=False)
    refused = 0
    for place in places:
        damaged = bytearray(whole)
        damaged[place] ^= 0x55
        path.write_bytes(damaged)
        try:
            read_weights(str(path), get_spec('cmu'))
        except WeightsError:
            refused += 1
    assert refused > 20
