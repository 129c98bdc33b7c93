# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""An engine in a file of its own: `NAME.engine` with its card `NAME.engine.json`."""
import hashlib
import os
from typing import Any, Dict, Optional, Tuple

import numpy as np

from pose_ros.core.card import ModelCard, with_input_size
from pose_ros.core.card_files import ENGINE_FACTS, load_card
from pose_ros.core.engines.self_check import check_picture
from pose_ros.core.engines.tensorrt_build import BuildSettings
from pose_ros.core.engines.tensorrt_loader import Loader, PLAN_SUFFIX
from pose_ros.core.errors import ModelError
from pose_ros.core.files import write_whole
from pose_ros.core.preprocessing import prepare_image


def build_engine_file(model: str, output: Optional[str] = None, card=None,
                      input_size: Optional[Tuple[int, int]] = None, precision: str = 'auto',
                      workspace: int = 0, rebuild: bool = False) -> Tuple[str, Dict[str, Any]]:
    """Build the engine of an ONNX file, check it against ONNX Runtime, and write it with its card.

    output: the engine's file (None: the model's name, ending in .engine). card and input_size as
    in PoseEstimator, precision and workspace [MiB] as in the engine options. rebuild: build though
    the cache has it. Returns (file, facts). Raises EngineError without TensorRT or GPU or when the
    engine is wrong in every precision, ModelError or CardError for the model, OSError for what
    cannot be written.
    """
    if model.endswith(PLAN_SUFFIX):
        raise ModelError('{} is an engine already: give the ONNX file'.format(model))
    output = output or os.path.splitext(model)[0] + PLAN_SUFFIX
    if not output.endswith(PLAN_SUFFIX):
        raise ModelError('the engine file must end in {}, not {!r}'.format(PLAN_SUFFIX, output))
    description: ModelCard = load_card(model, card)
    if input_size:
        description = with_input_size(description, input_size)
    spec = description.input
    settings = BuildSettings((1, 3, spec.height, spec.width), precision, workspace)
    loader = Loader(model, settings, lambda: _sample(spec), rebuild)
    built = loader.load()
    built.engine.close()
    facts = dict(built.facts, plan_sha256=hashlib.sha256(built.plan).hexdigest())
    provenance = dict(description.provenance)
    provenance[ENGINE_FACTS] = facts
    write_whole(output, built.plan)
    write_whole(output + '.json',
                description._replace(provenance=provenance).to_json().encode('utf-8'))
    return output, facts


def _sample(spec) -> np.ndarray:
    return prepare_image(check_picture(), spec)
