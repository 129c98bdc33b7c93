# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Compare an ONNX file with its PyTorch network, or with stored outputs of that network."""
import json
import math
from typing import Any, Callable, Dict, List, NamedTuple, Optional, Sequence, Tuple, Union

import numpy as np

from pose_ros.core.bundled import model_file
from pose_ros.core.card import CARD_KEY, InputSpec, parse_card
from pose_ros.core.errors import ModelError
from pose_ros.core.onnx_check import check_onnx, read_onnx
from pose_ros.core.sources.images import read_image
from pose_training.errors import ExportError
from pose_training.exporters.agreement import (compare_people, output_faults, people_faults,
                                               PeopleAgreement, TOLERANCES)
from pose_training.exporters.cards import ExportedForm
from pose_training.exporters.inference import inference_copy, network_outputs, OnnxRunner
from pose_training.exporters.operators import is_for_cpus, parse_model
from pose_training.exporters.synthetic_image import draw_image
from pose_training.families.comparison import (ChannelGroup, compare_outputs,
                                               OutputAgreement, worst)
from pose_training.families.registry import make_family
from pose_training.models.network import PoseNetwork
from pose_training.models.registry import convention_of

_MOST_LISTED = 4
_CELLS = 32  # of the fingerprint, for each group of channels
Report = Callable[[str], None]


class ParityReport(NamedTuple):
    """The checks, and the agreement found; `people` is None without images from files."""

    name: str
    precision: str
    checked: Tuple[str, ...]
    outputs: OutputAgreement
    people: Optional[PeopleAgreement]

    def lines(self) -> List[str]:
        """Return the report as lines of text."""
        text = ['{} ({})'.format(self.name, self.precision)]
        text += ['  ' + item for item in self.checked]
        text.append('  largest difference {:.2g} of the range of the outputs; {}'.format(
            self.outputs.difference, ', '.join(
                '{} correlate by {:.7f}'.format(*item)
                for item in self.outputs.correlations.items())))
        if self.people:
            text.append('  {0.people_found} people found for {0.people}, {0.keypoints_found} of '
                        '{0.keypoints} keypoints within half a map cell'.format(self.people))
        return text

    def figures(self) -> Dict[str, Any]:
        """Return the figures as JSON data."""
        outputs = self.outputs
        found: Dict[str, Any] = {'difference': outputs.difference, 'mean': outputs.mean,
                                 **outputs.correlations}
        if self.people:
            found['people'] = dict(self.people._asdict())
        return found


def measure(network: PoseNetwork, content: bytes, form: ExportedForm,
            images: Sequence[str] = ()) -> Tuple[ParityReport, Dict[str, Any]]:
    """Run both on the same images; return their agreement, and the network's fingerprint.

    `network` is an `inference_copy`, `content` the bytes of the ONNX file, `images` are image
    files. Raises ExportError if the agreement misses the precision's tolerance.
    """
    card, precision = form.card, _how_exported(form.card).precision
    runner, outputs, people, checked, missed = OnnxRunner(content), [], [], [], []
    fingerprint: Dict[str, Any] = {}
    for label, samples, size in _samples(card, images):
        at_size = form.at_size(size)
        reference = network_outputs(network, samples, at_size)
        found = runner(samples, at_size.card.input)
        at_size.check(found)
        outputs.append(form.family.compare(at_size.card, reference, found))
        faults = output_faults(outputs[-1], precision)
        missed += ['on {}, {}'.format(label, ', '.join(faults))] if faults else []
        fingerprint = fingerprint or _fingerprint(form, reference)
        if label in images and form.decodable:
            people.append(compare_people(card, reference, found))
        checked.append('{} at {}x{} agrees with the network'.format(label, *size))
    seen = PeopleAgreement(*map(sum, zip(*people))) if people else None
    _demand(card, missed + (people_faults(seen, precision) if seen else []))
    return ParityReport(card.name, precision, tuple(checked), worst(outputs), seen), fingerprint


def verify(path: str, network: Optional[PoseNetwork] = None, images: Sequence[str] = (),
           report: Optional[Report] = None) -> ParityReport:
    """Check an exported file; ExportError names the fault.

    `path` is a file or the name of a bundled model. Run ONNX's own checker; check versions and
    operators; compare the card with the tensors. Then compare the outputs with the fingerprint in
    the card, or, with a `network`, all outputs with those of the network (on `images`, too).
    """
    report = report or (lambda text: None)
    try:
        path = model_file(path)
        content = read_onnx(path)
        outside = check_onnx(path)
    except ModelError as error:
        raise ExportError(str(error)) from error
    if outside:
        raise ExportError('{} has weights in other files, such as {}; pose-train export writes '
                          'one file'.format(path, outside[0]))
    report('checking the graph')
    try:
        model = parse_model(content)
        card = _card(model, path)
        checked = ('a valid ONNX file (IR {}, opset {}) of {} nodes, {}'.format(
            model.ir_version, model.opset_import[0].version, len(model.graph.node),
            'int8 for CPUs' if is_for_cpus(model) else 'all supported by TensorRT 8.2'),)
        report('running it')
        if network is None:
            found = _against_fingerprint(content, _form(card))
        else:
            found = measure(_counterpart(network, card), content, _form(card), images)[0]
    except ExportError as error:
        raise ExportError('{}: {}'.format(path, error)) from error
    return found._replace(checked=checked + found.checked)


