# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""The folder in which TensorRT plans wait for the next start."""
import hashlib
import json
import logging
import os
import re
from typing import Any, Dict, List, NamedTuple, Optional, Tuple

from pose_ros.core.files import write_whole

_LOG = logging.getLogger('pose_ros')
_PLAN, _FACTS, _TIMINGS, _REFUSED = '.engine', '.engine.json', '.timings', '.refused'


class Entry(NamedTuple):
    """A plan in the cache: its file, bytes, and what was written down about it."""

    path: str
    size: int
    facts: Dict[str, Any]


def default_folder() -> str:
    """Return $XDG_CACHE_HOME/pose_ros/tensorrt, in ~/.cache where that is not set."""
    base = os.environ.get('XDG_CACHE_HOME') or os.path.join(os.path.expanduser('~'), '.cache')
    return os.path.join(base, 'pose_ros', 'tensorrt')


class EngineCache:
    """Plans by key: whatever decides about a plan (see plan_key) and nothing else.

    A folder that cannot be read or written costs a warning and a build at each start, no more.
    """

    def __init__(self, folder: Optional[str] = None):
        """Take the folder (None: default_folder()); it is made when something is stored."""
        self.folder = folder or default_folder()

    def load(self, key: str) -> Optional[Tuple[bytes, Dict[str, Any]]]:
        """Return a plan and its facts; None if there is none, or (with a warning) no whole one."""
        path = os.path.join(self.folder, key)
        if not os.path.exists(path + _PLAN):
            return None
        try:
            facts = _read_facts(path + _FACTS)
            with open(path + _PLAN, 'rb') as stream:
                plan = stream.read()
        except (OSError, ValueError) as error:
            _LOG.warning('the cached engine %s cannot be read (%s)', path + _PLAN, error)
            return None
        # Before TensorRT sees it: a damaged plan may crash it.
        if hashlib.sha256(plan).hexdigest() != facts.get('plan_sha256'):
            _LOG.warning('the cached engine %s is damaged', path + _PLAN)
            return None
        return plan, facts

    def store(self, key: str, plan: bytes, facts: Dict[str, Any]) -> None:
        """Keep a plan; a warning if that is not possible."""
        facts = dict(facts, plan_sha256=hashlib.sha256(plan).hexdigest())
        self._write(key + _PLAN, plan)
        self._write(key + _FACTS, json.dumps(facts, indent=2, sort_keys=True).encode('utf-8'))

    def remove(self, key: str) -> None:
        """Forget a plan, or its refusal."""
        for suffix in (_PLAN, _FACTS, _REFUSED):
            self._remove(key + suffix)

    def refuse(self, key: str, why: str) -> None:
        """Forget a plan, and remember why it must not be made again."""
        self.remove(key)
        self._write(key + _REFUSED, why.encode('utf-8'))

    def refusal(self, key: str) -> str:
        """Return why a plan was refused; empty if it was not."""
        return self._read(key + _REFUSED).decode('utf-8', 'replace')

    def load_timings(self, name: str) -> bytes:
        """Return what earlier builds on this TensorRT and GPU learnt; empty if nothing."""
        return self._read(name + _TIMINGS)

    def store_timings(self, name: str, timings: bytes) -> None:
        """Keep what a build learnt."""
        if timings:
            self._write(name + _TIMINGS, timings)

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
        """Remove all that is kept; return how many plans there were. OSError if it fails."""
        plans = self._names(_PLAN)
        for name in self._names(_PLAN, _FACTS, _TIMINGS, _REFUSED):
            os.remove(os.path.join(self.folder, name))
        return len(plans)

    def _names(self, *suffixes):
        if not os.path.isdir(self.folder):
            return []
        return [name for name in sorted(os.listdir(self.folder)) if name.endswith(suffixes)]

    def _read(self, name):
        try:
            with open(os.path.join(self.folder, name), 'rb') as stream:
                return stream.read()
        except OSError:
            return b''

    def _write(self, name, content):
        try:
            os.makedirs(self.folder, exist_ok=True)
            write_whole(os.path.join(self.folder, name), content)
        except OSError as error:
            _LOG.warning('the engine cannot be kept in %s (%s): it is built again at the next '
                         'start; make that folder writable, or set XDG_CACHE_HOME',
                         self.folder, error.strerror or error)

    def _remove(self, name):
        try:
            os.remove(os.path.join(self.folder, name))
        except OSError:
            pass  # it is not used in any case


def plan_key(model: str, facts: Dict[str, Any]) -> str:
    """Name a plan's files: the model's name, and a digest of all that decides about a plan."""
    text = json.dumps(facts, sort_keys=True)
    stem = os.path.splitext(os.path.basename(model))[0]
    return '{}-{}'.format(file_name(stem), hashlib.sha256(text.encode('utf-8')).hexdigest()[:20])


def file_name(text: str) -> str:
    """Return text with nothing in it that a file name cannot hold."""
    return re.sub(r'[^\w.-]+', '_', text)


def _read_facts(path):
    with open(path, 'rb') as stream:
        facts = json.loads(stream.read().decode('utf-8'))
    if not isinstance(facts, dict):
        raise ValueError('its facts are not an object')
    return facts
