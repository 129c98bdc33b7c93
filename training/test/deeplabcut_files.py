# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Projects of DeepLabCut 3, and what their networks compute, from the definitions of timm."""
import json

import numpy as np
import torch
from torch.nn import functional
import yaml


class TimmNet:
    """A ResNet-50 of timm and the head of DeepLabCut 3, by their definitions."""

    def __init__(self, keypoints, groups, width=.5, seed=0):
        self.random, self.groups, self.state = np.random.default_rng(seed), groups, {}
        narrow = [int(width * channels) for channels in (64, 128, 256, 512)]
        self._layer('conv1', 'bn1', 7, 3, narrow[0])
        channels = narrow[0]
        self.plan = []
        for level, (inner, units) in enumerate(zip(narrow, (3, 4, 6, 3)), 1):
            for unit in range(units):
                name = 'layer{}.{}.'.format(level, unit)
                for k, (kernel, a, b) in enumerate(((1, channels, inner), (3, inner, inner),
                                                    (1, inner, 4 * inner)), 1):
                    self._layer('{}conv{}'.format(name, k), '{}bn{}'.format(name, k), kernel, a, b)
                if unit == 0:
                    self._layer(name + 'downsample.0', name + 'downsample.1', 1, channels,
                                4 * inner)
                stride = 2 if unit == 0 and level in (2, 3) else 1
                self.plan.append((name, stride, 2 if level == 4 and unit else 1, unit == 0))
                channels = 4 * inner
        for head, outputs in (('heatmap_head', keypoints), ('locref_head', 2 * keypoints)):
            at = 'heads.bodypart.{}.deconv_layers.0.'.format(head)
            self._set(at + 'weight', self.random.normal(0, .02, (channels, outputs, 3, 3)))
            self._set(at + 'bias', self.random.normal(0, .1, outputs))

    def _set(self, name, array):
        self.state[name] = torch.from_numpy(np.asarray(array, np.float32))

    def _layer(self, name, norm, kernel, inputs, outputs):
        at = 'backbone.model.'
        self._set(at + name + '.weight', self.random.normal(
            0, (2 / (kernel ** 2 * inputs)) ** .5, (outputs, inputs, kernel, kernel)))
        self._set('{}{}.weight'.format(at, norm), self.random.uniform(.5, 1, outputs))
        self._set('{}{}.bias'.format(at, norm), self.random.uniform(-.2, .2, outputs))
        if not self.groups:
            self._set('{}{}.running_mean'.format(at, norm), self.random.normal(0, .1, outputs))
            self._set('{}{}.running_var'.format(at, norm), self.random.uniform(.5, 2, outputs))
            self.state['{}{}.num_batches_tracked'.format(at, norm)] = torch.tensor(7)

    def _normed(self, x, name, norm, **options):
        at = 'backbone.model.'
        x = functional.conv2d(x, self.state[at + name + '.weight'], **options)
        weight, bias = (self.state['{}{}.{}'.format(at, norm, part)] for part in (
            'weight', 'bias'))
        if self.groups:
            return functional.group_norm(x, self.groups, weight, bias)
        mean, variance = (self.state['{}{}.running_{}'.format(at, norm, part)] for part in (
            'mean', 'var'))
        return functional.batch_norm(x, mean, variance, weight, bias)

    def __call__(self, image):
        """Return score maps and refinements (h, w, C) of an image (H, W, 3) RGB in 0..255."""
        x = torch.from_numpy(((image / 255 - (.485, .456, .406)) / (.229, .224, .225)).transpose(
            2, 0, 1)[None].astype(np.float32))
        x = functional.relu(self._normed(x, 'conv1', 'bn1', stride=2, padding=3))
        x = functional.max_pool2d(x, 3, 2, 1)
        for name, stride, rate, first in self.plan:
            y = functional.relu(self._normed(x, name + 'conv1', name + 'bn1'))
            y = functional.relu(self._normed(y, name + 'conv2', name + 'bn2', stride=stride,
                                             padding=rate, dilation=rate))
            y = self._normed(y, name + 'conv3', name + 'bn3')
            if first:
                x = self._normed(x, name + 'downsample.0', name + 'downsample.1', stride=stride)
            x = functional.relu(x + y)
        return [functional.conv_transpose2d(
            x, self.state['heads.bodypart.{}.deconv_layers.0.weight'.format(head)],
            self.state['heads.bodypart.{}.deconv_layers.0.bias'.format(head)], 2)[0].permute(
                1, 2, 0).numpy() for head in ('heatmap_head', 'locref_head')]


def write_project(folder, original, names, shuffle='LizardMay1-trainset95shuffle1', **changes):
    """Write a DeepLabCut 3 project with two snapshots; return its folder."""
    place = folder / 'dlc-models-pytorch' / 'iteration-0' / shuffle / 'train'
    place.mkdir(parents=True)
    (folder / 'config.yaml').write_text(yaml.safe_dump({
        'Task': 'lizard', 'bodyparts': list(names), 'iteration': 0,
        'skeleton': [['nose', 'tail tip'], ['tail tip', 'nose'], ['nose', 'gone']]}))
    maps = {'kernel_size': [3], 'strides': [2]}
    config = {
        'metadata': {'bodyparts': list(names)}, 'method': 'bu', 'net_type': 'resnet_50',
        'model': {'backbone': {'type': 'ResNet', 'output_stride': 16, 'model_name': 'resnet50_gn'
                               if original.groups else 'resnet50', **changes},
                  'heads': {'bodypart': {
                      'type': 'HeatmapHead', 'heatmap_config': maps, 'locref_config': maps,
                      'predictor': {'type': 'HeatmapPredictor', 'apply_sigmoid': False,
                                    'clip_scores': True, 'locref_std': 7.2801}}}}}
    (place / 'pytorch_config.yaml').write_text(json.dumps(config))  # JSON is YAML
    data = {'metadata': {'epoch': 200, 'metrics': {'test.rmse': 3.5}, 'losses': {}},
            'model': original.state}
    torch.save({**data, 'model': {}}, str(place / 'snapshot-200.pt'))
    torch.save(data, str(place / 'snapshot-best-150.pt'))
    return folder
