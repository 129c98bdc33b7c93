# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""The model card of an exported network, and the form of its inputs and outputs."""
import json
from typing import Any, Dict, List, Mapping, NamedTuple, Tuple

import numpy as np
import onnx
import torch

from pose_ros.core.card import InputSpec, ModelCard, parse_card, SCHEMA, with_input_size
from pose_ros.core.decoders import create_decoder, DECODERS
from pose_training.errors import ExportError
from pose_training.exporters.calibration import views
from pose_training.exporters.operators import OPSET
from pose_training.families.comparison import ChannelGroup
from pose_training.families.family import Family
from pose_training.models.network import PoseNetwork
from pose_training.models.registry import convention_of

# A caller's provenance may replace these entries of the card: fine-tuned weights have others.
_ENTRIES = ('name', 'version', 'license')


class ExportedForm(NamedTuple):
    """The form of an exported file; every step of an export and its check uses it.

    `input` is the input of the bare network, without a normalization that is part of the graph;
    `stride` is its number of input pixels per map cell.
    """

    card: ModelCard
    family: Family
    input: InputSpec
    stride: int

    @property
    def size(self) -> Tuple[int, int]:
        """Return (width, height) of the input [px]."""
        return self.card.input.width, self.card.input.height

    @property
    def shapes(self) -> Dict[str, Tuple[int, ...]]:
        """Return the shapes of the outputs by name, without the batch axis."""
        return self.family.output_shapes(self.card, self.stride)

    @property
    def groups(self) -> List[ChannelGroup]:
        """Return the groups of channels that are compared together."""
        return self.family.groups(self.card)

    @property
    def decodable(self) -> bool:
        """Return whether pose_ros has a decoder for the outputs."""
        return self.card.decoder.type in DECODERS

    def at_size(self, size: Tuple[int, int]) -> 'ExportedForm':
        """Return the form at another input size (width, height) [px]."""
        return self._replace(card=with_input_size(self.card, size),
                             input=self.input._replace(width=size[0], height=size[1]))

    def check(self, outputs: Dict[str, np.ndarray]) -> None:
        """Raise ExportError unless outputs (N, ...) have the shapes of the card."""
        for name, shape in self.shapes.items():
            found = outputs[name].shape if name in outputs else None
            if found is None or found[1:] != shape:
                raise ExportError('the network yields {} of {}, but the card declares {}'.format(
                    name, found, ('N',) + shape))
        if self.decodable:
            create_decoder(self.card).check_outputs(
                {name: value[0] for name, value in outputs.items()})


def make_form(network: PoseNetwork, options, provenance: Mapping[str, Any]) -> ExportedForm:
    """Return the form in which `options` (ExportOptions) export a network.

    `provenance` is the origin of the weights; `name`, `version` and `license` in it replace
    those of the registry. Raises NetworkError for a network that is not in the registry,
    ExportError for a size that is not a multiple of `size_multiple`.
    """
    recipe = network.recipe
    spec = convention_of(recipe.name, recipe.options)
    entries = {'name': spec.name, 'version': '1.0', 'license': spec.license}
    entries.update((key, provenance[key]) for key in _ENTRIES if key in provenance)
    size = options.size or (spec.input['width'], spec.input['height'])
    _check_size(network, size)
    decoder, outputs = network.family.decoder(network.stride)
    if options.all_stages:
        outputs = {**outputs, 'stages': network.family.stage_names(
            recipe.options.get('stages', 1))}
    card = {
        'schema': SCHEMA, **entries, 'task': network.family.task,
        'topology': recipe.topology or None,
        'input': _input(spec.input, size, options.normalize),
        'decoder': {'type': decoder, 'outputs': {**outputs, **network.card_facts()},
                    'settings': dict(options.decoder)},
        'selection': dict(options.selection),
        'provenance': {
            **{key: value for key, value in provenance.items() if key not in _ENTRIES},
            'network': recipe.name, 'topology': recipe.topology, 'options': recipe.options,
            'export': _settings(options, size, network, spec.input['fit'] == 'crop')},
    }
    return ExportedForm(parse_card(json.dumps(card), 'the card of {}'.format(recipe.name)),
                        network.family, InputSpec(**_input(spec.input, size, False)),
                        network.stride)


def make_card(network: PoseNetwork, options, provenance: Mapping[str, Any]) -> ModelCard:
    """Return the card of the form; see `make_form`."""
    return make_form(network, options, provenance).card


def _check_size(network, size):
    multiple = network.size_multiple
    if len(size) != 2 or any(side < 1 or side % multiple for side in size):
        raise ExportError('{} needs widths and heights that are multiples of {}, not {}'.format(
            network.recipe.name, multiple, 'x'.join(map(str, size))))


def _input(data, size, normalize) -> Dict[str, Any]:
    changed = {'width': size[0], 'height': size[1]}
    if normalize:
        changed.update(scale=1.0, mean=(0., 0., 0.), std=(1., 1., 1.))
    return {**data, **changed}


def _settings(options, size, network, crops) -> Dict[str, Any]:
    return {'size': list(size), 'size_multiple': network.size_multiple,
            'stride': network.stride, 'dynamic': options.dynamic,
            'batch': options.batch, 'precision': options.precision,
            'half_weights': options.half_weights, 'tensorrt': options.tensorrt,
            'normalize': options.normalize, 'stages': options.stages,
            'calibration_images': len(views(options.calibration, crops)),
            'opset': OPSET, 'torch': torch.__version__, 'onnx': onnx.__version__}
