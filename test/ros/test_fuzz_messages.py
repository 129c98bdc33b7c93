# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Random messages over DDS: the nodes stay alive, report no unexpected error, and go on.

POSE_ROS_FUZZ_MESSAGES=10000 sends more of them.
"""
import array
import os
import random

from builtin_interfaces.msg import Time
import cv2
from graph import blue, image_message, RELIABLE
from sensor_msgs.msg import CameraInfo, CompressedImage, Image, RegionOfInterest

from mutation import changed_bytes
from pose_ros.core.image_messages import DECODERS
from pose_ros.msg import Keypoint, Skeleton, SkeletonArray

COUNT = int(os.environ.get('POSE_ROS_FUZZ_MESSAGES', 300))
MOST_MIB = 1024
NUMBERS = (0., -1., .5, 320., 1e30, -1e30, float('nan'), float('inf'))
SIZES = (0, 1, 2, 3, 64, 480, 640, 2 ** 31, 2 ** 32 - 1)
TEXTS = ('', 'front', '\x1b[31m', 'n' * 3000, '../x')


def stamped(message, chance):
    """Set a header of any kind."""
    message.header.stamp = Time(sec=chance.choice((0, 1, 12, -1, 2 ** 31 - 1, -2 ** 31)),
                                nanosec=chance.choice((0, 345, 10 ** 9 - 1, 2 ** 32 - 1)))
    message.header.frame_id = chance.choice(TEXTS)
    return message


def random_image(chance):
    """Return an Image; half of them are good except for one field."""
    message = image_message(blue(64, 48))
    for _ in range(chance.choice((0, 1, 1, 2))):
        name = chance.choice(('width', 'height', 'step', 'encoding', 'data', 'is_bigendian'))
        setattr(message, name, {
            'encoding': lambda: chance.choice(sorted(DECODERS) + ['16UC1', '32FC1'] + list(TEXTS)),
            'data': lambda: array.array('B', bytes(chance.choice((0, 1, 100, 9216, 9217, 99999)))),
            'is_bigendian': lambda: chance.choice((0, 1, 255))}.get(
                name, lambda: chance.choice(SIZES))())
    return stamped(message, chance)


def random_depth(chance):
    """Return a depth image; half of them are good except for one field."""
    message = image_message(blue(64, 48))
    message.encoding, message.step = '16UC1', 128
    message.data = array.array('B', chance.choice((b'\xd0\x07', b'\xff\xff', b'\0\0')) * 64 * 48)
    for _ in range(chance.choice((0, 1))):
        name = chance.choice(('width', 'height', 'step', 'encoding', 'data'))
        setattr(message, name, {
            'encoding': lambda: chance.choice(('32FC1', 'bgr8') + TEXTS),
            'data': lambda: array.array('B', bytes(chance.choice((0, 100, 6143))))}.get(
                name, lambda: chance.choice(SIZES))())
    return stamped(message, chance)


def random_calibration(chance):
    """Return a CameraInfo of any content."""
    def numbers(count):
        return [chance.choice(NUMBERS + (100.,) * 8) for _ in range(count)]

    def size():
        return chance.choice(SIZES)
    return stamped(CameraInfo(
        width=size(), height=size(), k=numbers(9), r=numbers(9), p=numbers(12),
        d=numbers(chance.choice((0, 4, 5, 8, 100))), binning_x=size(), binning_y=size(),
        distortion_model=chance.choice(TEXTS + ('plumb_bob', 'equidistant')),
        roi=RegionOfInterest(x_offset=size(), y_offset=size(), width=size(), height=size())),
        chance)


def random_people(chance):
    """Return a SkeletonArray of any content."""
    keypoints = [Keypoint(x=chance.choice(NUMBERS), y=chance.choice(NUMBERS),
                          confidence=chance.choice(NUMBERS))
                 for _ in range(chance.choice((0, 17)))]
    return stamped(SkeletonArray(
        image_width=chance.choice(SIZES), image_height=chance.choice(SIZES),
        skeletons=[Skeleton(track_id=chance.choice((-1, 0, 2 ** 31 - 1)), keypoints=keypoints)
                   for _ in range(chance.choice((0, 1, 5)))]), chance)


def peak_mib(process):
    """Return the peak memory of a process."""
    with open('/proc/{}/status'.format(process.pid)) as stream:
        return next(int(line.split()[1]) // 1024 for line in stream if line.startswith('VmHWM'))


def send(graph, publishers, processes, seed):
    """Publish COUNT random messages, in turn, at a rate at which most are processed."""
    for number in range(COUNT):
        chance = random.Random('{} {}'.format(seed, number))
        make, publisher = chance.choice(publishers)
        publisher.publish(make(chance))
        graph.spin(0.002)
        assert all(process.alive for process in processes), number


def check(processes):
    """Assert that nothing unexpected was logged, and the memory."""
    for process in processes:
        log = process.log()
        assert 'Traceback' not in log and 'unexpected' not in log, log[-5000:]
        assert peak_mib(process) < MOST_MIB


def test_random_images_and_calibrations(graph, tiny_model):
    images = graph.node.create_publisher(Image, 'image', RELIABLE)
    infos = graph.node.create_publisher(CameraInfo, 'camera_info', RELIABLE)
    depths = graph.node.create_publisher(Image, 'depth', RELIABLE)
    people = graph.node.create_publisher(SkeletonArray, 'skeletons', RELIABLE)
    processes = [graph.start_estimator(tiny_model), graph.start('monitor', period=0.5)]
    graph.wait(lambda: graph.node.count_subscribers('skeletons') > 0, 'the monitor', processes[1])
    send(graph, [(random_image, images)] * 3 + [
        (random_calibration, infos), (random_depth, depths), (random_people, people)],
        processes, 'raw')
    answers = graph.collect(SkeletonArray, 'skeletons')
    graph.send_while(images, image_message(blue()), lambda: any(
        answer.image_width == 640 and len(answer.skeletons) == 2 for answer in answers),
        'two people after all', processes[0])
    more = random.Random('more')

    def enough():  # a busy machine drops most of them
        images.publish(random_image(more))
        return graph.failed() > COUNT // 30
    graph.wait(enough, 'the failed frames', processes[0])
    check(processes)


def test_random_compressed_images(graph, tiny_model):
    publisher = graph.node.create_publisher(CompressedImage, 'image/compressed', RELIABLE)
    process = graph.start_estimator(tiny_model, image_transport='compressed')
    whole = [cv2.imencode(ending, blue(64, 48))[1].tobytes() for ending in ('.jpg', '.png')]

    def random_compressed(chance):
        return stamped(CompressedImage(
            format=chance.choice(TEXTS + ('jpeg', 'rgb8; png compressed rgb8')),
            data=array.array('B', changed_bytes(chance.choice(whole), chance))), chance)
    send(graph, [(random_compressed, publisher)], [process], 'compressed')
    answers = graph.collect(SkeletonArray, 'skeletons')
    good = CompressedImage(format='png', data=array.array('B', whole[1]))
    assert len(graph.send_until(publisher, good, answers, process=process).skeletons) == 2
    check([process])
