# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""One image file, or a folder of image files."""
import logging
import os
from typing import List, Optional

import numpy as np

from pose_ros.core.compressed import codec_of, decode_bytes
from pose_ros.core.errors import ImageError
from pose_ros.core.files import natural_key
from pose_ros.core.image_size import MAX_PIXELS
from pose_ros.core.reading import LARGEST_IMAGE, LARGEST_VIDEO, open_regular, read_file
from pose_ros.core.samples import SampleDepth
from pose_ros.core.sources.source import FrameSource

_LOG = logging.getLogger('pose_ros')
IMAGE_EXTENSIONS = ('.bmp', '.jpeg', '.jpg', '.pgm', '.png', '.ppm', '.tif', '.tiff', '.webp')


def read_image(path: str, max_pixels: int = MAX_PIXELS, orient: bool = True,
               depth: Optional[SampleDepth] = None) -> np.ndarray:
    """Read a file as (H, W, 3) uint8 BGR; `orient` applies its EXIF rotation.

    `depth` is that of 16-bit images of one camera, as in decode_bytes. ImageError names the file:
    it cannot be read, or has more than `max_pixels`.
    """
    try:
        return decode_bytes(read_file(path, LARGEST_IMAGE), 'image file {}'.format(path), orient,
                            depth, max_pixels)
    except OSError as error:
        raise ImageError(
            'cannot read the image file {}: {}'.format(path, error.strerror)) from error


def image_names(folder: str) -> List[str]:
    """Return the names of the image files in a folder, in natural order: 2.jpg before 10.jpg."""
    return sorted((name for name in os.listdir(folder) if name.lower().endswith(IMAGE_EXTENSIONS)),
                  key=natural_key)


class ImageFile(FrameSource):
    """One image, yielded once, or without end with `loop`."""

    frame_count = 1

    def __init__(self, path: str, loop=False, size=None, rate=None, max_pixels=MAX_PIXELS):
        """Read the file; ImageError if that fails."""
        super(ImageFile, self).__init__(loop, size)
        self._path, self._image = path, read_image(path, max_pixels)
        self._done = False

    @staticmethod
    def accepts(spec: str) -> bool:
        """Whether it is an image file, by its name or its first bytes."""
        if not os.path.isfile(spec):
            return False
        if spec.lower().endswith(IMAGE_EXTENSIONS):
            return True
        with open_regular(spec, LARGEST_VIDEO) as stream:
            return bool(codec_of(stream.read(8)))

    def describe(self) -> str:
        """Return the path."""
        return 'image {}'.format(self._path)

    def _read(self):
        if self._done:
            return None
        self._done = True
        # A frame belongs to its reader, which may draw on it.
        return self._image.copy(), os.path.basename(self._path)

    def _rewind(self):
        self._done = False


class ImageFolder(FrameSource):
    """The images of a folder, as image_names; unreadable ones are reported once and skipped."""

    _orient = True
    _read_size = 0, 0  # px of the last image, before it is resized

    def __init__(self, path: str, loop=False, size=None, rate=None, max_pixels=MAX_PIXELS):
        """List the folder; ImageError if no file has an extension of an image."""
        super(ImageFolder, self).__init__(loop, size)
        self._folder, self._max_pixels = path, max_pixels
        self._names = self._listed(path)
        if not self._names:
            raise ImageError(
                'the folder {} holds no images: none of its {} files ends in {}'.format(
                    path, len(os.listdir(path)), ', '.join(IMAGE_EXTENSIONS)))
        self.frame_count = len(self._names)
        self.unreadable = []  # names of files
        self._position = 0
        self._depth = SampleDepth()

    @staticmethod
    def accepts(spec: str) -> bool:
        """Whether it is a folder."""
        return os.path.isdir(spec)

    def describe(self) -> str:
        """Return the path and the number of images."""
        return 'folder {} ({} images)'.format(self._folder, len(self._names))

    def _read(self):
        while self._position < len(self._names):
            name = self._names[self._position]
            self._position += 1
            if name not in self.unreadable:
                try:
                    path = os.path.join(self._folder, name)
                    image = read_image(path, self._max_pixels, self._orient, self._depth)
                    self._read_size = image.shape[1], image.shape[0]
                    return image, name
                except ImageError as error:
                    self._report(name, error)
        return None

    @staticmethod
    def _listed(path):
        return image_names(path)

    def _report(self, name, error):
        self.unreadable.append(name)
        _LOG.warning('skipped %s (%d of %d images skipped so far)', error, len(self.unreadable),
                     len(self._names))
        if len(self.unreadable) == len(self._names):
            raise ImageError('none of the {} images in {} can be read; the last: {}'.format(
                len(self._names), self._folder, error))

    def _rewind(self):
        self._position = 0
