# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Run the estimator without a camera driver: an image source publishes the images.

Every argument of estimator.launch.py works here too, such as model and rviz.
"""
from launch import LaunchDescription
from launch.actions import DeclareLaunchArgument, IncludeLaunchDescription, OpaqueFunction
from launch.launch_description_sources import PythonLaunchDescriptionSource
from launch.logging import get_logger
from launch.substitutions import PathJoinSubstitution
from launch_ros.actions import Node
from launch_ros.substitutions import FindPackageShare
from pose_ros.nodes.launch_arguments import misspelt_arguments


def generate_launch_description():
    """Include the estimator's launch file and add the image source in the same namespace."""
    launch_file = PathJoinSubstitution(
        [FindPackageShare('pose_ros'), 'launch', 'estimator.launch.py'])
    return LaunchDescription([
        DeclareLaunchArgument(
            'input', default_value='',
            description='Image, folder (also of images with depth), video, camera (0), stream or '
                        'demo (empty: demo)'),
        DeclareLaunchArgument(
            'camera_info_file', default_value='',
            description='Calibration of the input, a YAML file of camera_calibration (empty: '
                        'camera_info.yaml in a folder of images with depth)'),
        DeclareLaunchArgument(
            'rate', default_value='',
            description="Images per second (empty: the input's own)"),
        IncludeLaunchDescription(PythonLaunchDescriptionSource(launch_file)),
        # After the include, which declares the namespace.
        OpaqueFunction(function=image_source),
    ])


def image_source(context):
    """Describe the node that publishes the images of the estimator."""
    values = context.launch_configurations
    for text in misspelt_arguments(values, ['input', 'rate', 'camera_info_file']):
        get_logger('pose_ros').warning(text)
    parameters = {parameter: values[argument]
                  for parameter, argument in (('source', 'input'),
                                              ('camera_info_file', 'camera_info_file'),
                                              ('image_transport', 'image_transport'))
                  if values[argument]}
    if values['use_sim_time']:  # or the stamps would have another time than the estimator
        parameters['use_sim_time'] = values['use_sim_time'].lower() == 'true'
    if values['rate']:
        parameters['rate'] = number('rate', values['rate'])
    return [Node(
        package='pose_ros', executable='image_source', name='image_source',
        namespace=values['namespace'], parameters=[parameters] if parameters else [],
        remappings=[(name, values[name + '_topic']) for name in ('image', 'camera_info', 'depth')
                    if values[name + '_topic']],
        output='screen', emulate_tty=True)]


def number(name, text):
    """Read text as a float; ValueError names the argument."""
    try:
        return float(text)
    except ValueError:
        raise ValueError('{}: {!r} must be a number, such as 15'.format(name, text))
