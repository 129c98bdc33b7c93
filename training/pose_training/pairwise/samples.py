# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Pairs of real detections of a network on labelled images, and whether they are of one person."""
from typing import Callable, Dict, List, Sequence, Tuple

import numpy as np

from pose_ros.core.decoders.part_pairwise import Detections, PartPairwiseDecoder
from pose_ros.core.errors import ImageError
from pose_ros.core.preprocessing import Preprocessor
from pose_ros.core.regions import whole
from pose_training.data.annotations import Sample
from pose_training.data.images import read_labelled, tell_left_out
from pose_training.errors import ConfigError, DataError
from pose_training.exporters.cards import make_form
from pose_training.exporters.export import ExportOptions
from pose_training.exporters.inference import inference_copy, run_network
from pose_training.families.part_locref.statistics import Statistics
from pose_training.pairwise.logistic import fit_model, PairModel

Pair = Tuple[int, int]
FEWEST = 4  # pairs of detections of each kind that a model is fitted to


class PairSamples:
    """Collects features (n, 8) of pairs of detections by pair of keypoints, and their classes.

    `size` is the (width, height) of the network input; `radius` [px] how far a detection may be
    from the keypoint that it is of. Images are letterboxed as on the robot.
    """

    def __init__(self, network, pairs: Sequence[Pair], size=None, radius: float = 17.):
        form = make_form(network, ExportOptions(size), {})
        if form.card.decoder.type != 'part_pairwise':
            raise ConfigError('{} has no pairwise terms: train a part_pairwise network'.format(
                network.recipe.name))
        self._network, self._form, self._radius = inference_copy(network), form, radius
        self._decoder = PartPairwiseDecoder(form.card)
        self._preprocessor = Preprocessor(form.input)
        self._found: Dict[Pair, List[np.ndarray]] = {pair: [] for pair in pairs}
        self._together: Dict[Pair, List[np.ndarray]] = {pair: [] for pair in pairs}
        self.pairs = tuple(pairs)
        self.statistics = Statistics(form.card.topology.size)

    def add(self, samples: Sequence[Sample], where: str,
            progress: Callable = lambda items: items) -> None:
        """Detect on labelled images; DataError if none of them can be read."""
        faults = []
        for sample in progress(samples):
            if not len(sample.people):
                continue
            try:
                image = read_labelled(sample.path, sample.size)
            except ImageError as error:
                faults.append(error)
                continue
            self._add(image, sample.people)
        tell_left_out(where, faults, sum(len(sample.people) > 0 for sample in samples))

    def _add(self, image, people):
        height, width = image.shape[:2]
        transform = self._preprocessor.write(image, whole(0, width, height), 0)
        people = people.copy()
        people[..., :2] = transform.to_network(people[..., :2])
        self.statistics.add(people)
        outputs = {name: value[0] for name, value in run_network(
            self._network, self._preprocessor.batch).items()}
        found = self._decoder.detections(outputs)
        owner = _owners(found, people, self._radius)
        for first, second in self._found:
            one, other = np.meshgrid(*(np.flatnonzero((found.keypoint == keypoint) & (owner >= 0))
                                       for keypoint in (first, second)), indexing='ij')
            one, other = one.ravel(), other.ravel()
            self._found[first, second].append(self._decoder.features(outputs, found, one, other))
            self._together[first, second].append(owner[one] == owner[other])

    def counts(self, pair: Pair) -> Tuple[int, int]:
        """Return how many pairs of detections are of one person, and of two."""
        together = np.concatenate(self._together[pair] or [np.zeros(0, bool)])
        return int(together.sum()), int((~together).sum())

    def models(self) -> Dict[Pair, PairModel]:
        """Fit the models of all pairs with enough detections; DataError if there is none."""
        fitted = {pair: fit_model(np.concatenate(found), np.concatenate(self._together[pair]))
                  for pair, found in self._found.items() if min(self.counts(pair)) >= FEWEST}
        if not fitted:
            raise DataError('no pair of keypoints was detected {} times on one person and {} '
                            'times on two: give more images of several people, or train the '
                            'network longer'.format(FEWEST, FEWEST))
        return fitted


def _owners(found: Detections, people, radius):
    """Return the index of the person of each detection (n,), -1 if no label is near."""
    if not len(found.score):
        return np.zeros(0, int)
    labels = people[:, found.keypoint]  # (P, n, 3)
    apart = np.linalg.norm(labels[..., :2] - found.place, axis=2)
    apart = np.where(labels[..., 2] > 0, apart, np.inf)
    owner = apart.argmin(0)
    return np.where(apart.min(0) <= radius, owner, -1)
