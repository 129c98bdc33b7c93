# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""A folder of images with depth, published like a camera, becomes positions in meters."""
import cv2
from graph import blue, RELIABLE
import numpy as np
import pytest
from sensor_msgs.msg import CameraInfo, Image
from test_depth import FOCAL_LENGTH, LEFT, lifted, positions, RIGHT, scene

from pose_ros.msg import SkeletonArray
from pose_ros.nodes.depth_codec import decode_depth_image

CALIBRATION = '''
image_width: 640
image_height: 480
distortion_model: plumb_bob
camera_matrix: {{rows: 3, cols: 3, data: [{0}, 0, {1}, 0, {0}, {2}, 0, 0, 1]}}
distortion_coefficients: {{rows: 1, cols: 5, data: [0, 0, 0, 0, 0]}}
rectification_matrix: {{rows: 3, cols: 3, data: [1, 0, 0, 0, 1, 0, 0, 0, 1]}}
projection_matrix: {{rows: 3, cols: 4, data: [{0}, 0, {1}, 0, 0, {0}, {2}, 0, 0, 0, 1, 0]}}
'''


def test_a_folder_with_depth(graph, tmp_path, tiny_model):
    assert cv2.imwrite(str(tmp_path / 'a.png'), blue())
    assert cv2.imwrite(str(tmp_path / 'a_depth.png'), np.uint16(1000 * scene()))
    (tmp_path / 'camera_info.yaml').write_text(CALIBRATION.format(FOCAL_LENGTH, 319.5, 239.5))
    arrays = graph.collect(SkeletonArray, 'skeletons')
    depths = graph.collect(Image, 'depth', RELIABLE)
    infos = graph.collect(CameraInfo, 'camera_info', RELIABLE)
    estimator = graph.start_estimator(tiny_model)
    source = graph.start('image_source', source=str(tmp_path), rate=10.0, frame_id='head')
    graph.wait(lambda: arrays and lifted(arrays[-1]) and depths and infos, 'positions', estimator)
    assert source.alive and 'RGB-D folder' in source.log()
    assert sorted({round(z, 3) for z in positions(arrays[-1])[..., 2].ravel()}) == [LEFT, RIGHT]
    np.testing.assert_allclose(decode_depth_image(depths[-1]), scene(), atol=1e-3)
    assert depths[-1].header.frame_id == infos[-1].header.frame_id == 'head'
    assert list(infos[-1].k)[0] == FOCAL_LENGTH
    stamps = {message.header.stamp.nanosec for message in infos}
    assert stamps & {message.header.stamp.nanosec for message in depths}
    graph.wait(lambda: int(graph.values().get('frames with depth', 0)) > 3, 'counts', estimator)


def test_a_folder_without_depth_publishes_none(graph, tmp_path):
    assert cv2.imwrite(str(tmp_path / 'a.png'), blue(32, 24))
    images = graph.collect(Image, 'image', RELIABLE)
    process = graph.start('image_source', source=str(tmp_path))
    graph.wait(lambda: images, 'an image', process)
    assert graph.node.count_publishers('depth') == 0


def test_the_recorded_person_is_measured_over_dds(graph, shared, tmp_path):
    """A man seen from behind, 0.87 m away, with the default pair of networks."""
    transforms = pytest.importorskip('tf2_msgs.msg')
    calibration = tmp_path / 'camera.yaml'
    calibration.write_text(CALIBRATION.format(525.0, 320.0, 240.0))
    arrays = graph.collect(SkeletonArray, 'skeletons')
    seen = graph.collect(transforms.TFMessage, '/tf')
    estimator = graph.start_estimator('', tf=True, smoothing='one_euro')
    graph.start('image_source', source=str(shared / 'data' / 'video' / 'rgbd_person'), rate=5.0,
                camera_info_file=str(calibration))

    def measured():
        """Return the messages with one person whose place is known: not in all images."""
        return [array for array in arrays if len(array.skeletons) == 1
                and array.skeletons[0].track_id > 0
                and np.isfinite(array.skeletons[0].position.z)]

    def frames():
        return {transform.child_frame_id for message in seen for transform in message.transforms}
    graph.wait(lambda: len(measured()) > 5, 'skeletons', estimator, 60)
    for array in measured():
        assert 0.7 < array.skeletons[0].position.z < 1.05
        known = positions(array)[0]
        known = known[np.isfinite(known).all(1)]
        assert len(known) >= 3 and (np.abs(known[:, 2] - 0.87) < 0.2).all()
    name = 'body_{}/left_shoulder'.format(measured()[-1].skeletons[0].track_id)
    graph.wait(lambda: name in frames(), 'the frame ' + name, estimator)
