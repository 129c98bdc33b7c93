# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Entries of a loader: a degraded crop, its target maps, and their weights."""
import hashlib
from typing import Iterator, List, NamedTuple, Optional, Sequence, Tuple

import numpy as np
import torch
from torch.utils.data import Dataset, Sampler

from pose_ros.core.image_size import MAX_PIXELS
from pose_training.data.annotations import Sample
from pose_training.data.geometry import check_ranges, cover, Crop, CropRange, draw_crop, scaled
from pose_training.data.masks import ignored_mask
from pose_training.data.mosaic import draw_tiles, put_together
from pose_training.data.images import half_of_memory, ImageReader
from pose_training.data.part_ranges import PartRange
from pose_training.data.person_geometry import PersonRange
from pose_training.data.photometric import check_photometric, degrade, PhotometricRange
from pose_training.data.scene_geometry import SceneRange
from pose_training.errors import ConfigError, DataError
from pose_training.families.family import Family, Targets


class CropSpec(NamedTuple):
    """Properties of crops: size (width, height) [px], stride of the maps, random ranges."""

    size: Tuple[int, int]
    stride: int
    family: Family
    geometry: CropRange = CropRange()
    photometric: PhotometricRange = PhotometricRange()
    sigma: float = 7.
    limb_width: float = 8.
    person: PersonRange = PersonRange()
    scene: SceneRange = SceneRange()
    max_pixels: int = MAX_PIXELS
    parts: PartRange = PartRange()


class CropRequest(NamedTuple):
    """One crop to make: index of the image, variant, and seed of the changes of light."""

    sample: int
    variant: int
    seed: int


class PoseDataset(Dataset):
    """Crops of images with target maps.

    The geometry of a crop depends only on the seed, the image and the variant, so that the maps of
    a teacher can be cached; light and noise differ each time. `soft` mixes in the maps of a
    teacher: an object with `targets(key, crop, targets) -> Targets`. Raises ConfigError for an
    invalid spec, DataError without samples.
    """

    def __init__(self, samples: Sequence[Sample], spec: CropSpec, seed: int = 0, soft=None):
        if not samples:
            raise DataError('there are no images to train on')
        if min(spec.size) < spec.stride or any(side % spec.stride for side in spec.size):
            raise ConfigError('crops of {} x {} pixels: both sides must be multiples of the '
                              "network's stride, {}".format(*spec.size, spec.stride))
        self._check(spec)
        check_photometric(spec.photometric)
        self.samples, self.spec = list(samples), spec
        self._seed, self._soft = seed, soft
        self._mirror = spec.family.topology.mirror
        self._images = ImageReader(self.samples, self.max_side(spec), spec.max_pixels)

    def _check(self, spec: CropSpec) -> None:
        check_ranges(spec.geometry)

    @staticmethod
    def max_side(spec: CropSpec) -> int:
        """Return the longest side of images that are kept [px]."""
        return spec.geometry.max_side

    def __len__(self) -> int:
        return len(self.samples)

    @property
    def unusable(self) -> List[str]:
        """The images that could not be read so far, and were replaced by others."""
        return self._images.unusable

    def preload(self, progress=iter, most: Optional[int] = None) -> None:
        """Read the images into memory that loader processes share.

        At most `most` bytes (default: half of the computer's memory).
        """
        self._images.preload(progress, half_of_memory() if most is None else most)

    def __getitem__(self, draw: CropRequest):
        """Return image (3, h, w) uint8 BGR, maps and weights (C, h, w) float32."""
        crop, targets = self.draw(draw.sample, draw.variant)
        return (as_tensor(self.degraded(crop, draw.seed)), torch.from_numpy(targets.maps),
                torch.from_numpy(targets.weights))

    def degraded(self, crop: Crop, seed: int) -> np.ndarray:
        """Return the crop's image (h, w, 3) in another light, and with noise."""
        return degrade(crop.image, self.spec.photometric, np.random.default_rng(seed))

    def draw(self, index: int, variant: int) -> Tuple[Crop, Targets]:
        """Return the crop, not yet degraded, and its targets."""
        random = np.random.default_rng([self._seed, self.samples[index].identity, variant])
        spec = self.spec
        indices, sizes = [index], [spec.size]
        if random.random() < spec.geometry.mosaic:
            sizes = draw_tiles(spec.size, spec.stride, random)
            indices += random.integers(len(self.samples), size=len(sizes) - 1).tolist()
            random.shuffle(indices)
        pieces = [self._piece(*piece, random) for piece in zip(indices, sizes)]
        crop, targets = pieces[0] if len(pieces) == 1 else put_together(pieces)
        if self._soft is not None:
            targets = self._soft.targets(self._key(crop), crop, targets)
        return crop, targets

    def _piece(self, index, size, random):
        spec, index = self.spec, self._images.find(index, random)
        image = self._images.read(index)
        mask = ignored_mask(self.samples[index], *image.shape[1::-1])
        sample = scaled(self.samples[index], image.shape[1::-1])
        crop = draw_crop(image, mask, sample, size, spec.geometry, self._mirror, random,
                         self._backdrop)
        return crop, spec.family.targets(crop, spec)

    def _backdrop(self, size, random):
        image = self._images.draw_empty(random)
        return None if image is None else cover(image, size, random)

    def _key(self, crop):
        """Return the cache key of a crop, and of its maps: image, variant and layout."""
        facts = repr((self.spec.family.layout, self.spec.stride, crop.image.shape)).encode()
        return hashlib.sha256(facts + crop.image.tobytes()).hexdigest()[:32]


def as_tensor(image: np.ndarray) -> torch.Tensor:
    """Return an (h, w, 3) image as (3, h, w)."""
    return torch.from_numpy(np.ascontiguousarray(image.transpose(2, 0, 1)))


class CropSampler(Sampler):
    """The crops of every epoch, the same for the same seed: exact to resume.

    `weights` (samples,) are the relative frequencies of the images; every process of `ranks`
    takes its share. The trainer sets `epoch`. Raises DataError for invalid weights, ConfigError
    for fewer crops than processes.
    """

    def __init__(self, weights: np.ndarray, per_epoch: int, variants: int, seed: int = 0,
                 rank: int = 0, ranks: int = 1):
        weights = np.asarray(weights, np.float64)
        if not len(weights) or not np.isfinite(weights).all() or weights.min() < 0 \
                or weights.sum() <= 0:
            raise DataError('the weights of the datasets must be numbers from 0 up, and one of '
                            'them above 0')
        if per_epoch < ranks or variants < 1:
            raise ConfigError('{} crops in an epoch, {} variants: at least one for each of the {} '
                              'processes'.format(per_epoch, variants, ranks))
        self._share = weights / weights.sum()
        self._per_epoch, self._variants, self._seed = per_epoch, variants, seed
        self._rank, self._ranks = rank, ranks
        self.epoch = 0

    def set_epoch(self, epoch: int) -> None:
        """Set the epoch of the next iteration."""
        self.epoch = epoch

    def __len__(self) -> int:
        return self._per_epoch // self._ranks

    def __iter__(self) -> Iterator[CropRequest]:
        random = np.random.default_rng([self._seed, self.epoch])
        chosen = random.choice(len(self._share), self._per_epoch, p=self._share)
        variants = random.integers(self._variants, size=self._per_epoch)
        seeds = random.integers(1 << 62, size=self._per_epoch)
        for position in range(self._rank, len(self) * self._ranks, self._ranks):
            yield CropRequest(int(chosen[position]), int(variants[position]), int(seeds[position]))
