# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Part detectors learn tiny datasets of an animal by the command line: one, and several."""
import json

from animals import LIMBS, NAMES, write_animals
from figures import CLEAN, measured, write_run
import pytest

from pose_ros.cli.main import main as robot
from pose_training.cli.main import main

pytestmark = pytest.mark.fitting

PARTS = {
    'data__photometric': CLEAN, 'model__topology': 'dataset', 'data__variants': 8,
    'model__name': 'lite_part_detector', 'model__options': {'width': .25},
    'data__size': [128, 128], 'data__parts': {'radius': 9., 'offset_weight': 1.},
    'data__crop': {'height': [.6, .9], 'rotation': 5., 'shift': .05, 'stretch': .03, 'flip': 0.,
                   'free': 0., 'mosaic': 0.},
    'optimizer__batch': 8, 'optimizer__ema_decay': .95, 'optimizer__foreground_weight': 2.,
    'optimizer__name': 'muon', 'optimizer__lr': 2e-2, 'optimizer__epochs': 4,
    'optimizer__crops_per_epoch': 240}


def test_an_animal_of_five_keypoints_is_learned(tmp_path):
    data = write_animals(tmp_path / 'data')
    config, model = write_run(tmp_path, data, **PARTS), str(tmp_path / 'animal.onnx')
    assert main(['fit', config]) == 0
    assert main(['export', str(tmp_path / 'run' / 'network.pt'), '-o', model,
                 '--size', '128x128']) == 0
    found = measured(tmp_path, model, data)
    assert found['AP'] > .9 and found['PCK'] > .95 and found['swapped'] == 0
    assert robot(['image', str(tmp_path / 'data' / 'animal_0.png'), '--model', model, '--json',
                  str(tmp_path / 'found.json')]) == 0
    seen = json.loads((tmp_path / 'found.json').read_text())
    assert seen['topology'] == {'name': 'lizard', 'keypoint_names': list(NAMES),
                                'limbs': [list(limb) for limb in LIMBS]}


def test_several_animals_are_told_apart(tmp_path):
    data = write_animals(tmp_path / 'data', side=96, several=2)
    config = write_run(tmp_path, data, **{
        **PARTS, 'model__name': 'lite_part_pairwise', 'data__size': [192, 96],
        'data__parts': {'radius': 9., 'offset_weight': 1., 'pairwise_weight': .2}})
    model, pairs = str(tmp_path / 'animals.onnx'), str(tmp_path / 'pairs.json')
    assert main(['fit', config]) == 0
    assert main(['pairwise', str(tmp_path / 'run' / 'network.pt'), '--data', data, '-o', model,
                 '--size', '192x96', '--radius', '9', '--json', pairs, '--set',
                 'decoder.nms_radius=2']) == 0
    found = measured(tmp_path, model, data)
    assert found['AP50'] > .95 and found['PCK'] > .95
    assert found['found_people'] == found['labelled_people'] == 16
    facts = json.loads((tmp_path / 'pairs.json').read_text())
    assert len(facts['pairs']) == 10 and len(facts['vectors']) == 20
    for pair in facts['pairs']:
        # Two animals in each of 8 images: 16 pairs of one, 16 of two.
        assert pair['one_person'] >= 14 and pair['two_people'] >= 14 and pair['accuracy'] > .95
    there = {(vector['from'], vector['to']): vector for vector in facts['vectors']}
    assert there['nose', 'neck']['count'] == 16
    # A third of the length of an animal, of about 62 px.
    assert 14 < there['nose', 'neck']['mean'][0] < 24
