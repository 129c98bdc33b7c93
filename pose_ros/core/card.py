# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""ModelCard: what a network expects and yields, as strict JSON that travels with the model."""
import json
from operator import index
from typing import Any, Dict, NamedTuple, Optional, Tuple

from pose_ros.core.errors import CardError, PoseRosError
from pose_ros.core.parameters import Parameter, checked_values
from pose_ros.core.quoting import quoted
from pose_ros.core.reading import LARGEST_CARD
from pose_ros.core.strict_json import check_json, parse_json
from pose_ros.core.topology import TOPOLOGIES, Topology, get_topology, make_topology

CARD_KEY = 'pose_ros.card'  # the ONNX metadata property that holds the JSON text

SCHEMA = 1  # the newest card that this version reads
TASKS = ('pose', 'detection')
_LONGEST_WORD = 200  # characters of the name, version and license

_CARD_KEYS = ('schema', 'name', 'version', 'license', 'task', 'topology', 'input', 'decoder',
              'provenance')
_OPTIONAL_CARD_KEYS = ('selection',)
_DECODER_KEYS = ('type', 'outputs', 'settings')
_TOPOLOGY_KEYS = ('name', 'keypoint_names', 'limbs')

_INPUT_TABLE = (
    Parameter('height', 368, 'network input height', 8, 8192, unit='px'),
    Parameter('width', 432, 'network input width', 8, 8192, unit='px'),
    Parameter('color', 'bgr', 'channel order of the network input', choices=('bgr', 'rgb')),
    Parameter('scale', 1.0, 'factor on 0..255 before mean and std', 1e-6, 1e6),
    Parameter('fit', 'letterbox', 'how a region is fitted: aspect kept with borders, stretched, '
              'or a crop around each person', choices=('letterbox', 'stretch', 'crop')),
    Parameter('align', 'center', 'where a letterboxed region lies in the input',
              choices=('center', 'top_left')),
    Parameter('interpolation', 'linear', 'how a region is resampled',
              choices=('linear', 'cubic', 'area')),
    Parameter('pad_value', 0, 'gray level outside the region', 0, 255),
    Parameter('padding', 1.25, 'size of a crop relative to the box of its person', 0.1, 10.0),
)
_OPTIONAL_INPUT_KEYS = ('padding',)
_LEAST_STD = 1e-6
_MOST_LISTED = 8
_INPUT_KEYS = tuple(parameter.name for parameter in _INPUT_TABLE
                    if parameter.name not in _OPTIONAL_INPUT_KEYS) + ('mean', 'std')


class InputSpec(NamedTuple):
    """A network's input: size px, color order, values as (x * scale - mean) / std per channel."""

    height: int
    width: int
    color: str
    scale: float
    mean: Tuple[float, float, float]
    std: Tuple[float, float, float]
    fit: str
    align: str
    interpolation: str
    pad_value: int
    padding: float = 1.25


class DecoderSpec(NamedTuple):
    """How outputs become people: the decoder's type, its `outputs` and changed `settings`.

    The class of the decoder checks `outputs` and `settings`.
    """

    type: str
    outputs: Dict[str, Any]
    settings: Dict[str, Any]


class ModelCard(NamedTuple):
    """A validated card. `topology` is None for a detector."""

    name: str
    version: str
    license: str
    task: str
    topology: Optional[Topology]
    input: InputSpec
    decoder: DecoderSpec
    selection: Dict[str, Any]
    provenance: Dict[str, Any]

    def to_json(self) -> str:
        """Write the card as JSON text that `parse_card` reads back to an equal card.

        CardError if the provenance or a setting holds what JSON cannot, such as NaN.
        """
        data: Dict[str, Any] = {'schema': SCHEMA}
        data.update(self._asdict())
        data['input'] = dict(self.input._asdict())
        if self.input.fit != 'crop':
            del data['input']['padding']
        data['decoder'] = dict(self.decoder._asdict())
        if not self.selection:
            del data['selection']
        topology = self.topology
        if topology is not None and TOPOLOGIES.get(topology.name) == topology:
            data['topology'] = topology.name
        elif topology is not None:
            data['topology'] = {'name': topology.name, 'limbs': topology.limbs,
                                'keypoint_names': topology.keypoint_names,
                                'mirror': topology.mirror}
        _check_json(data, 'model card {}'.format(quoted(self.name)))
        return json.dumps(data, indent=2)


def require_keys(data, required, where, optional=()) -> None:
    """Raise CardError unless `data` is an object with exactly these keys (`optional` may lack)."""
    if not isinstance(data, dict):
        raise CardError('{}: expected an object with the keys {}, not {}'.format(
            where, ', '.join(required), quoted(data)))
    missing = [key for key in required if key not in data]
    unknown = sorted(key for key in data if key not in required and key not in optional)
    if missing or unknown:
        faults = ['missing key {}'.format(quoted(key)) for key in missing]
        faults += ['unknown key {}'.format(quoted(key)) for key in unknown[:_MOST_LISTED]]
        raise CardError('{}: {}; the keys are {}'.format(
            where, '; '.join(faults), ', '.join(required + tuple(optional))))


