# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Time a training step: images per second of forward, loss, backward and update.

    .venv-training/bin/python training/benchmark/training_step.py [--model repvgg_fpn] [--side 256]

First the step alone, the same batch again and again; then with the loader that feeds a training
run, from drawn images of 640 x 480 in memory. Where the second figure is much lower, more
loader processes (data.workers) or a cache of the teachers' maps help, and not a faster GPU.
"""
import argparse
import itertools
import os
import sys
import tempfile
import time

import cv2
import torch
from torch.utils.data import DataLoader

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, 'benchmark'))
from common import machine, print_table  # noqa: E402
from input_pipeline import draw_images, one_thread  # noqa: E402

from pose_training.data.dataset import CropSpec, CropSampler, PoseDataset  # noqa: E402
from pose_training.data.sets import read_sets, SetConfig  # noqa: E402
from pose_training.fitting.averaging import WeightAverage  # noqa: E402
from pose_training.fitting.config import load_config  # noqa: E402
from pose_training.fitting.fit import memory_format  # noqa: E402
from pose_training.families.losses import total_loss  # noqa: E402
from pose_training.fitting.module import PoseModule  # noqa: E402
from pose_training.models import create_model  # noqa: E402

_TYPES = {'fp32': None, 'bf16': torch.bfloat16, 'fp16': torch.float16}


class Step:
    """One training step of a network, as a run makes it, in one process."""

    def __init__(self, name, precision, device):
        """Build the network on the device."""
        network = create_model(name)
        layout = memory_format(device, network)
        self.network = network.to(device, memory_format=layout)
        config = load_config(None, ['optimizer.precision=' + precision])
        self._module = PoseModule(self.network, config, None, layout).to(device)
        self._optimizer, self._average = self._module.configure_optimizers(), WeightAverage(.999)
        self._average.on_fit_start(None, self._module)
        self._scaler = torch.amp.GradScaler(device.type, enabled=precision == 'fp16')
        self._config, self._device, self._type = config.optimizer, device, _TYPES[precision]

    def __call__(self, batch):
        """Learn from image, target and weights."""
        image, target, weights = (part.to(self._device, non_blocking=True) for part in batch)
        with torch.autocast(self._device.type, self._type, enabled=self._type is not None):
            stages = self.network(self._module.normalize(image))
        losses = self.network.family.loss(stages, target, weights, self._config.foreground_weight)
        self._scaler.scale(total_loss(losses, self._config.stage_weight)).backward()
        self._scaler.unscale_(self._optimizer)
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), self._config.grad_clip_norm)
        self._scaler.step(self._optimizer)
        self._scaler.update()
        self._optimizer.zero_grad()
        self._average.update(self.network)


def images_per_second(step, batches, seconds, device):
    """Run steps for a while, after three that do not count."""
    count, start = 0, 0.
    for number, batch in enumerate(batches):
        step(batch)
        if device.type == 'cuda' and number >= 2:
            torch.cuda.synchronize()
        if number == 2:
            start = time.perf_counter()
        elif number > 2:
            count += len(batch[0])
            if time.perf_counter() - start > seconds:
                break
    return count / (time.perf_counter() - start)


def crops(folder, name, side):
    """Return crops of drawn images for a network, and how often each is drawn."""
    network = create_model(name)
    samples, weights = read_sets([SetConfig(draw_images(folder))], network.family.topology)
    dataset = PoseDataset(samples, CropSpec((side, side), network.stride, network.family))
    dataset.preload()
    return dataset, weights


def time_all(options, device, dataset, weights):
    """Yield (precision, loader processes, images per second)."""
    draws = CropSampler(weights, 1 << 16, 64)
    batch = next(iter(DataLoader(dataset, options.batch, sampler=draws)))
    for precision in options.precision:
        for workers in (None, *options.workers):
            batches = itertools.repeat(batch) if workers is None else iter(DataLoader(
                dataset, options.batch, sampler=draws, num_workers=workers, drop_last=True,
                worker_init_fn=one_thread, pin_memory=device.type == 'cuda'))
            rate = images_per_second(Step(options.model, precision, device), batches,
                                     options.seconds, device)
            yield (precision, 'without the loader' if workers is None else str(workers),
                   '{:.1f}'.format(rate))


def main():
    """Measure, and print a table in Markdown."""
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--model', default='repvgg_fpn', help='network (default: student)')
    parser.add_argument('--side', type=int, default=256, help='of the crops [px] (default: 256)')
    parser.add_argument('--batch', type=int, default=32, help='crops of a batch (default: 32)')
    parser.add_argument('--precision', nargs='*', choices=tuple(_TYPES), default=['fp32', 'bf16'],
                        help='number formats (default: fp32 bf16)')
    parser.add_argument('--workers', type=int, nargs='*', default=[2],
                        help='processes of the loader (default: 2)')
    parser.add_argument('--seconds', type=float, default=10., help='per figure (default: 10)')
    parser.add_argument('--device', default='cuda' if torch.cuda.is_available() else 'cpu')
    options = parser.parse_args()
    cv2.setNumThreads(1)  # a pool of threads does not survive the fork of the loaders
    device = torch.device(options.device)
    name = torch.cuda.get_device_name(device) if device.type == 'cuda' else \
        '{} threads'.format(torch.get_num_threads())
    print('{}; {}; {} at {side} x {side} px, batches of {}'.format(
        machine(), name, options.model, options.batch, side=options.side))
    with tempfile.TemporaryDirectory() as folder:
        dataset, weights = crops(folder, options.model, options.side)
        print_table(('precision', 'loader processes', 'images per second'),
                    time_all(options, device, dataset, weights))


if __name__ == '__main__':
    main()
