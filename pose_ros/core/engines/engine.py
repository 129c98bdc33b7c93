# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""The interface of an engine, and the rules for its input."""
import abc
from types import MappingProxyType
from typing import Dict, Mapping, NamedTuple, Optional, Sequence, Tuple

import numpy as np

from pose_ros.core.errors import EngineError, ModelError

Shape = Tuple[int, ...]
FileShape = Sequence[Optional[int]]  # of a model file; None for a dynamic axis


class RunError(EngineError):
    """A loaded engine failed at run time; another engine may work."""


class EngineInfo(NamedTuple):
    """What runs a network: for logs, diagnostics and `pose-ros info`."""

    backend: str
    version: str
    device: str
    precision: str
    threads: int  # 0: the engine's default
    model: str

    def __str__(self):
        """Return one line of text."""
        text = '{} {} on {}, {}'.format(self.backend, self.version, self.device, self.precision)
        if self.backend in ('tensorrt', 'tensorrt_rtx'):
            return text
        return text + (', {} threads'.format(self.threads) if self.threads
                       else ', default threads')


class Engine(abc.ABC):
    """A loaded network. Not thread-safe: one caller at a time.

    `input_shape`: (N, 3, height, width) of the file, None for a dynamic axis. `batch_size`: the
    largest N of `infer`. `fixed_batch`: `infer` takes exactly `batch_size` images, and the caller
    pads; else 1 to `batch_size`. `input_type`: that of the file's input; `infer` converts to it.
    `output_names`: in the order of the file. `left_out`: outputs of the file that hold no numbers
    (texts, sequences), and their types; `infer` does not return them.
    `status`: unfinished work, such as a build in the background ('' if none).
    `degraded_reason`: why this is not the requested engine ('' if it is).
    """

    status: str = ''
    degraded_reason: str = ''

    input_shape: Tuple[Optional[int], ...] = (None, None, None, None)
    batch_size: int = 1
    fixed_batch: bool = True
    input_type: np.dtype = np.dtype(np.float32)
    left_out: Mapping[str, str] = MappingProxyType({})
    output_names: Tuple[str, ...] = ()

    @abc.abstractmethod
    def infer(self, batch: np.ndarray) -> Dict[str, np.ndarray]:
        """Run (N, 3, h, w) float32 through the network; outputs by name.

        Outputs of floats are float32; those of whole numbers and booleans keep their type. The
        arrays may be overwritten by the next call. EngineError for a batch of another size, or if
        the runtime fails.
        """

    @abc.abstractmethod
    def describe(self) -> EngineInfo:
        """Return backend, version, device and precision."""

    @abc.abstractmethod
    def close(self) -> None:
        """Free the network; the engine cannot be used afterwards."""


def batch_shape(input_shape: FileShape, wanted: Shape, path: str) -> Tuple[Shape, bool]:
    """Return the largest batch (N, 3, h, w) of an engine, and whether N is fixed by the file.

    wanted: (N, 3, h, w), N being the largest batch of the caller. A static N of the file replaces
    it. ModelError if the file does not take images of (3, h, w).
    """
    matches = len(input_shape) == len(wanted) == 4 and all(
        have in (None, want) for have, want in zip(input_shape[1:], wanted[1:]))
    if not matches:
        raise ModelError(
            '{}: the network takes images of {}, but the model card (or the chosen input size) '
            'says {} (channels x height x width)'.format(
                path, shape_text(input_shape[1:]), shape_text(wanted[-3:])))
    size = input_shape[0]
    return (wanted[0] if size is None else size,) + tuple(wanted[1:]), size is not None


def check_batch(batch: np.ndarray, largest: Shape, fixed: bool, path: str) -> None:
    """Raise EngineError unless `infer` takes a batch; `largest` and `fixed` as of batch_shape."""
    count = batch.shape[0] if batch.ndim else 0
    valid = count == largest[0] if fixed else 1 <= count <= largest[0]
    if not valid or batch.shape[1:] != largest[1:]:
        raise EngineError('the engine of {} takes a batch of {}{} images of {}, not {}'.format(
            path, '' if fixed or largest[0] == 1 else '1 to ', largest[0],
            shape_text(largest[1:]), shape_text(batch.shape)))


def check_open(network, path: str) -> None:
    """Raise EngineError once `close` has set an engine's network to None."""
    if network is None:
        raise EngineError('the engine of {} is closed; create a new one'.format(path))


def shape_text(shape: FileShape) -> str:
    """Return a shape as text, such as ?x3x256x192."""
    return 'x'.join('?' if size is None else str(size) for size in shape)
