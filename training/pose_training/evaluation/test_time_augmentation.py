# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Test-time augmentation: outputs for the flipped image and other scales, averaged and decoded.

Published figures are often measured this way; it is too slow for a robot.
"""
from typing import Dict, List, Sequence, Tuple

import numpy as np

from pose_ros.core import PoseEstimator
from pose_ros.core.card import with_input_size
from pose_ros.core.errors import ModelError
from pose_ros.core.frame import Frame
from pose_ros.core.network import Network, open_network
from pose_ros.core.regions import fit_region, Region, Transform
from pose_training.errors import ConfigError, NetworkError
from pose_training.families.mirroring import known, Swap, unmirror
from pose_training.families.registry import make_family

_COARSEST = 32  # px; sizes stay multiples of the largest power of two in the own size, up to this
_LARGEST = 8.


class AugmentedNetwork(Network):
    """A Network whose outputs are the mean over views of each region, on its own map grid.

    `networks` are the model at the input sizes of the views, with or without `own`; `swaps` lists
    the channels that a flipped view exchanges, by output; without `flip` there is no such view.
    """

    def __init__(self, own: Network, networks: Sequence[Network], swaps: Dict[str, List[Swap]],
                 stride: int, flip: bool):
        super().__init__(own.card, own.engine, own.name, own.decoder)
        self._own, self._networks = own, list(networks)
        self._lock = own._lock  # they share a decoder
        self._swaps, self._stride = swaps, stride
        self._mirrors = (False, True) if flip else (False,)

    def _run(self, frames: Sequence[Frame], regions: Sequence[Region]
             ) -> List[Tuple[Dict[str, np.ndarray], Transform]]:
        """See Network."""
        bases = [fit_region(region, self.card.input) for region in regions]
        return [(self._mean([frames[region.frame]], region._replace(frame=0), base), base)
                for region, base in zip(regions, bases)]

    def _mean(self, frames, region, base):
        total: Dict[str, np.ndarray] = {}
        weight: Dict[str, np.ndarray] = {}
        for network in self._networks:
            network.reset_timings()
            for mirror in self._mirrors:
                mirrored = region.mirror != mirror
                for outputs, transform in network(frames, [region._replace(mirror=mirrored)]):
                    for name, swaps in self._swaps.items():
                        part = self._resampled(outputs[name], transform, base)
                        share = np.float32(1)
                        if mirror:
                            part, share = unmirror(part, swaps), known(part, swaps)
                        total[name] = total.get(name, 0) + part * share
                        weight[name] = weight.get(name, 0) + share
            for step in ('preprocess', 'network'):
                self.timings[step] += network.timings[step]
        return {name: total[name] / weight[name] for name in total}

    def _resampled(self, maps, transform, base):
        """Resample the maps (C, h, w) of a view at the cells of the own size."""
        stride, spec = self._stride, self.card.input
        columns, rows = spec.width // stride, spec.height // stride
        cells = np.arange(max(columns, rows), dtype=np.float64)[:, None].repeat(2, 1)
        pixels = transform.to_network(base.to_image((cells + .5) * stride - .5))
        place = (pixels + .5) / stride - .5
        across = _interpolation(place[:columns, 0], maps.shape[2])
        down = _interpolation(place[:rows, 1], maps.shape[1])
        return down @ maps @ across.T

    def close(self) -> None:
        """Free the networks of other scales."""
        for network in self._networks:
            if network is not self._own:
                network.close()


def augmented(estimator: PoseEstimator, flip: bool = False,
              scales: Sequence[float] = (1.,)) -> PoseEstimator:
    """Return an estimator that averages views before the decoder; the given one for one view.

    `scales` are relative to the network's own input size. The given estimator is not changed; it
    shares its network with the returned one. `close` of the returned one frees only the networks
    of other scales. ConfigError if the model does not allow it.
    """
    if not scales or not all(0 < scale <= _LARGEST for scale in scales):
        raise ConfigError('scales must be numbers above 0 and at most {:g}, not {}'.format(
            _LARGEST, ' '.join(map(str, scales)) or 'none'))
    if not flip and tuple(scales) == (1.,):
        return estimator
    card, own = estimator.card, estimator.network
    try:
        swaps = make_family(card.decoder.type, card.topology).flip(card)
    except NetworkError as error:
        raise ConfigError('views are averaged map by map, which {} does not allow: {}'.format(
            card.name, error)) from error
    stride = card.decoder.outputs['stride']
    networks = [_at_scale(own, scale, stride) for scale in scales]
    several = PoseEstimator.of_network(AugmentedNetwork(own, networks, swaps, stride, flip))
    several.stages += tuple(estimator.stages[len(several.stages):])  # tracking, smoothing
    several.configure(**estimator.settings)
    return several


def _at_scale(network, scale, stride):
    card = network.card
    own = (card.input.width, card.input.height)
    step = stride
    while step < _COARSEST and not any(side % (2 * step) for side in own):
        step *= 2
    size = tuple(max(step, int(round(scale * side / step)) * step) for side in own)
    if scale == 1 or size == own:
        return network
    engine = network.engine.describe()
    try:
        return open_network(engine.model, network.name, engine.backend,
                            with_input_size(card, size), device=engine.device,
                            threads=engine.threads, precision=engine.precision)
    except ModelError as error:
        raise ConfigError('scale {:g} needs a network with dynamic sizes, such as pose-train '
                          'export --dynamic writes: {}'.format(scale, error)) \
            from error


def _interpolation(place, count):
    """Return (len(place), count) float32: the weights of linear interpolation at `place`."""
    place = np.clip(place, 0, count - 1)
    return np.maximum(0, 1 - abs(place[:, None] - np.arange(count))).astype(np.float32)
