# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""A folder of color images with depth: NAME.jpg, NAME_depth.png, NAME_camera.xml."""
import logging
import os
from typing import List

import cv2
import numpy as np

from pose_ros.core.camera import Pinhole
from pose_ros.core.depth import read_depth
from pose_ros.core.errors import ImageError
from pose_ros.core.image_size import MAX_PIXELS
from pose_ros.core.reading import LARGEST_CARD, read_file
from pose_ros.core.sources.images import image_names, ImageFolder

_LOG = logging.getLogger('pose_ros')
_DEPTH = '_depth.png'
_COMPANIONS = ('_depth', '_mask')  # what follows the name of an image, with any ending
_CAMERAS = ('{}_camera.xml', 'camera.xml')  # of one image, of all


class RgbdFolder(ImageFolder):
    """Yields frames with depth and camera.

    Beside NAME.jpg (or another image) are NAME_depth.png, 16 bits in mm, registered to it and of
    its size, and NAME_camera.xml or camera.xml, OpenCV's form with a 3 x 3 matrix `intrinsic` of
    an image without distortion. NAME_mask.* is ignored. What is missing is None in the frame, and
    so is what cannot be read, which is logged.
    """

    _orient = False  # the depth has the orientation of the pixels in the file

    def __init__(self, path: str, loop=False, size=None, rate=None, max_pixels=MAX_PIXELS):
        """List the folder."""
        super(RgbdFolder, self).__init__(path, loop, size, rate, max_pixels)
        self._names = _color_names(path)
        self.frame_count = len(self._names)
        self._warned = False

    @staticmethod
    def accepts(spec: str) -> bool:
        """Whether it is a folder with an image and its depth."""
        return os.path.isdir(spec) and any(
            os.path.isfile(os.path.join(spec, os.path.splitext(name)[0] + _DEPTH))
            for name in _color_names(spec))

    def describe(self) -> str:
        """Return the path and the number of images."""
        return 'folder {} ({} images with depth)'.format(self._folder, len(self._names))

    def read(self):
        """See FrameSource.read."""
        frame = super(RgbdFolder, self).read()
        if frame is None:
            return None
        stem = os.path.join(self._folder, os.path.splitext(frame.name)[0])
        return frame._replace(depth=self._optional(self._depth_of, stem, frame),
                              camera=self._optional(self._camera_of, stem, frame))

    def _optional(self, step, stem, frame):
        try:
            return step(stem, frame)
        except ImageError as error:
            if not self._warned:
                _LOG.warning('%s is used without depth or camera: %s (others are not reported)',
                             frame.name, error)
            self._warned = True
            return None

    def _depth_of(self, stem, frame):
        path = stem + _DEPTH
        if not os.path.lexists(path):
            return None
        depth = read_depth(path, self._max_pixels)
        if depth.shape != self._read_size[::-1]:
            raise ImageError('{} has {} x {} px, its image {} x {}: register the depth to the '
                             'image'.format(path, depth.shape[1], depth.shape[0],
                                            *self._read_size))
        if self._read_size == frame.size:
            return depth
        return cv2.resize(depth, frame.size, interpolation=cv2.INTER_NEAREST)

    def _camera_of(self, stem, frame):
        for name in _CAMERAS:
            path = os.path.join(self._folder, name.format(os.path.basename(stem)))
            if os.path.lexists(path):
                camera = _read_camera(path, *self._read_size)
                return camera if self._read_size == frame.size else camera.scaled(*frame.size)
        return None


def _color_names(folder) -> List[str]:
    """Return the names of the images in a folder that belong to no other image."""
    names = image_names(folder)
    stems = {os.path.splitext(name)[0] for name in names}
    return [name for name in names if not any(
        os.path.splitext(name)[0].endswith(companion)
        and os.path.splitext(name)[0][:-len(companion)] in stems for companion in _COMPANIONS)]


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
