# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""`pose-train view`: draw training crops."""
import os
from typing import Tuple

import numpy as np

from pose_ros.core.command_files import check_outputs
from pose_ros.core.command_options import count
from pose_ros.core.errors import shown
from pose_ros.core.image_file import write_image
from pose_training.data.dataset import CropRequest, CropSampler, PoseDataset
from pose_training.data.panels import sheet
from pose_training.data.sets import read_sets
from pose_training.errors import ConfigError
from pose_training.fitting.config import load_config
from pose_training.fitting.crops import crop_spec
from pose_training.fitting.network import make_network
from pose_training.fitting.settings import RunConfig
from pose_training.fitting.teachers import soft_targets

DESCRIPTION = ('Draw crops as a training run would make them: the labels, with different colors '
               "for the person's own left and right, the input of the network, heatmaps, PAFs, "
               'and their weights. Check some crops before you train.')
EPILOG = """examples:
  pose-train view repvgg_fpn.yaml -o samples
  pose-train view repvgg_fpn.yaml data.crop.mosaic=1 teacher.weight=1 -o samples --count 50
  pose-train view --data person_keypoints_val2017.json -o samples model.topology=body_25

Give changes after the configuration. Left and right must be the person's own: if a person faces
the camera, the left arm is on the right side of the image.
"""


def add_arguments(parser) -> None:
    """Add the options of this command."""
    parser.add_argument('words', nargs='*', metavar='CONFIG | KEY=VALUE',
                        help='configuration of a run (YAML), and changes to it')
    parser.add_argument('--data', metavar='PATH',
                        help='draw crops of this COCO keypoint file, or folder of images without '
                             'people, instead of the datasets of the configuration')
    parser.add_argument('-o', '--output', required=True, metavar='FOLDER',
                        help='folder for the images')
    parser.add_argument('--count', type=count, default=20, metavar='N',
                        help='number of crops (default: 20)')
    parser.add_argument('--seed', type=int, metavar='N',
                        help="random seed (default: the configuration's)")


def run(args) -> int:
    """Write the images; return the exit code."""
    paths = [word for word in args.words if '=' not in word]
    if len(paths) > 1 or not (paths or args.data):
        raise ConfigError('name one configuration, or a dataset with --data')
    changes = [word for word in args.words if '=' in word]
    if args.data:
        changes.append('data.train=[{{path: {!r}}}]'.format(args.data))
    if args.seed is not None:
        changes.append('seed={}'.format(args.seed))
    dataset, draws = crops_of(load_config(paths[0] if paths else None, changes), args.count)
    check_outputs({'-o': os.path.join(args.output, '')},
                  [sample.path for sample in dataset.samples])
    os.makedirs(args.output, exist_ok=True)
    for number, draw in enumerate(draws):
        path = os.path.join(args.output, '{:04d}.png'.format(number))
        write_image(path, draw_crop(dataset, draw), follow_links=False)
    print('wrote {} images to {}'.format(args.count, args.output))
    for path in dataset.unusable:
        print(shown('unusable: {}'.format(path)))
    return 0


def crops_of(config: RunConfig, count: int) -> Tuple[PoseDataset, CropSampler]:
    """Return the crops of a run, with its teachers, and a sampler of `count` of them."""
    if not config.data.train:
        raise ConfigError('data.train names no dataset: give it a list of {path: ...}')
    data, network = config.data, make_network(config)
    family = network.family
    samples, weights = read_sets(data.train, family.topology, family)
    spec = crop_spec(data, family, network.stride)
    # A teacher computes the same on the device and in the loaders; here it runs crop by crop.
    teacher = config.teacher._replace(on_device=False)
    dataset = family.dataset(samples, spec, config.seed, soft_targets(
        config._replace(teacher=teacher), family, network.stride))
    return dataset, CropSampler(weights, count, data.variants, config.seed)


def draw_crop(dataset, draw: CropRequest) -> np.ndarray:
    """Draw one crop of a PoseDataset."""
    crop, targets = dataset.draw(draw.sample, draw.variant)
    seen = dataset.degraded(crop, draw.seed)
    caption = '{}, variant {}: {} labelled'.format(
        dataset.samples[draw.sample].path, draw.variant, len(crop.people))
    return sheet(crop, targets, seen, dataset.spec.family, caption)
