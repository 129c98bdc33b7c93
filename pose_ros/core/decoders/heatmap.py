# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""One heatmap per keypoint of one person (Simple Baselines, arXiv:1804.06208) to keypoints."""
from typing import NamedTuple, Tuple

import cv2
import numpy as np

from pose_ros.core.card import require_keys
from pose_ros.core.decoders.decoder import Decoder, make_found, require_output
from pose_ros.core.decoders.outputs import (keypoint_channels, one_of, output_name, shape_text,
                                            stage_names)
from pose_ros.core.errors import CardError
from pose_ros.core.parameters import Parameter
from pose_ros.core.quoting import quoted

GRIDS = ('half_pixel', 'corner', 'udp')
_BLUR = 11  # cells: the kernel of DARK for a Gaussian of 2 cells
_AROUND = np.arange(5 + _BLUR - 1) - (5 + _BLUR - 1) // 2  # what its 5 x 5 cells read
_KERNEL = np.zeros(5 + _BLUR - 1, np.float32)
_KERNEL[:_BLUR] = cv2.getGaussianKernel(_BLUR, 0)[:, 0]
_KERNELS = np.array([np.roll(_KERNEL, shift) for shift in range(5)])  # one row per blurred cell


class HeatmapOutputs(NamedTuple):
    """The `outputs` of a card with the decoder type `heatmap`.

    `channels[k]` is the channel of keypoint k. `grid` says which input pixel x cell g shows, for
    an input of W px and maps of w cells: half_pixel (g + 0.5) W / w - 0.5; corner g W / w (Simple
    Baselines); udp g (W - 1) / (w - 1) (arXiv:1911.07524). `peak` is the value of a certain
    keypoint: 1, or 255 in TensorFlow's Simple Baselines. `stages` are the tensors of the stages
    before the last (convolutional pose machines), for drawings.
    """

    tensor: str
    channels: Tuple[int, ...]
    grid: str
    peak: float = 1.0
    stages: Tuple[str, ...] = ()


def parse_outputs(card) -> HeatmapOutputs:
    """Check the `outputs` of a card; CardError names the key and what is wrong with it."""
    where, outputs = 'model card {!r}, outputs'.format(card.name), card.decoder.outputs
    require_keys(outputs, ('tensor', 'channels', 'grid'), where, optional=('peak', 'stages'))
    peak = outputs.get('peak', 1.0)
    if type(peak) not in (int, float) or not 1e-3 <= peak <= 1e6:
        raise CardError("{}: 'peak' must be a number from 0.001 to 1000000, not {}".format(
            where, quoted(peak)))
    return HeatmapOutputs(output_name(outputs, 'tensor', where),
                          keypoint_channels(outputs, card.topology.size, where),
                          one_of(outputs, 'grid', GRIDS, where), float(peak),
                          tuple(name for name, in stage_names(outputs, 1, where)))


