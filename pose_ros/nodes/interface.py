# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""The estimator's ROS interface as data: topic names (relative) and parameters."""
import re
from typing import List, NamedTuple, Sequence

from pose_ros.core.engines import ENGINE_PARAMETERS
from pose_ros.core.errors import PoseRosError
from pose_ros.core.image_size import SIZE_PARAMETER
from pose_ros.core.parameters import Parameter
from pose_ros.core.stages import OFF, SMOOTHING_METHODS

IMAGE_TOPIC = 'image'
COMPRESSED_SUFFIX = '/compressed'  # appended to the image topic after remapping
CAMERA_INFO_TOPIC = 'camera_info'
DEPTH_TOPIC = 'depth'
COMPRESSED_DEPTH_SUFFIX = '/compressedDepth'
SKELETONS_TOPIC = 'skeletons'
MARKERS_TOPIC = 'markers'
OVERLAY_TOPIC = 'overlay'
PANELS_TOPIC = 'panels'  # below the name of the node
TOPOLOGY_TOPIC = 'topology'
DETECTIONS_TOPIC = 'detections'
TF_TOPIC = '/tf'  # as everywhere in ROS; remap it for several robots
DIAGNOSTICS_TOPIC = '/diagnostics'  # absolute by convention: one topic for the whole robot
ENABLE_SERVICE = '~/enable'

_CAMERA_NAME = re.compile(r'[A-Za-z_][A-Za-z0-9_]*(/[A-Za-z_][A-Za-z0-9_]*)*\Z')

ESTIMATOR_PARAMETERS = (
    Parameter('model', '',
              'Model file (ONNX, or a TensorRT .engine), or the name of a bundled model; empty '
              'takes pose_crop with the detector person_detector; bottom_up is for crowds'),
    Parameter('detector', '',
              'Model file or name that finds the people, for a model of crops; empty: none'),
    Parameter('hands', '', 'Model file of the hands of people (hand_21); empty: none'),
    Parameter('face', '', 'Model file of the faces of people (face_70); empty: none'),
    Parameter('card', '', 'Model card (JSON) that replaces the one in the model; empty keeps it'),
    Parameter('input_width', 0,
              'Width of the network input, for models with dynamic shapes; 0 takes the model '
              "card's", 0, 8192, unit='px'),
    Parameter('input_height', 0,
              'Height of the network input, for models with dynamic shapes; 0 takes the model '
              "card's", 0, 8192, unit='px'),
    Parameter('tracking', True,
              'Give each person an id that stays the same from frame to frame (track_id)'),
    Parameter('smoothing', OFF,
              'Steady the keypoints of tracked people: one_euro has the least jitter, kalman the '
              'least delay', choices=SMOOTHING_METHODS),
    Parameter('cameras', [],
              'Names of the cameras, which prefix their topics: [front, rear] reads front/image '
              'and publishes front/skeletons, ...; empty: one camera, topics without prefix'),
    Parameter('batch', 0,
              'Most frames per run of the network, for models with a dynamic batch; 0 takes the '
              'number of cameras on a GPU and 1 on a CPU, which gains nothing from more', 0, 64),
) + tuple(
    # Images are processed by ONNX Runtime while TensorRT builds.
    parameter._replace(default='background') if parameter.name == 'tensorrt_build' else parameter
    for parameter in ENGINE_PARAMETERS
) + (
    Parameter('autostart', True,
              'Configure and activate at start; false waits for a lifecycle manager'),
    Parameter('lazy', False,
              'Subscribe to a camera, and run the network, only while one of its outputs has a '
              'subscriber'),
    Parameter('image_transport', 'raw',
              'Subscribe to sensor_msgs/Image, or to CompressedImage on <image>/compressed',
              choices=('raw', 'compressed')),
    Parameter('depth_transport', 'raw',
              'Depth registered to the image, for positions in meters: subscribe to '
              'sensor_msgs/Image on depth, to CompressedImage (PNG) on depth/compressedDepth, or '
              'to none', choices=('raw', 'compressed', OFF)),
    Parameter('depth_slop', 0.02, 'Largest difference of the stamps of an image and its depth',
              0.0, 1.0, unit='s', dynamic=True),
    Parameter('image_qos', 'auto',
              "Reliability of the subscriptions to image and depth; auto copies the publisher's",
              choices=('auto', 'sensor_data', 'reliable')),
    SIZE_PARAMETER,
    Parameter('rectified', 'auto',
              'Whether the images are rectified, so that P of camera_info replaces K and D; auto: '
              'if the last part of the image topic holds the word rect, as in image_rect',
              choices=('auto', 'always', 'never')),
    Parameter('no_image_timeout', 5.0, 'Warn after this long without an image',
              0.1, 3600.0, unit='s', dynamic=True),
    Parameter('diagnostics_period', 1.0, 'Time between diagnostic messages', 0.1, 60.0, unit='s'),
    Parameter('labels', True, 'Write ids and scores on the overlay', dynamic=True),
    Parameter('marker_distance', 2.0, 'Markers lie on a plane this far in front of the camera, '
              'if there is no depth', 0.1, 1000.0, unit='m', dynamic=True),
    Parameter('tf', False, 'Publish the frames body_<id> and body_<id>/<keypoint> of people with '
              'positions on /tf; needs depth and tracking'),
    Parameter('hri', False, 'Publish people in the way of REP 155, on /humans/bodies/tracked and '
              'so on; needs hri_msgs and tracking'),
    Parameter('detections', False, 'Publish the boxes of people as vision_msgs/Detection2DArray '
              'on detections; needs vision_msgs'),
)


class CameraTopics(NamedTuple):
    """Topic names of one camera, relative to the node's namespace."""

    image: str
    camera_info: str
    depth: str
    skeletons: str
    markers: str
    overlay: str
    panels: str


def camera_topics(camera: str) -> CameraTopics:
    """Return the topics of a camera; '' is the only camera of a node, without prefix."""
    prefix = camera + '/' if camera else ''
    return CameraTopics(*[prefix + topic for topic in (
        IMAGE_TOPIC, CAMERA_INFO_TOPIC, DEPTH_TOPIC, SKELETONS_TOPIC, MARKERS_TOPIC,
        OVERLAY_TOPIC)],
        panels='~/' + prefix + PANELS_TOPIC)


def camera_names(names: Sequence[str]) -> List[str]:
    """Check the parameter `cameras`; PoseRosError for an invalid or repeated name.

    Without names there is one camera, ''.
    """
    for name in names:
        if not _CAMERA_NAME.match(name) or '__' in name:
            raise PoseRosError(
                'cameras: {!r} is not a valid name: it must consist of letters, digits and single '
                'underscores, and not start with a digit, such as front or stereo/left'.format(
                    name))
    repeated = sorted({name for name in names if list(names).count(name) > 1})
    if repeated:
        raise PoseRosError('cameras: {} appears twice: each camera needs a name of its '
                           'own'.format(', '.join(map(repr, repeated))))
    return list(names) or ['']
