# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""The models that come with the package, and their names."""
import logging
import os
from typing import NamedTuple, Optional

from pose_ros.core.errors import ModelError

_LOG = logging.getLogger('pose_ros.build')

MODELS_FOLDER = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), 'models')

# People first, then the keypoints in the crop of each: accurate, and slower with each person.
DEFAULT_MODEL, DEFAULT_DETECTOR = 'pose_crop', 'person_detector'
BOTTOM_UP = 'bottom_up'  # all people at once: for crowds
BUNDLED = (DEFAULT_MODEL, DEFAULT_DETECTOR, BOTTOM_UP)
_INT8 = {name + '.onnx': name + '_int8.onnx' for name in (DEFAULT_MODEL, DEFAULT_DETECTOR)}


class ModelFiles(NamedTuple):
    """The file of the network of keypoints, and of its detector (None: none)."""

    model: str
    detector: Optional[str]


def find_models(model: Optional[str] = None, detector: Optional[str] = None) -> ModelFiles:
    """Return the files of a model and a detector, each a path or one of BUNDLED.

    Without a model the default pair is taken. ModelError if a bundled file is missing.
    """
    if not model:
        model, detector = DEFAULT_MODEL, detector or DEFAULT_DETECTOR
    return ModelFiles(model_file(model), model_file(detector) if detector else None)


def model_file(model: str) -> str:
    """Return the path of a bundled or public model by its name, and any path as it is.

    A public network (see pose_ros.core.public) is fetched if it is not there yet; its progress
    goes to the logger `pose_ros.build`. ModelError for a word that is neither name nor file.
    """
    if model not in BUNDLED:
        word = model and not (os.path.exists(model) or os.path.splitext(model)[1]
                              or os.path.basename(model) != model)
        return _public_file(model) if word else model
    path = os.path.join(MODELS_FOLDER, model + '.onnx')
    if not os.path.isfile(path):
        raise ModelError('the bundled model {} is missing from this installation ({}): install '
                         'pose_ros again, or name an ONNX file with a model card'.format(
                             model, path))
    return path


def int8_file(path: str) -> str:
    """Return the int8 file of a bundled model's file; '' for a file that has none."""
    folder, name = os.path.split(os.path.abspath(path))
    other = os.path.join(folder, _INT8.get(name, ''))
    return other if folder == MODELS_FOLDER and os.path.isfile(other) else ''


def _public_file(name):
    from pose_ros.core.public import fetch, find, stored  # they need the card, which needs this
    find(name)
    return stored(name) or fetch(name, progress=_Progress(name))


class _Progress:
    """Logs each tenth of a download."""

    def __init__(self, name):
        self._name, self._told = name, 0

    def __call__(self, done, total):
        tenths = 10 * done // total if total else 0
        if tenths > self._told:
            self._told = tenths
            _LOG.info('fetching %s: %d %% of %.1f MB', self._name, 10 * tenths, total / 1e6)
