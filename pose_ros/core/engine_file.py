# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""A TensorRT engine as a file: `NAME.engine` with its card `NAME.engine.json`."""
import hashlib
import os
from typing import Any, Dict, Optional, Tuple

from pose_ros.core.bundled import model_file
from pose_ros.core.card import ModelCard, with_input_size
from pose_ros.core.card_files import ENGINE_FACTS, load_card
from pose_ros.core.decoders import create_decoder
from pose_ros.core.engines.cuda_driver import compute_capability
from pose_ros.core.engines.factory import tensorrt_backend
from pose_ros.core.engines.options import EngineOptions, is_plan, PLAN_SUFFIX
from pose_ros.core.engines.tensorrt_ahead import build_ahead
from pose_ros.core.engines.tensorrt_build import BuildSettings
from pose_ros.core.engines.tensorrt_library import TITLES
from pose_ros.core.engines.tensorrt_loader import Loader
from pose_ros.core.errors import EngineError, ModelError
from pose_ros.core.files import atomic_write
from pose_ros.core.preprocessing import prepare_image
from pose_ros.core.synthetic_image import synthetic_image


def build_engine_file(model: str, output: Optional[str] = None, card=None,
                      input_size: Optional[Tuple[int, int]] = None, precision: str = 'auto',
                      workspace: int = 0, rebuild: bool = False, batch: int = 1,
                      backend: Optional[str] = None, architectures: Tuple[str, ...] = (),
                      ) -> Tuple[str, Dict[str, Any]]:
    """Build the engine of an ONNX file, check it against ONNX Runtime, and write it with its card.

    model: a file or one of BUNDLED. output: the engine file (None: the model's name, ending in
    .engine, for a bundled model in this folder). card and input_size as in
    PoseEstimator, precision and workspace [MiB] as in the engine options. rebuild: build even if
    the cache has the engine. batch: images per run, for models with a dynamic batch; others keep
    theirs. backend: tensorrt or tensorrt_rtx; None: the one that is installed. architectures: GPUs
    that run an engine of tensorrt_rtx, such as ('sm86', 'sm89'). Such an engine is not compared,
    and needs no GPU here; facts then have `architectures`. If they are empty and there is no GPU,
    all but sm75. Returns (file, facts). Raises EngineError without TensorRT or GPU or if the
    engine disagrees in every precision, ModelError or CardError for the model, OSError if a file
    cannot be written.
    """
    output = engine_path(model, output)
    description: ModelCard = load_card(model, card)
    if input_size:
        description = with_input_size(description, input_size)
    spec = description.input
    settings = BuildSettings((batch, 3, spec.height, spec.width), precision, workspace)
    options = EngineOptions(sample=lambda: prepare_image(synthetic_image(), spec),
                            agrees=create_decoder(description).agrees)
    plan, facts = _build(model_file(model), settings._replace(architectures=tuple(architectures)),
                         options, rebuild, backend or tensorrt_backend())
    facts = dict(facts, plan_sha256=hashlib.sha256(plan).hexdigest())
    provenance = dict(description.provenance)
    provenance[ENGINE_FACTS] = facts
    card_text = description._replace(provenance=provenance).to_json()
    with atomic_write(output + '.json') as stream, atomic_write(output) as plan_stream:
        stream.write(card_text.encode('utf-8'))
        stream.flush()  # before any file is replaced: a full disk leaves both as they were
        plan_stream.write(plan)
    return output, facts


def engine_path(model: str, output: Optional[str] = None) -> str:
    """Return the engine file of a model (None: its name, ending in .engine); ModelError."""
    if is_plan(model):
        raise ModelError('{} is an engine already: give the ONNX file'.format(model))
    output = output or os.path.splitext(model)[0] + PLAN_SUFFIX
    if not is_plan(output):
        raise ModelError('the engine file must end in {}, not {!r}'.format(PLAN_SUFFIX, output))
    return output


def describe_facts(facts: Dict[str, Any]) -> str:
    """Return the facts of build_engine_file as one line of text."""
    where = ('for {}; not run here, so not compared with ONNX Runtime'.format(
        ', '.join(facts['architectures'])) if 'architectures' in facts else
             '{gpu}; agrees with ONNX Runtime'.format(**facts))
    return '{precision}, {} {tensorrt}, {}'.format(TITLES[facts['backend']], where, **facts)


def _build(model, settings, options, rebuild, backend):
    """Return a plan and its facts; it is run and compared only if it is for this machine."""
    if settings.architectures and backend != 'tensorrt_rtx':
        raise EngineError('only tensorrt_rtx builds for other GPUs than that of this machine: '
                          'leave out the architectures, or use backend tensorrt_rtx')
    if backend == 'tensorrt_rtx' and (settings.architectures or not compute_capability()):
        return build_ahead(model, settings)
    built = Loader(model, settings, options, rebuild, backend).load()
    built.engine.close()
    return built.plan, built.facts
