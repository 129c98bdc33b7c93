# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""A folder of color images with depth images and the calibration of their camera."""
import logging
import os
from typing import Dict, List

import cv2
import numpy as np

from pose_ros.core.camera import Pinhole
from pose_ros.core.depth import read_depth
from pose_ros.core.errors import ImageError
from pose_ros.core.image_size import MAX_PIXELS
from pose_ros.core.reading import LARGEST_CARD, read_file
from pose_ros.core.sources.images import image_names, ImageFolder

_LOG = logging.getLogger('pose_ros')
_DEPTH_ENDING = '_depth'
_COMPANIONS = (_DEPTH_ENDING, '_mask')  # what follows the name of an image, with any extension
_COLOR_FOLDERS, _DEPTH_FOLDER = ('color', 'rgb'), 'depth'
CALIBRATION_NAME = 'camera_info.yaml'
_CAMERAS = ('{}_camera.xml', 'camera.xml')  # of one image, of all


class RgbdFolder(ImageFolder):
    """Color images with depth of 16 bits [mm], registered to them: Frame.depth, Frame.camera.

    NAME.jpg has NAME_depth.png beside it, and perhaps NAME_mask.jpg, which is ignored; or
    color/NAME.jpg (or rgb/) has depth/NAME.png. The camera is that of camera_info.yaml in the
    folder, a file of camera_calibration, else of NAME_camera.xml beside the image or of
    camera.xml, OpenCV's form with a 3 x 3 matrix `intrinsic` of images without distortion. What
    is missing is None in the frame; so are depth and XML files that cannot be used, which the log
    names once. `calibration` is the path of camera_info.yaml, '' without one.
    """

    has_depth = True
    _orient = False  # the depth has the orientation of the pixels in the file

    def __init__(self, path: str, loop=False, size=None, rate=None, max_pixels=MAX_PIXELS):
        """List the folder; ImageError if camera_info.yaml is invalid."""
        super(RgbdFolder, self).__init__(path, loop, size, rate, max_pixels)
        self._depths, self._reported = depth_images(path), set()
        calibration = os.path.join(path, CALIBRATION_NAME)
        self.calibration = calibration if os.path.exists(calibration) else ''
        self._camera = _calibrated(calibration) if self.calibration else None

    @staticmethod
    def accepts(spec: str) -> bool:
        """Whether it is a folder with at least one image that has depth."""
        return os.path.isdir(spec) and bool(depth_images(spec))

    def describe(self) -> str:
        """Return the path and the number of images."""
        return 'RGB-D folder {} ({} images)'.format(self._folder, len(self._names))

    def read(self):
        """See FrameSource.read; ImageError if camera_info.yaml is that of another image size."""
        frame = super(RgbdFolder, self).read()
        if frame is None:
            return None
        camera = self._common_camera(frame) if self._camera else \
            self._optional(self._own_camera, frame)
        return frame._replace(depth=self._optional(self._depth_of, frame), camera=camera)

    @staticmethod
    def _listed(path):
        return _color_images(path)

    def _common_camera(self, frame):
        if (self._camera.width, self._camera.height) == self._read_size:
            return self._camera.scaled(*frame.size)
        raise ImageError('{} is for images of {} x {}, but {} has {} x {}'.format(
            self.calibration, self._camera.width, self._camera.height, frame.name,
            *self._read_size))

    def _optional(self, step, frame):
        try:
            return step(frame)
        except ImageError as error:
            if (step.__name__, frame.name) not in self._reported:
                self._reported.add((step.__name__, frame.name))
                _LOG.warning('no positions of %s: %s', frame.name, error)
            return None

    def _depth_of(self, frame):
        """Return the depth of a frame that was just read, resized as the frame was, or None."""
        if frame.name not in self._depths:
            return None
        path = os.path.join(self._folder, self._depths[frame.name])
        depth = read_depth(path, self._max_pixels)
        if depth.shape != self._read_size[::-1]:
            raise ImageError('the depth image {} has {} x {} px, and its image {} x {}: register '
                             'depth to color'.format(
                                 path, *(depth.shape[::-1] + self._read_size)))
        if depth.shape == frame.image.shape[:2]:
            return depth
        return cv2.resize(depth, frame.size, interpolation=cv2.INTER_NEAREST)

    def _own_camera(self, frame):
        stem = os.path.splitext(frame.name)[0]
        for name in _CAMERAS:
            path = os.path.join(self._folder, name.format(stem))
            if os.path.lexists(path):
                return _read_camera(path, *self._read_size).scaled(*frame.size)
        return None


