# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""A toy family, as a stranger adds it: a decoder that reads keypoints from a (N, K, 3) tensor.

TOY_DECODER is the source of its one file; a test writes it to a folder of the path and adds one
line to the registry. `make_toy_model` writes a crop network for it: (N, 3, 64, 48) to three
keypoints at fixed places, with the mean of the crop / 255 as score.
"""
import json

import numpy as np

from pose_ros.core.card import CARD_KEY

WIDTH, HEIGHT = 48, 64
PLACES = ((11.5, 15.5), (35.5, 15.5), (23.5, 47.5))  # network pixels
TOY_DECODER = '''
from pose_ros.core.card import require_keys
from pose_ros.core.decoders import Decoder, make_found
from pose_ros.core.errors import CardError
from pose_ros.core.parameters import Parameter


class ToyDecoder(Decoder):
    """Reads K keypoints (x, y, score) in network pixels from one tensor."""

    PARAMETERS = (Parameter('gain', 1.0, 'Factor on the scores', 0.0, 10.0, dynamic=True),)

    def __init__(self, card):
        super(ToyDecoder, self).__init__(card)
        require_keys(card.decoder.outputs, ('tensor',), 'outputs')
        self._tensor = card.decoder.outputs['tensor']

    def check_outputs(self, outputs):
        expected = (self.card.topology.size, 3)
        if self._tensor not in outputs or outputs[self._tensor].shape != expected:
            raise CardError('the network yields no {} of shape {}'.format(self._tensor, expected))

    def decode(self, outputs):
        keypoints = outputs[self._tensor][None].copy()
        keypoints[..., 2] *= self.settings['gain']
        return make_found(keypoints, keypoints[..., 2].mean(1))
'''
TOPOLOGY = {'name': 'triangle', 'keypoint_names': ['left_top', 'right_top', 'bottom'],
            'limbs': [[0, 1], [1, 2], [2, 0]]}


def toy_card(**changes):
    """Return the card of the toy network as a dict."""
    card = {
        'schema': 1, 'name': 'toy', 'version': '1.0', 'license': 'Apache-2.0', 'task': 'pose',
        'topology': TOPOLOGY,
        'input': {'height': HEIGHT, 'width': WIDTH, 'color': 'rgb', 'scale': 1 / 255.0,
                  'mean': [0.0] * 3, 'std': [1.0] * 3, 'fit': 'crop', 'align': 'center',
                  'interpolation': 'linear', 'pad_value': 0, 'padding': 1.0},
        'decoder': {'type': 'toy', 'outputs': {'tensor': 'keypoints'}, 'settings': {}},
        'selection': {'min_keypoints': 1},
        'provenance': {'source': 'drawn by the tests'}}
    return dict(card, **changes)


def make_toy_model(path, batch='n', card=None):
    """Write the toy network; `batch` is its first axis, a number or a name for any."""
    from onnx import helper, numpy_helper, TensorProto
    places = np.zeros((1, 3, 3), np.float32)
    places[0, :, :2] = PLACES
    selector = np.zeros((1, 3, 3), np.float32)
    selector[..., 2] = 1
    shape = np.array([-1, 1, 1], np.int64)
    nodes = [
        helper.make_node('ReduceMean', ['image'], ['mean'], axes=[1, 2, 3], keepdims=0),
        helper.make_node('Reshape', ['mean', 'shape'], ['column']),
        helper.make_node('Mul', ['column', 'selector'], ['scores']),
        helper.make_node('Add', ['scores', 'places'], ['keypoints'])]
    constants = [numpy_helper.from_array(value, name) for name, value in
                 (('places', places), ('selector', selector), ('shape', shape))]
    graph = helper.make_graph(
        nodes, 'toy', [helper.make_tensor_value_info(
            'image', TensorProto.FLOAT, [batch, 3, HEIGHT, WIDTH])],
        [helper.make_tensor_value_info('keypoints', TensorProto.FLOAT, [batch, 3, 3])], constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid('', 13)])
    model.ir_version = 8
    helper.set_model_props(model, {CARD_KEY: json.dumps(card or toy_card())})
    with open(str(path), 'wb') as stream:
        stream.write(model.SerializeToString())
    return str(path)
