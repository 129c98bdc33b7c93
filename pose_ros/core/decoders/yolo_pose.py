# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""YOLO pose networks: v8 and 11 (all cells), and 26 (end to end, suppressed by the network)."""
import numpy as np

from pose_ros.core.card import require_keys
from pose_ros.core.decoders.outputs import one_of, output_name
from pose_ros.core.decoders.people_list import Candidates, PeopleListDecoder

FORMS = ('cells', 'list')


class YoloPoseDecoder(PeopleListDecoder):
    """People of one class, with keypoints (x, y, visibility).

    `outputs` of the card: `tensor` and its `form`. cells: (5 + 3K, A) with center, size, score and
    keypoints. list: (N, 6 + 3K) with two corners, score, class 0 and keypoints. All in pixels of
    the network input (Ultralytics' documentation of the export).
    """

    def __init__(self, card):
        """Read the outputs of the card; CardError if they are invalid."""
        super(YoloPoseDecoder, self).__init__(card)
        where, outputs = 'model card {!r}, outputs'.format(card.name), card.decoder.outputs
        require_keys(outputs, ('tensor', 'form'), where)
        self._tensor = output_name(outputs, 'tensor', where)
        self._form = one_of(outputs, 'form', FORMS, where)

    def _tensors(self):
        return [self._tensor]

    def _read(self, outputs):
        array, size = outputs[self._tensor], self.card.topology.size
        if self._form == 'list':
            keypoints = array[:, 6:].reshape(-1, size, 3)
            return Candidates(array[:, :4], np.where(array[:, 5] == 0, array[:, 4], 0), keypoints)
        if array.shape[0] != 5 + 3 * size:
            raise ValueError('another number of rows')
        # Thousands of cells, and few people: only the rows of people are put in order.
        keep = np.flatnonzero(array[4] >= self._settings['min_score'])
        rows = array[:, keep].T
        half = rows[:, 2:4] / 2
        corners = np.concatenate([rows[:, :2] - half, rows[:, :2] + half], 1)
        return Candidates(corners, rows[:, 4], rows[:, 5:].reshape(-1, size, 3))
