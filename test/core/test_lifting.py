# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Made-up bodies of known shape (test/bodies.py), and a recorded person."""
import bodies
from bodies import CAMERA, STANDING, TOPOLOGY, turned
import cv2
import numpy as np
import pytest

from pose_ros.core import PoseEstimator
from pose_ros.core.body import body_positions, keypoint_reach
from pose_ros.core.camera import Pinhole
from pose_ros.core.depth import depth_in_meters, read_depth
from pose_ros.core.errors import ImageError
from pose_ros.core.frame import Frame
from pose_ros.core.people import make_people
from pose_ros.core.sources import read_image
from pose_ros.core.stages import Lifting
from pose_ros.core.topology import get_topology

IMAGE = np.zeros((480, 640, 3), np.uint8)
WRIST, ELBOW, HIP, ANKLE = 9, 7, 11, 15


def lifted(people, depth, camera=CAMERA, stage=None, **settings):
    """Positions (17, 3) of the first of the people."""
    stage = stage or Lifting(TOPOLOGY, **settings)
    frame = Frame(np.zeros(depth.shape + (3,), np.uint8), camera=camera,
                  depth=depth.astype(np.float32))
    found, = stage([frame], [people])
    return found.positions[0]


def body(z=3.0, degrees=0, wall=None):
    points = turned(STANDING, degrees) + (0, 0, z)
    return points, bodies.rendered(points, z + 1.5 if wall is None else wall)


@pytest.fixture(scope='module')
def standing():
    return body()


def test_a_body_at_3_m_with_noise_holes_and_edges():
    random, errors, stage = np.random.RandomState(0), [], Lifting(TOPOLOGY)
    for degrees in (0, 40, 90, 180):
        points, depth = body(degrees=degrees)
        for error in (0, 2):  # px
            people = bodies.seen(points, random, error)
            seen = depth_in_meters(bodies.measured(depth, random), 'depth')
            positions = lifted(people, seen, stage=stage)
            assert not (positions[:, 2] > 3.5).any()  # none from the wall
            away = np.linalg.norm(positions - bodies.surface(points, depth), axis=1)
            errors.append(away)
            assert np.isfinite(away).sum() >= (17 if error == 0 else 14)
    exact, rough = np.concatenate(errors[0::2]), np.concatenate(errors[1::2])
    assert np.median(exact) < 0.013 and exact.max() < 0.1
    assert np.nanmedian(rough) < 0.03 and np.nanmax(rough) < 0.3


def test_without_noise_it_is_the_surface(standing):
    points, depth = standing
    away = np.linalg.norm(lifted(bodies.seen(points), depth) - bodies.surface(points, depth),
                          axis=1)
    assert np.median(away) < 0.004 and away.max() < 0.03


@pytest.mark.parametrize('camera', [
    CAMERA._replace(distortion=(-.28, .07, .001, -.0005, 0.)),
    CAMERA._replace(distortion=(-.02, .004, 0., 0.), model='equidistant')])
def test_distorted_images(camera):
    points = STANDING + (0.5, 0, 3)
    depth = bodies.rendered(points, 4.5, camera)
    people = bodies.seen(points, camera=camera)
    away = np.linalg.norm(lifted(people, depth, camera) - bodies.surface(points, depth, camera),
                          axis=1)
    assert np.median(away) < 0.004 and away.max() < 0.04
    undone = lifted(people, depth, camera._replace(distortion=()))
    assert np.linalg.norm(undone - bodies.surface(points, depth, camera), axis=1).max() > 0.02


def test_a_distortion_that_diverges_yields_no_position(standing):
    points, depth = standing
    camera = CAMERA._replace(distortion=(1e30,) * 4, model='equidistant')
    assert np.abs(camera.rays(CAMERA.project(points))).max() > 1e3
    assert np.isnan(lifted(bodies.seen(points), depth, camera)).all()


@pytest.mark.parametrize('scale', [0.5, 2])
def test_the_window_follows_the_size_of_the_image(standing, scale):
    points, depth = standing
    camera = CAMERA.scaled(int(640 * scale), int(480 * scale))
    large = cv2.resize(depth, (camera.width, camera.height), interpolation=cv2.INTER_NEAREST)
    np.testing.assert_allclose(lifted(bodies.seen(points, camera=camera), large, camera),
                               lifted(bodies.seen(points), depth), atol=0.04)


def test_a_keypoint_beside_its_body_gets_no_position(standing):
    points, depth = standing
    people = bodies.seen(points)
    people.keypoints[0, WRIST, 0] += 60
    assert depth[tuple(people.keypoints[0, WRIST, 1::-1].astype(int))] == 4.5
    stage = Lifting(TOPOLOGY)
    positions = lifted(people, depth, stage=stage)
    assert np.isnan(positions[WRIST]).all() and np.isfinite(positions).all(1).sum() == 16
    assert stage.counters == {'keypoints': 17, 'keypoints_without_depth': 0,
                              'keypoints_off_body': 1}


