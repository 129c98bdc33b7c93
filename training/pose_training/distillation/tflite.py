# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Single-person networks as TensorFlow Lite files: MoveNet and EfficientPose."""
import cv2
import numpy as np

from pose_ros.core.files import sha256
from pose_ros.core.topology import get_topology
from pose_training.distillation.single_person import SinglePersonTeacher
from pose_training.errors import DataError

# The maps of EfficientPose, by the names of MPII's keypoints.
_MAPS = ('head_top', 'upper_neck', 'right_shoulder', 'right_elbow', 'right_wrist', 'thorax',
         'left_shoulder', 'left_elbow', 'left_wrist', 'pelvis', 'right_hip', 'right_knee',
         'right_ankle', 'left_hip', 'left_knee', 'left_ankle')
_MEAN, _STD = np.array([.485, .456, .406]), np.array([.229, .224, .225])  # of ImageNet, RGB


class TfliteTeacher(SinglePersonTeacher):
    """Runs a file whose output is (1, 1, 17, 3) points, or (1, h, w, 16) maps of MPII's keypoints.

    The points are those of MoveNet: y, x as fractions of the image, and confidence of COCO's
    keypoints; the input is uint8, int32 or float32 RGB, 0 to 255. The maps are those of
    EfficientPose; the input is float32 RGB, normalized as for ImageNet. Raises DataError for other
    files, and without the runtime.
    """

    def __init__(self, path: str):
        try:
            from ai_edge_litert.interpreter import Interpreter
        except ImportError as error:
            raise DataError('{} needs LiteRT ({}); pip install ai-edge-litert'.format(
                path, error)) from error
        try:
            self._network = Interpreter(path, num_threads=1)
            self._network.allocate_tensors()
        except (ValueError, RuntimeError) as error:
            raise DataError('LiteRT cannot load {}: {}'.format(path, error)) from error
        self._input = self._network.get_input_details()[0]
        self._output = max(self._network.get_output_details(),
                           key=lambda output: int(np.prod(output['shape'])))
        shape = tuple(int(size) for size in self._output['shape'])
        if shape == (1, 1, 17, 3):
            self.topology, self._read = get_topology('coco_17'), self._points
        elif len(shape) == 4 and shape[3] == 16 and min(shape[1:3]) > 1:
            self.topology, self._read = get_topology('mpii_16'), self._peaks
        else:
            raise DataError('{}: its output of {} is neither the points of MoveNet nor the maps '
                            'of EfficientPose'.format(path, shape))
        self.identity = sha256(path)

    def keypoints(self, crop: np.ndarray) -> np.ndarray:
        """See SinglePersonTeacher."""
        height, width = (int(size) for size in self._input['shape'][1:3])
        scale = min(width / crop.shape[1], height / crop.shape[0])
        size = (max(1, round(crop.shape[1] * scale)), max(1, round(crop.shape[0] * scale)))
        method = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
        image = np.zeros((height, width, 3), np.uint8)
        image[:size[1], :size[0]] = cv2.resize(crop, size, interpolation=method)[..., ::-1]
        if self._read == self._peaks:
            image = (image / 255. - _MEAN) / _STD
        self._network.set_tensor(self._input['index'], image[None].astype(self._input['dtype']))
        self._network.invoke()
        output = self._network.get_tensor(self._output['index'])[0].astype(np.float32)
        points = self._read(output)  # x, y as fractions of the input
        pixels = points[:, :2] * (width, height)
        factors = np.array(crop.shape[1::-1]) / size
        return np.column_stack([pixels * factors - .5, points[:, 2]]).astype(np.float32)

    def _points(self, output):
        return output[0][:, [1, 0, 2]]

    def _peaks(self, output):
        height, width, keypoints = output.shape
        best = output.reshape(-1, keypoints).argmax(0)
        row, column = np.divmod(best, width)
        found = np.column_stack([(column + .5) / width, (row + .5) / height,
                                 output.reshape(-1, keypoints).max(0).clip(0, 1)])
        return found[[_MAPS.index(name) for name in self.topology.keypoint_names]]
