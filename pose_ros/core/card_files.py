# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Find the card of a model: from the caller, in the file, beside it, or in pose_ros/models."""
import glob
import os
from typing import Any, Dict, Union

from pose_ros.core.bundled import MODELS_FOLDER, model_file
from pose_ros.core.card import CARD_KEY, ModelCard, parse_card
from pose_ros.core.engines.options import is_plan
from pose_ros.core.errors import CardError, ModelError
from pose_ros.core.files import sha256
from pose_ros.core.onnx_file import read_metadata
from pose_ros.core.reading import LARGEST_CARD, read_file
from pose_ros.core.strict_json import parse_json

_HASH_KEY = 'model_sha256'
ENGINE_FACTS = 'engine'  # the entry of a card's provenance that describes a built engine


def load_card(model_path: str, card: Union[None, str, dict, ModelCard] = None) -> ModelCard:
    """Find and validate the card of a model, a file or one of BUNDLED.

    The `card` of the caller (path, dict or ModelCard); else the one in the ONNX metadata;
    else `MODEL_FILE.json` beside it; else a card in pose_ros/models that was written for exactly
    this file (by SHA-256). Raises ModelError for a bad file, CardError for a bad or missing card.
    """
    model_path = model_file(model_path)
    if not os.path.isfile(model_path):
        raise ModelError('no model file at {!r}; check the path'.format(model_path))
    if isinstance(card, ModelCard):
        return card
    if isinstance(card, dict):
        return parse_card(card, 'the given model card')
    inside, place = {}, 'it is no ONNX file'
    if not is_plan(model_path):
        try:
            inside, place = read_metadata(model_path), CARD_KEY
        except ModelError:  # a file of another name may be of another format
            if model_path.lower().endswith('.onnx'):
                raise
    if card:
        return _read_card_file(card)
    if CARD_KEY in inside:
        return parse_card(inside[CARD_KEY], '{} (metadata {})'.format(model_path, CARD_KEY))
    if os.path.isfile(model_path + '.json'):
        return _read_card_file(model_path + '.json')
    known = _known_card(model_path)
    if known:
        return known
    raise CardError('{0} has no model card: not in its metadata ({1}), not beside it ({0}.json), '
                    'and none was given; `pose-ros adopt` writes one for public networks, '
                    'docs/models.md has the format'.format(
                        model_path, place))


def _read_card_file(path):
    try:
        return parse_card(read_file(path, LARGEST_CARD), path)
    except OSError as error:
        raise CardError('cannot read the model card {}: {}'.format(path, error.strerror or error))


def _known_card(model_path):
    """Return the card of published weights that have none inside, by SHA-256; or None."""
    digest = None
    for path in sorted(glob.glob(os.path.join(MODELS_FOLDER, '*.json'))):
        expected = parse_json(read_file(path, LARGEST_CARD))['provenance'].get(_HASH_KEY)
        digest = digest or sha256(model_path)
        if expected == digest:
            return _read_card_file(path)
    return None


def read_engine_facts(path: str) -> Dict[str, Any]:
    """Return what `pose-ros build-engine` wrote about an engine file into the card beside it.

    Empty without a card or without such an entry; CardError for an invalid card.
    """
    if not os.path.isfile(path + '.json'):
        return {}
    facts = _read_card_file(path + '.json').provenance.get(ENGINE_FACTS, {})
    if not isinstance(facts, dict):
        raise CardError('{}.json: {!r} in the provenance must be an object; build the engine '
                        'again with pose-ros build-engine'.format(path, ENGINE_FACTS))
    return facts