def depth_images(folder: str) -> Dict[str, str]:
    """Return {color image: depth image}, paths below the folder, in natural order.

    Images without depth are left out.
    """
    names = image_names(folder)
    beside = _by_stem(names)
    pairs = {name: beside[_stem(name) + _DEPTH_ENDING] for name in names
             if _stem(name) + _DEPTH_ENDING in beside}
    if pairs:
        return pairs
    color, depth_folder = _color_folder(folder), os.path.join(folder, _DEPTH_FOLDER)
    if not color or not os.path.isdir(depth_folder):
        return {}
    depths = _by_stem(image_names(depth_folder))
    return {os.path.join(color, name): os.path.join(_DEPTH_FOLDER, depths[_stem(name)])
            for name in image_names(os.path.join(folder, color)) if _stem(name) in depths}


def _color_images(folder) -> List[str]:
    """Return the images of a folder, paths below it, without those that belong to another."""
    names = image_names(folder)
    color = _color_folder(folder)
    if color and not any(_stem(name).endswith(_DEPTH_ENDING) for name in names):
        return [os.path.join(color, name) for name in image_names(os.path.join(folder, color))]
    stems = {_stem(name) for name in names}
    return [name for name in names if not any(
        _stem(name).endswith(companion) and _stem(name)[:-len(companion)] in stems
        for companion in _COMPANIONS)]


def _color_folder(folder) -> str:
    return next((name for name in _COLOR_FOLDERS if os.path.isdir(os.path.join(folder, name))), '')


def _by_stem(names) -> Dict[str, str]:
    return {_stem(name): name for name in names}


def _stem(name) -> str:
    return os.path.splitext(name)[0]


def _calibrated(path: str) -> Pinhole:
    """Read camera_info.yaml; ImageError if it is invalid."""
    try:  # the command line and Python need PyYAML for this file alone
        from pose_ros.core.calibration_file import load_calibration
    except ImportError as error:
        raise ImageError('{} needs PyYAML ({}): python3 -m pip install pyyaml'.format(path, error))
    return load_calibration(path).pinhole()


def _read_camera(path: str, width: int, height: int) -> Pinhole:
    """Read the camera of images of width x height px; ImageError if there is none in the file."""
    try:
        text = read_file(path, LARGEST_CARD).decode('utf-8')
        storage = cv2.FileStorage(text, cv2.FILE_STORAGE_READ | cv2.FILE_STORAGE_MEMORY)
        matrix = storage.getNode('intrinsic').mat()
    except OSError as error:
        raise ImageError('cannot read the camera {}: {}'.format(path, error.strerror))
    except (UnicodeDecodeError, SystemError, cv2.error) as error:
        raise ImageError('{} is no XML file of OpenCV: {}'.format(
            path, ' '.join(str(error).split())))
    if matrix is None or matrix.shape != (3, 3) or not np.isfinite(matrix).all() \
            or min(matrix[0, 0], matrix[1, 1]) <= 0:
        raise ImageError('{} holds no camera: it needs a 3 x 3 matrix `intrinsic` with focal '
                         'lengths above 0'.format(path))
    return Pinhole(width, height, float(matrix[0, 0]), float(matrix[1, 1]), float(matrix[0, 2]),
                   float(matrix[1, 2]))
