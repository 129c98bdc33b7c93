# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Run a network for comparison: the PyTorch one, and the ONNX file that was made of it."""
import copy
from typing import Optional, Sequence

import numpy as np
import onnxruntime
import torch

from pose_ros.core.card import InputSpec
from pose_training.errors import ExportError
from pose_training.exporters.onnx_graph import INPUT, OUTPUT
from pose_training.exporters.picture import prepare
from pose_training.exporters.tracing import FinalMaps
from pose_training.models.network import PoseNetwork
from pose_training.models.registry import create_model


def inference_copy(network: PoseNetwork, stages: Optional[int] = None) -> PoseNetwork:
    """Return a float32 copy on the CPU for inference, cut after prediction stage `stages`.

    Raises NetworkError for a number of stages that the network does not know, ExportError for
    more than this one has.
    """
    recipe = getattr(network, 'recipe', None)
    if recipe is None:
        raise ExportError('a {} without a recipe cannot be exported; build networks with '
                          'create_model'.format(type(network).__name__))
    if stages is None or stages == recipe.options.get('stages'):
        copied = copy.deepcopy(network)
        copied.recipe = recipe
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


def network_maps(network: PoseNetwork, pictures: Sequence[np.ndarray],
                 spec: InputSpec) -> np.ndarray:
    """Return what the PyTorch network yields for pictures (H, W, 3) uint8 BGR: heat, fields.

    `spec` is the input of the bare network, see `cards.network_input`.
    """
    with torch.no_grad():
        return FinalMaps(network)(torch.from_numpy(prepare(pictures, spec))).numpy()


class OnnxRunner:
    """Runs an ONNX file's bytes on the CPU."""

    def __init__(self, content: bytes):
        """Load; ExportError if ONNX Runtime refuses the file."""
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 3
        try:
            self._session = onnxruntime.InferenceSession(
                content, options, providers=['CPUExecutionProvider'])
        except Exception as error:  # the runtime has no public base class for its errors
            raise ExportError('ONNX Runtime cannot load the file: {}'.format(error)) from error

    def __call__(self, pictures: Sequence[np.ndarray], spec: InputSpec) -> np.ndarray:
        """Return the maps of pictures (H, W, 3) uint8 BGR; ExportError if any is not finite."""
        try:
            maps = self._session.run([OUTPUT], {INPUT: prepare(pictures, spec)})[0]
        except Exception as error:  # the runtime has no public base class for its errors
            raise ExportError('ONNX Runtime cannot run the file: {}'.format(error)) from error
        if not np.isfinite(maps).all():
            raise ExportError('the file yields values that are not finite')
        return maps
