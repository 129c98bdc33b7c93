# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""The node `image_source`: publishes images, a video, a camera or the demo, like a driver."""
import sys

import rclpy
from rclpy.duration import Duration
from rclpy.node import Node
from rclpy.task import Future
from sensor_msgs.msg import CameraInfo, CompressedImage, Image
from std_msgs.msg import Header

from pose_ros.core.errors import PoseRosError
from pose_ros.core.image_size import SIZE_PARAMETER
from pose_ros.core.parameters import Parameter
from pose_ros.core.sources import ASSUMED_RATE, open_source
from pose_ros.core.sources.pacing import Pacer
from pose_ros.nodes.camera_info import camera_info_of, load_camera_info, scale_camera_info
from pose_ros.nodes.clock import ClockWatch, steady_timer
from pose_ros.nodes.depth_codec import encode_depth
from pose_ros.nodes.image_codec import encode_bgr8, encode_jpeg
from pose_ros.nodes.interface import (CAMERA_INFO_TOPIC, COMPRESSED_SUFFIX, DEPTH_TOPIC,
                                      IMAGE_TOPIC)
from pose_ros.nodes.log import forward_log
from pose_ros.nodes.parameters import declare, warn_of_unknown
from pose_ros.nodes.qos import image_qos
from pose_ros.nodes.run import run_node

IMAGE_SOURCE_PARAMETERS = (
    Parameter('source', 'demo', 'Image, folder of images, folder of images with depth, video, '
              "camera (0 or /dev/video0), address of a stream (rtsp://...), or 'demo'"),
    Parameter('rate', 0.0, "Images per second; 0 takes the source's own, or 30 if it has none",
              0.0, 1000.0, unit='Hz'),
    Parameter('loop', True, 'Start again at the end'),
    Parameter('width', 0, 'Width to which images are resized; 0 keeps it, or the aspect', 0,
              16384, unit='px'),
    Parameter('height', 0, 'Height to which images are resized; 0 keeps it, or the aspect', 0,
              16384, unit='px'),
    SIZE_PARAMETER,
    Parameter('frame_id', 'camera_optical_frame', 'Frame of the images (z forward, x right)'),
    Parameter('camera_info_file', '', 'Calibration (YAML of camera_calibration); empty takes that '
              'of a folder of images with depth, else publishes no camera_info'),
    Parameter('image_transport', 'raw', 'Publish sensor_msgs/Image, CompressedImage (JPEG, on '
              '<image>/compressed), or both', choices=('raw', 'compressed', 'both')),
    Parameter('image_qos', 'reliable', 'Reliability of the publishers',
              choices=('reliable', 'sensor_data')),
    Parameter('jpeg_quality', 90, 'Quality of compressed images', 1, 100),
    Parameter('wait_for_subscriber', False, 'Start when the images have a subscriber'),
    Parameter('exit_at_end', False, 'End the process after the last image'),
)
_CHECK_PERIOD = 1.0  # s
_WARNING_PERIOD = 10.0  # s
_DELIVERY = Duration(seconds=1)


class ImageSourceNode(Node):
    """Reads a source at its rate, and publishes what has a subscriber."""

    def __init__(self, **node_options):
        """Open the source; a failure is logged and ends the node."""
        super(ImageSourceNode, self).__init__('image_source', **node_options)
        self.finished = Future()  # its result is the exit code
        self._source = self._output = None
        forward_log(self)
        try:
            self._start()
        except PoseRosError as error:
            self._fail(error)

    def close(self) -> None:
        """Wait until the last images are delivered, and free the source."""
        if self._source is not None:
            if self._output is not None and self.context.ok():
                self._output.flush()
            self._source.close()
            self._source = None
        self.destroy_node()

    def _start(self):
        values = declare(self, IMAGE_SOURCE_PARAMETERS)
        warn_of_unknown(self)
        self._waits, self._exits = values['wait_for_subscriber'], values['exit_at_end']
        size = values['width'], values['height']
        self._source = open_source(values['source'], values['loop'], size, values['rate'] or None,
                                   values['max_pixels'])
        self._output = _Output(self, values, self._source)
        rate = values['rate'] or self._source.frame_rate or ASSUMED_RATE
        self._next, self._pacer = 0, Pacer(self._source)
        self._timer = self.create_timer(1.0 / rate, self._on_timer)
        self._clock_watch = ClockWatch(self)
        steady_timer(self, _CHECK_PERIOD, self._check_clock)
        self.get_logger().info('publishing {} at {:g} Hz on {}'.format(
            self._source.describe(), rate, self._output.topics))

    def _on_timer(self):
        if self._waits and not self._output.has_subscribers:
            return
        self._waits = False
        try:
            if self._pacer.is_due(self.get_clock().now().nanoseconds * 1e-9):
                self._publish_next()
        except PoseRosError as error:
            self._timer.cancel()
            self._fail(error)

    def _check_clock(self):
        problem = self._clock_watch.problem()
        if problem:
            self.get_logger().warning(problem, throttle_duration_sec=_WARNING_PERIOD)

    def _publish_next(self):
        frame = self._pacer.read()
        if frame is not None:
            self._next = frame.index + 1
            self._output.publish(frame)
            return
        self._timer.cancel()
        self.get_logger().info('the source has ended after {} images'.format(self._next))
        if self._exits:
            self.finished.set_result(0)

    def _fail(self, error):
        self.get_logger().fatal(str(error))
        self.finished.set_result(1)


