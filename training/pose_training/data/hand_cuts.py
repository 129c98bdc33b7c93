# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Cut labelled hands out of images, upright and of one size, and lengthen their forearms."""
from typing import Optional

import cv2
import numpy as np

SIZE = 256, 320  # of a cut: width, height [px]
WRIST = 128, 150  # its place in the cut [px]
REACH = 110.  # from the wrist to the farthest keypoint of the hand in the cut [px]
_LEAST_REACH = 45.  # in the whole image [px]: smaller hands are too blurred
_WRIST, _KNUCKLES = 0, [5, 9, 13, 17]
_LIMBS = [[0, 1, 2, 3, 4], [0, 5, 6, 7, 8], [0, 9, 10, 11, 12], [0, 13, 14, 15, 16],
          [0, 17, 18, 19, 20], _KNUCKLES]
_OPAQUE = 128


def cut_hand(image: np.ndarray, keypoints: np.ndarray) -> Optional[np.ndarray]:
    """Cut a hand and the forearm below it out of an image; None if it is too small or not found.

    `image` (H, W, 3) uint8 BGR; `keypoints` (21, 2) of hand_21 [px]. Returns (320, 256, 4) uint8
    BGRA with the fingers above the wrist. The outline is that of GrabCut (Rother, Kolmogorov and
    Blake, SIGGRAPH 2004), which starts from the limbs of the hand and draws from OpenCV's random
    numbers.
    """
    wrist = keypoints[_WRIST]
    if np.linalg.norm(keypoints - wrist, axis=1).max() < _LEAST_REACH:
        return None
    matrix = _upright(keypoints)
    cut = cv2.warpAffine(image, matrix, SIZE, flags=cv2.INTER_LINEAR,
                         borderMode=cv2.BORDER_CONSTANT)
    inside = cv2.warpAffine(np.ones(image.shape[:2], np.uint8), matrix, SIZE)
    mask = _first_guess(keypoints @ matrix[:, :2].T + matrix[:, 2])
    mask[inside == 0] = cv2.GC_BGD
    try:
        cv2.grabCut(cut, mask, None, np.zeros((1, 65)), np.zeros((1, 65)), 4,
                    cv2.GC_INIT_WITH_MASK)
    except cv2.error:  # all pixels are certain
        return None
    return _largest_part(cut, (mask == cv2.GC_FGD) | (mask == cv2.GC_PR_FGD))


def with_forearm(cut: np.ndarray, random: np.random.RandomState) -> np.ndarray:
    """Continue the lower end of a cut, (640, 256, 4): its colors, with a random taper and lean."""
    long = np.concatenate([cut, np.zeros_like(cut)])
    solid = cut[..., 3] > _OPAQUE
    rows = np.flatnonzero(solid.any(1))
    if len(rows) < 10:
        return long
    end = rows[-1] - 6
    columns = np.flatnonzero(solid[end])
    if len(columns) < 6:
        return long
    left, right = columns[0], columns[-1]
    colors = cut[max(end - 10, 0):end, left:right + 1, :3].astype(np.float32).mean(0)
    colors = cv2.GaussianBlur(colors[None], (0, 0), 3)
    middle, half = (left + right) / 2, (right - left) / 2
    growth, lean = random.uniform(0, .12), random.uniform(-.15, .15)
    for row in range(end - 4, len(long)):
        below = row - end
        reach = min(half + growth * below, max(half, 22) * 1.6)
        start, stop = (int(middle + lean * below + side * reach) for side in (-1, 1))
        if stop - start < 3:
            continue
        line = cv2.resize(colors, (stop - start, 1), interpolation=cv2.INTER_LINEAR)[0]
        line = line * (1 - .15 * below / SIZE[1]) + random.randn(1, 1) * 1.5
        first, last = max(start, 0), min(stop, SIZE[0])
        if last > first:
            long[row, first:last, :3] = np.clip(line[first - start:last - start], 0, 255)
            long[row, first:last, 3] = 255
    long[..., 3] = cv2.GaussianBlur(long[..., 3], (3, 3), 0)
    return long


def _upright(keypoints):
    """Return the (2, 3) map that puts the wrist at its place and the knuckles above it."""
    wrist, knuckles = keypoints[_WRIST], keypoints[_KNUCKLES].mean(0)
    down = (wrist - knuckles) / max(np.linalg.norm(wrist - knuckles), 1e-6)
    scale = REACH / np.linalg.norm(keypoints - wrist, axis=1).max()
    turn = np.array([[down[1], -down[0]], down]) * scale
    return np.column_stack([turn, np.array(WRIST) - turn @ wrist])


def _first_guess(points):
    """Return the mask that GrabCut starts from: limbs, palm, and places where a hand may be."""
    mask = np.full(SIZE[::-1], cv2.GC_BGD, np.uint8)
    half = max(.45 * np.linalg.norm(points[5] - points[17]), 14)
    around = np.zeros_like(mask)
    cv2.fillConvexPoly(around, cv2.convexHull(points.astype(np.float32)).astype(int), 1)
    around = cv2.dilate(around, np.ones((25, 25)))
    cv2.fillConvexPoly(around, _strip(140, 1.5 * half, 2 * half), 1)
    mask[around > 0] = cv2.GC_PR_BGD
    arm = np.zeros_like(mask)
    cv2.fillConvexPoly(arm, _strip(150, .7 * half, .9 * half), 1)
    mask[arm > 0] = cv2.GC_PR_FGD
    hand = np.zeros_like(mask)
    for limbs in _LIMBS:
        cv2.polylines(hand, [points[limbs].astype(int)], False, 1, 6)
    palm = points[[_WRIST] + _KNUCKLES].astype(np.float32)
    cv2.fillConvexPoly(hand, cv2.convexHull(palm).astype(int), 1)
    mask[hand > 0] = cv2.GC_FGD
    return mask


def _strip(top, upper, lower):
    """Return the corners of a strip from row `top` to the lower edge, with half widths [px]."""
    middle, bottom = WRIST[0], SIZE[1] - 1
    return np.array([[middle - upper, top], [middle + upper, top], [middle + lower, bottom],
                     [middle - lower, bottom]]).astype(int)


def _largest_part(cut, found):
    solid = cv2.morphologyEx(found.astype(np.uint8), cv2.MORPH_OPEN, np.ones((5, 5), np.uint8))
    count, parts, sizes, _ = cv2.connectedComponentsWithStats(solid)
    if count < 2:
        return None
    largest = 1 + sizes[1:, cv2.CC_STAT_AREA].argmax()
    alpha = cv2.GaussianBlur((parts == largest).astype(np.uint8) * 255, (5, 5), 0)
    return np.dstack([cut, alpha])
