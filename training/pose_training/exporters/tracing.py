# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Trace a PyTorch network into an ONNX graph with one input `image`."""
import io
import logging
import warnings
from typing import Tuple, Union

import numpy as np
import onnx
import torch
from torch import Tensor, nn

from pose_ros.core.card import InputSpec
from pose_training.errors import ExportError
from pose_training.exporters.cards import ExportedForm
from pose_training.exporters.onnx_graph import INPUT, simplify
from pose_training.exporters.operators import OPSET
from pose_training.models.folding import fuse
from pose_training.models.network import PoseNetwork


class ExportedNetwork(nn.Module):
    """A network whose outputs are those of its ONNX file, in the order of their shapes."""

    def __init__(self, network: PoseNetwork, form: ExportedForm):
        super().__init__()
        self.network, self._card, self._names = network, form.card, list(form.shapes)

    def forward(self, image: Tensor) -> Tuple[Tensor, ...]:
        """Map (N, 3, h, w) to the exported outputs."""
        outputs = self.network.family.exported_stages(self.network(image), self._card)
        return tuple(outputs[name] for name in self._names)


class Normalization(nn.Module):
    """(x * scale - mean) / std per channel, with the values of a card, for x in 0..255."""

    def __init__(self, spec: InputSpec):
        super().__init__()
        std = torch.tensor(spec.std, dtype=torch.float64).reshape(1, 3, 1, 1)
        mean = torch.tensor(spec.mean, dtype=torch.float64).reshape(1, 3, 1, 1)
        self.register_buffer('gain', (spec.scale / std).float())
        self.register_buffer('bias', (-mean / std).float())

    def forward(self, image: Tensor) -> Tensor:
        """Map (N, 3, h, w) in 0..255 to the network's own input."""
        return image * self.gain + self.bias


def trace(network: PoseNetwork, form: ExportedForm, batch: Union[int, str] = 1,
          dynamic: bool = False) -> onnx.ModelProto:
    """Return the simplified graph of a network, fused for inference; float32 throughout.

    `batch` is a number, or 'dynamic' to leave it open; `dynamic` leaves batch, height and width
    open. If the input of the card is not that of the bare network, the graph begins with the
    normalization. Raises ExportError if the network cannot be traced.
    """
    shapes = form.shapes
    module: nn.Module = ExportedNetwork(fuse(network), form)
    if form.card.input != form.input:
        module = nn.Sequential(Normalization(form.input), module)
    rows = batch if isinstance(batch, int) else 1
    example = torch.zeros(rows, 3, form.size[1], form.size[0])
    is_open = dynamic or rows != batch
    axes = {INPUT: {0: 'n', 2: 'h', 3: 'w'} if dynamic else {0: 'n'}} if is_open else {}
    for name, shape in shapes.items() if is_open else ():
        axes[name] = {0: 'n'}
        if dynamic and len(shape) == 3:
            axes[name].update({2: 'h{}'.format(network.stride), 3: 'w{}'.format(network.stride)})
        elif dynamic:
            axes[name][2] = 'cells'
    try:
        model = _traced(module.eval(), example, list(shapes), axes)
    except Exception as error:  # any module can fail in any way
        raise ExportError('the network {!r} cannot be traced at {}x{}: {}'.format(
            network.recipe.name, *form.size, error)) from error
    model = simplify(model, {
        name: [axes.get(name, {}).get(axis, side) for axis, side in enumerate((rows,) + shape)]
        for name, shape in shapes.items()})
    return _open_reshapes(model) if dynamic else model


def _traced(module, example, names, axes):
    stream, log = io.BytesIO(), logging.getLogger('torch.onnx')
    level = log.level
    with warnings.catch_warnings(), torch.no_grad():
        # The tracer warns of each size that becomes a constant, and that it is deprecated.
        warnings.simplefilter('ignore')
        log.setLevel(logging.ERROR)
        try:
            torch.onnx.export(module, (example,), stream, dynamo=False, opset_version=OPSET,
                              input_names=[INPUT], output_names=names, dynamic_axes=axes or None)
        finally:
            log.setLevel(level)
    return onnx.load_model_from_string(stream.getvalue())


def _open_reshapes(model: onnx.ModelProto) -> onnx.ModelProto:
    """Change reshapes to (any batch, C, a number of cells) so that any number of cells works."""
    shapes = {node.input[1] for node in model.graph.node if node.op_type == 'Reshape'}
    for tensor in model.graph.initializer:
        if tensor.name in shapes:
            sides = onnx.numpy_helper.to_array(tensor)
            if len(sides) == 3 and sides[0] == -1:
                opened = np.array([0, sides[1], -1], np.int64)  # 0: as in the input
                tensor.CopyFrom(onnx.numpy_helper.from_array(opened, tensor.name))
    return model
