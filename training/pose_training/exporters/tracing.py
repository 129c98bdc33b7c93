# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""From a PyTorch network to an ONNX graph with one input `image` and one output `output`."""
import io
import logging
import warnings
from typing import Optional, Tuple

import onnx
import torch
from torch import Tensor, nn

from pose_ros.core.card import InputSpec
from pose_training.errors import ExportError
from pose_training.exporters.onnx_graph import INPUT, OUTPUT, simplify
from pose_training.exporters.operators import OPSET
from pose_training.models.folding import fuse
from pose_training.models.network import PoseNetwork


class FinalMaps(nn.Module):
    """A network's final maps as one tensor: heat maps first, then the fields."""

    def __init__(self, network: PoseNetwork):
        super().__init__()
        self.network = network

    def forward(self, image: Tensor) -> Tensor:
        """Map (N, 3, h, w) to (N, heat maps + fields, h / stride, w / stride)."""
        maps = [part for part in self.network(image)[-1] if part is not None]
        return torch.cat(maps, 1) if len(maps) > 1 else maps[0]


class Normalization(nn.Module):
    """(x * scale - mean) / std per channel, as a card says it, for x in 0..255."""

    def __init__(self, spec: InputSpec):
        super().__init__()
        std = torch.tensor(spec.std, dtype=torch.float64).reshape(1, 3, 1, 1)
        mean = torch.tensor(spec.mean, dtype=torch.float64).reshape(1, 3, 1, 1)
        self.register_buffer('gain', (spec.scale / std).float())
        self.register_buffer('bias', (-mean / std).float())

    def forward(self, image: Tensor) -> Tensor:
        """Map (N, 3, h, w) in 0..255 to the network's own input."""
        return image * self.gain + self.bias


def trace(network: PoseNetwork, size: Tuple[int, int], dynamic: bool,
          normalization: Optional[InputSpec] = None) -> onnx.ModelProto:
    """Return the simplified graph of a network, fused for inference; float32 throughout.

    `size` is (width, height) of the input; `dynamic` leaves batch, height and width open.
    `normalization` goes into the graph. Raises ExportError if the network cannot be traced.
    """
    module: nn.Module = FinalMaps(fuse(network))
    if normalization is not None:
        module = nn.Sequential(Normalization(normalization), module)
    example = torch.zeros(1, 3, size[1], size[0])
    try:
        model = _traced(module.eval(), example, dynamic)
    except Exception as error:  # any module can fail in any way
        raise ExportError('the network {!r} cannot be traced at {}x{}: {}'.format(
            network.recipe.name, size[0], size[1], error)) from error
    channels = model.graph.output[0].type.tensor_type.shape.dim[1].dim_value
    stride = network.stride
    cells = ['h{}'.format(stride), 'w{}'.format(stride)] if dynamic else [
        size[1] // stride, size[0] // stride]
    return simplify(model, ['n' if dynamic else 1, channels] + cells)


def _traced(module, example, dynamic):
    axes = {INPUT: {0: 'n', 2: 'h', 3: 'w'}, OUTPUT: {0: 'n', 2: 'h8', 3: 'w8'}}
    stream, log = io.BytesIO(), logging.getLogger('torch.onnx')
    level = log.level
    with warnings.catch_warnings(), torch.no_grad():
        # The tracer warns of each size that becomes a constant, and of its own age.
        warnings.simplefilter('ignore')
        log.setLevel(logging.ERROR)
        try:
            torch.onnx.export(module, (example,), stream, dynamo=False, opset_version=OPSET,
                              input_names=[INPUT], output_names=[OUTPUT],
                              dynamic_axes=axes if dynamic else None)
        finally:
            log.setLevel(level)
    return onnx.load_model_from_string(stream.getvalue())
