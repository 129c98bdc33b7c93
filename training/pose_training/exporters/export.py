# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""From a PyTorch network to one ONNX file that carries its card, checked before it is written."""
from typing import Any, Callable, Mapping, NamedTuple, Optional, Sequence, Tuple

from onnx import ModelProto

from pose_ros.core.card import CARD_KEY, ModelCard
from pose_ros.core.onnx_file import with_metadata
from pose_ros.core.sources.images import read_image
from pose_training.errors import ExportError
from pose_training.exporters.cards import make_card, network_input
from pose_training.exporters.half import check_range, to_half
from pose_training.exporters.inference import inference_copy
from pose_training.exporters.operators import check_model, NEWEST_IR
from pose_training.exporters.parity import measure
from pose_training.exporters.picture import draw_picture, prepare
from pose_training.exporters.quantize import quantize
from pose_training.exporters.tracing import trace
from pose_training.models.network import PoseNetwork
from pose_training.whole_file import whole_file

_COMPARED = 4  # calibration pictures to compare on, where no others are given
PRECISIONS = ('fp32', 'fp16', 'int8')


class ExportOptions(NamedTuple):
    """How a network is exported.

    `size` (width, height) px of the input, None for the network's own; `dynamic` leaves batch,
    height and width open; `normalize` puts the scaling of pixel values into the graph; `stages`
    cuts after that prediction stage; `calibration` are image files for int8; `decoder` are
    settings of the decoder that the card shall hold.
    """

    size: Optional[Tuple[int, int]] = None
    dynamic: bool = False
    precision: str = 'fp32'
    normalize: bool = False
    stages: Optional[int] = None
    calibration: Sequence[str] = ()
    decoder: Mapping[str, Any] = {}


def export(network: PoseNetwork, path: str, options: ExportOptions = ExportOptions(),
           provenance: Optional[Mapping[str, Any]] = None, images: Sequence[str] = (),
           report: Optional[Callable[[str], None]] = None) -> ModelCard:
    """Write a network of the registry as an ONNX file, and return its card.

    `provenance` tells where the weights come from (JSON data, see `make_card`); `images` are
    files of real pictures to compare on, too; `report` is told of the progress. The file takes
    one float32 input `image` (N, 3, h, w) and yields one float32 `output`, heat maps first.
    Raises ExportError, and writes nothing, if the file does not pass all checks.
    """
    say = report or (lambda text: None)
    _check_options(options)
    images = tuple(map(str, images or options.calibration[:_COMPARED]))
    network = inference_copy(network, options.stages)
    card = make_card(network, options, provenance or {})
    say('tracing {} at {}x{}'.format(network.recipe.name, card.input.width, card.input.height))
    size = (card.input.width, card.input.height)
    model = trace(network, size, options.dynamic,
                  network_input(network, size) if options.normalize else None)
    model = _in_precision(model, card, options, images, say)
    check_model(model)
    content = model.SerializeToString()
    say('comparing it with PyTorch')
    found, fingerprint = measure(network, content, card, images)
    parity = dict(found.figures(), fingerprint=fingerprint)
    card = card._replace(provenance=dict(card.provenance, parity=parity))
    _write(path, with_metadata(content, CARD_KEY, card.to_json()))
    for line in found.lines()[1 + len(found.checked):]:
        say(line.strip())
    return card


def _check_options(options):
    if options.precision not in PRECISIONS:
        raise ExportError('there is no precision {!r}; choose {}'.format(
            options.precision, ', '.join(PRECISIONS)))


def _in_precision(model: ModelProto, card, options, images, say) -> ModelProto:
    model.ir_version = min(model.ir_version, NEWEST_IR)
    if options.precision == 'fp16':
        say('converting to float16')
        drawn = draw_picture(card.input.width, card.input.height)
        check_range(model, (prepare([picture], card.input) for picture in
                            [drawn, *map(read_image, images)]))
        return to_half(model)
    if options.precision == 'int8':
        say('calibrating on {} pictures'.format(len(options.calibration)))
        return quantize(model, card.input, options.calibration, say)
    return model


def _write(path, content):
    try:
        with whole_file(path) as stream:
            stream.write(content)
    except OSError as error:
        raise ExportError('cannot write {}: {}'.format(path, error.strerror or error)) from error
