# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""The table of public networks, and their files in the cache of this user."""
import difflib
import json
import os
from typing import Callable, Dict, List, NamedTuple, Optional, Tuple

from pose_ros.core.adoption import adopt
from pose_ros.core.bundled import BUNDLED
from pose_ros.core.errors import ModelError
from pose_ros.core.files import atomic_write, cache_folder, sha256
from pose_ros.core.public.download import download, DownloadError, unpack
from pose_ros.core.reading import LARGEST_CARD, read_file
from pose_ros.core.strict_json import parse_json

TABLE = os.path.join(os.path.dirname(os.path.abspath(__file__)), 'networks.json')
PERMISSIVE = ('Apache-2.0', 'MIT', 'BSD-3-Clause')
_ADOPTED, _RECORD = 'model.onnx', 'record.json'


class PublicNetwork(NamedTuple):
    """A row of the table; `accuracy` as published, with its protocol. `size` is width, height."""

    name: str
    address: str
    license: str
    type: Optional[str]
    size: Tuple[int, int]
    accuracy: str


def names() -> List[str]:
    """Return the names of all public networks of the table."""
    return list(_table())


def find(name: str) -> PublicNetwork:
    """Return a row of the table; ModelError, with the nearest names, if there is none."""
    table = _table()
    if name not in table:
        near = difflib.get_close_matches(name, list(BUNDLED) + list(table), 3, .5)
        raise ModelError('there is no file and no model {!r}{}; `pose-ros models` lists the '
                         'names'.format(
            name, ': did you mean {}'.format(' or '.join(near)) if near else ''))
    return table[name]


def stored(name: str, folder: Optional[str] = None) -> Optional[str]:
    """Return the adopted file of a network that was fetched before, or None."""
    path = os.path.join(_place(name, folder), _ADOPTED)
    return path if os.path.isfile(path) else None


def fetch(name: str, accept_license: bool = False, folder: Optional[str] = None,
          progress: Optional[Callable[[int, int], None]] = None) -> str:
    """Return the file of a public network, fetched and adopted if it is not there yet.

    accept_license: take networks whose license is not PERMISSIVE. folder: of the files, default
    public_folder(). progress: see download. The SHA-256 of the first file is recorded, and a file
    that is fetched again must have the same. ModelError for an unknown name, a license or a wrong
    file, DownloadError without a connection, both with the remedy.
    """
    network = find(name)
    path = stored(name, folder)
    if path:
        return path
    if network.license not in PERMISSIVE and not accept_license:
        raise ModelError('{} has the license {}, which may not allow your use: read it, and fetch '
                         'with --accept-license'.format(name, network.license))
    place = _place(name, folder)
    os.makedirs(place, mode=0o700, exist_ok=True)
    original = os.path.join(place, network.address.rpartition('/')[2])
    if not os.path.isfile(original):
        try:
            download(network.address, original, progress)
        except DownloadError as error:
            raise DownloadError('{}. Without a connection here, fetch {} elsewhere and put it to '
                                '{}'.format(error, network.address, original))
    _check_hash(name, original, place)
    return _adopted(network, original, place)


def public_folder() -> str:
    """Return the folder of the fetched networks; ModelError for a user without a home."""
    folder = cache_folder('networks')
    if not folder:
        raise ModelError('this user has no home for public networks: set XDG_CACHE_HOME to a '
                         'folder')
    return folder


def _table() -> Dict[str, PublicNetwork]:
    table = parse_json(read_file(TABLE, LARGEST_CARD))
    return {name: PublicNetwork(name, row['address'], row['license'], row['type'],
                                tuple(row['size']), row['accuracy'])
            for name, row in table.items()}


def _place(name, folder):
    return os.path.join(folder or public_folder(), name)


def _check_hash(name, original, place):
    """Record the hash of the first file; refuse another one under the same name."""
    record, found = os.path.join(place, _RECORD), sha256(original)
    try:
        known = parse_json(read_file(record, LARGEST_CARD))['sha256']
    except (OSError, ValueError, KeyError, TypeError):
        with atomic_write(record) as stream:
            stream.write(json.dumps({'name': name, 'sha256': found}).encode('utf-8'))
        return
    if known != found:
        os.remove(original)
        raise ModelError('the file of {} has the SHA-256 {}, and had {} before: it was removed. '
                         'Remove {} to take the new one'.format(name, found, known, record))


def _adopted(network, original, place):
    path, source = os.path.join(place, _ADOPTED), original
    if original.endswith('.zip'):
        source = os.path.join(place, 'network.onnx')
        try:
            unpack(original, '.onnx', source)
        except DownloadError:
            os.remove(original)  # so that it is fetched again
            raise
    try:
        adopt(source, path, network.type, network.size, network.license)
    finally:
        if source != original:
            os.remove(source)
    return path
