# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Recognize a public network, and write it with a card."""
import os
import tempfile
from typing import Any, Dict, NamedTuple, Optional, Tuple

from pose_ros.core.adoption.kinds import Guess, KINDS
from pose_ros.core.adoption.probe import Probe, probe
from pose_ros.core.adoption.rewriting import renamed, rewrite, suffix_for
from pose_ros.core.card import CARD_KEY, ModelCard, parse_card, SCHEMA
from pose_ros.core.card_files import load_card
from pose_ros.core.decoders import create_decoder
from pose_ros.core.errors import CardError, ModelError
from pose_ros.core.files import atomic_write, sha256
from pose_ros.core.onnx_file import with_metadata


class Adopted(NamedTuple):
    """A file that every command takes: its path, what it was taken for, and its card."""

    path: str
    kind: str
    card: ModelCard


def adopt(path: str, output: Optional[str] = None, kind: Optional[str] = None,
          size: Optional[Tuple[int, int]] = None, license: str = 'unknown',
          changes: Optional[Dict[str, Any]] = None) -> Adopted:
    """Write a file of a public network again, as one that the engines take, with a card.

    output: default NAME_adopted.onnx beside it, or .xml for formats of OpenVINO. kind: one of
    KINDS, default: the first that fits. size: (width, height) px of the input, for a file that
    takes any. license: of the weights, for the card. changes: other values of the card, by
    'topology' or a key of its input ('color', 'mean', ...). Raises ModelError for a file that
    cannot be run or is of no kind, CardError for invalid changes.
    """
    if kind is not None and kind not in KINDS:
        raise ModelError('there is no kind {!r}; the kinds are {}'.format(kind, ', '.join(KINDS)))
    seen = probe(path, size)
    guess = recognize(seen, kind)
    if seen.flexible and not size and 'width' in guess.input:
        seen = seen._replace(width=guess.input['width'], height=guess.input['height'])
    card = make_card(seen, guess, license, changes or {})
    create_decoder(card)  # here, so that no file is written for an invalid card
    suffix = suffix_for(path)
    output = output or default_output(path)
    if not output.lower().endswith(suffix):
        raise ModelError('the adopted file of {} must end in {}, not {!r}'.format(
            path, suffix, output))
    _write(seen, guess, card, output)
    return Adopted(output, guess.kind, card)


def default_output(path: str) -> str:
    """Return the name of the adopted file: NAME_adopted.onnx, or .xml for other formats."""
    return os.path.splitext(path)[0] + '_adopted' + suffix_for(path)


def recognize(seen: Probe, kind: Optional[str] = None) -> Guess:
    """Return what a network seems to be; ModelError with what it yields if it is of no kind."""
    for name, fits in KINDS.items():
        guess = fits(seen) if kind in (None, name) else None
        if guess:
            return guess
    yields = ', '.join('{} {}'.format(name, 'x'.join(map(str, array.shape)) or 'a number')
                       for name, array in seen.outputs.items())
    raise ModelError('{}: the network takes {} x {} px and yields {} per image. {}'.format(
        seen.path, seen.width, seen.height, yields,
        'This is no {!r}'.format(kind) if kind else
        'This is none of the kinds that are known: {}. Write a card for it (docs/models.md)'
        .format(', '.join(KINDS))))


def make_card(seen: Probe, guess: Guess, license: str, changes: Dict[str, Any]) -> ModelCard:
    """Return the card of a guess, with `changes` of its topology and input."""
    spec = dict(guess.input, width=seen.width, height=seen.height)
    changes = dict(changes)
    topology = changes.pop('topology', guess.topology)
    if changes.get('fit', spec['fit']) != 'crop':
        spec.pop('padding', None)
    spec.update(changes)
    decoder = dict(guess.decoder, outputs=_renamed_in(guess.decoder['outputs'], guess))
    name = os.path.splitext(os.path.basename(seen.path))[0]
    return parse_card({
        'schema': SCHEMA, 'name': name, 'version': '1', 'license': license, 'task': guess.task,
        'topology': topology, 'input': spec, 'decoder': decoder,
        'provenance': {'adopted_from': os.path.basename(seen.path),
                       'adopted_sha256': sha256(seen.path), 'kind': guess.kind}},
        'the card of {}'.format(seen.path))


def is_adopted(path: str) -> bool:
    """Return whether a file has a card, so that it needs no adoption."""
    try:
        load_card(path)
    except (CardError, ModelError):
        return False
    return True


def _renamed_in(value, guess):
    """Put the new names of outputs into the `outputs` of a decoder."""
    if isinstance(value, dict):
        return {key: _renamed_in(item, guess) for key, item in value.items()}
    if isinstance(value, list):
        return [_renamed_in(item, guess) for item in value]
    return renamed(value, guess) if value in guess.outputs else value


def _write(seen, guess, card, output):
    """Write network and card, whole or not at all."""
    text = card.to_json()
    with tempfile.TemporaryDirectory() as work:
        made = os.path.join(work, 'model' + suffix_for(seen.path))
        rewrite(seen, guess, made)
        with open(made, 'rb') as stream:
            content = stream.read()
        if made.endswith('.onnx'):
            content = with_metadata(content, CARD_KEY, text)
        else:
            with open(made[:-4] + '.bin', 'rb') as stream:
                _replace(os.path.splitext(output)[0] + '.bin', stream.read())
            _replace(output + '.json', text.encode('utf-8'))
        _replace(output, content)


def _replace(path, content):
    with atomic_write(path) as stream:
        stream.write(content)
