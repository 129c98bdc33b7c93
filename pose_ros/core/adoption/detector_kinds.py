# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""The kinds of public detectors; see kinds.py."""
from pose_ros.core.adoption.guess import by_shape, cell_count, make_guess, PLAIN, UNIT


def palms(probe):
    """Palm detection (MediaPipe): anchors of box and seven points, logits."""
    found = by_shape(probe, (2016, 18), (2016, 1))
    return found and make_guess(
        'detector of palms (MediaPipe)', None, dict(UNIT, color='rgb'),
        ('boxes', {'format': 'anchors', 'box_tensor': found[0], 'score_tensor': found[1],
                   'strides': [8, 16, 16, 16]}), found, task='detection',
        settings={'growth': 2.6})  # to the hand (MediaPipe's palm_detection_to_roi)


def yolox(probe):
    """YOLOX, raw export (Megvii): a row per cell."""
    found = by_shape(probe, (cell_count(probe), None))
    if not found or probe.outputs[found[0]].shape[1] < 6:
        return None
    spec = dict(PLAIN, color='bgr', align='top_left', pad_value=114)
    return make_guess('detector (YOLOX)', None, spec,
                      ('boxes', {'format': 'yolox', 'tensor': found[0], 'strides': [8, 16, 32],
                                 'class': 0}), found, task='detection')


def yolo(probe):
    """Detectors of Ultralytics: v8 and 11 (all cells), 26 (a list of 300)."""
    spec = dict(UNIT, color='rgb', pad_value=114)
    cells, listed = by_shape(probe, (None, cell_count(probe))), by_shape(probe, (300, 6))
    if listed:
        outputs = {'format': 'list', 'tensor': listed[0], 'labels': None, 'class': 0}
    elif cells and probe.outputs[cells[0]].shape[0] > 4:
        outputs = {'format': 'yolo', 'tensor': cells[0], 'class': 0}
    else:
        return None
    return make_guess('detector (YOLO)', None, spec, ('boxes', outputs), listed or cells,
                      task='detection')


def listed_boxes(probe):
    """YOLOX and RTMDet with NMS inside (mmdeploy): dets, and labels if there are classes."""
    found = by_shape(probe, (None, 5))
    if not found:
        return None
    labels = [name for name, array in probe.outputs.items() if array.ndim == 1][:1]
    spec = dict(PLAIN, color='bgr', align='top_left', pad_value=114)
    return make_guess('detector with NMS inside (YOLOX of mmdeploy)', None, spec,
                      ('boxes', {'format': 'list', 'tensor': found[0],
                                 'labels': labels[0] if labels else None, 'class': 0}),
                      found + labels, task='detection')


def rtmdet(probe):
    """RTMDet (mmdetection), raw export: logits and distances per stride."""
    maps = sorted(probe.maps(), key=lambda each: -each.rows)
    scores = [each for each in maps if each.channels == 1]
    boxes = [each for each in maps if each.channels == 4]
    if not len(scores) == len(boxes) >= 2 or len(probe.outputs) != 2 * len(boxes):
        return None
    strides = [probe.height // each.rows for each in scores]
    spec = {'scale': 1.0, 'mean': [103.53, 116.28, 123.675], 'std': [57.375, 57.12, 58.395],
            'color': 'bgr', 'pad_value': 114}
    names = [each.name for each in scores + boxes]
    return make_guess('detector (RTMDet)', None, spec,
                      ('boxes', {'format': 'rtmdet', 'scores': names[:len(scores)],
                                 'boxes': names[len(scores):], 'strides': strides}),
                      names, maps, task='detection')


def ssd(probe):
    """SSD of TensorFlow's object detection API: boxes, scores, classes from 1."""
    found = by_shape(probe, (None, 4), (None,), (None,))
    if not found:
        return None
    by_word = {word: [name for name in probe.outputs if word in name.lower()]
               for word in ('box', 'score', 'class')}
    boxes, scores, labels = ((by_word[word] or [name])[0]
                             for word, name in zip(('box', 'score', 'class'), found))
    return make_guess('detector (SSD)', None, dict(PLAIN, color='rgb', fit='stretch'),
                      ('boxes', {'format': 'ssd', 'box_tensor': boxes, 'score_tensor': scores,
                                 'labels': labels, 'class': 1}), (boxes, scores, labels),
                      task='detection')
