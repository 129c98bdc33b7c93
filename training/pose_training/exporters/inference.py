# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Run a PyTorch network and its ONNX file, to compare them."""
import copy
from typing import Dict, Optional, Sequence

import numpy as np
import onnxruntime
import torch

from pose_ros.core.card import InputSpec
from pose_training.errors import ExportError
from pose_training.exporters.cards import ExportedForm
from pose_training.exporters.onnx_graph import INPUT
from pose_training.exporters.synthetic_image import prepare
from pose_training.models.network import PoseNetwork
from pose_training.models.registry import create_model


def inference_copy(network: PoseNetwork, stages: Optional[int] = None) -> PoseNetwork:
    """Return a float32 copy on the CPU for inference, cut after prediction stage `stages`.

    Raises NetworkError for an invalid number of stages, ExportError for more stages than this
    network has.
    """
    recipe = getattr(network, 'recipe', None)
    if recipe is None:
        raise ExportError('a {} without a recipe cannot be exported; build networks with '
                          'create_model'.format(type(network).__name__))
    if stages is None or stages == recipe.options.get('stages'):
        copied = copy.deepcopy(network)
        copied.recipe, copied.family = recipe, network.family
    else:
        copied = create_model(recipe.name, recipe.topology, **{**recipe.options, 'stages': stages})
        _take_state(copied, network.state_dict(), stages)
    return copied.cpu().float().eval()


def _take_state(cut, state, stages):
    missing = [name for name in cut.state_dict() if name not in state]
    if missing:
        raise ExportError('this {} cannot be cut after stage {}: it has no {} (and {} more '
                          'weights); it has fewer stages'.format(
                              cut.recipe.name, stages, missing[0], len(missing) - 1))
    try:
        cut.load_state_dict({name: state[name] for name in cut.state_dict()})
    except RuntimeError as error:
        raise ExportError('this {} cannot be cut after stage {}: {}'.format(
            cut.recipe.name, stages, error)) from error


def network_outputs(network: PoseNetwork, images: Sequence[np.ndarray],
                    form: ExportedForm) -> Dict[str, np.ndarray]:
    """Return the exported outputs of the PyTorch network for images (H, W, 3) uint8 BGR."""
    inputs = torch.from_numpy(prepare(images, form.input))
    with torch.no_grad():
        return _arrays(network.family.exported_stages(network(inputs), form.card))


def run_network(network: PoseNetwork, inputs: np.ndarray) -> Dict[str, np.ndarray]:
    """Return the outputs of the last stage for the network's own inputs (N, 3, h, w)."""
    with torch.no_grad():
        return _arrays(network.family.exported(network(torch.from_numpy(inputs))[-1]))


def _arrays(outputs):
    return {name: value.numpy() for name, value in outputs.items()}


def filled(inputs: np.ndarray, rows: int) -> np.ndarray:
    """Repeat the last of N network inputs until there are a multiple of `rows` of them."""
    missing = -len(inputs) % rows
    return np.concatenate([inputs, inputs[-1:].repeat(missing, 0)]) if missing else inputs


class OnnxRunner:
    """Runs an ONNX file's bytes on the CPU."""

    def __init__(self, content: bytes):
        """Load the file; ExportError if ONNX Runtime cannot."""
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 3
        try:
            self._session = onnxruntime.InferenceSession(
                content, options, providers=['CPUExecutionProvider'])
        except Exception as error:  # the runtime has no public base class for its errors
            raise ExportError('ONNX Runtime cannot load the file: {}'.format(error)) from error
        rows = self._session.get_inputs()[0].shape[0]
        self._rows = rows if isinstance(rows, int) else 0
        self._names = [output.name for output in self._session.get_outputs()]

    def __call__(self, images: Sequence[np.ndarray], spec: InputSpec) -> Dict[str, np.ndarray]:
        """Return the outputs for N images (H, W, 3) uint8 BGR; ExportError if any is not finite.

        A file with a fixed batch runs several times if needed.
        """
        inputs = prepare(images, spec)
        rows = self._rows or len(inputs)
        inputs = filled(inputs, rows)
        try:
            runs = [self._session.run(self._names, {INPUT: inputs[first:first + rows]})
                    for first in range(0, len(inputs), rows)]
        except Exception as error:  # the runtime has no public base class for its errors
            raise ExportError('ONNX Runtime cannot run the file: {}'.format(error)) from error
        outputs = {name: np.concatenate([run[place] for run in runs])[:len(images)]
                   for place, name in enumerate(self._names)}
        if not all(np.isfinite(value).all() for value in outputs.values()):
            raise ExportError('the file yields values that are not finite')
        return outputs
