# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Write drawings of frames and people: to one image, a folder of images, or a video."""
import abc
import argparse
import functools
import os
from typing import Callable

import numpy as np

from pose_ros.core.errors import cannot_write, PoseRosError
from pose_ros.core.frame import Frame
from pose_ros.core.image_file import write_image
from pose_ros.core.people import People
from pose_ros.core.sources import ASSUMED_RATE, FrameSource
from pose_ros.core.video import VideoRecorder

# Formats that OpenCV writes in color.
_EXTENSIONS = ('.bmp', '.jpeg', '.jpg', '.png', '.tif', '.tiff', '.webp')
_LONGEST_GAP = 60.0  # s of a file; a longer one is taken for damage
Draw = Callable[[Frame, People], np.ndarray]  # to an (H, W, 3) uint8 BGR image


class Overlay(abc.ABC):
    """Writes a drawing of each frame; a context manager."""

    def __init__(self, target, draw: Draw):
        """Take the target, and what draws a frame and its people."""
        self.target, self._draw = target, draw

    def add(self, frame, people) -> None:
        """Draw a frame and its people, and write it."""
        self.write(frame, self._draw(frame, people))

    @abc.abstractmethod
    def write(self, frame, image) -> None:
        """Write the finished image of a frame."""

    def __enter__(self):
        """Return the overlay itself."""
        return self

    def __exit__(self, *_):
        """Finish the files."""


class ImageOverlay(Overlay):
    """Writes one image file; the target is its path."""

    def write(self, frame, image):
        """See Overlay.write."""
        write_image(self.target, image)


class FolderOverlay(Overlay):
    """Writes one image per frame into the target folder, with the name of the frame."""

    def __init__(self, target, draw):
        """See Overlay.__init__; makes the folder."""
        super(FolderOverlay, self).__init__(target, draw)
        try:
            os.makedirs(target, exist_ok=True)
        except OSError as error:
            raise cannot_write(target, error)
        self._names = set()

    def write(self, frame, image):
        """See Overlay.write."""
        stem, ending = os.path.splitext(frame.name)
        if ending.lower() not in _EXTENSIONS:
            stem, ending = frame.name, '.png'
        name, number = stem + ending, 2
        while name in self._names:  # images in several folders may have the same name
            name, number = '{}_{}{}'.format(stem, number, ending), number + 1
        self._names.add(name)
        # No link in the folder is followed: it may lead to an image of the input.
        write_image(os.path.join(self.target, name), image, follow_links=False)


class VideoOverlay(Overlay):
    """Writes a video in which frames have the times of their source.

    The target is its VideoRecorder.
    """

    def write(self, frame, image):
        """See Overlay.write."""
        self.target.write(image, frame.time_s)

    def __exit__(self, kind, *_):
        """Finish the file, or delete it after an error."""
        if kind is None:
            self.target.close()
        else:
            self.target.discard()


def image_overlay(path: str, inputs, option: str = '--output') -> Callable[[Draw], Overlay]:
    """Return a function that makes the overlay of an option, one image or a folder.

    Raises argparse.ArgumentError for an output that does not fit the inputs.
    """
    ending = os.path.splitext(path)[1].lower()
    if os.path.isdir(path) or path.endswith(os.sep) or not ending:
        return functools.partial(FolderOverlay, path)
    if ending not in _EXTENSIONS:
        raise _invalid(option, 'cannot write an image to {!r}: its name must end in {}; a folder '
                       'ends in /'.format(path, ', '.join(_EXTENSIONS)))
    if len(inputs) > 1 or os.path.isdir(inputs[0]):
        raise _invalid(option, '{!r} is one image, and there may be many: name a folder, '
                       '{}/'.format(path, os.path.splitext(path)[0]))
    return functools.partial(ImageOverlay, path)


def video_overlay(path: str, source: FrameSource) -> Callable[[Draw], Overlay]:
    """Return a function that makes the overlay of --output for a video or camera.

    Raises argparse.ArgumentError for an output that is no video.
    """
    gap = {} if source.live else {'longest_gap': _LONGEST_GAP}
    try:
        recorder = VideoRecorder(path, source.frame_rate or ASSUMED_RATE, **gap)
    except PoseRosError as error:
        raise _invalid('--output', error)
    return functools.partial(VideoOverlay, recorder)


def _invalid(option, message):
    return argparse.ArgumentError(None, 'argument {}: {}'.format(option, message))
