# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Part detectors learn tiny datasets by the command line: a person, an animal, several people."""
import json

from animals import write_animals
from figures import CLEAN, measured, write_figures, write_run
import pytest

from pose_ros.cli.main import main as robot
from pose_training.checkpoint import load_checkpoint
from pose_training.cli.main import main

pytestmark = pytest.mark.fitting

PARTS = {
    'data__photometric': CLEAN, 'model__topology': 'dataset', 'data__variants': 8,
    'model__name': 'lite_part_detector', 'model__options': {'width': .25},
    'data__size': [128, 128], 'data__parts': {'radius': 9., 'offset_weight': .5},
    'data__crop': {'height': [.6, .9], 'rotation': 5., 'shift': .05, 'stretch': .03, 'flip': 0.,
                   'free': 0., 'mosaic': 0.},
    'optimizer__batch': 8, 'optimizer__ema_decay': .95, 'optimizer__foreground_weight': 2.,
    'optimizer__lr': 6e-3, 'optimizer__epochs': 10, 'optimizer__crops_per_epoch': 160}


def train(folder, data, *words, **changes):
    """Train and export by the command line; return the model."""
    config = write_run(folder, data, **{**PARTS, **changes})
    assert main(['fit', config]) == 0
    model = str(folder / 'parts.onnx')
    assert main(['export', str(folder / 'run' / 'network.pt'), '-o', model, '--size', '128x128',
                 *words]) == 0
    return model


def test_a_part_detector_memorizes_a_person(tmp_path):
    data = write_figures(tmp_path / 'data', side=128)
    model = train(tmp_path, data)
    found = measured(tmp_path, model, data)
    print(found)
    assert found['AP'] > .9 and found['PCK'] > .95 and found['swapped'] == 0
