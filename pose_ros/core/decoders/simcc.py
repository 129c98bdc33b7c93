# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""SimCC (arXiv:2107.03332; RTMPose, RTMW): a distribution along x and one along y per keypoint."""
import numpy as np

from pose_ros.core.card import require_keys
from pose_ros.core.decoders.decoder import Decoder, make_found, require_output
from pose_ros.core.decoders.outputs import keypoint_channels, output_name, shape_text
from pose_ros.core.errors import CardError
from pose_ros.core.parameters import Parameter
from pose_ros.core.quoting import quoted


class SimccDecoder(Decoder):
    """The highest bin of each distribution.

    `outputs` of the card: `x` and `y` name the tensors (K, bins) of one crop, `bins_per_pixel`
    (2 for RTMPose) is their resolution, and `channels[k]` the row of keypoint k.
    """

    PARAMETERS = (
        Parameter('keypoint_threshold', 0.2, 'Keypoints whose lower maximum of x and y is lower '
                  'are missing', 0.0, 1.0, dynamic=True),
    )

    def __init__(self, card):
        """Read the outputs of the card; CardError if they are invalid."""
        super(SimccDecoder, self).__init__(card)
        where, outputs = 'model card {!r}, outputs'.format(card.name), card.decoder.outputs
        require_keys(outputs, ('x', 'y', 'bins_per_pixel', 'channels'), where)
        self._names = [output_name(outputs, axis, where) for axis in ('x', 'y')]
        self._channels = list(keypoint_channels(outputs, card.topology.size, where))
        self._bins = outputs['bins_per_pixel']
        if type(self._bins) not in (int, float) or not 0.1 <= self._bins <= 100:
            raise CardError("{}: 'bins_per_pixel' must be a number from 0.1 to 100, not "
                            '{}'.format(where, quoted(self._bins)))

    def check_outputs(self, outputs):
        """See Decoder.check_outputs."""
        where = 'model card {!r}'.format(self.card.name)
        sizes = (self.card.input.width, self.card.input.height)
        for name, size in zip(self._names, sizes):
            shape = require_output(outputs, name, where).shape
            bins = int(round(size * self._bins))
            if len(shape) != 2 or shape[0] <= max(self._channels) or shape[1] != bins:
                raise CardError(
                    '{}: output {!r} should be more than {} rows of {} bins per crop, but the '
                    'network yields {}'.format(where, name, max(self._channels), bins,
                                               shape_text(outputs[name])))

    def decode(self, outputs):
        """See Decoder.decode; one person, with the mean score of its keypoints.

        Bin b is at pixel b / bins_per_pixel, as in mmpose. The score of a keypoint is the lower
        of its two maxima.
        """
        rows = [outputs[name][self._channels] for name in self._names]
        scores = np.minimum(rows[0].max(1), rows[1].max(1))
        places = np.column_stack([row.argmax(1) for row in rows]) / float(self._bins)
        keypoints = np.column_stack([places, np.clip(scores, 0, 1)])
        keypoints[scores < max(self._settings['keypoint_threshold'], 1e-6)] = 0
        found = keypoints[:, 2] > 0
        score = keypoints[found, 2].mean() if found.any() else 0.0
        return make_found(keypoints[None], [score])

    def unmirrored(self, outputs):
        """See Decoder.unmirrored: bin b of x shows what bin b of the mirrored crop shows.

        Pixel p of the crop is pixel W - 1 - p of the mirrored one, so bins move by one pixel less
        one bin.
        """
        mirror = list(self.card.topology.mirror)
        result = {}
        for name in self._names:
            rows = outputs[name][self._channels][mirror]
            if name == self._names[0]:
                rows = _reversed(rows, int(round(self._bins)) - 1)
            changed = np.zeros_like(outputs[name])
            changed[self._channels] = rows
            result[name] = changed
        return dict(outputs, **result)


def _reversed(rows, shift):
    """Reverse the bins, and move them `shift` bins to the left."""
    backward = np.zeros_like(rows)
    count = rows.shape[1]
    backward[:, :count - shift] = rows[:, ::-1][:, shift:]
    return backward
