# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""RViz markers: skeletons in space, or without depth on a plane before the camera, to look at."""
from builtin_interfaces.msg import Duration
from geometry_msgs.msg import Point
import numpy as np
from std_msgs.msg import ColorRGBA, Header
from visualization_msgs.msg import Marker, MarkerArray

from pose_ros.core.camera import Pinhole, WIDEST_RAY
from pose_ros.core.people import UNTRACKED, People
from pose_ros.core.topology import part_topology, Topology

_LIFETIME = Duration(nanosec=500000000)  # longer than a few lost frames
# Fractions of the distance of the plane; in space, of _SPACE_SIZE.
_KEYPOINT_SIZE, _LIMB_SIZE, _TEXT_SIZE = 0.02, 0.012, 0.06
_SPACE_SIZE = 2.5  # m
_PART_SIZE = 0.4  # of hands and faces, relative to the body


def delete_all(header: Header) -> MarkerArray:
    """Build the message that removes every marker."""
    return MarkerArray(markers=[Marker(header=header, action=Marker.DELETEALL)])


def plane_markers(header: Header, people: People, topology: Topology, camera: Pinhole,
                  distance: float) -> MarkerArray:
    """Keypoints, limbs and label of each person in the optical frame, `distance` [m] away.

    Hands and faces have two more each. The camera's distortion is undone.
    """
    skeletons = [(_on_plane(people.keypoints, camera, distance), topology, distance)]
    skeletons += [(_on_plane(keypoints, camera, distance), part_topology(name),
                   distance * _PART_SIZE) for name, keypoints in people.parts.items()]
    return _markers(header, people, skeletons)


def space_markers(header: Header, people: People, topology: Topology) -> MarkerArray:
    """The same of each person that has positions, where it is."""
    skeletons = [(people.positions, topology, _SPACE_SIZE)] + [
        (positions, part_topology(name), _SPACE_SIZE * _PART_SIZE)
        for name, positions in people.part_positions.items()]
    return _markers(header, people, [
        (_points(positions, np.isfinite(positions).all(-1)), shape, size)
        for positions, shape, size in skeletons])


def _markers(header, people, skeletons) -> MarkerArray:
    """Draw skeletons: (Points of each person, topology, size) of the body, then of parts."""
    result = delete_all(header)
    body, _, size = skeletons[0]
    for index in range(people.count):
        if not any(body[index]):
            continue
        track_id = int(people.track_ids[index])
        space = 'skeleton/{}'.format(index if track_id == UNTRACKED else track_id)
        for number, (points, shape, scale) in enumerate(skeletons):
            # 2 is the label.
            first = 0 if number == 0 else 1 + 2 * number
            result.markers += _skeleton(header, space, first, points[index], shape, scale)
        label = _marker(header, space, 2, Marker.TEXT_VIEW_FACING, _TEXT_SIZE * size)
        top = min(filter(None, body[index]), key=lambda point: point.y)
        label.pose.position = Point(x=top.x, y=top.y - 1.5 * _TEXT_SIZE * size, z=top.z)
        label.text = ('' if track_id == UNTRACKED else '#{} '.format(track_id)) \
            + '{:.2f}'.format(people.scores[index])
        label.color = ColorRGBA(r=1.0, g=1.0, b=1.0, a=1.0)
        result.markers.append(label)
    return result


def _skeleton(header, space, first, points, topology, size):
    """Return the markers of keypoints and limbs, with the ids `first` and `first` + 1."""
    found = [k for k, point in enumerate(points) if point is not None]
    if not found:
        return []
    keypoint_colors = topology.keypoint_colors()
    keypoints = _marker(header, space, first, Marker.SPHERE_LIST, _KEYPOINT_SIZE * size)
    keypoints.points = [points[k] for k in found]
    keypoints.colors = [_color(keypoint_colors[k]) for k in found]
    limbs = _marker(header, space, first + 1, Marker.LINE_LIST, _LIMB_SIZE * size)
    drawn = [(limb, _color(color)) for limb, color in zip(topology.limbs, topology.limb_colors())
             if points[limb[0]] is not None and points[limb[1]] is not None]
    limbs.points = [points[k] for limb, _ in drawn for k in limb]
    limbs.colors = [color for _, color in drawn for _ in range(2)]
    return [keypoints, limbs]


def _on_plane(keypoints, camera, distance):
    """Return the Points of keypoints (P, K, 3) on the plane, as _points."""
    rays = camera.rays(keypoints[..., :2])
    with np.errstate(invalid='ignore'):
        visible = (keypoints[..., 2] > 0) & (np.abs(rays) < WIDEST_RAY).all(-1)
    return _points(rays * distance, visible)


def _points(positions, known):
    """Return per person a list of K Points, None where a position is not known."""
    return [[Point(x=x, y=y, z=z) if seen else None for (x, y, z), seen in zip(*person)]
            for person in zip(positions.tolist(), known.tolist())]


def _marker(header, space, number, kind, size):
    marker = Marker(header=header, ns=space, id=number, type=kind, lifetime=_LIFETIME)
    marker.pose.orientation.w = 1.0
    marker.scale.x = marker.scale.y = marker.scale.z = size
    return marker


def _color(bgr):
    return ColorRGBA(r=bgr[2] / 255.0, g=bgr[1] / 255.0, b=bgr[0] / 255.0, a=1.0)
