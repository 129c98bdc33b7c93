# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""The crops of a run: the share of each process, from any position in an epoch."""
import itertools
import multiprocessing
from typing import Iterator, List, Optional

import cv2
import lightning
import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset, Sampler
from tqdm import tqdm

from pose_training.data.dataset import as_tensor, CropRequest, CropSampler, CropSpec, PoseDataset
from pose_training.data.sets import read_sets
from pose_training.errors import ConfigError, DataError
from pose_training.families.family import Family
from pose_training.fitting.interruption import ignore_signals
from pose_training.fitting.settings import DataConfig, RunConfig
from pose_training.fitting.teachers import (add_points, device_teachers, soft_targets,
                                            training_crops)
from pose_training.models.network import PoseNetwork

_CROPS = 'crops'


def crop_spec(data: DataConfig, family: Family, stride: int) -> CropSpec:
    """Return the CropSpec of a configuration for a network's family and stride."""
    return CropSpec(data.size, stride, family, data.crop, data.photometric, data.sigma,
                    data.limb_width, data.person, data.scene, data.max_pixels,
                    data.parts)


class Remaining(Sampler):
    """A CropSampler without the first `skip` crops of its first epoch; len() is a full epoch."""

    def __init__(self, draws: CropSampler, skip: int = 0):
        self._draws, self._skip = draws, skip

    def set_epoch(self, epoch: int) -> None:
        """Set the epoch of the next iteration."""
        self._draws.set_epoch(epoch)

    def __len__(self) -> int:
        return len(self._draws)

    def __iter__(self) -> Iterator[CropRequest]:
        skip, self._skip = self._skip, 0
        return itertools.islice(iter(self._draws), skip, None)


class CleanCrops(Dataset):
    """The crops of a PoseDataset without changes of light and noise."""

    def __init__(self, crops: PoseDataset):
        self.crops, self.samples = crops, crops.samples

    def __len__(self) -> int:
        return len(self.crops)

    def __getitem__(self, draw: CropRequest):
        """See PoseDataset."""
        crop, targets = self.crops.draw(draw.sample, draw.variant)
        return (as_tensor(crop.image), torch.from_numpy(targets.maps),
                torch.from_numpy(targets.weights))


