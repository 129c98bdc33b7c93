# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Mix cached teacher maps into training targets."""
import json
import os
from typing import Any, Callable, Optional, Tuple

import numpy as np
import torch

from pose_training.data.geometry import Crop
from pose_training.errors import DataError
from pose_training.families.family import Family, Targets
from pose_ros.core.files import atomic_write
from pose_ros.core.reading import LARGEST_CARD, LARGEST_IMAGE, open_regular, read_file
from pose_ros.core.strict_json import parse_json

_OWNER = 'teachers.json'
_LEVELS = 127.   # maps are stored as signed bytes: 1/127 is below the noise of teachers


class SoftTargets:
    """Mixes the maps of a teacher into targets, and caches them.

    `weight` is the share of the teacher in labelled targets (Family.mix). `load()` returns
    the teacher; `cache` is a folder for its maps, or None, and `identity` JSON data that
    identifies it: a folder is for one teacher. `known` (C,) bool are the channels that it has
    (None: the teacher is loaded to get them, even if the cache has all maps). Raises DataError
    for the folder of another teacher, or one that cannot be written.
    """

    def __init__(self, load: Callable, family: Family, weight: float = .5,
                 cache: Optional[str] = None, identity: Any = None,
                 known: Optional[np.ndarray] = None):
        self._load, self._weight, self._family = load, weight, family
        self._loaded, self._known = None, known
        self._cache = MapCache(cache, identity) if cache else None

    def targets(self, key: str, crop: Crop, hard: Targets) -> Targets:
        """Return the mixture for one crop; `key` names the crop in the cache."""
        soft = self._cache.load(key, hard.maps.shape) if self._cache else None
        if soft is None:
            soft = self._teacher.maps(crop.image)
            if self._cache:
                soft = self._cache.save(key, soft)
        known = self._teacher.known() if self._known is None else self._known
        maps, weights = self._family.mix(
            *(torch.from_numpy(part)[None] for part in (*hard, soft)), torch.from_numpy(known),
            self._weight, torch.tensor([crop.complete]))
        return Targets(maps[0].numpy(), weights[0].numpy())

    @property
    def _teacher(self):
        """The teacher, loaded at first use: engines do not survive the fork of a loader."""
        if self._loaded is None:
            self._loaded = self._load()
        return self._loaded


class MapCache:
    """A folder of maps as signed bytes, for several loader processes at once."""

    def __init__(self, folder: str, identity: Any):
        self._folder = folder
        try:
            os.makedirs(folder, exist_ok=True)
            self._claim(json.loads(json.dumps(identity)))
        except OSError as error:
            raise DataError('cannot use the cache {}: {}'.format(
                folder, error.strerror or error)) from error

    def _claim(self, identity):
        """Write the identity of the teacher into the folder, or compare it."""
        path = os.path.join(self._folder, _OWNER)
        try:
            owner = parse_json(read_file(path, LARGEST_CARD))
        except FileNotFoundError:
            with atomic_write(path, follow_links=False) as stream:
                stream.write(json.dumps(identity).encode())
            return
        except ValueError:
            owner = None
        if owner != identity:
            raise DataError('the cache {} holds maps of another teacher or another size; name '
                            'another folder, or remove this one'.format(self._folder))

    def load(self, key: str, shape: Tuple[int, ...]) -> Optional[np.ndarray]:
        """Return maps of a shape, float32; None if they are missing or damaged."""
        try:
            with open_regular(self._path(key), LARGEST_IMAGE) as stream:
                maps = np.load(stream, allow_pickle=False)
        except (OSError, ValueError, EOFError):
            return None
        fits = maps.shape == shape and maps.dtype == np.int8
        return maps.astype(np.float32) / _LEVELS if fits else None

    def save(self, key: str, maps: np.ndarray) -> np.ndarray:
        """Store maps of -1 to 1; return them with the rounding of the file."""
        levels = np.rint(maps.clip(-1, 1) * _LEVELS).astype(np.int8)
        try:
            with atomic_write(self._path(key), follow_links=False) as stream:
                np.save(stream, levels)
        except OSError as error:
            raise DataError('cannot write to the cache {}: {}'.format(
                self._folder, error.strerror or error)) from error
        return levels.astype(np.float32) / _LEVELS

    def _path(self, key):
        return os.path.join(self._folder, key + '.npy')
