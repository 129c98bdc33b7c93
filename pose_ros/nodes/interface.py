# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""The estimator's ROS interface as data: topic names (relative) and parameters."""
from pose_ros.core.engines.engine import ENGINE_PARAMETERS
from pose_ros.core.parameters import Parameter

IMAGE_TOPIC = 'image'
COMPRESSED_SUFFIX = '/compressed'  # appended to the image topic after remapping
CAMERA_INFO_TOPIC = 'camera_info'
SKELETONS_TOPIC = 'skeletons'
MARKERS_TOPIC = 'markers'
OVERLAY_TOPIC = 'overlay'
TOPOLOGY_TOPIC = 'topology'
DIAGNOSTICS_TOPIC = '/diagnostics'  # absolute by convention: one topic for the whole robot
ENABLE_SERVICE = '~/enable'

ESTIMATOR_PARAMETERS = (
    Parameter('model', '',
              'Model file (ONNX, or a TensorRT .engine); empty takes the bundled one'),
    Parameter('card', '', 'Model card (JSON) that replaces the one in the model; empty keeps it'),
    Parameter('input_width', 0,
              'Width of the network input, for models with dynamic shapes; 0 takes the model '
              "card's", 0, 8192, unit='px'),
    Parameter('input_height', 0,
              'Height of the network input, for models with dynamic shapes; 0 takes the model '
              "card's", 0, 8192, unit='px'),
) + tuple(
    # A robot's frames go on while an engine is built.
    parameter._replace(default='background') if parameter.name == 'build' else parameter
    for parameter in ENGINE_PARAMETERS
) + (
    Parameter('autostart', True,
              'Configure and activate at start; false waits for a lifecycle manager'),
    Parameter('image_transport', 'raw',
              'Subscribe to sensor_msgs/Image, or to CompressedImage on <image>/compressed',
              choices=('raw', 'compressed')),
    Parameter('image_qos', 'auto',
              "Reliability of the image subscription; auto copies the publisher's",
              choices=('auto', 'sensor_data', 'reliable')),
    Parameter('no_image_timeout', 5.0, 'Warn when no image came for this long',
              0.1, 3600.0, unit='s', dynamic=True),
    Parameter('diagnostics_period', 1.0, 'Time between diagnostic messages', 0.1, 60.0, unit='s'),
    Parameter('labels', True, 'Write ids and scores on the overlay', dynamic=True),
    Parameter('marker_distance', 2.0, 'Markers lie on a plane this far in front of the camera',
              0.1, 1000.0, unit='m', dynamic=True),
)
