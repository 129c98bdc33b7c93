# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Write image files."""
import os

import cv2
import numpy as np

from pose_ros.core.errors import cannot_write, OutputError
from pose_ros.core.files import atomic_write


def write_image(path: str, image: np.ndarray, follow_links: bool = True) -> None:
    """Write (H, W, 3) uint8 BGR, whole or not at all, in the format of the name's ending.

    `follow_links` as in atomic_write. OutputError if the file cannot be written: cv2.imwrite has
    no reason, and leaves a part of a file on a full disk.
    """
    try:
        done, data = cv2.imencode(os.path.splitext(path)[1], image)
    except cv2.error as error:
        raise OutputError('OpenCV cannot encode {}: {}; try .png'.format(path, error))
    if not done:
        raise OutputError('OpenCV cannot encode {}; try .png'.format(path))
    try:
        with atomic_write(path, follow_links) as stream:
            stream.write(data)
    except OSError as error:
        raise cannot_write(path, error)
