# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Images of hands without people, put together of cut hands and other backgrounds."""
from typing import List, Sequence

import cv2
import numpy as np

from pose_ros.core.errors import ImageError
from pose_ros.core.topology import get_topology
from pose_training.data.annotations import read_samples
from pose_training.data.coco import images_in, load_coco
from pose_training.data.hand_cuts import cut_hand, REACH, with_forearm, WRIST
from pose_training.data.images import read_labelled, read_oriented, tell_left_out
from pose_training.errors import DataError

_SIZES = (512, 384), (512, 290), (384, 512), (448, 448)  # height, width [px]


def cut_hands(path: str, progress=iter) -> List[np.ndarray]:
    """Cut the hands out of the images of a COCO keypoint file; see cut_hand.

    The file has the 21 keypoints of hand_21, by name or in its order. Hands without all keypoints
    and images that cannot be read are left out. Raises DataError for other keypoints and for a
    file without a usable hand.
    """
    topology = get_topology('hand_21')
    file = load_coco(path, topology)
    names = topology.keypoint_names
    if len(file.keypoint_names) != len(names):
        raise DataError('{} has {} keypoints, not the {} of a hand'.format(
            path, len(file.keypoint_names), len(names)))
    samples = read_samples(file._replace(keypoint_names=names), topology)
    cv2.setRNGSeed(0)  # the outlines do not depend on what ran before
    cuts, faults = [], []
    for sample in progress(samples):
        hands = [hand[:, :2].astype(float) for hand in sample.people if hand[:, 2].all()]
        try:
            image = read_labelled(sample.path, sample.size) if hands else None
        except ImageError as error:
            faults.append(error)
            continue
        cuts += [cut for cut in (cut_hand(image, hand) for hand in hands) if cut is not None]
    tell_left_out(path, faults, len(samples))
    if not cuts:
        raise DataError('{} has no hand that is large enough'.format(path))
    return cuts


def read_backgrounds(folder: str) -> List[np.ndarray]:
    """Read the images of a folder; those that cannot be read are left out, with a warning.

    Raises DataError if none can be read.
    """
    names, images, faults = images_in(folder), [], []
    for name in names:
        try:
            images.append(read_oriented(name, None))
        except ImageError as error:
            faults.append(error)
    tell_left_out(folder, faults, len(names))
    return images


class LoneHands:
    """Draws images of one or two hands, most of them with a forearm, before backgrounds.

    `cuts` are those of cut_hands, `backgrounds` images (H, W, 3) without people. Half of the
    backgrounds are smooth colors instead. The same seed gives the same images: RandomState is
    the generator whose numbers NumPy never changes.
    """

    def __init__(self, cuts: Sequence[np.ndarray], backgrounds: Sequence[np.ndarray],
                 seed: int = 0):
        self._cuts, self._backgrounds = cuts, backgrounds
        self._random = np.random.RandomState(seed)

    def draw(self) -> np.ndarray:
        """Return a new image, (H, W, 3) uint8 BGR."""
        random = self._random
        height, width = _SIZES[random.randint(len(_SIZES))]
        image = self._image_behind(height, width) if random.rand() < .5 and self._backgrounds \
            else _smooth(height, width, random)
        for _ in range(1 if random.rand() < .75 else 2):
            image = self._with_hand(image)
        return np.clip(image, 0, 255).astype(np.uint8)

    def _image_behind(self, height, width):
        random = self._random
        image = self._backgrounds[random.randint(len(self._backgrounds))]
        full = image.shape[:2]
        scale = max(height / full[0], width / full[1]) * random.uniform(1, 1.6)
        size = max(width, int(full[1] * scale)), max(height, int(full[0] * scale))
        image = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
        top = random.randint(image.shape[0] - height + 1)
        left = random.randint(image.shape[1] - width + 1)
        image = image[top:top + height, left:left + width].astype(np.float32)
        if random.rand() < .4:
            image = cv2.GaussianBlur(image, (0, 0), random.uniform(2, 8))
        return image

    def _with_hand(self, image):
        random, (height, width) = self._random, image.shape[:2]
        cut = self._cuts[random.randint(len(self._cuts))]
        cut = with_forearm(cut, random) if random.rand() < .75 else \
            np.concatenate([cut, np.zeros_like(cut)])
        if random.rand() < .5:
            cut = cut[:, ::-1]
        scale = random.uniform(.25, .62) * height / REACH
        matrix = _place(scale, (height, width), random)
        cut = cv2.warpAffine(np.ascontiguousarray(cut), matrix, (width, height),
                             flags=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
        share = cut[..., 3:].astype(np.float32) / 255
        colors = cut[..., :3].astype(np.float32) * random.uniform(.75, 1.2)
        if random.rand() < .3:
            colors = cv2.GaussianBlur(colors, (0, 0), 1)
        return image * (1 - share) + colors * share


def _place(scale, size, random):
    """Return the (2, 3) map of a cut to an image of `size` (height, width): mostly upright."""
    degrees = random.uniform(-25, 25) if random.rand() < .8 else random.uniform(-180, 180)
    angle = np.deg2rad(degrees)
    turn = scale * np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    place = np.array([random.uniform(.25, .75) * size[1], random.uniform(.45, .8) * size[0]])
    matrix = np.column_stack([turn, place - turn @ np.array(WRIST)])
    matrix[0, :2] *= np.exp(random.uniform(-.15, .15))
    return matrix


def _smooth(height, width, random):
    """Return a gradient between two colors of similar hue, with noise."""
    hue = random.randint(180)
    colors = []
    for _ in range(2):
        pixel = [(hue + random.randint(-8, 9)) % 180, random.randint(160), random.randint(40, 256)]
        colors.append(cv2.cvtColor(np.uint8([[pixel]]), cv2.COLOR_HSV2BGR)[0, 0]
                      .astype(np.float32))
    angle = random.uniform(0, 2 * np.pi)
    y, x = np.mgrid[:height, :width].astype(np.float32)
    share = np.cos(angle) * (x / width - .5) + np.sin(angle) * (y / height - .5)
    share = np.clip(share + .5, 0, 1)[..., None]
    noise = random.randn(height, width, 1).astype(np.float32) * random.uniform(0, 5)
    return colors[0] * (1 - share) + colors[1] * share + noise
