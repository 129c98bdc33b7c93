# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Fetch one file over HTTP: resumed, limited in size, and taken out of an archive."""
import contextlib
import http.client
import os
import shutil
import socket
import urllib.error
import urllib.request
import zipfile
from typing import Callable, Optional

from pose_ros.core.errors import PoseRosError
from pose_ros.core.files import atomic_write

LARGEST = 2 << 30  # bytes
_BLOCK = 1 << 18
_PATIENCE = 30.0  # s without any data
_ATTEMPTS = 3


class DownloadError(PoseRosError):
    """A file could not be fetched."""


def download(address: str, path: str,
             progress: Optional[Callable[[int, int], None]] = None) -> None:
    """Fetch `address` (http or https) to `path`; a part that is there already is continued.

    progress(done, total) is called with bytes; total is 0 if the server does not tell it. What has
    arrived stays in PATH.part after an error. DownloadError names the address and the reason.
    """
    part = path + '.part'
    if not address.startswith(('https://', 'http://')):
        raise DownloadError('{} is no address of a web server'.format(address))
    for attempt in range(_ATTEMPTS):
        before = _size(part)
        try:
            _continue(address, part, progress)
            break
        except urllib.error.HTTPError as error:
            if error.code == 416 and before:  # the part is whole, or of another file
                os.remove(part)
                continue
            raise DownloadError('{}: the server answers {} {}'.format(
                address, error.code, error.reason))
        except (urllib.error.URLError, http.client.HTTPException, socket.timeout,
                ConnectionError) as error:
            if attempt == _ATTEMPTS - 1 or _size(part) == before:
                raise DownloadError('{} cannot be fetched: {}'.format(
                    address, getattr(error, 'reason', error)))
    os.replace(part, path)


def _continue(address, part, progress):
    """Append what is missing to the part; start again if the server sends the whole file."""
    done = _size(part)
    request = urllib.request.Request(address, headers={'Range': 'bytes={}-'.format(done)}
                                     if done else {})
    with contextlib.closing(urllib.request.urlopen(request, timeout=_PATIENCE)) as answer:
        if answer.getcode() != 206:
            done = 0
        total = int(answer.headers.get('Content-Length') or 0)
        total = done + total if total else 0
        if total > LARGEST:
            raise DownloadError('{} has {} bytes, more than {}'.format(address, total, LARGEST))
        with open(part, 'ab' if done else 'wb') as stream:
            for block in iter(lambda: answer.read(_BLOCK), b''):
                stream.write(block)
                done += len(block)
                if done > LARGEST:
                    raise DownloadError('{} has more than {} bytes'.format(address, LARGEST))
                if progress:
                    progress(done, total)
    if total and done < total:
        raise ConnectionError('the connection ended after {} of {} bytes'.format(done, total))


def _size(path):
    return os.path.getsize(path) if os.path.isfile(path) else 0


def unpack(archive: str, ending: str, path: str) -> None:
    """Write the one file of a ZIP archive whose name has this ending to `path`.

    Only its content is used, never its name, and its size is checked first. DownloadError if the
    archive is damaged, too large, or holds no or several such files.
    """
    try:
        with zipfile.ZipFile(archive) as packed:
            found = [item for item in packed.infolist() if item.filename.endswith(ending)]
            if len(found) != 1:
                raise DownloadError('{} holds {} files that end in {}, not one'.format(
                    archive, len(found), ending))
            if found[0].file_size > LARGEST:
                raise DownloadError('{} in {} has {} bytes, more than {}'.format(
                    found[0].filename, archive, found[0].file_size, LARGEST))
            with packed.open(found[0]) as source, atomic_write(path) as stream:
                shutil.copyfileobj(source, stream, _BLOCK)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError) as error:
        raise DownloadError('{} is no whole ZIP archive: {}'.format(archive, error))
