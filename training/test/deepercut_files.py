# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Variables of DeeperCut's form, and what its graph computes, from TensorFlow's definitions."""
import numpy as np
from tf_tables import write_checkpoint
import torch
from torch.nn import functional
import yaml

UNITS = {50: (3, 4, 6, 3), 101: (3, 4, 23, 3)}
MEANS = (123.68, 116.779, 103.939)
HEADS = {'part_pred': 1, 'locref_pred': 2}
IMAGE = np.random.default_rng(1).uniform(0, 255, (48, 64, 3))
CFG = {'dataset_type': 'mpii', 'net_type': 'resnet_50', 'locref_stdev': 7.2801,
       'global_scale': .85}


def random_variables(keypoints, heads=None, depth=50, width=.125, seed=0):
    """Return variables by name: `heads` are {name: channels}; the intermediate one reads block3.

    Numbers are such that maps neither vanish nor explode.
    """
    random, found = np.random.default_rng(seed), {}
    narrow = [int(width * channels) for channels in (64, 128, 256, 512)]

    def layer(scope, kernel, inputs, outputs):
        found[scope + '/weights'] = random.normal(0, (2 / (kernel ** 2 * inputs)) ** .5, (
            kernel, kernel, inputs, outputs))
        for name, low, high in (('gamma', .5, 1.), ('beta', -.2, .2), ('moving_mean', -.2, .2),
                                ('moving_variance', .5, 2.)):
            found['{}/BatchNorm/{}'.format(scope, name)] = random.uniform(low, high, outputs)

    net = 'resnet_v1_{}'.format(depth)
    layer(net + '/conv1', 7, 3, narrow[0])
    found[net + '/conv1/weights'] /= 60  # of pixels
    channels = narrow[0]
    for block, (inner, units) in enumerate(zip(narrow, UNITS[depth]), 1):
        for unit in range(1, units + 1):
            scope = '{}/block{}/unit_{}/bottleneck_v1/'.format(net, block, unit)
            if unit == 1:
                layer(scope + 'shortcut', 1, channels, 4 * inner)
            layer(scope + 'conv1', 1, channels, inner)
            layer(scope + 'conv2', 3, inner, inner)
            layer(scope + 'conv3', 1, inner, 4 * inner)
            channels = 4 * inner
    if heads is None:
        heads = {name: count * keypoints for name, count in HEADS.items()}
    for name, outputs in heads.items():
        inputs = 4 * narrow[2 if name.startswith('inter') else 3]
        scope = 'pose/{}/block4'.format(name)
        found[scope + '/weights'] = random.normal(0, .1, (3, 3, outputs, inputs))
        found[scope + '/biases'] = random.normal(0, .1, outputs)
    return {name: array.astype(np.float32) for name, array in found.items()}


def evaluate(variables, image, depth=50, supervised=12):
    """Return the heads' maps (h, w, C) by name for an image (H, W, 3) RGB in 0..255."""
    net = 'resnet_v1_{}'.format(depth)
    x = np.asarray(image, np.float64) - MEANS
    x = np.maximum(_layer(variables, net + '/conv1', _padded(x, 3, 3), 2), 0)
    x = _pooled(x)
    tapped = None
    for block, units in enumerate(UNITS[depth], 1):
        for unit in range(1, units + 1):
            scope = '{}/block{}/unit_{}/bottleneck_v1/'.format(net, block, unit)
            stride = 2 if unit == units and block in (1, 2) else 1
            rate = 2 if block == 4 else 1
            shortcut = _layer(variables, scope + 'shortcut', x) if unit == 1 \
                else x[::stride, ::stride]
            y = np.maximum(_layer(variables, scope + 'conv1', x), 0)
            y = _layer(variables, scope + 'conv2', _padded(y, rate, rate), stride, rate)
            x = np.maximum(shortcut + _layer(variables, scope + 'conv3', np.maximum(y, 0)), 0)
            if block == 3 and unit == supervised:
                tapped = x
    scopes = sorted({name.split('/')[1] for name in variables if name.startswith('pose/')})
    return {name: _transposed(variables, 'pose/{}/block4'.format(name),
                              tapped if name.startswith('inter') else x) for name in scopes}


def _padded(x, before, after):
    return np.pad(x, ((before, after), (before, after), (0, 0)))


def _pooled(x):
    """SAME of a 3x3 window with stride 2: the pixels from 2 i - before to 2 i - before + 2."""
    height, width = x.shape[:2]
    rows = [max(0, 2 * (side // 2 + side % 2 - 1) + 3 - side) for side in (height, width)]
    x = np.pad(x, [(pad // 2, pad - pad // 2) for pad in rows] + [(0, 0)],
               constant_values=-np.inf)
    windows = np.lib.stride_tricks.sliding_window_view(x, (3, 3), (0, 1))
    return windows[::2, ::2].max((-1, -2))


def _layer(variables, scope, x, stride=1, rate=1):
    """A convolution VALID and its batch norm of stored statistics."""
    kernel = torch.from_numpy(variables[scope + '/weights'].astype(np.float64)).permute(3, 2, 0, 1)
    y = functional.conv2d(torch.from_numpy(np.ascontiguousarray(x)).permute(2, 0, 1)[None], kernel,
                          stride=stride, dilation=rate)[0].permute(1, 2, 0).numpy()
    norm = {name: variables['{}/BatchNorm/{}'.format(scope, name)].astype(np.float64)
            for name in ('gamma', 'beta', 'moving_mean', 'moving_variance')}
    return (y - norm['moving_mean']) / np.sqrt(norm['moving_variance'] + 1e-5) * norm['gamma'] \
        + norm['beta']


def _transposed(variables, scope, x):
    """conv2d_transpose 3x3, stride 2, SAME: the gradient of a convolution of the output."""
    kernel = variables[scope + '/weights'].astype(np.float64)  # (kh, kw, out, in)
    height, width = x.shape[:2]
    y = np.zeros((2 * height + 1, 2 * width + 1, kernel.shape[2]))
    for row in range(3):
        for column in range(3):
            y[row:row + 2 * height:2, column:column + 2 * width:2] += x @ kernel[row, column].T
    return y[:2 * height, :2 * width] + variables[scope + '/biases']


def write(folder, variables, cfg=None, name='snapshot-1000'):
    """Write a checkpoint with a pose_cfg.yaml beside it; return its prefix."""
    folder.mkdir(parents=True, exist_ok=True)
    if cfg is not None:
        (folder / 'pose_cfg.yaml').write_text(yaml.safe_dump(cfg))
    more = {'global_step': np.zeros((), np.int64),
            'resnet_v1_50/conv1/weights/Momentum': np.zeros((7, 7, 3, 8), np.float32)}
    return str(write_checkpoint(folder / name, {**variables, **more}))


def maps_of(network, image=IMAGE):
    """Return the maps (h, w, C) of the last stage for an image (H, W, 3) RGB."""
    inputs = torch.from_numpy((image - MEANS).transpose(2, 0, 1)[None].astype(np.float32))
    with torch.no_grad():
        return {name: maps[0].permute(1, 2, 0).numpy() for name, maps
                in network(inputs)[-1].items() if maps.ndim == 4}


def assert_close(found, wanted):
    assert found.shape == wanted.shape
    assert np.abs(found - wanted).max() < 1e-4 * np.abs(wanted).max()
