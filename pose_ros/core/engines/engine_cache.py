# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""The folder of the TensorRT plans that were built on this machine."""
import errno
import hashlib
import json
import logging
import os
import re
import stat
from typing import Any, Dict, List, NamedTuple, Optional, Tuple

from pose_ros.core.files import atomic_write, cache_folder
from pose_ros.core.reading import LARGEST_CARD, LARGEST_MODEL, open_regular, read_stream
from pose_ros.core.strict_json import parse_json

_LOG = logging.getLogger('pose_ros')
_PLAN, _FACTS, _TIMINGS, _REJECTED = '.engine', '.engine.json', '.timings', '.rejected'
_KERNELS = '.kernels'
_DIGEST = 32  # bytes of a SHA-256


class Entry(NamedTuple):
    """A plan in the cache: its file, size in bytes, and facts."""

    path: str
    size: int
    facts: Dict[str, Any]


def default_folder() -> str:
    """Return $XDG_CACHE_HOME/pose_ros/tensorrt, in ~/.cache where that is not set.

    '' without an absolute path: the user has no home (a container, a service).
    """
    return cache_folder('tensorrt')


class EngineCache:
    """Plans by key (see plan_key).

    If the folder cannot be read or written, a warning is logged, and each start builds again. A
    plan is code that runs on the GPU: only files and folders that belong to this user or to root,
    and that no other user can write, are read.
    """

    def __init__(self, folder: Optional[str] = None):
        """Take the folder (None: default_folder()); it is created by the first write."""
        self.folder = folder or default_folder()
        if not self.folder:
            _LOG.warning('this user has no home: TensorRT engines are built again at each start; '
                         'set XDG_CACHE_HOME to a folder')

    def load(self, key: str) -> Optional[Tuple[bytes, Dict[str, Any]]]:
        """Return a plan and its facts; None if it is missing or (with a warning) damaged."""
        path = os.path.join(self.folder, key)
        if not self.folder or not os.path.exists(path + _PLAN):
            return None
        try:
            facts = _read_facts(path + _FACTS)
            plan = _read_own(path + _PLAN, LARGEST_MODEL)
        except (OSError, ValueError) as error:
            _LOG.warning('the cached engine %s cannot be read (%s)', path + _PLAN, error)
            return None
        # Checked before TensorRT reads it: a damaged plan may crash it.
        if hashlib.sha256(plan).hexdigest() != facts.get('plan_sha256') \
                or not isinstance(facts.get('precision'), str):
            _LOG.warning('the cached engine %s is damaged', path + _PLAN)
            return None
        return plan, facts

    def store(self, key: str, plan: bytes, facts: Dict[str, Any]) -> None:
        """Write a plan and its facts; log a warning if that fails."""
        facts = dict(facts, plan_sha256=hashlib.sha256(plan).hexdigest())
        self._write(key + _PLAN, plan)
        self._write(key + _FACTS, json.dumps(facts, indent=2, sort_keys=True).encode('utf-8'))

    def remove(self, key: str) -> None:
        """Delete a plan with its kernels, or its rejection."""
        for suffix in (_PLAN, _FACTS, _REJECTED, _KERNELS):
            self._remove(key + suffix)

    def mark_rejected(self, key: str, reason: str) -> None:
        """Delete a plan, and store why it was rejected."""
        self.remove(key)
        self._write(key + _REJECTED, reason.encode('utf-8'))

    def rejection(self, key: str) -> str:
        """Return why a plan was rejected; '' if it was not."""
        return self._read(key + _REJECTED).decode('utf-8', 'replace')

    def load_timings(self, name: str) -> bytes:
        """Return the timing cache of builds with this TensorRT and GPU; empty if there is none."""
        return self._read(name + _TIMINGS)

    def store_timings(self, name: str, timings: bytes) -> None:
        """Write the timing cache of a build."""
        if timings:
            self._write(name + _TIMINGS, timings)

    def load_kernels(self, key: str) -> bytes:
        """Return the compiled kernels of a plan; empty if they are missing or damaged."""
        content = self._read(key + _KERNELS)
        digest, kernels = content[:_DIGEST], content[_DIGEST:]
        if content and hashlib.sha256(kernels).digest() != digest:
            _LOG.warning('the stored kernels %s are damaged: they are compiled again',
                         os.path.join(self.folder, key + _KERNELS))
            return b''
        return kernels

    def store_kernels(self, key: str, kernels: bytes) -> None:
        """Write the compiled kernels of a plan, if they differ from what is stored."""
        content = hashlib.sha256(kernels).digest() + kernels
        if content != self._read(key + _KERNELS):
            self._write(key + _KERNELS, content)

    def entries(self) -> List[Entry]:
        """List the plans, by name."""
        found = []
        for name in self._names(_PLAN):
            path = os.path.join(self.folder, name)
            try:
                facts = _read_facts(path + '.json')
            except (OSError, ValueError):
                facts = {}
            found.append(Entry(path, os.path.getsize(path), facts))
        return found

    def clear(self) -> int:
        """Delete all files of the cache; return the number of plans. OSError if that fails."""
        plans = self._names(_PLAN)
        for name in self._names(_PLAN, _FACTS, _TIMINGS, _REJECTED, _KERNELS):
            os.remove(os.path.join(self.folder, name))
        return len(plans)

    def _names(self, *suffixes):
        if not self.folder or not os.path.isdir(self.folder):
            return []
        return [name for name in sorted(os.listdir(self.folder)) if name.endswith(suffixes)]

    def _read(self, name):
        try:
            return _read_own(os.path.join(self.folder, name), LARGEST_MODEL) \
                if self.folder else b''
        except FileNotFoundError:
            return b''
        except OSError as error:
            _LOG.warning('the file %s of the engine cache is not read: %s', name,
                         error.strerror or error)
            return b''

    def _write(self, name, content):
        if not self.folder:
            return
        try:
            _make_private(self.folder)
            with atomic_write(os.path.join(self.folder, name), follow_links=False) as stream:
                os.fchmod(stream.fileno(), 0o600)
                stream.write(content)
        except OSError as error:
            _LOG.warning('the engine cannot be written to %s (%s): it is built again at the next '
                         'start; make that folder writable, or set XDG_CACHE_HOME',
                         self.folder, error.strerror or error)

    def _remove(self, name):
        try:
            if self.folder:
                os.remove(os.path.join(self.folder, name))
        except OSError:
            pass  # a missing file is no error, and `load` checks the others


