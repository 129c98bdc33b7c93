# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Frame: one image with its time and origin, the input of the pipeline."""
from typing import NamedTuple, Optional

import numpy as np

from pose_ros.core.camera import Pinhole
from pose_ros.core.errors import ImageError


class Frame(NamedTuple):
    """One image of one camera, video or folder.

    `image` (H, W, 3) uint8 BGR. `time_s` in seconds, NaN if unknown. `source` names the camera:
    state (tracks, filters) is kept per source. `camera` None: not calibrated. `depth` (H, W)
    float32 in meters, NaN where unknown, registered to the image. `index` and `name` say where
    the image stands in its source; a still image has its file name.
    """

    image: np.ndarray
    time_s: float = float('nan')
    source: str = ''
    camera: Optional[Pinhole] = None
    depth: Optional[np.ndarray] = None
    index: int = 0  # type: ignore[assignment]
    name: str = ''

    @property
    def size(self):
        """Return (width, height) of the image in px."""
        return self.image.shape[1], self.image.shape[0]


def check_image(image) -> None:
    """Raise ImageError unless the image is (H, W, 3) uint8 with at least one pixel."""
    if not isinstance(image, np.ndarray) or image.dtype != np.uint8 or image.ndim != 3 \
            or image.shape[2] != 3:
        found = '{} {}'.format(image.dtype, image.shape) \
            if isinstance(image, np.ndarray) else type(image)
        raise ImageError('an image must be an array (height, width, 3) of uint8, blue-green-red, '
                         'not {}'.format(found))
    if not image.size:
        raise ImageError('the image has no pixels: its shape is {}'.format(image.shape))
