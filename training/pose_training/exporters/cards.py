# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""The model card of an exported network."""
import json
from typing import Any, Dict, Mapping, Tuple

import numpy as np
import onnx
import torch

from pose_ros.core.card import InputSpec, ModelCard, parse_card
from pose_ros.core.decoders import create_decoder, FAMILIES
from pose_training.errors import ExportError
from pose_training.exporters.onnx_graph import OUTPUT
from pose_training.exporters.operators import OPSET
from pose_training.models.layouts import MapLayout, map_layout
from pose_training.models.network import PoseNetwork
from pose_training.models.registry import get_spec

# A caller's provenance may replace these words of the card: fine-tuned weights are another's.
_WORDS = ('name', 'version', 'license')


def make_card(network: PoseNetwork, options, provenance: Mapping[str, Any]) -> ModelCard:
    """Return the card of a network as `options` (ExportOptions) would export it.

    `provenance` tells where the weights come from; `name`, `version` and `license` in it replace
    those of the registry. Raises NetworkError for a network that is not in the registry,
    ExportError for a size that it cannot take.
    """
    recipe, spec = network.recipe, get_spec(network.recipe.name)
    layout = map_layout(recipe.topology)
    words = {'name': spec.name, 'version': '1.0', 'license': spec.license}
    words.update((key, provenance[key]) for key in _WORDS if key in provenance)
    size = options.size or (spec.input['width'], spec.input['height'])
    _check_size(network, size)
    card = {
        **words,
        'family': 'paf' if layout.limbs else 'heatmap',
        'topology': recipe.topology,
        'input': _input(spec.input, size, options.normalize),
        'outputs': _outputs(layout, network.stride),
        'decoder': dict(options.decoder),
        'provenance': {
            **{key: value for key, value in provenance.items() if key not in _WORDS},
            'network': recipe.name, 'topology': recipe.topology, 'options': recipe.options,
            'export': _settings(options, size, network.size_multiple)},
    }
    return parse_card(json.dumps(card), 'the card of {}'.format(recipe.name))


def network_input(network: PoseNetwork, size: Tuple[int, int]) -> InputSpec:
    """Return what the bare network expects of its input at a size (width, height)."""
    return InputSpec(**_input(get_spec(network.recipe.name).input, size, False))


def map_channels(card: ModelCard) -> Tuple[int, int]:
    """Return how many of the output's first channels are keypoints', and how many heat maps."""
    heat = card.outputs['heatmaps']
    keypoints = len(heat['channels'])
    return keypoints, keypoints + (heat['background'] is not None)


def check_maps(card: ModelCard, maps: np.ndarray) -> None:
    """Raise ExportError unless maps of one picture have the shape that the card promises."""
    stride, limbs = card.outputs['stride'], card.outputs.get('pafs', {}).get('limbs', ())
    shape = (1, map_channels(card)[1] + 2 * len(limbs), card.input.height // stride,
             card.input.width // stride)
    if maps.shape != shape:
        raise ExportError('the network yields maps of {}, the card promises {}'.format(
            maps.shape, shape))
    if card.family in FAMILIES:
        create_decoder(card).check_outputs({OUTPUT: maps})


def _check_size(network, size):
    multiple = network.size_multiple
    if len(size) != 2 or any(side < 1 or side % multiple for side in size):
        raise ExportError('{} takes widths and heights that are multiples of {}, not {}'.format(
            network.recipe.name, multiple, 'x'.join(map(str, size))))


def _input(data, size, normalize) -> Dict[str, Any]:
    changed = {'width': size[0], 'height': size[1]}
    if normalize:
        changed.update(scale=1.0, mean=(0., 0., 0.), std=(1., 1., 1.))
    return {**data, **changed}


def _outputs(layout: MapLayout, stride: int) -> Dict[str, Any]:
    keypoints = layout.heatmaps - layout.background
    outputs: Dict[str, Any] = {'stride': stride, 'heatmaps': {
        'tensor': OUTPUT, 'channels': list(range(keypoints)),
        'background': keypoints if layout.background else None}}
    if layout.limbs:
        outputs['pafs'] = {
            'tensor': OUTPUT, 'axis_order': layout.axis_order,
            'limbs': [[*layout.limbs[limb], layout.heatmaps + 2 * limb]
                      for limb in layout.joining_order]}
    return outputs


def _settings(options, size, multiple) -> Dict[str, Any]:
    return {'size': list(size), 'size_multiple': multiple, 'dynamic': options.dynamic,
            'precision': options.precision, 'normalize': options.normalize,
            'stages': options.stages, 'calibration_images': len(options.calibration),
            'opset': OPSET, 'torch': torch.__version__, 'onnx': onnx.__version__}
