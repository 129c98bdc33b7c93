# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Outputs of detectors to boxes: YOLOX, RTMDet, YOLO, SSD, palms, ours, and lists after NMS.

Facts: YOLOX (arXiv:2107.08430) and RTMDet (arXiv:2212.07784) as exported by their authors; YOLO:
Ultralytics' documentation; SSD: TensorFlow's object detection API; palms: MediaPipe.
"""
from typing import Dict, List, Tuple

import numpy as np

from pose_ros.core.card import require_keys
from pose_ros.core.decoders.decoder import Decoder, make_found, require_output
from pose_ros.core.decoders.people_list import best, distinct, found_differ, sigmoid, to_boxes
from pose_ros.core.errors import CardError
from pose_ros.core.parameters import Parameter
from pose_ros.core.quoting import quoted

_KEYS = {
    'yolox': ('format', 'tensor', 'strides', 'class'),
    'rtmdet': ('format', 'scores', 'boxes', 'strides'),
    'distances': ('format', 'tensor', 'strides'),
    'list': ('format', 'tensor', 'labels', 'class'),
    'yolo': ('format', 'tensor', 'class'),
    'ssd': ('format', 'box_tensor', 'score_tensor', 'labels', 'class'),
    'anchors': ('format', 'box_tensor', 'score_tensor', 'strides'),
}
_NAMES = ('tensor', 'labels', 'box_tensor', 'score_tensor')
_GROW = np.array([-0.5, -0.5, 1, 1], np.float32)  # of left, top, width and height
_SUPPRESSED = ('list', 'ssd')  # formats after non-maximum suppression


class BoxesDecoder(Decoder):
    """Boxes of one class, after non-maximum suppression, best scores first.

    `outputs` of the card: `format` and its tensors. yolox: (A, 5 + C) rows of raw center, raw
    size, objectness, classes. rtmdet: per stride a tensor of logits (1, h, w) and one of distances
    (4, h, w) in px from the corner of the cell. distances: (5, A) with the logarithms of the
    distances in cells from the center of the cell to left, top, right and bottom, and the logit.
    list: (N, 5) or (N, 6) corners, score and class, suppressed already; `labels` names a tensor
    of classes, or is null. yolo: (4 + C, A) center, size [px] and scores of classes. ssd: (N, 4)
    top, left, bottom, right in fractions of the input, scores (N,) and classes, suppressed
    already. anchors: (A, 4 or more) center from that of the cell and size [px], and logits (A,);
    as many anchors per cell as its stride is listed times two.
    """

    TASK = 'detection'
    PARAMETERS = (
        Parameter('min_score', 0.3, 'Boxes with a lower score are dropped', 0.0, 1.0,
                  dynamic=True),
        Parameter('nms_iou', 0.65, 'Of two boxes with a higher overlap (intersection over union) '
                  'the lower score is dropped', 0.0, 1.0, dynamic=True),
        Parameter('max_boxes', 100, 'Keep only this many boxes, best scores first', 1, 1000,
                  dynamic=True),
        Parameter('growth', 1.0, 'Boxes grow by this factor around their centers, such as 2.6 '
                  'from palms to hands', 0.1, 10.0, dynamic=True),
    )

    def __init__(self, card):
        """Plan for the format of the card; CardError if its outputs or settings are invalid."""
        super(BoxesDecoder, self).__init__(card)
        self._outputs = _parse(card)
        self._read = getattr(self, '_read_' + self._outputs['format'])
        strides = self._outputs.get('strides', ())
        self._cells, self._steps = _cells(strides, card.input.width, card.input.height)
        self._anchors = _anchors(strides, card.input.width, card.input.height)

    def check_outputs(self, outputs: Dict[str, np.ndarray]) -> None:
        """See Decoder.check_outputs."""
        where = 'model card {!r}'.format(self.card.name)
        for name in _tensors(self._outputs):
            require_output(outputs, name, where,
                           whole_numbers=name == self._outputs.get('labels'))
        try:
            boxes, scores = self._read(outputs)
        except (ValueError, IndexError) as error:
            raise CardError('{}: the outputs {} do not have the form of {!r}: {}'.format(
                where, {name: array.shape for name, array in outputs.items()},
                self._outputs['format'], error))
        if boxes.shape != (len(scores), 4):
            raise CardError('{}: the network yields {} boxes and {} scores'.format(
                where, boxes.shape, scores.shape))

    def decode(self, outputs):
        """See Decoder.decode; no keypoints."""
        corners, scores = self._read(outputs)
        settings = self._settings
        keep = best(scores, settings['min_score'], 4 * settings['max_boxes'])
        scores, boxes = scores[keep], to_boxes(corners[keep])
        if self._outputs['format'] not in _SUPPRESSED:
            keep = distinct(boxes, scores, settings['nms_iou'])
            boxes, scores = boxes[keep], scores[keep]
        most = settings['max_boxes']
        boxes = boxes + boxes[:, [2, 3, 2, 3]] * _GROW * (settings['growth'] - 1)
        return make_found(np.zeros((len(boxes[:most]), 0, 3)), scores[:most], boxes[:most])

    def agrees(self, expected, found, precision):
        """See Decoder.agrees: every clear box of ONNX Runtime must be found, and no other."""
        return found_differ(self, expected, found)

    def _read_yolox(self, outputs):
        rows = outputs[self._outputs['tensor']]
        centers = (rows[:, :2] + self._cells) * self._steps[:, None]
        sizes = np.exp(np.minimum(rows[:, 2:4], 20)) * self._steps[:, None]
        scores = rows[:, 4] * rows[:, 5 + self._outputs['class']]
        return np.concatenate([centers - sizes / 2, centers + sizes / 2], 1), scores

    def _read_rtmdet(self, outputs):
        scores = np.concatenate([outputs[name].reshape(-1) for name in self._outputs['scores']])
        distances = np.concatenate([outputs[name].reshape(4, -1)
                                    for name in self._outputs['boxes']], 1).T
        corners = self._cells * self._steps[:, None]
        return _around(corners, distances), sigmoid(scores)

    def _read_distances(self, outputs):
        rows = outputs[self._outputs['tensor']].T
        centers = (self._cells + 0.5) * self._steps[:, None]
        distances = np.exp(np.minimum(rows[:, :4], 20)) * self._steps[:, None]
        return _around(centers, distances), sigmoid(rows[:, 4])

    def _read_yolo(self, outputs):
        rows = outputs[self._outputs['tensor']].T
        half = rows[:, 2:4] / 2
        corners = np.concatenate([rows[:, :2] - half, rows[:, :2] + half], 1)
        return corners, rows[:, 4 + self._outputs['class']]

    def _read_ssd(self, outputs):
        boxes, scores = (outputs[self._outputs[key]] for key in ('box_tensor', 'score_tensor'))
        size = (self.card.input.height, self.card.input.width) * 2
        labels = self._outputs['labels']
        if labels:
            scores = np.where(outputs[labels] == self._outputs['class'], scores, 0)
        return (boxes * size)[:, [1, 0, 3, 2]], scores

    def _read_anchors(self, outputs):
        rows, scores = (outputs[self._outputs[key]] for key in ('box_tensor', 'score_tensor'))
        cells, steps = self._anchors
        centers = rows[:, :2] + (cells + 0.5) * steps[:, None]
        half = rows[:, 2:4] / 2
        return np.concatenate([centers - half, centers + half], 1), sigmoid(scores.reshape(-1))

    def _read_list(self, outputs):
        rows = outputs[self._outputs['tensor']]
        labels = self._outputs['labels']
        classes = outputs[labels] if labels else rows[:, 5] if rows.shape[1] > 5 else None
        scores = rows[:, 4]
        if classes is not None:
            scores = np.where(classes == self._outputs['class'], scores, 0)
        return rows[:, :4], scores


def _parse(card):
    where, outputs = 'model card {!r}, outputs'.format(card.name), card.decoder.outputs
    kind = outputs.get('format')
    if not isinstance(kind, str) or kind not in _KEYS:
        raise CardError("{}: 'format' must be one of {}, not {}".format(
            where, ', '.join(sorted(_KEYS)), quoted(kind)))
    require_keys(outputs, _KEYS[kind], where)
    strides = outputs.get('strides', [8])
    if not isinstance(strides, (list, tuple)) or not strides or not all(
            type(stride) is int and 1 <= stride <= 256 for stride in strides) \
            or kind != 'anchors' and len(set(strides)) < len(strides):
        raise CardError("{}: 'strides' must be a list of different numbers of pixels, from 1 to "
                        '256'.format(where))
    names = [outputs[key] for key in _NAMES
             if key in outputs and not (key == 'labels' and outputs[key] is None)]
    for key in ('scores', 'boxes'):
        if key in outputs:
            if not isinstance(outputs[key], (list, tuple)) or len(outputs[key]) != len(strides):
                raise CardError('{}: {!r} must be one output name per stride'.format(where, key))
            names += list(outputs[key])
    if not all(isinstance(name, str) and name for name in names) \
            or len(set(names)) < len(names):
        raise CardError('{}: the tensors must be output names, no two alike, not {}'.format(
            where, quoted(names)))
    label = outputs.get('class', 0)
    if type(label) is not int or label < 0:
        raise CardError("{}: 'class' must be a whole number from 0, not {}".format(
            where, quoted(label)))
    return outputs


def _tensors(outputs) -> List[str]:
    names = [outputs[key] for key in _NAMES if outputs.get(key)]
    return names + [name for key in ('scores', 'boxes') for name in outputs.get(key, ())]


def _cells(strides, width, height) -> Tuple[np.ndarray, np.ndarray]:
    """Return column and row of each cell (A, 2), strides in their order, and strides (A,)."""
    cells, steps = [np.zeros((0, 2))], [np.zeros(0)]
    for stride in strides:
        rows, columns = np.mgrid[:height // stride, :width // stride]
        cells.append(np.column_stack([columns.ravel(), rows.ravel()]))
        steps.append(np.full(rows.size, stride))
    return np.concatenate(cells).astype(np.float32), np.concatenate(steps).astype(np.float32)


def _anchors(strides, width, height):
    """Return the cells and strides of MediaPipe's anchors: two per cell and listed stride."""
    cells, steps = [np.zeros((0, 2), np.float32)], [np.zeros(0, np.float32)]
    for stride in sorted(set(strides)):
        places, step = _cells([stride], width, height)
        anchors = 2 * list(strides).count(stride)
        cells.append(np.repeat(places, anchors, 0))
        steps.append(np.repeat(step, anchors))
    return np.concatenate(cells), np.concatenate(steps)


def _around(points, distances):
    return np.concatenate([points - distances[:, :2], points + distances[:, 2:]], 1)
