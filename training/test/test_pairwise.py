# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Models that tell people apart: their fit, the pairs that get one, and their examples."""
import json

from animals import write_animals
import numpy as np
import pytest
import torch
import yaml

from pose_ros.core.topology import get_topology
from pose_training.checkpoint import load_checkpoint, save_checkpoint
from pose_training.cli.main import main
from pose_training.data.annotations import read_dataset
from pose_training.errors import ConfigError
from pose_training.models import create_model
from pose_training.pairwise.graph import find_pairs
from pose_training.pairwise.logistic import fit_model
from pose_training.pairwise.samples import PairSamples

COCO = get_topology('coco_17')


def probability(model, features):
    scaled = (features - model.low) / (model.high - model.low)
    return 1 / (1 + np.exp(-scaled @ model.weights[:-1] - model.weights[-1]))


def examples(random, together, apart):
    """Return features: distances of about 5 px of one person, and of 60 px of two."""
    distance = np.concatenate([random.gamma(2., 2.5, (together, 2)),
                               random.gamma(6., 10., (apart, 2))])
    angle = np.abs(np.concatenate([random.normal(0, .2, (together, 2)),
                                   random.uniform(-3, 3, (apart, 2))]))
    raw = np.stack([distance[:, 0], angle[:, 0], distance[:, 1], angle[:, 1]], 1)
    return np.concatenate([raw, np.exp(-raw)], 1), np.arange(together + apart) < together


def test_a_model_separates_near_from_far():
    random = np.random.default_rng(0)
    model = fit_model(*examples(random, 200, 300))
    features, together = examples(random, 1000, 1000)
    found = probability(model, features)
    assert ((found > .5) == together).mean() > .97 and model.accuracy > .97
    assert np.isfinite(model.weights).all() and (model.high > model.low).all()


def test_many_people_do_not_change_the_middle():
    # Whatever the numbers of both classes, the probability of .5 is where they are as dense.
    middle = []
    for apart in (500, 20000):
        model = fit_model(*examples(np.random.default_rng(1), 500, apart))
        steps = np.linspace(5, 60, 200)
        raw = np.stack([steps, np.full(200, .3), steps, np.full(200, .3)], 1)
        found = probability(model, np.concatenate([raw, np.exp(-raw)], 1))
        middle.append(steps[np.abs(found - .5).argmin()])
    assert abs(middle[0] - middle[1]) < 8 and 10 < middle[0] < 50


def test_equal_features_are_no_division_by_zero():
    model = fit_model(np.ones((8, 8)), np.arange(8) < 4)
    assert np.isfinite(probability(model, np.ones((1, 8)))).all()


def test_pairs_are_all_the_limbs_or_those_of_a_file(tmp_path):
    assert len(find_pairs('all', COCO)) == 136
    limbs = find_pairs('limbs', COCO)
    assert len(limbs) == 17 and (13, 15) in limbs and all(a < b for a, b in limbs)
    path = tmp_path / 'pairs.yaml'
    path.write_text(yaml.safe_dump({'sparse_graph': [[0, 1], [2, 1]]}))
    assert find_pairs(str(path), COCO) == [(0, 1), (1, 2)]
    path.write_text(json.dumps([['right_hip', 'left_hip'], [3, 1]]))
    assert find_pairs(str(path), COCO) == [(1, 3), (11, 12)]
    for content, words in (([[0, 99]], r'\[0, 99\] is no pair'), ([['hip', 'nose']], 'is no pair'),
                           ([[2, 2]], 'is no pair'), ({'a': 1}, 'has no list of pairs')):
        path.write_text(json.dumps(content))
        with pytest.raises(ConfigError, match=words):
            find_pairs(str(path), COCO)
    with pytest.raises(ConfigError, match='is not `all`, `limbs` or a readable file'):
        find_pairs(str(tmp_path / 'none.yaml'), COCO)


class Known(torch.nn.Module):
    """Yields the maps of known animals, in place of a trained network."""

    def __init__(self, network, data):
        super().__init__()
        from pose_training.data.part_ranges import PartRange
        from pose_training.families.part_locref.targets import make_targets
        self.family, self.maps = network.family, []
        self._counts = list(network.family.channels.values())
        for sample in read_dataset(data, network.family.topology):
            maps = make_targets(sample.people, np.ones(5, bool), np.ones((96, 192), np.uint8),
                                None, 8, PartRange(9.), True).maps
            maps[:5] = 20 * maps[:5] - 10
            self.maps.append(torch.from_numpy(maps))

    def forward(self, image):
        """Return the maps of the next image."""
        parts = self.maps.pop(0)[None].split(self._counts, 1)
        return [dict(zip(self.family.channels, parts))]


def test_examples_are_the_detections_near_labels(tmp_path):
    data = write_animals(tmp_path / 'data', side=96, several=2)
    names = ['nose', 'neck', 'tail_base', 'left_paw', 'right_paw']
    network = create_model('lite_part_pairwise', {
        'name': 'lizard', 'keypoint_names': names, 'limbs': []}, width=.25)
    network.pairs.set_statistics(np.zeros((20, 2)), np.ones((20, 2)))
    collected = PairSamples(network, [(0, 1), (3, 4)], (192, 96), 9.)
    collected._network = Known(network, data)
    collected._decoder.configure(nms_radius=1)
    collected.add(read_dataset(data, network.family.topology), data)
    for pair in ((0, 1), (3, 4)):
        # Discs of 9 px cover several cells, so that an animal may be detected twice.
        one, two = collected.counts(pair)
        assert one >= 16 and two >= 16
    models = collected.models()
    assert all(model.accuracy > .99 for model in models.values())
    mean, _, count = collected.statistics.result()
    assert count[0] == 16 and 14 < mean[0, 0] < 26


def test_what_cannot_be_trained_is_named(tmp_path, capsys):
    data = write_animals(tmp_path / 'data', 1)
    single, several = str(tmp_path / 'single.pt'), str(tmp_path / 'several.pt')
    topology = {'name': 'lizard', 'keypoint_names': ['nose', 'neck'], 'limbs': []}
    save_checkpoint(single, create_model('lite_part_detector', topology, width=.25))
    save_checkpoint(several, create_model('lite_part_pairwise', topology, width=.25))
    model = str(tmp_path / 'model.onnx')
    for checkpoint, words in ((single, 'has no pairwise terms'),
                              (several, 'no pair of keypoints was detected 4 times')):
        assert main(['pairwise', checkpoint, '--data', data, '-o', model, '--size', '64x64']) == 1
        assert words in capsys.readouterr().err
    assert main(['pairwise', several, '--data', data, '-o', model, '--radius', '0']) == 1
    assert 'is not above 0' in capsys.readouterr().err
    assert main(['pairwise', several, '--data', data, '-o', several]) == 2  # it is the input
    assert load_checkpoint(several)[0].pairs.facts()['pairs'] == []