def test_something_in_front_of_a_body_is_no_part_of_it(standing):
    points, depth = standing
    x, y = CAMERA.project(points)[ANKLE].astype(int)
    post = depth.copy()
    post[:, x - 40:x - 2] = 1.2  # one that hides half of the window
    positions = lifted(bodies.seen(points), post)
    assert positions[ANKLE, 2] == pytest.approx(3, abs=0.1)
    post = depth.copy()
    post[y - 30:, x - 20:x + 21] = 1.2  # all of it
    assert np.isnan(lifted(bodies.seen(points), post)[ANKLE]).all()


def test_an_arm_to_the_camera_is_part_of_the_body():
    points = STANDING + (0, 0, 3)
    points[ELBOW], points[WRIST] = points[5] + (0, .05, -.3), points[5] + (0, .05, -.55)
    positions = lifted(bodies.seen(points), bodies.rendered(points))
    assert positions[WRIST, 2] == pytest.approx(points[WRIST, 2], abs=0.06)
    assert positions[ELBOW, 2] < 2.8


def test_keypoints_in_holes(standing):
    points, depth = standing
    stage, depth = Lifting(TOPOLOGY), depth.copy()
    for x, y in CAMERA.project(points)[[WRIST, HIP]].astype(int):
        depth[y - 12:y + 13, x - 12:x + 13] = np.nan
    positions = lifted(bodies.seen(points), depth, stage=stage)
    assert np.isnan(positions).all(1).nonzero()[0].tolist() == [WRIST, HIP]
    assert stage.counters['keypoints_without_depth'] == 2
    assert np.isfinite(lifted(bodies.seen(points), depth, window=0.3)[HIP]).all()
    assert np.isnan(lifted(bodies.seen(points), np.full((480, 640), np.nan))).all()


def test_a_keypoint_that_was_not_found_has_no_position(standing):
    points, depth = standing
    people = bodies.seen(points)
    people.keypoints[0, WRIST] = (np.nan, np.nan, 0)
    assert np.isnan(lifted(people, depth)).all(1).nonzero()[0].tolist() == [WRIST]


def test_range_and_height(standing):
    points, depth = standing
    people = bodies.seen(points)
    assert np.isnan(lifted(people, depth, max_depth=2.5)).all()
    assert np.isnan(lifted(people, depth, min_depth=5.0)).all()
    small = np.isfinite(lifted(people, depth, tallest=0.5)).all(1)
    assert 0 < small.sum() < 12  # too large for a body of half a meter


def hand(points, camera=CAMERA, size=0.03):
    """People with a left hand, 21 keypoints within a square [m] around the wrist."""
    steps = np.linspace(-1, 1, 21)
    spread = np.stack([steps, np.sin(40 * steps), 0 * steps], 1) * size / 2
    pixels = camera.project(points[WRIST] + spread)
    keypoints = np.concatenate([pixels, np.full((21, 1), 0.9)], 1)
    missing = np.tile(np.float32([np.nan, np.nan, 0]), (1, 21, 1))
    return bodies.seen(points)._replace(parts={
        'left_hand': np.float32(keypoints)[None], 'right_hand': missing})


def test_hands_have_positions(standing):
    points, depth = standing
    people = hand(points)
    people.parts['left_hand'][0, 4, 0] += 40  # on the wall
    frame = Frame(IMAGE, camera=CAMERA, depth=depth.astype(np.float32))
    found, = Lifting(TOPOLOGY)([frame], [people])
    left = found.part_positions['left_hand'][0]
    assert np.isnan(left).all(1).nonzero()[0].tolist() == [4]
    assert np.nanmax(np.linalg.norm(left - found.positions[0, WRIST], axis=1)) < 0.05
    assert np.isnan(found.part_positions['right_hand']).all()
    assert found.select([0]).part_positions['left_hand'].shape == (1, 21, 3)
    assert found.select([]).part_positions['left_hand'].shape == (0, 21, 3)


def test_a_hand_far_from_its_wrist_has_no_positions(standing):
    points, depth = standing
    people = hand(points)
    people.parts['left_hand'][0, :, 0] += 40
    frame = Frame(IMAGE, camera=CAMERA, depth=depth.astype(np.float32))
    found, = Lifting(TOPOLOGY)([frame], [people])
    assert np.isnan(found.part_positions['left_hand']).all()
    assert np.isfinite(found.positions).all()
    people.keypoints[0, WRIST] = (np.nan, np.nan, 0)  # then the hand alone decides
    found, = Lifting(TOPOLOGY)([frame], [people])
    assert np.isfinite(found.part_positions['left_hand']).all()


