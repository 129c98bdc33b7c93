# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""PCKh of MPII, PCK of other skeletons, AP and MOTA of PoseTrack: numbers worked out by hand."""
import itertools

from evaluated import annotation, detections, symmetric_person, write_dataset
import numpy as np
import pytest

from pose_ros.core.people import make_people
from pose_ros.core.topology import get_topology
from pose_training.convert.posetrack import posetrack_topology
from pose_training.evaluation.clear_mot import ClearMot
from pose_training.evaluation.detections import Detections
from pose_training.evaluation.labels import read_labels
from pose_training.evaluation.metrics import keypoint_figures, Pck
from pose_training.evaluation.pckh import has_heads, pckh_figures
from pose_training.evaluation.posetrack import has_tracks, posetrack_figures

PERSON = symmetric_person()
TRACK = posetrack_topology()
NAN = float('nan')
HEAD = [0, 0, 30, 40]  # its size is .6 of 50 px: 30 px


def mpii(folder, annotations, found, **options):
    """Return Detections with MPII's keypoints, one image; found: (points (16, 2), label)."""
    names = get_topology('mpii_16').keypoint_names
    path = write_dataset(folder, {'0.png': np.zeros((8, 8, 3), np.uint8)}, annotations,
                         names=names)
    points = np.array([points for points, _ in found], float).reshape(-1, 16, 2)
    people = make_people(np.concatenate([points, np.isfinite(points[..., :1])], -1),
                         np.ones(len(found)), [label for _, label in found])
    return Detections(read_labels(path), {0: people}, [.01], **options)


def test_pckh_is_within_a_part_of_the_head_and_its_mean_leaves_out_the_trunk(tmp_path):
    truth = np.full((16, 2), 100.) + np.arange(16)[:, None] * 40
    points = truth.copy()
    points[0] += (15, 0)    # half of the head: right
    points[1] += (15.1, 0)
    points[2] += (3, 0)     # a tenth
    points[3] = np.nan
    points[6] += (500, 0)   # the pelvis does not count for the mean
    found = mpii(tmp_path, [annotation(0, truth, bbox_head=HEAD)], [(points, 0)], owned=True)
    assert has_heads(found)
    totals, tables = pckh_figures(found)
    assert totals == {'PCKh@0.5': pytest.approx(12 / 14), 'PCKh@0.1': pytest.approx(11 / 14)}
    assert tables['PCKh@0.5']['pelvis'] == 0. and tables['PCKh@0.5']['right_ankle'] == 1.
    assert tables['PCKh@0.1']['right_ankle'] == 0. and tables['PCKh@0.1']['right_hip'] == 1.


def test_pckh_compares_a_label_with_what_is_found_in_its_own_box(tmp_path):
    """And only with the most similar person where no boxes were given."""
    truth = np.full((16, 2), 100.) + np.arange(16)[:, None] * 4
    annotations = [annotation(0, truth, bbox_head=HEAD),
                   annotation(0, truth + 200, bbox_head=HEAD)]
    crossed = [(truth + 200, 0), (truth, 1)]
    assert pckh_figures(mpii(tmp_path, annotations, crossed, owned=True))[0]['PCKh@0.5'] == 0.
    assert pckh_figures(mpii(tmp_path, annotations, crossed))[0]['PCKh@0.5'] == 1.
    alone = mpii(tmp_path, annotations, [(truth + 200, 1)], owned=True)
    assert pckh_figures(alone)[0]['PCKh@0.5'] == .5  # the other label has no person
    without = mpii(tmp_path, [annotation(0, truth)], crossed)
    assert not has_heads(without) and pckh_figures(without)[0]['PCKh@0.5'] is None


