# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""RTMO (arXiv:2312.07526) as mmdeploy exports it: boxes and keypoints, suppressed in part."""
from pose_ros.core.card import require_keys
from pose_ros.core.decoders.outputs import output_name
from pose_ros.core.decoders.people_list import Candidates, PeopleListDecoder


class RtmoDecoder(PeopleListDecoder):
    """People as `boxes` (N, 5), x1 y1 x2 y2 score, and `keypoints` (N, K, 3), x y score.

    Both tensors are named in `outputs` of the card; pixels of the network input. YOLOX-Pose of
    mmpose with NMS inside has the same form.
    """

    def __init__(self, card):
        """Read the outputs of the card; CardError if they are invalid."""
        super(RtmoDecoder, self).__init__(card)
        where, outputs = 'model card {!r}, outputs'.format(card.name), card.decoder.outputs
        require_keys(outputs, ('boxes', 'keypoints'), where)
        self._names = [output_name(outputs, key, where) for key in ('boxes', 'keypoints')]

    def _tensors(self):
        return self._names

    def _read(self, outputs):
        boxes, keypoints = (outputs[name] for name in self._names)
        if boxes.ndim != 2 or boxes.shape[1] < 5 or len(boxes) != len(keypoints):
            raise ValueError('not N boxes with scores and N people')
        return Candidates(boxes[:, :4], boxes[:, 4], keypoints)