def test_people_are_lifted_apart():
    near, far = STANDING + (-0.8, 0, 2.5), STANDING + (0.7, 0, 4)
    depth = np.minimum(bodies.rendered(near, 6), bodies.rendered(far, 6))
    both = make_people(np.concatenate([bodies.seen(near).keypoints, bodies.seen(far).keypoints]),
                       [.8, .8])
    frame = Frame(IMAGE, camera=CAMERA, depth=depth.astype(np.float32))
    found, nobody = Lifting(TOPOLOGY)([frame, frame], [both, both.select([])])
    for positions, points in zip(found.positions, (near, far)):
        assert np.nanmax(np.linalg.norm(positions - points, axis=1)) < 0.2
    assert nobody.positions.shape == (0, 17, 3)


def test_without_depth_or_camera_there_are_no_positions(standing):
    points, depth = standing
    people, stage = bodies.seen(points), Lifting(TOPOLOGY)
    depth = depth.astype(np.float32)
    for frame in (Frame(IMAGE, camera=CAMERA), Frame(IMAGE, depth=depth)):
        assert np.isnan(stage([frame], [people])[0].positions).all()
    assert not stage.applies([Frame(IMAGE, camera=CAMERA)])
    assert stage.applies([Frame(IMAGE), Frame(IMAGE, depth=depth)])


@pytest.mark.parametrize('depth, camera, text', [
    (np.ones((240, 320), np.float32), CAMERA, r'an array \(480, 640\) of float32'),
    (np.ones((480, 640), np.uint16), CAMERA, r'not uint16 \(480, 640\)'),
    ([[1.0]], CAMERA, "not <class 'list'>"),
    (np.ones((480, 640), np.float32), CAMERA.scaled(320, 240), 'images of 320 x 240')])
def test_depth_and_camera_must_be_those_of_the_image(standing, depth, camera, text):
    with pytest.raises(ImageError, match=text):
        Lifting(TOPOLOGY)([Frame(IMAGE, camera=camera, depth=depth)], [bodies.seen(standing[0])])


def test_reach_of_keypoints():
    for name, size in (('coco_17', 17), ('body_25', 25), ('mpii_16', 16), ('coco_18', 18)):
        topology = get_topology(name)
        reach = keypoint_reach(topology)
        assert reach.shape == (size, size) and (reach == reach.T).all()
        assert np.isfinite(reach).all() and (np.diag(reach) == 0).all()
        assert reach[topology.index('left_shoulder'), topology.index('left_wrist')] \
            == pytest.approx(.186 + .146)
        # None is nearer than in a body of 1.75 m.
        assert reach[topology.index('left_ankle'), topology.index('right_wrist')] > 0.6
    away = np.linalg.norm(STANDING[:, None] - STANDING, axis=-1)
    assert (away <= 1.75 * 1.2 * keypoint_reach(TOPOLOGY) + 0.1).all()


def test_position_of_a_body():
    points = (STANDING + (0, 0, 3))[None]
    assert body_positions(points, TOPOLOGY)[0].tolist() == pytest.approx([0, .05, 3])
    points[0, HIP] = np.nan
    expected = points[0, [5, 6, 12]].mean(0)
    assert body_positions(points, TOPOLOGY)[0].tolist() == pytest.approx(expected.tolist())
    points[0, [5, 6, 12]] = np.nan
    assert np.isnan(body_positions(points, TOPOLOGY)).all()
    assert body_positions(points[:0], TOPOLOGY).shape == (0, 3)


def test_a_recorded_person(shared):
    """A man seen from behind, 0.87 m away, before a wall at 2.6 m."""
    folder = shared / 'data' / 'video' / 'rgbd_person'
    camera = Pinhole(640, 480, 525.0, 525.0, 320.0, 240.0)
    estimator = PoseEstimator()
    shoulders = [estimator.topology.index(side + '_shoulder') for side in ('left', 'right')]
    widths = []
    for number in ('0000000000', '0000000050', '0000000090'):
        frame = Frame(read_image(str(folder / (number + '.jpg'))), camera=camera,
                      depth=read_depth(str(folder / (number + '_depth.png'))))
        people = estimator(frame)
        known = people.positions[0][np.isfinite(people.positions[0]).all(1)]
        assert len(known) >= 4 and (np.abs(known[:, 2] - 0.87) < 0.2).all()
        position = body_positions(people.positions, estimator.topology)[0]
        assert abs(position[0]) < 0.3 and 0.7 < position[2] < 1.05
        widths.append(np.linalg.norm(np.diff(people.positions[0, shoulders], axis=0)))
    assert 0.2 < min(widths) and max(widths) < 0.5
