# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""The generated messages against the skeleton formats of core, and their frozen fields."""
import math

from pose_ros import msg
from pose_ros.core.topology import CUSTOM_FORMAT_ID, FACE_RANGES, TOPOLOGIES
import pytest
from rclpy.serialization import deserialize_message, serialize_message

FORMATS = {'coco_17': msg.Coco17, 'coco_18': msg.Coco18, 'body_25': msg.Body25,
           'mpi_15': msg.Mpi15, 'mpii_16': msg.Mpii16, 'trt_pose_18': msg.TrtPose18,
           'cpm_14': msg.Cpm14, 'hand_21': msg.Hand21}
# Released numbers: a change here breaks every recorded bag.
FORMAT_IDS = {'UNKNOWN': 0, 'COCO_17': 1, 'COCO_18': 2, 'BODY_25': 3, 'MPI_15': 4, 'MPII_16': 5,
              'TRT_POSE_18': 6, 'CPM_14': 9, 'CUSTOM': 100}
PART_FORMAT_IDS = {'HAND_21': 50, 'FACE_70': 51}


def constants(message):
    """Every constant of a generated message class, by name."""
    metaclass = type(message)
    table = getattr(metaclass, '_{}__constants'.format(metaclass.__name__))
    return {name: getattr(message, name) for name in table}


def formats(message):
    return {name[len('FORMAT_'):]: value for name, value in constants(message).items()
            if name.startswith('FORMAT_')}


@pytest.mark.parametrize('name', sorted(FORMATS))
def test_keypoint_constants(name):
    names = TOPOLOGIES[name].keypoint_names
    expected = {keypoint.upper(): index for index, keypoint in enumerate(names)}
    assert constants(FORMATS[name]) == dict(expected, COUNT=len(names))


def test_face_ranges():
    expected = {'COUNT': len(TOPOLOGIES['face_70'].keypoint_names)}
    for part, (first, last) in FACE_RANGES.items():
        expected[part.upper() + '_FIRST'] = first
        expected[part.upper() + '_LAST'] = last
    assert constants(msg.Face70) == expected
    assert (msg.Face70.COUNT, msg.Face70.JAW_FIRST, msg.Face70.PUPILS_LAST) == (70, 0, 69)


def test_some_keypoints_of_the_papers():
    """Independent of core's tables, from the formats' own publications."""
    assert (msg.Coco17.LEFT_EYE, msg.Coco17.RIGHT_EYE, msg.Coco17.RIGHT_ANKLE) == (1, 2, 16)
    assert (msg.Coco18.NECK, msg.Coco18.RIGHT_SHOULDER, msg.Coco18.RIGHT_EYE, msg.Coco18.LEFT_EYE,
            msg.Coco18.RIGHT_EAR, msg.Coco18.LEFT_EAR) == (1, 2, 14, 15, 16, 17)
    assert (msg.Body25.MID_HIP, msg.Body25.RIGHT_EYE, msg.Body25.LEFT_BIG_TOE,
            msg.Body25.RIGHT_HEEL) == (8, 15, 19, 24)
    assert (msg.Mpi15.HEAD, msg.Mpi15.RIGHT_SHOULDER, msg.Mpi15.CHEST) == (0, 2, 14)
    assert (msg.Mpii16.RIGHT_ANKLE, msg.Mpii16.PELVIS, msg.Mpii16.HEAD_TOP,
            msg.Mpii16.LEFT_WRIST) == (0, 6, 9, 15)
    assert (msg.TrtPose18.LEFT_EYE, msg.TrtPose18.NECK) == (1, 17)
    assert (msg.Hand21.WRIST, msg.Hand21.THUMB_4, msg.Hand21.INDEX_1, msg.Hand21.LITTLE_4) == (
        0, 4, 5, 20)


def test_format_ids():
    assert formats(msg.Skeleton) == FORMAT_IDS
    assert formats(msg.SkeletonTopology) == dict(FORMAT_IDS, **PART_FORMAT_IDS)
    known = {name.upper(): topology.format_id for name, topology in TOPOLOGIES.items()}
    assert dict(known, UNKNOWN=0, CUSTOM=CUSTOM_FORMAT_ID) == formats(msg.SkeletonTopology)
    assert msg.Skeleton.UNTRACKED == -1


@pytest.mark.parametrize('message, fields', [
    (msg.Keypoint, {'id': 'uint8', 'x': 'float', 'y': 'float', 'confidence': 'float',
                    'position': 'geometry_msgs/Point'}),
    (msg.BoundingBox2D, {'x': 'float', 'y': 'float', 'width': 'float', 'height': 'float'}),
    (msg.Skeleton, {'track_id': 'int32', 'format': 'uint8', 'confidence': 'float',
                    'bbox': 'pose_ros/BoundingBox2D', 'keypoints': 'sequence<pose_ros/Keypoint>',
                    'left_hand': 'sequence<pose_ros/Keypoint>',
                    'right_hand': 'sequence<pose_ros/Keypoint>',
                    'face': 'sequence<pose_ros/Keypoint>', 'position': 'geometry_msgs/Point'}),
    (msg.SkeletonArray, {'header': 'std_msgs/Header', 'image_width': 'uint32',
                         'image_height': 'uint32', 'skeletons': 'sequence<pose_ros/Skeleton>'}),
    (msg.SkeletonTopology, {'format': 'uint8', 'name': 'string',
                            'keypoint_names': 'sequence<string>', 'limbs': 'sequence<uint8>',
                            'mirror': 'sequence<uint8>'}),
])
def test_frozen_fields(message, fields):
    assert list(message.get_fields_and_field_types().items()) == list(fields.items())


def test_survives_the_wire():
    array = msg.SkeletonArray(image_width=640, image_height=480)
    array.header.frame_id = 'camera_optical_frame'
    array.header.stamp.sec, array.header.stamp.nanosec = 12, 34
    seen = msg.Keypoint(id=0, x=1.5, y=2.25, confidence=0.5)
    unseen = msg.Keypoint(id=1, x=math.nan, y=math.nan)
    unseen.position.z = math.nan
    array.skeletons = [msg.Skeleton(track_id=-1, format=3, keypoints=[seen, unseen])]

    received = deserialize_message(serialize_message(array), msg.SkeletonArray)

    assert received.header == array.header
    assert (received.image_width, received.image_height) == (640, 480)
    [skeleton] = received.skeletons
    assert skeleton.track_id == msg.Skeleton.UNTRACKED
    assert skeleton.format == msg.Skeleton.FORMAT_BODY_25
    assert (len(skeleton.left_hand), len(skeleton.face)) == (0, 0)
    assert skeleton.keypoints[0] == seen
    unseen = skeleton.keypoints[1]
    assert unseen.id == 1 and unseen.confidence == 0.0
    assert math.isnan(unseen.x) and math.isnan(unseen.y) and math.isnan(unseen.position.z)
