# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Start one estimator for several cameras, which share its network.

With cameras:=front,rear it reads /front/image_raw and /rear/image_raw, and publishes
/pose/front/skeletons and /pose/rear/skeletons. Every argument of estimator.launch.py (params_file,
model, backend, rviz, ...) works here too.
"""
from launch import LaunchDescription
from launch.actions import DeclareLaunchArgument, IncludeLaunchDescription
from launch.launch_description_sources import PythonLaunchDescriptionSource
from launch.substitutions import PathJoinSubstitution
from launch_ros.substitutions import FindPackageShare


def generate_launch_description():
    """Include the estimator's launch file with topics that follow the names of the cameras."""
    launch_file = PathJoinSubstitution(
        [FindPackageShare('pose_ros'), 'launch', 'estimator.launch.py'])
    return LaunchDescription([
        DeclareLaunchArgument(
            'cameras', description='Names of the cameras, separated by commas: front,rear'),
        DeclareLaunchArgument(
            'image_topic', default_value='/{camera}/image_raw',
            description='Images of each camera; {camera} stands for its name'),
        DeclareLaunchArgument(
            'camera_info_topic', default_value='/{camera}/camera_info',
            description='Calibration of each camera; {camera} stands for its name'),
        IncludeLaunchDescription(PythonLaunchDescriptionSource(launch_file)),
    ])
