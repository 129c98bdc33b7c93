# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Hold an ONNX file against its PyTorch network, or against what that network once yielded."""
import json
from typing import Any, Callable, Dict, List, NamedTuple, Optional, Sequence, Tuple

import numpy as np

from pose_ros.core.card import CARD_KEY, ModelCard, parse_card, with_input_size
from pose_ros.core.sources.images import read_image
from pose_training.errors import ExportError
from pose_training.exporters.agreement import (compare_maps, compare_people, map_faults,
                                               MapAgreement, people_faults, PeopleAgreement,
                                               TOLERANCES, worst)
from pose_training.exporters.cards import check_maps, map_channels, network_input
from pose_training.exporters.inference import inference_copy, network_maps, OnnxRunner
from pose_training.exporters.operators import parse_model
from pose_training.exporters.picture import draw_picture
from pose_training.models.network import PoseNetwork

_MOST_LISTED = 4
_CELLS = 32  # of the fingerprint, for heat maps and again for fields
Report = Callable[[str], None]


class ParityReport(NamedTuple):
    """What was looked at, and how well it agreed; `people` is None without real pictures."""

    name: str
    precision: str
    checked: Tuple[str, ...]
    maps: MapAgreement
    people: Optional[PeopleAgreement]

    def lines(self) -> List[str]:
        """Return the report as lines of text."""
        text = ['{} ({})'.format(self.name, self.precision)]
        text += ['  ' + item for item in self.checked]
        text.append('  largest difference {:.2g} of the range of the maps; heat maps correlate '
                    'by {:.7f}'.format(self.maps.difference, self.maps.heatmaps))
        if self.maps.pafs is not None:
            text[-1] += ', fields by {:.7f}'.format(self.maps.pafs)
        if self.people:
            text.append('  {0.people_found} people found for {0.people}, {0.joints_found} of '
                        '{0.joints} joints within half a map cell'.format(self.people))
        return text

    def figures(self) -> Dict[str, Any]:
        """Return the figures as JSON data."""
        found: Dict[str, Any] = dict(self.maps._asdict())
        if self.people:
            found['people'] = dict(self.people._asdict())
        return found


def measure(network: PoseNetwork, content: bytes, card: ModelCard,
            images: Sequence[str] = ()) -> Tuple[ParityReport, Dict[str, Any]]:
    """Run both on the same pictures; return how they agree, and the network's fingerprint.

    `network` is an `inference_copy`, `content` the ONNX file that `card` describes, `images` are
    files of real pictures. Raises ExportError if the agreement misses the precision's tolerance.
    """
    precision, _ = _how_exported(card)
    runner, maps, people, checked, missed, fingerprint = OnnxRunner(content), [], [], [], [], None
    for label, pictures, size in _samples(card, images):
        at_size = with_input_size(card, size)
        reference = network_maps(network, pictures, network_input(network, size))
        found = runner(pictures, at_size.input)
        check_maps(at_size, found[:1])
        maps.append(compare_maps(reference, found, *map_channels(card)))
        faults = map_faults(maps[-1], precision)
        missed += ['on {}, {}'.format(label, ', '.join(faults))] if faults else []
        fingerprint = fingerprint or _fingerprint(card, reference)
        if label in images and card.family == 'paf':
            people.append(compare_people(card, reference, found))
        checked.append('{} at {}x{} agrees with the network'.format(label, *size))
    seen = PeopleAgreement(*map(sum, zip(*people))) if people else None
    _demand(card, missed + (people_faults(seen, precision) if seen else []))
    return ParityReport(card.name, precision, tuple(checked), worst(maps), seen), fingerprint


def verify(path: str, network: Optional[PoseNetwork] = None, images: Sequence[str] = (),
           report: Optional[Report] = None) -> ParityReport:
    """Check an exported file; ExportError names what is wrong with it.

    ONNX's own checker, versions, operators, card against tensors; then its outputs against the
    fingerprint in its card, or in full (on `images`, too) against the network it was made of.
    """
    say = report or (lambda text: None)
    try:
        with open(path, 'rb') as stream:
            content = stream.read()
    except OSError as error:
        raise ExportError('cannot read {}: {}'.format(path, error.strerror or error)) from error
    say('checking the graph')
    try:
        model = parse_model(content)
        card = _card(model, path)
        checked = ('a valid ONNX file (IR {}, opset {}) of {} nodes, all known to TensorRT 8.2'
                   .format(model.ir_version, model.opset_import[0].version,
                           len(model.graph.node)),)
        say('running it')
        if network is None:
            found = _against_fingerprint(content, card)
        else:
            found = measure(_counterpart(network, card), content, card, images)[0]
    except ExportError as error:
        raise ExportError('{}: {}'.format(path, error)) from error
    return found._replace(checked=checked + found.checked)