class Kernels:
    """The kernels that TensorRT for RTX compiled for one plan, kept for the next start."""

    def __init__(self, cache: EngineCache, key: str):
        """Take the cache, and the key of the plan."""
        self._cache, self._key = cache, key

    def load(self) -> bytes:
        """Return the stored kernels; empty if there are none."""
        return self._cache.load_kernels(self._key)

    def store(self, kernels: bytes) -> None:
        """Write the kernels; log a warning if that fails."""
        self._cache.store_kernels(self._key, kernels)


def plan_key(model: str, facts: Dict[str, Any]) -> str:
    """Return the name of a plan: the model's, and a digest of all facts that determine a plan."""
    text = json.dumps(facts, sort_keys=True)
    stem = os.path.splitext(os.path.basename(model))[0]
    return '{}-{}'.format(file_name(stem), hashlib.sha256(text.encode('utf-8')).hexdigest()[:20])


def file_name(text: str) -> str:
    """Replace the characters that a file name cannot hold."""
    return re.sub(r'[^\w.-]+', '_', text)


def _read_facts(path):
    facts = parse_json(_read_own(path, LARGEST_CARD))
    if not isinstance(facts, dict):
        raise ValueError('its facts are not an object')
    return facts


def _read_own(path, largest):
    """Return the content of a file; OSError if another user can have written it."""
    _check_owner(os.stat(os.path.dirname(path)), os.path.dirname(path))
    with open_regular(path, largest) as stream:
        _check_owner(os.fstat(stream.fileno()), path)
        return read_stream(stream, largest, path)


def _check_owner(found, path):
    if found.st_uid not in (os.geteuid(), 0):
        raise PermissionError(errno.EPERM, 'it belongs to another user (uid {})'.format(
            found.st_uid), path)
    if stat.S_IMODE(found.st_mode) & 0o022:
        raise PermissionError(errno.EPERM, 'other users can write it (mode {:o}); use chmod '
                              'go-w'.format(stat.S_IMODE(found.st_mode)), path)


def _make_private(folder):
    """Make the folder and its missing parents for this user only.

    OSError if that fails, or if another user owns the folder or can write it.
    """
    if not os.path.isdir(folder):
        parent = os.path.dirname(folder)
        if not os.path.isdir(parent):
            _make_private(parent)
        try:
            os.mkdir(folder, 0o700)
        except FileExistsError:
            pass  # another process made it
    _check_owner(os.stat(folder), folder)
