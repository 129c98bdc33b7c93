# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Crops of single people with their keypoints."""
from typing import Tuple

import cv2
import numpy as np

from pose_ros.core.topology import Topology
from pose_training.data.annotations import Sample
from pose_training.data.backgrounds import Backgrounds
from pose_training.data.dataset import PoseDataset
from pose_training.data.geometry import Crop, scaled, warp
from pose_training.data.person_geometry import (check_person_range, half_bodies, person_matrices,
                                                person_shares)
from pose_training.families.family import Targets

# Confidence of a pseudo-label -> its trust: 0 below the first, this share from the second up.
_LEAST_CONFIDENCE, _FULL_CONFIDENCE, _PSEUDO_TRUST = .25, .65, .6
_LOWER_BODY = ('hip', 'knee', 'ankle', 'heel', 'toe', 'foot')


def trust(sample: Sample) -> np.ndarray:
    """Return (P, K) from 0 to 1: 0 without a label, 1 for a label of a person."""
    labelled = (sample.people[..., 2] > 0).astype(np.float32)
    if sample.confidences is None:
        return labelled
    span = _FULL_CONFIDENCE - _LEAST_CONFIDENCE
    pseudo = ((sample.confidences - _LEAST_CONFIDENCE) / span).clip(0, 1) * _PSEUDO_TRUST
    return labelled * np.where(np.isnan(sample.confidences), 1, pseudo).astype(np.float32)


def upper_body(topology: Topology) -> np.ndarray:
    """Return (K,) bool: the keypoints above the hips, by their names."""
    return np.array([not any(part in name for part in _LOWER_BODY)
                     for name in topology.keypoint_names])


class PersonDataset(PoseDataset):
    """Crops of single people, each with the keypoints of its own person only."""

    def __init__(self, samples, spec, seed: int = 0, soft=None):
        super().__init__(samples, spec, seed, soft)
        folders = spec.person.backgrounds
        self._backgrounds = Backgrounds(self.samples, folders, spec.family.topology,
                                        self.max_side(spec), spec.max_pixels) if folders else None

    def _check(self, spec) -> None:
        check_person_range(spec.person)

    @staticmethod
    def max_side(spec) -> int:
        """See PoseDataset."""
        return spec.person.max_side

    def draw(self, index: int, variant: int) -> Tuple[Crop, Targets]:
        """See PoseDataset."""
        random = np.random.default_rng([self._seed, self.samples[index].identity, variant])
        spec, index = self.spec, self._images.find(index, random)
        image = self._images.read(index)
        if self._backgrounds is not None and random.random() < spec.person.replaced:
            image = self._backgrounds.replace(image, index, random)
        sample = scaled(self.samples[index], image.shape[1::-1])
        crop = self._person(image, sample, random)
        targets = spec.family.targets(crop, spec)
        if self._soft is not None:
            targets = self._soft.targets(self._key(crop), crop, targets)
        return crop, targets

    def _person(self, image, sample, random) -> Crop:
        spec, certain = self.spec, trust(sample)
        share = person_shares(sample.boxes, certain, spec.person.least)
        if not share.any():  # the image that replaces one that cannot be read
            share = np.ones(len(sample.boxes))
        chosen = int(random.choice(len(share), p=share / share.sum()))
        one = slice(chosen, chosen + 1)
        sample = sample._replace(people=sample.people[one], boxes=sample.boxes[one],
                                 confidences=certain[one])
        corners = np.concatenate([sample.boxes[:, :2], sample.boxes[:, :2] + sample.boxes[:, 2:]],
                                 1)
        points = np.concatenate([sample.people[..., :2], certain[one][..., None]], 2)
        corners = half_bodies(corners, points, upper_body(spec.family.topology), spec.person,
                              random)
        matrix = person_matrices(corners, np.array([sample.stretch]), spec.size, spec.person,
                                 random)[0]
        return warp(image, None, sample, matrix, spec.size, self._mirror)

    def degraded(self, crop: Crop, seed: int) -> np.ndarray:
        """See PoseDataset; with patches of other images or of one color over it."""
        random = np.random.default_rng([seed, 1])
        image, ranges = super().degraded(crop, seed), self.spec.person
        for _ in range(2):
            if random.random() < ranges.patches:
                image = self._covered(image, ranges.patch_extent, random)
        return image

    def _covered(self, image, extent, random) -> np.ndarray:
        height, width = image.shape[:2]
        sides = np.maximum(1, random.uniform(*extent, 2) * height)
        low = np.array([random.uniform(0, width), random.uniform(0, height)]) - sides / 2
        left, top = low.astype(int).clip(0, (width - 1, height - 1))
        right, bottom = (low + sides).astype(int).clip((left + 1, top + 1), (width, height))
        image, other = image.copy(), None
        if random.random() < .5:
            other = self._images.read(int(random.integers(len(self.samples))))
        image[top:bottom, left:right] = random.integers(256, size=3) if other is None \
            else _cut(other, (right - left, bottom - top), random)
        return image


def _cut(image, size, random) -> np.ndarray:
    """Return a random piece of an image as (height, width, 3)."""
    side = np.minimum(size, image.shape[1::-1])
    x, y = (int(random.integers(most - own + 1)) for most, own in zip(image.shape[1::-1], side))
    piece = image[y:y + side[1], x:x + side[0]]
    return piece if tuple(side) == tuple(size) else cv2.resize(piece, tuple(map(int, size)))


def person_share(sample: Sample, least: float = 0.) -> float:
    """Return how often an image is drawn: the sum over its people."""
    return float(person_shares(sample.boxes, trust(sample), least).sum())
