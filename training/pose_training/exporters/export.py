# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Export a PyTorch network to one ONNX file with its card, checked before it is written."""
from typing import Any, Callable, Mapping, NamedTuple, Optional, Sequence, Tuple, Union

from onnx import ModelProto

from pose_ros.core.card import CARD_KEY, ModelCard
from pose_ros.core.onnx_file import with_metadata
from pose_ros.core.sources.images import read_image
from pose_training.errors import ExportError
from pose_training.exporters.calibration import views
from pose_training.exporters.cards import ExportedForm, make_form
from pose_training.exporters.half import check_range, store_half, to_half
from pose_training.exporters.inference import filled, inference_copy
from pose_training.exporters.operators import check_model, NEWEST_IR
from pose_training.exporters.parity import measure
from pose_training.exporters.synthetic_image import draw_image, prepare
from pose_training.exporters.quantize import quantize
from pose_training.exporters.tracing import trace
from pose_training.models.network import PoseNetwork
from pose_ros.core.files import atomic_write

_COMPARED = 4  # calibration images to compare on, if no others are given
PRECISIONS = ('fp32', 'fp16', 'int8')
_MOST_IMAGES = 64  # per run, as in the node


class ExportOptions(NamedTuple):
    """Options of an export.

    `size` (width, height) px of the input, None for the network's own; `batch` is the number of
    inputs of one run, or 'dynamic'; `dynamic` leaves batch, height and width open; `normalize`
    puts the scaling of pixel values into the graph; `stages` cuts after that prediction stage;
    `calibration` are image files or COCO keypoint files for int8 (for a network of crops the
    people in these), `tensorrt` quantizes in the form of TensorRT; `half_weights` stores the
    weights of fp32 as float16; `all_stages` yields the maps of the stages before the last, too,
    for drawings; `decoder` and `selection` are settings for the card.
    """

    size: Optional[Tuple[int, int]] = None
    dynamic: bool = False
    precision: str = 'fp32'
    normalize: bool = False
    stages: Optional[int] = None
    calibration: Sequence[str] = ()
    decoder: Mapping[str, Any] = {}
    selection: Mapping[str, Any] = {}
    batch: Union[int, str] = 1
    tensorrt: bool = False
    half_weights: bool = False
    all_stages: bool = False


def export(network: PoseNetwork, path: str, options: ExportOptions = ExportOptions(),
           provenance: Optional[Mapping[str, Any]] = None, images: Sequence[str] = (),
           report: Optional[Callable[[str], None]] = None) -> ModelCard:
    """Write a network of the registry as an ONNX file, and return its card.

    `provenance` is the origin of the weights (JSON data, see `make_card`); `images` are
    files of more images to compare on; `report` gets lines of progress. The file has one
    float32 input `image` (N, 3, h, w); its outputs are those of the network's family. Raises
    ExportError, and writes nothing, if the file does not pass all checks.
    """
    report = report or (lambda text: None)
    _check_options(options)
    images = tuple(map(str, images or [path for path in options.calibration
                                       if not path.lower().endswith('.json')][:_COMPARED]))
    network = inference_copy(network, options.stages)
    if options.dynamic and network.fixed_size:
        raise ExportError('{} knows the center of its image, and hence one size: leave out the '
                          'dynamic size (a dynamic batch is possible)'.format(network.recipe.name))
    if options.dynamic:
        options = options._replace(batch='dynamic')
    form = make_form(network, options, provenance or {})
    report('tracing {} at {}x{}'.format(network.recipe.name, *form.size))
    model = trace(network, form, options.batch, options.dynamic)
    model = _in_precision(model, form, options, images, report)
    check_model(model)
    model = store_half(model) if options.half_weights else model
    content = model.SerializeToString()
    report('comparing it with PyTorch')
    found, fingerprint = measure(network, content, form, images)
    card = form.card
    parity = dict(found.figures(), fingerprint=fingerprint)
    card = card._replace(provenance=dict(card.provenance, parity=parity))
    _write(path, with_metadata(content, CARD_KEY, card.to_json()))
    for line in found.lines()[1 + len(found.checked):]:
        report(line.strip())
    return card


def _check_options(options):
    if options.precision not in PRECISIONS:
        raise ExportError('unknown precision {!r}; choose {}'.format(
            options.precision, ', '.join(PRECISIONS)))
    if options.batch != 'dynamic' and not (isinstance(options.batch, int)
                                           and 0 < options.batch <= _MOST_IMAGES):
        raise ExportError("the batch must be a number from 1 to {} or 'dynamic', not {!r}".format(
            _MOST_IMAGES, options.batch))
    if options.half_weights and options.precision != 'fp32':
        raise ExportError('only fp32 has half weights, not {}'.format(options.precision))
    if options.tensorrt and options.precision != 'int8':
        raise ExportError('the form of TensorRT is one of int8: files of fp32 and fp16 have it')
    if options.dynamic and options.batch not in (1, 'dynamic'):
        raise ExportError('with a dynamic size the batch is dynamic, too: it cannot be {}'.format(
            options.batch))


def _in_precision(model: ModelProto, form: ExportedForm, options, images, report) -> ModelProto:
    spec, rows = form.card.input, model.graph.input[0].type.tensor_type.shape.dim[0].dim_value
    model.ir_version = min(model.ir_version, NEWEST_IR)
    if options.precision == 'fp16':
        report('converting to float16')
        drawn = draw_image(*form.size)
        check_range(model, (filled(prepare([image], spec), rows or 1) for image in
                            [drawn, *map(read_image, images)]))
        return to_half(model)
    if options.precision == 'int8':
        chosen = views(options.calibration, spec.fit == 'crop')
        report('calibrating on {} images'.format(len(chosen)))
        return quantize(model, spec, chosen, options.tensorrt, report)
    return model


def _write(path, content):
    try:
        with atomic_write(path) as stream:
            stream.write(content)
    except OSError as error:
        raise ExportError('cannot write {}: {}'.format(path, error.strerror or error)) from error
