# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Labels and a teacher's maps, mixed into what the student should say."""
import json
import os
from typing import Any, Callable, Optional, Tuple

import numpy as np

from pose_training.data.annotations import Sample
from pose_training.data.geometry import Crop
from pose_training.data.targets import Targets
from pose_training.errors import DataError
from pose_training.models.layouts import MapLayout
from pose_training.whole_file import whole_file

_SOMEBODY = .15  # a teacher's map value that no background has
_OWNER = 'teachers.json'
_LEVELS = 127.   # maps are kept as signed bytes: 1/127 is below any teacher's noise


class SoftTargets:
    """Mixes a teacher in, and keeps what it said.

    Where labels and the teacher both know, the target is (1 - weight) label + weight teacher;
    where one knows, it alone. In photographs that do not label everybody, people whom only the
    teacher sees are taken from it. `load()` returns the teacher; `cache` is a folder for what it
    says, or None, and `identity` JSON data that tells it from others: a folder serves one
    teacher. `known` (C,) bool are the channels that it has (None: it is loaded and asked, even
    where all it says is in the cache). Raises DataError for a folder that is another's, or that
    cannot be written.
    """

    def __init__(self, load: Callable, layout: MapLayout, weight: float = .5,
                 cache: Optional[str] = None, identity: Any = None,
                 known: Optional[np.ndarray] = None):
        self._load, self._weight, self._layout = load, weight, layout
        self._loaded, self._known = None, known
        self._cache = MapCache(cache, identity) if cache else None

    def targets(self, key: str, crop: Crop, sample: Sample, hard: Targets) -> Targets:
        """Return the mixture for one crop; `key` names the crop in the cache."""
        soft = self._cache.load(key, hard.maps.shape) if self._cache else None
        if soft is None:
            soft = self._teacher.maps(crop.image)
            if self._cache:
                soft = self._cache.save(key, soft)
        known = self._teacher.known() if self._known is None else self._known
        known = np.broadcast_to(known[:, None, None], soft.shape)
        return mix(hard, soft, known, self._weight, sample.complete, self._layout)

    @property
    def _teacher(self):
        """Loaded where it is used first: engines do not survive the fork of a loader."""
        if self._loaded is None:
            self._loaded = self._load()
        return self._loaded


class MapCache:
    """A folder of maps as signed bytes; several loader processes may be at it."""

    def __init__(self, folder: str, identity: Any):
        self._folder = folder
        try:
            os.makedirs(folder, exist_ok=True)
            self._claim(json.loads(json.dumps(identity)))
        except OSError as error:
            raise DataError('cannot use the cache {}: {}'.format(
                folder, error.strerror or error)) from error

    def _claim(self, identity):
        """Write down whose the folder is, or see that it is the same teacher's."""
        path = os.path.join(self._folder, _OWNER)
        try:
            with open(path, encoding='utf-8') as stream:
                owner = json.load(stream)
        except FileNotFoundError:
            with whole_file(path) as stream:
                stream.write(json.dumps(identity).encode())
            return
        except ValueError:
            owner = None
        if owner != identity:
            raise DataError('the cache {} holds what another teacher said, or the same at another '
                            'size; name another folder, or remove this one'.format(self._folder))

    def load(self, key: str, shape: Tuple[int, ...]) -> Optional[np.ndarray]:
        """Return maps of a shape, float32; None if they are not there, or damaged."""
        try:
            maps = np.load(self._path(key), allow_pickle=False)
        except (OSError, ValueError, EOFError):
            return None
        fits = maps.shape == shape and maps.dtype == np.int8
        return maps.astype(np.float32) / _LEVELS if fits else None

    def save(self, key: str, maps: np.ndarray) -> np.ndarray:
        """Keep maps of -1 to 1, and return them as they will be read."""
        levels = np.rint(maps.clip(-1, 1) * _LEVELS).astype(np.int8)
        try:
            with whole_file(self._path(key)) as stream:
                np.save(stream, levels)
        except OSError as error:
            raise DataError('cannot write to the cache {}: {}'.format(
                self._folder, error.strerror or error)) from error
        return levels.astype(np.float32) / _LEVELS

    def _path(self, key):
        return os.path.join(self._folder, key + '.npy')


def mix(hard: Targets, soft: np.ndarray, known: np.ndarray, weight: float, complete: bool,
        layout: MapLayout) -> Targets:
    """Mix (C, h, w) labels and teacher, where it is `known`."""
    share = np.where(known, np.where(hard.weights > 0, weight, 1.), 0.).astype(np.float32)
    maps = (1 - share) * hard.maps + share * soft
    if not complete:
        maps = np.where(_only_teacher(hard.maps, soft, layout) & known, soft, maps)
    return Targets(maps.astype(np.float32), np.maximum(hard.weights, known.astype(np.float32)))


def _only_teacher(hard, soft, layout):
    """Find the cells where the teacher sees somebody whom the labels do not have."""
    joints = layout.heatmaps - layout.background
    found = np.zeros(soft.shape, bool)
    found[:joints] = (soft[:joints] > _SOMEBODY) & (hard[:joints] < .01)
    if layout.background:
        found[joints] = found[:joints].any(0)
    strength, labelled = (np.hypot(maps[layout.heatmaps::2], maps[layout.heatmaps + 1::2])
                          for maps in (soft, hard))
    found[layout.heatmaps:] = np.repeat((strength > _SOMEBODY) & (labelled < .01), 2, 0)
    return found