class _Output:
    """The publishers; messages and their buffers are reused from image to image."""

    def __init__(self, node, values, source):
        self._clock, self._quality = node.get_clock(), values['jpeg_quality']
        self._header = Header(frame_id=values['frame_id'])
        self._image, self._compressed = Image(), CompressedImage()
        self._info = self._file_info = self._info_publisher = self._camera = None
        qos, transport = image_qos(values['image_qos']), values['image_transport']
        self._publishers = {}
        if transport != 'compressed':
            self._publishers[self._raw_message] = node.create_publisher(Image, IMAGE_TOPIC, qos)
        if transport != 'raw':
            # Remapping `image` does not remap `image/compressed`: resolve first, then append.
            topic = node.resolve_topic_name(IMAGE_TOPIC) + COMPRESSED_SUFFIX
            self._publishers[self._compressed_message] = node.create_publisher(
                CompressedImage, topic, qos)
        self._depth, self._depth_publisher = Image(), None
        if source.has_depth:
            self._depth_publisher = node.create_publisher(Image, DEPTH_TOPIC, qos)
        calibration = values['camera_info_file'] or source.calibration
        if calibration:
            self._file_info = load_camera_info(calibration)
        if calibration or source.has_depth:
            self._info_publisher = node.create_publisher(CameraInfo, CAMERA_INFO_TOPIC, qos)
        else:
            node.get_logger().info('camera_info is not published: camera_info_file is empty')

    @property
    def topics(self):
        """Names of the image topics."""
        return ' and '.join(publisher.topic_name for publisher in self._publishers.values())

    @property
    def has_subscribers(self):
        """Return whether the images have a subscriber."""
        return any(publisher.get_subscription_count() for publisher in self._publishers.values())

    def publish(self, frame):
        """Publish image and depth of a Frame, stamped now, in each form with a subscriber."""
        self._header.stamp = self._clock.now().to_msg()
        info = self._info_message(frame)
        if info is not None:
            self._info_publisher.publish(info)
        if frame.depth is not None and self._depth_publisher.get_subscription_count():
            self._depth_publisher.publish(encode_depth(frame.depth, self._header, self._depth))
        for message, publisher in self._publishers.items():
            if publisher.get_subscription_count():
                publisher.publish(message(frame.image))

    def flush(self):
        """Wait up to a second for the last images to be received."""
        for publisher in self._publishers.values():
            publisher.wait_for_all_acked(_DELIVERY)

    def _raw_message(self, image):
        return encode_bgr8(image, self._header, self._image)

    def _compressed_message(self, image):
        return encode_jpeg(image, self._header, self._compressed, self._quality)

    def _info_message(self, frame):
        """Return the calibration of the file, else that of the frame; None without one."""
        if self._file_info is not None:
            if self._info is None or (self._info.width, self._info.height) != frame.size:
                self._info = scale_camera_info(self._file_info, *frame.size)
        elif frame.camera is None or self._info_publisher is None:
            return None
        elif frame.camera != self._camera:
            self._camera, self._info = frame.camera, camera_info_of(frame.camera)
        self._info.header = self._header
        return self._info


def main(args=None) -> int:
    """Run the node until its source ends or it is shut down; the exit code is 1 if it failed."""
    def spin(node):
        rclpy.spin_until_future_complete(node, node.finished)
        return node.finished.result()
    return run_node(ImageSourceNode, args, spin)


if __name__ == '__main__':
    sys.exit(main())
