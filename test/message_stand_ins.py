# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Stand-ins for the messages of hri_msgs and vision_msgs, with the fields of the real ones.

No package of PyPI has these. As the real ones do, they refuse fields that they lack, and values of
another type.
"""
import types

from geometry_msgs.msg import PoseWithCovariance
from std_msgs.msg import Header


def _message(name, **fields):
    """Return a message class; fields are types, or functions that make the default."""
    def initialize(self, **values):
        for field, kind in fields.items():
            object.__setattr__(self, field, kind())
        for field, value in values.items():
            setattr(self, field, value)

    def assign(self, field, value):
        kind = type(fields[field]())  # KeyError: there is no such field
        assert isinstance(value, kind), (name, field, value)
        if kind is list and fields[field]():
            assert len(value) == len(fields[field]()), (name, field, len(value))
        object.__setattr__(self, field, value)
    return type(name, (), {'__init__': initialize, '__setattr__': assign})


Point = _message('NormalizedPointOfInterest2D', x=float, y=float, c=float)
Point2D = _message('Point2D', x=float, y=float)
Pose2D = _message('Pose2D', position=Point2D, theta=float)
Box = _message('BoundingBox2D', center=Pose2D, size_x=float, size_y=float)
Hypothesis = _message('ObjectHypothesis', class_id=str, score=float)


def hri_msgs():
    """Return a module in place of hri_msgs.msg, with the arrays of fixed size of ROS 2."""
    return types.SimpleNamespace(
        IdsList=_message('IdsList', header=Header, ids=list), NormalizedPointOfInterest2D=Point,
        Skeleton2D=_message('Skeleton2D', header=Header,
                            skeleton=lambda: [Point() for _ in range(18)]),
        NormalizedRegionOfInterest2D=_message(
            'NormalizedRegionOfInterest2D', header=Header, xmin=float, ymin=float, xmax=float,
            ymax=float, c=float))


def vision_msgs():
    """Return a module in place of vision_msgs.msg, version 4."""
    return types.SimpleNamespace(
        Detection2DArray=_message('Detection2DArray', header=Header, detections=list),
        Detection2D=_message('Detection2D', header=Header, results=list, bbox=Box, id=str),
        ObjectHypothesisWithPose=_message('ObjectHypothesisWithPose', hypothesis=Hypothesis,
                                          pose=PoseWithCovariance))