def test_pck_of_the_extent_of_the_keypoints(tmp_path):
    found = PERSON.copy()
    found[0, 0] += 20
    data = detections(tmp_path, [annotation(0, PERSON)], {0: [(found, 1.)]})
    # From the eyes at 34 px to the ankles at 170 px; the nose is 20 px off.
    extent = 170 - 34
    for share, right in ((20.1 / extent, 1.), (19.9 / extent, 0.)):
        assert keypoint_figures(data, Pck(share, 'extent'))[0].found == right
    assert keypoint_figures(data)[0].found == 0.  # the torso has 66 px: .2 of it are 13
    assert keypoint_figures(data, Pck(.35))[0].found == 1.


def test_clear_mot_by_hand():
    """Labels 1 and 2; track 8 leaves label 1 to track 9, which comes from label 2."""
    counter = ClearMot()
    counter.update([1, 2], [8, 9], [[.1, NAN], [NAN, .3]])
    counter.update([1, 2], [8, 9], [[.2, .1], [.1, .2]])   # earlier pairs stay
    counter.update([1, 2], [9], [[.1], [NAN]])             # a switch, and a miss
    counter.update([1], [8, 9], [[.1, .2]])                # 9 stays; 8 is false
    counter.update([], [7], np.zeros((0, 1)))              # false
    counter.update([2], [], np.zeros((1, 0)))              # a miss
    assert (counter.labels, counter.misses, counter.false, counter.switches) == (8, 2, 2, 1)
    figures = counter.figures()
    assert figures.mota == pytest.approx(1 - 5 / 8)
    assert figures.motp == pytest.approx(1 - (.1 + .3 + .2 + .2 + .1 + .2) / 6)
    assert (figures.precision, figures.recall) == (6 / 8, 6 / 8)
    counter.restart()
    counter.update([1], [5], [[0.]])  # another sequence: no switch
    assert counter.switches == 1
    assert np.isnan(ClearMot().figures()).all()


def _best_sum(costs):
    """Return the largest number of pairs of a matrix, and their smallest sum, by trying all."""
    rows, columns = costs.shape
    best = (0, 0.)
    for count in range(1, min(rows, columns) + 1):
        for some in itertools.combinations(range(rows), count):
            for others in itertools.permutations(range(columns), count):
                total = costs[list(some), list(others)].sum()
                if np.isfinite(total) and (count > best[0] or total < best[1]):
                    best = (count, total)
    return best


def test_free_pairs_have_the_smallest_sum_of_distances():
    random = np.random.default_rng(0)
    for _ in range(30):
        costs = random.uniform(0, 1, random.integers(1, 5, 2))
        costs[random.random(costs.shape) < .4] = np.inf
        counter = ClearMot()
        counter.update(range(costs.shape[0]), range(10, 10 + costs.shape[1]), costs)
        assert (counter.matches, counter.distance) == (pytest.approx(_best_sum(costs)[0]),
                                                       pytest.approx(_best_sum(costs)[1]))


def tracked(folder, frames, regions=()):
    """Return Detections of one sequence with the keypoints of PoseTrack.

    `frames` are pairs of labels [(points, track id)] and found [(points, scores, track id)].
    """
    labels = [annotation(number, points, bbox_head=HEAD, track_id=label)
              for number, (truth, _) in enumerate(frames) for points, label in truth]
    labels += [{'image_id': number, 'category_id': 1, 'iscrowd': 1, 'keypoints': [0] * 51,
                'segmentation': [region], 'bbox': [0, 0, 9, 9]}
               for number, region in enumerate(regions)]
    path = write_dataset(folder, {'{}.png'.format(number): np.zeros((8, 8, 3), np.uint8)
                                  for number in range(len(frames))}, labels,
                         names=TRACK.keypoint_names)
    people = {}
    for number, (_, found) in enumerate(frames):
        keypoints = [np.column_stack([points, np.broadcast_to(scores, 17)])
                     for points, scores, _ in found]
        people[number] = make_people(np.array(keypoints).reshape(-1, 17, 3),
                                     np.ones(len(found)), [label for *_, label in found])
    return Detections(read_labels(path), people, [.01])


