# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Network: a model that runs on regions of frames; the only caller of engines."""
import threading
import time
from typing import Dict, Iterator, List, Optional, Sequence, Tuple

import numpy as np

from pose_ros.core.bundled import int8_file, model_file
from pose_ros.core.card import ModelCard, with_input_size
from pose_ros.core.card_files import load_card
from pose_ros.core.decoders import Decoder, Found, create_decoder
from pose_ros.core.engines import Engine, create_engine
from pose_ros.core.errors import CardError, EngineError, ModelError
from pose_ros.core.frame import Frame
from pose_ros.core.preprocessing import check_whole, prepare_image, Preprocessor
from pose_ros.core.regions import Region, Transform
from pose_ros.core.synthetic_image import synthetic_image

STEPS = ('preprocess', 'network', 'decode')
_MOST_LOSS = 0.01  # of AP in int8, on any set of the card


class Network:
    """A model file, ready to run. Callers in several threads wait for each other.

    `name` is its place in the pipeline ('pose'), and the prefix of its settings and timings.
    `timings`: seconds by STEPS since the last `reset_timings`.
    """

    def __init__(self, card: ModelCard, engine: Engine, name: str = 'pose',
                 decoder: Optional[Decoder] = None):
        """Take the parts, and run once: CardError if input or outputs contradict the card."""
        self.card, self.engine, self.name = card, engine, name
        self.decoder = decoder or create_decoder(card)
        self._preprocessor = Preprocessor(card.input, engine.batch_size)
        self.timings = dict.fromkeys(STEPS, 0.0)
        self._lock = threading.RLock()  # of buffers, engine and decoder
        check_whole(card.input, engine.input_type, card.name)
        # Not checked for NaN: zeros are no image.
        self._check_outputs(_rows(self._infer(1), 1)[0])
        self.reset_timings()

    @property
    def batch_size(self) -> int:
        """Return how many regions one run of the engine takes."""
        return self.engine.batch_size

    def __call__(self, frames: Sequence[Frame], regions: Sequence[Region]
                 ) -> Iterator[Tuple[Dict[str, np.ndarray], Transform]]:
        """Yield the outputs of each region, without the batch axis, and how it was fitted.

        The arrays are new. EngineError if the engine fails or an output holds NaN.
        """
        for chunk in self._chunks(regions):
            with self._lock:
                results = [({name: array.copy() for name, array in outputs.items()}, transform)
                           for outputs, transform in self._run(frames, chunk)]
            yield from results

    def find(self, frames: Sequence[Frame], regions: Sequence[Region]
             ) -> Iterator[Tuple[Found, Transform]]:
        """Yield what the decoder finds in each region, in network-input pixels."""
        for chunk in self._chunks(regions):
            with self._lock:
                results = [(self._decode(outputs), transform)
                           for outputs, transform in self._run(frames, chunk)]
            yield from results

    def reset_timings(self) -> None:
        """Start to count from zero."""
        self.timings = dict.fromkeys(STEPS, 0.0)

    def close(self) -> None:
        """Free the engine, after a run in another thread."""
        with self._lock:
            self.engine.close()

    def _chunks(self, regions):
        return [regions[first:first + self.batch_size]
                for first in range(0, len(regions), self.batch_size)]

    def _run(self, frames, regions) -> List[Tuple[Dict[str, np.ndarray], Transform]]:
        """Run one batch. The caller has the lock; the next run overwrites the arrays."""
        start = time.perf_counter()
        transforms = [self._preprocessor.write(frames[region.frame].image, region, row)
                      for row, region in enumerate(regions)]
        self.timings['preprocess'] += time.perf_counter() - start
        outputs = self._infer(len(regions))
        self._check_finite(outputs, len(regions))
        return list(zip(_rows(outputs, len(regions)), transforms))

    def _decode(self, outputs):
        start = time.perf_counter()
        found = self.decoder.decode(outputs)
        self.timings['decode'] += time.perf_counter() - start
        return found

    def _infer(self, count) -> Dict[str, np.ndarray]:
        """Run the first `count` rows of the batch; the outputs may have more rows."""
        start = time.perf_counter()
        rows = self.batch_size if self.engine.fixed_batch else count
        outputs = self.engine.infer(self._preprocessor.batch[:rows])
        for name, array in outputs.items():
            if array.ndim < 1 or array.shape[0] != rows:
                raise ModelError('the output {!r} of {} has the shape {} for a batch of {}: its '
                                 'first axis must be the batch'.format(
                                     name, self.card.name, array.shape, rows))
        self.timings['network'] += time.perf_counter() - start
        return outputs

    def _check_outputs(self, outputs):
        try:
            self.decoder.check_outputs(outputs)
        except CardError as error:
            others = ', '.join('{} ({})'.format(*item)
                               for item in sorted(self.engine.left_out.items()))
            raise CardError('{}; not counting outputs that hold no numbers: {}'.format(
                error, others)) if others else error

    def _check_finite(self, outputs, count):
        # A sum is NaN or infinite if any element is, and reads each value once.
        for name, array in outputs.items():
            if not np.isfinite(array[:count].sum()):
                raise EngineError(
                    'the network output {!r} of {} holds NaN or infinite values; check the model, '
                    'and its precision ({})'.format(
                        name, self.card.name, self.engine.describe().precision))


def _rows(outputs, count) -> List[Dict[str, np.ndarray]]:
    """Take a batch apart: the outputs of each row, without the batch axis."""
    return [{name: array[row] for name, array in outputs.items()} for row in range(count)]


def open_network(path: str, name: str = 'pose', backend: str = 'auto', card=None,
                 input_size: Optional[Tuple[int, int]] = None, batch: int = 1,
                 **engine_options) -> Network:
    """Load a model, a file or one of BUNDLED, check it against its card, and run it once.

    card: path, dict or ModelCard that replaces the model's own. input_size: (width, height) px of
    the network input, for models with dynamic shapes. batch: the most regions per run, for models
    with a dynamic batch; others keep theirs. engine_options: see EngineOptions. Raises ModelError,
    CardError or EngineError.
    """
    path = model_file(path)
    card = load_card(path, card)
    if input_size:
        card = with_input_size(card, input_size)
    decoder = create_decoder(card)
    shape = (batch, 3, card.input.height, card.input.width)
    engine = create_engine(path, shape, backend,
                           sample=lambda: prepare_image(synthetic_image(), card.input),
                           agrees=decoder.agrees, int8_file=_int8_file(path, engine_options),
                           **engine_options)
    try:
        return Network(card, engine, name, decoder)
    except Exception:
        engine.close()
        raise


def _int8_file(path, engine_options) -> str:
    """Return the int8 file of a model; for precision auto only if its measured loss is small."""
    found = int8_file(path)
    if not found or engine_options.get('precision', 'auto') != 'auto':
        return found
    compared = load_card(found).provenance.get('compared', {})
    return found if compared.get('largest_loss', 1.0) <= _MOST_LOSS else ''
