# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""PoseEstimator: the public Python API, from an image to the people in it."""
import os
import time
from typing import Any, Dict, NamedTuple, Optional, Tuple

import numpy as np

from pose_ros.core.card import ModelCard, with_input_size
from pose_ros.core.card_files import MODELS_FOLDER, load_card
from pose_ros.core.decoders import create_decoder
from pose_ros.core.engines import create_engine
from pose_ros.core.engines.self_check import check_picture
from pose_ros.core.errors import EngineError, ModelError
from pose_ros.core.image import Preprocessor
from pose_ros.core.people import People
from pose_ros.core.topology import Topology

BUNDLED_MODEL = os.path.join(MODELS_FOLDER, 'default.onnx')


class Timings(NamedTuple):
    """Seconds that the last image took, stage by stage."""

    preprocess: float
    network: float
    decode: float


class PoseEstimator:
    """Finds people in images. Not thread-safe: one caller at a time.

    `PoseEstimator('model.onnx')(image)` returns People in source-image pixels.
    Public: `card`, `topology`, `preprocessor`, `engine`, `decoder`, `timings` of the last image.
    """

    def __init__(self, model: Optional[str] = None, backend: str = 'auto', card=None,
                 input_size: Optional[Tuple[int, int]] = None, **engine_options):
        """Load a model (None: the bundled one), check it against its card, and warm it up.

        card: path, dict or ModelCard that replaces the model's own. input_size: (width, height) px
        of the network input, for models with dynamic shapes. engine_options: see EngineOptions.
        Raises ModelError, CardError or EngineError, each saying what to do.
        """
        path = model or _bundled_model()
        self.card: ModelCard = load_card(path, card)
        if input_size:
            self.card = with_input_size(self.card, input_size)
        self.topology: Topology = self.card.topology
        self.decoder = create_decoder(self.card)
        shape = (1, 3, self.card.input.height, self.card.input.width)
        self.preprocessor = Preprocessor(self.card.input)
        self.engine = create_engine(
            path, shape, backend, sample=lambda: self.preprocessor.prepare(check_picture())[0],
            **engine_options)
        self.timings = Timings(0.0, 0.0, 0.0)
        self._warm_up(shape)

    def __call__(self, image: np.ndarray) -> People:
        """Find people in an (H, W, 3) uint8 BGR image; best scores first, source-image pixels.

        Raises ImageError for an unfit image, EngineError if the network fails or yields NaN.
        """
        start = time.perf_counter()
        batch, transform = self.preprocessor.prepare(image)
        prepared = time.perf_counter()
        outputs = self.engine.infer(batch)
        inferred = time.perf_counter()
        self._check_finite(outputs)
        people = self.decoder.decode(outputs)
        people = _inside(people.with_points(transform.to_image(people.keypoints[..., :2])),
                         transform.image_size, self.decoder.settings['min_keypoints'])
        decoded = time.perf_counter()
        self.timings = Timings(prepared - start, inferred - prepared, decoded - inferred)
        return people

    def configure(self, **settings: Any) -> None:
        """Change decoder settings between images; PoseRosError if one is unknown or unfit."""
        self.decoder.configure(**settings)

    def close(self) -> None:
        """Free the network."""
        self.engine.close()

    def _warm_up(self, shape):
        outputs = self.engine.infer(np.zeros(shape, np.float32))
        self.decoder.check_outputs(outputs)

    def _check_finite(self, outputs: Dict[str, np.ndarray]):
        # A sum is NaN or infinite if any element is, and reads each value once.
        for name, array in outputs.items():
            if not np.isfinite(array.sum()):
                raise EngineError(
                    'the network output {!r} of {} holds NaN or infinite values; check the model, '
                    'and its precision ({})'.format(
                        name, self.card.name, self.engine.describe().precision))


def _bundled_model():
    if not os.path.isfile(BUNDLED_MODEL):
        raise ModelError('no model was given, and the bundled one is missing from this '
                         'installation ({}): install pose_ros again, or name an ONNX file with a '
                         'model card'.format(BUNDLED_MODEL))
    return BUNDLED_MODEL


def _inside(people, image_size, min_keypoints):
    """Clip joints just off the image to it; drop those in the padding, and people with too few."""
    limit = np.array(image_size, np.float32) - 1
    points = people.keypoints[..., :2]
    # The outermost pixels reach half a pixel beyond their centers.
    beyond = np.maximum(-points, points - limit) > max(0.5, 0.02 * max(image_size))
    people.keypoints[beyond.any(-1)] = (np.nan, np.nan, 0)
    np.clip(points, 0, limit, out=points)
    return people.select(people.detected().sum(1) >= min_keypoints)
