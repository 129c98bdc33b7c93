# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""The launch files, run for real with stand-in executables that record their command lines."""
import json
import os
from pathlib import Path
import stat
import sys

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
IN_FILE = {'model': 'file.onnx', 'backend': 'auto', 'image_transport': 'raw', 'autostart': True,
           'use_sim_time': False}
RECORDER = '''#!{}
import json, os, sys
path = os.path.join({!r}, str(os.getpid()) + '.json')
with open(path + '.part', 'w') as stream:
    json.dump(sys.argv, stream)
os.rename(path + '.part', path)
'''
ESTIMATOR_ARGUMENTS = {
    'namespace', 'params_file', 'cameras', 'image_topic', 'camera_info_topic', 'depth_topic',
    'model', 'backend', 'image_transport', 'depth_transport', 'tf', 'autostart', 'lazy',
    'use_sim_time', 'log_level', 'respawn', 'rviz', 'rviz_config', 'fixed_frame', 'viewer',
    'viewer_address'}
ARGUMENTS = {
    'estimator.launch.py': ESTIMATOR_ARGUMENTS,
    'demo.launch.py': ESTIMATOR_ARGUMENTS | {'input', 'rate', 'camera_info_file'},
    'multi_camera.launch.py': ESTIMATOR_ARGUMENTS,
    'rgbd.launch.py': ESTIMATOR_ARGUMENTS,
}


class Started:
    """What one executable was started with."""

    def __init__(self, command):
        self.executable = os.path.basename(command[0])
        self.own = command[1:command.index('--ros-args')]
        self.remappings = dict(rule.split(':=') for rule in self._after(command, '-r'))
        self.name = '{}/{}'.format(
            self.remappings.pop('__ns'), self.remappings.pop('__node'))
        self.log_levels = self._after(command, '--log-level')
        self.params_files = self._after(command, '--params-file')
        self.parameters = {}
        for path in self.params_files:
            # launch_ros writes a list as !!python/tuple; ROS 2 ignores the tag.
            text = Path(path).read_text().replace('!!python/tuple', '')
            for node, content in yaml.safe_load(text).items():
                if node in ('/**', self.name):
                    self.parameters.update(content['ros__parameters'])

    @staticmethod
    def _after(command, option):
        return [value for word, value in zip(command, command[1:]) if word == option]


@pytest.fixture
def prefix(tmp_path, monkeypatch):
    """Pretend that the package and RViz are installed, with recorders as executables."""
    pytest.importorskip(
        'launch_ros', reason='the packages launch and launch_ros of ROS 2 are not installed')
    (tmp_path / 'records').mkdir()
    for package, executable in (('pose_ros', 'estimator'), ('pose_ros', 'image_source'),
                                ('pose_ros', 'viewer'), ('rviz2', 'rviz2')):
        marker = tmp_path / 'share' / 'ament_index' / 'resource_index' / 'packages' / package
        marker.parent.mkdir(parents=True, exist_ok=True)
        marker.touch()
        program = tmp_path / 'lib' / package / executable
        program.parent.mkdir(parents=True, exist_ok=True)
        program.write_text(RECORDER.format(sys.executable, str(tmp_path / 'records')))
        program.chmod(program.stat().st_mode | stat.S_IXUSR)
    share = tmp_path / 'share' / 'pose_ros'
    (share / 'config').mkdir(parents=True)
    (share / 'launch').symlink_to(ROOT / 'launch')
    (share / 'config' / 'rviz').symlink_to(ROOT / 'config' / 'rviz')
    (share / 'config' / 'estimator.yaml').write_text(
        yaml.safe_dump({'/**': {'ros__parameters': IN_FILE}}))
    monkeypatch.setenv(
        'AMENT_PREFIX_PATH', '{}:{}'.format(tmp_path, os.environ.get('AMENT_PREFIX_PATH', '')))
    monkeypatch.setenv('ROS_LOG_DIR', str(tmp_path / 'log'))
    return tmp_path


@pytest.fixture
def run(prefix):
    """Run a launch file with arguments; return its exit code and what it started."""
    from launch import LaunchDescription, LaunchService
    from launch.actions import IncludeLaunchDescription
    from launch.launch_description_sources import PythonLaunchDescriptionSource

    def run(name, **arguments):
        service = LaunchService(noninteractive=True)
        service.include_launch_description(LaunchDescription([IncludeLaunchDescription(
            PythonLaunchDescriptionSource(str(ROOT / 'launch' / name)),
            launch_arguments=list(arguments.items()))]))
        code = service.run()
        records = (prefix / 'records').glob('*.json')
        found = [Started(json.loads(path.read_text())) for path in records]
        return code, sorted(found, key=lambda started: started.name)

    return run


