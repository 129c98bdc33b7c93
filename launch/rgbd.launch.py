# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Start the estimator for a camera with depth: positions in meters, and frames on /tf.

The default topics are those of a RealSense with align_depth.enable:=true. Every argument of
estimator.launch.py (params_file, model, backend, rviz, ...) works here too.
"""
from launch import LaunchDescription
from launch.actions import DeclareLaunchArgument, IncludeLaunchDescription
from launch.launch_description_sources import PythonLaunchDescriptionSource
from launch.substitutions import PathJoinSubstitution
from launch_ros.substitutions import FindPackageShare


def generate_launch_description():
    """Include the estimator's launch file with the topics of the camera."""
    launch_file = PathJoinSubstitution(
        [FindPackageShare('pose_ros'), 'launch', 'estimator.launch.py'])
    return LaunchDescription([
        DeclareLaunchArgument(
            'image_topic', default_value='/camera/camera/color/image_raw',
            description='Color images'),
        DeclareLaunchArgument(
            'camera_info_topic', default_value='/camera/camera/color/camera_info',
            description='Calibration of the color images'),
        DeclareLaunchArgument(
            'depth_topic', default_value='/camera/camera/aligned_depth_to_color/image_raw',
            description='Depth that is registered to the color images'),
        DeclareLaunchArgument(
            'tf', default_value='true', choices=['true', 'false', 'True', 'False'],
            description='Publish frames of people and their keypoints on /tf'),
        IncludeLaunchDescription(PythonLaunchDescriptionSource(launch_file)),
    ])
