# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""ModelCard: what a network expects and yields, as strict JSON that travels with the model."""
import json
from operator import index
from typing import Any, Dict, NamedTuple, Tuple

from pose_ros.core.errors import CardError, PoseRosError
from pose_ros.core.parameters import Parameter, checked_values
from pose_ros.core.topology import TOPOLOGIES, Topology, get_topology, make_topology

CARD_KEY = 'pose_ros.card'  # the ONNX metadata property that holds the JSON text

_CARD_KEYS = ('name', 'version', 'license', 'family', 'topology', 'input', 'outputs', 'decoder',
              'provenance')
_TOPOLOGY_KEYS = ('name', 'keypoint_names', 'limbs')

_INPUT_TABLE = (
    Parameter('height', 368, 'network input height', 8, 8192, unit='px'),
    Parameter('width', 432, 'network input width', 8, 8192, unit='px'),
    Parameter('color', 'bgr', 'channel order of the network input', choices=('bgr', 'rgb')),
    Parameter('scale', 1.0, 'factor on 0..255 before mean and std', 1e-6, 1e6),
    Parameter('resize', 'letterbox', 'how a frame is fitted', choices=('letterbox', 'stretch')),
    Parameter('interpolation', 'linear', 'how a frame is resampled',
              choices=('linear', 'cubic', 'area')),
    Parameter('pad_value', 0, 'gray level around a letterboxed frame', 0, 255),
)
_INPUT_KEYS = tuple(parameter.name for parameter in _INPUT_TABLE) + ('mean', 'std')


class InputSpec(NamedTuple):
    """A network's input: size px, color order, values as (x * scale - mean) / std per channel."""

    height: int
    width: int
    color: str
    scale: float
    mean: Tuple[float, float, float]
    std: Tuple[float, float, float]
    resize: str
    interpolation: str
    pad_value: int


class ModelCard(NamedTuple):
    """A validated card; the decoder of the family checks `outputs` and `decoder` further."""

    name: str
    version: str
    license: str
    family: str
    topology: Topology
    input: InputSpec
    outputs: Dict[str, Any]
    decoder: Dict[str, Any]
    provenance: Dict[str, Any]

    def to_json(self) -> str:
        """Write the card as JSON text that `parse_card` reads back to an equal card."""
        data = self._asdict()
        data['input'] = dict(self.input._asdict())
        if TOPOLOGIES.get(self.topology.name) == self.topology:
            data['topology'] = self.topology.name
        else:
            data['topology'] = {'name': self.topology.name, 'limbs': self.topology.limbs,
                                'keypoint_names': self.topology.keypoint_names,
                                'mirror': self.topology.mirror}
        return json.dumps(data, indent=2)


def require_keys(data, required, where, optional=()) -> None:
    """Raise CardError unless `data` is an object with exactly these keys (`optional` may lack)."""
    if not isinstance(data, dict):
        raise CardError('{}: expected an object with the keys {}, not {!r}'.format(
            where, ', '.join(required), data))
    missing = [key for key in required if key not in data]
    unknown = sorted(key for key in data if key not in required and key not in optional)
    if missing or unknown:
        faults = ['missing key {!r}'.format(key) for key in missing]
        faults += ['unknown key {!r}'.format(key) for key in unknown]
        raise CardError('{}: {}; the keys are {}'.format(
            where, '; '.join(faults), ', '.join(required + tuple(optional))))


def parse_card(text, where: str) -> ModelCard:
    """Read a card from JSON text or a dict; CardError names what is wrong and `where`."""
    data = _parse_json(text, where) if isinstance(text, (str, bytes)) else text
    require_keys(data, _CARD_KEYS, where)
    for key in ('name', 'version', 'license', 'family'):
        if not isinstance(data[key], str) or not data[key]:
            raise CardError('{}: {!r} must be a word, not {!r}'.format(where, key, data[key]))
    for key in ('outputs', 'decoder', 'provenance'):
        if not isinstance(data[key], dict):
            raise CardError('{}: {!r} must be an object, not {!r}'.format(where, key, data[key]))
    topology = _parse_topology(data['topology'], where)
    return ModelCard(data['name'], data['version'], data['license'], data['family'], topology,
                     _parse_input(data['input'], where), data['outputs'], data['decoder'],
                     data['provenance'])


def _parse_json(text, where):
    try:
        return json.loads(text.decode('utf-8') if isinstance(text, bytes) else text)
    except ValueError as error:
        raise CardError('{}: the model card is not JSON: {}'.format(where, error))


def _parse_topology(value, where):
    try:
        if isinstance(value, str):
            return get_topology(value)
        require_keys(value, _TOPOLOGY_KEYS, where + ', topology', optional=('mirror',))
        return make_topology(value['name'], value['keypoint_names'], value['limbs'],
                             mirror=value.get('mirror'))
    except CardError:
        raise
    except PoseRosError as error:
        raise CardError('{}: {}'.format(where, error))


def with_input_size(card: ModelCard, input_size: Tuple[int, int]) -> ModelCard:
    """Return the card with another network input size (width, height) [px]; CardError if unfit."""
    try:
        width, height = (index(size) for size in input_size)
    except (TypeError, ValueError):
        raise CardError('the input size must be (width, height) in whole pixels, not {!r}'.format(
            input_size))
    spec = dict(card.input._asdict(), width=width, height=height)
    return card._replace(input=_parse_input(spec, 'the chosen input size'))


def _parse_input(data, where):
    where += ', input'
    require_keys(data, _INPUT_KEYS, where)
    try:
        values = checked_values(_INPUT_TABLE, {key: value for key, value in data.items()
                                               if key not in ('mean', 'std')}, where)
    except PoseRosError as error:
        raise CardError(str(error))
    return InputSpec(mean=_triple(data['mean'], 'mean', where),
                     std=_triple(data['std'], 'std', where), **values)


def _triple(value, key, where):
    numbers = isinstance(value, (list, tuple)) and len(value) == 3 and all(
        type(item) in (int, float) and abs(item) < 1e9 for item in value)
    if not numbers or (key == 'std' and min(value) <= 0):
        raise CardError('{}: {!r} must be three {}numbers, not {!r}'.format(
            where, key, 'positive ' if key == 'std' else '', value))
    return tuple(float(item) for item in value)
