# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Start one pose estimator, and RViz when asked.

The parameter file carries the tuning, the arguments carry the wiring: an argument left empty
leaves the file's value alone, one that is set wins over it.
"""
import os

from launch import LaunchDescription
from launch.actions import DeclareLaunchArgument, OpaqueFunction
from launch.substitutions import PathJoinSubstitution
from launch_ros.actions import Node
from launch_ros.substitutions import FindPackageShare

PARAMETERS = {'model': str, 'backend': str, 'image_transport': str,
              'autostart': bool, 'use_sim_time': bool}
REMAPPINGS = {'image': 'image_topic', 'camera_info': 'camera_info_topic'}
SWITCH = ['true', 'false', 'True', 'False']


def generate_launch_description():
    """Declare the arguments and start the nodes they describe."""
    return LaunchDescription(arguments() + [OpaqueFunction(function=nodes)])


def arguments():
    """List what can be set on the command line."""
    share = FindPackageShare('pose_ros')

    def optional(name, description, choices=None):
        return DeclareLaunchArgument(
            name, default_value='', description=description + ' (empty: as params_file says)',
            choices=choices and [''] + choices)

    return [
        DeclareLaunchArgument(
            'namespace', default_value='pose', description='Namespace of every topic and node'),
        DeclareLaunchArgument(
            'params_file', description='YAML file with the parameters of the estimator',
            default_value=PathJoinSubstitution([share, 'config', 'estimator.yaml'])),
        DeclareLaunchArgument(
            'image_topic', default_value='',
            description='Images to read, such as /camera/image_raw; for the compressed transport '
                        'too, without /compressed (empty: image in the namespace)'),
        DeclareLaunchArgument(
            'camera_info_topic', default_value='',
            description='Calibration of the camera (empty: camera_info in the namespace)'),
        optional('model', 'Model file, .onnx or .engine'),
        optional('backend', 'Inference engine',
                 ['auto', 'onnxruntime', 'openvino', 'tensorrt']),
        optional('image_transport', 'Form in which the images arrive', ['raw', 'compressed']),
        optional('autostart', 'Configure and activate the node at start', SWITCH),
        optional('use_sim_time', 'Take the time from /clock', SWITCH),
        DeclareLaunchArgument(
            'log_level', default_value='',
            description='debug, info, warn, error or fatal, or that of one logger, as in '
                        'pose.estimator:=debug (empty: info)'),
        DeclareLaunchArgument(
            'respawn', default_value='false', choices=SWITCH,
            description='Start the estimator again when it dies'),
        DeclareLaunchArgument(
            'rviz', default_value='false', choices=SWITCH, description='Start RViz'),
        DeclareLaunchArgument(
            'rviz_config', description='Displays of RViz',
            default_value=PathJoinSubstitution([share, 'config', 'rviz', 'estimator.rviz'])),
        DeclareLaunchArgument(
            'fixed_frame', default_value='',
            description='Fixed frame of RViz: the frame_id of the images (empty: as rviz_config '
                        'says)'),
    ]


def nodes(context):
    """Turn the arguments into nodes."""
    values = context.launch_configurations
    found = [estimator(values)]
    if is_true(values['rviz']):
        found.append(rviz(values))
    return found


def estimator(values):
    """Describe the estimator; FileNotFoundError rather than silent defaults without its file."""
    params_file = values['params_file']
    if not os.path.isfile(params_file):
        raise FileNotFoundError(
            'params_file: there is no file {!r}; give an absolute path'.format(params_file))
    return Node(
        package='pose_ros', executable='estimator', name='estimator',
        namespace=values['namespace'], parameters=[params_file] + overrides(values, PARAMETERS),
        remappings=[(name, values[argument]) for name, argument in REMAPPINGS.items()
                    if values[argument]],
        ros_arguments=['--log-level', values['log_level']] if values['log_level'] else [],
        respawn=is_true(values['respawn']), respawn_delay=2.0,
        output='screen', emulate_tty=True)


def rviz(values):
    """Describe RViz, with the topics of its configuration moved to the estimator's namespace."""
    fixed_frame = ['-f', values['fixed_frame']] if values['fixed_frame'] else []
    return Node(
        package='rviz2', executable='rviz2', name='rviz2', namespace=values['namespace'],
        parameters=overrides(values, {'use_sim_time': bool}),
        remappings=[('/pose/' + topic, topic) for topic in ('overlay', 'markers')],
        arguments=['-d', values['rviz_config']] + fixed_frame, output='screen')


def overrides(values, types):
    """Return the parameters that were set as a list of at most one dictionary."""
    parameters = {name: is_true(values[name]) if kind is bool else values[name]
                  for name, kind in types.items() if values[name]}
    return [parameters] if parameters else []


def is_true(value):
    """Read one of SWITCH."""
    return value.lower() == 'true'
