# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Open a teacher's file at any input size, with any of its layers as outputs.

A file of a fixed size is changed in a temporary copy; the file itself is not changed.
"""
import os
import tempfile
from typing import Any, Dict, List, NamedTuple, Sequence, Tuple

import numpy as np
import onnx
import torch

from pose_ros.core.card import ModelCard
from pose_ros.core.engines import create_engine
from pose_training.checkpoint import load_checkpoint
from pose_training.distillation.layers import module_channels, unknown_layer
from pose_training.errors import DataError
from pose_training.exporters.cards import make_card
from pose_training.exporters.export import ExportOptions
from pose_training.exporters.inference import inference_copy
from pose_training.models.network import PoseNetwork
from pose_training.onnx_file import load_onnx

CHECKPOINTS = ('.pt', '.ckpt')


class OpenNetwork(NamedTuple):
    """A loaded network: `engine.infer(batch) -> {name: array}`, for one size (width, height)."""

    engine: Any
    size: Tuple[int, int]


def open_network(path: str, size: Tuple[int, int], layers: Sequence[str], backend: str,
                 threads: int) -> OpenNetwork:
    """Load a network for images of `size` (width, height) [px], or of its own fixed size.

    `layers` names more outputs: tensors of a file, or modules of a checkpoint. Raises DataError
    for an unknown layer, ModelError or EngineError for a file that cannot be run.
    """
    if path.lower().endswith(CHECKPOINTS):
        return OpenNetwork(TorchEngine(path, size, layers), size)
    with tempfile.TemporaryDirectory(prefix='teacher') as folder:
        if path.lower().endswith('.xml'):
            path = _copy_openvino(path, size, layers, folder)
        elif path.lower().endswith('.onnx'):
            path, size = _copy_onnx(path, size, layers, folder)
        elif layers:
            raise DataError('{}: hints need an .onnx, .xml or .pt file'.format(path))
        engine = create_engine(path, (1, 3, size[1], size[0]), backend=backend, threads=threads)
    return OpenNetwork(engine, size)


def checkpoint_card(path: str) -> ModelCard:
    """Return the card that a checkpoint of this package would be exported with."""
    network, provenance = load_checkpoint(path)
    return make_card(network, ExportOptions(), provenance)


def checkpoint_network(path: str, size: Tuple[int, int], key: str) -> PoseNetwork:
    """Return a checkpoint's network, float32 on the CPU, for images of `size` (width, height).

    Raises DataError, which names the setting `key` of the size, if the size is invalid for it.
    """
    network = inference_copy(load_checkpoint(path)[0])
    if any(side % network.size_multiple for side in size):
        raise DataError('{} needs multiples of {} pixels, not {}x{}; choose another {}'.format(
            path, network.size_multiple, *size, key))
    return network


class TorchEngine:
    """A checkpoint of this package as an engine: PyTorch on the CPU."""

    def __init__(self, path: str, size: Tuple[int, int], layers: Sequence[str]):
        self._network = checkpoint_network(path, size, 'teacher.size')
        self._found: Dict[str, torch.Tensor] = {}
        modules = dict(self._network.named_modules())
        for name in layers:
            if name not in modules:
                raise unknown_layer(name, path, list(modules))
            modules[name].register_forward_hook(self._keep(name))

    def _keep(self, name):
        def hook(module, inputs, output):
            self._found[name] = output
        return hook

    def infer(self, batch: np.ndarray) -> Dict[str, np.ndarray]:
        """Return the exported outputs and the layers for (N, 3, h, w) float32."""
        with torch.no_grad():
            last = self._network(torch.from_numpy(batch))[-1]
        maps = self._network.family.exported(last)
        return {name: value.numpy() for name, value in {**maps, **self._found}.items()}


def layer_channels(path: str, layers: Sequence[str]) -> List[int]:
    """Return the numbers of channels of layers of a file, without running it.

    Raises DataError for an unknown layer, and for one that does not yield maps.
    """
    if path.lower().endswith(CHECKPOINTS):
        return module_channels(load_checkpoint(path)[0], layers, path)
    if path.lower().endswith('.xml'):
        nodes = {node.get_friendly_name(): node.output(0).get_partial_shape()
                 for node in _read_openvino(path).get_ops() if node.get_output_size()}
        shapes = {name: [size.get_length() if size.is_static else 0 for size in shape]
                  for name, shape in nodes.items() if shape.rank.is_static}
    else:
        graph = onnx.shape_inference.infer_shapes(load_onnx(path)).graph
        shapes = {name: [] for node in graph.node for name in node.output}
        shapes.update((value.name, [size.dim_value for size in value.type.tensor_type.shape.dim])
                      for value in (*graph.value_info, *graph.output))
    for name in layers:
        if name not in shapes:
            raise unknown_layer(name, path, list(shapes))
        if len(shapes[name]) != 4 or not shapes[name][1]:
            raise DataError('{}: the layer {!r} has the shape {}; a hint needs maps of a fixed '
                            'number of channels'.format(path, name, shapes[name]))
    return [shapes[name][1] for name in layers]


def _read_openvino(path):
    try:
        import openvino
    except ImportError as error:
        raise DataError('{} needs OpenVINO, which is not installed ({}); pip install '
                        '"openvino>=2024"'.format(path, error)) from error
    try:
        return openvino.Core().read_model(path)
    except (RuntimeError, UnicodeDecodeError) as error:
        raise DataError('OpenVINO cannot read {}: {}'.format(path, error)) from error


def _copy_openvino(path, size, layers, folder) -> str:
    """Write the network for another size, with more outputs."""
    model = _read_openvino(path)
    nodes = {node.get_friendly_name(): node for node in model.get_ops()}
    for name in layers:
        if name not in nodes:
            raise unknown_layer(name, path, list(nodes))
        model.add_outputs([(name, 0)])[0].get_tensor().add_names({name})
    copy = os.path.join(folder, 'network.xml')
    try:
        model.reshape([1, 3, size[1], size[0]])
        import openvino
        openvino.save_model(model, copy, compress_to_fp16=False)
    except (RuntimeError, UnicodeDecodeError) as error:
        raise DataError('{} cannot take images of {}x{}: {}'.format(
            path, *size, error)) from error
    return copy


def _copy_onnx(path, size, layers, folder) -> Tuple[str, Tuple[int, int]]:
    """Add outputs, if any are requested, in a copy; return also the size of a static graph."""
    model = load_onnx(path)
    sides = [part.dim_value for part in model.graph.input[0].type.tensor_type.shape.dim[2:]]
    if len(sides) == 2 and all(sides):
        size = (sides[1], sides[0])
    if not layers:
        return path, size
    tensors: List[str] = [name for node in model.graph.node for name in node.output]
    for name in layers:
        if name not in tensors:
            raise unknown_layer(name, path, tensors)
        if name not in [output.name for output in model.graph.output]:
            model.graph.output.append(
                onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, None))
    copy = os.path.join(folder, 'network.onnx')
    onnx.save(model, copy)
    return copy, size
