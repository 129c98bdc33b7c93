# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""RViz markers of 2-D skeletons, on a plane in front of the camera: to look at, not to measure."""
from typing import Optional, Tuple

from builtin_interfaces.msg import Duration
from geometry_msgs.msg import Point
from std_msgs.msg import ColorRGBA, Header
from visualization_msgs.msg import Marker, MarkerArray

from pose_ros.core.camera import Pinhole
from pose_ros.core.people import UNTRACKED, People
from pose_ros.core.topology import Topology

_LIFETIME = Duration(nanosec=500000000)  # outlives a few lost frames, not a dead node
_JOINT_SIZE, _BONE_SIZE, _TEXT_SIZE = 0.02, 0.012, 0.06  # fractions of the plane's distance


def delete_all(header: Header) -> MarkerArray:
    """Build the message that removes every marker."""
    return MarkerArray(markers=[Marker(header=header, action=Marker.DELETEALL)])


def to_markers(header: Header, people: People, topology: Topology, camera: Pinhole,
               distance: float) -> MarkerArray:
    """Three markers a person (joints, bones, label) in the optical frame, `distance` [m] away."""
    result = delete_all(header)
    joint_colors = [_color(bgr) for bgr in topology.keypoint_colors()]
    limb_colors = [_color(bgr) for bgr in topology.limb_colors()]
    for index in range(people.count):
        points = [_point(joint, camera, distance) for joint in people.keypoints[index].tolist()]
        track_id = int(people.track_ids[index])
        space = 'skeleton/{}'.format(index if track_id == UNTRACKED else track_id)
        joints = _marker(header, space, 0, Marker.SPHERE_LIST, _JOINT_SIZE * distance)
        found = [k for k, point in enumerate(points) if point is not None]
        joints.points, joints.colors = [points[k] for k in found], [joint_colors[k] for k in found]
        bones = _marker(header, space, 1, Marker.LINE_LIST, _BONE_SIZE * distance)
        drawn = [(limb, color) for limb, color in zip(topology.limbs, limb_colors)
                 if points[limb[0]] is not None and points[limb[1]] is not None]
        bones.points = [points[k] for limb, _ in drawn for k in limb]
        bones.colors = [color for _, color in drawn for _ in range(2)]
        label = _marker(header, space, 2, Marker.TEXT_VIEW_FACING, _TEXT_SIZE * distance)
        top = min((points[k] for k in found), key=lambda point: point.y)
        label.pose.position = Point(x=top.x, y=top.y - 1.5 * _TEXT_SIZE * distance, z=top.z)
        label.text = ('' if track_id == UNTRACKED else '#{} '.format(track_id)) \
            + '{:.2f}'.format(people.scores[index])
        label.color = ColorRGBA(r=1.0, g=1.0, b=1.0, a=1.0)
        result.markers += [joints, bones, label]
    return result


def _point(joint: Tuple[float, float, float], camera: Pinhole, distance: float) -> Optional[Point]:
    x, y, score = joint
    if score <= 0:
        return None
    return Point(x=(x - camera.cx) / camera.fx * distance,
                 y=(y - camera.cy) / camera.fy * distance, z=distance)


def _marker(header, space, number, kind, size):
    marker = Marker(header=header, ns=space, id=number, type=kind, lifetime=_LIFETIME)
    marker.pose.orientation.w = 1.0
    marker.scale.x = marker.scale.y = marker.scale.z = size
    return marker


def _color(bgr):
    return ColorRGBA(r=bgr[2] / 255.0, g=bgr[1] / 255.0, b=bgr[0] / 255.0, a=1.0)
