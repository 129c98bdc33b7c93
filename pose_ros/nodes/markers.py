# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""RViz markers of 2-D skeletons, on a plane in front of the camera: to look at, not to measure."""
from builtin_interfaces.msg import Duration
from geometry_msgs.msg import Point
import numpy as np
from std_msgs.msg import ColorRGBA, Header
from visualization_msgs.msg import Marker, MarkerArray

from pose_ros.core.camera import Pinhole
from pose_ros.core.people import UNTRACKED, People
from pose_ros.core.topology import Topology

_LIFETIME = Duration(nanosec=500000000)  # longer than a few lost frames
# Fractions of the plane's distance.
_KEYPOINT_SIZE, _LIMB_SIZE, _TEXT_SIZE = 0.02, 0.012, 0.06
_WIDEST = 100.0  # largest |x / z| of a ray; the inverse of a distortion diverges beyond its range


def delete_all(header: Header) -> MarkerArray:
    """Build the message that removes every marker."""
    return MarkerArray(markers=[Marker(header=header, action=Marker.DELETEALL)])


def to_markers(header: Header, people: People, topology: Topology, camera: Pinhole,
               distance: float) -> MarkerArray:
    """Three markers a person (keypoints, limbs, label) in the optical frame, `distance` [m] away.

    The camera's distortion is undone.
    """
    result = delete_all(header)
    keypoint_colors = [_color(bgr) for bgr in topology.keypoint_colors()]
    limb_colors = [_color(bgr) for bgr in topology.limb_colors()]
    for index, points in enumerate(_points(people, camera, distance)):
        found = [k for k, point in enumerate(points) if point is not None]
        if not found:
            continue
        track_id = int(people.track_ids[index])
        space = 'skeleton/{}'.format(index if track_id == UNTRACKED else track_id)
        keypoints = _marker(header, space, 0, Marker.SPHERE_LIST, _KEYPOINT_SIZE * distance)
        keypoints.points = [points[k] for k in found]
        keypoints.colors = [keypoint_colors[k] for k in found]
        limbs = _marker(header, space, 1, Marker.LINE_LIST, _LIMB_SIZE * distance)
        drawn = [(limb, color) for limb, color in zip(topology.limbs, limb_colors)
                 if points[limb[0]] is not None and points[limb[1]] is not None]
        limbs.points = [points[k] for limb, _ in drawn for k in limb]
        limbs.colors = [color for _, color in drawn for _ in range(2)]
        label = _marker(header, space, 2, Marker.TEXT_VIEW_FACING, _TEXT_SIZE * distance)
        top = min((points[k] for k in found), key=lambda point: point.y)
        label.pose.position = Point(x=top.x, y=top.y - 1.5 * _TEXT_SIZE * distance, z=top.z)
        label.text = ('' if track_id == UNTRACKED else '#{} '.format(track_id)) \
            + '{:.2f}'.format(people.scores[index])
        label.color = ColorRGBA(r=1.0, g=1.0, b=1.0, a=1.0)
        result.markers += [keypoints, limbs, label]
    return result


def _points(people, camera, distance):
    """Return per person a list of K Points on the plane, None for a keypoint without one."""
    rays = camera.rays(people.keypoints[..., :2])
    with np.errstate(invalid='ignore'):
        visible = people.detected() & (np.abs(rays) < _WIDEST).all(-1)
    return [[Point(x=x, y=y, z=z) if seen else None for (x, y, z), seen in zip(*person)]
            for person in zip((rays * distance).tolist(), visible.tolist())]


def _marker(header, space, number, kind, size):
    marker = Marker(header=header, ns=space, id=number, type=kind, lifetime=_LIFETIME)
    marker.pose.orientation.w = 1.0
    marker.scale.x = marker.scale.y = marker.scale.z = size
    return marker


def _color(bgr):
    return ColorRGBA(r=bgr[2] / 255.0, g=bgr[1] / 255.0, b=bgr[0] / 255.0, a=1.0)
