# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""A bag of `pose-ros bag` against the running node, and the types in it against those of ROS."""
import json
import os

from ament_index_python.packages import get_package_share_directory
from graph import RELIABLE
import numpy as np
import pytest
from rclpy.serialization import deserialize_message
from sensor_msgs.msg import Image

from pose_ros.cli.main import main
from pose_ros.msg import SkeletonArray, SkeletonTopology
from pose_ros.nodes.interface import camera_topics, TOPOLOGY_TOPIC

pytest.importorskip('rosbags', reason='rosbags needs Python 3.10 or newer')
pytest.importorskip('mcap')
import bag_files as bags
from rosbags.rosbag2 import Reader

FRONT = '/front/image_raw'


@pytest.fixture
def recorded(tmp_path, tiny_model):
    """A bag of four different images, and the bag that `pose-ros bag` makes of it."""
    images = [bags.blue(value)[:, :width] for value, width in (
        (255, 160), (200, 150), (0, 160), (255, 120))]
    bags.write_bag(tmp_path / 'walk', [
        (FRONT, bags.START + number, bags.raw(np.ascontiguousarray(image),
                                              bags.START + number * bags.STEP))
        for number, image in enumerate(images)])
    assert main(['bag', str(tmp_path / 'walk'), '-o', str(tmp_path / 'people'), '--model',
                 tiny_model, '--backend', 'onnxruntime', '--no-tracking', '--quiet']) == 0
    return tmp_path / 'walk', tmp_path / 'people'


def stored(path, topic):
    """Return the type, hash and bytes of the messages of one topic."""
    with Reader(str(path)) as reader:
        connection, = [each for each in reader.connections if each.topic == topic]
        return connection.msgtype, connection.digest, [
            data for _, _, data in reader.messages([connection])]


def values(message):
    """Return the fields of a message as dicts and lists."""
    if isinstance(message, list):
        return [values(each) for each in message]
    if not hasattr(message, 'get_fields_and_field_types'):
        return message
    return {name: values(getattr(message, name)) for name in message.get_fields_and_field_types()}


def test_the_node_publishes_what_is_in_the_bag(graph, tiny_model, recorded):
    walk, people = recorded
    expected = [deserialize_message(data, SkeletonArray)
                for data in stored(people, '/pose/skeletons')[2]]
    assert [len(array.skeletons) for array in expected] == [2, 2, 0, 2]
    arrays = graph.collect(SkeletonArray, 'skeletons')
    process = graph.start_estimator(tiny_model, backend='onnxruntime', tracking=False)
    publisher = graph.node.create_publisher(Image, 'image', RELIABLE)
    for data, array in zip(stored(walk, FRONT)[2], expected):
        # As `ros2 bag play` does: the bytes of the bag.
        def answered(array=array):
            return [each for each in arrays if each.header == array.header]
        graph.send_while(publisher, data, answered, 'the people of an image', process)
        np.testing.assert_equal(values(answered()[0]), values(array))  # NaN is equal to NaN


def test_types_and_topics_are_those_of_ros(recorded):
    share = os.path.join(get_package_share_directory('pose_ros'), 'msg')
    for topic, kind in ((camera_topics('').skeletons, SkeletonArray),
                        (TOPOLOGY_TOPIC, SkeletonTopology)):
        name, digest, messages = stored(recorded[1], '/pose/' + topic)
        assert name == 'pose_ros/msg/' + kind.__name__
        deserialize_message(messages[0], kind)
        with open(os.path.join(share, kind.__name__ + '.json')) as stream:
            hashes = {each['type_name']: each['hash_string']
                      for each in json.load(stream).get('type_hashes', ())}
        assert hashes.get(name, digest) == digest
    topology = deserialize_message(messages[0], SkeletonTopology)
    assert topology.name == 'coco_18' and len(topology.keypoint_names) == 18
