# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Write files of torch.save, and open them without running any code in them."""
import pickle
import re
import warnings

import torch

from pose_ros.core.files import atomic_write
from pose_ros.core.reading import LARGEST_EXTERNAL, open_regular
from pose_training.errors import WeightsError
from pose_training.importers.torch_scan import check_torch_file, UnsafeFile

_ZIP = b'PK\x03\x04'  # files of PyTorch 1.6 and newer; older ones are bare pickles


def load_torch_file(path: str) -> object:
    """Return the content of the file, tensors on the CPU; large files are mapped, not read.

    Only tensors, numbers, text and containers of them are built. Raises WeightsError for a file
    that needs anything else, is damaged, or is not a file of torch.save.
    """
    try:
        with open_regular(path, LARGEST_EXTERNAL) as file:
            head = file.read(512)
    except OSError as error:
        raise WeightsError('cannot read {}: {}'.format(path, error.strerror or error)) from error
    _refuse_other_files(path, head)
    try:
        check_torch_file(path)
        with warnings.catch_warnings():
            warnings.simplefilter('ignore')  # the errors below are complete
            return torch.load(path, map_location='cpu', weights_only=True,
                              mmap=head.startswith(_ZIP))
    except UnsafeFile as error:
        raise WeightsError('{} is not opened: {}; no file of weights does that, do not trust '
                           'it'.format(path, error)) from error
    except pickle.UnpicklingError as error:
        raise WeightsError('{} {}'.format(path, _refusal(str(error)))) from error
    except Exception as error:  # a damaged file may cause any error
        if 'TorchScript' in str(error):
            raise WeightsError('{} is a TorchScript program, which is not opened because it is '
                               'code; save its state_dict() instead'.format(path)) from error
        raise WeightsError('{} is damaged or cut short ({}); fetch it again and compare its size '
                           'with that of the original'.format(path, _reason(error))) from error


def save_torch_file(path: str, data: object, follow_links: bool = True) -> None:
    """Write a file of torch.save, whole or not at all; OSError if that fails.

    follow_links: as in atomic_write. torch.save turns an error of the disk into a RuntimeError.
    """
    try:
        with atomic_write(path, follow_links) as stream:
            torch.save(data, stream)
    except RuntimeError as error:
        reason = error.__context__
        if isinstance(reason, OSError):
            raise OSError(reason.errno, reason.strerror, path) from error
        raise OSError(str(error)) from error


def _refuse_other_files(path, head):
    if not head:
        raise WeightsError('{} is empty; fetch it again'.format(path))
    if head.lstrip().startswith(b'<'):
        raise WeightsError('{} is a web page, not weights: the download went to a page about the '
                           'file; open the address in a browser and save the file itself'.format(
                               path))
    if head.startswith(b'version https://git-lfs'):
        raise WeightsError('{} only points to a file in Git LFS; run `git lfs pull` where it came '
                           'from'.format(path))


def _refusal(message):
    wanted = re.search(r'GLOBAL (\S+)', message)
    if wanted:
        return ('is not opened: it needs {}, and such a file can run any code. Only files of '
                'tensors are read. If you trust it, open it with the program that wrote it '
                'and save torch.save(model.state_dict(), FILE)'.format(wanted.group(1)))
    return ('is not opened: it is not a file of tensors of torch.save. It may be damaged, or a '
            'pickle, which could run any code. Fetch it again, or '
            'save torch.save(model.state_dict(), FILE) with the program that wrote it')


def _reason(error):
    text = str(error).strip() or type(error).__name__
    return re.split(r'\.\s|\n', text)[0]