def _samples(card, images):
    """Yield (label, pictures, (width, height)) to compare both sides on."""
    size = (card.input.width, card.input.height)
    yield 'the drawn picture', [draw_picture(*size)], size
    multiple = _how_exported(card)[1]
    if multiple:
        other = tuple(max(1, side * 3 // 4 // multiple) * multiple for side in size)
        pair = [draw_picture(*other, seed) for seed in (1, 2)]
        yield 'a batch of two drawn pictures', pair, other
    for path in images:
        yield path, [read_image(path)], size


def _demand(card, missed):
    if missed:
        precision, _ = _how_exported(card)
        hint = '' if precision == 'fp32' else (
            '. This network does not bear {}: export it as fp32'.format(precision))
        raise ExportError('{} ({}) does not agree with its PyTorch network: {}{}'.format(
            card.name, precision, '; '.join(missed[:_MOST_LISTED]), hint))


def _fingerprint(card, reference):
    """Describe maps by some cells of each kind, taken evenly from the lowest to the highest."""
    maps, (keypoints, heatmaps) = reference[0], map_channels(card)
    bounds = np.array([0, keypoints, heatmaps, len(maps)]) * maps[0].size
    cells = np.concatenate([first + _spread(maps.ravel()[first:end])
                            for first, end in zip(bounds, bounds[1:])])
    return {'cells': ' '.join(map(str, cells)),
            'values': ' '.join('{:.7g}'.format(value) for value in maps.ravel()[cells])}


def _spread(values):
    places = np.linspace(0, values.size - 1, min(_CELLS, values.size)).round().astype(int)
    return np.argsort(values, kind='stable')[places]


def _against_fingerprint(content, card):
    precision, _ = _how_exported(card)
    try:
        stored = card.provenance['parity']['fingerprint']
        cells = np.array(stored['cells'].split(), np.int64)
        values = np.array(stored['values'].split(), np.float32)
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise ExportError('its card holds no fingerprint of its network; give the network to '
                          'compare with') from error
    size = (card.input.width, card.input.height)
    maps = OnnxRunner(content)([draw_picture(*size)], card.input)
    check_maps(card, maps)
    keypoints, heatmaps = (int((cells < count * maps[0, 0].size).sum())
                           for count in map_channels(card))
    if not keypoints or len(cells) != len(values) or min(cells) < 0 or max(cells) >= maps.size:
        raise ExportError('the fingerprint in its card does not fit its output')
    # As maps of one cell each.
    agreement = compare_maps(values.reshape(1, -1, 1, 1), maps.reshape(1, -1, 1, 1)[:, cells],
                             keypoints, heatmaps)
    _demand(card, map_faults(agreement, precision))
    return ParityReport(card.name, precision, (
        'the drawn picture at {}x{} yields what the network once did ({} cells)'.format(
            *size, len(cells)),), agreement, None)


def _how_exported(card):
    """Return the precision, and the multiple that sizes must be of; None for a fixed size."""
    try:
        settings = card.provenance['export']
        precision = settings['precision']
        multiple = int(settings['size_multiple']) if settings['dynamic'] else None
    except (KeyError, TypeError, ValueError) as error:
        raise ExportError('its card does not tell how it was exported: it is no file of this '
                          'exporter') from error
    if precision not in TOLERANCES:
        raise ExportError('its card tells of an unknown precision, {!r}'.format(precision))
    return precision, multiple


def _card(model, path):
    texts = [item.value for item in model.metadata_props if item.key == CARD_KEY]
    if not texts:
        raise ExportError('it holds no model card ({})'.format(CARD_KEY))
    return parse_card(texts[-1], path)


def _counterpart(network, card):
    """Return the network as it was exported: cut as the card says, and the same otherwise."""
    made = card.provenance
    cut = inference_copy(network, made.get('options', {}).get('stages'))
    recipe = cut.recipe
    mine = (recipe.name, recipe.topology, json.loads(json.dumps(recipe.options)))
    its = tuple(made.get(key) for key in ('network', 'topology', 'options'))
    if mine != its:
        raise ExportError('it was made of {} for {} with {}, not of {} for {} with {}'.format(
            *its, *mine))
    return cut
