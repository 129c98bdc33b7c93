# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Start one estimator for each camera.

With cameras:=front,rear, /front/image_raw and /rear/image_raw are read and the people appear on
/front/pose/skeletons and /rear/pose/skeletons. Every other argument of
estimator.launch.py (params_file, model, backend, ...) may be given too and holds for all of them.
"""
from launch import LaunchDescription
from launch.actions import (DeclareLaunchArgument, GroupAction, IncludeLaunchDescription,
                            OpaqueFunction)
from launch.launch_description_sources import PythonLaunchDescriptionSource
from launch.substitutions import PathJoinSubstitution
from launch_ros.substitutions import FindPackageShare


def generate_launch_description():
    """Declare the arguments and include the estimator's launch file once for each camera."""
    return LaunchDescription([
        DeclareLaunchArgument(
            'cameras', description='Namespaces of the cameras, separated by commas: front,rear'),
        DeclareLaunchArgument(
            'namespace', default_value='pose',
            description='Namespace of the estimator within that of its camera'),
        DeclareLaunchArgument(
            'image_topic', default_value='image_raw',
            description='Images of each camera, relative to its namespace'),
        DeclareLaunchArgument(
            'camera_info_topic', default_value='camera_info',
            description='Calibration of each camera, relative to its namespace'),
        OpaqueFunction(function=estimators),
    ])


def estimators(context):
    """Include one estimator for each camera, each in a scope of its own."""
    values = context.launch_configurations
    return [GroupAction([estimator(camera, values)]) for camera in camera_names(values['cameras'])]


def camera_names(text):
    """Split text at its commas; ValueError if a name is empty or there twice."""
    names = [name.strip().strip('/') for name in text.split(',')]
    if not all(names) or len(set(names)) < len(names):
        raise ValueError(
            'cameras: {!r} must be different names separated by commas, such as front,rear'.format(
                text))
    return names


def estimator(camera, values):
    """Include the estimator's launch file for one camera."""
    launch_file = PathJoinSubstitution(
        [FindPackageShare('pose_ros'), 'launch', 'estimator.launch.py'])
    within = {name: '/{}/{}'.format(camera, values[name].strip('/'))
              for name in ('namespace', 'image_topic', 'camera_info_topic')}
    return IncludeLaunchDescription(
        PythonLaunchDescriptionSource(launch_file), launch_arguments=list(within.items()))
