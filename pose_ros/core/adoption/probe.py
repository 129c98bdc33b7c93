# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""What a file of unknown kind takes and yields, measured by running it once."""
import os
from typing import Dict, NamedTuple, Optional, Tuple

import cv2
import numpy as np

from pose_ros.core.errors import EngineError, ModelError
from pose_ros.core.synthetic_image import synthetic_image

# Formats besides ONNX that OpenVINO reads.
OPENVINO_FORMATS = ('.xml', '.tflite', '.pb')
_DEFAULT_SIZE = (256, 256)  # px, for a file that takes images of any size


class Maps(NamedTuple):
    """An output of `channels` maps of `rows` x `columns`; `last`: channels are its last axis."""

    name: str
    channels: int
    rows: int
    columns: int
    last: bool


class Probe(NamedTuple):
    """One run of a network on a drawn person.

    `channels_last`: the input is (N, h, w, 3). `width`, `height` px of its input. `flexible`: it
    takes other sizes, too. `outputs`: by name, without the batch axis, float or whole numbers.
    """

    path: str
    input_name: str
    channels_last: bool
    width: int
    height: int
    flexible: bool
    outputs: Dict[str, np.ndarray]

    def maps(self) -> Tuple[Maps, ...]:
        """Return the outputs that are maps of the input, smaller by the same factor both ways."""
        found = (self._maps(name, array.shape) for name, array in self.outputs.items())
        return tuple(maps for maps in found if maps)

    def _maps(self, name, shape) -> Optional[Maps]:
        if len(shape) != 3:
            return None
        for last, (channels, rows, columns) in ((False, shape),
                                                (True, (shape[2], shape[0], shape[1]))):
            if min(rows, columns) < 4 or channels > 200:
                continue
            across, down = self.width / float(columns), self.height / float(rows)
            if abs(across - down) <= 0.15 * max(across, down) and 0.9 <= across <= 33:
                return Maps(name, channels, rows, columns, last)
        return None


def probe(path: str, size: Optional[Tuple[int, int]] = None) -> Probe:
    """Run a file once; `size` (width, height) px for one that takes any.

    ModelError if the file cannot be read, or does not take one image of three colors; EngineError
    without the runtime for its format.
    """
    if not os.path.isfile(path):
        raise ModelError('no model file at {!r}; check the path'.format(path))
    suffix = os.path.splitext(path)[1].lower()
    try:
        if suffix in OPENVINO_FORMATS:
            return _probe_openvino(path, size)
        return _probe_onnx(path, size)
    except (EngineError, ModelError):
        raise
    except Exception as error:  # of the runtimes, which share no class of errors
        raise ModelError('{} cannot be run: {}'.format(path, ' '.join(str(error).split())[:400]))


def _probe_onnx(path, size):
    import onnxruntime
    session = onnxruntime.InferenceSession(path, providers=['CPUExecutionProvider'])
    inputs = session.get_inputs()
    _one_input(path, [item.name for item in inputs])
    shape = [item if isinstance(item, int) else None for item in inputs[0].shape]
    kind = _TYPES.get(inputs[0].type)
    shape, last, flexible = _shape(path, shape, size)
    batch = _image(shape, last, kind or np.float32)
    names = [item.name for item in session.get_outputs()]
    arrays = session.run(names, {inputs[0].name: batch})
    return _made(path, inputs[0].name, shape, last, flexible, zip(names, arrays))


_TYPES = {'tensor(float)': np.float32, 'tensor(float16)': np.float16, 'tensor(double)': np.float64,
          'tensor(uint8)': np.uint8, 'tensor(int8)': np.int8, 'tensor(int32)': np.int32,
          'tensor(int64)': np.int64}


def _probe_openvino(path, size):
    try:
        import openvino
    except ImportError as error:
        raise EngineError('{} needs OpenVINO ({}); pip install "openvino>=2024"'.format(
            path, error))
    core = openvino.Core()
    model = core.read_model(path)
    _one_input(path, [item.get_any_name() for item in model.inputs])
    shape = [item.get_length() if item.is_static else None
             for item in model.inputs[0].get_partial_shape()]
    shape, last, flexible = _shape(path, shape, size)
    if flexible:
        model.reshape(shape)
    compiled = core.compile_model(model, 'CPU', {'INFERENCE_PRECISION_HINT': 'f32'})
    batch = _image(shape, last, model.inputs[0].get_element_type().to_dtype())
    request = compiled.create_infer_request()
    request.infer([batch])
    arrays = [(item.get_any_name(), request.get_output_tensor(index).data.copy())
              for index, item in enumerate(compiled.outputs)]
    return _made(path, model.inputs[0].get_any_name(), shape, last, flexible, arrays)


def _made(path, name, shape, last, flexible, arrays):
    height, width = shape[1:3] if last else shape[2:]
    outputs = {output: np.asarray(array)[0] for output, array in arrays if np.ndim(array) > 0}
    return Probe(path, name, last, width, height, flexible, outputs)


def _one_input(path, names):
    if len(names) != 1:
        raise ModelError('{}: a pose network has one input, an image; this file has {}: {}'.format(
            path, len(names), ', '.join(names[:8])))


def _shape(path, shape, size):
    """Return the static shape, whether channels are last, and whether height or width is free."""
    if len(shape) != 4 or 3 not in (shape[1], shape[3]):
        raise ModelError('{}: the input should be an image of three colors, (N, 3, h, w) or '
                         '(N, h, w, 3), and is {}'.format(path, tuple(
                             '?' if item is None else item for item in shape)))
    last = shape[1] != 3
    sides = shape[1:3] if last else shape[2:]
    flexible = None in sides
    width, height = size or (sides[1] or _DEFAULT_SIZE[0], sides[0] or _DEFAULT_SIZE[1])
    if sides[0] not in (None, height) or sides[1] not in (None, width):
        raise ModelError('{}: the file takes images of {} x {} px only, not of {} x {}'.format(
            path, sides[1], sides[0], width, height))
    batch = shape[0] or 1
    return ([batch, height, width, 3] if last else [batch, 3, height, width]), last, flexible


def _image(shape, last, kind):
    height, width = shape[1:3] if last else shape[2:]
    image = cv2.resize(synthetic_image(), (width, height)).astype(kind)
    return np.repeat((image if last else image.transpose(2, 0, 1))[None], shape[0], 0)