A = np.tile([100., 100.], (17, 1)) + np.arange(17)[:, None] * 3
B = A + (300, 0)


def test_posetrack_ap_counts_each_keypoint_by_its_score(tmp_path):
    """One image: two labels; the best find is false, the second is right."""
    far = A + (0, 400)
    found = tracked(tmp_path, [([(A, 0), (B, 1)], [(far, .9, 0), (A + (14, 0), .8, 1)])])
    assert has_tracks(found)
    totals, tables = posetrack_figures(found)
    assert totals['PoseTrack AP'] == pytest.approx(.25)  # recall 1/2 at a precision of 1/2
    assert tables['PoseTrack AP']['head'] == pytest.approx(.25)
    near, beyond = (tracked(tmp_path, [([(A, 0)], [(A + (x, 0), .9, 0)])]) for x in (15, 15.1))
    assert posetrack_figures(near)[0]['PoseTrack AP'] == 1.  # half of the head
    assert posetrack_figures(beyond)[0]['PoseTrack AP'] == 0.


def test_posetrack_gives_a_label_to_one_person(tmp_path):
    """Two on one label: the second is false, also where it has the higher score."""
    worse = A.copy()
    worse[5:9] += 200
    found = tracked(tmp_path, [([(A, 0)], [(worse, .9, 0), (A, .5, 1)])])
    assert posetrack_figures(found)[0]['PoseTrack AP'] == pytest.approx(.5)
    alone = tracked(tmp_path, [([(A, 0)], [(worse, .9, 0)])])
    _, tables = posetrack_figures(alone)
    assert tables['PoseTrack AP']['shoulder'] == tables['PoseTrack AP']['elbow'] == 0.
    assert tables['PoseTrack AP']['total'] == pytest.approx(11 / 15)


def test_posetrack_mota_by_hand(tmp_path):
    """Four frames, the last of which does not count: a switch, a miss and a false one."""
    found = tracked(tmp_path, [([(A, 3), (B, 4)], [(A, 1., 1), (B, 1., 2)]),
                               ([(A, 3), (B, 4)], [(A, 1., 5), (B, 1., 2)]),
                               ([(A, 3), (B, 4)], [(A, 1., 5), (B + (0, 500), 1., 2)]),
                               ([(A, 3)], [(B, 1., 9)])])
    totals, tables = posetrack_figures(found)
    assert totals['MOTA'] == pytest.approx(1 - 3 / 6)
    assert totals['MOTP'] == 1. and totals['track recall'] == pytest.approx(5 / 6)
    assert totals['track precision'] == pytest.approx(5 / 6)
    assert tables['MOTA'] == {name: pytest.approx(.5) for name in tables['MOTA']}
    untracked = tracked(tmp_path, [([(A, 3)], [(A, 1., -1)])] * 2)
    assert set(posetrack_figures(untracked)[0]) == {'PoseTrack AP'}
    # Someone without an id is not tracked: missed, and not false.
    late = tracked(tmp_path, [([(A, 3)], [(A, 1., -1)]), ([(A, 3)], [(A, 1., 1)]),
                              ([(A, 3)], [(A, 1., 1)])])
    assert posetrack_figures(late)[0]['MOTA'] == .5


def test_posetrack_ignores_regions_frames_without_labels_and_people_without_heads(tmp_path):
    over_b = [380, 80, 480, 80, 480, 180, 380, 180]
    found = tracked(tmp_path, [([(A, 0)], [(A, .5, 0), (B, .9, 1)]), ([], [(A, .9, 0)])],
                    [over_b])
    assert posetrack_figures(found)[0]['PoseTrack AP'] == 1.
    assert posetrack_figures(tracked(tmp_path, [([(A, 0), (B, 1)], [(A, .5, 0)])],
                                     [over_b]))[0]['PoseTrack AP'] == 1.
    empty = tracked(tmp_path, [([(A, 0)], [])])
    assert posetrack_figures(empty)[0] == {'PoseTrack AP': 0.}
