# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Time what feeds a training: each stage of a crop, and crops per second of the loader.

    .venv-training/bin/python training/benchmark/input_pipeline.py [--data LABELS.json FOLDER ...]

The stages are timed one crop after the other in one process: median and mean of all crops. The
loader is timed as a training run has it: images in memory or read each time, labels alone or
with cached maps of a teacher on disk. Without --data, images of 640 x 480 with
two people each are drawn. OpenCV and PyTorch run one thread per process.
"""
import argparse
import json
import os
import statistics
import sys
import tempfile
import time

import cv2
import numpy as np
import torch
from torch.utils.data import DataLoader

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, 'benchmark'))
from common import machine, print_table  # noqa: E402

from pose_ros.core.topology import get_topology  # noqa: E402
from pose_training.data.dataset import CropSpec, CropSampler, PoseDataset  # noqa: E402
from pose_training.data.geometry import CropRange, draw_crop, scaled  # noqa: E402
from pose_training.data.masks import ignored_mask  # noqa: E402
from pose_training.data.images import ImageReader  # noqa: E402
from pose_training.data.photometric import degrade  # noqa: E402
from pose_training.data.sets import read_sets, SetConfig  # noqa: E402
from pose_training.distillation.soft_targets import SoftTargets  # noqa: E402
from pose_training.families.registry import make_family  # noqa: E402

STRIDE, TOPOLOGY, VARIANTS = 8, 'coco_18', 2
STAGES = ('read', 'crop', 'targets', 'degrade')


class SilentTeacher:
    """A teacher without cost: the cache and the mixing of its maps are measured."""

    def __init__(self, family, size):
        """Make its constant maps."""
        shape = (sum(family.channels.values()), size[1] // STRIDE, size[0] // STRIDE)
        self._maps = np.random.default_rng(0).random(shape, np.float32)

    def known(self):
        """Return (C,) bool: it has each channel."""
        return np.ones(len(self._maps), bool)

    def maps(self, image):
        """Return the same maps for every crop."""
        return self._maps


def draw_images(folder, count=60, size=(640, 480)):
    """Write JPEG images of blurred noise with two people each; return the keypoint file."""
    random, names = np.random.default_rng(0), get_topology('coco_17').keypoint_names
    images, annotations = [], []
    for number in range(count):
        coarse = random.integers(0, 256, (size[1] // 8, size[0] // 8, 3), np.uint8)
        image = cv2.resize(coarse, size, interpolation=cv2.INTER_CUBIC)
        name = '{}.jpg'.format(number)
        cv2.imwrite(os.path.join(folder, name), image)
        images.append({'id': number, 'file_name': name, 'width': size[0], 'height': size[1]})
        for person in range(2):
            box = [40 + 300 * person, 60, 200, 360]
            points = random.uniform(box[:2], np.add(box[:2], box[2:]), (len(names), 2))
            keypoints = np.column_stack([points, np.full(len(names), 2)])
            annotations.append({'id': len(annotations), 'image_id': number, 'category_id': 1,
                                'bbox': box, 'keypoints': keypoints.ravel().tolist()})
    path = os.path.join(folder, 'labels.json')
    with open(path, 'w') as stream:
        json.dump({'images': images, 'annotations': annotations, 'categories': [
            {'id': 1, 'name': 'person', 'keypoints': names}]}, stream)
    return path


def time_stages(samples, spec, draws):
    """Return {stage: [seconds per crop]}."""
    times = {stage: [] for stage in STAGES}
    reader = ImageReader(samples, spec.geometry.max_side)
    mirror = get_topology(TOPOLOGY).mirror

    def timed(stage, function, *arguments):
        start = time.perf_counter()
        result = function(*arguments)
        times[stage].append(time.perf_counter() - start)
        return result

    def crop_of(sample, image, random):
        mask = ignored_mask(sample, *image.shape[1::-1])
        return draw_crop(image, mask, scaled(sample, image.shape[1::-1]), spec.size,
                         spec.geometry, mirror, random)

    for draw in draws:
        random = np.random.default_rng(draw.seed)
        image = timed('read', reader.read, draw.sample)
        crop = timed('crop', crop_of, samples[draw.sample], image, random)
        timed('targets', spec.family.targets, crop, spec)
        timed('degrade', degrade, crop.image, spec.photometric, random)
    return times


def one_thread(_=None):
    """Use one thread, as a loader's process does."""
    cv2.setNumThreads(1)
    torch.set_num_threads(1)


def crops_per_second(dataset, draws, batch, workers):
    """Time one epoch of a loader, but for the batches until all its processes are at work."""
    loader = DataLoader(dataset, batch, sampler=draws, num_workers=workers,
                        worker_init_fn=one_thread, drop_last=True)
    warm = max(1, 2 * workers)
    start, batches = 0., 0
    for number, _ in enumerate(loader):
        if number == warm - 1:
            start = time.perf_counter()
        batches += number >= warm
    if not batches:
        raise SystemExit('--crops is too few: {} batches are needed to begin with'.format(warm))
    return batches * batch / (time.perf_counter() - start)


def time_loaders(samples, weights, spec, options, folder):
    """Yield (images, targets, workers, crops per second)."""
    teacher = SoftTargets(lambda: SilentTeacher(spec.family, spec.size), spec.family,
                          cache=os.path.join(folder, 'cache'))
    for place in ('memory', 'files'):
        for targets, soft in (('labels', None), ('labels and cached teacher', teacher)):
            dataset = PoseDataset(samples, spec, soft=soft)
            if place == 'memory':
                dataset.preload()
            draws = CropSampler(weights, options.crops, VARIANTS)
            if soft:  # fill the cache
                crops_per_second(dataset, draws, options.batch, 0)
            for workers in options.workers:
                rate = crops_per_second(dataset, draws, options.batch, workers)
                yield place, targets, str(workers), '{:.0f}'.format(rate)


def main():
    """Measure, and print tables in Markdown."""
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--data', nargs='*', default=[], metavar='PATH',
                        help='COCO keypoint files, and folders of images without people')
    parser.add_argument('--side', type=int, default=256, help='of the crops [px] (default: 256)')
    parser.add_argument('--crops', type=int, default=640, help='crops per figure (default: 640)')
    parser.add_argument('--batch', type=int, default=32, help='crops of a batch (default: 32)')
    parser.add_argument('--workers', type=int, nargs='*', default=[0, 1, 2],
                        help='processes of the loader (default: 0 1 2)')
    options = parser.parse_args()
    one_thread()
    with tempfile.TemporaryDirectory() as folder:
        paths = options.data or [draw_images(folder)]
        samples, weights = read_sets([SetConfig(path) for path in paths], get_topology(TOPOLOGY))
        spec = CropSpec((options.side, options.side), STRIDE, make_family('paf', TOPOLOGY))
        print('{}; {} images, crops of {} x {} px'.format(
            machine(), len(samples), *spec.size))
        # One image a crop: mosaics have four.
        single = spec._replace(geometry=CropRange(mosaic=0.))
        times = time_stages(samples, single, list(CropSampler(weights, options.crops, VARIANTS)))
        print_table(('stage of one crop', 'median [ms]', 'mean [ms]'), [
            (stage, '{:.2f}'.format(1e3 * statistics.median(values)),
             '{:.2f}'.format(1e3 * statistics.mean(values))) for stage, values in times.items()])
        print_table(('images in', 'targets', 'processes', 'crops per second'),
                    time_loaders(samples, weights, spec, options, folder))


if __name__ == '__main__':
    main()
