# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Made-up bodies in front of a depth camera, whose keypoints have known positions."""
import cv2
import numpy as np

from pose_ros.core.camera import Pinhole
from pose_ros.core.people import make_people
from pose_ros.core.topology import get_topology

TOPOLOGY = get_topology('coco_17')
CAMERA = Pinhole(640, 480, 525.0, 525.0, 319.5, 239.5)
STATURE = 1.75  # m
# Keypoints of a standing body that faces the camera: right, down, forward [m] from its middle.
STANDING = np.array([
    (0, -.72, -.10), (-.03, -.76, -.08), (.03, -.76, -.08), (-.075, -.74, 0), (.075, -.74, 0),
    (.19, -.50, 0), (-.19, -.50, 0), (.27, -.22, 0), (-.27, -.22, 0), (.30, .02, -.08),
    (-.30, .02, -.08), (.10, .05, 0), (-.10, .05, 0), (.12, .47, 0), (-.12, .47, 0),
    (.13, .88, 0), (-.13, .88, 0)])
_HEAD = (0, -.74, 0, .095)
# Pairs of keypoints and the radii [m] of the limbs between them.
_LIMBS = ((5, 7, .045), (6, 8, .045), (7, 9, .035), (8, 10, .035), (11, 13, .07), (12, 14, .07),
          (13, 15, .05), (14, 16, .05), (5, 11, .09), (6, 12, .09), (5, 6, .07), (11, 12, .09),
          (5, 12, .09), (6, 11, .09), (0, 0, .03))
_NOISE_PX, _STEP_PX, _BASELINE = 0.062, 0.125, 43.5  # px, px, px m: of the disparity of a Kinect


def turned(points, degrees):
    """Turn points (K, 3) about the vertical axis."""
    angle = np.radians(degrees)
    sine, cosine = np.sin(angle), np.cos(angle)
    return points.dot(np.array([[cosine, 0, sine], [0, 1, 0], [-sine, 0, cosine]]))


def rendered(points, wall=4.5, camera=CAMERA):
    """Return the exact depth (H, W) [m] of a body with keypoints (17, 3) [m] before a wall."""
    rows, columns = np.mgrid[:camera.height, :camera.width]
    rays = camera.rays(np.stack([columns, rows], -1).astype(float))
    depth = np.full(rays.shape[:2], float(wall))
    head = points[0] + (points[[3, 4]].mean(0) - points[0]) * 1.0
    for start, end, radius in [(head, head, _HEAD[3])] + [
            (points[a], points[b], radius) for a, b, radius in _LIMBS]:
        _draw(depth, rays, start, end, radius, camera)
    return depth


def _draw(depth, rays, start, end, radius, camera):
    """Draw a limb as a row of spheres."""
    count = max(1, int(np.ceil(np.linalg.norm(end - start) / (radius * 0.15))))
    for part in range(count + 1):
        center = start + (end - start) * part / count
        x, y = camera.project(center)
        reach = 1.3 * radius * camera.fx / max(center[2] - radius, 0.1) + 2
        box = np.s_[max(0, int(y - reach)):max(0, int(y + reach) + 1),
                    max(0, int(x - reach)):max(0, int(x + reach) + 1)]
        ray = rays[box]
        if not ray.size:
            continue
        squared, along = (ray ** 2).sum(-1), ray.dot(center)
        root = along ** 2 - squared * (center.dot(center) - radius ** 2)
        hit = root > 0
        near = (along - np.sqrt(np.where(hit, root, 0))) / squared
        depth[box] = np.where(hit & (near > 0), np.minimum(depth[box], near), depth[box])


def measured(depth, random, holes=0.05, edges=True):
    """Return a depth image as a sensor measures it, (H, W) uint16 [mm].

    Noise and steps are those of a Kinect (see stages/lifting.py). Some pixels are missing, as is
    a strip on the left of each near surface, and pixels at edges lie between both surfaces.
    """
    if edges:
        blurred = cv2.blur(depth, (3, 3))
        depth = np.where(np.abs(blurred - depth) > 0.05, blurred, depth)
    disparity = _BASELINE / depth + random.normal(0, _NOISE_PX, depth.shape)
    noisy = _BASELINE / np.maximum(np.rint(disparity / _STEP_PX) * _STEP_PX, _STEP_PX)
    shadow = np.zeros(depth.shape, bool)
    for shift in range(1, 6):
        shadow[:, :-shift] |= depth[:, :-shift] - depth[:, shift:] > 0.3
    noisy[shadow | (random.uniform(size=depth.shape) < holes)] = 0
    return np.rint(noisy * 1000).astype(np.uint16)


def seen(points, random=None, error=0.0, camera=CAMERA):
    """Return People with the keypoints of one body that lie in the image, with an error [px]."""
    pixels = camera.project(points)
    if error:
        pixels = pixels + random.normal(0, error, pixels.shape)
    keypoints = np.concatenate([pixels, np.full((len(pixels), 1), 0.8)], 1)
    keypoints[~_inside(pixels, camera), 2] = 0
    return make_people(keypoints[None], [0.8])


def surface(points, depth, camera=CAMERA):
    """Return the positions (17, 3) [m] on the surface that are seen at the keypoints, or NaN."""
    pixels = camera.project(points)
    x, y = np.rint(pixels).astype(int).T
    depths = depth[y.clip(0, camera.height - 1), x.clip(0, camera.width - 1)]
    return camera.deproject(pixels, np.where(_inside(pixels, camera), depths, np.nan))


def _inside(pixels, camera):
    return ((pixels >= 0) & (pixels <= (camera.width - 1, camera.height - 1))).all(-1)