@pytest.mark.parametrize('name', sorted(ARGUMENTS))
def test_arguments_are_those_documented(prefix, name):
    from launch.launch_description_sources import PythonLaunchDescriptionSource
    source = PythonLaunchDescriptionSource(str(ROOT / 'launch' / name))
    arguments = source.try_get_launch_description_without_context().get_launch_arguments()
    assert sorted(argument.name for argument in arguments) == sorted(ARGUMENTS[name])
    # The text of launch for an argument without a description.
    assert not [argument.name for argument in arguments
                if argument.description in ('', 'no description given')]


def test_no_launch_file_is_forgotten():
    assert {path.name for path in (ROOT / 'launch').glob('*.py')} == set(ARGUMENTS)


def test_without_arguments_the_file_decides(run, prefix):
    code, (estimator,) = run('estimator.launch.py')
    assert code == 0
    assert estimator.name == '/pose/estimator'
    assert estimator.params_files == [str(prefix / 'share/pose_ros/config/estimator.yaml')]
    assert estimator.parameters == IN_FILE
    assert (estimator.remappings, estimator.log_levels, estimator.own) == ({}, [], [])


@pytest.mark.parametrize('argument, text, value', [
    ('model', '/models/1.onnx', '/models/1.onnx'), ('model', '1.0', '1.0'),
    ('backend', 'openvino', 'openvino'), ('image_transport', 'compressed', 'compressed'),
    ('autostart', 'false', False), ('use_sim_time', 'True', True)])
def test_one_argument_wins_over_the_file(run, argument, text, value):
    _, (estimator,) = run('estimator.launch.py', **{argument: text})
    assert estimator.parameters == dict(IN_FILE, **{argument: value})


def test_wiring_arguments(run):
    _, (estimator,) = run(
        'estimator.launch.py', namespace='robot/pose', image_topic='/camera/image_raw',
        camera_info_topic='/camera/info', depth_topic='/camera/depth', log_level='debug')
    assert estimator.name == '/robot/pose/estimator'
    assert estimator.remappings == {'image': '/camera/image_raw', 'camera_info': '/camera/info',
                                    'depth': '/camera/depth'}
    assert estimator.log_levels == ['debug']
    assert estimator.parameters == IN_FILE


@pytest.mark.parametrize('argument, text', [
    ('backend', 'fastest'), ('image_transport', 'theora'), ('rviz', 'yes'),
    ('params_file', '/nowhere/estimator.yaml')])
def test_wrong_argument_is_named_and_starts_nothing(run, caplog, argument, text):
    code, started = run('estimator.launch.py', **{argument: text})
    assert (code, started) == (1, [])
    assert argument in caplog.text and text in caplog.text


def test_rviz_follows_the_namespace(run):
    _, (estimator, rviz) = run(
        'estimator.launch.py', namespace='front/pose', rviz='true', fixed_frame='front_optical',
        use_sim_time='true')
    assert estimator.name == '/front/pose/estimator'
    assert rviz.name == '/front/pose/rviz2'
    assert rviz.remappings == {'/pose/overlay': 'overlay', '/pose/markers': 'markers'}
    assert rviz.parameters == {'use_sim_time': True}
    config = rviz.own[rviz.own.index('-d') + 1]
    assert Path(config).samefile(ROOT / 'config' / 'rviz' / 'estimator.rviz')
    assert rviz.own[rviz.own.index('-f') + 1] == 'front_optical'


def test_viewer_follows_the_cameras(run):
    _, (_, viewer) = run('estimator.launch.py', namespace='front', viewer='true')
    assert (viewer.name, viewer.executable, viewer.parameters) == ('/front/viewer', 'viewer', {})
    _, (_, viewer) = run('multi_camera.launch.py', cameras='front,rear', viewer='true',
                         viewer_address='0.0.0.0')
    assert viewer.parameters == {'cameras': ['front', 'rear'], 'address': '0.0.0.0'}


def test_demo_feeds_the_estimator(run):
    _, (estimator, source) = run('demo.launch.py', input='0', rate='5', backend='onnxruntime')
    assert (source.name, source.executable) == ('/pose/image_source', 'image_source')
    assert source.parameters == {'source': '0', 'rate': 5.0}
    assert isinstance(source.parameters['rate'], float)
    assert (source.remappings, estimator.remappings) == ({}, {})
    assert estimator.name == '/pose/estimator'
    assert estimator.parameters == dict(IN_FILE, backend='onnxruntime')


def test_demo_publishes_what_the_estimator_reads(run):
    _, (estimator, source) = run('demo.launch.py', image_transport='compressed',
                                 image_topic='/a/image', camera_info_topic='/a/info')
    assert source.remappings == estimator.remappings == {
        'image': '/a/image', 'camera_info': '/a/info'}
    assert source.parameters == {'image_transport': 'compressed'}
    assert estimator.parameters == dict(IN_FILE, image_transport='compressed')


@pytest.mark.parametrize('launch_file, typo, meant', [
    ('estimator.launch.py', 'modle', 'model'), ('multi_camera.launch.py', 'image_transprot',
                                                'image_transport'),
    ('demo.launch.py', 'backed', 'backend'), ('demo.launch.py', 'inptu', 'input')])
