# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""A tiny pose network whose answer is known: two drawn people, as strong as the image is blue.

`python test/models.py OUT.onnx` writes it for tests whose nodes run in other processes.
"""
import json
from pathlib import Path
import sys

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))

from pose_ros.core.card import CARD_KEY, parse_card  # noqa: E402
from pose_ros.core.parameters import checked_values  # noqa: E402
from pose_ros.core.people import make_people  # noqa: E402
from pose_ros.core.stages import SELECTION_PARAMETERS  # noqa: E402
from pose_ros.core.stages.selection import select_people  # noqa: E402

WIDTH, HEIGHT, STRIDE = 160, 128, 8
OPSET, IR_VERSION = 13, 8
KEYPOINTS = 18
HEAT_CHANNELS = KEYPOINTS + 1  # and the background
# (parent, child) of COCO-18 in joining order; the last two are the helpers shoulder to ear.
LIMBS = ((1, 2), (1, 5), (2, 3), (3, 4), (5, 6), (6, 7), (1, 8), (8, 9), (9, 10), (1, 11),
         (11, 12), (12, 13), (1, 0), (0, 14), (14, 16), (0, 15), (15, 17), (2, 16), (5, 17))
CHANNELS = HEAT_CHANNELS + 2 * len(LIMBS)

# Network-input pixels, relative to the person's axis in x; COCO-18 order, facing the camera. The
# second one raises the left arm, so that neither a mirrored nor a swapped answer can look right.
_STANDING = ((0.5, 32), (0, 42), (-11, 43), (-17.3, 56), (-20, 69.2), (11, 43), (17, 56),
             (20.4, 69), (-7, 68), (-8, 84.6), (-9, 100), (7, 68), (8, 84), (9.7, 100), (-3, 29.5),
             (3.5, 29.5), (-6, 31), (6.5, 31))
_WAVING = ((-0.5, 34), (0, 45), (-10, 46), (-15, 58.7), (-18, 71), (10, 46), (16, 36.2), (13, 28),
           (-6, 70), (-9.2, 86), (-12, 99), (6, 70), (7, 85), (8, 101.4), (-3, 31), (2.5, 31.5),
           (-6, 32), (5.5, 33))


def tiny_people():
    """Keypoints (2, 18, 2) of the tiny network's people, network-input pixels."""
    people = np.array([_STANDING, _WAVING], np.float64)
    people[0, :, 0] += 38.2
    people[1, :, 0] += 116.7
    return people


