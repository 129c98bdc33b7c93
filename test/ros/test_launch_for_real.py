# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""The launch files and the ros2 command against the real node, as a user would type them."""
import importlib
import os
import re
import shutil
import signal
import subprocess
import tempfile
import time

import cv2
from graph import blue, image_message, RELIABLE, TIMEOUT
import pytest
from sensor_msgs.msg import Image
import yaml

from pose_ros.msg import SkeletonArray


def _missing():
    for module in ('launch_ros', 'ros2launch', 'ros2topic', 'ros2param', 'ros2lifecycle'):
        try:
            importlib.import_module(module)
        except ImportError:
            return 'the package {} of ROS 2 is not installed'.format(module)
    prefixes = os.environ.get('AMENT_PREFIX_PATH', '').split(os.pathsep)
    if not any(os.path.isdir(os.path.join(prefix, 'share', 'pose_ros', 'launch'))
               for prefix in prefixes):
        return 'no overlay with this package is sourced'
    return '' if shutil.which('ros2') else 'there is no ros2 command'


REASON = _missing()
pytestmark = pytest.mark.skipif(bool(REASON), reason=REASON)


def ros2(*words):
    """Run a ros2 command, again while it has not discovered the node; return what it printed."""
    end = time.monotonic() + TIMEOUT
    while True:
        result = subprocess.run(('ros2',) + words, stdout=subprocess.PIPE,
                                stderr=subprocess.STDOUT, universal_newlines=True, timeout=TIMEOUT)
        if 'Node not found' not in result.stdout or time.monotonic() > end:
            return result.stdout.strip()


@pytest.fixture(scope='module', autouse=True)
def daemon():
    """Leave no daemon of the ros2 command behind, unless there was one before."""
    running = ros2('daemon', 'status') == 'The daemon is running'
    yield
    if not running:
        ros2('daemon', 'stop')


class Launched:
    """A `ros2 launch` under way."""

    def __init__(self, launch_file, **arguments):
        self._log = tempfile.TemporaryFile('w+')
        command = ['ros2', 'launch', '--noninteractive', 'pose_ros', launch_file]
        self._process = subprocess.Popen(
            command + ['{}:={}'.format(*item) for item in arguments.items()],
            stdout=self._log, stderr=subprocess.STDOUT)

    @property
    def alive(self):
        return self._process.poll() is None

    def log(self):
        self._log.seek(0)
        return self._log.read()

    def stop(self):
        """Stop it as Ctrl-C does; return its exit code."""
        if self.alive:
            self._process.send_signal(signal.SIGINT)
        return self._process.wait(TIMEOUT)


@pytest.fixture
def launched(request):
    """Start a launch file with arguments; it is stopped when the test ends."""
    def start(launch_file, **arguments):
        result = Launched(launch_file, **arguments)
        request.addfinalizer(result.stop)
        return result
    return start


@pytest.fixture
def params_file(tmp_path, tiny_model):
    """A parameter file with values that differ from the defaults."""
    path = tmp_path / 'estimator.yaml'
    path.write_text(yaml.safe_dump({'/**': {'ros__parameters': {
        'model': str(tiny_model), 'backend': 'openvino', 'no_image_timeout': 7.0}}}))
    return str(path)


def subscribed(graph, topic):
    return lambda: graph.node.count_subscribers(topic) > 0


def echo(graph, publisher, message, topic):
    """Publish until `ros2 topic echo --once` has printed an answer; return it as a dictionary."""
    command = ['ros2', 'topic', 'echo', '--once', topic,
               'pose_ros/msg/SkeletonArray']
    process = subprocess.Popen(command, stdout=subprocess.PIPE, universal_newlines=True)
    end = time.monotonic() + TIMEOUT
    try:
        while process.poll() is None and time.monotonic() < end:
            publisher.publish(message)
            graph.spin(0.1)
    finally:
        process.kill()
        said = process.communicate()[0]
    return next(yaml.safe_load_all(said))


def test_skeletons_appear_and_the_launch_ends_cleanly(graph, launched, params_file):
    image_topic = graph.namespace + '/camera/image_raw'
    launch = launched('estimator.launch.py', namespace=graph.namespace, params_file=params_file,
                      backend='onnxruntime', image_topic=image_topic)
    graph.wait(subscribed(graph, image_topic), 'the estimator subscribes', launch)
    publisher = graph.node.create_publisher(Image, image_topic, RELIABLE)
    answer = echo(graph, publisher, image_message(blue(), (12, 345), 'head_cam'),
                  graph.namespace + '/skeletons')

    assert answer['header'] == {'stamp': {'sec': 12, 'nanosec': 345}, 'frame_id': 'head_cam'}
    assert (answer['image_width'], answer['image_height']) == (640, 480)
    assert len(answer['skeletons']) == 2
    assert launch.stop() == 0
    assert re.search(r'estimator-1\]: process has finished cleanly', launch.log())
    assert 'Traceback' not in launch.log()