def test_a_misspelt_argument_is_named_with_the_nearest(run, caplog, launch_file, typo, meant):
    cameras = {'cameras': 'front,rear'} if launch_file.startswith('multi') else {}
    code, started = run(launch_file, **dict(cameras, **{typo: 'x', 'of_another_file': '1'}))
    assert code == 0 and started
    assert [record.getMessage() for record in caplog.records if 'no launch' in record.msg] == [
        'there is no launch argument {!r}; did you mean {!r}?'.format(typo, meant)]


def test_demo_has_one_time(run):
    _, (estimator, source) = run('demo.launch.py', use_sim_time='True')
    assert source.parameters == {'use_sim_time': True}
    assert estimator.parameters['use_sim_time'] is True


def test_demo_names_a_wrong_rate(run, caplog):
    code, _ = run('demo.launch.py', rate='fast')
    assert code == 1
    assert "rate: 'fast' must be a number" in caplog.text


def test_demo_keeps_both_nodes_in_one_namespace(run):
    _, (estimator, source) = run('demo.launch.py', namespace='demo')
    assert (estimator.name, source.name) == ('/demo/estimator', '/demo/image_source')
    assert source.parameters == {}


def test_multi_camera_starts_one_estimator(run):
    _, (estimator,) = run('multi_camera.launch.py', cameras='front, rear', backend='openvino')
    assert estimator.name == '/pose/estimator'
    assert estimator.remappings == {
        'front/image': '/front/image_raw', 'front/camera_info': '/front/camera_info',
        'rear/image': '/rear/image_raw', 'rear/camera_info': '/rear/camera_info'}
    assert estimator.parameters == dict(IN_FILE, backend='openvino', cameras=['front', 'rear'])


def test_multi_camera_topics_can_be_changed(run):
    _, (estimator,) = run('multi_camera.launch.py', cameras='stereo/left', namespace='people',
                          image_topic='/rig/{camera}/color', camera_info_topic='info_{camera}')
    assert estimator.name == '/people/estimator'
    assert estimator.remappings == {'stereo/left/image': '/rig/stereo/left/color',
                                    'stereo/left/camera_info': 'info_stereo/left'}


def test_cameras_without_topics_keep_the_names_in_the_namespace(run):
    _, (estimator,) = run('estimator.launch.py', cameras='front,rear', lazy='true')
    assert estimator.remappings == {}
    assert estimator.parameters == dict(IN_FILE, lazy=True, cameras=['front', 'rear'])


def test_rviz_shows_the_first_camera(run):
    _, (_, rviz) = run('multi_camera.launch.py', cameras='front,rear', rviz='true')
    assert rviz.remappings == {'/pose/overlay': 'front/overlay', '/pose/markers': 'front/markers'}


@pytest.mark.parametrize('cameras', ['front,front', 'front,', ','])
def test_multi_camera_refuses_unclear_names(run, caplog, cameras):
    code, started = run('multi_camera.launch.py', cameras=cameras)
    assert (code, started) == (1, [])
    assert "cameras: '{}' must be different names".format(cameras) in caplog.text


@pytest.mark.parametrize('launch_file, arguments', [
    ('multi_camera.launch.py', {'cameras': 'front,rear', 'image_topic': '/camera/image'}),
    ('estimator.launch.py', {'camera_info_topic': '/{camera}/info'})])
def test_topics_that_do_not_suit_the_cameras_are_refused(run, caplog, launch_file, arguments):
    code, started = run(launch_file, **arguments)
    assert (code, started) == (1, [])
    assert 'must contain {camera} if, and only if, cameras is set' in caplog.text


def test_rgbd_wires_a_camera_with_depth(run):
    _, (estimator,) = run('rgbd.launch.py', depth_topic='/head/depth', model='a.onnx')
    assert estimator.remappings == {
        'image': '/camera/camera/color/image_raw', 'depth': '/head/depth',
        'camera_info': '/camera/camera/color/camera_info'}
    assert estimator.parameters == dict(IN_FILE, model='a.onnx', tf=True)


def test_rgbd_without_frames(run):
    _, (estimator,) = run('rgbd.launch.py', tf='false')
    assert estimator.remappings['depth'] == '/camera/camera/aligned_depth_to_color/image_raw'
    assert estimator.parameters == dict(IN_FILE, tf=False)


def test_demo_with_depth(run):
    _, (estimator, source) = run('demo.launch.py', input='/data/rgbd', tf='true',
                                 camera_info_file='/data/camera.yaml', depth_topic='/a/depth')
    assert source.parameters == {'source': '/data/rgbd', 'camera_info_file': '/data/camera.yaml'}
    assert source.remappings == estimator.remappings == {'depth': '/a/depth'}
    assert estimator.parameters == dict(IN_FILE, tf=True)
