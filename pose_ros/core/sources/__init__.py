# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Sources of frames behind one interface: image, folder, RGB-D folder, video, camera, demo."""
import os
from typing import Optional, Tuple, Union

from pose_ros.core.errors import ImageError
from pose_ros.core.image_size import MAX_PIXELS
from pose_ros.core.sources.capture import Camera, VideoFile
from pose_ros.core.sources.demo import DemoSource
from pose_ros.core.sources.source import ASSUMED_RATE, FrameSource  # noqa: F401
from pose_ros.core.sources.images import ImageFile, ImageFolder, read_image  # noqa: F401
from pose_ros.core.sources.rgbd import RgbdFolder

# In the order in which they are tried; a file that is no image is opened as a video.
KINDS = (DemoSource, Camera, RgbdFolder, ImageFolder, ImageFile, VideoFile)


def open_source(spec: Union[str, int, 'os.PathLike[str]'], loop: bool = False,
                size: Optional[Tuple[int, int]] = None,
                rate: Optional[float] = None, max_pixels: int = MAX_PIXELS) -> FrameSource:
    """Open an image, a folder, a video, a camera (0, /dev/video0, rtsp://...) or 'demo'.

    A folder whose images have depth is an RgbdFolder.

    `loop` starts again at the end (not for cameras). `size` (width, height) resizes every frame, a
    0 in it keeps the aspect; `rate` [Hz] is a request to cameras only. Images and videos of more
    than `max_pixels` are not decoded. ImageError if there is nothing to read.
    """
    spec = str(spec)
    for kind in KINDS:
        if kind.accepts(spec):
            return kind(spec, loop=loop, size=size, rate=rate, max_pixels=max_pixels)
    raise ImageError(
        "there is no file or folder {!r} (in {}); give an image, a folder of images, a video, a "
        "camera (0 or /dev/video0) or 'demo'".format(spec, os.getcwd()))
