# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Several views of one image, mirrored and at other scales: their maps are averaged and decoded.

Published figures are often made so; a robot cannot afford it.
"""
import copy
from typing import Dict, List, NamedTuple, Sequence, Tuple

import numpy as np

from pose_ros.core import PoseEstimator
from pose_ros.core.card import with_input_size
from pose_ros.core.decoders.paf import parse_outputs
from pose_ros.core.engines import Engine
from pose_ros.core.errors import ModelError
from pose_ros.core.image import make_transform, Transform
from pose_training.errors import ConfigError
from pose_training.evaluation.mirroring import channel_swaps, known, unmirror

_COARSEST = 32  # px; sizes stay multiples of what the network's own size is one of, up to this
_LARGEST = 8.


class Look(NamedTuple):
    """One run of a network: its input, and how that was made."""

    engine: Engine
    batch: np.ndarray
    transform: Transform
    mirrored: bool


class Views:
    """Stands in for the preprocessor and the engine of an estimator of the family `paf`."""

    def __init__(self, estimator: PoseEstimator, flip: bool, scales: Sequence[float]):
        """Load the network once per scale; ConfigError if it does not take that size."""
        self._input, self._flip = estimator.card.input, flip
        self._outputs = parse_outputs(estimator.card)
        self._swaps = channel_swaps(self._outputs, estimator.topology)
        self._own = estimator
        self._scales = [_at_scale(estimator, scale, self._outputs.stride) for scale in scales]

    def prepare(self, image: np.ndarray) -> Tuple[Tuple[List[Look], Transform], Transform]:
        """Return all that `infer` needs, and the Transform of the network's own size."""
        looks = []
        for estimator in self._scales:
            batch, transform = estimator.preprocessor.prepare(image)
            looks.append(Look(estimator.engine, batch, transform, False))
            if self._flip:
                mirrored = np.ascontiguousarray(batch[..., ::-1])
                looks.append(Look(estimator.engine, mirrored, transform, True))
        base = make_transform(image.shape[1], image.shape[0], self._input)
        return (looks, base), base

    def infer(self, prepared) -> Dict[str, np.ndarray]:
        """Run every view; return the mean of their maps, on the grid of the own size."""
        looks, base = prepared
        total: Dict[str, np.ndarray] = {}
        weight: Dict[str, np.ndarray] = {}
        for look in looks:
            maps = look.engine.infer(look.batch)
            for name, swaps in self._swaps.items():
                part, share = self._resampled(maps[name][0], look, base), np.float32(1)
                if look.mirrored:
                    part, share = unmirror(part, swaps), known(part, swaps)
                total[name] = total.get(name, 0) + part * share
                weight[name] = weight.get(name, 0) + share
        return {name: (total[name] / weight[name])[None] for name in total}

    def describe(self):
        """See Engine.describe."""
        return self._own.engine.describe()

    def close(self) -> None:
        """Free what was loaded for other scales."""
        for estimator in self._scales:
            if estimator is not self._own:
                estimator.close()

    def _resampled(self, maps, look, base):
        """Read the maps of a view where the cells of the own size lie in it."""
        stride = self._outputs.stride
        columns, rows = self._input.width // stride, self._input.height // stride
        cells = np.arange(max(columns, rows), dtype=np.float64)[:, None].repeat(2, 1)
        pixels = look.transform.to_network(base.to_image((cells + .5) * stride - .5))
        if look.mirrored:
            pixels[:, 0] = look.batch.shape[3] - 1 - pixels[:, 0]
        place = (pixels + .5) / stride - .5
        across = _interpolation(place[:columns, 0], maps.shape[2])
        down = _interpolation(place[:rows, 1], maps.shape[1])
        return down @ maps @ across.T


def with_views(estimator: PoseEstimator, flip: bool = False,
               scales: Sequence[float] = (1.,)) -> PoseEstimator:
    """Return an estimator that averages views before the decoder; the given one for one view.

    `scales` are relative to the network's own input size. The given estimator stays as it is, and
    shares its network with the returned one, whose `close` frees only what was loaded for other
    scales. ConfigError if the model does not allow it.
    """
    if not scales or not all(0 < scale <= _LARGEST for scale in scales):
        raise ConfigError('scales must be numbers above 0 and at most {:g}, not {}'.format(
            _LARGEST, ' '.join(map(str, scales)) or 'none'))
    if not flip and tuple(scales) == (1.,):
        return estimator
    if estimator.card.family != 'paf':
        raise ConfigError('mirrored and scaled views need maps to average: {} is a model of the '
                          'family {}, not paf'.format(estimator.card.name, estimator.card.family))
    several = copy.copy(estimator)
    several.preprocessor = several.engine = Views(estimator, flip, scales)
    return several


def _at_scale(estimator, scale, stride):
    own = (estimator.card.input.width, estimator.card.input.height)
    step = stride
    while step < _COARSEST and not any(side % (2 * step) for side in own):
        step *= 2
    size = tuple(max(step, int(round(scale * side / step)) * step) for side in own)
    if scale == 1 or size == own:
        return estimator
    engine = estimator.engine.describe()
    try:
        return PoseEstimator(engine.model, engine.backend, with_input_size(estimator.card, size),
                             device=engine.device, threads=engine.threads,
                             precision=engine.precision)
    except ModelError as error:
        raise ConfigError('scale {:g} needs a network that takes other sizes than its own, such '
                          'as pose-train export --dynamic makes: {}'.format(scale, error)) \
            from error


def _interpolation(place, count):
    """Return (len(place), count) float32: the weights of linear interpolation at `place`."""
    place = np.clip(place, 0, count - 1)
    return np.maximum(0, 1 - abs(place[:, None] - np.arange(count))).astype(np.float32)
