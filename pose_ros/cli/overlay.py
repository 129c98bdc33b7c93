# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Write frames with people drawn on them: to one image, a folder of images, or a video."""
import abc
import argparse
import functools
import os
from typing import Callable

import cv2

from pose_ros.core.draw import draw_people
from pose_ros.core.errors import PoseRosError
from pose_ros.core.sources import ASSUMED_RATE, FrameSource
from pose_ros.core.topology import Topology
from pose_ros.core.video import VideoRecorder

# Formats that OpenCV writes in color.
_EXTENSIONS = ('.bmp', '.jpeg', '.jpg', '.png', '.tif', '.tiff', '.webp')


class Overlay(abc.ABC):
    """Draws people on copies of frames and writes them; a context manager."""

    def __init__(self, target, topology: Topology, labels: bool):
        """Take the target, the format of the people, and whether to draw scores."""
        self.target = target
        self._topology, self._labels = topology, labels

    def add(self, frame, people) -> None:
        """Draw the people of a frame, and write it."""
        self.write(frame, draw_people(frame.image.copy(), people, self._topology, self._labels))

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
        _write_image(self.target, image)


class FolderOverlay(Overlay):
    """Writes one image per frame into the target folder, with the name of the frame."""

    def __init__(self, target, topology, labels):
        """See Overlay.__init__; makes the folder."""
        super(FolderOverlay, self).__init__(target, topology, labels)
        os.makedirs(target, exist_ok=True)
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
        _write_image(os.path.join(self.target, name), image)


class VideoOverlay(Overlay):
    """Writes a video at the rate of its source; the target is its VideoRecorder."""

    def write(self, frame, image):
        """See Overlay.write."""
        self.target.write(image)

    def __exit__(self, *_):
        """See Overlay.__exit__."""
        self.target.close()


class LiveOverlay(VideoOverlay):
    """Writes a video of a camera in real time."""

    def write(self, frame, image):
        """See Overlay.write."""
        self.target.write(image, frame.time_s)


def image_overlay(path: str, inputs) -> Callable[[Topology, bool], Overlay]:
    """Check --output against the input paths; return a function that makes the overlay.

    Raises argparse.ArgumentError for an invalid output.
    """
    ending = os.path.splitext(path)[1].lower()
    if os.path.isdir(path) or path.endswith(os.sep) or not ending:
        for folder in {each if os.path.isdir(each) else os.path.dirname(os.path.abspath(each))
                       for each in inputs}:
            _keep_input(path, folder)
        return functools.partial(FolderOverlay, path)
    if ending not in _EXTENSIONS:
        raise _invalid('cannot write an image to {!r}: its name must end in {}; a folder ends in '
                       '/'.format(path, ', '.join(_EXTENSIONS)))
    if len(inputs) > 1 or os.path.isdir(inputs[0]):
        raise _invalid('{!r} is one image, and there may be many: name a folder, {}/'.format(
            path, os.path.splitext(path)[0]))
    _keep_input(path, inputs[0])
    return functools.partial(ImageOverlay, path)


def video_overlay(path: str, source: FrameSource,
                  original: str) -> Callable[[Topology, bool], Overlay]:
    """Check --output of a video or camera, as image_overlay does."""
    _keep_input(path, original)
    try:
        recorder = VideoRecorder(path, source.frame_rate or ASSUMED_RATE)
    except PoseRosError as error:
        raise _invalid(error)
    return functools.partial(LiveOverlay if source.live else VideoOverlay, recorder)


def _keep_input(path, original):
    if os.path.exists(path) and os.path.exists(original) and os.path.samefile(path, original):
        raise _invalid('{!r} would overwrite an input; choose another path'.format(path))


def _invalid(message):
    return argparse.ArgumentError(None, 'argument --output: {}'.format(message))


def _write_image(path, image):
    """Encode, then write, so that an error has its cause: cv2.imwrite only returns False."""
    done, data = cv2.imencode(os.path.splitext(path)[1], image)
    if not done:
        raise PoseRosError('OpenCV cannot encode {}; try .png'.format(path))
    with open(path, 'wb') as stream:
        stream.write(data)
