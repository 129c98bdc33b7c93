# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""A folder of color images, each with a depth image, and their calibration."""
import logging
import os
from typing import Dict

import cv2

from pose_ros.core.calibration_file import load_calibration
from pose_ros.core.depth import read_depth
from pose_ros.core.errors import ImageError
from pose_ros.core.image_size import MAX_PIXELS
from pose_ros.core.sources.images import image_names, ImageFolder

_LOG = logging.getLogger('pose_ros')
_DEPTH_ENDING = '_depth'
_COLOR_FOLDERS, _DEPTH_FOLDER = ('color', 'rgb'), 'depth'
CALIBRATION_NAME = 'camera_info.yaml'


class RgbdFolder(ImageFolder):
    """Color images with depth of 16 bits [mm], registered to them: Frame.depth, Frame.camera.

    NAME.jpg has NAME_depth.png beside it; or color/NAME.jpg (or rgb/) has depth/NAME.png. Images
    without depth are left out. `calibration` is the path of camera_info.yaml in the folder, a file
    of camera_calibration; without one, '', frames have no camera. Depth that cannot be read, or
    has another size than its image, is reported once, and the frame has none.
    """

    has_depth = True

    def __init__(self, path: str, loop=False, size=None, rate=None, max_pixels=MAX_PIXELS):
        """List the folder; ImageError if the calibration is invalid."""
        super(RgbdFolder, self).__init__(path, loop, size, rate, max_pixels)
        self._depths, self._without = depth_images(path), set()
        calibration = os.path.join(path, CALIBRATION_NAME)
        self.calibration = calibration if os.path.exists(calibration) else ''
        self._camera = load_calibration(calibration).pinhole() if self.calibration else None

    @staticmethod
    def accepts(spec: str) -> bool:
        """Whether it is a folder with at least one image that has depth."""
        return os.path.isdir(spec) and bool(depth_images(spec))

    def describe(self) -> str:
        """Return the path and the number of images."""
        return 'RGB-D folder {} ({} images)'.format(self._folder, len(self._names))

    def read(self):
        """See FrameSource.read."""
        frame = super(RgbdFolder, self).read()
        if frame is None:
            return None
        return frame._replace(camera=self._scaled_camera(frame), depth=self._depth_of(frame))

    def _read(self):
        item = super(RgbdFolder, self)._read()
        self._read_size = item and item[0].shape[:2]
        return item

    @staticmethod
    def _listed(path):
        return list(depth_images(path))

    def _scaled_camera(self, frame):
        camera = self._camera
        if camera is None or (camera.width, camera.height) == self._read_size[::-1]:
            return camera and camera.scaled(*frame.size)
        raise ImageError('{} is for images of {} x {}, but {} has {} x {}'.format(
            self.calibration, camera.width, camera.height, frame.name, *self._read_size[::-1]))

    def _depth_of(self, frame):
        """Return the depth of a frame that was just read, resized as the frame was, or None."""
        path = os.path.join(self._folder, self._depths[frame.name])
        try:
            depth = read_depth(path, self._max_pixels)
            if depth.shape != self._read_size:
                raise ImageError('the depth image {} has {} x {} px, and its image {} x {}: '
                                 'register depth to color'.format(
                                     path, *(depth.shape[::-1] + self._read_size[::-1])))
        except ImageError as error:
            if frame.name not in self._without:
                self._without.add(frame.name)
                _LOG.warning('no positions of %s: %s', frame.name, error)
            return None
        if depth.shape == frame.image.shape[:2]:
            return depth
        return cv2.resize(depth, frame.size, interpolation=cv2.INTER_NEAREST)


def depth_images(folder: str) -> Dict[str, str]:
    """Return {color image: depth image}, paths below the folder, in natural order.

    Empty if no image has depth.
    """
    names = image_names(folder)
    depths = {name.rsplit('.', 1)[0]: name for name in names}
    pairs = {name: depths[name.rsplit('.', 1)[0] + _DEPTH_ENDING] for name in names
             if name.rsplit('.', 1)[0] + _DEPTH_ENDING in depths}
    depth_folder = os.path.join(folder, _DEPTH_FOLDER)
    for color in _COLOR_FOLDERS if not pairs and os.path.isdir(depth_folder) else ():
        if os.path.isdir(os.path.join(folder, color)):
            depths = {name.rsplit('.', 1)[0]: name for name in image_names(depth_folder)}
            pairs.update((os.path.join(color, name),
                          os.path.join(_DEPTH_FOLDER, depths[name.rsplit('.', 1)[0]]))
                         for name in image_names(os.path.join(folder, color))
                         if name.rsplit('.', 1)[0] in depths)
    return pairs