class Crops(lightning.LightningDataModule):
    """Reads the datasets of a run, and makes the loaders of each process.

    The crops of an epoch depend only on the seed and the epoch's number; the state is the number
    of used crops. Raises DataError for invalid datasets.
    """

    def __init__(self, config: RunConfig, network: PoseNetwork):
        super().__init__()
        if not config.data.train:
            raise ConfigError('data.train names no dataset: give it a list of {path: ...}')
        self.size = config.data.size
        self._config, self._stride = config, network.stride
        self._topology = network.family.topology
        self._family = network.family
        self._used = 0
        self.memory_format = torch.contiguous_format  # of the images on the device
        self._teachers = device_teachers(network, config)
        self._crops: Optional[PoseDataset] = None
        self._val: Optional[CleanCrops] = None

    def setup(self, stage: str) -> None:
        """Read the datasets, and the images if they are kept in memory."""
        cv2.setNumThreads(1)  # a pool of threads does not survive the fork of the loaders
        config, data = self._config, self._config.data
        samples, self._weights = read_sets(data.train, self._topology, self._family)
        if data.person.backgrounds and not any(sample.mask for sample in samples):
            raise DataError('data.person.backgrounds: no image of data.train has a mask; give a '
                            'dataset its folder of `masks`')
        samples = add_points(samples, config.teacher, self._topology, data.max_pixels)
        if not config.teacher.models and not any(self._family.share(sample)
                                                 for sample in samples):
            raise DataError('no person is labelled in {}, and there is no teacher: there are '
                            'no targets'.format(', '.join(part.path for part in data.train)))
        self._crops = self._family.dataset(samples, self._spec(), config.seed, soft_targets(
            config, self._family, self._stride))
        self._train = training_crops(self._crops, config, self._family, self._stride)
        if data.val:
            samples, self._val_weights = read_sets(data.val, self._topology, self._family)
            self._val = CleanCrops(self._family.dataset(samples, self._spec(), config.seed))
        for part in (self._crops, self._val and self._val.crops):
            if data.preload and part is not None:
                part.preload(lambda items: tqdm(items, 'images', leave=False, disable=None))

    def _spec(self):
        return crop_spec(self._config.data, self._family, self._stride)

    def train_dataloader(self) -> DataLoader:
        """Return the loader of this process, which continues at the position of the snapshot."""
        draws = self._draws()
        draws.set_epoch(self.trainer.fit_loop.epoch_progress.current.processed)
        sampler = Remaining(draws, self._used // self.trainer.world_size)
        self._used = 0
        return self._loader(self._train, sampler, drop_last=True)

    def val_dataloader(self) -> list:
        """Return the loader of this process, or none."""
        if self._val is None:
            return []
        draws = list(CropSampler(self._val_weights, self._config.data.val_crops, 1,
                                 self._config.seed))
        # A list: with a sampler the trainer would draw other crops for each epoch.
        share = draws[self.trainer.global_rank::self.trainer.world_size]
        return [self._loader(self._val, share, drop_last=False)]

    def on_after_batch_transfer(self, batch, dataloader_idx):
        """Mix in the teachers on the device; the module gets image, target, weights."""
        if self._teachers is None or not self.trainer.training:
            return batch
        image, target, weights, clean, complete = batch
        self._teachers.to(image.device, self.memory_format)
        with self.trainer.precision_plugin.forward_context():
            target, weights = self._teachers.mix(target, weights, clean, complete)
        return image, target, weights

    def begin(self, network: PoseNetwork) -> None:
        """Set what the network knows of these data; see Family.begin."""
        self._family.begin(network, self._crops)

    def _draws(self):
        config = self._config
        return CropSampler(self._weights, config.optimizer.crops_per_epoch, config.data.variants,
                           config.seed, self.trainer.global_rank, self.trainer.world_size)

    def _loader(self, dataset, sampler, drop_last):
        workers = self._config.data.workers
        methods = multiprocessing.get_all_start_methods()
        return DataLoader(
            dataset, self._share(), sampler=sampler, drop_last=drop_last, num_workers=workers,
            worker_init_fn=_begin_worker, persistent_workers=workers > 0,
            multiprocessing_context='fork' if workers and 'fork' in methods else None,
            pin_memory=self.trainer.strategy.root_device.type == 'cuda',
            generator=torch.Generator())  # the global one must not depend on the loaders

    def _share(self):
        return self._config.optimizer.batch // self.trainer.world_size

    def state_dict(self) -> dict:
        """Return the number of used crops of the current epoch, over all processes."""
        loop = self.trainer.fit_loop.epoch_loop
        batches = loop.batch_progress.current.processed
        if batches >= self.trainer.num_training_batches:
            batches = 0
        return {_CROPS: batches * self._share() * self.trainer.world_size}

    def load_state_dict(self, state_dict: dict) -> None:
        """Read the position within the epoch from a snapshot."""
        self._used = int(state_dict[_CROPS])

    def files(self, epoch: int, batch: int) -> List[str]:
        """Return the images of a batch of this process, in its order."""
        draws = self._draws()
        draws.set_epoch(epoch)
        chosen = itertools.islice(iter(draws), batch * self._share(), (batch + 1) * self._share())
        return [self._crops.samples[draw.sample].path for draw in chosen]

    def fixed_crops(self, count: int) -> list:
        """Return image (3, H, W) uint8, maps, weights (C, h, w) of the same crops each time."""
        dataset = self._val or CleanCrops(self._family.dataset(
            self._crops.samples, self._spec(), self._config.seed))
        random = np.random.default_rng(self._config.seed)
        chosen = [index for index, sample in enumerate(dataset.samples) if len(sample.people)]
        chosen = chosen or list(range(len(dataset)))
        return [dataset[CropRequest(int(random.choice(chosen)), index, 0)]
                for index in range(count)]


def _begin_worker(_):
    ignore_signals()
    cv2.setNumThreads(1)
    torch.set_num_threads(1)