def _samples(card, images):
    """Yield (label, images, (width, height)) to compare both sides on."""
    size = (card.input.width, card.input.height)
    yield 'the synthetic image', [draw_image(*size)], size
    how = _how_exported(card)
    rows, other = 2 if how.batch == 'dynamic' else how.batch, size
    if how.multiple:
        other = tuple(max(1, side * 3 // 4 // how.multiple) * how.multiple for side in size)
    if rows > 1:
        yield ('a batch of {} synthetic images'.format('two' if rows == 2 else rows),
               [draw_image(*other, seed + 1) for seed in range(rows)], other)
    for path in images:
        yield path, [read_image(path)], size


def _demand(card, missed):
    if missed:
        precision = _how_exported(card).precision
        hint = '' if precision == 'fp32' else (
            '. {} is too inaccurate for this network: export it as fp32'.format(precision))
        raise ExportError('{} ({}) does not agree with its PyTorch network: {}{}'.format(
            card.name, precision, '; '.join(missed[:_MOST_LISTED]), hint))


def _fingerprint(form, reference):
    """Return some cells of each group, chosen evenly from the lowest to the highest value."""
    values = _flat(form, reference)
    cells = np.concatenate([first + _spread(values[first:last])
                            for _, first, last in _flat_groups(form)])
    return {'cells': ' '.join(map(str, cells)),
            'values': ' '.join('{:.7g}'.format(value) for value in values[cells])}


def _flat(form, outputs):
    """Return the outputs of the first image, one after the other, as one vector."""
    return np.concatenate([outputs[name][0].ravel() for name in form.shapes])


def _flat_groups(form):
    """Yield (group, first, last) of each group's cells in the vector of `_flat`."""
    shapes = form.shapes
    starts = dict(zip(shapes, np.cumsum([0] + [math.prod(shape) for shape in shapes.values()])))
    for group in form.groups:
        start, channel = int(starts[group.output]), math.prod(shapes[group.output][1:])
        yield group, start + group.first * channel, start + group.last * channel


def _spread(values):
    places = np.linspace(0, values.size - 1, min(_CELLS, values.size)).round().astype(int)
    return np.argsort(values, kind='stable')[places]


def _against_fingerprint(content, form):
    card, precision = form.card, _how_exported(form.card).precision
    try:
        stored = card.provenance['parity']['fingerprint']
        cells = np.array(stored['cells'].split(), np.int64)
        values = np.array(stored['values'].split(), np.float32)
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise ExportError('its card holds no fingerprint of its network; give the network to '
                          'compare with') from error
    outputs = OnnxRunner(content)([draw_image(*form.size)], card.input)
    form.check(outputs)
    found = _flat(form, outputs)
    if not len(cells) or len(cells) != len(values) or min(cells) < 0 or max(cells) >= found.size:
        raise ExportError('the fingerprint in its card does not fit its output')
    groups = [ChannelGroup(group.name, 'cells', int((cells < first).sum()),
                           int((cells < last).sum()), group.correlated)
              for group, first, last in _flat_groups(form)]
    if groups[0].first == groups[0].last:
        raise ExportError('the fingerprint in its card does not fit its output')
    agreement = compare_outputs({'cells': values[None]}, {'cells': found[None, cells]}, groups)
    _demand(card, output_faults(agreement, precision))
    return ParityReport(card.name, precision, (
        'the synthetic image at {}x{} yields the stored values of the network ({} cells)'.format(
            *form.size, len(cells)),), agreement, None)


class _Exported(NamedTuple):
    """Settings of an export; sizes are multiples of `multiple` (None: the size is fixed)."""

    precision: str
    batch: Union[int, str]
    stride: int
    multiple: Optional[int]


def _how_exported(card) -> _Exported:
    try:
        settings = card.provenance['export']
        half = settings.get('half_weights') and settings['precision'] == 'fp32'
        found = _Exported('fp16' if half else settings['precision'], settings['batch'],
                          int(settings['stride']),
                          int(settings['size_multiple']) if settings['dynamic'] else None)
        if found.batch != 'dynamic' and not found.batch > 0:
            raise ValueError(found.batch)
    except (KeyError, TypeError, ValueError) as error:
        raise ExportError('its card does not contain the settings of an export: it is no file '
                          'of this exporter') from error
    if found.precision not in TOLERANCES:
        raise ExportError('its card has an unknown precision, {!r}'.format(found.precision))
    return found


def _form(card) -> ExportedForm:
    """Return the form of a file, from the network that is named in its card."""
    how = _how_exported(card)
    try:
        spec = convention_of(card.provenance['network'], card.provenance.get('options', {}))
        family = make_family(spec.family, card.provenance['topology'], **spec.family_settings)
    except (KeyError, TypeError) as error:
        raise ExportError('its card does not name its network: it is no file of this '
                          'exporter') from error
    size = {'width': card.input.width, 'height': card.input.height}
    return ExportedForm(card, family, InputSpec(**{**spec.input, **size}), how.stride)


def _card(model, path):
    texts = [item.value for item in model.metadata_props if item.key == CARD_KEY]
    if not texts:
        raise ExportError('it holds no model card ({})'.format(CARD_KEY))
    return parse_card(texts[-1], path)


def _counterpart(network, card):
    """Return the network as it was exported: cut after the stage that is in the card."""
    made = card.provenance
    cut = inference_copy(network, made.get('options', {}).get('stages'))
    recipe = cut.recipe
    mine = (recipe.name, recipe.topology, json.loads(json.dumps(recipe.options)))
    its = tuple(made.get(key) for key in ('network', 'topology', 'options'))
    if mine != its:
        raise ExportError('it was exported from {} for {} with {}, not {} for {} with {}'.format(
            *its, *mine))
    return cut