def draw_maps(people, width=WIDTH, height=HEIGHT, stride=STRIDE, sigma=1.5, limbs=LIMBS):
    """Draw heatmaps, background and PAFs (19 + 2 L, h, w) float32 of people (P, 18, 2) [px].

    Gaussians of `sigma` cells, of which the highest counts; unit vectors within 1.2 cells of
    each limb, of which the mean counts. NaN keypoints are not drawn.
    """
    people = np.asarray(people, np.float64).reshape(-1, KEYPOINTS, 2)
    people = (people + 0.5) / stride - 0.5  # in cells
    rows, columns = np.mgrid[:height // stride, :width // stride].astype(np.float64)
    heat = np.zeros((KEYPOINTS,) + rows.shape)
    fields = np.zeros((len(limbs), 2) + rows.shape)
    for x, y, part in ((x, y, part) for person in people for part, (x, y) in enumerate(person)):
        if np.isfinite(x):
            heat[part] = np.maximum(heat[part], np.exp(
                -((columns - x) ** 2 + (rows - y) ** 2) / (2 * sigma * sigma)))
    for field, (a, b) in zip(fields, limbs):
        _draw_field(field, people[:, a], people[:, b], columns, rows)
    maps = np.concatenate([heat, 1 - heat.max(0)[None], fields.reshape((-1,) + rows.shape)])
    return maps.astype(np.float32)


def _draw_field(field, starts, ends, columns, rows):
    count = np.zeros(rows.shape)
    for start, end in zip(starts, ends):
        length = np.hypot(*(end - start))
        if length > 0:  # false for NaN
            unit = (end - start) / length
            x, y = columns - start[0], rows - start[1]
            along = x * unit[0] + y * unit[1]
            across = np.abs(x * unit[1] - y * unit[0])
            near = (across <= 1.2) & (along >= -1.2) & (along <= length + 1.2)
            field += near * unit[:, None, None]
            count += near
    field /= np.maximum(count, 1)


def card_data(color='bgr', separate=False, outputs=None, settings=None, **changes):
    """Return the tiny network's card as a dict.

    `outputs` and `settings` replace those of the decoder, `changes` top-level keys.
    """
    first = 0 if separate else HEAT_CHANNELS
    data = {
        'schema': 1, 'name': 'tiny', 'version': '1.0', 'license': 'Apache-2.0', 'task': 'pose',
        'topology': 'coco_18',
        'input': {'height': HEIGHT, 'width': WIDTH, 'color': color, 'scale': 1.0,
                  'mean': [0.0, 0.0, 0.0], 'std': [1.0, 1.0, 1.0], 'fit': 'letterbox',
                  'align': 'center', 'interpolation': 'linear', 'pad_value': 0},
        'decoder': {
            'type': 'paf',
            'outputs': {
                'stride': STRIDE,
                'heatmaps': {'tensor': 'heat' if separate else 'output',
                             'channels': list(range(KEYPOINTS)), 'background': KEYPOINTS},
                'pafs': {'tensor': 'paf' if separate else 'output', 'axis_order': 'xy',
                         'limbs': [[a, b, first + 2 * k] for k, (a, b) in enumerate(LIMBS)]}},
            'settings': {}},
        'provenance': {'source': 'drawn by the tests'}}
    data['decoder'].update(outputs=outputs or data['decoder']['outputs'],
                           settings=settings or {})
    data.update(changes)
    return data


def tiny_card(**options):
    """Return the validated card of the tiny network; options as in card_data."""
    return parse_card(card_data(**options), 'tiny card')


def decoded(decoder, outputs, **selection):
    """Return the selected people (network pixels) that a decoder finds in the outputs of a region.

    `selection` replaces defaults of SELECTION_PARAMETERS.
    """
    found = decoder.decode(outputs)
    people = make_people(found.keypoints, found.scores)
    values = checked_values(SELECTION_PARAMETERS, selection, 'selection')
    return select_people(people, decoder.card.topology, **values)


def split_settings(settings):
    """Split settings by name into those of the decoder and those of the selection."""
    names = {parameter.name for parameter in SELECTION_PARAMETERS}
    return ({name: value for name, value in settings.items() if name not in names},
            {name: value for name, value in settings.items() if name in names})


def matched(skeletons, people):
    """Return keypoints (P, K, 3) of `skeletons` in the order of `people` (P, K, 2)."""
    assert skeletons.count == len(people), (skeletons.count, len(people))
    if not len(people):
        return skeletons.keypoints
    distance = np.nanmedian(np.linalg.norm(
        skeletons.keypoints[None, :, :, :2] - np.asarray(people)[:, None], axis=-1), axis=-1)
    order = distance.argmin(1)
    assert len(set(order.tolist())) == len(order), 'two people have one nearest answer'
    return skeletons.keypoints[order]


def image(width=WIDTH, height=HEIGHT, blue=255, green=0, red=0):
    """A plain BGR image (height, width, 3) uint8."""
    plain = np.empty((height, width, 3), np.uint8)
    plain[:] = (blue, green, red)
    return plain


def make_model(path, color='bgr', dynamic=False, batch=False, separate=False, nan=False,
               input_channels=3, maps=None, card='own'):
    """Write the tiny network to `path` and return it as str.

    Its maps are drawn people times the mean of the blue channel / 255. color: the order in which
    the network expects channels. dynamic: any batch and size; the people scale with the input.
    batch: any batch, but one size.
    separate: outputs `heat` and `paf` instead of `output`. nan: images with any green yield NaN.
    input_channels: other than 3 contradicts every card. maps: other constant maps (57, h, w).
    card: 'own', None for none, or a dict or text to embed as it is.
    """
    from onnx import helper
    graph = _Graph()
    factor = graph.blueness({'bgr': 0, 'rgb': 2}[color], nan)
    maps = draw_maps(tiny_people()) if maps is None else np.asarray(maps, np.float32)
    parts = {'output': maps}
    if separate:
        parts = {'heat': maps[:HEAT_CHANNELS], 'paf': maps[HEAT_CHANNELS:]}
    size = (['n', input_channels, 'h', 'w'] if dynamic else
            ['n' if batch else 1, input_channels, maps.shape[1] * STRIDE, maps.shape[2] * STRIDE])
    for name, part in parts.items():
        constant = graph.constant(part[None])
        if dynamic:
            constant = graph.resized(constant, len(part))
        graph.op('Mul', constant, factor, output=name)
    model = helper.make_model(graph.finish(size, parts, dynamic),
                              opset_imports=[helper.make_opsetid('', OPSET)],
                              producer_name='pose_ros')
    model.ir_version = IR_VERSION
    if card == 'own':
        card = card_data(color=color, separate=separate)
    if card is not None:
        text = card if isinstance(card, str) else json.dumps(card)
        helper.set_model_props(model, {CARD_KEY: text})
    with open(str(path), 'wb') as stream:
        stream.write(model.SerializeToString())
    return str(path)


class _Graph:
    """Collects nodes and constants; every result gets a name of its own."""

    def __init__(self):
        from onnx import helper, numpy_helper
        self._helper, self._numpy_helper = helper, numpy_helper
        self._nodes, self._constants = [], []

    def constant(self, value):
        name = 'c{}'.format(len(self._constants))
        self._constants.append(self._numpy_helper.from_array(np.array(value), name))
        return name

    def op(self, kind, *inputs, **attributes):
        output = attributes.pop('output', 'n{}'.format(len(self._nodes)))
        self._nodes.append(self._helper.make_node(kind, list(inputs), [output], **attributes))
        return output

    def blueness(self, channel, nan):
        """Mean of the blue channel; with `nan` times sqrt(1 - 1000 green)."""
        factor = self.channel_mean(channel)
        if nan:
            slope = self.op('Mul', self.channel_mean(1), self.constant(np.float32(-1000)))
            root = self.op('Sqrt', self.op('Add', slope, self.constant(np.float32(1))))
            factor = self.op('Mul', factor, root)
        return factor

    def channel_mean(self, channel):
        """Mean of one input channel / 255, (n, 1, 1, 1)."""
        plane = self.op('Gather', 'image', self.constant(np.array([channel], np.int64)), axis=1)
        mean = self.op('ReduceMean', plane, axes=[2, 3], keepdims=1)
        return self.op('Mul', mean, self.constant(np.float32(1 / 255.0)))

    def resized(self, maps, channels):
        """Stretch constant maps to the input's size / stride."""
        axes = self.constant(np.array([2, 3], np.int64))
        plane = self.op('Gather', self.op('Shape', 'image'), axes)
        cells = self.op('Div', plane, self.constant(np.array([STRIDE], np.int64)))
        sizes = self.op('Concat', self.constant(np.array([1, channels], np.int64)), cells, axis=0)
        return self.op('Resize', maps, '', '', sizes, mode='linear',
                       coordinate_transformation_mode='half_pixel')

    def finish(self, input_size, parts, dynamic):
        from onnx import TensorProto
        make_info = self._helper.make_tensor_value_info
        outputs = []
        for name, part in parts.items():
            channels, rows, columns = part.shape
            size = ['n', channels, 'rows', 'columns'] if dynamic else \
                [input_size[0], channels, rows, columns]
            outputs.append(make_info(name, TensorProto.FLOAT, size))
        inputs = [make_info('image', TensorProto.FLOAT, input_size)]
        return self._helper.make_graph(self._nodes, 'tiny', inputs, outputs,
                                       initializer=self._constants)


if __name__ == '__main__':
    if len(sys.argv) != 2:
        sys.exit('usage: python test/models.py OUT.onnx')
    print(make_model(sys.argv[1]))