class HeatmapDecoder(Decoder):
    """The highest cell of each heatmap, refined to a fraction of a cell."""

    PARAMETERS = (
        Parameter('refinement', 'dark',
                  'Sub-cell position: none, quarter (a quarter cell towards the higher neighbor), '
                  'dark (Taylor expansion of the smoothed map, arXiv:1910.06278)',
                  choices=('none', 'quarter', 'dark'), dynamic=True),
        Parameter('keypoint_threshold', 0.1, 'Keypoints with a lower peak are missing',
                  0.0, 1.0, dynamic=True),
    )

    def __init__(self, card):
        """Plan for the channels of the card; CardError if its outputs or settings are invalid."""
        super(HeatmapDecoder, self).__init__(card)
        self.outputs = parse_outputs(card)

    def check_outputs(self, outputs):
        """See Decoder.check_outputs."""
        where, spec = 'model card {!r}'.format(self.card.name), self.outputs
        for name in (spec.tensor,) + spec.stages:
            shape = require_output(outputs, name, where).shape
            if len(shape) != 3 or shape[0] <= max(spec.channels) or min(shape[1:]) < 3:
                raise CardError('{}: output {!r} should be more than {} maps per crop, but the '
                                'network yields {}'.format(where, name, max(spec.channels),
                                                           shape_text(outputs[name])))

    def decode(self, outputs):
        """See Decoder.decode; one person, with the mean peak of its keypoints as score."""
        maps = self._heatmaps(outputs[self.outputs.tensor])
        height, width = maps.shape[1:]
        cells = maps.reshape(len(maps), -1).argmax(1)
        rows, columns = cells // width, cells % width
        scores = maps[np.arange(len(maps)), rows, columns] / self.outputs.peak
        keypoints = np.empty((len(maps), 3))
        keypoints[:, 0], keypoints[:, 1], keypoints[:, 2] = columns, rows, scores
        keypoints[:, :2] = self._pixels(
            keypoints[:, :2] + self._offsets(maps, rows, columns), width, height)
        keypoints[scores < self._settings['keypoint_threshold']] = 0
        found = keypoints[:, 2] > 0
        score = keypoints[found, 2].mean() if found.any() else 0.0
        return make_found(keypoints[None], [score])

    def maps(self, outputs):
        """See Decoder.maps."""
        return self._named(outputs[self.outputs.tensor])

    def stage_maps(self, outputs):
        """See Decoder.stage_maps."""
        return [self._named(outputs[name]) for name in self.outputs.stages]

    def unmirrored(self, outputs):
        """Return the outputs of a mirrored region as those of the region itself.

        Left and right keypoints change their places. On the grid `corner` the cells move by one
        column, because W - 1 - x is not a cell for every cell x (Simple Baselines' flip test).
        """
        spec = self.outputs
        maps = outputs[spec.tensor][list(spec.channels)][list(self.card.topology.mirror), :, ::-1]
        if spec.grid == 'corner':
            maps = np.concatenate([maps[..., :1], maps[..., :-1]], 2)
        result = np.zeros_like(outputs[spec.tensor])
        result[list(spec.channels)] = maps
        return dict(outputs, **{spec.tensor: result})

    def _offsets(self, maps, rows, columns):
        refinement = self._settings['refinement']
        if refinement == 'none':
            return 0.0
        inside = (rows > 1) & (rows < maps.shape[1] - 2) & (columns > 1) \
            & (columns < maps.shape[2] - 2)
        offsets = np.zeros((len(maps), 2))
        refine = _dark_offsets if refinement == 'dark' else _quarter_offsets
        index = np.flatnonzero(inside)
        if len(index):
            offsets[index] = refine(maps, index, rows[index], columns[index])
        return offsets

    def _named(self, tensor):
        maps = self._heatmaps(tensor) / self.outputs.peak
        return dict(zip(self.card.topology.keypoint_names, maps))

    def _heatmaps(self, maps):
        """Return the maps of the keypoints; a copy of them takes longer than the rest."""
        channels = self.outputs.channels
        if channels == tuple(range(len(channels))):
            return maps[:len(channels)]
        return maps[list(channels)]

    def _pixels(self, places, width, height):
        cells = np.array((width, height), np.float64)
        pixels = np.array((self.card.input.width, self.card.input.height), np.float64)
        if self.outputs.grid == 'half_pixel':
            return (places + 0.5) * pixels / cells - 0.5
        if self.outputs.grid == 'udp':
            return places * (pixels - 1) / (cells - 1)
        return places * pixels / cells


def _quarter_offsets(maps, index, rows, columns):
    across = maps[index, rows, columns + 1] - maps[index, rows, columns - 1]
    down = maps[index, rows + 1, columns] - maps[index, rows - 1, columns]
    return 0.25 * np.sign(np.column_stack([across, down]))


def _dark_offsets(maps, index, rows, columns):
    """Return -H^-1 g of the log of the smoothed map at the peak (arXiv:1910.06278, equation 7)."""
    logs = np.log(np.maximum(_smoothed_patches(maps, index, rows, columns), 1e-10))
    at = {(x, y): logs[:, y + 2, x + 2] for x in range(-2, 3) for y in range(-2, 3)}
    dx, dy = 0.5 * (at[1, 0] - at[-1, 0]), 0.5 * (at[0, 1] - at[0, -1])
    xx = 0.25 * (at[2, 0] - 2 * at[0, 0] + at[-2, 0])
    yy = 0.25 * (at[0, 2] - 2 * at[0, 0] + at[0, -2])
    xy = 0.25 * (at[1, 1] - at[-1, 1] - at[1, -1] + at[-1, -1])
    determinant = xx * yy - xy * xy
    usable = (determinant > 1e-9) & (xx < 0)  # a maximum, not a saddle
    safe = np.where(usable, determinant, 1)
    step = np.stack([xy * dy - yy * dx, xy * dx - xx * dy], 1) / safe[:, None]
    step[~usable] = 0
    return np.minimum(np.maximum(step, -1), 1)


def _smoothed_patches(maps, index, rows, columns):
    """Return the 5 x 5 cells around the peaks of maps `index`, (n, 5, 5), after a blur.

    Beyond the map there are zeros.
    """
    rows, columns = rows[:, None] + _AROUND, columns[:, None] + _AROUND
    height, width = maps.shape[1:]
    inner_rows = np.minimum(np.maximum(rows, 0), height - 1)
    inner_columns = np.minimum(np.maximum(columns, 0), width - 1)
    patches = maps[index[:, None, None], inner_rows[:, :, None], inner_columns[:, None]]
    patches *= (rows == inner_rows)[:, :, None] & (columns == inner_columns)[:, None]
    return _KERNELS @ patches @ _KERNELS.T
