# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""The kinds of public networks, recognized by the names and shapes of their outputs.

Sources of the inputs and outputs: the export code and documentation of each project, named in the
kinds. What no shape shows, such as the order of colors, is that of the project's own release.
"""
from typing import Callable, Dict, Optional

from pose_ros.core.adoption.detector_kinds import listed_boxes, palms, rtmdet, ssd, yolo, yolox
from pose_ros.core.adoption.guess import (by_shape, cell_count, Guess, IMAGENET, in_order,
                                          make_guess, PLAIN, UNIT)
from pose_ros.core.adoption.probe import Probe
from pose_ros.core.adoption.tables import (BLAZEPOSE_COCO_17, channels_of, EFFICIENTPOSE,
                                           FACE_MESH_68, topology_of)
from pose_ros.core.paf_layouts import map_layout

_COCO_BODY = 17
_WHOLE_BODIES = (26, 133)  # Halpe and COCO-WholeBody: their first 17 are those of COCO


def simcc(probe):
    """RTMPose, RTMW (mmpose, mmdeploy): x and y as distributions of two bins per pixel.

    RTMPose3D and RTMW3D have a third one, z in depth from the root, which is not read.
    """
    flat = {name: array for name, array in probe.outputs.items() if array.ndim == 2}
    depth = len(flat) == 3 and len({len(array) for array in flat.values()}) == 1
    if depth:  # its shape is that of x; without names, z is the last
        last = [name for name in flat if name.lower().endswith('z')] or list(flat)[2:]
        probe = probe._replace(outputs={name: flat[name] for name in flat if name != last[0]})
    found = by_shape(probe, (None, 2 * probe.width), (None, 2 * probe.height))
    if not found or probe.width == probe.height and 'y' in found[0].lower()[-2:]:
        found = found and found[::-1]
    if not found:
        return None
    count = len(probe.outputs[found[0]])
    kept = _COCO_BODY if count in _WHOLE_BODIES else count
    spec = {'scale': 1.0, 'mean': [123.675, 116.28, 103.53], 'std': [58.395, 57.12, 57.375],
            'color': 'rgb', 'fit': 'crop', 'padding': 1.25}
    kind = 'SimCC of crops (RTMPose{}, {} keypoints{})'.format(
        '3D' if depth else '', count, ', z left out' if depth else '')
    return make_guess(
        kind, topology_of(kept), spec,
        ('simcc', {'x': found[0], 'y': found[1], 'bins_per_pixel': 2,
                   'channels': list(range(kept))}), found)


def rtmo(probe):
    """RTMO and YOLOX-Pose with NMS inside (mmdeploy)."""
    boxes = by_shape(probe, (None, 5))
    points = [name for name, array in probe.outputs.items()
              if array.ndim == 3 and array.shape[2] == 3 and array.shape[1] > 4]
    if not boxes or len(points) != 1:
        return None
    names = (boxes[0], points[0])
    spec = dict(PLAIN, color='bgr', align='top_left', pad_value=114)
    return make_guess('one-stage (RTMO)', topology_of(probe.outputs[points[0]].shape[1]), spec,
                      ('rtmo', {'boxes': names[0], 'keypoints': names[1]}), names)


def yolo_pose(probe):
    """Pose networks of Ultralytics: v8 and 11 (all cells), 26 (a list)."""
    spec = dict(UNIT, color='rgb', pad_value=114)
    for name, array in probe.outputs.items():
        if array.ndim != 2:
            continue
        rows, columns = array.shape
        cells = columns == cell_count(probe) and rows > 5 and (rows - 5) % 3 == 0
        listed = columns > 6 and (columns - 6) % 3 == 0 and 50 <= rows <= 1000 \
            and columns != cell_count(probe)
        if cells or listed:
            count = (rows - 5) // 3 if cells else (columns - 6) // 3
            form = 'cells' if cells else 'list'
            return make_guess('one-stage (YOLO pose, {})'.format(form), topology_of(count), spec,
                              ('yolo_pose', {'tensor': name, 'form': form}), [name])
    return None


def movenet_multipose(probe):
    """MoveNet multipose (TensorFlow Hub): six rows of 17 keypoints and a box."""
    found = by_shape(probe, (6, 56))
    return found and make_guess(
        'one-stage (MoveNet multipose)', 'coco_17', dict(PLAIN, color='rgb', align='top_left'),
        ('movenet_multipose', {'tensor': found[0]}), found, settings={'min_score': .11})


def movenet(probe):
    """MoveNet lightning and thunder (TensorFlow Hub): one person in a square crop."""
    found = by_shape(probe, (1, 17, 3))
    return found and make_guess(
        'coordinates of one person (MoveNet)', 'coco_17',
        dict(PLAIN, color='rgb', fit='crop', padding=1.0),  # measured: more accurate than 1.25
        ('regression', {'tensor': found[0], 'columns': ['y', 'x', 'score'], 'unit': 'fractions',
                        'channels': list(range(17)), 'scores': 'probability', 'presence': None}),
        found)


def blazepose(probe):
    """BlazePose (MediaPipe): 39 landmarks of x, y, z, visibility, presence."""
    found = by_shape(probe, (195,), (1,))
    return found and make_guess(
        'coordinates of one person (BlazePose)', 'coco_17',
        dict(UNIT, color='rgb', fit='crop', padding=1.25),
        ('regression', {'tensor': found[0], 'columns': ['x', 'y', 'unused', 'score', 'unused'],
                        'unit': 'pixels', 'channels': BLAZEPOSE_COCO_17, 'scores': 'logit',
                        'presence': None}), found[:1])


def hand_landmarks(probe):
    """Hand landmarks (MediaPipe): 21 times x, y, z; presence, handedness."""
    found = by_shape(probe, (63,), (1,))
    return found and make_guess(
        'coordinates of a hand (MediaPipe)', 'hand_21',
        dict(UNIT, color='rgb', fit='crop', padding=1.0),  # measured
        ('regression', {'tensor': found[0], 'columns': ['x', 'y', 'unused'], 'unit': 'pixels',
                        'channels': list(range(21)), 'scores': 'probability',
                        'presence': found[1]}), found)


def face_mesh(probe):
    """Face mesh (MediaPipe): 468 times x, y, z, and a logit; reduced to face_70."""
    found = by_shape(probe, (1, 1, 1404), (1, 1, 1)) or by_shape(probe, (1404,), (1,))
    return found and make_guess(
        'coordinates of a face (MediaPipe)', 'face_70',
        dict(UNIT, color='rgb', fit='crop', padding=1.15),  # measured
        ('regression', {'tensor': found[0], 'columns': ['x', 'y', 'unused'], 'unit': 'pixels',
                        'channels': FACE_MESH_68 + [None] * 2, 'scores': 'logit',
                        'presence': found[1]}), found)


def paf(probe):
    """OpenPose and its kin: heatmaps and PAFs; of several stages, the last is read."""
    maps = probe.maps()
    for topology in ('coco_18', 'trt_pose_18', 'body_25', 'mpi_15'):
        layout = map_layout(topology)
        heat, fields, both = (in_order([each for each in maps if each.channels == count])
                              for count in (layout.heatmaps, layout.pafs,
                                            layout.heatmaps + layout.pafs))
        if both:
            heat, fields, shift = both, both, layout.heatmaps
        elif heat and fields:
            shift = 0
        else:
            continue
        stages = [pair for pair in zip(heat, fields) if len(heat) == len(fields)
                  and {each.rows for each in pair} == {heat[-1].rows}][:-1]
        heat, fields = heat[-1], fields[-1]
        if heat.rows != fields.rows:
            continue  # EfficientPose: its PAFs serve training, and its last maps are larger
        size = len(layout.limbs)
        limbs = [[parent, child, shift + 2 * index] for index in layout.joining_order
                 for parent, child in [layout.limbs[index]]]
        outputs = {'stride': int(round(probe.height / float(heat.rows))),
                   'heatmaps': {'tensor': heat.name, 'background':
                                layout.heatmaps - 1 if layout.background else None,
                                'channels': list(range(layout.heatmaps - layout.background))},
                   'pafs': {'tensor': fields.name, 'limbs': limbs,
                            'axis_order': layout.axis_order}}
        spec = dict(IMAGENET, color='rgb') if topology == 'trt_pose_18' \
            else dict(PLAIN, color='bgr', width=432, height=368)
        if 'Openpose/' in heat.name:  # tf-pose, which normalizes by the statistics of the image
            spec.update(fit='stretch', interpolation='cubic')
        if stages:
            outputs['stages'] = [[each.name for each in pair] for pair in stages]
        kept = {each for pair in stages for each in pair} | {heat, fields}
        kind = 'bottom-up with PAFs ({}, {} limbs)'.format(topology, size)
        return make_guess(kind, topology, spec, ('paf', outputs),
                          sorted(each.name for each in kept), kept)
    return None


def heatmaps(probe):
    """Simple Baselines, HRNet, ViTPose, convolutional pose machines: one map per keypoint."""
    maps = [each for each in probe.maps() if 5 <= each.channels <= 71]
    if not maps:
        return None
    stages = in_order([each for each in maps if each.rows == max(one.rows for one in maps)])
    best = stages[-1]
    if len({each.channels for each in maps}) > 1 and best.channels != 16:
        return None  # of other kinds
    count = best.channels - (best.channels in (22, 71))  # hands and faces with a background
    order, spec, names = list(range(count)), dict(IMAGENET, color='rgb'), best.name.lower()
    if count == 16 and len(maps) > 1:
        order = channels_of(EFFICIENTPOSE, 'mpii_16')
    if 'convolutional_pose_machine' in names:
        spec = dict(PLAIN, color='bgr')  # trained on images as OpenCV reads them
    outputs = {'tensor': best.name, 'channels': order, 'grid': 'corner'}
    stages = [each for each in stages if each.channels == best.channels]
    if stages[:-1]:
        outputs['stages'] = [each.name for each in stages[:-1]]
    return make_guess('heatmaps of crops ({} keypoints)'.format(count), topology_of(count),
                      dict(spec, fit='crop', padding=1.25), ('heatmap', outputs),
                      [each.name for each in stages], stages)


# The first that fits is taken; a file that fits two kinds has the more special one first.
KINDS: Dict[str, Callable[[Probe], Optional[Guess]]] = {
    kind.__name__: kind for kind in (
        simcc, rtmo, movenet_multipose, movenet, blazepose, hand_landmarks, face_mesh, palms,
        yolo_pose, yolox, yolo, listed_boxes, rtmdet, ssd, paf, heatmaps)}
