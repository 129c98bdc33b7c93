# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Start the pose estimator, for one or several cameras, and RViz or the viewer on demand.

The parameter file holds the tuning, the arguments the wiring: an empty argument keeps the value
of the file, any other replaces it.
"""
import os

from launch import LaunchDescription
from launch.actions import DeclareLaunchArgument, OpaqueFunction
from launch.logging import get_logger
from launch.substitutions import PathJoinSubstitution
from launch_ros.actions import Node
from launch_ros.substitutions import FindPackageShare
from pose_ros.nodes.launch_arguments import misspelt_arguments

PARAMETERS = {'model': str, 'backend': str, 'image_transport': str, 'depth_transport': str,
              'tf': bool, 'autostart': bool, 'lazy': bool, 'use_sim_time': bool}
REMAPPINGS = {'image': 'image_topic', 'camera_info': 'camera_info_topic', 'depth': 'depth_topic'}
CAMERA = '{camera}'  # in a topic: the name of each camera
SHARE = FindPackageShare('pose_ros')
SWITCH = ['true', 'false', 'True', 'False']


def generate_launch_description():
    """Declare the arguments and start the nodes that they describe."""
    return LaunchDescription(arguments() + [OpaqueFunction(function=nodes)])


def arguments():
    """List what can be set on the command line."""
    return wiring() + parameters() + processes()


def wiring():
    """Where the images come from, and where the node stands in the graph."""
    return [
        DeclareLaunchArgument(
            'namespace', default_value='pose', description='Namespace of every topic and node'),
        DeclareLaunchArgument(
            'params_file', description='YAML file with the parameters of the estimator',
            default_value=PathJoinSubstitution([SHARE, 'config', 'estimator.yaml'])),
        DeclareLaunchArgument(
            'cameras', default_value='',
            description='Names of several cameras for one estimator, separated by commas: '
                        'front,rear publishes front/skeletons, ... (empty: as in params_file)'),
        DeclareLaunchArgument(
            'image_topic', default_value='',
            description='Topic of the images, without /compressed, such as /camera/image_raw; '
                        'with cameras, {camera} stands for each name, as in /{camera}/image_raw '
                        '(empty: image in the namespace)'),
        DeclareLaunchArgument(
            'camera_info_topic', default_value='',
            description='Topic of the calibration; {camera} as in image_topic (empty: camera_info '
                        'in the namespace)'),
        DeclareLaunchArgument(
            'depth_topic', default_value='',
            description='Topic of the depth registered to the images, without /compressedDepth; '
                        '{camera} as in image_topic (empty: depth in the namespace)'),
    ]


def parameters():
    """List the arguments that replace a parameter of the file."""
    def optional(name, description, choices=None):
        return DeclareLaunchArgument(
            name, default_value='', description=description + ' (empty: as in params_file)',
            choices=choices and [''] + choices)

    return [
        optional('model', 'Model file, .onnx or .engine'),
        optional('backend', 'Inference engine',
                 ['auto', 'onnxruntime', 'openvino', 'tensorrt', 'tensorrt_rtx']),
        optional('image_transport', 'Transport of the images', ['raw', 'compressed']),
        optional('depth_transport', 'Transport of the depth', ['raw', 'compressed', 'off']),
        optional('tf', 'Publish frames of people and their keypoints on /tf', SWITCH),
        optional('autostart', 'Configure and activate the node at start', SWITCH),
        optional('lazy', 'Run the network only while an output has a subscriber', SWITCH),
        optional('use_sim_time', 'Take the time from /clock', SWITCH),
    ]


def processes():
    """How the estimator is started, RViz and the viewer."""
    return [
        DeclareLaunchArgument(
            'log_level', default_value='',
            description='debug, info, warn, error or fatal, for all loggers or for one, as in '
                        'pose.estimator:=debug (empty: info)'),
        DeclareLaunchArgument(
            'respawn', default_value='false', choices=SWITCH,
            description='Restart the estimator if its process ends'),
        DeclareLaunchArgument(
            'rviz', default_value='false', choices=SWITCH, description='Start RViz'),
        DeclareLaunchArgument(
            'rviz_config', description='Displays of RViz',
            default_value=PathJoinSubstitution([SHARE, 'config', 'rviz', 'estimator.rviz'])),
        DeclareLaunchArgument(
            'fixed_frame', default_value='',
            description='Fixed frame of RViz: the frame_id of the images (empty: as in '
                        'rviz_config)'),
        DeclareLaunchArgument(
            'viewer', default_value='false', choices=SWITCH,
            description='Serve a web page with the live overlay, http://127.0.0.1:8080/'),
        DeclareLaunchArgument(
            'viewer_address', default_value='',
            description='Address of that page; 0.0.0.0 lets every computer of the network look '
                        '(empty: 127.0.0.1)'),
    ]


def nodes(context):
    """Turn the arguments into nodes."""
    values = context.launch_configurations
    for text in misspelt_arguments(values, [argument.name for argument in arguments()]):
        get_logger('pose_ros').warning(text)
    found = [estimator(values)]
    if is_true(values['rviz']):
        found.append(rviz(values))
    if is_true(values['viewer']):
        found.append(viewer(values))
    return found


def estimator(values):
    """Describe the estimator; FileNotFoundError if its parameter file is missing."""
    params_file = values['params_file']
    if not os.path.isfile(params_file):
        raise FileNotFoundError(
            'params_file: there is no file {!r}; give an absolute path'.format(params_file))
    cameras = camera_names(values['cameras'])
    changed = overrides(values, PARAMETERS) + ([{'cameras': cameras}] if cameras else [])
    return Node(
        package='pose_ros', executable='estimator', name='estimator',
        namespace=values['namespace'], parameters=[params_file] + changed,
        remappings=remappings(values, cameras),
        ros_arguments=['--log-level', values['log_level']] if values['log_level'] else [],
        respawn=is_true(values['respawn']), respawn_delay=2.0,
        output='screen', emulate_tty=True)


def rviz(values):
    """Describe RViz, with the topics of its configuration moved to those of the first camera."""
    prefix = ''.join(name + '/' for name in camera_names(values['cameras'])[:1])
    fixed_frame = ['-f', values['fixed_frame']] if values['fixed_frame'] else []
    return Node(
        package='rviz2', executable='rviz2', name='rviz2', namespace=values['namespace'],
        parameters=overrides(values, {'use_sim_time': bool}),
        remappings=[('/pose/' + topic, prefix + topic) for topic in ('overlay', 'markers')],
        arguments=['-d', values['rviz_config']] + fixed_frame, output='screen')


def viewer(values):
    """Describe the viewer of the same cameras."""
    given = {'cameras': camera_names(values['cameras']), 'address': values['viewer_address']}
    parameters = {name: value for name, value in given.items() if value}
    return Node(
        package='pose_ros', executable='viewer', name='viewer', namespace=values['namespace'],
        parameters=[parameters] if parameters else [],
        output='screen', emulate_tty=True)


def camera_names(text):
    """Split text at its commas; ValueError if a name is empty or there twice."""
    names = [name.strip().strip('/') for name in text.split(',')] if text else []
    if not all(names) or len(set(names)) < len(names):
        raise ValueError('cameras: {!r} must be different names separated by commas, such as '
                         'front,rear'.format(text))
    return names


def remappings(values, cameras):
    """Return the remappings of each camera; ValueError if two cameras would share a topic."""
    found = []
    for name, argument in REMAPPINGS.items():
        topic = values[argument]
        if topic and (CAMERA in topic) != bool(cameras) and len(cameras) != 1:
            raise ValueError('{}: {!r} must contain {} if, and only if, cameras is set'.format(
                argument, topic, CAMERA))
        if topic:
            found += [(prefix + name, topic.replace(CAMERA, prefix[:-1]))
                      for prefix in [camera + '/' for camera in cameras] or ['']]
    return found


def overrides(values, types):
    """Return the parameters that were set as a list of at most one dictionary."""
    changed = {name: is_true(values[name]) if kind is bool else values[name]
               for name, kind in types.items() if values[name]}
    return [changed] if changed else []


def is_true(value):
    """Read one of SWITCH."""
    return value.lower() == 'true'