def parse_card(text, where: str) -> ModelCard:
    """Read a card from JSON text or a dict; CardError names what is wrong and `where`.

    The limits of pose_ros.core.strict_json hold for all of its content.
    """
    data = _parse_json(text, where) if isinstance(text, (str, bytes)) else text
    _check_json(data, where)
    _check_schema(data, where)
    require_keys(data, _CARD_KEYS, where, _OPTIONAL_CARD_KEYS)
    for key in ('name', 'version', 'license'):
        _require_word(data[key], key, where)
    if data['task'] not in TASKS:
        raise CardError("{}: 'task' must be one of {}, not {}".format(
            where, ', '.join(map(repr, TASKS)), quoted(data['task'])))
    for key in ('selection', 'provenance'):
        _require_object(data.get(key, {}), key, where)
    if data['task'] == 'detection' and data.get('selection'):
        raise CardError("{}: 'selection' belongs to the task pose, and the boxes of a detector "
                        "are selected by 'decoder.settings'".format(where))
    return ModelCard(data['name'], data['version'], data['license'], data['task'],
                     _parse_topology(data['topology'], data['task'], where),
                     _parse_input(data['input'], where, data['task']),
                     _parse_decoder(data['decoder'], where),
                     data.get('selection', {}), data['provenance'])


def _check_schema(data, where):
    """Refuse a card of another schema before its keys are compared: they may differ."""
    schema = data.get('schema', SCHEMA) if isinstance(data, dict) else SCHEMA
    if type(schema) is not int or schema < 1:
        raise CardError("{}: 'schema' must be a whole number from 1, not {}".format(
            where, quoted(schema)))
    if schema > SCHEMA:
        raise CardError('{}: the card has schema {}, and this version of pose_ros reads schemas '
                        'up to {}: update pose_ros'.format(where, schema, SCHEMA))


def _require_object(value, key, where):
    if not isinstance(value, dict):
        raise CardError('{}: {!r} must be an object, not {}'.format(where, key, quoted(value)))


def _require_word(value, key, where):
    if not isinstance(value, str) or not 0 < len(value) <= _LONGEST_WORD \
            or not value.isprintable():
        raise CardError('{}: {!r} must be a word of at most {} printable characters, not '
                        '{}'.format(where, key, _LONGEST_WORD, quoted(value)))


def _parse_json(text, where):
    if len(text) > LARGEST_CARD:
        raise CardError('{}: the model card has {} characters, and at most {} are read'.format(
            where, len(text), LARGEST_CARD))
    try:
        return parse_json(text)
    except ValueError as error:
        raise CardError('{}: the model card is not JSON that can be read: {}'.format(where, error))


def _check_json(data, where):
    try:
        check_json(data)
    except ValueError as error:
        raise CardError('{}: {}'.format(where, error))


def _parse_topology(value, task, where):
    if task == 'detection':
        if value is not None:
            raise CardError('{}: the topology of a detector must be null, not {}'.format(
                where, quoted(value)))
        return None
    try:
        if isinstance(value, str):
            return get_topology(value)
        require_keys(value, _TOPOLOGY_KEYS, where + ', topology', optional=('mirror',))
        return _own_topology(make_topology(value['name'], value['keypoint_names'],
                                           value['limbs'], mirror=value.get('mirror')))
    except CardError:
        raise
    except PoseRosError as error:
        raise CardError('{}: {}'.format(where, error))


def _own_topology(topology):
    """Refuse a skeleton of its own under the name of a bundled one."""
    bundled = TOPOLOGIES.get(topology.name)
    if bundled is None:
        return topology
    if bundled._replace(format_id=topology.format_id) != topology:
        raise CardError('the topology {0!r} is not the bundled skeleton of that name: write "{0}" '
                        'for the bundled one, or choose another name'.format(topology.name))
    return bundled


def _parse_decoder(value, where):
    where += ', decoder'
    require_keys(value, _DECODER_KEYS, where)
    _require_word(value['type'], 'type', where)
    for key in ('outputs', 'settings'):
        _require_object(value[key], key, where)
    return DecoderSpec(value['type'], value['outputs'], value['settings'])


def with_input_size(card: ModelCard, input_size: Tuple[int, int]) -> ModelCard:
    """Return the card with another network input size (width, height) [px]; or CardError."""
    try:
        width, height = (index(size) for size in input_size)
    except (TypeError, ValueError):
        raise CardError('the input size must be (width, height) in whole pixels, not {}'.format(
            quoted(input_size)))
    spec = dict(card.input._asdict(), width=width, height=height)
    if spec['fit'] != 'crop':
        del spec['padding']
    return card._replace(input=_parse_input(spec, 'the chosen input size'))


def _parse_input(data, where, task='pose'):
    where += ', input'
    require_keys(data, _INPUT_KEYS, where, _OPTIONAL_INPUT_KEYS)
    if 'padding' in data and data['fit'] != 'crop':
        raise CardError("{}: 'padding' belongs to the fit crop, not to {}".format(
            where, quoted(data['fit'])))
    if task == 'detection' and data['fit'] == 'crop':
        raise CardError("{}: 'fit' cannot be crop: a detector finds the people of a whole "
                        'image'.format(where))
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
    if not numbers or (key == 'std' and min(value) < _LEAST_STD):
        raise CardError('{}: {!r} must be three numbers{}, not {}'.format(
            where, key, ' from {:g}'.format(_LEAST_STD) if key == 'std' else '', quoted(value)))
    return tuple(float(item) for item in value)
