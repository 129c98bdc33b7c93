# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""MoveNet multipose: up to six people of an image, in fractions of the network input."""
import numpy as np

from pose_ros.core.card import require_keys
from pose_ros.core.decoders.outputs import output_name
from pose_ros.core.decoders.people_list import Candidates, PeopleListDecoder


class MovenetMultiposeDecoder(PeopleListDecoder):
    """Rows (N, 3K + 5) of keypoints (y, x, score), box (ymin, xmin, ymax, xmax) and score.

    Coordinates are fractions of the input, 0 at its left or top edge, 1 at the other one (the
    model card of MoveNet on TensorFlow Hub). `outputs` of the card: `tensor`.
    """

    def __init__(self, card):
        """Read the outputs of the card; CardError if they are invalid."""
        super(MovenetMultiposeDecoder, self).__init__(card)
        where, outputs = 'model card {!r}, outputs'.format(card.name), card.decoder.outputs
        require_keys(outputs, ('tensor',), where)
        self._tensor = output_name(outputs, 'tensor', where)

    def _tensors(self):
        return [self._tensor]

    def _read(self, outputs):
        rows, size = outputs[self._tensor], self.card.topology.size
        if rows.shape[1] != 3 * size + 5:
            raise ValueError('another number of columns')
        scale = np.array((self.card.input.width, self.card.input.height), np.float32)
        points = rows[:, :3 * size].reshape(-1, size, 3)
        # Edges are at -0.5 px from the center of the first pixel.
        places = points[..., 1::-1] * scale - 0.5
        keypoints = np.concatenate([places, points[..., 2:]], 2)
        box = rows[:, 3 * size:3 * size + 4]
        corners = np.concatenate([box[:, 1::-1] * scale, box[:, 3:1:-1] * scale], 1)
        return Candidates(corners, rows[:, -1], keypoints)