def test_parameters_and_states_at_the_command_line(graph, launched, params_file):
    node = graph.namespace + '/estimator'
    launch = launched('estimator.launch.py', namespace=graph.namespace, params_file=params_file,
                      backend='onnxruntime')
    graph.wait(subscribed(graph, 'image'), 'the estimator subscribes', launch)

    assert ros2('param', 'get', node, 'backend') == 'String value is: onnxruntime'
    assert ros2('param', 'get', node, 'no_image_timeout') == 'Double value is: 7.0'
    assert 'Set parameter successful' in ros2('param', 'set', node, 'no_image_timeout', '2.5')
    assert ros2('param', 'get', node, 'no_image_timeout') == 'Double value is: 2.5'
    assert 'out of range' in ros2('param', 'set', node, 'no_image_timeout', '0.0')
    assert 'read-only' in ros2('param', 'set', node, 'backend', 'openvino')
    assert ros2('param', 'get', node, 'backend') == 'String value is: onnxruntime'

    assert ros2('lifecycle', 'get', node) == 'active [3]'
    assert ros2('lifecycle', 'set', node, 'deactivate') == 'Transitioning successful'
    assert ros2('lifecycle', 'get', node) == 'inactive [2]'
    graph.wait(lambda: not subscribed(graph, 'image')(), 'the estimator leaves', launch)
    assert ros2('lifecycle', 'set', node, 'activate') == 'Transitioning successful'
    graph.wait(subscribed(graph, 'image'), 'the estimator subscribes again', launch)


def test_autostart_false_waits_for_a_manager(graph, launched, params_file):
    node = graph.namespace + '/estimator'
    launch = launched('estimator.launch.py', namespace=graph.namespace, params_file=params_file,
                      backend='onnxruntime', autostart='false')
    graph.wait(lambda: ('estimator', graph.namespace) in
               graph.node.get_node_names_and_namespaces(), 'the node appears', launch)
    assert ros2('lifecycle', 'get', node) == 'unconfigured [1]'
    assert ros2('lifecycle', 'set', node, 'configure') == 'Transitioning successful'
    assert ros2('lifecycle', 'get', node) == 'inactive [2]'


def test_respawn_brings_a_killed_estimator_back(graph, launched, params_file):
    launch = launched('estimator.launch.py', namespace=graph.namespace, params_file=params_file,
                      backend='onnxruntime', respawn='true')
    graph.wait(subscribed(graph, 'image'), 'the estimator subscribes', launch)
    pids = re.findall(r'process started with pid \[(\d+)\]', launch.log())
    os.kill(int(pids[-1]), signal.SIGKILL)
    graph.wait(lambda: launch.log().count('estimating people on') == 2, 'a second start', launch)


def test_compressed_transport_follows_the_remapped_topic(graph, launched, params_file):
    image_topic = graph.namespace + '/camera/image_raw'
    launch = launched('estimator.launch.py', namespace=graph.namespace, params_file=params_file,
                      backend='onnxruntime', image_topic=image_topic, image_transport='compressed')
    graph.wait(subscribed(graph, image_topic + '/compressed'), 'the estimator subscribes', launch)
    kinds = dict(graph.node.get_topic_names_and_types())
    assert kinds[image_topic + '/compressed'] == ['sensor_msgs/msg/CompressedImage']
    assert graph.node.count_subscribers(image_topic) == 0


def test_each_camera_is_answered_on_its_own_topic(graph, launched, params_file):
    cameras = [graph.namespace.strip('/') + side for side in ('_front', '_rear')]
    launch = launched('multi_camera.launch.py', cameras=','.join(cameras), params_file=params_file,
                      namespace=graph.namespace, backend='onnxruntime')
    answers = []
    for camera in cameras:
        answers.append(graph.collect(SkeletonArray, camera + '/skeletons'))
        graph.wait(subscribed(graph, '/{}/image_raw'.format(camera)), camera, launch)
    publisher = graph.node.create_publisher(Image, '/{}/image_raw'.format(cameras[1]), RELIABLE)
    answer = graph.send_until(publisher, image_message(blue(), frame_id='rear'), answers[1])
    assert (answer.header.frame_id, len(answer.skeletons)) == ('rear', 2)
    assert answers[0] == []


@pytest.mark.parametrize('transport', ['raw', 'compressed'])
def test_demo_shows_the_people_of_an_image(graph, launched, params_file, tmp_path, transport):
    assert cv2.imwrite(str(tmp_path / 'blue.png'), blue(320, 240))
    answers = graph.collect(SkeletonArray, 'skeletons')
    launch = launched('demo.launch.py', namespace=graph.namespace, params_file=params_file,
                      backend='onnxruntime', input=str(tmp_path / 'blue.png'), rate='20',
                      image_transport=transport)
    graph.wait(lambda: len(answers) >= 10, 'ten answers', launch)
    assert {(answer.image_width, answer.image_height) for answer in answers} == {(320, 240)}
    assert {answer.header.frame_id for answer in answers} == {'camera_optical_frame'}
    assert {len(answer.skeletons) for answer in answers} == {2}
    stamps = [answer.header.stamp.sec + answer.header.stamp.nanosec * 1e-9 for answer in answers]
    assert stamps == sorted(set(stamps))
    assert launch.stop() == 0
    assert launch.log().count('process has finished cleanly') == 2
