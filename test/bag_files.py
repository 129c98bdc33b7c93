# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Bags for tests, written and read by rosbags itself: two cameras, and what goes with them."""
import cv2
import numpy as np
from rosbags.rosbag2 import (CompressionFormat, CompressionMode, Reader, StoragePlugin,
                             Writer)
from rosbags.typesys import get_types_from_msg, get_typestore, Stores

STORE = get_typestore(Stores.ROS2_HUMBLE)
KINDS = {name: 'sensor_msgs/msg/' + name for name in ('Image', 'CompressedImage', 'CameraInfo')}
PLUGINS = {'mcap': StoragePlugin.MCAP, 'sqlite3': StoragePlugin.SQLITE3}
ENDINGS = {'mcap': '.mcap', 'sqlite3': '.db3'}
START = 1700000000 * 10 ** 9  # ns
STEP = 10 ** 8
OTHER = 'my_msgs/msg/Odd'
OTHER_TEXT = 'float32 value\nstring name\n'


def header(time, frame_id='front_optical'):
    stamp = STORE.types['builtin_interfaces/msg/Time'](sec=time // 10 ** 9, nanosec=time % 10 ** 9)
    return STORE.types['std_msgs/msg/Header'](stamp=stamp, frame_id=frame_id)


def raw(image, time, encoding='bgr8', **changes):
    fields = dict(header=header(time), height=image.shape[0], width=image.shape[1],
                  encoding=encoding, is_bigendian=0, step=image.strides[0],
                  data=np.ascontiguousarray(image).view(np.uint8).reshape(-1))
    return 'Image', STORE.types[KINDS['Image']](**dict(fields, **changes))


def compressed(image, time, ending='.png', form='bgr8; png compressed bgr8'):
    return 'CompressedImage', STORE.types[KINDS['CompressedImage']](
        header=header(time), format=form, data=cv2.imencode(ending, image)[1].reshape(-1))


def camera_info(time, width=160, height=128, focal=100.0):
    region = STORE.types['sensor_msgs/msg/RegionOfInterest'](0, 0, 0, 0, False)
    matrix = np.array([focal, 0, width / 2, 0, focal, height / 2, 0, 0, 1], float)
    return 'CameraInfo', STORE.types[KINDS['CameraInfo']](
        header=header(time), height=height, width=width, distortion_model='plumb_bob',
        d=np.zeros(5), k=matrix, r=np.eye(3).reshape(-1),
        p=np.array([focal, 0, width / 2, 0, 0, focal, height / 2, 0, 0, 0, 1, 0], float),
        binning_x=0, binning_y=0, roi=region)


def odd(time, value=1.5):
    """Return a message whose type no library knows, as bytes."""
    store = get_typestore(Stores.EMPTY)
    store.register(get_types_from_msg(OTHER_TEXT, OTHER))
    data = store.serialize_cdr(store.types[OTHER](value=value, name='odd'), OTHER)
    return OTHER, (data, store)


def write_bag(path, messages, storage='mcap', compression='NONE'):
    """Write [(topic, time ns, (kind, message)), ...] to a folder; return the path of its file."""
    writer = Writer(str(path), version=8, storage_plugin=PLUGINS[storage])
    writer.set_compression(CompressionMode[compression], CompressionFormat.ZSTD)
    with writer:
        connections = {}
        for topic, time, (kind, message) in messages:
            name = KINDS.get(kind, kind)
            store = message[1] if kind == OTHER else STORE
            if topic not in connections:
                connections[topic] = writer.add_connection(topic, name, typestore=store)
            data = message[0] if kind == OTHER else store.serialize_cdr(message, name)
            writer.write(connections[topic], time, data)
    return path / (path.name + ENDINGS[storage])


def read_bag(path):
    """Return ({topic: type}, [(topic, time, message), ...]) with the definitions in the bag."""
    store = get_typestore(Stores.EMPTY)
    with Reader(str(path)) as reader:
        for connection in reader.connections:
            types = get_types_from_msg(connection.msgdef.data, connection.msgtype)
            store.register({name: known for name, known in types.items()
                            if name not in store.fielddefs})
        return {each.topic: each.msgtype for each in reader.connections}, [
            (connection.topic, time, store.deserialize_cdr(data, connection.msgtype))
            for connection, time, data in reader.messages()]


def blue(value=255, width=160, height=128):
    """Return an image: the tiny network finds two people if it is blue, none if it is black."""
    image = np.zeros((height, width, 3), np.uint8)
    image[..., 0] = value
    return image


def walk(frames=6, topic='/front/image_raw', offset=0, kind=raw):
    """Return the messages of one camera: blue images, the last of them black."""
    messages = []
    for number in range(frames):
        time = START + number * STEP + offset
        messages.append((topic, time + 1000, kind(blue(255 if number < frames - 1 else 0), time)))
    return messages


def in_time(*lists):
    """Merge lists of messages in the order of time."""
    return sorted((item for each in lists for item in each), key=lambda item: item[1])
